//! Payments with a stored token, by the transactions with their merchant reference.

use fastrand::Rng;
use http::StatusCode;

use super::transaction::damage;
use super::{DAY, Judge, OWN, SETTLE, TIMEOUT, World, attempt, base, empty, is_wrong, looks, moment, skipped};
use crate::read::{JsonPath, SkippedField};
use crate::types::{Transaction, TransactionEvent, TransactionEventName as Name, TransactionStatus as Status};
use crate::verdict::{Candidate, Kind, Outcome, Source, Target, judge_payment};

const ACCOUNT: &str = "T12345678";

/// How a payment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Authorized,
    Captured,
    /// Authorized, and its automatic capture failed.
    NotCaptured,
    Declined,
    Failed,
}

#[derive(Clone, Debug)]
struct Payment {
    ours: bool,
    reference: &'static str,
    amount: i64,
    /// When it arrives; `None` when it never does.
    begins: Option<i64>,
    /// When it ends, and how.
    ends: Option<(i64, End)>,
    /// When it is voided or refunded.
    undone: Option<i64>,
    id: usize,
}

impl Payment {
    /// Whether money is or was reserved or moved by it.
    fn is_effective(&self, at: i64, world: World) -> bool {
        self.ends.is_some_and(|(ends, end)| {
            ends <= at && (!matches!(end, End::Declined | End::Failed) || world == World::FailuresMove)
        })
    }

    fn can_still_happen(&self, at: i64) -> bool {
        self.ends.is_some_and(|(ends, end)| ends > at && !matches!(end, End::Declined | End::Failed))
    }

    /// What the service shows of it at a moment; `None` before it has arrived.
    fn shown(&self, at: i64, world: World, has_times: bool) -> Option<Transaction> {
        let begins = self.begins.filter(|begins| *begins <= at)?;
        let time = |at| has_times.then(|| moment(at));
        let ended = self.ends.filter(|(ends, _)| *ends <= at);
        let event = |name: Name, success, time| TransactionEvent {
            event: Some(name),
            amount: Some(self.amount),
            success: Some(success),
            created_at: time,
            ..empty()
        };
        let (status, success, mut events) = match ended {
            None => (Status::Initiated, None, vec![]),
            Some((ends, end)) => {
                let (authorizes, captures) = match end {
                    End::Authorized => (true, None),
                    End::Captured => (true, Some(true)),
                    End::NotCaptured => (true, Some(false)),
                    End::Declined | End::Failed => (false, None),
                };
                let mut events = vec![event(Name::Authorize, authorizes, time(ends))];
                events.extend(captures.map(|success| event(Name::Capture, success, time(ends))));
                let status = match end {
                    End::Captured => Status::Captured,
                    End::Declined => Status::Declined,
                    End::Failed => Status::Failed,
                    _ => Status::Authorized,
                };
                (status, Some(authorizes), events)
            }
        };
        let undone = self.undone.filter(|undone| *undone <= at && self.is_effective(at, World::AsAssumed));
        let status = match undone {
            Some(undone) if status == Status::Captured => {
                events.push(event(Name::Refund, true, time(undone)));
                Status::Refunded
            }
            Some(undone) => {
                events.push(event(Name::Void, true, time(undone)));
                Status::AuthorizationVoided
            }
            None => status,
        };
        let reference = if world == World::ReferencesLie && self.ours { "theirs" } else { self.reference };
        Some(Transaction {
            id: format!("{ACCOUNT}.{}", self.id).parse().ok(),
            merchant_reference: Some(reference.to_owned()),
            amount: self.amount,
            status: Some(status),
            success,
            events,
            created_at: time(begins),
            ..base()
        })
    }
}

struct History {
    world: World,
    amount: i64,
    payments: Vec<Payment>,
    skew: i64,
    has_times: bool,
}

