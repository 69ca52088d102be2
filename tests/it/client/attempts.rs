//! Attempts: what is known of a money call before it is awaited, and that it is enough to find out what became of it.

use std::sync::Arc;
use std::time::Duration;

use dintero::types::{AuthorizationRequest, CaptureRequest, RefundRequest};
use dintero::{Attempt, Client, ErrorKind, Operation, Outcome, Response, SessionId, Verdict};
use serde_json::{Value, json};

use super::verdicts::{client, done, id, pay_request, quick, reference_of, service, transaction};
use crate::support::{Reply, Server};

#[tokio::test]
async fn an_attempt_made_before_outlives_a_dropped_future() {
    for executes in [true, false] {
        let reference = Arc::new(std::sync::Mutex::new(String::new()));
        let seen_reference = reference.clone();
        let server = Server::start(move |seen| {
            if seen.is_token() {
                return Reply::token("t0", 14_400);
            }
            if seen.method == "POST" {
                *seen_reference.lock().unwrap() = reference_of(seen);
                return Reply::Hang;
            }
            let authorized = json!({"event": "AUTHORIZE", "success": true, "amount": 1000});
            let events =
                if executes { json!([authorized, done(&seen_reference.lock().unwrap())]) } else { json!([authorized]) };
            Reply::Json(200, transaction("PARTIALLY_CAPTURED", events))
        })
        .await;
        let client = client(&server);
        let mut call = client.transactions().capture(&id(), CaptureRequest::new(400));
        let stored = serde_json::to_string(&call.attempt()).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), call.into_future()).await.is_err());

        // As after a crash: only what was stored is left.
        let attempt: Attempt = serde_json::from_str(&stored).unwrap();
        assert_eq!(attempt.reference(), Some(reference.lock().unwrap().as_str()), "the reference went with it");
        let open = client.resolve(&attempt).polling(quick()).await.unwrap();
        let outcome = if executes { Outcome::Completed } else { Outcome::Unknown };
        assert_eq!(open.outcome(), outcome, "it may still arrive until its time is up: {open:?}");
        assert_eq!((open.is_completed(), open.is_under_way()), (executes, false));
        assert_eq!((attempt.operation(), attempt.amount()), (Operation::CaptureTransaction, Some(400)));
    }
}

#[tokio::test]
async fn an_attempt_is_sent_in_its_time_or_not_at_all() {
    let server = service(false, |reference| transaction("PARTIALLY_CAPTURED", json!([done(reference)]))).await;
    let client = client(&server);
    let begin = |timeout| client.transactions().capture(&id(), CaptureRequest::new(400)).timeout(timeout);
    let mut late = begin(Duration::from_millis(1));
    let attempt = late.attempt();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = late.await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent));
    assert_eq!(error.attempt(), Some(&attempt));
    assert!(server.calls().is_empty(), "nothing was sent");

    let mut early = begin(Duration::from_secs(30));
    let attempt = early.attempt();
    let captured = early.await.unwrap();
    assert_eq!(captured.attempt().reference(), attempt.reference());
    assert!(captured.attempt().until() <= attempt.until());
    let other = dintero::AccountId::new("T87654321").unwrap();
    let other = Client::new(dintero::Credentials::new(other, "a", "b")).unwrap();
    for attempt in [attempt, client.sessions().pay(pay_request()).attempt()] {
        let error = other.resolve(&attempt).polling(quick()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("the attempt belongs to account T12345678"), "{error}");
    }
}

#[tokio::test]
async fn every_call_with_a_reference_gets_one() {
    let tell = |name: &'static str, status: &'static str| {
        move |reference: &str| {
            let event = json!({"event": name, "amount": 400, "success": true, "event_reference": reference});
            let first = json!({"event": "AUTHORIZE", "amount": 1000, "success": true});
            transaction(status, json!([first, event]))
        }
    };
    let server = service(false, tell("AUTHORIZE", "AUTHORIZED")).await;
    let request = AuthorizationRequest::new().amount(400);
    let updated = client(&server).transactions().update_authorization(&id(), request.clone()).await.unwrap();
    assert!(updated.is_completed());
    let sent = server.calls()[0].json()["reference"].as_str().unwrap().to_owned();
    assert_eq!(updated.attempt().reference(), Some(sent.as_str()));

    let server = service(true, tell("AUTHORIZE", "AUTHORIZED")).await;
    let authorizing = client(&server);
    let error = authorizing.transactions().update_authorization(&id(), request.clone()).await.unwrap_err();
    let verdict = authorizing.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed);

    let server = service(true, tell("REFUND", "PARTIALLY_REFUNDED")).await;
    let refunding = client(&server);
    let error = refunding.transactions().refund(&id(), RefundRequest::new(400)).await.unwrap_err();
    let verdict = refunding.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed);
}

