//! Ten thousand calls that write, each meeting a fault drawn from a seed, over real sockets.
//!
//! Proven for every one of them, by what the server counted: it was received at most once, and exactly once where
//! it was sent; the error's `outcome()` agrees with what the server did; and where the outcome is unknown and an
//! event can tell, `resolve` tells the truth.
//!
//! `DINTERO_FAULTS` sets the number of calls, `DINTERO_FAULTS_SEED` the seed. `-- --nocapture` prints a summary.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use dintero::types::{
    AuthorizationRequest, CaptureRequest, CreateSession, CreateSessionFromProfile, PayRequest, PaymentTokenRequest,
    RefundRequest, UpdateSession, UpdateTransaction,
};
use dintero::{
    AccountId, Attempt, Client, Credentials, Error, Outcome, PollOptions, Resolution, RetryPolicy, SessionId,
    TransactionId,
};
use dintero_sandbox::{Fault, Operation, Sandbox};
use fastrand::Rng;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

const CALLS: usize = 10_000;
const SEED: u64 = 0x00D1_27E2;
/// Sandboxes side by side, each with calls one after the other, so that its counts belong to one call.
const WORKERS: usize = 8;
/// The time of a call that is not answered.
const PATIENCE: Duration = Duration::from_millis(200);
/// The time of any other call: never reached.
const LONG: Duration = Duration::from_secs(60);

/// The eleven operations that write.
const WRITING: [Operation; 11] = [
    Operation::CreateSessionFromProfile,
    Operation::CreateSession,
    Operation::CreatePaymentTokenSession,
    Operation::PaySession,
    Operation::UpdateSession,
    Operation::CancelSession,
    Operation::UpdateTransaction,
    Operation::CaptureTransaction,
    Operation::RefundTransaction,
    Operation::VoidTransaction,
    Operation::UpdateAuthorization,
];

/// A fault, and what the error must say of the call.
struct Case {
    name: &'static str,
    /// `None`: the connection is refused.
    fault: Option<fn() -> Fault>,
    outcome: Outcome,
    /// Whether the request may be carried out before the fault strikes.
    may_execute: bool,
    /// How often the server reads it.
    received: u64,
}

const fn case(name: &'static str, fault: fn() -> Fault) -> Case {
    Case { name, fault: Some(fault), outcome: Outcome::Unknown, may_execute: true, received: 1 }
}

const CASES: [Case; 13] = [
    Case { name: "refused", fault: None, outcome: Outcome::NotSent, may_execute: false, received: 0 },
    Case { received: 0, may_execute: false, ..case("reset before it was read", Fault::reset_unread) },
    case("reset", Fault::reset),
    case("time-out", Fault::silence),
    case("500", || Fault::status(500)),
    case("502 in HTML", Fault::bad_gateway),
    case("503", || Fault::status(503)),
    case("503 with Retry-After", || Fault::status(503).with_header("retry-after", "0")),
    case("truncated body", Fault::truncated_body),
    case("wrong length", Fault::wrong_length),
    case("200 with garbage", Fault::garbage),
    // A refusal is one: whoever says 429 has not done it.
    Case { outcome: Outcome::Rejected, may_execute: false, ..case("429", || Fault::too_many_requests(Duration::ZERO)) },
    Case { outcome: Outcome::Rejected, may_execute: false, ..case("400", || Fault::status(400)) },
];

#[derive(Default)]
struct Tally {
    calls: usize,
    received: u64,
    executed: u64,
    resolved: usize,
    /// Given up before they were sent.
    unsent: usize,
}

/// One sandbox, a client for it, and one for a port where nobody listens.
struct Worker {
    sandbox: Sandbox,
    client: Client,
    refused: Client,
    rng: Rng,
    /// Makes references and ids of this worker's own.
    number: usize,
    seeded: String,
    /// A session with an authorized payment, to be cancelled.
    paid_session: Option<SessionId>,
    /// A session that nobody has paid, to be updated.
    open_session: Option<SessionId>,
    /// A captured transaction and what is left to refund of it.
    captured: Option<(TransactionId, i64)>,
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn order(reference: &str) -> Value {
    json!({"amount": 33_890, "currency": "NOK", "merchant_reference": reference,
           "items": [{"id": "chair", "line_id": "1", "amount": 33_890, "quantity": 1, "vat": 25, "description": "Chair"}]})
}

fn profile_session(reference: &str) -> CreateSessionFromProfile {
    let url = json!({"return_url": "https://example.com/return"});
    typed(json!({"profile_id": "default", "url": url, "order": order(reference)}))
}

fn client(sandbox: &Sandbox, base: &str) -> Client {
    let account = AccountId::new(sandbox.account_id()).unwrap();
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    Client::builder(credentials).base_url(base).auth_url(sandbox.auth_url()).retry(retry).timeout(LONG).build().unwrap()
}

impl Worker {
    async fn start(seed: u64) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.forget_requests();
        let seeded = sandbox.seed_transactions(CALLS);
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self {
            client: client(&sandbox, &sandbox.base_url()),
            refused: client(&sandbox, &format!("http://{nobody}/v1")),
            rng: Rng::with_seed(seed),
            number: 0,
            seeded,
            paid_session: None,
            open_session: None,
            captured: None,
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
        TransactionId::new(format!("{}{:09}", self.seeded, self.number % CALLS)).unwrap()
    }

