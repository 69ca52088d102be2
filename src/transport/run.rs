//! Sends a request until there is a response, a final error, or no time left.
//!
//! The rules of repetition live here and nowhere else:
//!
//! * a connection that was not made: any call is tried again;
//! * a 401: any call, once, with a renewed token, since it was refused unprocessed;
//! * every other transient error: calls that only read.

use std::time::Duration;

use http::StatusCode;
use http::header::AUTHORIZATION;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::scope::CallScope;
use super::wire::Outgoing;
use crate::check;
use crate::error::{Error, ErrorKind, Outcome, Result, Sent, is_passing, request_id};
use crate::raw_response::{self, LARGEST_BODY, RawResponse, Read};
use crate::read::Unreadable;

/// How long one attempt of a call that only reads may take while there are others left.
const READ_ATTEMPT: Duration = Duration::from_secs(15);

impl CallScope {
    /// Sends a request and reads its response, all within the time of the call. `Ok` is a response with a
    /// status of success.
    pub(crate) async fn run(&self, request: reqwest::Request) -> Result<RawResponse> {
        let sent = request.try_clone();
        let end = match timeout_at(self.shared.deadline, self.attempts(request)).await {
            Ok(end) => end,
            Err(_) => Err(self.out_of_time()),
        };
        end.map_err(|mut error| {
            if let Some(sent) = sent.filter(|_| error.kind() == ErrorKind::Api) {
                let values = sent.url().query_pairs().map(|(_, value)| value);
                error.hide(&Sent::new(sent.body().and_then(reqwest::Body::as_bytes), values));
            }
            self.name(error)
        })
    }

    async fn attempts(&self, request: reqwest::Request) -> Result<RawResponse> {
        let service = &self.shared.service;
        let request = service.wire.outgoing(&request)?;
        let mut retries = 0;
        let mut replayed = false;
        let mut refusal = None;
        loop {
            if let Some(pace) = &service.pace
                && let Err(wait) = pace.turn(self.shared.deadline).await
            {
                return Err(combine(refusal, self.after_attempts(Error::held_back(wait))));
            }
            let token = match service.tokens.token().await {
                Ok(token) => token,
                // The refusal is what the service said to this call; that no other token could be fetched is
                // its cause.
                Err(cause) => return Err(self.after_attempts(combine(refusal, cause))),
            };
            let mut copy = request.clone();
            copy.headers_mut().insert(AUTHORIZATION, token.header());
            let number = self.begin_attempt();
            let began = Instant::now();
            let end = self.send(copy, retries).await;
            self.log(number, began, &end);
            if let (Some(pace), Err(error)) = (&service.pace, &end) {
                pace.heed(error.status(), error.headers());
            }
            let error = match end {
                Ok(response) => return Ok(response),
                Err(error) => self.end_attempt(error),
            };
            if error.status() == Some(StatusCode::UNAUTHORIZED) {
                if replayed || !service.tokens.refused(&token) {
                    return Err(error);
                }
                replayed = true;
                refusal = Some(error);
                continue;
            }
            let again = self.may_retry(&error);
            match service.retry.wait(retries, error.retry_after()) {
                Some(wait) if again && self.has_time_for(wait) => sleep(wait).await,
                // A request was seen, and refused: that is what became of the call, not that another did not leave.
                _ if error.is_unconnected() => return Err(combine(refusal, error)),
                _ => return Err(error),
            }
            retries += 1;
        }
    }

    async fn send(&self, request: Outgoing, retries: u32) -> Result<RawResponse> {
        let attempt = self.exchange(request);
        // Only where another attempt follows: the last one may use up the time of the call.
        if self.shared.operation.only_reads() && retries < self.shared.service.retry.retries {
            timeout(READ_ATTEMPT, attempt).await.unwrap_or_else(|_| Err(self.out_of_time()))
        } else {
            attempt.await
        }
    }

    fn has_time_for(&self, wait: Duration) -> bool {
        Instant::now().checked_add(wait).is_some_and(|then| then < self.shared.deadline)
    }

    fn may_retry(&self, error: &Error) -> bool {
        let passes = || match error.status() {
            Some(status) => is_passing(status) || error.is_cut(),
            None => error.outcome() == Outcome::Unknown,
        };
        error.is_unconnected() || self.shared.operation.only_reads() && passes()
    }