/// A money call, as it is made and as it stands in a stored attempt.
type Begun = (String, std::pin::Pin<Box<dyn Future<Output = dintero::Result<Response<Verdict>>> + Send>>);

/// Every money call, with its attempt as it is stored before the call is awaited.
fn begun(client: &Client) -> [Begun; 6] {
    macro_rules! begun {
        ($call:expr) => {{
            let mut call = $call;
            (serde_json::to_string(&call.attempt()).unwrap(), call.into_future())
        }};
    }
    let session = SessionId::new("T12345678.s").unwrap();
    [
        begun!(client.transactions().capture(&id(), CaptureRequest::new(400))),
        begun!(client.transactions().refund(&id(), RefundRequest::new(400))),
        begun!(client.transactions().void(&id())),
        begun!(client.transactions().update_authorization(&id(), AuthorizationRequest::new().amount(400))),
        begun!(client.sessions().pay(pay_request())),
        begun!(client.sessions().cancel(&session)),
    ]
}

/// Each future is dropped while its request is at the service, which carries it out, or does not.
#[tokio::test]
async fn every_dropped_money_call_is_resolved_from_its_stored_attempt() {
    for executes in [true, false] {
        let seen_reference = std::sync::Mutex::new(String::new());
        let server = Server::start(move |seen| {
            let path = seen.target.split('?').next().unwrap_or_default();
            let path = path.strip_prefix("/v1").unwrap_or(path);
            if !seen.is_token() && seen.method != "GET" {
                *seen_reference.lock().unwrap() = format!("{} {path} {}", seen.method, reference_of(seen));
                return Reply::Hang;
            }
            let order = json!({"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"});
            let sent = seen_reference.lock().unwrap();
            let reference = sent.rsplit(' ').next().unwrap_or_default();
            let event = |name| json!({"event": name, "amount": 400, "success": true, "event_reference": reference});
            let (status, event) = match sent.as_str() {
                _ if !executes => ("AUTHORIZED", None),
                sent if sent.contains("/capture") => ("PARTIALLY_CAPTURED", Some(event("CAPTURE"))),
                sent if sent.contains("/refund") => ("PARTIALLY_REFUNDED", Some(event("REFUND"))),
                sent if sent.contains("/void") => {
                    ("AUTHORIZATION_VOIDED", Some(json!({"event": "VOID", "success": true})))
                }
                sent if sent.contains("/authorization") => ("AUTHORIZED", Some(event("AUTHORIZE"))),
                _ => ("AUTHORIZED", None),
            };
            let first = json!({"event": "AUTHORIZE", "amount": 1000, "success": true});
            let read = transaction(status, Value::Array([Some(first), event].into_iter().flatten().collect()));
            match path {
                _ if seen.is_token() => Reply::token("t0", 14_400),
                "/transactions" | "/sessions" if !executes => Reply::Json(200, json!([])),
                "/transactions" => Reply::Json(200, json!([read])),
                "/sessions/T12345678.s" => {
                    let cancelled = executes.then_some("2026-01-01T00:00:00Z");
                    Reply::Json(200, json!({"id": "T12345678.s", "order": order, "cancelled_at": cancelled}))
                }
                _ => Reply::Json(200, read),
            }
        })
        .await;
        let client = client(&server);
        let amounts = [Some(400), Some(400), None, Some(400), Some(1000), None];
        for ((stored, call), amount) in begun(&client).into_iter().zip(amounts) {
            let before = server.calls().len();
            assert!(
                tokio::time::timeout(Duration::from_secs(60), async {
                    tokio::select! {
                        _ = call => panic!("nothing responds to it"),
                        () = async { while server.calls().len() == before { tokio::task::yield_now().await } } => {}
                    }
                })
                .await
                .is_ok()
            );
            let attempt: Attempt = serde_json::from_str(&stored).unwrap();
            let verdict = client.resolve(&attempt).polling(quick()).await.unwrap();
            let outcome = if executes { Outcome::Completed } else { Outcome::Unknown };
            // Until its time is up it may still arrive.
            assert_eq!(verdict.outcome(), outcome, "{verdict:?}");
            assert_eq!((verdict.attempt(), attempt.amount()), (&attempt, amount));
        }
    }
}
