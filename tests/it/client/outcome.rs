//! What calls that move money answer, against the sandbox: done, under way, failed, unknown, and how the last three
//! are followed up.

use std::time::Duration;

use dintero::types::{CaptureRequest, PayRequest, RefundRequest, RetryPolicyRetryCode, TransactionStatus};
use dintero::{
    AccountId, Attempt, Client, Completion, Credentials, ErrorKind, Outcome, PollOptions, Resolution, RetryPolicy,
    TransactionId,
};
use dintero_sandbox::{Fault, Operation, Sandbox};
use serde_json::json;

const CAPTURE: Operation = Operation::CaptureTransaction;

fn client(sandbox: &Sandbox) -> Client {
    let account = AccountId::new(sandbox.account_id()).unwrap();
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).retry(retry).build().unwrap()
}

/// A sandbox, a client, and an authorized transaction of 1000.
async fn authorized() -> (Sandbox, Client, TransactionId) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let prefix = sandbox.seed_transactions(1);
    let id = TransactionId::new(format!("{prefix}{:09}", 0)).unwrap();
    (sandbox, client, id)
}

/// Polls often, and takes what it finds for settled at once.
fn quick() -> PollOptions {
    PollOptions {
        timeout: Duration::from_secs(10),
        interval: Duration::from_millis(5),
        longest_interval: Duration::from_millis(20),
        settle: Duration::ZERO,
        ..PollOptions::default()
    }
}

#[tokio::test]
async fn an_accepted_capture_is_followed_to_its_event() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().settled_after_reads(Some(3)));
    let answer = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    let reference = answer.reference().unwrap().to_owned();
    let Completion::Accepted { event_request_id, transaction } = answer.into_inner() else { panic!("202") };
    assert_eq!(transaction.captured(), Ok(0), "as it was before");
    let settled = client.transactions().wait_for(&id, &event_request_id.unwrap(), quick()).await.unwrap();
    assert_eq!(settled.event.event_reference.as_deref(), Some(reference.as_str()));
    assert_eq!((settled.transaction.captured(), settled.transaction.remaining_to_capture()), (Ok(400), Ok(600)));
    assert!(settled.transaction.can_capture() && settled.transaction.can_refund() && !settled.transaction.can_void());
    assert_eq!((sandbox.received(CAPTURE), sandbox.executed(CAPTURE)), (1, 1));
}

#[tokio::test]
async fn an_accepted_capture_that_fails_is_an_error_with_its_correction() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().failing());
    let answer = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    let Completion::Accepted { event_request_id, .. } = answer.into_inner() else { panic!("202") };
    let error = client.transactions().wait_for(&id, &event_request_id.unwrap(), quick()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Failed, Outcome::Rejected));
    assert_eq!(error.operation(), Some(dintero::Operation::CaptureTransaction));
    assert_eq!(error.correction().and_then(|correction| correction.remaining_capture_amount), Some(1000));
    assert_eq!(sandbox.executed(CAPTURE), 0);
}

#[tokio::test]
async fn waiting_ends_in_time_and_nothing_is_sent_again() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().settled_after_reads(None));
    let answer = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    let reference = answer.reference().unwrap().to_owned();
    let Completion::Accepted { event_request_id, .. } = answer.into_inner() else { panic!("202") };
    let event_request_id = event_request_id.unwrap();
    let short = PollOptions { timeout: Duration::from_millis(100), ..quick() };
    let error = client.transactions().wait_for(&id, &event_request_id, short.clone()).await.unwrap_err();
    assert!(error.is_timeout() && error.outcome() == Outcome::Unknown);

    // Under way is not "did not happen".
    let attempt = Attempt::Capture { reference };
    let pending = client.transactions().resolve(&id, &attempt, short).await.unwrap();
    assert!(matches!(pending, Resolution::Pending { .. }), "{pending:?}");
    sandbox.settle_accepted();
    let settled = client.transactions().resolve(&id, &attempt, quick()).await.unwrap();
    assert!(matches!(settled, Resolution::Happened { .. }), "{settled:?}");
    client.transactions().wait_for(&id, &event_request_id, quick()).await.unwrap();
    assert_eq!(sandbox.received(CAPTURE), 1);
}

#[tokio::test]
async fn a_200_with_a_failed_event_is_no_success() {
    let (sandbox, client, id) = authorized().await;
    let transactions = client.transactions();
    transactions.capture(&id, CaptureRequest::new(600)).await.unwrap();
    sandbox.inject(CAPTURE, Fault::fails_with_correction());
    sandbox.inject(Operation::RefundTransaction, Fault::fails_with_correction());
    let errors = [
        transactions.capture(&id, CaptureRequest::new(100)).await.unwrap_err(),
        transactions.refund(&id, RefundRequest::new(100)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Failed, Outcome::Rejected), "{error:?}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
        assert_eq!(error.failed_event().unwrap().success, Some(false));
        let correction = error.correction().unwrap();
        assert_eq!(correction.remaining_capture_amount, Some(400));
        assert_eq!(correction.remaining_refund_amount, Some(600));
        let transaction = error.transaction().unwrap();
        assert_eq!((transaction.remaining_to_capture(), transaction.remaining_to_refund()), (Ok(400), Ok(600)));
        let resolved = transactions.resolve(&id, &Attempt::of(&error).unwrap(), quick()).await.unwrap();
        assert!(matches!(resolved, Resolution::DidNotHappen { event: Some(_), .. }), "{resolved:?}");
    }
    // One failure does not make the next call one.
    let next = transactions.capture(&id, CaptureRequest::new(400)).await.unwrap();
    assert_eq!(next.transaction().status, Some(TransactionStatus::Captured));
    assert_eq!(sandbox.sums(&id), Some((1000, 0)));
}

