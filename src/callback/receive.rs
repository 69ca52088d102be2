//! Takes a whole request from any server with `http` and `http-body` types: verified first, then its body read,
//! within a size and a time.
//!
//! What is verified, and how, is decided in [`verifier`](super::verifier) and [`webhook`](super::webhook).

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::express::ExpressRequest;
use super::verified::Callback;
use super::verifier::{Verifier, VerifyError};
use super::webhook::{Webhook, WebhookError, WebhookVerifier, signature};
use crate::read::Unreadable;

/// The largest body read, in bytes. A transaction with a full order is some tens of kilobytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How long the body of an express request may take: the service waits 60 seconds for a response.
const EXPRESS_BODY_TIMEOUT: Duration = Duration::from_secs(10);

impl Verifier {
    /// Verifies a request and then reads its body, which stays unverified. For hyper, AWS Lambda and every other
    /// server whose requests are `http::Request`.
    ///
    /// No byte of the body is read before the signature is verified. A body that is over 4 MiB, breaks off, or takes
    /// longer than [`body_timeout`](crate::callback::VerifierBuilder::body_timeout) is left out, and the callback
    /// is taken all the same: the proven part has arrived. Needs a Tokio runtime with time enabled.
    ///
    /// # Errors
    /// As [`verify_target`](Self::verify_target).
    pub async fn receive<B>(&self, request: Request<B>) -> Result<Callback, VerifyError>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let callback = self.verify(&request)?;
        Ok(match read(request.into_body(), self.body_timeout()).await {
            Some(body) => callback.with_unverified_body(body),
            None => {
                tracing::warn!(?callback, "the body of a callback was left out: too large, too slow, or cut off");
                callback
            }
        })
    }
}

impl WebhookVerifier {
    /// Reads the body of a request and verifies it. A request without a well-formed signature is refused before its
    /// body is read. Needs a Tokio runtime with time enabled.
    ///
    /// # Errors
    /// [`WebhookError::Body`] when the body is over 4 MiB, breaks off or takes longer than
    /// [`body_timeout`](Self::body_timeout); else as [`verify`](Self::verify).
    pub async fn receive<B>(&self, request: Request<B>) -> Result<Webhook, WebhookError>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        signature(request.headers())?;
        let (parts, body) = request.into_parts();
        let body = read(body, self.body_timeout()).await.ok_or(WebhookError::Body)?;
        self.verify(&parts.headers, body)
    }
}

impl ExpressRequest {
    /// Reads the session of a request's body. Nothing is verified. Needs a Tokio runtime with time enabled.
    ///
    /// # Errors
    /// [`ExpressReadError`].
    pub async fn receive<B>(request: Request<B>) -> Result<Self, ExpressReadError>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let body = read(request.into_body(), EXPRESS_BODY_TIMEOUT).await.ok_or(ExpressReadError::Body)?;
        Ok(Self::read(body)?)
    }
}

/// Why an express request cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressReadError {
    /// The body is not a session.
    #[error("the body of the express request is not a session")]
    Unreadable(#[from] Unreadable),
    /// The body is over 4 MiB, broke off, or took more than ten seconds.
    #[error("the body of the express request cannot be read")]
    Body,
}

/// A whole body; none when it is too large, breaks off or takes too long.
async fn read<B>(body: B, patience: Duration) -> Option<Bytes>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    // Boxed: `Limited` wants a body that does not move, and servers' bodies are large.
    let body = Box::pin(body);
    Some(timeout(patience, Limited::new(body, LARGEST_BODY).collect()).await.ok()?.ok()?.to_bytes())
}
