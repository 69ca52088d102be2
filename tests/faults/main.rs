//! Calls that write, each meeting a fault drawn from a seed, over real sockets, by callers who follow
//! the documentation to the end: what is unknown or under way is resolved, and what did not happen is made again.
//!
//! Proven for every one of them, by what the server counted: each request was received at most once; what is said of
//! it agrees with what the server did; and in the end what was asked for was done once, the money moved being the
//! money asked for.
//!
//! `DINTERO_FAULTS=10000 cargo test --test faults -- --nocapture` makes ten thousand and prints a summary;
//! `DINTERO_FAULTS_SEED` sets the seed. Apart from the other tests, because mutants are tried without it.

mod connections;
mod gateway;
mod goal;
#[path = "../it/support/nobody.rs"]
mod nobody;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use dintero::{AccountId, Client, Credentials, Error, Outcome, PollOptions, RetryPolicy, SessionId, TransactionId};
use dintero_sandbox::{Fault, Operation, Sandbox};
use fastrand::Rng;
use gateway::Gateway;
use goal::Goal;
use nobody::Nobody;

/// As many as keep the tests quick.
const CALLS: u64 = 400;
const SEED: u64 = 0x00D1_27E2;
/// Sandboxes side by side, each with calls one after the other, so that its counts belong to one call.
const WORKERS: usize = 24;
/// The time of a call that gets no response.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long the gateway holds a request: beyond the time of its call.
const HELD: Duration = Duration::from_millis(500);
/// How long after a call its request can still arrive. The gateway holds none for so long.
const SETTLE: Duration = Duration::from_millis(1_200);
/// The time of any other call: never reached.
const LONG: Duration = Duration::from_secs(60);

/// The eleven operations that write.
const WRITING: [Operation; 11] = [
    Operation::CaptureTransaction,
    Operation::RefundTransaction,
    Operation::VoidTransaction,
    Operation::UpdateAuthorization,
    Operation::PaySession,
    Operation::CancelSession,
    Operation::CreateSessionFromProfile,
    Operation::CreateSession,
    Operation::CreatePaymentTokenSession,
    Operation::UpdateSession,
    Operation::UpdateTransaction,
];

/// Where things go wrong.
#[derive(Clone, Copy)]
enum Way {
    /// Nobody listens.
    Refused,
    /// At the server.
    Fault(fn() -> Fault),
    /// In a gateway that holds the request for longer than the client waits, and then passes it on.
    Held,
    /// The caller drops the call.
    Dropped,
}

struct Case {
    name: &'static str,
    way: Way,
    /// What the call itself says, unless its request provably did not leave.
    said: &'static [Outcome],
    /// Whether the request may be carried out before the fault strikes.
    may_execute: bool,
}

const fn case(name: &'static str, fault: fn() -> Fault) -> Case {
    Case { name, way: Way::Fault(fault), said: &[Outcome::Unknown], may_execute: true }
}

/// A course that only captures, refunds and voids take.
const fn course(name: &'static str, fault: fn() -> Fault, said: &'static [Outcome]) -> Case {
    Case { name, way: Way::Fault(fault), said, may_execute: false }
}

/// Where the courses begin.
const COURSES: usize = 15;

const CASES: [Case; 18] = [
    Case { name: "refused", way: Way::Refused, said: &[Outcome::NotSent], may_execute: false },
    Case { may_execute: false, ..case("reset before it was read", Fault::reset_unread) },
    case("reset", Fault::reset),
    case("timeout", Fault::silence),
    case("500", || Fault::status(500)),
    case("502 in HTML", Fault::bad_gateway),
    case("503", || Fault::status(503)),
    case("503 with Retry-After", || Fault::status(503).with_header("retry-after", "0")),
    case("truncated body", Fault::truncated_body),
    case("wrong length", Fault::wrong_length),
    case("200 with garbage", Fault::garbage),
    // A gateway may write it for a request that it sent twice.
    case("429", || Fault::too_many_requests(Duration::ZERO)),
    Case { said: &[Outcome::Rejected], may_execute: false, ..case("400", || Fault::status(400)) },
    Case { name: "held", way: Way::Held, said: &[Outcome::Unknown], may_execute: false },
    Case { name: "dropped", way: Way::Dropped, said: &[Outcome::Unknown, Outcome::Completed], may_execute: false },
    course("202", Fault::accepted, &[Outcome::UnderWay]),
    course("202 that fails", || Fault::accepted().failing(), &[Outcome::UnderWay]),
    course("200 that failed", Fault::fails_with_correction, &[Outcome::Rejected]),
];

#[derive(Default)]
struct Tally {
    calls: usize,
    executed: u64,
    resolved: usize,
    /// Made again after it did not happen.
    again: usize,
    /// Given up before they were sent.
    unsent: usize,
    /// Held for longer than the settle time, by a machine too busy to keep to it.
    overslept: usize,
}

