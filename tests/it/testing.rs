//! Responses and errors as a program's own unit tests make them: what the client would give, without a server.

use dintero::http::Response;
use dintero::types::{CaptureRequest, Transaction};
use dintero::{Attempt, Client, ErrorKind, Operation, Outcome, SessionId, TransactionId, testing};
use serde_json::{Value, json};

use crate::support::credentials;

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

fn attempt() -> Attempt {
    let client = Client::new(credentials()).unwrap();
    client.transactions().capture(&id(), CaptureRequest::new(40).capture_reference("parcel-1")).attempt()
}

fn http(status: u16, body: &Value) -> Response<dintero::bytes::Bytes> {
    Response::builder().status(status).body(body.to_string().into()).unwrap()
}

fn transaction(events: Value) -> Value {
    json!({ "id": "T12345678.abc", "amount": 100, "currency": "NOK", "events": events })
}

#[test]
fn a_response_of_a_money_call_is_judged_as_the_client_does() {
    let events = json!([{ "event": "CAPTURE", "amount": 40, "success": true, "event_reference": "parcel-1" }]);
    let done = testing::verdict(attempt(), http(200, &transaction(events))).unwrap();
    assert!(done.is_completed() && done.transaction().is_some_and(|read| read.captured() == Ok(40)));
    let accepted = testing::verdict(attempt(), http(202, &transaction(json!([])))).unwrap();
    assert_eq!(accepted.outcome(), Outcome::UnderWay);
    let refusal = json!({ "error": { "code": "E1", "message": "no" } });
    for (response, kind, outcome) in [
        (http(400, &refusal), ErrorKind::Api, Outcome::Rejected),
        (http(500, &refusal), ErrorKind::Api, Outcome::Unknown),
        (http(200, &json!({})), ErrorKind::Unreadable, Outcome::Unknown),
        (http(200, &json!({ "amount": 100, "currency": "NOK" })), ErrorKind::Unproven, Outcome::Unknown),
    ] {
        let error = testing::verdict(attempt(), response).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{error}");
        assert_eq!(error.operation(), Some(Operation::CaptureTransaction));
        assert_eq!(error.attempt().and_then(|known| known.reference()), Some("parcel-1"), "{error}");
    }
}

/// The only money call whose response is a session.
#[test]
fn a_response_of_a_cancellation_is_judged_as_the_client_does() {
    let client = Client::new(credentials()).unwrap();
    let attempt = client.sessions().cancel(&SessionId::new("T12345678.def").unwrap()).attempt();
    let order = json!({ "amount": 100, "currency": "NOK", "merchant_reference": "order-1" });
    let session = json!({ "id": "T12345678.def", "order": order, "cancelled_at": "2026-05-07T10:00:00Z" });
    let done = testing::verdict(attempt, http(200, &session)).unwrap();
    assert!(done.is_completed() && done.session().is_some_and(|read| read.cancelled_at.is_some()), "{done:?}");
}

#[test]
fn a_response_of_another_call_is_read_as_the_client_does() {
    let read = |status, body: &Value| testing::response::<Transaction>(Operation::GetTransaction, http(status, body));
    let partly = read(200, &transaction(json!([{ "amount": "forty" }]))).unwrap();
    assert_eq!((partly.amount, partly.status().as_u16(), partly.skipped_fields().len()), (100, 200, 1));
    let error = read(404, &json!({ "error": { "message": "no" } })).unwrap_err();
    assert_eq!((error.kind(), error.message(), error.outcome()), (ErrorKind::Api, Some("no"), Outcome::Rejected));
    let error = read(200, &json!({ "currency": "NOK" })).unwrap_err();
    assert_eq!(error.path().map(ToString::to_string).as_deref(), Some("$.amount"));
    assert_eq!(error.outcome(), Outcome::ReadOnly);
}

#[test]
fn an_error_without_a_response_has_the_outcome_of_its_call() {
    let error = testing::timed_out(attempt());
    assert!(error.is_timeout() && !error.is_retryable() && error.attempts() == 1, "{error:?}");
    assert_eq!((error.outcome(), error.attempt().is_some()), (Outcome::Unknown, true));
    let error = testing::timed_out(Operation::GetSession);
    assert!(error.is_timeout() && error.is_retryable() && error.outcome() == Outcome::ReadOnly);
    let error = testing::not_connected(attempt());
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
    assert!(error.is_retryable() && error.to_string().starts_with("capture_transaction: no connection"), "{error}");
}
