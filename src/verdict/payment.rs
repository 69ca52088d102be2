//! What became of a payment with a stored token.
//!
//! It makes its own session and transaction, so it is found by its merchant reference, which others may have used
//! as well. A transaction stands for it as an event stands for a capture.

use super::attempt::Attempt;
use super::events::{Events, Skipped, is_stale};
use super::outcome::Outcome;
use super::weigh::{Fate, Finding, Stage, Tie, Trace, weigh};
use super::{Source, id};
use crate::read::SkippedField;
use crate::types::{Transaction, TransactionEvent, TransactionEventName as Name, TransactionStatus as Status};

/// A transaction that may be the payment's, and what was skipped while reading it.
pub(crate) type Candidate<'a> = (&'a Transaction, &'a [SkippedField]);

/// What became of a payment, by all that was found of it. The place in the finding is the candidate's.
pub(crate) fn judge_payment(attempt: &Attempt, candidates: &[Candidate<'_>], source: Source) -> Finding {
    let stage = source.stage(attempt);
    let is_response = stage == Stage::Responded;
    let traces: Vec<_> = candidates
        .iter()
        .enumerate()
        .filter_map(|(place, (transaction, skipped))| trace(attempt, transaction, skipped, place, is_response))
        .collect();
    let finding = weigh(&traces, is_response, stage);
    match finding.outcome {
        Outcome::Completed => Finding { why: "the payment is authorized or captured", ..finding },
        Outcome::Rejected => Finding { why: "the payment was declined or failed", ..finding },
        Outcome::Unknown if traces.is_empty() && is_response => {
            Finding { why: "the response is of another payment", ..finding }
        }
        _ => finding,
    }
}

/// The event of a part of the payment that failed: the newest one that failed, unless what it reports succeeded
/// later.
pub(crate) fn failed_part(transaction: &Transaction) -> Option<usize> {
    let events = Events::of(&transaction.events);
    let all = || transaction.events.iter().enumerate();
    let is_later = |a: &TransactionEvent, b: &TransactionEvent| a.created_at >= b.created_at;
    let failed = all().filter(|(_, event)| event.success == Some(false));
    let (place, newest) = failed.reduce(|best, next| if is_later(next.1, best.1) { next } else { best })?;
    let is_mended = |(at, event): (usize, &TransactionEvent)| {
        let is_after = if event.created_at == newest.created_at { at > place } else { is_later(event, newest) };
        event.event == newest.event && events.counts(event) && is_after
    };
    (!all().any(is_mended)).then_some(place)
}

/// What a transaction is to the payment; `None` where it is another one's.
fn trace(
    attempt: &Attempt,
    transaction: &Transaction,
    skipped_fields: &[SkippedField],
    place: usize,
    is_response: bool,
) -> Option<Trace> {
    let is_of_account = id(transaction.id.as_ref())
        .and_then(|id| id.strip_prefix(attempt.account()))
        .is_some_and(|rest| rest.starts_with('.'));
    let is_named = match (transaction.merchant_reference.as_deref(), attempt.reference()) {
        (Some(theirs), Some(ours)) => theirs.trim() == ours.trim(),
        // The response to the call itself is the payment's without it.
        _ => is_response,
    };
    let fits = attempt.amount.is_none_or(|amount| amount == transaction.amount);
    (is_of_account && is_named).then_some(Trace {
        tie: Tie::Reference,
        fate: fate(transaction, skipped_fields),
        fits,
        is_stale: is_stale(transaction.created_at, attempt),
        is_ended: false,
        time: transaction.created_at,
        place,
    })
}

/// How a payment ended, by its status; where `success` or the events deny that, it cannot be told.
fn fate(transaction: &Transaction, skipped_fields: &[SkippedField]) -> Fate {
    let events = Events::of(&transaction.events);
    let is = |name: Name| move |event: &&TransactionEvent| event.event.as_ref() == Some(&name);
    let authorizations = || transaction.events.iter().filter(is(Name::Authorize));
    let has_moved = authorizations().any(|event| events.counts(event))
        || transaction.events.iter().filter(is(Name::Capture)).any(|event| events.counts(event));
    let was_refused = !has_moved && authorizations().next().is_some();
    let is_hidden = !Skipped::of(skipped_fields).is_empty()
        || skipped_fields.iter().any(|part| matches!(part.path.to_string().as_str(), "$.success" | "$.status"));
    match &transaction.status {
        Some(
            Status::Authorized
            | Status::Captured
            | Status::PartiallyCaptured
            | Status::PartiallyCapturedRefunded
            | Status::PartiallyRefunded
            | Status::Refunded,
        ) => match transaction.success {
            Some(true) => Fate::Done,
            None if !was_refused => Fate::Done,
            _ => Fate::Unclear,
        },
        Some(Status::Declined | Status::Failed) if has_moved || is_hidden || transaction.success == Some(true) => {
            Fate::Unclear
        }
        Some(Status::Declined | Status::Failed) => Fate::Failed,
        Some(Status::Initiated | Status::OnHold) => Fate::Started,
        // It went through once, and is no more: neither of the two is said.
        Some(Status::AuthorizationVoided) => Fate::Unclear,
        _ if has_moved && transaction.success == Some(true) && !is_hidden => Fate::Done,
        _ => Fate::Unclear,
    }
}
