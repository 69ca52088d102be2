//! How evidence is had: what is read, how often, and which failure ends it.

use std::time::Duration;

use dintero::types::{CaptureRequest, PayRequest};
use dintero::{Attempt, Client, ErrorKind, Outcome, PollOptions, SessionId};
use serde_json::{Value, json};

use super::verdicts::{ID, client, done, id, pay_request, quick, reference_of, transaction};
use crate::support::{Reply, Seen, Server};

/// A client that sends nothing, for attempts that are made anew.
fn nobody() -> Client {
    Client::new(crate::support::credentials()).unwrap()
}

fn captured(seconds: u64) -> Attempt {
    nobody().transactions().capture(&id(), CaptureRequest::new(400)).timeout(Duration::from_secs(seconds)).attempt()
}

fn paid(seconds: u64) -> Attempt {
    nobody().sessions().pay(pay_request()).timeout(Duration::from_secs(seconds)).attempt()
}

/// A service that responds to all but the token call by the path below `/v1`.
async fn routes(route: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        let path = seen.target.split('?').next().unwrap_or_default();
        if seen.is_token() { Reply::token("t0", 14_400) } else { route(path.strip_prefix("/v1").unwrap_or(path)) }
    })
    .await
}

#[tokio::test]
async fn a_read_that_cannot_succeed_ends_it_and_one_that_may_is_made_again() {
    let reads = async |(status, lasts)| {
        let server = routes(move |_| Reply::error(status)).await;
        let options = PollOptions { timeout: Some(Duration::from_secs(3)), ..quick() };
        let error = client(&server).resolve(&captured(0)).polling(options).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(server.calls().len() == 1, lasts, "{status}: {} reads", server.calls().len());
    };
    let statuses = [(400, true), (403, true), (404, true), (408, false), (429, false), (500, false)];
    futures_util::future::join_all(statuses.map(reads)).await;
}

/// Without a merchant reference there is nothing to look for, however long.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_for_is_refused_at_once() {
    let request: PayRequest = serde_json::from_value(json!({})).unwrap();
    let attempt = nobody().sessions().pay(request).attempt();
    let began = tokio::time::Instant::now();
    let error = nobody().resolve(&attempt).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::InvalidRequest, Duration::ZERO));
}

#[tokio::test]
async fn a_cancelled_session_needs_no_look_at_its_transaction() {
    for cancelled in [true, false] {
        let server = routes(move |path| match path.starts_with("/sessions/") {
            true => Reply::Json(
                200,
                json!({"id": "T12345678.s", "transaction_id": ID, "cancelled_at": cancelled.then_some("2026-01-01T00:00:00Z"),
                       "order": {"amount": 1000, "currency": "NOK", "merchant_reference": "order-1"}}),
            ),
            false => Reply::Json(200, transaction("AUTHORIZED", json!([{"event": "AUTHORIZE", "success": true}]))),
        })
        .await;
        let session = SessionId::new("T12345678.s").unwrap();
        let attempt = nobody().sessions().cancel(&session).timeout(Duration::ZERO).attempt();
        let verdict = client(&server).resolve(&attempt).polling(quick()).await.unwrap();
        let outcome = if cancelled { Outcome::Completed } else { Outcome::NotReceived };
        assert_eq!((verdict.outcome(), verdict.transaction().is_some()), (outcome, !cancelled));
        assert_eq!(server.calls().len(), if cancelled { 1 } else { 2 });
        assert!(verdict.session().is_some());
    }
}

