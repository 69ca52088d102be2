//! The control API, `/_sandbox/...`: what the Rust handle does, for any language.
//!
//! The OpenAPI document is the table of calls: it routes a request, says what the request may carry, and names the
//! function that does the work. The work itself is that of the layers below.

mod calls;
mod faults;
mod views;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use matchit::Router;
use serde_json::Value;

use super::server::Shared;
use crate::operation::Operation;
use crate::rules::contract::{self, Carried, Contract, Query};
use crate::rules::customer::CustomerError;
use crate::rules::reply::{ApiError, Reply};
use crate::rules::schema::Components;

/// The document of the control API, but for the names of the operations.
const DOCUMENT: &str = include_str!("../../../spec/control.json");

/// The document, read once, with the calls that were needed so far.
struct Interface {
    document: Value,
    components: Result<Components, String>,
    routes: Router<String>,
    contracts: Mutex<Contracts>,
}

/// By path and method.
type Contracts = HashMap<(String, String), Result<Arc<Contract>, String>>;

static INTERFACE: LazyLock<Interface> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    if let Some(operation) = document.pointer_mut("/components/schemas/Operation").and_then(Value::as_object_mut) {
        operation.insert("enum".into(), Operation::ALL.map(Operation::id).to_vec().into());
    }
    let mut routes = Router::new();
    for path in document.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.keys()) {
        let _ = routes.insert(path.clone(), path.clone());
    }
    Interface { components: Components::new(&document), document, routes, contracts: Mutex::default() }
});

impl Interface {
    fn contract(&self, path: &str, method: &str, published: &Value) -> Result<Arc<Contract>, String> {
        let mut contracts = self.contracts.lock().unwrap_or_else(PoisonError::into_inner);
        contracts
            .entry((path.to_owned(), method.to_owned()))
            .or_insert_with(|| {
                let components = self.components.as_ref().map_err(Clone::clone)?;
                contract::compile_published(&self.document, components, published).map(Arc::new)
            })
            .clone()
    }
}

/// One control request: the path's parameter, the query and the body.
struct Asked {
    parameter: String,
    query: Query,
    body: Value,
}

/// Serves a path below `/_sandbox`.
pub(crate) async fn serve(shared: &Arc<Shared>, method: &str, path: &str, query: &str, body: &Bytes) -> Response {
    match attempt(shared, method, path, query, body).await {
        Ok(Returned::Json(value)) => json(Reply::ok(value)),
        Ok(Returned::Changes) => changes(shared),
        Err(error) => json(error.into_reply()),
    }
}

enum Returned {
    Json(Value),
    /// Server-sent events.
    Changes,
}

async fn attempt(
    shared: &Arc<Shared>,
    method: &str,
    path: &str,
    query: &str,
    body: &Bytes,
) -> Result<Returned, ApiError> {
    let found = INTERFACE.routes.at(path).map_err(|_| ApiError::not_found("control call"))?;
    let methods = INTERFACE.document.get("paths").and_then(|paths| paths.get(found.value));
    let published = methods
        .and_then(|methods| methods.get(method.to_ascii_lowercase()))
        .ok_or_else(|| ApiError::new(405, "MethodNotAllowed", "no such method on this path"))?;
    let parameter = found.params.iter().next().map(|(_, value)| value);
    let parameter = parameter.map(|value| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned());
    let mut pairs = Query::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        pairs.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let body: Option<Value> = if body.is_empty() {
        None
    } else {
        Some(serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("body: no JSON: {error}")))?)
    };
    let contract =
        INTERFACE.contract(found.value, method, published).map_err(|error| ApiError::new(500, "Document", error))?;
    let carried = Carried { parameter: parameter.as_deref(), query: &pairs, headers: &[], body: body.as_ref() };
    contract.check(&carried).map_err(|problems| ApiError::invalid(&problems))?;
    let asked = Asked { parameter: parameter.unwrap_or_default(), query: pairs, body: body.unwrap_or_default() };
    let name = published.get("operationId").and_then(Value::as_str).unwrap_or_default();
    if name == "changes" {
        return Ok(Returned::Changes);
    }
    calls::call(shared, name, &asked).await.map(Returned::Json)
}

/// One event at once and one for each change, until the sandbox ends.
fn changes(shared: &Arc<Shared>) -> Response {
    let mut seen = shared.changes.subscribe();
    seen.mark_changed();
    let events = stream::unfold((seen, Arc::clone(shared)), |(mut seen, shared)| async move {
        let number = tokio::select! {
            changed = seen.changed() => changed.ok().map(|()| *seen.borrow_and_update())?,
            () = shared.stopped() => return None,
        };
        Some((Ok::<_, std::convert::Infallible>(format!("data: {number}\n\n")), (seen, shared)))
    });
    let response = Response::builder().header("content-type", "text/event-stream").header("cache-control", "no-store");
    response.body(Body::from_stream(events)).unwrap_or_default()
}

fn json(reply: Reply) -> Response {
    let response = Response::builder()
        .status(reply.status)
        .header("content-type", "application/json")
        .header("cache-control", "no-store");
    response.body(reply.body.to_string().into()).unwrap_or_default()
}

impl From<CustomerError> for ApiError {
    fn from(error: CustomerError) -> Self {
        let (status, code) = match &error {
            CustomerError::NoSession | CustomerError::NoTransaction => (404, "NotFound"),
            CustomerError::NoShippingOption(_) => (400, "InvalidRequestParameter"),
            CustomerError::Express(_) => (502, "Merchant"),
            CustomerError::StateFile(_) => (500, "StateFile"),
            _ => (409, "Conflict"),
        };
        Self::new(status, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_document_can_be_held_against_it() {
        let paths = INTERFACE.document["paths"].as_object().unwrap();
        for (path, methods) in paths {
            for (method, published) in methods.as_object().unwrap() {
                INTERFACE.contract(path, method, published).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            }
        }
        assert!(paths.len() > 20);
    }
}
