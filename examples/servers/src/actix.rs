//! Callbacks in actix-web, whose requests are of an older `http`.

use actix_web::rt::time::timeout;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use dintero::callback::{Callback, CallbackResponse, Verifier, VerifyError};
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::Callbacks;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// Verifies a request of actix-web.
///
/// # Errors
/// As [`Verifier::verify_target`].
pub fn verify(verifier: &Verifier, request: &HttpRequest) -> Result<Callback, VerifyError> {
    let method = Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default();
    let headers: HeaderMap = request
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        })
        .collect();
    verifier.verify_target(&method, &request.uri().to_string(), &headers)
}

/// Responds to a callback: `web::resource("/callback").to(on_callback)`.
///
/// The body is read once the signature is verified. It is not signed itself: one that is too large, too slow or breaks off
/// is left out.
pub async fn on_callback(callbacks: Data<Callbacks>, request: HttpRequest, body: Payload) -> HttpResponse {
    let callback = match verify(&callbacks.verifier, &request) {
        Ok(callback) => callback,
        Err(error) => return respond(error.response()),
    };
    let body = timeout(callbacks.verifier.body_timeout(), body.to_bytes_limited(LARGEST_BODY)).await;
    let callback = match body {
        Ok(Ok(Ok(body))) => callback.with_unverified_body(body),
        _ => callback,
    };
    respond(callbacks.inbox.handle(callback).await)
}

fn respond(response: CallbackResponse) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(response.status().as_u16());
    HttpResponse::new(status.unwrap_or(actix_web::http::StatusCode::SERVICE_UNAVAILABLE))
}
