//! What calls that move money return, against the sandbox: done, under way, failed, unknown, and how the last three
//! are followed up.

use std::time::Duration;

use dintero::types::{CaptureRequest, CardRetryCode, PayRequest, RefundRequest, TransactionStatus};
use dintero::{AccountId, Client, Credentials, ErrorKind, Outcome, PollOptions, RetryPolicy, TransactionId};
use dintero_sandbox::{Fault, Operation, Sandbox};
use serde_json::json;

const CAPTURE: Operation = Operation::CaptureTransaction;

pub(super) fn client(sandbox: &Sandbox) -> Client {
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
        timeout: Some(Duration::from_secs(10)),
        interval: Duration::from_millis(5),
        longest_interval: Duration::from_millis(20),
        settle: Some(Duration::ZERO),
        ..PollOptions::default()
    }
}

#[tokio::test]
async fn an_accepted_capture_is_followed_to_its_event() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().settled_after_reads(Some(3)));
    let response = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    assert_eq!(response.outcome(), Outcome::UnderWay);
    assert_eq!(response.transaction().unwrap().captured(), Ok(0), "as it was before");
    let verdict = client.resolve(response.attempt()).polling(quick()).await.unwrap();
    assert!(verdict.is_completed(), "{verdict:?}");
    let event = verdict.event().unwrap();
    assert_eq!(event.event_reference.as_deref(), response.attempt().reference());
    assert_eq!(event.correlation_request_id.as_deref(), response.attempt().event_request_id());
    let transaction = verdict.transaction().unwrap();
    assert_eq!((transaction.captured(), transaction.remaining_to_capture()), (Ok(400), Ok(600)));
    assert!(transaction.can_capture() && transaction.can_refund() && !transaction.can_void());
    assert_eq!((sandbox.received(CAPTURE), sandbox.executed(CAPTURE)), (1, 1));
}

#[tokio::test]
async fn an_accepted_capture_that_fails_is_rejected_with_its_correction() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().failing());
    let response = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    let verdict = client.resolve(response.attempt()).polling(quick()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Rejected);
    let correction = verdict.failed_event().unwrap().correction.as_ref().unwrap();
    assert_eq!(correction.remaining_capture_amount, Some(1000));
    assert_eq!(sandbox.executed(CAPTURE), 0);
}

#[tokio::test]
async fn waiting_ends_in_time_and_nothing_is_sent_again() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::accepted().settled_after_reads(None));
    let response = client.transactions().capture(&id, CaptureRequest::new(400)).await.unwrap();
    // Under way is not "did not happen", whether or not the 202 is known of.
    let known = response.attempt().clone();
    let own = CaptureRequest::new(400).capture_reference(known.reference().unwrap());
    let unknown = client.transactions().capture(&id, own).attempt().since(known.begun_at());
    let short = PollOptions { timeout: Some(Duration::from_millis(100)), ..quick() };
    for attempt in [&known, &unknown] {
        let pending = client.resolve(attempt).polling(short.clone()).await.unwrap();
        assert!(pending.is_under_way(), "{pending:?}");
    }
    sandbox.settle_accepted();
    for attempt in [&known, &unknown] {
        let settled = client.resolve(attempt).polling(quick()).await.unwrap();
        assert!(settled.is_completed(), "{settled:?}");
    }
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
        let resolved = client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
        assert_eq!(resolved.outcome(), Outcome::Rejected, "{resolved:?}");
        assert_eq!(resolved.event().map(|event| &event.id), error.failed_event().map(|event| &event.id));
    }
    // One failure does not make the next call one.
    let next = transactions.capture(&id, CaptureRequest::new(400)).await.unwrap();
    assert_eq!(next.transaction().unwrap().status, Some(TransactionStatus::Captured));
    assert_eq!(sandbox.sums(&id), Some((1000, 0)));
}