    async fn session(&mut self) -> SessionId {
        let request = profile_session(&self.reference());
        let created = self.client.sessions().create_from_profile(request).await.unwrap();
        SessionId::new(created.into_inner().id.unwrap()).unwrap()
    }

    async fn captured(&mut self) -> TransactionId {
        if let Some((id, left)) = self.captured.take().filter(|(_, left)| *left > 0) {
            self.captured = Some((id.clone(), left - 1));
            return id;
        }
        let id = self.authorized();
        self.client.transactions().capture(&id, CaptureRequest::new(500)).await.unwrap();
        self.captured = Some((id.clone(), 5));
        id
    }

    /// Makes one call. Gives the transaction whose events can tell what became of it.
    async fn call(
        &mut self,
        operation: Operation,
        refused: bool,
        timeout: Duration,
    ) -> (Option<TransactionId>, Option<Error>) {
        let reference = self.reference();
        // What a call needs is made before the fault is planned for it.
        let client = if refused { self.refused.clone() } else { self.client.clone() };
        let (sessions, transactions) = (client.sessions(), client.transactions());
        // Each in a box of its own: the frame of one function with all of them would be half a megabyte.
        let made: BoxFuture<'_, (Option<TransactionId>, Option<Error>)> = match operation {
            Operation::CreateSessionFromProfile => Box::pin(async move {
                (None, sessions.create_from_profile(profile_session(&reference)).timeout(timeout).await.err())
            }),
            Operation::CreateSession => Box::pin(async move {
                let request: CreateSession = typed(json!({
                    "url": {"return_url": "https://example.com/return"}, "order": order(&reference),
                    "configuration": {"payex": {"creditcard": {"enabled": true}}},
                }));
                (None, sessions.create(request).timeout(timeout).await.err())
            }),
            Operation::CreatePaymentTokenSession => Box::pin(async move {
                let request: PaymentTokenRequest = typed(json!({
                    "session": {"url": {"return_url": "https://example.com/return"},
                                "order": {"currency": "NOK", "merchant_reference": reference}},
                    "token_provider": {"payment_product_type": "payex.creditcard", "token_types": ["payment_token"]},
                }));
                (None, sessions.create_payment_token(request).timeout(timeout).await.err())
            }),
            Operation::PaySession => Box::pin(async move {
                let request: PayRequest = typed(json!({
                    "session": {"order": order(&reference),
                                "customer": {"tokens": {"payex.creditcard": {"payment_token": "token"}}}},
                    "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
                }));
                (None, sessions.pay(request).timeout(timeout).await.err())
            }),
            Operation::UpdateSession => Box::pin(async move {
                let id = self.open_session.clone().unwrap();
                let request: UpdateSession = typed(json!({"order": order(&reference)}));
                let request = sessions.update(&id, request).update_without_lock(true);
                (None, request.timeout(timeout).await.err())
            }),
            Operation::CancelSession => Box::pin(async move {
                let id = self.paid_session.clone().unwrap();
                (None, sessions.cancel(&id).timeout(timeout).await.err())
            }),
            Operation::UpdateTransaction => Box::pin(async move {
                let id = self.authorized();
                let request = UpdateTransaction { merchant_reference_2: Some(reference) };
                (None, transactions.update(&id, request).timeout(timeout).await.err())
            }),
            Operation::CaptureTransaction => Box::pin(async move {
                let id = self.authorized();
                // Every other time the reference is left to the crate.
                let own = self.rng.bool().then_some(reference);
                let request = CaptureRequest { capture_reference: own, ..CaptureRequest::new(1) };
                let error = transactions.capture(&id, request).timeout(timeout).await.err();
                (Some(id), error)
            }),
            Operation::RefundTransaction => Box::pin(async move {
                let (id, _) = self.captured.clone().unwrap();
                let own = self.rng.bool().then_some(reference);
                let request = RefundRequest { refund_reference: own, ..RefundRequest::new(1) };
                let error = transactions.refund(&id, request).timeout(timeout).await.err();
                (Some(id), error)
            }),
            Operation::VoidTransaction => Box::pin(async move {
                let id = self.authorized();
                let error = transactions.void(&id).timeout(timeout).await.err();
                (Some(id), error)
            }),
            _ => Box::pin(async move {
                let id = self.authorized();
                // An extension: a new amount would have to come with new items.
                let request = AuthorizationRequest { reference: Some(reference), ..Default::default() };
                let error = transactions.update_authorization(&id, request).timeout(timeout).await.err();
                (Some(id), error)
            }),
        };
        made.await
    }

