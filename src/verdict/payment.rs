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
    let is_response = matches!(source, Source::Response(_));
    let stage = source.stage(attempt);
    let is_accepted = stage == Stage::Accepted;
    let traces: Vec<_> = candidates
        .iter()
        .enumerate()
        .filter_map(|(place, (transaction, skipped))| trace(attempt, transaction, skipped, place, is_response))
        .collect();
    // No event names the accepted request: what there is with the reference is all that can be known of it.
    let finding = weigh(&traces, is_response, if is_accepted { Stage::Open } else { stage });
    match finding.outcome {
        Outcome::Unknown if is_accepted && (!is_response || !traces.is_empty()) => {
            Finding { outcome: Outcome::UnderWay, why: "accepted, and not ended", ..finding }
        }
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
    let time = |(place, event): &(usize, &TransactionEvent)| (event.created_at, *place);
    let failed = all().filter(|(_, event)| event.success == Some(false)).max_by_key(time)?;
    let mends = |next: (usize, &TransactionEvent)| {
        next.1.event == failed.1.event && events.counts(next.1) && time(&next).cmp(&time(&failed)).is_gt()
    };
    (!all().any(mends)).then_some(failed.0)
}

/// What a transaction is to the payment; `None` where it is another one's.
fn trace(
    attempt: &Attempt,
    transaction: &Transaction,
    skipped_fields: &[SkippedField],
    place: usize,
    is_response: bool,
) -> Option<Trace> {
    let is_of_account = id(transaction.id.as_ref()).map(|id| attempt.is_below_account(id));
    let theirs = transaction.merchant_reference.as_deref().map(str::trim);
    let is_named = theirs.zip(attempt.reference()).map(|(theirs, ours)| theirs == ours.trim());
    let tie = match (is_of_account, is_named) {
        (Some(false), _) | (_, Some(false)) => return None,
        (Some(true), Some(true)) => Tie::Reference,
        // The response to the call itself is the payment's without its reference.
        (Some(true), None) if is_response => Tie::Reference,
        // What does not say whose it is may be the payment's.
        _ => Tie::Possible,
    };
    let fits = attempt.amount.is_none_or(|amount| amount == transaction.amount);
    let is_stale = is_stale(transaction.created_at, attempt);
    if tie == Tie::Possible && (!fits || is_stale) {
        return None;
    }
    Some(Trace {
        tie,
        fate: fate(transaction, skipped_fields),
        fits,
        is_stale,
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