#[tokio::test]
async fn no_trace_counts_as_not_received_only_after_a_while() {
    let (sandbox, client, id) = authorized().await;
    let mut late = client.transactions().capture(&id, CaptureRequest::new(1)).timeout(Duration::from_millis(1));
    let attempt = late.attempt();
    let patient = PollOptions { settle: Some(Duration::from_secs(5)), ..quick() };
    let (resolving, same) = (client.clone(), attempt.clone());
    let resolve = tokio::spawn(async move { resolving.resolve(&same).polling(patient).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The request arrives after the first looks.
    let request = CaptureRequest::new(1).capture_reference(attempt.reference().unwrap());
    client.transactions().capture(&id, request).await.unwrap();
    let resolved = resolve.await.unwrap().unwrap();
    assert!(resolved.is_completed(), "{resolved:?}");
    assert!(sandbox.received(Operation::GetTransaction) > 1, "it was looked for in vain before");
}

/// An event that was not read whole may be the one that is looked for.
#[tokio::test]
async fn what_cannot_be_read_is_not_taken_for_absent() {
    let (sandbox, client, id) = authorized().await;
    sandbox.inject(CAPTURE, Fault::reset().after_executing());
    let error = client.transactions().capture(&id, CaptureRequest::new(1)).await.unwrap_err();
    let attempt = error.attempt().unwrap();
    let short = PollOptions { timeout: Some(Duration::from_millis(50)), ..quick() };
    for damage in [json!([]), json!(null), json!("none"), json!([{"event": "CAPTURE", "event_reference": ["x"]}])] {
        sandbox.clear_patches();
        sandbox.patch_response(Operation::GetTransaction, move |body| body["events"] = damage.clone());
        let resolved = client.resolve(attempt).polling(short.clone()).await.unwrap();
        assert_eq!(resolved.outcome(), Outcome::Unknown, "{resolved:?}");
    }
    sandbox.clear_patches();
    let resolved = client.resolve(attempt).polling(quick()).await.unwrap();
    assert!(resolved.is_completed(), "{resolved:?}");
}

#[tokio::test]
async fn a_void_is_resolved_without_a_reference() {
    let (sandbox, client, id) = authorized().await;
    for (fault, outcome) in
        [(Fault::reset(), Outcome::NotReceived), (Fault::reset().after_executing(), Outcome::Completed)]
    {
        sandbox.inject(Operation::VoidTransaction, fault);
        let error = client.transactions().void(&id).await.unwrap_err();
        let attempt = error.attempt().unwrap();
        assert_eq!((attempt.operation(), attempt.reference()), (dintero::Operation::VoidTransaction, None));
        assert_eq!(client.resolve(attempt).polling(quick()).await.unwrap().outcome(), outcome);
    }
}

/// A payment with a stored token.
pub(super) fn pay_request(merchant_reference: &str) -> PayRequest {
    serde_json::from_value(json!({
        "session": {
            "order": {"amount": 100, "currency": "NOK", "merchant_reference": merchant_reference,
                      "items": [{"id": "1", "line_id": "1", "amount": 100, "quantity": 1, "vat": 25, "description": "A"}]},
            "customer": {"tokens": {"payex.creditcard": {"payment_token": "token"}}},
        },
        "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_payment_is_found_by_its_merchant_reference() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    for (number, fault, outcome) in [
        (1, Fault::reset(), Outcome::NotReceived),
        (2, Fault::reset().after_executing(), Outcome::Completed),
        (3, Fault::status(503).after_executing(), Outcome::Completed),
    ] {
        sandbox.inject(Operation::PaySession, fault);
        let request = pay_request(&format!("month-{number}"));
        let error = client.sessions().pay(request.clone()).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        let verdict = client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{verdict:?}");
        let found = verdict.transaction().and_then(|transaction| transaction.merchant_reference.clone());
        assert_eq!(found.is_some(), outcome == Outcome::Completed);
    }
    // Declined, and the response lost: it is told once nothing else can arrive.
    sandbox.patch_response(Operation::PaySession, |body| *body = json!("lost"));
    sandbox.inject(Operation::PaySession, Fault::declined(&["DO_NOT_RETRY"], None));
    let error = client.sessions().pay(pay_request("month-4")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let verdict = client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Rejected);
    assert_eq!(verdict.transaction().unwrap().status, Some(TransactionStatus::Declined));
    assert!(verdict.failed_event().unwrap().error.is_some());
}

#[tokio::test]
async fn a_cancellation_is_found_by_its_session() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    for (fault, outcome) in
        [(Fault::reset(), Outcome::NotReceived), (Fault::reset().after_executing(), Outcome::Completed)]
    {
        let request = serde_json::from_value(json!({
            "profile_id": "default", "url": {"return_url": "https://example.com/return"},
            "order": {"amount": 1000, "currency": "NOK", "merchant_reference": "r"},
        }))
        .unwrap();
        let created = client.sessions().create_from_profile(request).await.unwrap();
        let id = created.id.clone();
        sandbox.customer_pays(&id).unwrap();
        sandbox.inject(Operation::CancelSession, fault);
        let error = client.sessions().cancel(&id).await.unwrap_err();
        let verdict = client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{verdict:?}");
        assert_eq!(verdict.session().unwrap().cancelled_at.is_some(), outcome == Outcome::Completed);
        if outcome != Outcome::Completed {
            let cancelled = client.sessions().cancel(&id).await.unwrap();
            assert!(cancelled.is_completed());
        }
    }
}

#[tokio::test]
async fn a_declined_payment_is_an_error_with_its_retry_policy() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let request = pay_request("month-1");
    for (codes, wait, expected) in [
        (vec!["DO_NOT_RETRY"], None, None),
        (vec!["RETRY_AFTER_DELAY"], Some("3600"), Some(Duration::from_secs(3600))),
        (vec!["RETRY_AFTER_DELAY"], Some("P1D"), Some(Duration::from_secs(86_400))),
    ] {
        sandbox.inject(Operation::PaySession, Fault::declined(&codes, wait));
        let error = client.sessions().pay(request.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Failed, Outcome::Rejected), "{error:?}");
        let told: Vec<_> = error.retry_codes().iter().map(CardRetryCode::as_str).collect();
        assert_eq!(told, codes);
        assert_eq!(error.retry_after(), expected);
        assert!(!error.is_retryable(), "whether to pay again is the merchant's to decide");
        assert_eq!(error.transaction().unwrap().status, Some(TransactionStatus::Declined));
    }
    let paid = client.sessions().pay(request).await.unwrap();
    assert!(paid.is_completed());
    assert_eq!(paid.transaction().unwrap().success, Some(true));
    assert_eq!(sandbox.received(Operation::PaySession), 4);
}
