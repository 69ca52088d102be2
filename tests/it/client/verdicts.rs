//! What raw responses prove: each test is one way in which a client could come to believe that money moved, or did
//! not, without proof of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dintero::types::{CaptureRequest, PayRequest};
use dintero::{Client, Error, ErrorKind, Outcome, PollOptions, Response, RetryPolicy, TransactionId, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{Reply, Seen, Server};

pub(crate) const ID: &str = "T12345678.abc";
/// A time that every clock agrees is after the call.
const LATER: &str = "2200-01-01T00:00:00Z";

pub(crate) fn id() -> TransactionId {
    TransactionId::new(ID).unwrap()
}

pub(crate) fn transaction(status: &str, events: Value) -> Value {
    json!({
        "id": ID, "amount": 1000, "currency": "NOK", "payment_product": "payex", "merchant_reference": "order-1",
        "payment_product_type": "payex.creditcard", "status": status, "events": events,
    })
}

/// A service whose transaction is what `tell` makes of the reference of the call. The call itself gets it
/// too, unless `lost`.
pub(crate) async fn service(lost: bool, tell: impl Fn(&str) -> Value + Send + Sync + 'static) -> Server {
    let reference = std::sync::Mutex::new(String::new());
    Server::start(move |seen| {
        if seen.is_token() {
            return Reply::token("t0", 14_400);
        }
        if seen.method == "POST" {
            *reference.lock().unwrap() = reference_of(seen);
            if lost {
                return Reply::Reset;
            }
        }
        Reply::Json(200, tell(&reference.lock().unwrap()))
    })
    .await
}

pub(crate) fn reference_of(seen: &Seen) -> String {
    let body = serde_json::from_slice::<Value>(&seen.body).unwrap_or_default();
    let names = ["capture_reference", "refund_reference", "reference"];
    names.iter().find_map(|name| body[*name].as_str()).unwrap_or_default().to_owned()
}

pub(crate) fn quick() -> PollOptions {
    PollOptions {
        timeout: Some(Duration::from_millis(60)),
        interval: Duration::from_millis(5),
        longest_interval: Duration::from_millis(10),
        settle: Some(Duration::ZERO),
        ..PollOptions::default()
    }
}

pub(crate) fn client(server: &Server) -> Client {
    server.builder().retry(RetryPolicy::never()).build().unwrap()
}

pub(crate) async fn capture(client: &Client) -> Result<Response<Verdict>, Error> {
    client.transactions().capture(&id(), CaptureRequest::new(400)).await
}

/// A capture whose response is lost, and what the events then prove.
pub(crate) async fn resolved(tell: impl Fn(&str) -> Value + Send + Sync + 'static) -> Verdict {
    let server = service(true, tell).await;
    let client = client(&server);
    let error = capture(&client).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    client.resolve(error.attempt().unwrap()).polling(quick()).await.unwrap()
}

#[tokio::test]
async fn somebody_elses_failure_is_not_ours() {
    let tell = |reference: &str| {
        let events = json!([
            {"id": "1", "event": "CAPTURE", "amount": 400, "success": true, "event_reference": reference,
             "created_at": "2026-01-01T00:00:00Z"},
            {"id": "2", "event": "CAPTURE", "amount": 100, "success": false, "created_at": LATER},
            {"id": "3", "event": "REFUND", "amount": 100, "success": false, "event_reference": reference,
             "created_at": LATER},
        ]);
        transaction("PARTIALLY_CAPTURED", events)
    };
    let server = service(false, tell).await;
    let captured = capture(&client(&server)).await.unwrap();
    assert!(captured.is_completed());
    assert_eq!(captured.event().unwrap().id.as_deref(), Some("1"));
    assert!(captured.failed_event().is_none());
    let verdict = resolved(tell).await;
    assert_eq!(verdict.outcome(), Outcome::Completed);
}

pub(crate) fn pay_request() -> PayRequest {
    serde_json::from_value(json!({
        "session": {"order": {"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"},
                    "customer": {"tokens": {"payex.creditcard": {"payment_token": "token"}}}},
        "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_payment_whose_automatic_capture_failed_is_authorized() {
    let authorize = json!({"event": "AUTHORIZE", "amount": 1000, "success": true});
    let failed = json!({"id": "f", "event": "CAPTURE", "amount": 1000, "success": false, "created_at": LATER});
    let other = json!({"id": "f", "event": "VOID", "success": false, "created_at": LATER});
    for (status, success, events) in [
        ("AUTHORIZED", json!(null), json!([authorize, failed])),
        ("AUTHORIZED", json!(true), json!([failed])),
        ("AUTHORIZED", json!(null), json!([authorize, other])),
        ("CAPTURED", json!(true), json!([authorize, failed])),
        ("CAPTURED", json!(true), json!([other])),
    ] {
        let what = format!("{status} {success} {events}");
        let mut body = transaction(status, events);
        body["success"] = success;
        let server = service(false, move |_| body.clone()).await;
        let paid = client(&server).sessions().pay(pay_request()).await;
        let paid = paid.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(paid.is_completed(), "{what}");
        assert_eq!(paid.failed_event().and_then(|event| event.id.as_deref()), Some("f"), "{what}");
    }
}

#[tokio::test]
async fn a_payment_is_rejected_or_completed_with_proof_only() {
    let authorize = |success: bool| json!([{"event": "AUTHORIZE", "amount": 1000, "success": success}]);
    let cases = [
        ("DECLINED", json!(false), authorize(false), ErrorKind::Failed, Outcome::Rejected),
        ("FAILED", json!(null), authorize(false), ErrorKind::Failed, Outcome::Rejected),
        ("DECLINED", json!(false), authorize(true), ErrorKind::Unproven, Outcome::Unknown),
        ("DECLINED", json!(true), authorize(false), ErrorKind::Unproven, Outcome::Unknown),
        ("DECLINED", json!(false), json!("none"), ErrorKind::Unproven, Outcome::Unknown),
        ("AUTHORIZED", json!(false), authorize(true), ErrorKind::Unproven, Outcome::Unknown),
        ("AUTHORIZED", json!(null), authorize(false), ErrorKind::Unproven, Outcome::Unknown),
        ("A_NEW_ONE", json!(null), authorize(true), ErrorKind::Unproven, Outcome::Unknown),
        ("AUTHORIZATION_VOIDED", json!(true), authorize(true), ErrorKind::Unproven, Outcome::Unknown),
    ];
    for (status, success, events, kind, outcome) in cases {
        let what = format!("{status} {success} {events}");
        let mut body = transaction(status, events);
        body["success"] = success;
        let server = service(false, move |_| body.clone()).await;
        let error = client(&server).sessions().pay(pay_request()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{what}");
    }
    // Another account's, another amount's, another order's.
    for (field, value) in
        [("id", json!("T87654321.abc")), ("amount", json!(999)), ("merchant_reference", json!("order-2"))]
    {
        let mut body = transaction("AUTHORIZED", authorize(true));
        body[field] = value;
        let server = service(false, move |_| body.clone()).await;
        let error = client(&server).sessions().pay(pay_request()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unproven, Outcome::Unknown), "{field}");
    }
    for status in ["INITIATED", "ON_HOLD"] {
        let body = transaction(status, json!([]));
        let server = service(false, move |_| body.clone()).await;
        let paid = client(&server).sessions().pay(pay_request()).await.unwrap();
        assert!(paid.is_under_way(), "{status}");
    }
}

#[tokio::test]
async fn a_success_without_a_reference_may_be_ours() {
    for event in [
        json!({"event": "CAPTURE", "amount": 400, "success": true, "created_at": LATER}),
        json!({"event": "CAPTURE", "amount": 400, "success": true, "event_reference": " "}),
        json!({"event": "CAPTURE", "success": true, "created_at": LATER}),
        json!({"event": "INITIATE_CAPTURE", "amount": 400, "success": true, "created_at": LATER}),
        json!({"event": "INITIATE", "created_at": LATER}),
    ] {
        let told = event.clone();
        let verdict = resolved(move |_| transaction("PARTIALLY_CAPTURED", json!([told]))).await;
        assert_eq!(verdict.outcome(), Outcome::Unknown, "{event}: {verdict:?}");
        assert!(verdict.event().is_some(), "what may be ours is shown");
    }
    // These are not.
    for event in [
        json!({"event": "CAPTURE", "amount": 400, "success": true, "created_at": "2020-01-01T00:00:00Z"}),
        json!({"event": "CAPTURE", "amount": 300, "success": true, "created_at": LATER}),
        json!({"event": "CAPTURE", "amount": 400, "success": true, "event_reference": "theirs", "created_at": LATER}),
        json!({"event": "CAPTURE", "amount": 400, "success": false, "created_at": LATER}),
        json!({"event": "REFUND", "amount": 400, "success": true, "created_at": LATER}),
        json!({"event": "AUTHORIZE", "amount": 400, "success": true, "created_at": LATER}),
    ] {
        let told = event.clone();
        let verdict = resolved(move |_| transaction("PARTIALLY_CAPTURED", json!([told]))).await;
        assert_eq!(verdict.outcome(), Outcome::NotReceived, "{event}: {verdict:?}");
    }
}

/// The event of a capture that the service carried out.
pub(crate) fn done(reference: &str) -> Value {
    json!({"id": "1", "event": "CAPTURE", "amount": 400, "success": true, "event_reference": reference})
}

/// A service that loses the response to the capture, and shows the capture only once `acted`.
async fn late(acted: Arc<AtomicBool>, read: impl Fn(usize, Value) -> Reply + Send + Sync + 'static) -> Server {
    let state = std::sync::Mutex::new((String::new(), 0));
    Server::start(move |seen| {
        let mut state = state.lock().unwrap();
        match seen.method.as_str() {
            _ if seen.is_token() => Reply::token("t0", 14_400),
            "POST" => {
                state.0 = reference_of(seen);
                Reply::Reset
            }
            _ => {
                state.1 += 1;
                let events = if acted.load(Ordering::SeqCst) {
                    json!([done(&state.0)])
                } else {
                    json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}])
                };
                let status = if acted.load(Ordering::SeqCst) { "PARTIALLY_CAPTURED" } else { "AUTHORIZED" };
                read(state.1, transaction(status, events))
            }
        }
    })
    .await
}

#[tokio::test]
async fn time_counts_from_the_beginning_of_a_read() {
    let acted = Arc::new(AtomicBool::new(false));
    let acting = acted.clone();
    // The first read is looked up at once and responded to after the settle time; meanwhile the request arrives.
    let server = late(acted, move |read, body| {
        acting.store(true, Ordering::SeqCst);
        if read == 1 { Reply::Json(200, body).after(Duration::from_millis(400)) } else { Reply::Json(200, body) }
    })
    .await;
    let client = client(&server);
    let error = capture(&client).await.unwrap_err();
    let options = PollOptions { settle: Some(Duration::from_millis(200)), ..quick() };
    let verdict = client.resolve(error.attempt().unwrap()).polling(options).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed, "the first read does not count, and a second was made");
}