    fn log(&self, attempt: u32, began: Instant, end: &Result<RawResponse>) {
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, headers) = match end {
            Ok(response) => (Some(response.status), &response.headers),
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

impl CallScope {
    /// One request and its response.
    async fn exchange(&self, request: Outgoing) -> Result<RawResponse> {
        let wire = &self.shared.service.wire;
        let response = match self.shared.operation.only_reads() {
            true => wire.read(request).await,
            false => wire.write(request, &self.shared.reach).await,
        };
        let response = response.map_err(Error::not_responded)?;
        self.begin_response(RawResponse::head(&response));
        match raw_response::read(response, LARGEST_BODY).await {
            // Whatever became of its body, this is no success.
            Read::Whole(raw) | Read::TooLarge(raw) | Read::Cut(raw, _) if !raw.status.is_success() => {
                Err(Error::api(raw))
            }
            Read::Whole(raw) => Ok(raw),
            Read::Cut(raw, cause) => Err(Error::unreadable(raw, "the response was cut short").cut_by(cause)),
            Read::TooLarge(raw) => Err(Error::unreadable(raw, "the response is too large")),
        }
    }
}

fn combine(refusal: Option<Error>, cause: Error) -> Error {
    match refusal {
        Some(refusal) => refusal.with_source(cause),
        None => cause,
    }
}

/// A response body longer than this is read on a thread that may block.
const LONG_BODY: usize = 64 * 1024;

impl CallScope {
    /// Sends a request for the generated client and leaves what became of it in the scope.
    pub(crate) async fn exec(&self, request: reqwest::Request) {
        let end = self.run(request).await;
        self.set_end(end);
    }

    /// Reads a response within the time of the call.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        response: RawResponse,
        read: impl FnOnce(&[u8]) -> Result<T, Unreadable> + Send + 'static,
    ) -> Result<(T, RawResponse)> {
        read_by(self.shared.deadline, response, read).await.map_err(|error| self.name(error))
    }
}

/// Reads a response until a deadline, and where it is long, off the threads of the runtime.
async fn read_by<T: Send + 'static>(
    deadline: Instant,
    response: RawResponse,
    read: impl FnOnce(&[u8]) -> Result<T, Unreadable> + Send + 'static,
) -> Result<(T, RawResponse)> {
    let body = response.body.clone();
    let outcome = if body.len() <= LONG_BODY {
        Ok(Ok(read(&body)))
    } else {
        timeout_at(deadline, spawn_blocking(move || read(&body))).await
    };
    match outcome {
        Ok(Ok(Ok(value))) => Ok((value, response)),
        Ok(Ok(Err(cause))) => Err(Error::unreadable_at(response, &cause)),
        Ok(Err(cause)) => Err(Error::unreadable(response, "reading the response broke off").with_source(cause)),
        Err(_) => Err(Error::timeout_after(response)),
    }
}

impl CallScope {
    /// Makes a request of the generated client ours: the headers of the call, and only to the configured
    /// place.
    ///
    /// # Errors
    /// When the request breaks a rule of the interface, or would go elsewhere. Ids are validated, so this is a second
    /// check: no credentials leave for a place that nobody configured.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn response(length: usize) -> RawResponse {
        let headers = [("event-request-id".parse().unwrap(), "e-1".parse().unwrap())].into_iter().collect();
        RawResponse { status: StatusCode::ACCEPTED, headers, body: vec![b' '; length].into() }
    }

    #[tokio::test]
    async fn a_long_response_is_read_elsewhere_and_until_the_deadline() {
        let here = thread::current().id();
        let far = Instant::now() + Duration::from_secs(3_600);
        for (length, is_here) in [(0, true), (65_536, true), (65_537, false)] {
            let read = move |body: &[u8]| Ok((body.len(), thread::current().id()));
            let ((read, on), raw) = read_by(far, response(length), read).await.unwrap();
            assert_eq!((read, raw.body.len(), on == here), (length, length, is_here));
        }
        // Reading goes on until the test lets it end, which it does after the call.
        let (release, held) = mpsc::channel::<()>();
        let reading = read_by(Instant::now(), response(LONG_BODY + 1), move |_| Ok(held.recv().is_ok()));
        let error = reading.await.map(|(value, _)| value).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
        assert_eq!((error.status(), error.event_request_id()), (Some(StatusCode::ACCEPTED), Some("e-1")));
        drop(release);
    }

    #[tokio::test]
    async fn a_reader_that_panics_ends_in_an_error() {
        let far = Instant::now() + Duration::from_secs(3_600);
        let read = |_: &[u8]| -> Result<(), Unreadable> { panic!("on purpose") };
        let error = read_by(far, response(LONG_BODY + 1), read).await.map(drop).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unreadable, Some(StatusCode::ACCEPTED)));
    }
}
