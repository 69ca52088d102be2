//! Cancellations of sessions, by the session and its transaction.

use fastrand::Rng;
use http::StatusCode;

use super::transaction::damage;
use super::{DAY, Judge, SETTLE, TIMEOUT, World, attempt, base, empty, is_wrong, looks, moment, skipped};
use crate::ids::SessionId;
use crate::read::{JsonPath, SkippedField};
use crate::types::{Session, Transaction, TransactionEvent, TransactionEventName as Name};
use crate::verdict::{Kind, Outcome, Source, Target, judge_cancellation};

const SESSION: &str = "T12345678.session";

/// A cancellation of the session, or a void of its transaction alone.
#[derive(Clone, Debug)]
struct Operation {
    ours: bool,
    cancels: bool,
    /// When it arrives; `None` when it never does.
    begins: Option<i64>,
    /// When it ends and whether it succeeds; `None` when it never does.
    ends: Option<(i64, bool)>,
}

impl Operation {
    fn is_effective(&self, at: i64, world: World) -> bool {
        self.cancels && self.ends.is_some_and(|(ends, success)| ends <= at && (success || world == World::FailuresMove))
    }

    fn can_still_happen(&self, at: i64) -> bool {
        self.ends.is_some_and(|(ends, success)| success && ends > at)
    }
}

struct History {
    world: World,
    /// Whether a customer had paid, so that there is a transaction.
    is_paid: bool,
    operations: Vec<Operation>,
    skew: i64,
    has_times: bool,
}

impl History {
    fn draw(rng: &mut Rng, world: World) -> Self {
        let is_paid = rng.u8(..4) > 0;
        let latest = match world {
            World::HoldsLonger => 3 * (TIMEOUT + SETTLE),
            _ => TIMEOUT + SETTLE,
        };
        let begins = (rng.u8(..4) > 0).then(|| if rng.bool() { rng.i64(0..5) } else { rng.i64(0..latest) });
        // Without a transaction there is nothing that takes time.
        let takes = if is_paid && rng.u8(..3) == 0 { rng.i64(1..200) } else { 0 };
        let success = rng.u8(..3) > 0;
        let ends = begins.filter(|_| rng.u8(..6) > 0).map(|begins| (begins + takes, success));
        let mut operations = vec![Operation { ours: true, cancels: true, begins, ends }];
        for _ in 0..rng.usize(..3) {
            let at = if rng.bool() { rng.i64(-200..300) } else { -rng.i64(1..6 * DAY) };
            let cancels = rng.u8(..3) == 0;
            let ends = Some((at, rng.bool()));
            operations.push(Operation { ours: false, cancels, begins: Some(at), ends });
        }
        let apart = DAY - 1000;
        let skew = if rng.bool() { rng.i64(-2..3) } else { rng.i64(-apart..apart) };
        Self { world, is_paid, operations, skew, has_times: rng.u8(..6) > 0 }
    }

    /// The session at a moment.
    fn session(&self, at: i64) -> Session {
        let cancelled = self.operations.iter().filter(|one| one.is_effective(at, World::AsAssumed));
        Session {
            cancelled_at: cancelled.filter_map(|one| one.ends).map(|(ends, _)| moment(ends)).min(),
            transaction_id: self.is_paid.then(|| super::ID.parse().unwrap()),
            ..session()
        }
    }

    /// Its transaction at a moment.
    fn transaction(&self, at: i64) -> Option<Transaction> {
        let event = |name: Name, success, time: i64| TransactionEvent {
            event: Some(name),
            success,
            created_at: self.has_times.then(|| moment(time)),
            ..empty()
        };
        let authorized = TransactionEvent { amount: Some(1000), ..event(Name::Authorize, Some(true), -10 * DAY) };
        let mut events = vec![(-10 * DAY, authorized)];
        for (number, one) in self.operations.iter().enumerate() {
            let request = format!("request-{number}");
            let takes = one.ends.zip(one.begins).is_none_or(|((ends, _), begins)| ends > begins);
            if let Some(begins) = one.begins.filter(|begins| *begins <= at && takes) {
                let start = event(Name::InitiateVoid, Some(true), begins);
                events.push((begins, TransactionEvent { request_id: Some(request.clone()), ..start }));
            }
            if let Some((ends, success)) = one.ends.filter(|(ends, _)| *ends <= at) {
                let end = event(Name::Void, Some(success), ends);
                events.push((ends, TransactionEvent { correlation_request_id: takes.then_some(request), ..end }));
            }
        }
        events.sort_by_key(|(time, _)| *time);
        let events = events.into_iter().map(|(_, event)| event).collect();
        self.is_paid.then(|| Transaction { events, ..base() })
    }

    /// Whether the verdict at a moment contradicts what happened. Whoever cancelled the session, it is cancelled.
    fn is_contradicted(&self, outcome: Outcome, at: i64) -> bool {
        let mut own = self.operations.iter().filter(|one| one.ours);
        match outcome {
            Outcome::Completed => !self.operations.iter().any(|one| one.is_effective(at, World::AsAssumed)),
            Outcome::Rejected | Outcome::NotReceived => {
                own.any(|one| one.is_effective(at, self.world) || one.can_still_happen(at))
            }
            Outcome::Unknown | Outcome::UnderWay | Outcome::ReadOnly => false,
            Outcome::NotSent => true,
        }
    }