    /// One call that meets one fault, and everything that must be true of it.
    async fn run(&mut self, operation: Operation, case: &Case, tally: &mut Tally) {
        match operation {
            Operation::UpdateSession if self.open_session.is_none() => self.open_session = Some(self.session().await),
            Operation::CancelSession if self.paid_session.is_none() => {
                let id = self.session().await;
                self.sandbox.customer_pays(&id).unwrap();
                self.paid_session = Some(id);
            }
            Operation::RefundTransaction => drop(self.captured().await),
            _ => {}
        }
        let executes = case.may_execute && self.rng.bool();
        if let Some(fault) = case.fault {
            let fault = fault();
            self.sandbox.inject(operation, if executes { fault.after_executing() } else { fault });
        }
        let counts = |sandbox: &Sandbox| (sandbox.received(operation), sandbox.executed(operation));
        let before = counts(&self.sandbox);
        let timeout = if case.name == "time-out" { PATIENCE } else { LONG };
        let (transaction, error) = self.call(operation, case.fault.is_none(), timeout).await;
        let what = format!("{operation}, {}, executes {executes}", case.name);
        let Some(error) = error else { panic!("{what}: the call succeeded") };

        let expected = (case.received, u64::from(executes));
        let mut seen = (0, 0);
        // The server may still be at it where the client gave up waiting.
        for _ in 0..200 {
            let after = counts(&self.sandbox);
            seen = (after.0 - before.0, after.1 - before.1);
            if seen == expected || case.name != "time-out" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // On a busy machine time may be up before the request has left. Then the fault still waits for it.
        let unsent = case.name == "time-out" && seen == (0, 0);
        if unsent {
            self.sandbox.clear_faults();
        } else {
            assert_eq!(seen, expected, "{what}: received and executed; {error:?}");
        }
        let executes = seen.1 == 1;
        assert_eq!(error.outcome(), case.outcome, "{what}: {error:?}");
        assert_eq!(error.operation().map(dintero::Operation::id), Some(operation.id()), "{what}");
        if case.outcome == Outcome::Unknown {
            assert!(!error.is_retryable(), "{what}: {error:?}");
        }
        tally.calls += 1;
        tally.unsent += usize::from(unsent);
        tally.received += seen.0;
        tally.executed += seen.1;
        if operation == Operation::CancelSession && executes {
            self.paid_session = None;
        }

        let attempt = Attempt::of(&error);
        if let (Some(id), Some(attempt), Outcome::Unknown) = (transaction, attempt, error.outcome()) {
            // Whatever the server does is done by now: nothing is to be waited for.
            let options = PollOptions { settle: Duration::ZERO, ..Default::default() };
            let resolution = self.client.transactions().resolve(&id, &attempt, options).await.unwrap();
            let happened = match resolution {
                Resolution::Happened { .. } => true,
                Resolution::DidNotHappen { .. } => false,
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(happened, executes, "{what}: resolve");
            tally.resolved += 1;
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_that_writes_runs_twice_and_every_error_tells_the_truth() {
    let calls = setting("DINTERO_FAULTS", CALLS as u64) as usize;
    let seed = setting("DINTERO_FAULTS_SEED", SEED);
    let began = Instant::now();
    let workers = (0..WORKERS).map(|number| {
        tokio::spawn(async move {
            let mut worker = Worker::start(seed.wrapping_add(number as u64)).await;
            let mut tallies = BTreeMap::<(&str, &str), Tally>::new();
            for call in (number..calls).step_by(WORKERS) {
                // Every operation meets every fault in turn; the seed draws the rest.
                let (operation, case) = (WRITING[call % WRITING.len()], &CASES[call / WRITING.len() % CASES.len()]);
                let tally = tallies.entry((case.name, operation.id())).or_default();
                worker.run(operation, case, tally).await;
            }
            let references: Vec<_> =
                worker.sandbox.executions().into_iter().filter_map(|done| done.reference).collect();
            let distinct: std::collections::BTreeSet<_> = references.iter().collect();
            assert_eq!(references.len(), distinct.len(), "nothing was done twice under one reference");
            tallies
        })
    });
    let mut sums = BTreeMap::<&str, Tally>::new();
    let mut operations = std::collections::BTreeSet::new();
    for worker in futures_util::future::join_all(workers).await {
        for ((case, operation), tally) in worker.unwrap() {
            operations.insert(operation);
            let sum = sums.entry(case).or_default();
            sum.calls += tally.calls;
            sum.received += tally.received;
            sum.executed += tally.executed;
            sum.resolved += tally.resolved;
            sum.unsent += tally.unsent;
        }
    }
    let mut out = format!("{:<26}{:>8}{:>10}{:>10}{:>10}\n", "fault", "calls", "received", "executed", "resolved");
    for (case, sum) in &sums {
        let Tally { calls, received, executed, resolved, unsent: _ } = sum;
        writeln!(out, "{case:<26}{calls:>8}{received:>10}{executed:>10}{resolved:>10}").unwrap();
    }
    let total: usize = sums.values().map(|sum| sum.calls).sum();
    println!("{out}{total} calls of {} operations in {:.1?}, seed {seed:#x}", operations.len(), began.elapsed());
    assert_eq!(total, calls);
    let waited = &sums["time-out"];
    println!("{} of {} time-outs came before the request had left", waited.unsent, waited.calls);
    assert!(waited.executed > 0 && waited.received > waited.executed, "time-outs before and after the execution");
}