/// The list is searched by the reference, and may give others as well.
#[tokio::test]
async fn only_transactions_with_the_reference_are_looked_at() {
    let listed = |id: &str, reference: &str| {
        let mut row = transaction("AUTHORIZED", json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}]));
        row["id"] = json!(format!("T12345678.{id}"));
        row["merchant_reference"] = json!(reference);
        row
    };
    let server = routes(move |path| match path.strip_prefix("/transactions") {
        Some("") => Reply::Json(200, json!([listed("a", "order-10"), listed("b", " order-1 ")])),
        Some("/T12345678.b") => Reply::Json(200, listed("b", "order-1")),
        _ => Reply::error(404),
    })
    .await;
    let verdict = client(&server).resolve(&paid(600)).polling(quick()).await.unwrap();
    assert_eq!((verdict.outcome(), verdict.why()), (Outcome::Completed, "the payment is authorized or captured"));
    assert_eq!(verdict.transaction().unwrap().id.as_ref().map(|id| id.as_str()), Some("T12345678.b"));
    assert_eq!(server.calls().len(), 2, "the other was not read");
}

#[tokio::test]
async fn too_many_transactions_with_the_reference_prove_nothing() {
    for (count, outcome) in [(50, Outcome::Completed), (51, Outcome::Unknown)] {
        // One went through; the others were declined before it.
        let row = |number: usize| {
            let success = number == 0;
            let status = if success { "AUTHORIZED" } else { "DECLINED" };
            let mut row = transaction(status, json!([{"event": "AUTHORIZE", "success": success, "amount": 1000}]));
            row["id"] = json!(format!("T12345678.{number}"));
            row["created_at"] = json!(format!("{}-01-01T00:00:00Z", if success { 2200 } else { 2100 }));
            row
        };
        let server = routes(move |path| match path.strip_prefix("/transactions/T12345678.") {
            Some(number) => Reply::Json(200, row(number.parse().unwrap())),
            None => Reply::Json(200, Value::Array((0..count).map(row).collect())),
        })
        .await;
        let options = PollOptions { timeout: Some(Duration::ZERO), ..quick() };
        let verdict = client(&server).resolve(&paid(600)).polling(options).await.unwrap();
        assert_eq!(verdict.outcome(), outcome, "{count}: {verdict:?}");
        assert!(verdict.transaction().is_some());
    }
}

/// Sessions are listed at one host only; any other failure of the list hides what it would show.
#[tokio::test]
async fn sessions_that_cannot_be_listed_are_done_without_and_others_are_not() {
    for (status, lists) in
        [(403, true), (404, true), (405, true), (501, true), (400, false), (406, false), (500, false)]
    {
        let server = routes(move |path| match path {
            "/transactions" => Reply::Json(200, json!([])),
            _ => Reply::error(status),
        })
        .await;
        let found = client(&server).resolve(&paid(0)).polling(quick()).await;
        match found {
            Ok(verdict) => assert_eq!((verdict.outcome(), lists), (Outcome::NotReceived, true), "{status}"),
            Err(error) => {
                assert!(!lists, "{status}: {error}");
                assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            }
        }
    }
}

/// The settle time is as long as the call itself could take, where that is more than a minute.
#[tokio::test(start_paused = true)]
async fn a_long_call_is_waited_for_as_long_again() {
    let begun = tokio::time::Instant::now();
    let reference = std::sync::Mutex::new(String::new());
    let server = Server::start(move |seen: &Seen| {
        if seen.is_token() {
            return Reply::token("t0", 14_400);
        }
        let mut reference = reference.lock().unwrap();
        if seen.method == "POST" {
            *reference = reference_of(seen);
            return Reply::Hang;
        }
        // The gateway passes it on after 220 s: more than a minute after the 120 s that the call had.
        let events = match begun.elapsed() >= Duration::from_secs(220) {
            true => json!([done(&reference)]),
            false => json!([{"event": "AUTHORIZE", "success": true, "amount": 1000}]),
        };
        Reply::Json(200, transaction("PARTIALLY_CAPTURED", events))
    })
    .await;
    let client = client(&server);
    let call = client.transactions().capture(&id(), CaptureRequest::new(400)).timeout(Duration::from_secs(120));
    let error = call.await.unwrap_err();
    let verdict = client.resolve(error.attempt().unwrap()).await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Completed, "{verdict:?} after {:?}", begun.elapsed());
}
