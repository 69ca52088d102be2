//! Callbacks in hyper, and in every other server whose requests are `http::Request`.

use std::convert::Infallible;

use dintero::callback::CallbackResponse;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};

use crate::Callbacks;

/// Responds to a callback: `service_fn(move |request| on_callback(callbacks.clone(), request))`.
///
/// # Errors
/// None.
pub async fn on_callback(
    callbacks: Callbacks,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let response: CallbackResponse = match callbacks.verifier.receive(request).await {
        Ok(callback) => callbacks.inbox.handle(callback).await,
        Err(error) => error.response(),
    };
    let mut empty = Response::new(Empty::new());
    *empty.status_mut() = response.status();
    Ok(empty)
}
