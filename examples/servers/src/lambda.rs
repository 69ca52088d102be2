//! Callbacks in AWS Lambda, as `http` events of an API Gateway or a function URL.
//!
//! Once it has responded, a function may be frozen: the handler of an [`Inbox`](dintero::callback::Inbox) has ended by
//! then, and `recover` is for a scheduled event of its own, not for a task in the background.

use lambda_http::{Body, Error, Request, Response};

use crate::Callbacks;

/// Responds to a callback: `lambda_http::run(service_fn(|request| on_callback(&callbacks, request)))`.
///
/// Where a stage stands in the path of the URL, the path of the event has it too. Where the gateway takes a prefix off,
/// [`VerifierBuilder::map_path`](dintero::callback::VerifierBuilder::map_path) says so.
///
/// # Errors
/// None of a callback's: they are responses.
pub async fn on_callback(callbacks: &Callbacks, request: Request) -> Result<Response<Body>, Error> {
    let response = match callbacks.verifier.receive(request).await {
        Ok(callback) => callbacks.inbox.handle(callback).await,
        Err(error) => error.response(),
    };
    Ok(Response::builder().status(response.status()).body(Body::Empty)?)
}
