//! Successes that prove nothing, and traces that can be somebody else's.

use std::time::Duration;

use dintero::types::{CaptureRequest, PayRequest};
use dintero::{ErrorKind, Outcome, SessionId};
use serde_json::{Value, json};

use super::verdicts::{ID, capture, client, id, quick, resolved, service, transaction};
use crate::support::{Reply, Server};

/// What a 200 to a capture says, and what is made of it.
async fn of_response(tell: impl Fn(&str) -> Value + Send + Sync + 'static) -> Result<Outcome, (ErrorKind, Outcome)> {
    let server = service(false, tell).await;
    let result = capture(&client(&server)).await;
    assert_eq!(server.calls().len(), 1);
    result.map(|response| response.outcome()).map_err(|error| (error.kind(), error.outcome()))
}

fn event(reference: &str) -> Value {
    json!({"id": "1", "event": "CAPTURE", "amount": 400, "success": true, "event_reference": reference})
}

#[tokio::test]
async fn a_200_is_completed_with_proof_only() {
    let unknown = Err((ErrorKind::Unproven, Outcome::Unknown));
    type Tell = fn(&str) -> Value;
    let cases: [(&str, Tell); 15] = [
        ("no event at all", |_| transaction("CAPTURED", json!([]))),
        ("events missing", |_| {
            let mut body = transaction("CAPTURED", json!([]));
            body.as_object_mut().unwrap().remove("events");
            body
        }),
        ("events unreadable", |_| transaction("CAPTURED", json!("none"))),
        ("an event unreadable", |reference| transaction("CAPTURED", json!([event(reference), 7]))),
        ("success unreadable", |reference| {
            let mut event = event(reference);
            event["success"] = json!("yes");
            transaction("CAPTURED", json!([event]))
        }),
        ("success missing", |reference| {
            let mut event = event(reference);
            event.as_object_mut().unwrap().remove("success");
            transaction("CAPTURED", json!([event]))
        }),
        ("a correction unreadable", |reference| {
            let failed = json!({"event": "CAPTURE", "success": false, "correction": {"event_ids": 7}});
            transaction("CAPTURED", json!([event(reference), failed]))
        }),
        ("failed", |reference| transaction("FAILED", json!([event(reference)]))),
        ("declined", |reference| transaction("DECLINED", json!([event(reference)]))),
        ("still authorized", |reference| transaction("AUTHORIZED", json!([event(reference)]))),
        ("of another transaction", |reference| {
            let mut body = transaction("CAPTURED", json!([event(reference)]));
            body["id"] = json!("T12345678.other");
            body
        }),
        ("of another account", |reference| {
            let mut body = transaction("CAPTURED", json!([event(reference)]));
            body["id"] = json!("T87654321.abc");
            body
        }),
        ("another amount", |reference| {
            let mut event = event(reference);
            event["amount"] = json!(500);
            transaction("CAPTURED", json!([event]))
        }),
        ("somebody else's", |_| transaction("CAPTURED", json!([event("theirs")]))),
        ("twice", |reference| transaction("CAPTURED", json!([event(reference), event(reference)]))),
    ];
    for (what, tell) in cases {
        assert_eq!(of_response(tell).await, unknown, "{what}");
    }
    let begun = of_response(|reference| {
        let mut event = event(reference);
        event["event"] = json!("INITIATE_CAPTURE");
        transaction("AUTHORIZED", json!([event]))
    });
    assert_eq!(begun.await, Ok(Outcome::UnderWay));
    // What has nothing to do with it may be as it likes.
    let odd = of_response(|reference| {
        let mut event = event(reference);
        event["items"] = json!("none");
        event["error"] = json!(7);
        transaction("A_NEW_ONE", json!([event, {"event": "A_NEW_ONE", "amount": "much"}]))
    });
    assert_eq!(odd.await, Ok(Outcome::Completed));
}

#[tokio::test]
async fn a_failure_is_rejected_with_proof_only() {
    let failed = |reference: &str| {
        let mut event = event(reference);
        event["success"] = json!(false);
        event
    };
    let rejected = Err((ErrorKind::Failed, Outcome::Rejected));
    assert_eq!(of_response(move |own| transaction("AUTHORIZED", json!([failed(own)]))).await, rejected);
    let unknown = Err((ErrorKind::Unproven, Outcome::Unknown));
    let other = move |_: &str| {
        let mut event = failed("");
        event.as_object_mut().unwrap().remove("event_reference");
        transaction("AUTHORIZED", json!([event]))
    };
    assert_eq!(of_response(other).await, unknown, "it may be somebody else's");
    let hidden = move |own: &str| transaction("AUTHORIZED", json!([failed(own), {"event_reference": 7}]));
    assert_eq!(of_response(hidden).await, unknown, "what is not read may be a success");
    let beside = move |own: &str| transaction("PARTIALLY_CAPTURED", json!([event(own), failed(own)]));
    assert_eq!(of_response(beside).await, Ok(Outcome::Completed), "a gateway sent it twice");
}

