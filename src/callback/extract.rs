//! The adapter for axum (feature `axum`): extractors that verify before the handler runs, and responses
//! as responses.
//!
//! Nothing is decided here: verification is the [`Verifier`]'s, reading bodies `receive`'s, statuses are
//! [`CallbackResponse`]'s.

use axum::Json;
use axum::extract::{FromRef, FromRequest, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::StatusCode;
use serde::Serialize;

use super::express::{ExpressRequest, ExpressResponse};
use super::receive::ExpressReadError;
use super::response::{CallbackResponse, HandlerError};
use super::verified::Callback;
use super::verifier::{Verifier, VerifyError};
use super::webhook::{Webhook, WebhookError, WebhookVerifier};

/// Takes the callbacks of one URL with one handler, whichever method they were asked for with.
///
/// A route for GET alone would respond to a POST with 405, and any 4xx ends the delivery permanently.
///
/// ```
/// use axum::Router;
/// use dintero::callback::{CallbackResponse, Callback, HandlerError, Verifier, callbacks};
///
/// async fn on_callback(callback: Callback) -> Result<CallbackResponse, HandlerError> {
///     if let Some(id) = callback.transaction_id() {
///         println!("something happened to {id}");
///     }
///     Ok(CallbackResponse::Acknowledge)
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

/// A request that is no callback of the account. Responds with [`VerifyError::response`], without a body.
///
/// To respond otherwise, take a `Result<Callback, CallbackRejection>` in the handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CallbackRejection(#[from] pub VerifyError);

impl IntoResponse for CallbackRejection {
    fn into_response(self) -> Response {
        let response = self.0.response();
        tracing::warn!(cause = %self.0, status = response.status().as_u16(), "callback not accepted");
        response.into_response()
    }
}

/// Verifies with the [`Verifier`] of the state, then reads the body, as [`Verifier::receive`] does.
impl<S> FromRequest<S> for Callback
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = CallbackRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CallbackRejection> {
        Ok(Verifier::from_ref(state).receive(request).await?)
    }
}

/// What another extractor makes of a request, which was verified before by the [`Verifier`] of the state: for
/// routes of your own that only the service may call, express callbacks for example. Query and path are proven; a
/// body is not.
///
/// The service is said to sign every request to a merchant's server. Make sure that yours are before relying on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<T>(pub T);

impl<S, T> FromRequest<S> for Signed<T>
where
    Verifier: FromRef<S>,
    S: Send + Sync,
    T: FromRequest<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        Verifier::from_ref(state).verify(&request).map_err(|error| CallbackRejection(error).into_response())?;
        T::from_request(request, state).await.map(Self).map_err(IntoResponse::into_response)
    }
}

/// A request that is no account-wide webhook. Responds with [`WebhookError::response`], without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct WebhookRejection(#[from] pub WebhookError);

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let response = self.0.response();
        tracing::warn!(cause = %self.0, status = response.status().as_u16(), "webhook not accepted");
        response.into_response()
    }
}

/// Verifies with the [`WebhookVerifier`] of the state, as [`WebhookVerifier::receive`] does.
impl<S> FromRequest<S> for Webhook
where
    WebhookVerifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        Ok(WebhookVerifier::from_ref(state).receive(request).await?)
    }
}

/// A request that is no express request. Responds with 400 when its body is no session, 503 when it cannot be read:
/// neither is sent again, the status is for whoever looks into it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(transparent)]
pub struct ExpressRejection(#[from] pub ExpressReadError);

impl IntoResponse for ExpressRejection {
    fn into_response(self) -> Response {
        let response = match self.0 {
            ExpressReadError::Unreadable(_) => CallbackResponse::Refuse,
            ExpressReadError::Body => CallbackResponse::RetryLater,
        };
        tracing::warn!(cause = %self.0, status = response.status().as_u16(), "express request not read");
        response.into_response()
    }
}

/// Reads the session of the body. Nothing is verified: see [`ExpressRequest`], and [`Signed`] to verify it first.
impl<S: Send + Sync> FromRequest<S> for ExpressRequest {
    type Rejection = ExpressRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, ExpressRejection> {
        Ok(Self::receive(request).await?)
    }
}

impl IntoResponse for CallbackResponse {
    fn into_response(self) -> Response {
        self.status().into_response()
    }
}

/// Responds with [`RetryLater`](CallbackResponse::RetryLater) and logs what happened, at level error.
impl IntoResponse for HandlerError {
    fn into_response(self) -> Response {
        tracing::error!(cause = self.cause() as &dyn std::error::Error, "a callback could not be dealt with");
        self.response().into_response()
    }
}

impl<O: Serialize> IntoResponse for ExpressResponse<O> {
    fn into_response(self) -> Response {
        (StatusCode::OK, Json(self)).into_response()
    }
}
