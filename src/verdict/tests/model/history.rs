//! What happens to a transaction, and what the service records of it.

use fastrand::Rng;

use super::{DAY, ID, OWN, SETTLE, TIMEOUT, World, attempt, empty, moment};
use crate::ids::TransactionId;
use crate::types::{
    TransactionEvent, TransactionEventCorrection, TransactionEventName as Name, TransactionStatus as Status,
};
use crate::verdict::{Attempt, Kind, Outcome, Target};

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) ours: bool,
    pub(super) kind: Kind,
    pub(super) reference: Option<&'static str>,
    pub(super) amount: i64,
    /// When it arrives, begins and is recorded as begun; `None` when it never does.
    pub(super) begins: Option<i64>,
    /// When it ends and how, and is recorded so; `None` when it never does.
    pub(super) ends: Option<(i64, bool)>,
    /// When a correction takes it back.
    pub(super) taken_back: Option<i64>,
    /// Whether it is accepted with 202, with a start and an end of its own.
    pub(super) accepted: bool,
    pub(super) keeps_reference: bool,
    /// Whether there is no event of its start. What is accepted shows one, unless the client knows by the 202.
    pub(super) hides_start: bool,
    pub(super) id: usize,
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

pub(super) struct History {
    pub(super) world: World,
    pub(super) kind: Kind,
    pub(super) generated: bool,
    pub(super) amount: i64,
    pub(super) operations: Vec<Operation>,
    pub(super) skew: i64,
    pub(super) has_ids: bool,
    pub(super) has_times: bool,
}

impl History {
    pub(super) fn draw(rng: &mut Rng, world: World) -> Self {
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
        // A gateway that got no response in time sends it once more. Corrections come later than that.
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
    pub(super) fn events(&self, at: i64, rng: &mut Rng) -> Vec<TransactionEvent> {
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

    pub(super) fn status(&self, at: i64) -> Status {
        let is = |kind| self.operations.iter().any(|one| one.kind == kind && one.is_effective(at, self.world));
        match () {
            () if is(Kind::Refund) => Status::PartiallyRefunded,
            () if is(Kind::Capture) => Status::PartiallyCaptured,
            () if is(Kind::Void) => Status::AuthorizationVoided,
            () => Status::Authorized,
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        let has_reference = self.kind != Kind::Void;
        Attempt {
            reference: has_reference.then(|| OWN.to_owned()),
            generated: self.generated && has_reference,
            amount: has_reference.then_some(self.amount),
            ..attempt(self.kind, Target::Transaction(TransactionId::new(ID).unwrap()), self.skew)
        }
    }

    pub(super) fn own(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.ours)
    }

    /// Whether the verdict at a moment contradicts what happened.
    pub(super) fn is_contradicted(&self, outcome: Outcome, at: i64) -> bool {
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
    pub(super) fn plain(&self, at: i64, begun: i64) -> Option<Outcome> {
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
