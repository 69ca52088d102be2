//! What a record means, and which change follows from what is found: pure functions, without clock and store.
//!
//! The steps of a money call made once are these, in this order: claim, look, note, send, settle, complete. The model
//! of the protocol in `dintero-stores` has them under the same names and calls these same functions, so that what it
//! proves is proven of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Record;
use crate::verdict::Outcome;

/// What the data of a record holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Which claim wrote it: a holder tells its own record by it, also when the store could not say that it was
    /// written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What is needed to do the work without whoever asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Value>,
    /// What the last holder noted before it did what cannot be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Value>,
    /// What the work came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

impl Content {
    /// Reads the data of a record. What cannot be read is empty: no record may stop the work permanently.
    #[must_use]
    pub fn read(data: &str) -> Self {
        serde_json::from_str(data).unwrap_or_default()
    }

    /// Writes the data of a record.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What follows from what a claim finds.
#[derive(Clone, Debug, PartialEq)]
pub enum OnClaim {
    /// Nobody has it: open a record with this content, expecting this fence.
    Open(Option<u64>, Content),
    /// Another holds it.
    InProgress,
    /// It is done, with this result.
    Done(Option<Value>),
}

/// Decides on a claim. A record left open hands its note on, and its work where the claim brings none.
#[must_use]
pub fn on_claim(found: Option<&Record>, work: Option<&Value>) -> OnClaim {
    match found {
        None => OnClaim::Open(None, Content { work: work.cloned(), ..Content::default() }),
        Some(record) if record.done => OnClaim::Done(Content::read(&record.data).result),
        Some(record) if !record.remaining.is_zero() => OnClaim::InProgress,
        Some(record) => {
            let left = Content::read(&record.data);
            OnClaim::Open(Some(record.fence), Content { work: work.cloned().or(left.work), ..left })
        }
    }
}

/// Decides on a claim of what was found open: never begins what is gone.
#[must_use]
pub fn on_claim_left(found: Option<&Record>) -> OnClaim {
    if found.is_none() { OnClaim::InProgress } else { on_claim(found, None) }
}

/// Decides on a claim of a value that ends, such as a token: a done one is renewed once it is no longer good.
///
/// The old value stays in the record meanwhile, for a renewal that fails. What the claimant holds itself, it has lost:
/// it begins one renewal at a time.
#[must_use]
pub fn on_renewal(found: Option<&Record>, holder: &str, is_good: impl FnOnce(&Value) -> bool) -> OnClaim {
    let Some(record) = found else { return on_claim(None, None) };
    let content = Content::read(&record.data);
    if !record.done && content.holder.as_deref() != Some(holder) {
        return on_claim(found, None);
    }
    let result = content.result;
    if record.done && result.as_ref().is_some_and(is_good) {
        OnClaim::Done(result)
    } else {
        OnClaim::Open(Some(record.fence), Content { result, ..Content::default() })
    }
}

/// What follows for a holder who has done the work and finds a record that is not as it left it.
#[derive(Clone, Debug, PartialEq)]
pub enum OnComplete {
    /// Note the result over what is there, expecting this fence: the work is done, whoever else has begun it.
    Write(Option<u64>),
    /// Another noted it before, with this result.
    Done(Option<Value>),
}

/// Decides on a completion whose lease was lost.
#[must_use]
pub fn on_complete(found: Option<&Record>) -> OnComplete {
    match found {
        Some(record) if record.done => OnComplete::Done(Content::read(&record.data).result),
        Some(record) => OnComplete::Write(Some(record.fence)),
        None => OnComplete::Write(None),
    }
}

/// What the holder of a money call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Looks for the reference in what the service has.
    Look,
    /// Notes a new attempt, and sends it if the work is still held.
    Send,
    /// Finds out what became of the attempt that was noted.
    Settle,
    /// Notes that the call has ended.
    Complete,
    /// Forgets the note: nothing of it has happened.
    Forget,
    /// Leaves the work open, for whoever comes next.
    Leave,
}

/// Decides after a claim: what an earlier holder noted may have been sent.
#[must_use]
pub fn on_granted(is_noted: bool) -> Next {
    if is_noted { Next::Settle } else { Next::Look }
}

/// Decides by what was seen, or by what became of an earlier attempt.
#[must_use]
pub fn on_known(outcome: Outcome) -> Next {
    match outcome {
        Outcome::Completed | Outcome::Rejected => Next::Complete,
        Outcome::NotReceived | Outcome::NotSent => Next::Send,
        Outcome::Unknown | Outcome::UnderWay | Outcome::ReadOnly => Next::Leave,
    }
}

/// Decides by what the call ended with.
#[must_use]
pub fn on_sent(outcome: Outcome) -> Next {
    match outcome {
        Outcome::Completed => Next::Complete,
        // The next call begins anew.
        Outcome::NotSent | Outcome::Rejected => Next::Forget,
        Outcome::Unknown | Outcome::UnderWay | Outcome::NotReceived | Outcome::ReadOnly => Next::Settle,
    }
}

/// Decides for `recover`, which has no request to send: after its claim.
#[must_use]
pub fn on_left(is_noted: bool) -> Next {
    // Without a note nothing was sent, and nothing will be: the claim has taken the work from its holder.
    if is_noted { Next::Settle } else { Next::Forget }
}

/// Decides for `recover`, by what became of the attempt that was noted.
#[must_use]
pub fn on_recovered(outcome: Outcome) -> Next {
    match on_known(outcome) {
        Next::Send => Next::Forget,
        next => next,
    }
}
