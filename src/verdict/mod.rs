//! What became of a money call: the one place that decides it.
//!
//! [`judge`], [`judge_payment`] and [`judge_cancellation`] go from what is known of a call to a verdict. They are
//! pure: no I/O, and no clock. Responses, errors, [`Client::resolve`](crate::Client::resolve) and the sums of
//! `money` all rest on them, and on [`events`] for what an event means. The rule above all: "completed", "rejected"
//! and "not received" need proof; everything else is under way or unknown.
//!
//! How the evidence is read, and how often, is the client's.

pub(crate) mod attempt;
pub(crate) mod events;
mod outcome;
mod payment;
mod weigh;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;

pub use attempt::Attempt;
pub(crate) use attempt::{Kind, Target};
use events::{Events, Skipped};
pub use outcome::Outcome;
pub(crate) use payment::{Candidate, failed_part, judge_payment};
pub(crate) use weigh::Finding;
use weigh::{Stage, weigh, weigh_void};

use crate::read::SkippedField;
use crate::types::{Session, Transaction, TransactionEvent, TransactionStatus as Status};

/// What became of a money call, with the evidence.
///
/// Money calls, their errors and [`Client::resolve`](crate::Client::resolve) all return this.
#[derive(Clone, PartialEq)]
pub struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) why: &'static str,
    pub(crate) attempt: Attempt,
    pub(crate) transaction: Option<Box<Transaction>>,
    pub(crate) session: Option<Box<Session>>,
    pub(crate) event: Option<usize>,
    pub(crate) failed: Option<usize>,
}

impl Verdict {
    /// Returns what is known of the call's effect.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the evidence in words, fit to print.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.why
    }

    /// Returns the attempt that this is about.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Returns whether it happened.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.outcome == Outcome::Completed
    }

    /// Returns whether the service accepted it and has not finished it. **Not** a failure, and not to be sent again.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.outcome == Outcome::UnderWay
    }

    /// Returns the transaction as it was last read. While the call is under way it is as it was before. `None` for a
    /// payment that was not found, and for a cancellation whose session has none.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        self.transaction.as_deref()
    }

    /// Returns the transaction as it was last read, see [`transaction`](Self::transaction).
    #[must_use]
    pub fn into_transaction(self) -> Option<Box<Transaction>> {
        self.transaction
    }

    /// Returns the session as it was last read, for a cancellation.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_deref()
    }

    /// Returns the event that shows the outcome; where that is unknown, the event that may be of the call.
    #[must_use]
    pub fn event(&self) -> Option<&TransactionEvent> {
        self.transaction.as_ref()?.events.get(self.event?)
    }

    /// Returns the event that reports a failure: of the call itself, or of a part of it that failed although the whole
    /// is [`Completed`](Outcome::Completed), such as the automatic capture of an authorized payment.
    #[must_use]
    pub fn failed_event(&self) -> Option<&TransactionEvent> {
        self.transaction.as_ref()?.events.get(self.failed?)
    }
}

impl fmt::Debug for Verdict {
    // Neither the transaction nor the session: both may hold a customer's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("outcome", &self.outcome)
            .field("why", &self.why)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// Where evidence is from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The response to the call itself, with this status.
    Response(StatusCode),
    /// A later read.
    Read {
        /// When the read was begun, on the clock of the attempt.
        begun_at: DateTime<Utc>,
        /// How long after the attempt's `until` nothing of it can arrive any more.
        settle: Duration,
    },
}

impl Source {
    fn stage(self, attempt: &Attempt) -> Stage {
        match self {
            Self::Response(StatusCode::ACCEPTED) => Stage::Accepted,
            Self::Response(_) => Stage::Responded,
            Self::Read { .. } if attempt.accepted => Stage::Accepted,
            Self::Read { begun_at, settle } if begun_at >= attempt::later(attempt.until, settle) => Stage::Settled,
            Self::Read { .. } => Stage::Open,
        }
    }
}

