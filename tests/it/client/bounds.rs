//! What a response, a certificate or a setting may do to a call, and what it may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::tls::TlsServer;
use crate::support::tokens::{LONG, call};
use crate::support::{ACCOUNT, Reply, Server};
use dintero::types::{CaptureRequest, RefundRequest};
use dintero::{AccountId, Client, Credentials, ErrorKind, Outcome, Result, RetryPolicy, TransactionId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

async fn capture(client: &Client, amount: i64) -> Result<()> {
    let request: CaptureRequest = serde_json::from_value(json!({ "amount": amount })).unwrap();
    client.transactions().capture(&id(), request).await.map(drop)
}

/// A service that responds with `reply` to all but the token call.
async fn service(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| if seen.is_token() { Reply::token("t0", LONG) } else { reply() }).await
}

/// A head that promises more of a body than there is.
fn head(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nevent-request-id: e-1\r\nx-request-id: r-1\r\ncontent-length: 999\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn a_long_response_with_many_wrong_fields_is_read_but_for_those() {
    let event = |index: usize| {
        let filler = "x".repeat(600);
        let amount = if index.is_multiple_of(2) { json!("12") } else { json!(12) };
        json!({ "event": "CAPTURE", "amount": amount, "id": format!("{index}"), "event_reference": filler })
    };
    let events: Vec<Value> = (0..2_000).map(event).collect();
    let body = json!({ "id": "T12345678.abc", "amount": 100, "currency": "NOK", "events": events });
    let server = service(move || Reply::Json(200, body.clone())).await;
    let client = server.builder().build().unwrap();
    let read = client.transactions().get(&id()).await.unwrap();
    assert!(read.body().len() > 1_000_000);
    assert_eq!((read.events.len(), read.skipped_fields().len()), (2_000, 1_000));
    assert_eq!(read.skipped_fields()[1].path.to_string(), "$.events[2].amount");
    assert_eq!(read.skipped_fields()[1].value, json!("12"));
    assert_eq!((read.events[2].amount, read.events[3].amount), (None, Some(12)));
}

#[tokio::test]
async fn an_error_keeps_no_more_of_a_large_response_than_it_says() {
    let errors = vec![json!({ "field": [[[]]], "text": "a" }); 200_000];
    let body = json!({ "error": { "code": "E1", "message": "m".repeat(1 << 20), "errors": errors } });
    let server = service(move || {
        let headers = (0..60).map(|n| ("x-filler", format!("{n}{}", "f".repeat(2_000))));
        let headers = headers.chain([("x-request-id", "r-1".to_owned()), ("event-request-id", "e-1".to_owned())]);
        Reply::Full(500, headers.collect(), body.to_string().into_bytes())
    })
    .await;
    let client = server.builder().build().unwrap();
    let error = capture(&client, 100).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::Unknown));
    assert_eq!((error.body().len(), error.is_body_truncated()), (64 * 1024, true));
    assert_eq!((error.code(), error.message().unwrap().len(), error.errors().len()), (Some("E1"), 4096, 0));
    let size: usize = error.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!((14_000..=16 * 1024).contains(&size), "{size}");
    assert_eq!((error.request_id(), error.event_request_id()), (Some("r-1"), Some("e-1")));
}

#[tokio::test]
async fn the_head_of_a_response_outlives_its_body() {
    for (status, kind, outcome) in [
        (202, ErrorKind::Timeout, Outcome::Unknown),
        (200, ErrorKind::Timeout, Outcome::Unknown),
        // Without its body, nothing shows that the service itself refused.
        (400, ErrorKind::Api, Outcome::Unknown),
        (503, ErrorKind::Api, Outcome::Unknown),
    ] {
        for hangs in [true, false] {
            let server = service(move || match hangs {
                true => Reply::Begin(head(status, "{\"amount\":")),
                false => Reply::Raw(head(status, "{\"amount\":")),
            })
            .await;
            let client = server.builder().timeout(Duration::from_millis(500)).build().unwrap();
            let error = capture(&client, 100).await.unwrap_err();
            let cut = if kind == ErrorKind::Timeout { ErrorKind::Unreadable } else { kind };
            assert_eq!((error.kind(), error.outcome()), (if hangs { kind } else { cut }, outcome), "{error}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            assert_eq!((error.request_id(), error.event_request_id()), (Some("r-1"), Some("e-1")));
            assert_eq!((error.is_timeout(), error.attempts()), (hangs, 1));
        }
    }
}

/// The room made for a body is not the server's to decide.
#[tokio::test]
async fn a_promise_of_more_than_there_can_be_is_a_response_that_is_cut() {
    for promised in [u64::MAX - 2, 1 << 62, 1 << 40] {
        let head = format!("HTTP/1.1 200 OK\r\nx-request-id: r-1\r\ncontent-length: {promised}\r\n\r\n{{\"id\":");
        let server = service(move || Reply::Raw(head.clone().into_bytes())).await;
        let error = capture(&server.builder().build().unwrap(), 100).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unreadable, Outcome::Unknown), "{promised}: {error}");
        assert_eq!((error.status().unwrap().as_u16(), error.request_id()), (200, Some("r-1")));
        assert_eq!(error.body(), "{\"id\":".as_bytes());
    }
}

