//! Sending a request until it is answered, refused for good, or out of time.
//!
//! The rules of repetition live here and nowhere else:
//!
//! * a connection that did not come about: any call is tried again;
//! * a 401: any call, once, with a renewed token, since it was refused unprocessed;
//! * everything else that passes by itself: calls that only read.

use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;
use http::header::AUTHORIZATION;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::scope::CallScope;
use crate::check;
use crate::error::{Error, Outcome, Result, is_passing, request_id};
use crate::raw_response::{self, LARGEST_BODY, RawResponse, Read};

/// How long one attempt of a call that only reads may take while there are others left.
const READ_ATTEMPT: Duration = Duration::from_secs(15);

impl CallScope {
    /// Sends a request and reads its answer, all within the time of the call. `Ok` is an answer with a
    /// status of success.
    pub(crate) async fn run(&self, request: reqwest::Request) -> Result<RawResponse> {
        let end = match timeout_at(self.shared.deadline, self.attempts(request)).await {
            Ok(end) => end,
            Err(_) => Err(Error::timeout(self.effect())),
        };
        end.map_err(|error| self.name(error))
    }

    async fn attempts(&self, request: reqwest::Request) -> Result<RawResponse> {
        let service = &self.shared.service;
        let reads = self.shared.operation.only_reads();
        let http = if reads { &service.http.reads } else { &service.http.writes };
        let mut retries = 0;
        let mut replayed = false;
        let mut refusal = None;
        loop {
            let token = match service.tokens.token().await {
                Ok(token) => token,
                // The refusal is what the service said to this call; that no other token could be had is
                // its cause.
                Err(cause) => return Err(combine(refusal, cause)),
            };
            // A body of bytes, the only kind the generated client makes, can always be copied.
            let Some(mut copy) = request.try_clone() else {
                return Err(Error::invalid("the request cannot be copied"));
            };
            copy.headers_mut().insert(AUTHORIZATION, token.header());
            let number = self.attempt();
            let began = Instant::now();
            let end = self.send(http, copy, retries).await;
            self.log(number, began, &end);
            let error = match end {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.set_effect(error.outcome());
            if error.status() == Some(StatusCode::UNAUTHORIZED) {
                if replayed || !service.tokens.refused(&token) {
                    return Err(error);
                }
                replayed = true;
                self.set_refused();
                refusal = Some(error);
                continue;
            }
            let again = self.may_repeat(&error);
            match service.retry.wait(retries, error.retry_after()) {
                Some(wait) if again && self.has_time_for(wait) => sleep(wait).await,
                // A request was seen, and refused: that is what became of the call, not that another did not leave.
                _ if error.is_unconnected() => return Err(combine(refusal, error)),
                _ => return Err(error),
            }
            retries += 1;
        }
    }

    async fn send(&self, http: &reqwest::Client, request: reqwest::Request, retries: u32) -> Result<RawResponse> {
        let attempt = self.shared.reach.of(exchange(http, request));
        // Only where another attempt follows: the last one may use up the time of the call.
        if self.shared.operation.only_reads() && retries < self.shared.service.retry.retries {
            timeout(READ_ATTEMPT, attempt).await.unwrap_or_else(|_| Err(Error::timeout(Outcome::Unknown)))
        } else {
            attempt.await
        }
    }

    fn has_time_for(&self, wait: Duration) -> bool {
        Instant::now().checked_add(wait).is_some_and(|then| then < self.shared.deadline)
    }

    fn may_repeat(&self, error: &Error) -> bool {
        if is_tls(error) {
            return false;
        }
        let passes = || match error.status() {
            Some(status) => is_passing(status) || error.is_cut(),
            None => error.outcome() == Outcome::Unknown,
        };
        error.is_unconnected() || self.shared.operation.only_reads() && passes()
    }

    fn log(&self, attempt: u32, began: Instant, end: &Result<RawResponse>) {
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, headers) = match end {
            Ok(answer) => (Some(answer.status), &answer.headers),
            Err(error) => (error.status(), error.headers()),
        };
        let status = status.map(|status| status.as_u16());
        let id = request_id(headers).and_then(crate::error::printable_id);
        tracing::debug!(
            operation = self.shared.operation.id(),
            attempt,
            status,
            milliseconds,
            request_id = id,
            "attempt ended"
        );
        let span = tracing::Span::current();
        span.record("attempt", attempt);
        if let Some(status) = status {
            span.record("status", status);
        }
        if let Some(id) = id {
            span.record("request_id", id);
        }
    }
}

