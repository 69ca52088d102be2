//! The pages that people look at: the payment page at a session's `url`, and the dashboard at `/`. They are plain
//! HTML with a script each, and get everything they show from the control API.

use std::sync::Arc;

use axum::response::Response;
use matchit::Router;
use serde_json::json;
use std::sync::LazyLock;

use super::server::Shared;
use crate::rules::customer;
use crate::rules::reply::ApiError;

const PAYMENT_PAGE: &str = include_str!("../page/payment.html");
const DASHBOARD: &str = include_str!("../page/dashboard.html");

#[derive(Clone, Copy)]
enum Page {
    Dashboard,
    Payment,
    /// Where a script on the merchant's site locks the session, so that the merchant may update it.
    Lock,
}

static PAGES: LazyLock<Router<Page>> = LazyLock::new(|| {
    let mut router = Router::new();
    let pages = [("/", Page::Dashboard), ("/v1/view/{id}", Page::Payment), ("/v1/view/{id}/session/lock", Page::Lock)];
    for (path, page) in pages {
        let _ = router.insert(path, page);
    }
    router
});

/// Serves a page, where the path is one.
pub(crate) fn serve(shared: &Arc<Shared>, method: &str, path: &str) -> Option<Response> {
    let found = PAGES.at(path).ok()?;
    let id = found.params.get("id").unwrap_or_default();
    let known = || shared.state().sessions.get(id).is_some();
    Some(match found.value {
        Page::Dashboard | Page::Payment if method != "GET" && method != "HEAD" => {
            let refusal = ApiError::new(405, "MethodNotAllowed", "a page is only read");
            json(refusal.into_reply().with_header("allow", "GET"))
        }
        Page::Dashboard => html(DASHBOARD),
        Page::Payment if known() => html(PAYMENT_PAGE),
        Page::Lock if known() => match shared.act(|state| customer::locks(state, id, true)) {
            Ok(()) => json(crate::rules::reply::Reply::ok(json!({ "id": id, "locked": true }))),
            Err(error) => json(ApiError::from(error).into_reply()),
        },
        Page::Payment | Page::Lock => json(ApiError::not_found("session").into_reply()),
    })
}

fn html(page: &'static str) -> Response {
    let response = Response::builder()
        .header("content-type", "text/html; charset=utf-8")
        .header("cache-control", "no-store")
        // The pages hold no resource from anywhere else.
        .header("content-security-policy", "default-src 'self' 'unsafe-inline'; img-src data:");
    response.body(page.into()).unwrap_or_default()
}

fn json(reply: crate::rules::reply::Reply) -> Response {
    let mut response = Response::builder().status(reply.status).header("content-type", "application/json");
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(reply.body.to_string().into()).unwrap_or_default()
}