/// A caller who uses one reference for more than one capture.
#[tokio::test]
async fn a_reference_used_before_proves_nothing_that_time_does_not() {
    let failed = json!({"event": "CAPTURE", "amount": 400, "success": false, "event_reference": "order-1"});
    let old = json!({"event": "CAPTURE", "amount": 400, "success": true, "event_reference": "order-1",
                     "created_at": "2020-01-01T00:00:00Z"});
    let own = CaptureRequest::new(400).capture_reference("order-1");
    let within = |seconds| {
        let client = dintero::Client::new(crate::support::credentials()).unwrap();
        client.transactions().capture(&id(), own.clone()).timeout(Duration::from_secs(seconds)).attempt()
    };
    let (open, settled) = (within(600), within(0));
    for (attempt, event, outcome) in [
        // The call whose response was lost may still arrive: the failure can be of the one before.
        (&open, &failed, Outcome::Unknown),
        (&settled, &failed, Outcome::Rejected),
        (&settled, &old, Outcome::Unknown),
    ] {
        let body = transaction("PARTIALLY_CAPTURED", json!([event]));
        let server = service(false, move |_| body.clone()).await;
        let verdict = client(&server).resolve(attempt).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{verdict:?} {event}");
    }
    // A failure, and the same call made again: the newest counts.
    let again = json!([failed, {"event": "CAPTURE", "amount": 400, "success": true, "event_reference": "order-1"}]);
    let server = service(false, move |_| transaction("PARTIALLY_CAPTURED", again.clone())).await;
    let captured = client(&server).transactions().capture(&id(), own).await.unwrap();
    assert!(captured.is_completed());
}

#[tokio::test]
async fn an_event_belongs_to_the_request_that_it_names() {
    // The end of an accepted capture may come without its reference: the start, which has it, tells whose it is.
    let verdict = resolved(|reference| {
        let start =
            json!({"event": "INITIATE_CAPTURE", "amount": 400, "event_reference": reference, "request_id": "r1"});
        let end = json!({"event": "CAPTURE", "amount": 400, "success": true, "correlation_request_id": "r1"});
        transaction("PARTIALLY_CAPTURED", json!([start, end]))
    });
    assert_eq!(verdict.await.outcome(), Outcome::Completed);
    let verdict = resolved(|_| {
        let start = json!({"event": "INITIATE_CAPTURE", "amount": 400, "event_reference": "other", "request_id": "r1"});
        let end = json!({"event": "CAPTURE", "amount": 400, "success": true, "correlation_request_id": "r1"});
        transaction("PARTIALLY_CAPTURED", json!([start, end]))
    });
    assert_eq!(verdict.await.outcome(), Outcome::NotReceived, "somebody else's");
}

#[tokio::test]
async fn a_202_stays_under_way_until_its_event_comes() {
    for named in [true, false] {
        let server = Server::start(move |seen| {
            let authorized = json!({"event": "AUTHORIZE", "success": true, "amount": 1000});
            match seen.method.as_str() {
                _ if seen.is_token() => Reply::token("t0", 14_400),
                "POST" => {
                    let name = if named { vec![("event-request-id", "r1".to_owned())] } else { vec![] };
                    Reply::Full(202, name, transaction("AUTHORIZED", json!([authorized])).to_string().into_bytes())
                }
                _ => Reply::Json(200, transaction("AUTHORIZED", json!([authorized]))),
            }
        })
        .await;
        let client = client(&server);
        let accepted = capture(&client).await.unwrap();
        assert_eq!(accepted.outcome(), Outcome::UnderWay);
        assert_eq!(accepted.attempt().event_request_id(), named.then_some("r1"));
        // However long ago: what was accepted is not called not received.
        let verdict = client.resolve(accepted.attempt()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), Outcome::UnderWay);
    }
    // 202 for something else is not ours.
    let server = Server::start(|seen| {
        let mut body = transaction("AUTHORIZED", json!([]));
        body["id"] = json!("T12345678.other");
        if seen.is_token() { Reply::token("t0", 14_400) } else { Reply::Json(202, body) }
    })
    .await;
    let error = capture(&client(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unproven, Outcome::Unknown));
}

