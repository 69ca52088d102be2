//! Money calls made once by reference: again and again, at the same moment, after lost responses, dropped futures and a
//! dead process. The same over real processes is in `dintero-stores`.

mod dropped;
mod limits;
mod recover;

use std::sync::Arc;
use std::time::Duration;

use dintero::store::{Journal, MemoryStore};
use dintero::types::{AuthorizationRequest, CaptureRequest, PayRequest, RefundRequest};
use dintero::{Client, Credentials, ErrorKind, Outcome, Result, TransactionId, Verdict};
use dintero_sandbox::{Fault, Operation, Sandbox};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};

const AMOUNT: i64 = 29_990;
/// Nothing between these tests and the sandbox holds a request.
const SETTLE: Duration = Duration::from_millis(100);
const KINDS: [Operation; 4] = [
    Operation::CaptureTransaction,
    Operation::RefundTransaction,
    Operation::UpdateAuthorization,
    Operation::PaySession,
];

fn order(reference: &str) -> Value {
    json!({
        "amount": AMOUNT, "currency": "NOK", "merchant_reference": reference,
        "items": [{ "id": "a", "line_id": "1", "description": "Chair", "quantity": 1, "amount": AMOUNT }],
    })
}

async fn paid(sandbox: &Sandbox) -> TransactionId {
    let url = json!({ "return_url": "https://shop.example/return" });
    let request = serde_json::from_value(json!({ "profile_id": "default", "url": url, "order": order("paid") }));
    let client = client(sandbox, Journal::in_memory());
    let session = client.sessions().create_from_profile(request.expect("a request")).await.expect("a session");
    sandbox.customer_pays(session.id.as_str()).expect("paid").parse().expect("an id")
}

/// A transaction of which half can be captured, or refunded.
async fn ready(kind: Operation) -> (Arc<Sandbox>, TransactionId) {
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let id = paid(&sandbox).await;
    if kind == Operation::RefundTransaction {
        let request = CaptureRequest::new(AMOUNT).capture_reference("before");
        client(&sandbox, Journal::in_memory()).transactions().capture(&id, request).await.expect("captured");
    }
    (Arc::new(sandbox), id)
}

fn client(sandbox: &Sandbox, journal: Journal) -> Client {
    let account = sandbox.account_id().parse().expect("an account");
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let builder = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url());
    builder.journal(journal).timeout(Duration::from_secs(5)).build().expect("a client")
}

/// Half of the payment: captured or refunded twice, it is within what may be.
fn half(reference: &str) -> CaptureRequest {
    CaptureRequest::new(AMOUNT / 2).capture_reference(reference)
}

fn pay(reference: &str) -> PayRequest {
    let request = serde_json::from_value(json!({
        "session": { "order": order(reference),
                     "customer": { "tokens": { "payex.creditcard": { "payment_token": "token" } } } },
        "payment": { "payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase" },
    }));
    request.expect("a request")
}

/// Makes a call once.
fn once(client: &Client, kind: Operation, id: &TransactionId, reference: &str) -> BoxFuture<'static, Result<Verdict>> {
    once_settling(client, kind, id, reference, SETTLE)
}

/// The same where a request may arrive for so long after its call.
fn once_settling(
    client: &Client,
    kind: Operation,
    id: &TransactionId,
    reference: &str,
    settle: Duration,
) -> BoxFuture<'static, Result<Verdict>> {
    let (transactions, sessions) = (client.transactions(), client.sessions());
    match kind {
        Operation::CaptureTransaction => {
            Box::pin(transactions.capture(id, half(reference)).once().settle(settle).into_future())
        }
        Operation::RefundTransaction => {
            let request = RefundRequest::new(AMOUNT / 2).refund_reference(reference);
            Box::pin(transactions.refund(id, request).once().settle(settle).into_future())
        }
        Operation::UpdateAuthorization => {
            let request = AuthorizationRequest::new().reference(reference);
            Box::pin(transactions.update_authorization(id, request).once().settle(settle).into_future())
        }
        _ => Box::pin(sessions.pay(pay(reference)).once().settle(settle).into_future()),
    }
}

/// The call is carried out once, by the service's own book, after so many requests.
fn assert_once(sandbox: &Sandbox, kind: Operation, reference: &str, received: u64) {
    let executed = sandbox.executions_of(reference).iter().filter(|it| it.operation == kind).count();
    assert_eq!((executed, sandbox.received(kind)), (1, received), "{kind:?}");
}

