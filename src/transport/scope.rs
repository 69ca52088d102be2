//! What one call carries with it, and what it leaves behind.
//!
//! The generated client is made anew for every call with a [`CallScope`] inside. Its hooks read from it what
//! the call is to be sent with and write into it what became of it, because the generated code itself keeps
//! neither the status of an answer it cannot read nor the cause of a hook's failure.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::reach::Reach;
use super::service::Service;
use crate::Operation;
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
    /// What is to be said of the effect if the call ends here and now.
    effect: Outcome,
    /// Whether the service has seen a request of the call, and refused it.
    refused: bool,
    end: Option<Result<RawResponse, Error>>,
}

impl CallScope {
    pub(crate) fn new(service: Arc<Service>, operation: Operation, headers: HeaderMap, limit: Duration) -> Self {
        let began = Instant::now();
        // A limit beyond what the timer can count is no limit: thirty years stand for it.
        let far = began + Duration::from_secs(86_400 * 365 * 30);
        Self {
            shared: Arc::new(Scope {
                service,
                operation,
                headers,
                began,
                deadline: began.checked_add(limit).unwrap_or(far),
                reach: Reach::default(),
                record: Mutex::new(Record { attempts: 0, effect: Outcome::NotSent, refused: false, end: None }),
            }),
        }
    }

    fn record<T>(&self, look: impl FnOnce(&mut Record) -> T) -> T {
        let mut record = self.shared.record.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut record)
    }

    /// Counts an attempt, from now on possibly on its way.
    pub(super) fn attempt(&self) -> u32 {
        self.record(|record| {
            record.attempts += 1;
            record.effect = Outcome::Unknown;
            record.attempts
        })
    }

    /// What became of the attempt under way.
    pub(super) fn set_effect(&self, effect: Outcome) {
        self.record(|record| record.effect = effect);
    }

    /// Notes that the service has seen a request of the call and refused it.
    pub(super) fn set_refused(&self) {
        self.record(|record| record.refused = true);
    }

    /// What is to be said of the effect if the call ends here and now. Where a connection has not come about, nothing
    /// left on it; where the service has refused a request before, that is what became of the call.
    pub(super) fn effect(&self) -> Outcome {
        let is_connecting = !self.shared.operation.only_reads() && self.shared.reach.is_connecting();
        self.record(|record| match record.effect {
            Outcome::NotSent if record.refused => Outcome::Rejected,
            _ if is_connecting && record.refused => Outcome::Rejected,
            _ if is_connecting => Outcome::NotSent,
            effect => effect,
        })
    }

    /// What the call has used up.
    pub(crate) fn spent(&self) -> Spent {
        Spent { attempts: self.record(|record| record.attempts), elapsed: self.shared.began.elapsed() }
    }

    pub(super) fn set_end(&self, end: Result<RawResponse, Error>) {
        self.record(|record| record.end = Some(end));
    }

    /// The answer or the failure, once.
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