impl History {
    fn draw(rng: &mut Rng, world: World) -> Self {
        let amount = 100 * rng.i64(1..4);
        let end = |rng: &mut Rng| {
            [End::Authorized, End::Captured, End::NotCaptured, End::Declined, End::Failed][rng.usize(..5)]
        };
        let latest = match world {
            World::HoldsLonger => 3 * (TIMEOUT + SETTLE),
            _ => TIMEOUT + SETTLE,
        };
        let begins = (rng.u8(..4) > 0).then(|| if rng.bool() { rng.i64(0..5) } else { rng.i64(0..latest) });
        let ends = begins.filter(|_| rng.u8(..6) > 0).map(|begins| {
            let takes = if rng.bool() { 0 } else { rng.i64(0..200) };
            (begins + takes, end(rng))
        });
        let undone = ends.filter(|_| rng.u8(..6) == 0).map(|(ends, _)| ends + rng.i64(0..100));
        let own = Payment { ours: true, reference: OWN, amount, begins, ends, undone, id: 0 };
        let mut payments = vec![];
        // A gateway that got no response in time sends it again, within its time.
        if let Some(begins) = begins.filter(|_| rng.u8(..10) == 0) {
            let at = (begins + rng.i64(1..5)).min(latest - 1);
            payments.push(Payment { begins: Some(at), ends: Some((at, end(rng))), undone: None, ..own.clone() });
        }
        let mut other = |reference, amount, at: i64, rng: &mut Rng| {
            let ends = (rng.u8(..4) > 0).then(|| (at + rng.i64(0..100), end(rng)));
            payments.push(Payment { ours: false, reference, amount, begins: Some(at), ends, undone: None, id: 0 });
        };
        // A merchant reference that was used before.
        if rng.u8(..3) == 0 {
            let at = if rng.bool() { -rng.i64(1..600) } else { -rng.i64(1..6 * DAY) };
            let amount = if rng.bool() { amount } else { 100 * rng.i64(1..4) };
            other(OWN, amount, at, rng);
        }
        for _ in 0..rng.usize(..3) {
            let at = if rng.bool() { rng.i64(-200..300) } else { -rng.i64(1..6 * DAY) };
            other("theirs", 100 * rng.i64(1..4), at, rng);
        }
        payments.push(own);
        payments.iter_mut().enumerate().for_each(|(id, payment)| payment.id = id);
        let apart = if world == World::ClocksFurtherApart { 5 * DAY } else { DAY - 1000 };
        let skew = if rng.bool() { rng.i64(-2..3) } else { rng.i64(-apart..apart) };
        Self { world, amount, payments, skew, has_times: rng.u8(..6) > 0 }
    }

    fn own(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(|payment| payment.ours)
    }

