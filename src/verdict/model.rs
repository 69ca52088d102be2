//! A model of the service, and what must never be said about it.
//!
//! A history is what really happened to a transaction: operations of ours and of other parties, each with the moment it
//! arrives and ends, and what the service records of it. A reader sees the records up to a moment, perhaps late,
//! without references or ids, perhaps damaged, by a clock of its own. The verdict must never contradict the history;
//! and where nothing is lost or damaged, it must be the truth.
//!
//! `DINTERO_HISTORIES` sets the number of histories, `DINTERO_HISTORIES_SEED` the seed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use http::{HeaderMap, StatusCode};

use super::attempt::{Anchor, Attempt, Kind, Target};
use super::{Outcome, Source, judge};
use crate::ids::TransactionId;
use crate::read::{JsonPath, SkippedField};
use crate::types::{
    Transaction, TransactionEvent, TransactionEventCorrection, TransactionEventName as Name,
    TransactionStatus as Status,
};

const ID: &str = "T12345678.abc";
/// The time of our call, and as long again to settle: all in seconds after it was sent.
const TIMEOUT: i64 = 30;
const SETTLE: i64 = 60;
const DAY: i64 = 86_400;
/// How many histories show that something else than what there is, is noticed.
const SAMPLE: u64 = 4_000;

/// What is different in this world, for tests of the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum World {
    #[default]
    AsAssumed,
    /// A gateway holds requests for longer than the settle time.
    HoldsLonger,
    /// The clocks are further apart than a day.
    ClocksFurtherApart,
    /// An operation that fails moves the money all the same.
    FailuresMove,
    /// What a correction takes back stays.
    CorrectionsLie,
    /// The service gives another call's reference to our event.
    ReferencesLie,
}

/// What is wrong with the judge, for tests of the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Judge {
    #[default]
    AsWritten,
    /// Time counts from the end of a read.
    CountsFromTheEnd,
    ForgetsCorrections,
    ForgetsWhatWasSkipped,
    TakesReferencesForUnique,
    ForgetsWhoseTransaction,
    /// It takes an event without a reference for somebody else's.
    OverlooksPossible,
    ForgetsThe202,
}

#[derive(Clone, Debug)]
struct Operation {
    ours: bool,
    kind: Kind,
    reference: Option<&'static str>,
    amount: i64,
    /// When it arrives, begins and is recorded as begun; `None` when it never does.
    begins: Option<i64>,
    /// When it ends and how, and is recorded so; `None` when it never does.
    ends: Option<(i64, bool)>,
    /// When a correction takes it back.
    taken_back: Option<i64>,
    /// Whether it is accepted with 202, with a start and an end of its own.
    accepted: bool,
    keeps_reference: bool,
    /// Whether there is no event of its start. What is accepted shows one, unless the client knows by the 202.
    hides_start: bool,
    id: usize,
}

impl Operation {
    fn is_effective(&self, at: i64, world: World) -> bool {
        let succeeded =
            self.ends.is_some_and(|(ends, success)| ends <= at && (success || world == World::FailuresMove));
        succeeded && (self.taken_back.is_none_or(|taken_back| taken_back > at) || world == World::CorrectionsLie)
    }

    fn can_still_happen(&self, at: i64) -> bool {
        self.ends.is_some_and(|(ends, success)| success && ends > at)
    }
}

struct History {
    world: World,
    kind: Kind,
    generated: bool,
    amount: i64,
    operations: Vec<Operation>,
    skew: i64,
    has_ids: bool,
    has_times: bool,
}

const OWN: &str = "own";

