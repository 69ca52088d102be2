//! A thousand futures dropped at random moments: each can be resolved, and none runs twice.

use std::time::Duration;

use dintero::types::{CaptureRequest, RefundRequest};
use dintero::{Attempt, Client, Outcome, TransactionId};
use dintero_sandbox::{Fault, Operation, Sandbox};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::iter;

use super::{Journal, client, paid};

const FUTURES: usize = 1_000;
const TRANSACTIONS: usize = 50;
const AMOUNT: i64 = 100;
/// How long a call may take, and how long after that one may still arrive: long, for a machine that is busy.
const TIMES: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(4));

/// A call, by what is stored of it before it is made.
struct Begun {
    id: TransactionId,
    refunds: bool,
    reference: String,
    /// None for a call that is made once, which notes it by itself.
    attempt: Option<String>,
}

impl Begun {
    /// Makes the call once.
    async fn once(&self, client: &Client) -> dintero::Result<Outcome> {
        let (transactions, settle) = (client.transactions(), TIMES.1);
        let verdict = if self.refunds {
            let request = RefundRequest::new(AMOUNT).refund_reference(&*self.reference);
            transactions.refund(&self.id, request).timeout(TIMES.0).once().settle(settle).await
        } else {
            let request = CaptureRequest::new(AMOUNT).capture_reference(&*self.reference);
            transactions.capture(&self.id, request).timeout(TIMES.0).once().settle(settle).await
        };
        verdict.map(|verdict| verdict.outcome())
    }

    /// Begins the call and drops it after a time.
    async fn drop_after(mut self, client: &Client, plain: bool, time: Duration) -> Self {
        let transactions = client.transactions();
        if !plain {
            drop(tokio::time::timeout(time, self.once(client)).await);
        } else if self.refunds {
            let request = RefundRequest::new(AMOUNT).refund_reference(&*self.reference);
            let mut call = transactions.refund(&self.id, request).timeout(TIMES.0);
            self.attempt = serde_json::to_string(&call.attempt()).ok();
            drop(tokio::time::timeout(time, call.into_future()).await);
        } else {
            let request = CaptureRequest::new(AMOUNT).capture_reference(&*self.reference);
            let mut call = transactions.capture(&self.id, request).timeout(TIMES.0);
            self.attempt = serde_json::to_string(&call.attempt()).ok();
            drop(tokio::time::timeout(time, call.into_future()).await);
        }
        self
    }

    /// Makes the call once, again where it ends with the proof that it did not happen.
    async fn made(&self, client: &Client) -> Outcome {
        for _ in 0..5 {
            match self.once(client).await {
                Err(error) if error.outcome().did_not_happen() => {}
                result => return result.expect("made"),
            }
        }
        panic!("{}: not made in five calls", self.reference);
    }

    /// Finds out what became of it: whether it happened.
    async fn resolve(&self, client: &Client) -> bool {
        let outcome = match &self.attempt {
            Some(attempt) => {
                let attempt: Attempt = serde_json::from_str(attempt).expect("an attempt");
                client.resolve(&attempt).settle(TIMES.1).await.expect("resolved").outcome()
            }
            None => self.made(client).await,
        };
        assert!(matches!(outcome, Outcome::Completed | Outcome::NotReceived), "{}: {outcome:?}", self.reference);
        outcome == Outcome::Completed
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_dropped_futures_can_all_be_resolved_and_none_runs_twice() {
    let seed = std::env::var("DROP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(13);
    println!("DROP_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let client = client(&sandbox, Journal::in_memory());
    let mut transactions = Vec::new();
    for number in 0..TRANSACTIONS {
        let id = paid(&sandbox).await;
        let refunds = number % 2 == 1;
        if refunds {
            let request = CaptureRequest::new(super::AMOUNT);
            client.transactions().capture(&id, request).await.expect("captured");
        }
        transactions.push((id, refunds));
    }
    // Some are slow, some responses are lost, and some requests.
    let mut faults = random.fork();
    sandbox.inject_with(move |request| {
        let is_money =
            matches!(request.operation(), Some(Operation::CaptureTransaction | Operation::RefundTransaction));
        match faults.u8(0..8) {
            0..3 => Some(Fault::delay(Duration::from_millis(faults.u64(0..20)))),
            3 if is_money => Some(Fault::bad_gateway().after_executing()),
            4 if is_money => Some(Fault::reset()),
            _ => None,
        }
    });
    let begun: Vec<_> = iter(0..FUTURES)
        .map(|number| {
            let (id, refunds) = transactions[number % TRANSACTIONS].clone();
            let begun = Begun { id, refunds, reference: format!("drop-{number}"), attempt: None };
            begun.drop_after(&client, random.bool(), Duration::from_micros(random.u64(0..30_000)))
        })
        .buffer_unordered(20)
        .collect()
        .await;
    sandbox.clear_faults();

    let happened = join_all(begun.iter().map(|begun| begun.resolve(&client))).await;
    let mut counts = [0; 4];
    for (begun, happened) in begun.iter().zip(happened) {
        let executed = sandbox.executions_of(&begun.reference).len();
        assert_eq!(executed, usize::from(happened), "{}", begun.reference);
        assert!(happened || begun.attempt.is_some(), "{}: a call made once is made", begun.reference);
        counts[usize::from(begun.attempt.is_some()) * 2 + usize::from(happened)] += 1;
    }
    let [_, once, not_received, completed] = counts;
    println!("{once} made once; of the others {completed} completed and {not_received} not received");
    assert!(once > 0 && completed > 0 && not_received > 0, "a drop hits before, during and after: {counts:?}");
}
