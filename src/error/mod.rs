//! The error type of the crate.
//!
//! Everything a caller may want to decide on is an accessor. What is printed by `Display` and `Debug` is
//! much less: see [`Error`]. The rules that turn a response into an error live in the transport; here lives
//! only what an error is.

mod api;
mod cause;
mod failure;
mod make;
mod print;
mod shown;

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

pub(crate) use crate::verdict::Outcome;
pub(crate) use api::ApiBody;
pub(crate) use make::Spent;
pub(crate) use print::{printable_id, printable_path};
pub(crate) use shown::Sent;

use crate::Operation;
use crate::read::JsonPath;
use crate::verdict::{Attempt, Verdict};

/// How much of a response's body an error keeps, in bytes.
const KEPT_BODY: usize = 64 * 1024;
/// How much of a response's headers an error keeps, in bytes.
const KEPT_HEADERS: usize = 16 * 1024;

/// The point at which a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built from what it was given: a missing variable, a host without TLS.
    Configuration,
    /// The request was refused here, before sending: [`Error::path`] names the field where there is one.
    InvalidRequest,
    /// The token call returned no access token. Status, code and message are those of the token call.
    Token,
    /// No connection was made: name resolution, refused connection, TLS.
    Connect,
    /// The server has a certificate that is not trusted: another service responds in its place, or this machine
    /// lacks the authority that signed it. Nothing was sent, and nothing is tried again.
    Certificate,
    /// The call did not end in the time it was given.
    Timeout,
    /// The connection was lost on the way.
    Transport,
    /// The service responded with an error status.
    Api,
    /// The response is a success that cannot be read: [`Error::path`] names the field where there is one.
    Unreadable,
    /// The service carried the call out and it failed: a declined payment, an event with
    /// `success: false`.
    Failed,
    /// The response to a money call is a success that does not prove what became of it: its events are missing,
    /// cannot be read or contradict each other. [`Error::verdict`] says what is wrong.
    Unproven,
    /// The journal of what was begun failed, so that a call was not made once. [`Error::outcome`] says whether it was
    /// sent.
    Journal,
}

/// The result of this crate's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong in a call, what is known about its effect, and what the service said.
///
/// # What is printed
/// `Display` and `Debug` show the kind, the operation, the status, the error code, the [`Outcome`], the
/// number of attempts and the request id. They never show a secret, a token, a header's value (other than
/// the request id) or a body.
///
/// They also show the service's [`message`](Self::message) and nested [`errors`](Self::errors), which say what is wrong
/// with the request. These may quote what a customer typed, so `***` stands for every word that the request carried as
/// a text, and for whatever looks like a name, an address, a token, a phone or card number. The accessors return the
/// texts as they came.
///
/// The JSON path of an unreadable field is printed with names that are not plain identifiers replaced by `*`, as a map
/// may be keyed by anything.
///
/// # Retrying
/// The client has already retried what may be retried (see [`attempts`](Self::attempts)). Ask
/// [`outcome`](Self::outcome) before retrying a call that moves money.
#[non_exhaustive]
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    /// Our own words; must be fit to print.
    detail: String,
    call: Option<CallId>,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Bytes,
    body_cut: bool,
    api: ApiBody,
    /// What the service says, without what may be a customer's.
    shown: Option<Box<str>>,
    path: Option<JsonPath>,
    outcome: Outcome,
    timed_out: bool,
    /// A response whose body ended early.
    cut: bool,
    /// The failure of a connection that is not transient.
    is_lasting: bool,
    retry_after: Option<Duration>,
    attempts: u32,
    elapsed: Duration,
    source: Option<Box<dyn StdError + Send + Sync>>,
    attempt: Option<Box<Attempt>>,
    verdict: Option<Box<Verdict>>,
}

/// Which call an error is of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CallId {
    /// The one that fetches a token, which is not part of the document.
    Token,
    /// One of the document.
    Operation(Operation),
}

impl CallId {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "access_token",
            Self::Operation(operation) => operation.id(),
        }
    }

    fn only_reads(self) -> bool {
        match self {
            Self::Token => true,
            Self::Operation(operation) => operation.only_reads(),
        }
    }
}