impl History {
    fn draw(rng: &mut Rng, world: World) -> Self {
        let kind = [Kind::Capture, Kind::Capture, Kind::Refund, Kind::Void, Kind::Authorization][rng.usize(..5)];
        let generated = rng.bool();
        let amount = if kind == Kind::Void { 1000 } else { 100 * rng.i64(1..4) };
        let mut operations = vec![];
        // What came long before: the payment, and a capture that can be refunded.
        let mut before = |kind, at| operations.push(other(kind, Some("begin"), 1000, at, true));
        before(Kind::Authorization, -9 * DAY);
        if kind == Kind::Refund {
            before(Kind::Capture, -8 * DAY);
        }
        // Ours: never arrives, or does within its time and that of the gateways before the service.
        let latest = match world {
            World::HoldsLonger => 3 * (TIMEOUT + SETTLE),
            _ => TIMEOUT + SETTLE,
        };
        let begins = (rng.u8(..4) > 0).then(|| if rng.bool() { rng.i64(0..5) } else { rng.i64(0..latest) });
        let accepted = rng.u8(..3) == 0 && kind != Kind::Authorization;
        let success = rng.u8(..3) > 0;
        let ends = begins.and_then(|begins| match accepted {
            true => (rng.u8(..4) > 0).then(|| (begins + rng.i64(0..200), success)),
            // Refused without a trace, where it is not carried out at once.
            false => (rng.u8(..6) > 0).then_some((begins, success)),
        });
        let taken_back =
            ends.filter(|(_, success)| *success && rng.u8(..5) == 0).map(|(ends, _)| ends + rng.i64(0..100));
        let has_reference = kind != Kind::Void;
        let mut own = Operation {
            ours: true,
            kind,
            reference: has_reference.then_some(OWN),
            amount,
            begins,
            ends,
            taken_back,
            accepted,
            keeps_reference: rng.u8(..4) > 0,
            hides_start: false,
            id: 0,
        };
        // A gateway that got no response in time sends it again. Corrections come later than that.
        if rng.u8(..10) == 0 && ends.is_some_and(|(_, success)| success) && !accepted {
            let at = begins.unwrap_or_default() + rng.i64(1..5);
            own.taken_back = own.taken_back.map(|taken_back| taken_back.max(at));
            operations.push(Operation {
                ends: Some((at, rng.bool())),
                begins: Some(at),
                taken_back: None,
                ..own.clone()
            });
        }
        // A reference that is not ours alone was used before, if the caller keeps not to what is asked of him.
        if !generated && has_reference && rng.u8(..3) == 0 {
            let at = if rng.bool() { -rng.i64(1..600) } else { -rng.i64(1..6 * DAY) };
            let amount = if rng.bool() { amount } else { 100 * rng.i64(1..4) };
            operations.push(other(kind, Some(OWN), amount, at, rng.u8(..3) == 0));
        }
        for _ in 0..rng.usize(..4) {
            let at = if rng.bool() { rng.i64(-200..300) } else { -rng.i64(1..6 * DAY) };
            let kinds = [Kind::Capture, Kind::Refund, Kind::Void, Kind::Authorization];
            let kind = if rng.bool() { kind } else { kinds[rng.usize(..4)] };
            let reference = if rng.bool() { None } else { Some("theirs") };
            let reference = if kind != self::Kind::Void && rng.u8(..20) == 0 { Some(" ") } else { reference };
            let mut one = other(kind, reference, 100 * rng.i64(1..4), at, rng.bool());
            one.accepted = rng.u8(..4) == 0;
            if one.accepted {
                one.ends = rng.bool().then(|| (at + rng.i64(0..100), rng.bool()));
            }
            operations.push(one);
        }
        operations.push(own);
        for (id, operation) in operations.iter_mut().enumerate() {
            operation.id = id;
        }
        let apart = if world == World::ClocksFurtherApart { 5 * DAY } else { DAY - 1000 };
        let skew = if rng.bool() { rng.i64(-2..3) } else { rng.i64(-apart..apart) };
        Self { world, kind, generated, amount, operations, skew, has_ids: rng.u8(..4) > 0, has_times: rng.u8(..6) > 0 }
    }

    /// What the service shows at a moment.
    fn events(&self, at: i64, rng: &mut Rng) -> Vec<TransactionEvent> {
        let mut events = vec![];
        for operation in &self.operations {
            let named = |name: Name, time: i64| TransactionEvent {
                event: Some(name),
                amount: Some(operation.amount),
                created_at: self.has_times.then(|| moment(time)),
                event_reference: operation.reference.filter(|_| operation.keeps_reference).map(|reference| {
                    match (self.world, operation.ours) {
                        (World::ReferencesLie, true) => "theirs".to_owned(),
                        _ => reference.to_owned(),
                    }
                }),
                ..empty()
            };
            let (outcome, start) = match operation.kind {
                Kind::Capture => (Name::Capture, Name::InitiateCapture),
                Kind::Refund => (Name::Refund, Name::InitiateRefund),
                Kind::Void => (Name::Void, Name::InitiateVoid),
                _ => (Name::Authorize, Name::Authorize),
            };
            let request = format!("request-{}", operation.id);
            if let Some(begins) =
                operation.begins.filter(|begins| *begins <= at && operation.accepted && !operation.hides_start)
            {
                let request_id = self.has_ids.then(|| request.clone());
                events.push((begins, TransactionEvent { request_id, success: Some(true), ..named(start, begins) }));
            }
            let Some((ends, success)) = operation.ends.filter(|(ends, _)| *ends <= at) else { continue };
            let id = format!("event-{}", operation.id);
            let event = TransactionEvent {
                success: Some(success),
                id: Some(id.clone()),
                // What is accepted always names its request: the interface promises that.
                correlation_request_id: operation.accepted.then(|| request.clone()),
                request_id: (self.has_ids && !operation.accepted).then_some(request),
                ..named(outcome, ends)
            };
            events.push((ends, event.clone()));
            if let Some(taken_back) = operation.taken_back.filter(|taken_back| *taken_back <= at) {
                let correction = TransactionEventCorrection { event_ids: vec![id], ..empty() };
                let failed = TransactionEvent {
                    success: Some(false),
                    id: None,
                    event_reference: None,
                    request_id: None,
                    correlation_request_id: None,
                    correction: Some(correction),
                    ..event
                };
                events.push((taken_back, failed));
            }
        }
        // Nothing says in which order events of one second come.
        rng.shuffle(&mut events);
        events.sort_by_key(|(time, _)| *time);
        events.into_iter().map(|(_, event)| event).collect()
    }