/// A read whose response hangs is tried again, and ends as the last try did.
#[tokio::test]
async fn a_read_whose_body_is_cut_is_tried_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let tries = count.clone();
    let server = service(move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Raw(head(200, "")),
        _ => crate::support::tokens::transaction(),
    })
    .await;
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    call(&server.builder().retry(retry).build().unwrap()).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

/// The first request is seen by the service; that the second never left does not take that back.
#[tokio::test]
async fn a_refused_token_and_then_a_refused_connection_is_not_nothing_sent() {
    let tokens = Server::start(|_| Reply::token("t0", LONG)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 401 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
    });
    let credentials = Credentials::new(AccountId::new(ACCOUNT).unwrap(), "the-client", "secret");
    let client = Client::builder(credentials)
        .base_url(format!("http://{address}/v1"))
        .auth_url(tokens.url())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = capture(&client, 100).await.unwrap_err();
    service.await.unwrap();
    // What the service said is the error; that the second request did not leave, its cause.
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::Rejected), "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!((error.attempts(), tokens.tokens()), (2, 2));
    // Nothing of a call that never met the service was seen.
    let error = capture(&client, 100).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::Connect, Outcome::NotSent, 1));
}

#[tokio::test]
async fn an_untrusted_certificate_is_told_apart_and_met_once() {
    let tokens = Server::start(|_| Reply::token("t0", LONG)).await;
    let untrusted = TlsServer::before(tokens.address).await;
    let url = untrusted.url();
    let client = tokens.builder().base_url(&url).build().unwrap();
    for writes in [true, false] {
        let error = if writes { capture(&client, 100).await } else { call(&client).await }.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Certificate, Outcome::NotSent), "{error:?}");
        assert!(!error.is_retryable() && error.to_string().contains("not trusted"), "{error}");
        assert_eq!((error.attempts(), untrusted.take_connections()), (1, 1));
    }
    let client = tokens.builder().auth_url(&url).build().unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.is_retryable()), (ErrorKind::Token, Outcome::NotSent, false));
    assert!(format!("{error:?}").contains("Certificate"), "{error:?}");
    assert_eq!(untrusted.take_connections(), 1);
}

/// A server that speaks no TLS at all does not begin to by being asked again.
#[tokio::test]
async fn what_speaks_no_tls_is_met_once() {
    let tokens = Server::start(|_| Reply::token("t0", LONG)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let count = Arc::new(AtomicUsize::new(0));
    let connections = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            // Read, so that the end of the connection is no reset.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let error = call(&tokens.builder().base_url(&url).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.is_retryable()), (ErrorKind::Connect, Outcome::NotSent, false));
    assert_eq!((error.attempts(), count.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_capture_or_refund_of_nothing_or_less_is_not_sent() {
    let server = service(crate::support::tokens::transaction).await;
    let client = server.builder().build().unwrap();
    for amount in [0, -1, -29_990, i64::MIN] {
        let request: RefundRequest = serde_json::from_value(json!({ "amount": amount })).unwrap();
        let refund = client.transactions().refund(&id(), request).await.map(drop);
        for error in [capture(&client, amount).await.unwrap_err(), refund.unwrap_err()] {
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
            assert_eq!(error.path().unwrap().to_string(), "$.amount", "{error}");
            assert!(error.to_string().contains("at least 1"), "{error}");
        }
    }
    assert!(server.calls().is_empty());
    let _ = capture(&client, 1).await;
    assert_eq!(server.calls().len(), 1);
}

#[test]
fn a_client_id_with_a_colon_is_refused() {
    // HTTP Basic would take what follows it for the beginning of the secret.
    let credentials = Credentials::new(AccountId::new(ACCOUNT).unwrap(), "the:client", "secret");
    let error = Client::new(credentials).unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Configuration, Outcome::NotSent));
    assert!(error.to_string().contains("client_id must not contain a colon"), "{error}");
}