/// What became of a capture, refund, void or change of the authorization, by its transaction and what was skipped
/// while reading that.
pub(crate) fn judge(
    attempt: &Attempt,
    transaction: &Transaction,
    skipped_fields: &[SkippedField],
    source: Source,
) -> Finding {
    let stage = source.stage(attempt);
    let is_named = match (id(transaction.id.as_ref()), attempt.transaction_id()) {
        (Some(theirs), Some(ours)) if theirs != ours.as_str() => {
            return Finding::unknown("the response is of another transaction", None);
        }
        (theirs, _) => theirs.is_some(),
    };
    let skipped = Skipped::of(skipped_fields);
    let traces = Events::of(&transaction.events).traces(attempt);
    let (finding, unique) = match attempt.operation {
        Kind::Void | Kind::Cancel => (weigh_void(&traces, stage), is_named),
        _ => (weigh(&traces, attempt.generated, stage), attempt.generated),
    };
    let is_whole = skipped.is_empty() && !transaction.events.is_empty();
    match finding.outcome {
        Outcome::Completed if contradicts(attempt.operation, transaction) => {
            Finding { outcome: Outcome::Unknown, why: "status and events contradict each other", ..finding }
        }
        Outcome::Completed if !finding.place.is_some_and(|place| skipped.spares(place)) => unreadable(finding),
        Outcome::Completed if !(unique || is_whole && is_named) => unreadable(finding),
        Outcome::Rejected if !(is_whole && is_named) => unreadable(finding),
        Outcome::NotReceived if !(is_whole && is_named) => unreadable(finding),
        // What is accepted is at least under way, whatever its unchanged transaction shows.
        Outcome::Unknown if matches!(source, Source::Response(_)) && stage == Stage::Accepted => {
            Finding { outcome: Outcome::UnderWay, ..finding }
        }
        _ => finding,
    }
}

fn unreadable(finding: Finding) -> Finding {
    Finding { outcome: Outcome::Unknown, why: "the transaction cannot be read well enough", ..finding }
}

/// Whether the status, of the transaction or of a correction after the event, denies that the operation happened.
fn contradicts(operation: Kind, transaction: &Transaction) -> bool {
    let denies = |status: &Status| match operation {
        // Nothing has been captured or voided in these, so nothing refunded.
        Kind::Capture | Kind::Refund | Kind::Void | Kind::Cancel => {
            matches!(
                status,
                Status::Initiated | Status::OnHold | Status::Authorized | Status::Declined | Status::Failed
            )
        }
        Kind::Authorization | Kind::Pay => {
            matches!(status, Status::Initiated | Status::Declined | Status::Failed)
        }
    };
    transaction.status.as_ref().is_some_and(denies)
}

/// What became of the cancellation of a session, by the session and its transaction where it has one.
pub(crate) fn judge_cancellation(
    attempt: &Attempt,
    session: &Session,
    skipped_fields: &[SkippedField],
    transaction: Option<Candidate<'_>>,
    source: Source,
) -> Finding {
    match (attempt.session_id(), id(session.id.as_ref())) {
        (Some(ours), Some(theirs)) if ours.as_str() == theirs => {}
        _ => return Finding::unknown("the response is of another session", None),
    }
    if session.cancelled_at.is_some() {
        return Finding::new(Outcome::Completed, "the session is cancelled", None);
    }
    let is_hidden = skipped_fields.iter().any(|part| {
        let path = part.path.to_string();
        path.starts_with("$.cancelled") || path.starts_with("$.transaction_id")
    });
    let stage = source.stage(attempt);
    let (finding, is_whole) = match transaction {
        Some((transaction, skipped_fields)) => {
            let is_whole = Skipped::of(skipped_fields).is_empty() && !transaction.events.is_empty();
            (weigh_void(&Events::of(&transaction.events).traces(attempt), stage), is_whole)
        }
        None => (weigh::absent(None, stage), true),
    };
    match finding.outcome {
        _ if is_hidden => unreadable(finding),
        Outcome::Completed => Finding::unknown("the transaction is voided and the session not cancelled", None),
        Outcome::NotReceived | Outcome::Rejected if !is_whole => unreadable(finding),
        _ => finding,
    }
}

/// An id as text, whatever its type.
pub(crate) fn id<T: AsRef<str>>(id: Option<&T>) -> Option<&str> {
    id.map(AsRef::as_ref).filter(|id| !id.is_empty())
}