    /// What a reader without any loss has to find, where nobody else does anything.
    fn plain(&self, at: i64, begun: i64) -> Option<Outcome> {
        let [own] = &self.operations[..] else { return None };
        let is_settled = begun >= TIMEOUT + SETTLE;
        let has_begun = own.begins.is_some_and(|begins| begins <= at);
        Some(match own.ends.filter(|(ends, _)| *ends <= at) {
            Some((_, true)) => Outcome::Completed,
            Some((_, false)) if self.is_paid && is_settled => Outcome::Rejected,
            None if has_begun && self.is_paid => Outcome::UnderWay,
            // A failure leaves no trace where there is no transaction.
            _ if is_settled && !(has_begun && self.is_paid) => Outcome::NotReceived,
            _ => Outcome::Unknown,
        })
    }
}

fn session() -> Session {
    thread_local! {
        static BASE: Session = serde_json::from_value(serde_json::json!({
            "id": SESSION, "order": {"amount": 1000, "currency": "NOK", "merchant_reference": "order"},
        }))
        .unwrap();
    }
    BASE.with(Clone::clone)
}

/// What of a session cannot be read.
fn spoil(session: &mut Session, rng: &mut Rng) -> (Vec<SkippedField>, bool) {
    let lost = match rng.u8(..20) {
        0 if session.cancelled_at.is_some() => {
            session.cancelled_at = None;
            "cancelled_at"
        }
        1 if session.transaction_id.is_some() => {
            session.transaction_id = None;
            "transaction_id"
        }
        2 => {
            session.id = None;
            "id"
        }
        _ => return (vec![], false),
    };
    (vec![skipped(JsonPath::root().field(lost))], true)
}

/// One history, read several times. Gives what contradicts it.
pub(super) fn contradiction(seed: u64, world: World, mutant: Judge) -> Option<String> {
    let mut rng = Rng::with_seed(seed);
    let history = History::draw(&mut rng, world);
    let attempt = attempt(Kind::Cancel, Target::Session(SessionId::new(SESSION).unwrap()), history.skew);
    let mut reads = vec![];
    let own = &history.operations[0];
    if let Some((ended, _)) = own.ends.filter(|(ended, success)| *ended < TIMEOUT && *success && rng.bool()) {
        reads.push((Source::Response(StatusCode::OK), ended, ended));
    }
    reads.extend(looks(&mut rng, history.skew, mutant));
    for (source, looked, begun) in reads {
        let is_response = matches!(source, Source::Response(_));
        let mut session = history.session(looked);
        let (mut skipped_fields, mut is_damaged) = spoil(&mut session, &mut rng);
        let is_foreign = rng.u8(..30) == 0;
        if is_foreign {
            session.id = "T12345678.other".parse().ok();
            session.cancelled_at = rng.bool().then(|| moment(0));
        }
        // As the client does: only where the session names it and is not cancelled, and a moment later.
        let reads_on = !is_response && session.transaction_id.is_some() && session.cancelled_at.is_none();
        let mut transaction = history.transaction(looked).filter(|_| reads_on);
        let mut transaction_skipped = vec![];
        if let Some(transaction) = &mut transaction {
            let (skipped, damaged) = damage(transaction, &mut rng);
            transaction_skipped = skipped;
            is_damaged |= damaged;
        }
        match mutant {
            Judge::ForgetsWhatWasSkipped => {
                skipped_fields.clear();
                transaction_skipped.clear();
            }
            Judge::ForgetsWhoseTransaction => session.id = SESSION.parse().ok(),
            Judge::TakesAVoidForIt => {
                let voids = transaction.iter().flat_map(|transaction| &transaction.events);
                if voids.filter(|event| event.success == Some(true)).any(|event| event.event == Some(Name::Void)) {
                    session.cancelled_at = Some(moment(0));
                }
            }
            Judge::ForgetsTheTransaction => transaction = None,
            _ => {}
        }
        let candidate = transaction.as_ref().map(|transaction| (transaction, transaction_skipped.as_slice()));
        let finding = judge_cancellation(&attempt, &session, &skipped_fields, candidate, source);
        let is_plain = !is_damaged && !is_response && (world, mutant) == Default::default();
        let expected = history.plain(looked, begun).filter(|_| is_plain);
        let is_contradicted = history.is_contradicted(finding.outcome, looked);
        if is_wrong(finding.outcome, is_foreign, is_contradicted, expected) {
            return Some(format!(
                "seed {seed:#x}: {:?} ({}) of {attempt:?} at {looked}, begun {begun}, by {source:?}; {:#?}; \
                 {skipped_fields:?} {transaction:#?} {transaction_skipped:?}",
                finding.outcome, finding.why, history.operations
            ));
        }
    }
    None
}
