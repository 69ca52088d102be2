//! What the answer to a call that moves money says.
//!
//! A success status is not yet a success: 202 is one under way, and a 200 can carry an event that says that
//! the operation failed.

use http::StatusCode;

use super::response::Response;
use crate::error::{Error, Failure, Result};
use crate::types::{Transaction, TransactionEvent, TransactionEventName, TransactionStatus};

/// Names the accepted request of a 202.
const EVENT_REQUEST_ID: &str = "event-request-id";

/// A capture, refund or void that the service took on.
#[derive(Clone, Debug, PartialEq)]
pub enum Completion {
    /// It is done. The transaction shows it.
    Completed(Box<Transaction>),
    /// It is under way (202): **not** a failure, and not to be sent again. The outcome is told later by an event
    /// of the transaction, see [`Transactions::wait_for`](crate::calls::Transactions::wait_for).
    Accepted {
        /// The transaction as it was before.
        transaction: Box<Transaction>,
        /// What the event will carry as `correlation_request_id`. `None` when the answer left it out: then the
        /// event can be found by the reference, see [`Transactions::resolve`](crate::calls::Transactions::resolve).
        event_request_id: Option<String>,
    },
}

impl Completion {
    /// The transaction of the answer: after the operation if it is completed, before it if it is under way.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        match self {
            Self::Completed(transaction) | Self::Accepted { transaction, .. } => transaction,
        }
    }

    /// The transaction of the answer.
    #[must_use]
    pub fn into_transaction(self) -> Box<Transaction> {
        match self {
            Self::Completed(transaction) | Self::Accepted { transaction, .. } => transaction,
        }
    }

    /// Whether it is done.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Completed(_))
    }
}

/// An operation on a transaction, by the events it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Capture,
    Refund,
    Void,
    Authorization,
}

impl Move {
    /// The event that tells its outcome.
    pub(super) fn is_outcome(self, event: &TransactionEvent) -> bool {
        let outcome = match self {
            Self::Capture => TransactionEventName::Capture,
            Self::Refund => TransactionEventName::Refund,
            Self::Void => TransactionEventName::Void,
            Self::Authorization => TransactionEventName::Authorize,
        };
        event.event == Some(outcome)
    }

    /// The event that tells that it is under way.
    pub(super) fn is_start(self, event: &TransactionEvent) -> bool {
        let start = match self {
            Self::Capture => TransactionEventName::InitiateCapture,
            Self::Refund => TransactionEventName::InitiateRefund,
            Self::Void => TransactionEventName::InitiateVoid,
            Self::Authorization => return false,
        };
        event.event == Some(start)
    }
}

/// The newest of some events: the latest by time, and by place where times are equal or missing.
pub(super) fn newest<'a>(events: impl Iterator<Item = &'a TransactionEvent>) -> Option<&'a TransactionEvent> {
    events.reduce(|best, next| match (best.created_at, next.created_at) {
        (Some(best_at), Some(next_at)) if next_at < best_at => best,
        _ => next,
    })
}

/// The caller's reference, or one that nobody else uses.
pub(super) fn reference_or_new(given: Option<&str>) -> String {
    match given {
        Some(given) if !given.is_empty() => given.to_owned(),
        _ => uuid::Uuid::new_v4().to_string(),
    }
}

/// Turns the answer to a capture, refund, void or authorization into what it means. The reference goes with
/// every outcome.
pub(super) fn judge(
    answer: Result<Response<Transaction>>,
    what: Move,
    reference: Option<String>,
) -> Result<Response<Completion>> {
    let answer = match answer {
        Ok(answer) => answer.with_reference(reference.clone()),
        Err(error) => return Err(error.with_reference(reference)),
    };
    if answer.status() == StatusCode::ACCEPTED {
        return Ok(answer.map(|transaction, answer| {
            let id = answer.headers.get(EVENT_REQUEST_ID).and_then(|value| value.to_str().ok());
            Box::new(Completion::Accepted { transaction, event_request_id: id.map(str::to_owned) })
        }));
    }
    // An event with another reference tells of another call. One without any can be ours: the service may
    // leave it out.
    let is_ours = |event: &&TransactionEvent| match (&event.event_reference, &reference) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => true,
    };
    let events = answer.events.iter();
    let ours = newest(events.filter(|event| what.is_outcome(event) || what.is_start(event)).filter(is_ours));
    match ours.filter(|event| event.success == Some(false)).cloned().map(Box::new) {
        Some(event) => Err(failed(answer, Some(event)).with_reference(reference)),
        None => Ok(answer.map(|transaction, _| Box::new(Completion::Completed(transaction)))),
    }
}

/// Turns the answer to a merchant-initiated payment into what it means.
pub(super) fn judge_payment(answer: Response<Transaction>) -> Result<Response<Transaction>> {
    let event = newest(answer.events.iter()).filter(|event| event.success == Some(false)).cloned().map(Box::new);
    let is_refused = matches!(answer.status, Some(TransactionStatus::Declined | TransactionStatus::Failed));
    if answer.success == Some(false) || is_refused || event.is_some() { Err(failed(answer, event)) } else { Ok(answer) }
}

fn failed(answer: Response<Transaction>, event: Option<Box<TransactionEvent>>) -> Error {
    let call = answer.call();
    let (transaction, answer) = answer.into_parts();
    Error::failed(answer, Failure { transaction, event }).in_call(call.operation, call.spent)
}