    fn status(&self, at: i64) -> Status {
        let is = |kind| self.operations.iter().any(|one| one.kind == kind && one.is_effective(at, self.world));
        match () {
            () if is(Kind::Refund) => Status::PartiallyRefunded,
            () if is(Kind::Capture) => Status::PartiallyCaptured,
            () if is(Kind::Void) => Status::AuthorizationVoided,
            () => Status::Authorized,
        }
    }

    fn attempt(&self) -> Attempt {
        let begun_at = moment(self.skew);
        Attempt {
            operation: self.kind,
            target: Target::Transaction(TransactionId::new(ID).unwrap()),
            reference: (self.kind != Kind::Void).then(|| OWN.to_owned()),
            generated: self.generated && self.kind != Kind::Void,
            amount: (self.kind != Kind::Void).then_some(self.amount),
            begun_at,
            until: begun_at + TimeDelta::seconds(TIMEOUT),
            timeout_ms: 30_000,
            accepted: false,
            event_request_id: None,
            request_ids: vec![],
            anchor: Anchor::default(),
        }
    }

    fn own(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.ours)
    }

    /// Whether the verdict at a moment contradicts what happened.
    fn is_contradicted(&self, outcome: Outcome, at: i64) -> bool {
        let effective = |operation: &Operation| operation.is_effective(at, self.world);
        match outcome {
            // Whoever voided it, it is voided; and calls under one reference are one.
            Outcome::Completed => !self.operations.iter().any(|one| {
                let is_same = match self.kind {
                    Kind::Void => one.kind == Kind::Void,
                    kind => {
                        one.kind == kind && !self.generated && one.reference == Some(OWN) && one.amount == self.amount
                    }
                };
                (one.ours || is_same) && effective(one)
            }),
            Outcome::Rejected | Outcome::NotReceived => {
                self.own().any(|one| effective(one) || one.can_still_happen(at))
            }
            Outcome::Unknown | Outcome::UnderWay | Outcome::ReadOnly => false,
            Outcome::NotSent => true,
        }
    }

    /// What a reader without any loss has to find, where the history is that simple.
    fn plain(&self, at: i64, begun: i64) -> Option<Outcome> {
        let [own] = self.own().collect::<Vec<_>>()[..] else { return None };
        let is_simple = self.generated
            && self.kind != Kind::Void
            && own.keeps_reference
            && self.operations.iter().all(|one| one.ours || one.kind != self.kind || one.reference == Some("theirs"));
        if !is_simple {
            return None;
        }
        Some(match (own.begins.filter(|begins| *begins <= at), own.ends.filter(|(ends, _)| *ends <= at)) {
            (_, Some((_, true))) if own.taken_back.is_none_or(|taken_back| taken_back > at) => Outcome::Completed,
            (_, Some(_)) => Outcome::Rejected,
            (Some(_), None) if own.accepted => Outcome::UnderWay,
            _ if begun >= TIMEOUT + SETTLE => Outcome::NotReceived,
            _ => Outcome::Unknown,
        })
    }
}

fn other(kind: Kind, reference: Option<&'static str>, amount: i64, at: i64, success: bool) -> Operation {
    Operation {
        ours: false,
        kind,
        reference,
        amount,
        begins: Some(at),
        ends: Some((at, success)),
        taken_back: None,
        accepted: false,
        keeps_reference: true,
        hides_start: false,
        id: 0,
    }
}