impl From<Operation> for CallId {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

impl Error {
    /// Returns at which point the call failed.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the operation. `None` for errors outside of any call, and for the token call by itself.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match self.inner.call? {
            CallId::Token => None,
            CallId::Operation(operation) => Some(operation),
        }
    }

    /// Returns the HTTP status of the response, when there was one. Kept whatever becomes of the body.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.inner.status
    }

    /// Returns the service's error code, when it gives one of at most 128 bytes.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.inner.api.code.as_deref()
    }

    /// Returns the service's message, when the response has one, at most its first 4 KiB. It is written for developers
    /// and may quote what a customer typed: do not log it unseen, do not show it to a customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.inner.api.message.as_deref()
    }

    /// Returns the nested errors of the response, of whatever form they are. Empty when they are longer than 16 KiB:
    /// then they are in the [`body`](Self::body) only.
    #[must_use]
    pub fn errors(&self) -> &[Value] {
        &self.inner.api.errors
    }

    /// Returns the id under which the service, or a gateway before it, knows the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.inner.headers)
    }

    /// Returns the id by which the service knows an operation that it accepted (202), from the header
    /// `event-request-id`: an event of the transaction will carry it as `correlation_request_id`. Known as soon as the
    /// response begins, even if its body never comes.
    #[must_use]
    pub fn event_request_id(&self) -> Option<&str> {
        event_request_id(&self.inner.headers)
    }

    /// Returns the headers of the response; empty when there was none. At most 16 KiB: of more, the longest are left
    /// out.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.inner.headers
    }

    /// Returns the first 64 KiB of the response's body as it came; empty when there was none. May hold a customer's
    /// data.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.inner.body
    }

    /// Returns whether [`body`](Self::body) is only the beginning.
    #[must_use]
    pub fn is_body_truncated(&self) -> bool {
        self.inner.body_cut
    }

    /// Returns the JSON path of the field that could not be read, or that was refused before sending, for example
    /// `$.events[0].amount`. For a parameter or header, its name below the root.
    #[must_use]
    pub fn path(&self) -> Option<&JsonPath> {
        self.inner.path.as_ref()
    }

    /// Returns how often the request was sent, or sending was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// Returns the time from the beginning of the call to this error, waiting for a token and between attempts
    /// included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// Returns what is known about the effect of the call.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.inner.outcome
    }

    /// Returns how long to wait before the next attempt: what the service asks for in the `Retry-After` header, in
    /// seconds or as a date, or in the `retry_policy.retry_after` of a declined payment; of a call that its
    /// [`Pace`](crate::Pace) held back, the time until its turn.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Returns whether the call ended because of a timeout, here or on the way to a connection.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.inner.timed_out
    }

    /// No connection was made, so not a byte was sent, and the next may.
    pub(crate) fn is_unconnected(&self) -> bool {
        self.inner.kind == ErrorKind::Connect && !self.inner.is_lasting
    }

    /// A response whose body ended early.
    pub(crate) fn is_cut(&self) -> bool {
        self.inner.cut
    }

    /// Returns whether the same call may be made again as it is and may then succeed: the error is transient, and
    /// either the call only reads or it is known to have had no effect. An [`Outcome::Unknown`] of a call that writes
    /// is never retryable.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let inner = &self.inner;
        let passing = match inner.kind {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport => !inner.is_lasting,
            ErrorKind::Journal => true,
            ErrorKind::Token | ErrorKind::Api => match inner.status {
                Some(status) => is_passing(status),
                // No response to the token call at all.
                None => inner.kind == ErrorKind::Token && !inner.is_lasting,
            },
            ErrorKind::Configuration
            | ErrorKind::InvalidRequest
            | ErrorKind::Certificate
            | ErrorKind::Unreadable
            | ErrorKind::Failed
            | ErrorKind::Unproven => false,
        };
        let only_reads = inner.call.is_some_and(CallId::only_reads);
        passing && (only_reads || inner.outcome != Outcome::Unknown)
    }
}

/// Statuses of transient errors.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The names under which the service and the gateways known to stand before it send a request id.
const REQUEST_ID_HEADERS: [&str; 4] = ["request-id", "x-request-id", "x-amzn-requestid", "x-amz-cf-id"];

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

/// The id by which the service knows an operation that it accepted.
pub(crate) fn event_request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("event-request-id")?.to_str().ok().map(str::trim).filter(|id| !id.is_empty())
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }
}