/// One sandbox, a client for it, one for a port where nobody listens, and one behind a gateway.
struct Worker {
    sandbox: Sandbox,
    gateway: Gateway,
    client: Client,
    refused: Client,
    _nobody: Nobody,
    held: Client,
    rng: Rng,
    /// Makes references and ids of this worker's own.
    number: usize,
    seeded: String,
    seeds: usize,
    /// A session that nobody has paid, to be updated.
    open_session: Option<SessionId>,
}

fn client(sandbox: &Sandbox, base: &str) -> Client {
    let account = AccountId::new(sandbox.account_id()).unwrap();
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    Client::builder(credentials).base_url(base).auth_url(sandbox.auth_url()).retry(retry).timeout(LONG).build().unwrap()
}

fn polls() -> PollOptions {
    PollOptions {
        settle: Some(SETTLE),
        timeout: Some(LONG),
        interval: Duration::from_millis(20),
        longest_interval: Duration::from_millis(200),
        ..PollOptions::default()
    }
}

impl Worker {
    async fn start(seed: u64, seeds: usize) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.forget_requests();
        let seeded = sandbox.seed_transactions(seeds);
        let nobody = Nobody::new();
        let gateway = Gateway::start(sandbox.base_url(), HELD).await;
        Self {
            client: client(&sandbox, &sandbox.base_url()),
            refused: client(&sandbox, &nobody.url()),
            _nobody: nobody,
            held: client(&sandbox, &gateway.base_url()),
            gateway,
            rng: Rng::with_seed(seed),
            number: 0,
            seeded,
            seeds,
            open_session: None,
            sandbox,
        }
    }

    fn reference(&mut self) -> String {
        self.number += 1;
        format!("ref-{}", self.number)
    }

    /// An authorized transaction that nobody has touched.
    fn authorized(&mut self) -> TransactionId {
        self.number += 1;
        TransactionId::new(format!("{}{:09}", self.seeded, self.number % self.seeds)).unwrap()
    }

    fn executed(&self, operation: Operation) -> u64 {
        self.sandbox.executed(operation)
    }

    /// One goal that meets one fault on its way, and everything that must be true of it.
    async fn run(&mut self, operation: Operation, case: &Case, tally: &mut Tally) {
        let mut goal = Goal::make(self, operation).await;
        let before = self.executed(operation);
        let executes = case.may_execute && self.rng.bool();
        let mut way = Some(case.way);
        let mut latest = None;
        for round in 0.. {
            assert!(round < 3, "{operation}, {}: made again and again", case.name);
            let (settled, outcome) = self.make(&mut goal, case, way.take(), executes, tally).await;
            latest = settled.or(latest);
            match outcome {
                Outcome::Completed => break,
                outcome if outcome.did_not_happen() => tally.again += 1,
                // Nobody can tell what became of these, and no money moved.
                _ if !goal.moves_money() => break,
                outcome => panic!("{operation}, {}: {outcome}", case.name),
            }
        }
        let executed = self.executed(operation) - before;
        tally.calls += 1;
        tally.executed += executed;
        if !goal.moves_money() {
            assert!(executed <= 2, "{operation}, {}", case.name);
            // What is held must not arrive in the middle of another goal.
            if matches!(case.way, Way::Held) {
                tokio::time::timeout(LONG, self.gateway.idle()).await.unwrap();
            }
            return;
        }
        // A gateway that was kept from its work for longer than the settle time is one that no client can know of.
        let passed_on = self.gateway.take_passed_on();
        if matches!((passed_on, latest), (Some(at), Some(settled)) if at > settled) {
            tally.overslept += 1;
            return;
        }
        assert_eq!(executed, 1, "{operation}, {}, executes {executes}: done as often as asked for", case.name);
        assert_eq!(goal.moved(&self.sandbox), goal.asked(), "{operation}, {}: money", case.name);
    }

    /// One call, followed to its end. Gives when its request had settled, and its outcome.
    async fn make(
        &mut self,
        goal: &mut Goal,
        case: &Case,
        way: Option<Way>,
        executes: bool,
        tally: &mut Tally,
    ) -> (Option<Instant>, Outcome) {
        let operation = goal.operation;
        let what = format!("{operation}, {}, executes {executes}", case.name);
        if let Some(Way::Fault(fault)) = way {
            let fault = fault();
            self.sandbox.inject(operation, if executes { fault.after_executing() } else { fault });
        }
        let client = match way {
            Some(Way::Refused) => self.refused.clone(),
            Some(Way::Held) => self.held.clone(),
            _ => self.client.clone(),
        };
        let waits = matches!(way, Some(Way::Held | Way::Dropped)) || (way.is_some() && case.name == "timeout");
        let timeout = if waits { PATIENCE } else { LONG };
        let reference = self.reference();
        goal.renew(&reference, self.rng.bool());
        let counts = |sandbox: &Sandbox| (sandbox.received(operation), sandbox.executed(operation));
        let before = counts(&self.sandbox);
        // Half of the callers make the attempt themselves; whoever may drop the call has to.
        let is_dropped = matches!(way, Some(Way::Dropped));
        let keeps = is_dropped || self.rng.bool();
        let (attempt, sent) = goal.send(&client, timeout, keeps);
        let result = if is_dropped {
            let patience = Duration::from_micros(self.rng.u64(0..20_000));
            tokio::time::timeout(patience, sent).await.ok()
        } else {
            Some(sent.await)
        };
        let ended = Instant::now();
        let said = match &result {
            Some(Ok(verdict)) => verdict.as_ref().map_or(Outcome::Completed, |verdict| verdict.outcome()),
            Some(Err(error)) => error.outcome(),
            None => Outcome::Unknown,
        };
        let after = counts(&self.sandbox);
        let (received, executed) = (after.0 - before.0, after.1 - before.1);
        assert!(received <= 1 && executed <= 1, "{what}: sent {received} times");
        self.check(&what, said, (received, executed), &result);
        match way {
            None => assert_eq!(said, Outcome::Completed, "{what}: without a fault; {result:?}"),
            // On a busy machine time may be up before the request has left.
            Some(_) if said == Outcome::NotSent && waits => tally.unsent += 1,
            Some(_) => assert!(case.said.contains(&said), "{what}: {said}; {result:?}"),
        }
        self.sandbox.clear_faults();
        let attempt = match &result {
            _ if said.is_final() || !goal.moves_money() => return (None, said),
            Some(Ok(Some(verdict))) => verdict.attempt().clone(),
            Some(Err(error)) => error.attempt().expect("of a money call").clone(),
            // As after a crash: from what was stored.
            _ => serde_json::from_str(&serde_json::to_string(&attempt.expect("made before")).unwrap()).unwrap(),
        };
        let verdict = self.client.resolve(&attempt).polling(polls()).await.unwrap();
        tally.resolved += 1;
        let (received, executed) = (self.sandbox.received(operation) - before.0, self.executed(operation) - before.1);
        let settled = ended + SETTLE;
        // Of a gateway that was kept from its work for longer than that no client can know.
        if !matches!(way, Some(Way::Held)) || executed == 0 || self.gateway.had_passed_on(settled) {
            self.check(&what, verdict.outcome(), (received, executed), &result);
        }
        (Some(settled), verdict.outcome())
    }

    /// What is said of a request agrees with what the server did with it.
    fn check<T: std::fmt::Debug>(&self, what: &str, said: Outcome, (received, executed): (u64, u64), result: &T) {
        let is_true = match said {
            Outcome::NotSent => received == 0,
            Outcome::Rejected | Outcome::NotReceived => executed == 0,
            Outcome::Completed => executed == 1,
            _ => true,
        };
        assert!(is_true, "{what}: {said}, received {received}, executed {executed}; {result:?}");
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_follow_the_documentation_move_the_money_asked_for() {
    let calls = usize::try_from(setting("DINTERO_FAULTS", CALLS)).unwrap();
    let seed = setting("DINTERO_FAULTS_SEED", SEED);
    let began = Instant::now();
    let workers = (0..WORKERS).map(|number| {
        tokio::spawn(async move {
            let mut worker = Worker::start(seed.wrapping_add(number as u64), 4 * calls / WORKERS + 50).await;
            let mut tallies = BTreeMap::<(&str, &str), Tally>::new();
            for call in (number..calls).step_by(WORKERS) {
                // Every operation meets every fault in turn; the seed draws the rest.
                let (operation, case) = (WRITING[call % WRITING.len()], call / WRITING.len() % CASES.len());
                // Captures, refunds and voids take any course; for the others there are faults enough.
                let case = if call % WRITING.len() < 3 { &CASES[case] } else { &CASES[case % COURSES] };
                let tally = tallies.entry((case.name, operation.id())).or_default();
                worker.run(operation, case, tally).await;
            }
            tallies
        })
    });
    let mut sums = BTreeMap::<&str, Tally>::new();
    for worker in futures_util::future::join_all(workers).await {
        for ((case, _), tally) in worker.unwrap() {
            let sum = sums.entry(case).or_default();
            sum.calls += tally.calls;
            sum.executed += tally.executed;
            sum.resolved += tally.resolved;
            sum.again += tally.again;
            sum.unsent += tally.unsent;
            sum.overslept += tally.overslept;
        }
    }
    let mut out =
        format!("{:<26}{:>8}{:>10}{:>10}{:>10}{:>10}\n", "fault", "goals", "executed", "resolved", "again", "unsent");
    for (case, Tally { calls, executed, resolved, again, unsent, .. }) in &sums {
        writeln!(out, "{case:<26}{calls:>8}{executed:>10}{resolved:>10}{again:>10}{unsent:>10}").unwrap();
    }
    let total: usize = sums.values().map(|sum| sum.calls).sum();
    let overslept: usize = sums.values().map(|sum| sum.overslept).sum();
    println!("{out}{total} goals in {:.1?}, seed {seed:#x}; {overslept} held for too long", began.elapsed());
    assert_eq!(total, calls);
    assert!(overslept <= total / 100, "{overslept} requests were held for longer than they may be");
    for case in ["reset", "timeout", "503", "held", "202"] {
        assert!(sums[case].resolved > 0, "{case}: nothing was resolved");
    }
}

type Sent = Result<Option<dintero::Response<dintero::Verdict>>, Error>;