/// The time of a call is 30 s; a gateway holds its request for 45 s, and then passes it on.
#[tokio::test(start_paused = true)]
async fn a_request_that_a_gateway_holds_is_waited_for() {
    let acted = Arc::new(AtomicBool::new(false));
    let (arrived, begun) = (acted, tokio::time::Instant::now());
    // What moves money is held, and nobody gets the response.
    let held = std::sync::Mutex::new(None);
    let gateway = Server::start(move |seen| {
        if seen.is_token() {
            return Reply::token("t0", 14_400);
        }
        let mut held = held.lock().unwrap();
        if seen.method == "POST" {
            *held = Some(reference_of(seen));
            return Reply::Hang;
        }
        if begun.elapsed() >= Duration::from_secs(45) {
            arrived.store(true, Ordering::SeqCst);
        }
        let events = match (arrived.load(Ordering::SeqCst), held.as_deref()) {
            (true, Some(reference)) => json!([done(reference)]),
            _ => json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}]),
        };
        Reply::Json(200, transaction("PARTIALLY_CAPTURED", events))
    })
    .await;
    let client = client(&gateway);
    let error = capture(&client).await.unwrap_err();
    assert!(error.is_timeout());
    let verdict = client.resolve(error.attempt().unwrap()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed, "{:?} after {:?}", verdict, begun.elapsed());
    assert_eq!(gateway.calls().iter().filter(|seen| seen.method == "POST").count(), 1);
}

