//! What one call carries with it, and what it leaves behind.
//!
//! The generated client is created for every call with a [`CallScope`] inside. Its hooks read from it what
//! the call is to be sent with and write into it what became of it, because the generated code itself keeps
//! neither the status of a response it cannot read nor the cause of a hook's failure.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::reach::Reach;
use super::service::Service;
use crate::Operation;
use crate::clock::deadline;
use crate::error::{Error, Outcome, Spent};
use crate::raw_response::RawResponse;

/// The context of one call; clones share it.
///
/// Public because it stands in the signature of the generated client, which is private.
#[derive(Clone)]
#[allow(unreachable_pub)]
pub struct CallScope {
    pub(super) shared: Arc<Scope>,
}

pub(super) struct Scope {
    pub(super) service: Arc<Service>,
    pub(super) operation: Operation,
    /// Headers beyond those that every request has.
    pub(super) headers: HeaderMap,
    pub(super) began: Instant,
    pub(super) deadline: Instant,
    pub(super) reach: Reach,
    record: Mutex<Record>,
}

struct Record {
    attempts: u32,
    /// What the attempts that have ended make known of the effect.
    ended: Outcome,
    under_way: bool,
    /// What has come of the response to the attempt under way: all but the body.
    head: Option<RawResponse>,
    end: Option<Result<RawResponse, Error>>,
}

impl CallScope {
    pub(crate) fn new(service: Arc<Service>, operation: Operation, headers: HeaderMap, limit: Duration) -> Self {
        let began = Instant::now();
        Self {
            shared: Arc::new(Scope {
                service,
                operation,
                headers,
                began,
                deadline: deadline(began, limit),
                reach: Reach::default(),
                record: Mutex::new(Record {
                    attempts: 0,
                    ended: Outcome::NotSent,
                    under_way: false,
                    head: None,
                    end: None,
                }),
            }),
        }
    }

    fn record<T>(&self, look: impl FnOnce(&mut Record) -> T) -> T {
        let mut record = self.shared.record.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut record)
    }

    /// Counts an attempt, from now on possibly on its way.
    pub(super) fn begin_attempt(&self) -> u32 {
        self.record(|record| {
            record.attempts += 1;
            record.under_way = true;
            record.head = None;
            record.attempts
        })
    }

    /// The response to the attempt under way has begun.
    pub(super) fn begin_response(&self, head: RawResponse) {
        self.record(|record| record.head = Some(head));
    }

    /// What became of the attempt under way. Returns the error as that of all attempts: the last one may not have been
    /// sent, and an earlier one was.
    pub(super) fn end_attempt(&self, mut error: Error) -> Error {
        self.record(|record| {
            record.under_way = false;
            match error.outcome() {
                Outcome::NotSent => error.set_outcome(record.ended),
                outcome => record.ended = outcome,
            }
        });
        error
    }

    /// An error outside of an attempt, as that of the attempts before.
    pub(super) fn after_attempts(&self, mut error: Error) -> Error {
        error.set_outcome(self.record(|record| record.ended));
        error
    }

    /// The error when the deadline has passed. Of a response that has begun, its status and headers are known; where a
    /// connection was not made yet, nothing left on it.
    pub(super) fn out_of_time(&self) -> Error {
        let (under_way, head, ended) = self.record(|record| (record.under_way, record.head.clone(), record.ended));
        let is_connecting = !self.shared.operation.only_reads() && self.shared.reach.is_connecting();
        match head {
            _ if !under_way || is_connecting => Error::timeout(ended),
            Some(head) => Error::timeout_after(head),
            None => Error::timeout(Outcome::Unknown),
        }
    }

    /// What the call has used up.
    pub(crate) fn spent(&self) -> Spent {
        Spent { attempts: self.record(|record| record.attempts), elapsed: self.shared.began.elapsed() }
    }

    pub(super) fn set_end(&self, end: Result<RawResponse, Error>) {
        self.record(|record| record.end = Some(end));
    }

    /// The response or the failure, once.
    pub(crate) fn take_end(&self) -> Option<Result<RawResponse, Error>> {
        self.record(|record| record.end.take())
    }

    /// Names the call in an error.
    pub(crate) fn name(&self, error: Error) -> Error {
        let scope = &self.shared;
        error.in_call(scope.operation, self.spent())
    }
}

impl fmt::Debug for CallScope {
    // Stands in the derived `Debug` of the generated client: nothing of the request is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallScope").field("operation", &self.shared.operation.id()).finish_non_exhaustive()
    }
}