/// A gateway that sent the capture twice is refused the second time, and passes that on.
#[tokio::test]
async fn a_429_after_the_service_acted_is_unknown() {
    let server = Server::start(|seen| match seen.method.as_str() {
        _ if seen.is_token() => Reply::token("t0", 14_400),
        "POST" => Reply::Json(429, json!({"error": {"message": "too many requests"}})),
        _ => Reply::Json(200, transaction("PARTIALLY_CAPTURED", json!([event("own")]))),
    })
    .await;
    let client = client(&server);
    let own = CaptureRequest::new(400).capture_reference("own");
    let error = client.transactions().capture(&id(), own).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(!error.is_retryable());
    let verdict = client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed);
}

#[tokio::test]
async fn a_void_needs_a_void_that_counts() {
    let void = |body: Value| async move {
        let server = service(false, move |_| body.clone()).await;
        let result = client(&server).transactions().void(&id()).await;
        result.map(|response| response.outcome()).map_err(|error| error.outcome())
    };
    let done = json!({"id": "1", "event": "VOID", "success": true});
    let failed = json!({"id": "2", "event": "VOID", "success": false, "correction": {"event_ids": ["1"]}});
    assert_eq!(void(transaction("AUTHORIZATION_VOIDED", json!([done]))).await, Ok(Outcome::Completed));
    assert_eq!(void(transaction("AUTHORIZED", json!([done]))).await, Err(Outcome::Unknown));
    assert_eq!(void(transaction("AUTHORIZATION_VOIDED", json!([done, failed]))).await, Err(Outcome::Unknown));
    assert_eq!(void(transaction("AUTHORIZATION_VOIDED", json!([]))).await, Err(Outcome::Unknown));
    let mut nameless = transaction("AUTHORIZATION_VOIDED", json!([done]));
    nameless.as_object_mut().unwrap().remove("id");
    assert_eq!(void(nameless).await, Err(Outcome::Unknown));
}

#[tokio::test]
async fn a_session_is_cancelled_when_it_says_so() {
    let session = SessionId::new("T12345678.s").unwrap();
    let order = json!({"amount": 1000, "currency": "NOK", "merchant_reference": "r"});
    for (body, outcome) in [
        (json!({"id": "T12345678.s", "order": order, "cancelled_at": "2026-01-01T00:00:00Z"}), Ok(Outcome::Completed)),
        (json!({"id": "T12345678.s", "order": order}), Err(Outcome::Unknown)),
        (json!({"id": "T12345678.s", "order": order, "cancelled_at": 7}), Err(Outcome::Unknown)),
        (json!({"id": "T12345678.x", "order": order, "cancelled_at": "2026-01-01T00:00:00Z"}), Err(Outcome::Unknown)),
    ] {
        let what = body.to_string();
        let server = service(false, move |_| body.clone()).await;
        let result = client(&server).sessions().cancel(&session).await;
        let result = result.map(|response| response.outcome()).map_err(|error| error.outcome());
        assert_eq!(result, outcome, "{what}");
    }
}

#[tokio::test]
async fn a_payment_is_looked_for_in_transactions_and_sessions() {
    let own = |status: &str| transaction(status, json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}]));
    let request: PayRequest = serde_json::from_value(json!({
        "session": {"order": {"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"}},
    }))
    .unwrap();
    let within = |seconds| {
        let client = dintero::Client::new(crate::support::credentials()).unwrap();
        client.sessions().pay(request.clone()).timeout(Duration::from_secs(seconds)).attempt()
    };
    let (open, settled) = (within(600), within(0));
    // In the list of transactions; only in the list of sessions; nowhere; nowhere, and sessions cannot be listed.
    for (listed, sessions, attempt, outcome) in [
        (Some("AUTHORIZED"), 200, &open, Outcome::Completed),
        (Some("DECLINED"), 200, &open, Outcome::Unknown),
        (Some("INITIATED"), 200, &settled, Outcome::UnderWay),
        (None, 200, &open, Outcome::Completed),
        (None, 404, &settled, Outcome::NotReceived),
        (None, 404, &open, Outcome::Unknown),
    ] {
        let server = Server::start(move |seen| {
            let path = seen.target.split('?').next().unwrap_or_default();
            match path.strip_prefix("/v1").unwrap_or(path) {
                _ if seen.is_token() => Reply::token("t0", 14_400),
                "/transactions" => Reply::Json(200, Value::Array(listed.map(own).into_iter().collect())),
                "/sessions" if sessions == 200 => {
                    let order = json!({"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"});
                    Reply::Json(200, json!([{"id": "T12345678.s", "order": order, "transaction_id": ID}]))
                }
                "/sessions" => Reply::error(sessions),
                _ => {
                    let mut read = own(listed.unwrap_or("AUTHORIZED"));
                    if listed == Some("DECLINED") {
                        read["events"] = json!([]);
                    }
                    Reply::Json(200, read)
                }
            }
        })
        .await;
        let verdict = client(&server).resolve(attempt).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{listed:?} {sessions}: {verdict:?}");
    }
}

