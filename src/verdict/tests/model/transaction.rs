//! Captures, refunds, voids and changes of the authorization, by the events of their transaction.

use fastrand::Rng;
use http::{HeaderMap, StatusCode};

use super::history::History;
use super::{ID, Judge, OWN, TIMEOUT, World, base, is_wrong, looks, skipped};
use crate::read::{JsonPath, SkippedField};
use crate::types::{Transaction, TransactionEventName as Name, TransactionStatus as Status};
use crate::verdict::{Kind, Outcome, Source, judge};

/// Makes parts of what was read unreadable. Gives what was skipped, and whether anything was.
pub(super) fn damage(transaction: &mut Transaction, rng: &mut Rng) -> (Vec<SkippedField>, bool) {
    let mut skipped_fields = vec![];
    let mut note = |path: JsonPath| skipped_fields.push(skipped(path));
    let events = JsonPath::root().field("events");
    match rng.u8(..40) {
        0 => {
            transaction.events.clear();
            note(events);
        }
        1 if !transaction.events.is_empty() => {
            let place = rng.usize(..transaction.events.len());
            transaction.events.remove(place);
            note(events.index(place));
        }
        field @ 2..10 if !transaction.events.is_empty() => {
            let place = rng.usize(..transaction.events.len());
            let event = &mut transaction.events[place];
            let name = match field {
                2 => {
                    event.success = None;
                    "success"
                }
                3 => {
                    event.amount = None;
                    "amount"
                }
                4 => {
                    event.event_reference = None;
                    "event_reference"
                }
                5 => {
                    event.event = None;
                    "event"
                }
                6 => {
                    event.correction = None;
                    "correction"
                }
                7 => {
                    event.id = None;
                    "id"
                }
                8 => {
                    event.created_at = None;
                    "created_at"
                }
                _ => {
                    event.correlation_request_id = None;
                    "correlation_request_id"
                }
            };
            note(events.index(place).field(name));
        }
        10 => transaction.events.clear(),
        11 => transaction.status = Some(Status::Failed),
        12 => transaction.status = None,
        _ => return (skipped_fields, false),
    }
    (skipped_fields, true)
}

/// One history, read several times. Gives what contradicts it.
pub(super) fn contradiction(seed: u64, world: World, mutant: Judge) -> Option<String> {
    let mut rng = Rng::with_seed(seed);
    let base = base();
    let mut history = History::draw(&mut rng, world);
    let mut attempt = history.attempt();
    let own = history.own().last().unwrap().clone();
    if mutant == Judge::TakesReferencesForUnique {
        attempt.generated = history.kind != Kind::Void;
    }
    // The response, where there is one in time: a 202, or what there is once the operation has ended. The service
    // calls the request something, which may reach us as well.
    let responds = own.begins.filter(|begins| *begins < TIMEOUT && rng.bool());
    let mut reads = vec![];
    if responds.is_some() {
        // The response to a request that was sent twice is that to the second.
        let begins = history.own().filter_map(|one| one.begins).max().unwrap_or_default();
        let request = format!("request-{}", own.id);
        let mut headers = HeaderMap::new();
        if own.accepted && rng.u8(..4) > 0 {
            headers.insert("event-request-id", request.parse().unwrap());
        }
        let status = if own.accepted { StatusCode::ACCEPTED } else { StatusCode::OK };
        let is_stale = !own.accepted && rng.u8(..8) == 0 && attempt.generated;
        if own.accepted {
            history.operations.iter_mut().filter(|one| one.id == own.id).for_each(|one| one.hides_start = rng.bool());
        }
        if own.accepted || own.ends.is_some() {
            let request_id = (history.has_ids && rng.bool()).then_some(request.as_str());
            if mutant != Judge::ForgetsThe202 || !own.accepted {
                attempt.responded(status, &headers, request_id);
                reads.push((
                    Source::Response(status),
                    if is_stale || own.accepted { begins - 1 } else { begins },
                    begins,
                ));
            }
        }
    }
    reads.extend(looks(&mut rng, history.skew, mutant));
    for (source, looked, begun) in reads {
        let mut transaction = base.clone();
        transaction.events = history.events(looked, &mut rng);
        transaction.status = Some(history.status(looked));
        let (mut skipped_fields, is_damaged) = damage(&mut transaction, &mut rng);
        let is_foreign = rng.u8(..30) == 0;
        if is_foreign {
            transaction.id = Some("T12345678.other".parse().unwrap());
            // Somebody else's transaction, on which nothing of ours can be.
            transaction.events.retain(|event| event.event_reference.as_deref() != Some(OWN));
            if mutant == Judge::ForgetsWhoseTransaction {
                transaction.id = Some(ID.parse().unwrap());
            }
        }
        match mutant {
            Judge::ForgetsCorrections => transaction.events.iter_mut().for_each(|event| event.correction = None),
            Judge::ForgetsWhatWasSkipped => skipped_fields.clear(),
            Judge::OverlooksPossible => transaction.events.retain(|event| {
                event.event_reference.is_some()
                    || event.event == Some(Name::Authorize)
                    || event.correlation_request_id.is_some()
            }),
            _ => {}
        }
        let finding = judge(&attempt, &transaction, &skipped_fields, source);
        let is_plain = !is_damaged && matches!(source, Source::Read { .. }) && mutant == Judge::AsWritten;
        let expected = history.plain(looked, begun).filter(|_| is_plain).map(|expected| match expected {
            Outcome::NotReceived | Outcome::Unknown if attempt.accepted => Outcome::UnderWay,
            expected => expected,
        });
        let is_contradicted = history.is_contradicted(finding.outcome, looked);
        if is_wrong(finding.outcome, is_foreign, is_contradicted, expected) {
            return Some(format!(
                "seed {seed:#x}: {:?} ({}) of {attempt:?} at {looked}, begun {begun}, by {source:?}; {:#?}; {:#?}",
                finding.outcome, finding.why, history.operations, transaction.events
            ));
        }
    }
    None
}