/// What only the service makes, with nothing in it.
fn empty<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_value(serde_json::json!({})).unwrap()
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// Makes parts of what was read unreadable. Gives what was skipped, and whether anything was.
fn damage(transaction: &mut Transaction, rng: &mut Rng) -> (Vec<SkippedField>, bool) {
    let mut skipped_fields = vec![];
    let mut note = |path: JsonPath| {
        skipped_fields.push(SkippedField {
            path,
            value: serde_json::Value::Null,
            expected: "something else".to_owned(),
        });
    };
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
fn contradiction(seed: u64, base: &Transaction, world: World, mutant: Judge) -> Option<String> {
    let mut rng = Rng::with_seed(seed);
    let mut history = History::draw(&mut rng, world);
    let mut attempt = history.attempt();
    let own = history.own().last().unwrap().clone();
    if mutant == Judge::TakesReferencesForUnique {
        attempt.generated = history.kind != Kind::Void;
    }
    // The response, where there is one in time: a 202, or what there is once the operation has ended. The service
    // calls the request something, which may reach us as well.
    let responded = own.begins.filter(|begins| *begins < TIMEOUT && rng.bool());
    let mut reads = vec![];
    if responded.is_some() {
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
    for _ in 0..4 {
        let begun = if rng.bool() { rng.i64(0..TIMEOUT + SETTLE + 5) } else { rng.i64(0..400) };
        let looked = if rng.bool() { begun } else { begun + rng.i64(0..60) };
        let ended = looked + rng.i64(0..60);
        let counted = if mutant == Judge::CountsFromTheEnd { ended } else { begun };
        let begun_at = moment(counted + history.skew);
        reads.push((Source::Read { begun_at, settle: Duration::from_secs(60) }, looked, begun));
    }
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
        let is_wrong = match history.plain(looked, begun) {
            _ if history.is_contradicted(finding.outcome, looked) && !is_foreign => true,
            _ if is_foreign => finding.outcome != Outcome::Unknown,
            Some(expected) if !is_damaged && matches!(source, Source::Read { .. }) && mutant == Judge::AsWritten => {
                let expected = match expected {
                    Outcome::NotReceived | Outcome::Unknown if attempt.accepted => Outcome::UnderWay,
                    expected => expected,
                };
                finding.outcome != expected
            }
            _ => false,
        };
        if is_wrong {
            return Some(format!(
                "seed {seed:#x}: {:?} ({}) of {attempt:?} at {looked}, begun {begun}, by {source:?}; {:#?}; {:#?}",
                finding.outcome, finding.why, history.operations, transaction.events
            ));
        }
    }
    None
}

fn base() -> Transaction {
    serde_json::from_value(serde_json::json!({
        "id": ID, "amount": 1000, "currency": "NOK", "payment_product": "payex",
        "payment_product_type": "payex.creditcard", "events": [],
    }))
    .unwrap()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_verdict_contradicts_what_happened() {
    let histories = setting("DINTERO_HISTORIES", 10_000);
    let seed = setting("DINTERO_HISTORIES_SEED", fastrand::u64(..));
    println!("{histories} histories from seed {seed}");
    let (base, began) = (base(), std::time::Instant::now());
    for number in 0..histories {
        if let Some(contradiction) = contradiction(seed.wrapping_add(number), &base, World::AsAssumed, Judge::AsWritten)
        {
            panic!("history {number} from DINTERO_HISTORIES_SEED={seed}: {contradiction}");
        }
    }
    println!("no contradiction in {:.1?}", began.elapsed());
}

/// How many of some histories are contradicted: none, where world and judge are as they are.
fn contradictions(world: World, judge: Judge) -> usize {
    let base = base();
    (0..SAMPLE).filter(|seed| contradiction(*seed, &base, world, judge).is_some()).count()
}

#[test]
fn a_world_and_a_judge_as_they_are_agree() {
    assert_eq!(contradictions(World::AsAssumed, Judge::AsWritten), 0);
}

#[test]
fn a_world_that_is_otherwise_is_noticed() {
    for world in [
        World::HoldsLonger,
        World::ClocksFurtherApart,
        World::FailuresMove,
        World::CorrectionsLie,
        World::ReferencesLie,
    ] {
        let found = contradictions(world, Judge::AsWritten);
        println!("{world:?}: {found} of {SAMPLE} histories contradicted");
        assert!(found > 0, "{world:?}");
    }
}

#[test]
fn a_judge_that_forgets_something_is_noticed() {
    for judge in [
        Judge::CountsFromTheEnd,
        Judge::ForgetsCorrections,
        Judge::ForgetsWhatWasSkipped,
        Judge::TakesReferencesForUnique,
        Judge::ForgetsWhoseTransaction,
        Judge::OverlooksPossible,
        Judge::ForgetsThe202,
    ] {
        let found = contradictions(World::AsAssumed, judge);
        println!("{judge:?}: {found} of {SAMPLE} histories contradicted");
        assert!(found > 0, "{judge:?}");
    }
}