    /// Whether the verdict at a moment contradicts what happened. Payments of one amount under one reference are one.
    fn is_contradicted(&self, outcome: Outcome, at: i64) -> bool {
        let effective = |payment: &Payment| payment.is_effective(at, self.world);
        match outcome {
            Outcome::Completed => !self
                .payments
                .iter()
                .any(|one| (one.ours || one.reference == OWN && one.amount == self.amount) && effective(one)),
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
        let is_simple = self.payments.iter().all(|one| one.ours || one.reference != OWN);
        let is_settled = begun >= TIMEOUT + SETTLE;
        is_simple.then(|| match (own.begins.filter(|begins| *begins <= at), own.ends.filter(|(ends, _)| *ends <= at)) {
            (None, _) if is_settled => Outcome::NotReceived,
            (None, _) => Outcome::Unknown,
            (Some(_), None) => Outcome::UnderWay,
            (_, Some((_, End::Declined | End::Failed))) if is_settled => Outcome::Rejected,
            (_, Some((_, End::Declined | End::Failed))) => Outcome::Unknown,
            // Authorized once, and no more.
            (_, Some((_, end))) if own.undone.is_some_and(|undone| undone <= at) && end != End::Captured => {
                Outcome::Unknown
            }
            _ => Outcome::Completed,
        })
    }
}

/// What of a transaction cannot be read, or is told wrongly.
fn spoil(transaction: &mut Transaction, rng: &mut Rng) -> (Vec<SkippedField>, bool) {
    let lost = match rng.u8(..40) {
        0 => {
            transaction.merchant_reference = None;
            "merchant_reference"
        }
        1 => {
            transaction.id = None;
            "id"
        }
        2 => {
            transaction.success = None;
            "success"
        }
        3 => {
            transaction.status = None;
            "status"
        }
        // A status that lags, or that this version does not know.
        4 if transaction.status != Some(Status::Initiated) => {
            transaction.status =
                Some(if rng.bool() { Status::Failed } else { Status::Unknown("A_NEW_ONE".to_owned()) });
            return (vec![], true);
        }
        5..15 if transaction.status != Some(Status::Initiated) => return damage(transaction, rng),
        _ => return (vec![], false),
    };
    (vec![skipped(JsonPath::root().field(lost))], true)
}

/// One history, read several times. Gives what contradicts it.
pub(super) fn contradiction(seed: u64, world: World, mutant: Judge) -> Option<String> {
    let mut rng = Rng::with_seed(seed);
    let history = History::draw(&mut rng, world);
    let mut attempt = attempt(Kind::Pay, Target::Account(ACCOUNT.to_owned()), history.skew);
    attempt.reference = Some(OWN.to_owned());
    attempt.amount = Some(history.amount);
    let mut reads = vec![];
    // The response, where there is one in time. A request that was sent twice has none that can be trusted.
    let response = history.own().next().filter(|_| world == World::HidesTheFirst || history.own().count() == 1);
    if let Some(begins) = response.and_then(|own| own.begins).filter(|begins| *begins < TIMEOUT && rng.bool()) {
        reads.push((Source::Response(StatusCode::OK), begins, begins));
    }
    reads.extend(looks(&mut rng, history.skew, mutant));
    for (source, looked, begun) in reads {
        let is_response = matches!(source, Source::Response(_));
        let listed = if world == World::ListsLate { looked - 100 } else { looked };
        let mut is_damaged = false;
        let mut found = vec![];
        for payment in &history.payments {
            let is_shown = if is_response {
                response.is_some_and(|own| own.id == payment.id)
            } else {
                payment.begins.is_some_and(|begins| begins <= listed)
            };
            let Some(mut transaction) = payment.shown(looked, world, history.has_times).filter(|_| is_shown) else {
                continue;
            };
            let (mut skipped_fields, damaged) = spoil(&mut transaction, &mut rng);
            is_damaged |= damaged;
            match mutant {
                Judge::OverlooksPossible if transaction.id.is_none() || transaction.merchant_reference.is_none() => {
                    continue;
                }
                Judge::ForgetsReferences => transaction.merchant_reference = Some(OWN.to_owned()),
                Judge::ForgetsAmounts => transaction.amount = history.amount,
                Judge::TrustsTheStatus => {
                    transaction.events.clear();
                    transaction.success = None;
                    skipped_fields.clear();
                }
                _ => {}
            }
            found.push((transaction, skipped_fields));
        }
        // Somebody else's response.
        let is_foreign = is_response && rng.u8(..30) == 0;
        if is_foreign {
            for (transaction, _) in &mut found {
                transaction.id = "T87654321.abc".parse().ok();
                if mutant == Judge::ForgetsWhoseTransaction {
                    transaction.id = format!("{ACCOUNT}.abc").parse().ok();
                }
            }
        }
        rng.shuffle(&mut found);
        let candidates: Vec<Candidate<'_>> = found.iter().map(|(one, skipped)| (one, skipped.as_slice())).collect();
        let finding = judge_payment(&attempt, &candidates, source);
        let is_plain = !is_damaged && !is_response && (world, mutant) == Default::default();
        let expected = history.plain(looked, begun).filter(|_| is_plain);
        let is_contradicted = history.is_contradicted(finding.outcome, looked);
        if is_wrong(finding.outcome, is_foreign, is_contradicted, expected) {
            return Some(format!(
                "seed {seed:#x}: {:?} ({}) of {attempt:?} at {looked}, begun {begun}, by {source:?}; {:#?}; {found:#?}",
                finding.outcome, finding.why, history.payments
            ));
        }
    }
    None
}
