//! Responses and errors for unit tests of a program's own code.
//!
//! A program that handles what a call gives can be tried without a server: [`response`] and [`verdict`] make of an HTTP
//! response what the client would, [`timed_out`] and [`not_connected`] what it gives without one. To try whole calls, use
//! the crate `dintero-sandbox`.
//!
//! ```
//! use dintero::types::{CaptureRequest, Transaction};
//! use dintero::{Client, Credentials, Operation, Outcome, testing};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What the program does with a transaction:
//! let body = r#"{ "id": "T12345678.abc", "amount": 29990, "currency": "NOK", "status": "AUTHORIZED" }"#;
//! let response = dintero::http::Response::new(body.into());
//! let read = testing::response::<Transaction>(Operation::GetTransaction, response)?;
//! assert!(read.can_capture());
//!
//! // What it does when nobody knows whether the money moved:
//! let client = Client::new(Credentials::new("T12345678".parse()?, "id", "secret"))?;
//! let mut call = client.transactions().capture(&"T12345678.abc".parse()?, CaptureRequest::new(29_990));
//! let error = testing::timed_out(call.attempt());
//! assert_eq!((error.outcome(), error.attempt()), (Outcome::Unknown, Some(&call.attempt())));
//! # Ok(())
//! # }
//! ```

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::Operation;
use crate::client::{Finished, Response, Started};
use crate::error::{Error, Outcome, Result, Spent};
use crate::raw_response::RawResponse;
use crate::read;
use crate::types::{Session, Transaction};
use crate::verdict::{Attempt, Verdict};

/// A call that did not come to a response: an operation, or the attempt of a call that moves money.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Call {
    /// Any call.
    Operation(Operation),
    /// A call that moves money.
    Attempt(Box<Attempt>),
}

impl From<Operation> for Call {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

impl From<Attempt> for Call {
    fn from(attempt: Attempt) -> Self {
        Self::Attempt(Box::new(attempt))
    }
}

/// What one attempt uses up.
const ONCE: Spent = Spent { attempts: 1, elapsed: std::time::Duration::ZERO };

fn failed(call: Call, error: Error) -> Error {
    match call {
        Call::Operation(operation) => error.in_call(operation, ONCE),
        Call::Attempt(attempt) => error.in_call(attempt.operation(), ONCE).with_attempt(*attempt),
    }
}

/// Makes the error of a call that was sent and got no response in time. Its outcome is unknown, or read only.
#[must_use]
pub fn timed_out(call: impl Into<Call>) -> Error {
    failed(call.into(), Error::timeout(Outcome::Unknown))
}

/// Makes the error of a call for which no connection could be made, so that it was not sent.
#[must_use]
pub fn not_connected(call: impl Into<Call>) -> Error {
    let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    failed(call.into(), Error::not_responded(crate::transport::SendError::NotSent(Box::new(cause))))
}

/// Makes what a call gives for an HTTP response. For a call that moves money, use [`verdict`].
///
/// # Errors
/// The error that the call gives, for a status of error and for a body that cannot be read.
pub fn response<T: DeserializeOwned>(operation: Operation, response: http::Response<Bytes>) -> Result<Response<T>> {
    let (head, body) = response.into_parts();
    let raw = RawResponse { status: head.status, headers: head.headers, body };
    if !raw.status.is_success() {
        return Err(Error::api(raw).in_call(operation, ONCE));
    }
    match read::from_slice::<T>(&raw.body) {
        Ok(read) => {
            let call = Finished { operation, spent: ONCE };
            Ok(Response::new(Box::new(read.value), raw, call).with_skipped_fields(read.skipped_fields))
        }
        Err(cause) => Err(Error::unreadable_at(raw, &cause).in_call(operation, ONCE)),
    }
}

/// Makes what a call that moves money gives for an HTTP response.
///
/// # Errors
/// The error that the call gives, with the attempt: for a status of error, for a body that cannot be read, and for a
/// success that does not prove what became of it.
pub fn verdict(attempt: Attempt, response: http::Response<Bytes>) -> Result<Response<Verdict>> {
    let operation = attempt.operation();
    let started = Started::of(attempt);
    match operation {
        Operation::CancelSession => started.end_session(self::response::<Session>(operation, response)),
        _ => started.end(self::response::<Transaction>(operation, response)),
    }
}