/// One request and its answer.
async fn exchange(http: &reqwest::Client, request: reqwest::Request) -> Result<RawResponse> {
    let response = match http.execute(request).await {
        Ok(response) => response,
        Err(cause) if cause.is_connect() => return Err(Error::connect(cause)),
        Err(cause) => return Err(Error::transport(cause)),
    };
    let (answer, failure) = match raw_response::read(response, LARGEST_BODY).await {
        Read::Whole(answer) => (answer, None),
        Read::Cut(answer, cause) => (answer, Some(("the answer was cut short", Some(cause)))),
        Read::TooLarge(answer) => (answer, Some(("the answer is too large", None))),
    };
    let RawResponse { status, headers, body } = answer;
    match failure {
        // Whatever became of its body, a refusal is a refusal.
        _ if !status.is_success() => Err(Error::api(status, headers, body)),
        None => Ok(RawResponse { status, headers, body }),
        Some((detail, cause)) => {
            let error = Error::unreadable(status, headers, body, detail);
            Err(match cause {
                Some(cause) => error.cut_by(cause),
                None => error,
            })
        }
    }
}

fn combine(refusal: Option<Error>, cause: Error) -> Error {
    match refusal {
        Some(refusal) => refusal.with_source(cause),
        None => cause,
    }
}

/// Whether TLS is what stands in the way: a certificate does not become valid by trying again.
fn is_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return true;
        }
        // An I/O error does not show the error it was made from as its source.
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
        {
            return true;
        }
        cause = current.source();
    }
    false
}

impl CallScope {
    /// Sends a request for the generated client, leaves what became of it in the scope, and gives the
    /// generated client an answer to read: the one that came or, for want of one, an empty one that the
    /// facade does not look at, since nobody but reqwest can make a `reqwest::Error`.
    pub(crate) async fn exec(&self, request: reqwest::Request) -> reqwest::Response {
        let end = self.run(request).await;
        let mut stand_in = http::Response::new(bytes::Bytes::new());
        match &end {
            Ok(answer) => {
                *stand_in.status_mut() = answer.status;
                *stand_in.headers_mut() = answer.headers.clone();
                *stand_in.body_mut() = answer.body.clone();
            }
            Err(_) => *stand_in.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
        self.set_end(end);
        stand_in.into()
    }
}

impl CallScope {
    /// Makes a request of the generated client ours: the headers of the call, and only to the configured
    /// place.
    ///
    /// # Errors
    /// When the request breaks a rule of the interface, or would go elsewhere. Ids are validated, so this is a second lock on the same door:
    /// no credentials leave for a place that nobody configured.
    pub(crate) fn prepare(&self, request: &mut reqwest::Request) -> Result<()> {
        let operation = self.shared.operation;
        let base = &self.shared.service.base_url;
        let url = request.url();
        let inside = url.origin() == base.origin()
            && url.path().strip_prefix(base.path().trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
        if !inside {
            return Err(Error::invalid("the request would leave the configured address"));
        }
        check::query(operation, request.url().query_pairs()).map_err(|cause| Error::invalid_request(&cause))?;
        // The generated client makes bodies of bytes only.
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            let checked = check::body(operation, body).map_err(|cause| Error::invalid_request(&cause))?;
            *request.body_mut() = Some(checked.into());
        }
        let headers = request.headers_mut();
        // Written by the generator from the version of our own document: it means nothing to the service.
        headers.remove("api-version");
        headers.extend(self.shared.headers.clone());
        Ok(())
    }
}