/// What is in a list and cannot be read is not taken for absent: it may be the payment.
#[tokio::test]
async fn a_listed_payment_that_cannot_be_read_is_not_taken_for_absent() {
    let client_of = |transactions: Value, sessions: Value, read: Value| async move {
        let server = Server::start(move |seen| {
            let path = seen.target.split('?').next().unwrap_or_default();
            match path.strip_prefix("/v1").unwrap_or(path) {
                _ if seen.is_token() => Reply::token("t0", 14_400),
                "/transactions" => Reply::Json(200, transactions.clone()),
                "/sessions" => Reply::Json(200, sessions.clone()),
                _ => Reply::Json(200, read.clone()),
            }
        })
        .await;
        (client(&server), server)
    };
    let without = |name: &str, value: Option<Value>| {
        let mut body = transaction("AUTHORIZED", json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}]));
        match value {
            Some(value) => body[name] = value,
            None => drop(body.as_object_mut().unwrap().remove(name)),
        }
        body
    };
    let order = json!({"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"});
    let session = |id: Value| json!([{"id": "T12345678.s", "order": order, "transaction_id": id}]);
    let whole = without("none", None);
    let settled = || {
        let client = dintero::Client::new(crate::support::credentials()).unwrap();
        client.sessions().pay(super::verdicts::pay_request()).timeout(Duration::ZERO).attempt()
    };
    // The row, or the row of its session.
    for (transactions, sessions) in [
        (json!([without("id", None)]), json!([])),
        (json!([without("id", Some(json!("of no form")))]), json!([])),
        (json!([without("amount", Some(json!("much")))]), json!([])),
        (json!([7]), json!([])),
        (json!([]), session(json!("of no form"))),
        (json!([]), session(json!(7))),
        (json!([]), json!([7])),
    ] {
        let what = format!("{transactions} {sessions}");
        let (client, _server) = client_of(transactions, sessions, whole.clone()).await;
        let error = client.resolve(&settled()).polling(quick()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable, "{what}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{what}");
    }
    // The transaction itself.
    for (name, value) in
        [("id", None), ("merchant_reference", None), ("merchant_reference", Some(json!(7))), ("status", Some(json!(7)))]
    {
        let read = without(name, value.clone());
        let (client, _server) = client_of(json!([whole.clone()]), json!([]), read).await;
        let verdict = client.resolve(&settled()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), Outcome::Unknown, "{name} {value:?}: {verdict:?}");
    }
    // Another's session, and one that nobody has paid, are none.
    for sessions in [session(Value::Null), json!([])] {
        let (client, _server) = client_of(json!([]), sessions, whole.clone()).await;
        let verdict = client.resolve(&settled()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), Outcome::NotReceived);
    }
}

/// A cancellation whose session is not cancelled, with a transaction that hides whether one is under way.
#[tokio::test]
async fn a_cancellation_is_not_taken_for_absent_by_what_cannot_be_read() {
    let session = SessionId::new("T12345678.s").unwrap();
    let first = json!({"event": "AUTHORIZE", "success": true, "amount": 1000});
    let settled = || {
        let client = dintero::Client::new(crate::support::credentials()).unwrap();
        client.sessions().cancel(&session).timeout(Duration::ZERO).attempt()
    };
    for (transaction_id, events, outcome) in [
        (json!(ID), json!([first]), Outcome::NotReceived),
        (Value::Null, json!([]), Outcome::NotReceived),
        (json!("of no form"), json!([first]), Outcome::Unknown),
        (json!(ID), json!([]), Outcome::Unknown),
        (json!(ID), json!("none"), Outcome::Unknown),
        (json!(ID), json!([first, 7]), Outcome::Unknown),
        (json!(ID), json!([first, {"event": 7}]), Outcome::Unknown),
        (json!(ID), json!([first, {"event": "INITIATE_VOID", "request_id": "r1"}]), Outcome::UnderWay),
        (json!(ID), json!([first, {"event": "VOID", "success": false}]), Outcome::Rejected),
        (json!(ID), json!([first, {"event": "VOID", "success": true}]), Outcome::Unknown),
    ] {
        let what = format!("{transaction_id} {events}");
        let order = json!({"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"});
        let body = json!({"id": "T12345678.s", "order": order, "transaction_id": transaction_id});
        let server = Server::start(move |seen| match seen.target.contains("/sessions/") {
            _ if seen.is_token() => Reply::token("t0", 14_400),
            true => Reply::Json(200, body.clone()),
            false => Reply::Json(200, transaction("AUTHORIZED", events.clone())),
        })
        .await;
        let verdict = client(&server).resolve(&settled()).polling(quick()).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{what}: {verdict:?}");
    }
}
