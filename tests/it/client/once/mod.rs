//! Money calls made once by reference: again and again, at the same moment, after lost responses, dropped futures and a
//! dead process.

use std::sync::Arc;
use std::time::Duration;

use dintero::store::{Journal, MemoryStore};
use dintero::types::CaptureRequest;
use dintero::{Client, Credentials, ErrorKind, Outcome, TransactionId};
use dintero_sandbox::{Fault, Operation, Sandbox};
use serde_json::json;
use tokio::runtime::Runtime;

const AMOUNT: i64 = 29_990;

async fn paid() -> (Arc<Sandbox>, TransactionId) {
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let request = serde_json::from_value(json!({
        "profile_id": "default",
        "url": { "return_url": "https://shop.example/return" },
        "order": {
            "amount": AMOUNT, "currency": "NOK", "merchant_reference": "r",
            "items": [{ "id": "a", "line_id": "1", "description": "Chair", "quantity": 1, "amount": AMOUNT }],
        },
    }));
    let request = request.expect("a request");
    let session = client(&sandbox, Journal::in_memory()).sessions().create_from_profile(request).await;
    let id = sandbox.customer_pays(session.expect("a session").id.as_str()).expect("paid");
    (Arc::new(sandbox), id.parse().expect("an id"))
}

fn client(sandbox: &Sandbox, journal: Journal) -> Client {
    let account = sandbox.account_id().parse().expect("an account");
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let builder = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url());
    builder.journal(journal).timeout(Duration::from_secs(5)).build().expect("a client")
}

/// Half of the payment: capturing it twice is within what is authorized.
fn half(reference: &str) -> CaptureRequest {
    CaptureRequest::new(AMOUNT / 2).capture_reference(reference)
}

fn assert_once(sandbox: &Sandbox, id: &TransactionId) {
    assert_eq!(sandbox.executed(Operation::CaptureTransaction), 1);
    assert_eq!(sandbox.sums(id.as_str()), Some((AMOUNT / 2, 0)));
}

#[tokio::test]
async fn a_second_call_returns_what_the_first_came_to_and_sends_nothing() {
    let (sandbox, id) = paid().await;
    // The same client, one with the same journal, and one that knows nothing.
    let journal = Journal::in_memory();
    let first = client(&sandbox, journal.clone());
    for client in [first.clone(), first, client(&sandbox, journal), client(&sandbox, Journal::in_memory())] {
        let verdict = client.transactions().capture(&id, half("a")).once().await.expect("captured");
        assert_eq!((verdict.outcome(), verdict.attempt().reference()), (Outcome::Completed, Some("a")));
    }
    assert_eq!(sandbox.received(Operation::CaptureTransaction), 1);
    assert_once(&sandbox, &id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_the_same_moment_one_sends() {
    let (sandbox, id) = paid().await;
    let store = Arc::new(MemoryStore::default());
    let calls = (0..20).map(|_| {
        let client = client(&sandbox, Journal::new(store.clone()));
        let id = id.clone();
        tokio::spawn(async move { client.transactions().capture(&id, half("a")).once().await.map(|it| it.outcome()) })
    });
    for call in futures_util::future::join_all(calls).await {
        assert_eq!(call.expect("a task").expect("captured"), Outcome::Completed);
    }
    assert_eq!(sandbox.received(Operation::CaptureTransaction), 1);
    assert_once(&sandbox, &id);
}

#[tokio::test]
async fn a_lost_response_is_settled_and_a_lost_request_made_again() {
    for (fault, received) in [(Fault::bad_gateway().after_executing(), 1), (Fault::reset(), 2)] {
        let (sandbox, id) = paid().await;
        sandbox.inject(Operation::CaptureTransaction, fault);
        let client = client(&sandbox, Journal::in_memory());
        let once = client.transactions().capture(&id, half("a")).once().settle(Duration::from_millis(100));
        assert_eq!(once.await.expect("captured").outcome(), Outcome::Completed);
        assert_eq!(sandbox.received(Operation::CaptureTransaction), received);
        assert_once(&sandbox, &id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_dropped_at_random_moments_lose_and_double_nothing() {
    let (sandbox, id) = paid().await;
    sandbox.inject_always(Operation::CaptureTransaction, Fault::delay(Duration::from_millis(20)));
    let client = client(&sandbox, Journal::in_memory());
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..30 {
        let once = client.transactions().capture(&id, half("a")).once().settle(Duration::from_millis(100));
        drop(tokio::time::timeout(Duration::from_millis(random.u64(0..30)), once.into_future()).await);
    }
    let once = client.transactions().capture(&id, half("a")).once().settle(Duration::from_millis(100));
    assert_eq!(once.await.expect("captured").outcome(), Outcome::Completed);
    assert_once(&sandbox, &id);
}

#[test]
fn what_a_dead_process_sent_is_found_by_the_next_and_not_sent_again() {
    let (ours, doomed) = (Runtime::new().expect("a runtime"), Runtime::new().expect("a runtime"));
    let (sandbox, id) = ours.block_on(paid());
    let store = Arc::new(MemoryStore::default());
    sandbox.inject(Operation::CaptureTransaction, Fault::silence().after_executing());
    let dead = client(&sandbox, Journal::new(store.clone()).lease(Duration::from_secs(1)));
    let its = id.clone();
    doomed.spawn(async move { dead.transactions().capture(&its, half("a")).once().await });
    while sandbox.received(Operation::CaptureTransaction) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    doomed.shutdown_background();
    ours.block_on(async {
        let next = client(&sandbox, Journal::new(store));
        let verdict = next.transactions().capture(&id, half("a")).once().await.expect("captured");
        assert_eq!(verdict.outcome(), Outcome::Completed);
        assert_eq!(sandbox.received(Operation::CaptureTransaction), 1);
    });
    assert_once(&sandbox, &id);
}

#[tokio::test]
async fn without_a_reference_nothing_is_sent() {
    let (sandbox, id) = paid().await;
    let client = client(&sandbox, Journal::in_memory());
    for request in [CaptureRequest::new(AMOUNT / 2), half(" ")] {
        let error = client.transactions().capture(&id, request).once().await.expect_err("no reference");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
        assert!(error.to_string().contains("capture_reference"), "{error}");
    }
    assert_eq!(sandbox.received(Operation::CaptureTransaction), 0);
}