#[tokio::test]
async fn no_trace_counts_as_not_happened_only_after_a_while() {
    let (sandbox, client, id) = authorized().await;
    let attempt = Attempt::Capture { reference: "late".into() };
    let patient = PollOptions { settle: Duration::from_secs(5), ..quick() };
    let (capturing, resolving) = (client.clone(), client.clone());
    let (own, other) = (id.clone(), attempt.clone());
    let resolve = tokio::spawn(async move { resolving.transactions().resolve(&own, &other, patient).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The request arrives after the first looks.
    let request = CaptureRequest { capture_reference: Some("late".into()), ..CaptureRequest::new(1) };
    capturing.transactions().capture(&id, request).await.unwrap();
    let resolved = resolve.await.unwrap().unwrap();
    assert!(matches!(resolved, Resolution::Happened { .. }), "{resolved:?}");
    assert!(sandbox.received(Operation::GetTransaction) > 1, "it was looked for in vain before");
}

/// An event that was not read whole may be the one that is looked for.
#[tokio::test]
async fn what_cannot_be_read_is_not_taken_for_absent() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::reset().after_executing());
    let error = client.transactions().capture(&id, CaptureRequest::new(1)).await.unwrap_err();
    let attempt = Attempt::of(&error).unwrap();
    let short = PollOptions { timeout: Duration::from_millis(50), ..quick() };
    for damage in [json!([]), json!(null), json!("none"), json!([{"event": "CAPTURE", "event_reference": ["x"]}])] {
        sandbox.clear_patches();
        sandbox.patch_answer(Operation::GetTransaction, move |body| body["events"] = damage.clone());
        let resolved = client.transactions().resolve(&id, &attempt, short.clone()).await.unwrap();
        assert!(matches!(resolved, Resolution::Pending { .. }), "{resolved:?}");
    }
    sandbox.clear_patches();
    let resolved = client.transactions().resolve(&id, &attempt, quick()).await.unwrap();
    assert!(matches!(resolved, Resolution::Happened { .. }), "{resolved:?}");
}

#[tokio::test]
async fn a_void_is_resolved_without_a_reference() {
    let (sandbox, client, id) = authorized().await;
    let transactions = client.transactions();
    for (fault, happened) in [(Fault::reset(), false), (Fault::reset().after_executing(), true)] {
        sandbox.inject(Operation::VoidTransaction, fault);
        let error = transactions.void(&id).await.unwrap_err();
        let attempt = Attempt::of(&error).unwrap();
        assert_eq!(attempt, Attempt::Void);
        let resolved = transactions.resolve(&id, &attempt, quick()).await.unwrap();
        assert_eq!(matches!(resolved, Resolution::Happened { .. }), happened, "{resolved:?}");
    }
}

#[tokio::test]
async fn a_declined_payment_is_an_error_with_its_retry_policy() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let request: PayRequest = serde_json::from_value(json!({
        "session": {
            "order": {"amount": 100, "currency": "NOK", "merchant_reference": "month-1",
                      "items": [{"id": "1", "line_id": "1", "amount": 100, "quantity": 1, "vat": 25, "description": "A"}]},
            "customer": {"tokens": {"payex.creditcard": {"payment_token": "token"}}},
        },
        "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
    }))
    .unwrap();
    for (codes, wait, expected) in
        [(vec!["DO_NOT_RETRY"], None, None), (vec!["RETRY_AFTER_DELAY"], Some("3600"), Some(Duration::from_secs(3600)))]
    {
        sandbox.inject(Operation::PaySession, Fault::declined(&codes, wait));
        let error = client.sessions().pay(request.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Failed, Outcome::Rejected), "{error:?}");
        let told: Vec<_> = error.retry_codes().iter().map(RetryPolicyRetryCode::as_str).collect();
        assert_eq!(told, codes);
        assert_eq!(error.retry_after(), expected);
        assert!(!error.is_retryable(), "whether to pay again is the merchant's to decide");
        assert_eq!(error.transaction().unwrap().status, Some(TransactionStatus::Declined));
    }
    let paid = client.sessions().pay(request).await.unwrap();
    assert_eq!(paid.success, Some(true));
    assert_eq!(sandbox.received(Operation::PaySession), 3);
}
