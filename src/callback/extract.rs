//! The adapter for axum (feature `axum`): extractors that verify before the handler runs, and answers
//! as responses.
//!
//! Nothing is decided here: verification is the [`Verifier`]'s, statuses are [`Answer`]'s.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, OriginalUri, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Trouble};
use super::express::{ExpressAnswer, ExpressRequest};
use super::notice::Callback;
use super::verifier::{Verifier, VerifyError};
use super::webhook::{Webhook, WebhookError, WebhookVerifier};
use crate::read::Unreadable;

/// The largest body read, in bytes. A transaction with a full order is some tens of kilobytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// Takes the callbacks of one URL with one handler, whichever method they were asked for with.
///
/// A route for GET alone would answer a POST with 405, and any 4xx ends the delivery for good.
///
/// ```
/// use axum::Router;
/// use dintero::callback::{Answer, Callback, Trouble, Verifier, callbacks};
///
/// async fn on_callback(callback: Callback) -> Result<Answer, Trouble> {
///     if let Some(id) = callback.transaction_id() {
///         println!("something happened to {id}");
///     }
///     Ok(Answer::Acknowledge)
/// }
///
/// fn router(verifier: Verifier) -> Router {
///     Router::new().route("/callback", callbacks(on_callback)).with_state(verifier)
/// }
/// ```
pub fn callbacks<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    get(handler.clone()).post(handler)
}

/// A request that is no callback of the account. Answers [`VerifyError::answer`], without a body.
///
/// To answer otherwise, take a `Result<Callback, CallbackRejection>` in the handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CallbackRejection(#[from] pub VerifyError);

impl IntoResponse for CallbackRejection {
    fn into_response(self) -> Response {
        let answer = self.0.answer();
        tracing::warn!(cause = %self.0, status = answer.status().as_u16(), "callback not accepted");
        answer.into_response()
    }
}

/// Verifies with the [`Verifier`] of the state, then reads the body, which stays unverified.
///
/// A body that is too large or breaks off is left out, and the callback is taken all the same: the
/// proven part has arrived, and 413 would end the delivery for good.
impl<S> FromRequest<S> for Callback
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = CallbackRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CallbackRejection> {
        let (parts, body) = request.into_parts();
        // In a nested router `parts.uri` has lost the prefix that was signed.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let callback = Verifier::from_ref(state).verify(&parts.method, target, &parts.headers)?;
        Ok(match to_bytes(body, LARGEST_BODY).await {
            Ok(body) => callback.with_unverified_body(body),
            Err(_) => {
                tracing::warn!(callback = ?callback, "the body of a callback was left out: too large, or cut off");
                callback
            }
        })
    }
}

/// A request that is no account-wide webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRejection {
    /// The signature is missing, malformed or wrong. Answers [`WebhookError::answer`].
    #[error(transparent)]
    Verify(#[from] WebhookError),
    /// The body, which is what is signed, is too large or broke off. Answers 503.
    #[error("the body of the webhook cannot be read")]
    Body,
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let answer = match self {
            Self::Verify(error) => error.answer(),
            Self::Body => Answer::RetryLater,
        };
        tracing::warn!(cause = %self, status = answer.status().as_u16(), "webhook not accepted");
        answer.into_response()
    }
}

/// Verifies with the [`WebhookVerifier`] of the state.
impl<S> FromRequest<S> for Webhook
where
    WebhookVerifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| WebhookRejection::Body)?;
        Ok(WebhookVerifier::from_ref(state).verify(&parts.headers, body)?)
    }
}

/// A request that is no express request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressRejection {
    /// The body is not a session. Answers 400.
    #[error("the body of the express request is not a session")]
    Unreadable(#[from] Unreadable),
    /// The body is too large or broke off. Answers 503.
    #[error("the body of the express request cannot be read")]
    Body,
}

impl IntoResponse for ExpressRejection {
    fn into_response(self) -> Response {
        // Neither is sent again: the status is for whoever looks into it.
        let answer = match self {
            Self::Unreadable(_) => Answer::Refuse,
            Self::Body => Answer::RetryLater,
        };
        tracing::warn!(cause = %self, status = answer.status().as_u16(), "express request not read");
        answer.into_response()
    }
}

/// Reads the session of the body. Nothing is verified: see [`ExpressRequest`].
impl<S: Send + Sync> FromRequest<S> for ExpressRequest {
    type Rejection = ExpressRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, ExpressRejection> {
        let body = to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| ExpressRejection::Body)?;
        Ok(Self::read(body)?)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        self.status().into_response()
    }
}

/// Answers [`RetryLater`](Answer::RetryLater) and logs what happened, at level error.
impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        tracing::error!(cause = %chain(self.cause()), "a callback could not be dealt with");
        self.answer().into_response()
    }
}

/// An error with its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl<O: Serialize> IntoResponse for ExpressAnswer<O> {
    fn into_response(self) -> Response {
        (StatusCode::OK, Json(self)).into_response()
    }
}
