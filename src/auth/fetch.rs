//! The token call itself.
//!
//! Written by hand and apart from the generated client: it is the one call that carries the secret, and the
//! hooks of the generated client depend on it.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::credentials::Credentials;
use super::store::{StoredToken, token_work};
use super::token::Grant;
use crate::clock::Clock;
use crate::error::{CallId, Error, Outcome, Result, Spent};
use crate::raw_response::{self, RawResponse, Read};
use crate::retry::RetryPolicy;
use crate::store::Work;
use crate::transport::wire::Wire;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A grant is a kilobyte or two.
const LARGEST_GRANT: usize = 1024 * 1024;

/// Everything the token call needs.
pub(crate) struct Source {
    pub(crate) wire: Wire,
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
    pub(crate) audience: String,
    pub(crate) retry: RetryPolicy,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Source {
    /// `auth_url` is where tokens come from, without a slash at its end.
    pub(crate) fn url(auth_url: &Url, credentials: &Credentials) -> Result<Url> {
        let base = auth_url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/accounts/{}/auth/token", credentials.account()))
            .map_err(|cause| Error::configuration("the token address is not valid").with_source(cause))
    }

    /// Names the token in a journal.
    pub(crate) fn work(&self) -> Work {
        token_work(self.credentials.account().as_str(), self.credentials.client_id(), &self.audience, self.url.as_str())
    }

    /// Fetches a token, with at most `retries` further attempts for transient errors. The call
    /// has no effect but its response, so it may be retried whatever happened.
    pub(crate) async fn fetch(&self, retries: u32) -> Result<StoredToken> {
        let policy = RetryPolicy { retries, ..self.retry.clone() };
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.attempt().await {
                Ok(token) => {
                    tracing::debug!(
                        operation = CallId::Token.name(),
                        attempt = attempts,
                        milliseconds = started.elapsed().as_millis(),
                        "fetched a token"
                    );
                    return Ok(token);
                }
                Err(error) => error,
            };
            let spent = Spent { attempts, elapsed: started.elapsed() };
            let error = error.in_call(CallId::Token, spent);
            let wait = policy.wait(attempts - 1, error.retry_after()).filter(|_| error.is_retryable());
            tracing::debug!(
                operation = CallId::Token.name(),
                attempt = attempts,
                status = error.status().map(|status| status.as_u16()),
                milliseconds = started.elapsed().as_millis(),
                again = wait.is_some(),
                "no token"
            );
            match wait {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self) -> Result<StoredToken> {
        // Counted from before the request, so that the way there and back is on the safe side.
        let obtained_at = self.clock.now();
        let end = Instant::now() + ATTEMPT;
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.credentials.basic()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = json!({ "grant_type": "client_credentials", "audience": self.audience });
        *request.body_mut() = Some(body.to_string().into());
        let request = self.wire.outgoing(&request)?;
        let response = match timeout_at(end, self.wire.read(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(cause)) => return Err(Error::not_responded(cause)),
            Err(_) => return Err(Error::timeout(Outcome::Unknown)),
        };
        let head = RawResponse::head(&response);
        let response = match timeout_at(end, raw_response::read(response, LARGEST_GRANT)).await {
            Ok(Read::Whole(response) | Read::TooLarge(response)) => response,
            Ok(Read::Cut(response, _)) if !response.status.is_success() => response,
            Ok(Read::Cut(_, cause)) => return Err(Error::transport(cause)),
            // A refusal says how long to wait in its head.
            Err(_) => return Err(Error::timeout_after(head)),
        };
        if !response.status.is_success() {
            return Err(Error::token_refused(response, self.credentials.account()));
        }
        match Grant::read(&response.body) {
            Ok(grant) => Ok(StoredToken::new(
                grant.access_token,
                obtained_at,
                obtained_at.checked_add_signed(grant.lifetime).unwrap_or(obtained_at),
            )),
            // Without its body, which may hold a token.
            Err(reason) => Err(Error::unreadable(
                RawResponse { body: bytes::Bytes::new(), ..response },
                format!("the response to the token call is not usable: {reason}"),
            )),
        }
    }
}