#[tokio::test]
async fn a_second_call_returns_what_the_first_came_to_and_sends_nothing() {
    for kind in KINDS {
        let (sandbox, id) = ready(kind).await;
        // The same client, one with the same journal, and one that knows nothing.
        let journal = Journal::in_memory();
        let first = client(&sandbox, journal.clone());
        for client in [first.clone(), first, client(&sandbox, journal), client(&sandbox, Journal::in_memory())] {
            let verdict = once(&client, kind, &id, "a").await.expect("done");
            assert_eq!((verdict.outcome(), verdict.attempt().reference()), (Outcome::Completed, Some("a")), "{kind:?}");
            assert!(verdict.into_transaction().is_some());
        }
        assert_once(&sandbox, kind, "a", 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_the_same_moment_one_sends() {
    for kind in KINDS {
        let (sandbox, id) = ready(kind).await;
        let store = Arc::new(MemoryStore::default());
        let calls = (0..20).map(|_| {
            let client = client(&sandbox, Journal::new(store.clone()));
            tokio::spawn(once(&client, kind, &id, "a"))
        });
        for call in join_all(calls).await {
            assert_eq!(call.expect("a task").expect("done").outcome(), Outcome::Completed);
        }
        assert_once(&sandbox, kind, "a", 1);
    }
}

#[tokio::test]
async fn a_lost_response_is_settled_and_a_lost_request_made_again() {
    let each = KINDS.into_iter().flat_map(|kind| {
        [(Fault::bad_gateway().after_executing(), 1), (Fault::reset(), 2)].map(|(fault, received)| async move {
            let (sandbox, id) = ready(kind).await;
            sandbox.inject(kind, fault);
            let client = client(&sandbox, Journal::in_memory());
            assert_eq!(once(&client, kind, &id, "a").await.expect("done").outcome(), Outcome::Completed, "{kind:?}");
            assert_once(&sandbox, kind, "a", received);
        })
    });
    // Side by side: each waits until nothing of its call can be on its way.
    assert_eq!(join_all(each).await.len(), 8);
}

/// The future is dropped when the service has carried the call out and not responded.
#[tokio::test]
async fn a_call_that_was_dropped_before_its_response_is_found_by_the_next() {
    for kind in KINDS {
        let (sandbox, id) = ready(kind).await;
        sandbox.inject(kind, Fault::silence().after_executing());
        // With the journal that knows of it, and with one that does not.
        for journal in [Journal::in_memory(), Journal::in_memory()] {
            let client = client(&sandbox, journal);
            let call = tokio::spawn(once(&client, kind, &id, "a"));
            while !call.is_finished() && sandbox.executions_of("a").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            call.abort();
            assert_eq!(once(&client, kind, &id, "a").await.expect("done").outcome(), Outcome::Completed, "{kind:?}");
        }
        assert_once(&sandbox, kind, "a", 1);
    }
}

/// Money that was refused is not moved by asking again, and what is told is the same.
#[tokio::test]
async fn a_call_that_failed_with_a_trace_is_not_made_again() {
    let (sandbox, id) = ready(Operation::CaptureTransaction).await;
    sandbox.inject(Operation::CaptureTransaction, Fault::accepted().failing());
    let client = client(&sandbox, Journal::in_memory());
    for _ in 0..3 {
        let error = once(&client, Operation::CaptureTransaction, &id, "a").await.expect_err("failed");
        assert_eq!(error.outcome(), Outcome::Rejected);
    }
    assert_eq!(sandbox.received(Operation::CaptureTransaction), 1);
    assert_eq!(sandbox.sums(id.as_str()), Some((0, 0)));
}

#[tokio::test]
async fn without_a_reference_nothing_is_sent() {
    let (sandbox, id) = ready(Operation::CaptureTransaction).await;
    let client = client(&sandbox, Journal::in_memory());
    let (transactions, sessions) = (client.transactions(), client.sessions());
    let errors = [
        ("capture_reference", transactions.capture(&id, CaptureRequest::new(1)).once().await),
        ("capture_reference", transactions.capture(&id, half(" ")).once().await),
        ("refund_reference", transactions.refund(&id, RefundRequest::new(1)).once().await),
        ("reference", transactions.update_authorization(&id, AuthorizationRequest::new()).once().await),
        ("merchant_reference", sessions.pay(pay("")).once().await),
    ];
    for (field, result) in errors {
        let error = result.expect_err("no reference");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(KINDS.into_iter().all(|kind| sandbox.received(kind) == 0));
}