#[tokio::test]
async fn what_a_correction_takes_back_did_not_happen() {
    let tell = |reference: &str| {
        let correction = json!({"status": "AUTHORIZED", "remaining_capture_amount": 1000, "event_ids": ["1"]});
        let failed = json!({"id": "2", "event": "CAPTURE", "amount": 400, "success": false, "correction": correction});
        transaction("AUTHORIZED", json!([done(reference), failed]))
    };
    let verdict = resolved(tell).await;
    assert_eq!(verdict.outcome(), Outcome::Rejected);
    assert_eq!(verdict.transaction().unwrap().captured(), Ok(0));
    let server = service(false, tell).await;
    assert_eq!(capture(&client(&server)).await.unwrap_err().outcome(), Outcome::Rejected);
}

#[tokio::test]
async fn a_refused_request_was_sent() {
    let tokens = Server::start(|_| Reply::token("t0", 14_400)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let refusing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Nobody listens any more once the request has been seen.
        drop(listener);
        let mut seen = [0; 4096];
        let read = stream.read(&mut seen).await.unwrap();
        assert!(read > 0);
        let body = r#"{"error":{"message":"expired"}}"#;
        let head = format!("HTTP/1.1 401 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
    });
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    let client = tokens.builder().base_url(format!("http://{address}/v1")).retry(retry).build().unwrap();
    let error = capture(&client).await.unwrap_err();
    refusing.await.unwrap();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!(error.outcome(), Outcome::Rejected);
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(cause.kind(), ErrorKind::Connect);
    assert!(error.attempts() > 1);
}

/// Refused once, and time is up while the connection for the second request does not come about.
#[tokio::test]
async fn a_deadline_while_connecting_again_takes_back_no_refusal() {
    let tokens = Server::start(|_| Reply::token("t0", 14_400)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let refusing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        // Nobody is accepted any more: once the queue is full, a connection does not come about.
        let mut waiting = Vec::new();
        while let Ok(connected) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            waiting.push(connected.unwrap());
        }
        stream.write_all(b"HTTP/1.1 401 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
        drop((listener, waiting));
    });
    let client = tokens.builder().base_url(format!("http://{address}/v1")).timeout(Duration::from_secs(2));
    let error = capture(&client.retry(RetryPolicy::never()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::Timeout, Outcome::Rejected, 2));
    refusing.abort();
}
