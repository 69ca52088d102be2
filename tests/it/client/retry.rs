//! What is sent how often, counted at the server: calls that write once, calls that read as the policy says.
//!
//! The libraries below retry requests on their own in some cases; the tests here would see it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Reply, Seen, Server};
use dintero::{Client, Error, ErrorKind, Operation, Outcome, RetryPolicy, TransactionId};
use tokio::time::Instant;

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

pub(super) async fn read(client: &Client) -> Result<(), Error> {
    client.transactions().get(&id()).await?;
    Ok(())
}

pub(super) async fn write(client: &Client) -> Result<(), Error> {
    client.transactions().void(&id()).await?;
    Ok(())
}

pub(super) fn quick() -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    policy.base = Duration::from_millis(1);
    policy
}

pub(super) fn transaction() -> Reply {
    let body = serde_json::json!({
        "id": "T12345678.abc", "amount": 100, "currency": "NOK", "payment_product": "payex",
        "payment_product_type": "payex.creditcard", "status": "AUTHORIZATION_VOIDED",
        "events": [{"event": "VOID", "success": true, "transaction_status": "AUTHORIZATION_VOIDED"}],
    });
    Reply::Json(200, body)
}

/// A service that gives tokens, and responds to everything else by `reply`, counted from 0.
pub(super) async fn server(reply: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| {
        if seen.is_token() { Reply::token("t0", 14_400) } else { reply(seen, count.fetch_add(1, Ordering::SeqCst)) }
    })
    .await
}

/// A response that is a success in its first line and useless after it.
fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

fn unhappy() -> Vec<(&'static str, Reply, Outcome)> {
    use Outcome::{Rejected, Unknown};
    let long = vec![("retry-after", "0".to_owned())];
    vec![
        ("reset after the request", Reply::Reset, Unknown),
        ("closed after the request", raw(""), Unknown),
        ("half a head", raw("HTTP/1.1 200 OK\r\ncontent-le"), Unknown),
        ("no HTTP", raw("SMTP ready\r\n\r\n"), Unknown),
        ("truncated", raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":"), Unknown),
        ("truncated chunk", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n50\r\n{"), Unknown),
        ("garbage", raw("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ngarbage"), Unknown),
        ("empty", raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), Unknown),
        ("204", raw("HTTP/1.1 204 No Content\r\n\r\n"), Unknown),
        ("500", Reply::error(500), Unknown),
        ("502 in HTML", Reply::Full(502, vec![], b"<html>Bad Gateway</html>".to_vec()), Unknown),
        ("503", Reply::error(503), Unknown),
        ("503 at once", Reply::Full(503, long.clone(), vec![]), Unknown),
        ("504", Reply::error(504), Unknown),
        ("408", Reply::error(408), Unknown),
        ("307", Reply::Full(307, vec![("location", "/v1/elsewhere".into())], vec![]), Unknown),
        ("308", Reply::Full(308, vec![("location", "/v1/elsewhere".into())], vec![]), Unknown),
        // A gateway may write it for a request that it sent twice.
        ("429", Reply::Full(429, long, vec![]), Unknown),
        ("403 in HTML", Reply::Full(403, vec![], b"<html>Forbidden</html>".to_vec()), Unknown),
        ("400", Reply::error(400), Rejected),
        ("403", Reply::error(403), Rejected),
        ("409", Reply::error(409), Rejected),
    ]
}

#[tokio::test]
async fn a_call_that_writes_is_sent_once_whatever_comes_back() {
    for (what, reply, outcome) in unhappy() {
        let server = server(move |_, _| reply.clone()).await;
        let client = server.builder().retry(quick()).build().unwrap();
        let error = write(&client).await.unwrap_err();
        assert_eq!(server.calls().len(), 1, "{what}: {error}");
        assert_eq!(error.outcome(), outcome, "{what}: {error}");
        assert_eq!(error.attempts(), 1, "{what}: {error}");
        assert_eq!(error.operation(), Some(Operation::VoidTransaction));
        assert!(outcome != Outcome::Unknown || !error.is_retryable(), "{what}");
    }
}

#[tokio::test]
async fn a_call_that_writes_is_sent_once_when_no_response_comes() {
    let server = server(|_, _| Reply::Hang).await;
    let client = server.builder().timeout(Duration::from_millis(300)).build().unwrap();
    let error = write(&client).await.unwrap_err();
    assert_eq!(server.calls().len(), 1);
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
    assert!(error.is_timeout() && !error.is_retryable());
    assert!(error.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_retried_once() {
    let tokens = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if seen.is_token() {
            Reply::token(&format!("t{}", tokens.fetch_add(1, Ordering::SeqCst)), 14_400)
        } else if seen.header("authorization") == Some("Bearer t0") {
            Reply::error(401)
        } else {
            transaction()
        }
    })
    .await;
    let client = server.builder().build().unwrap();
    write(&client).await.unwrap();
    let calls = server.calls();
    let bearers: Vec<_> = calls.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(bearers, ["Bearer t0", "Bearer t1"]);
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(server.tokens(), 2);
}

/// A 401 proves that the first request did nothing, and nothing about the one after it.
#[tokio::test]
async fn a_call_lost_after_a_refused_token_is_not_refused() {
    for (lost, kind) in [(Reply::Reset, ErrorKind::Transport), (Reply::error(500), ErrorKind::Api)] {
        let server = server(move |_, n| if n == 0 { Reply::error(401) } else { lost.clone() }).await;
        let error = write(&server.builder().build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome(), error.attempts()), (kind, Outcome::Unknown, 2), "{error:?}");
        assert_ne!(error.status().map(|status| status.as_u16()), Some(401));
        assert_eq!(server.calls().len(), 2);
    }
}

#[tokio::test]
async fn a_refused_call_says_so_when_no_other_token_can_be_had() {
    let tokens = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.is_token() {
        true if tokens.fetch_add(1, Ordering::SeqCst) == 0 => Reply::token("t0", 14_400),
        true => Reply::error(403),
        false => Reply::error(401),
    })
    .await;
    let error = write(&server.builder().build().unwrap()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!(error.outcome(), Outcome::Rejected);
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(source.kind(), ErrorKind::Token);
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_call_that_reads_is_retried_twice() {
    for (what, reply, _) in unhappy() {
        let retried =
            !matches!(what, "garbage" | "empty" | "204" | "307" | "308" | "400" | "403" | "403 in HTML" | "409");
        let server = server(move |_, _| reply.clone()).await;
        let client = server.builder().retry(quick()).build().unwrap();
        let error = read(&client).await.unwrap_err();
        let sent = if retried { 3 } else { 1 };
        assert_eq!(server.calls().len(), sent, "{what}: {error}");
        assert_eq!(error.attempts() as usize, sent, "{what}");
        assert!(error.kind() != ErrorKind::Connect && error.outcome() != Outcome::NotSent, "{what}: {error:?}");
    }
    let server = server(|_, n| if n < 2 { Reply::error(503) } else { transaction() }).await;
    read(&server.builder().retry(quick()).build().unwrap()).await.unwrap();
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_up_to_a_minute_and_within_the_time_of_the_call() {
    let asked = |seconds: &str| {
        let headers = vec![("retry-after", seconds.to_owned())];
        Reply::Full(503, headers, vec![])
    };
    let waited = async |seconds: &'static str, limit: u64| {
        let server = server(move |_, n| if n == 0 { asked(seconds) } else { transaction() }).await;
        let client = server.builder().timeout(Duration::from_secs(limit)).build().unwrap();
        let began = Instant::now();
        let ended = read(&client).await;
        (ended, began.elapsed().as_secs(), server.calls().len())
    };
    let (ended, seconds, sent) = waited("7", 30).await;
    assert!(ended.is_ok() && seconds == 7 && sent == 2, "{seconds} s, {sent} sent");
    let (ended, seconds, sent) = waited("60", 90).await;
    assert!(ended.is_ok() && seconds == 60 && sent == 2, "{seconds} s, {sent} sent");
    for (asked, limit) in [("61", 600), ("31", 30)] {
        let (ended, seconds, sent) = waited(asked, limit).await;
        let error = ended.unwrap_err();
        assert_eq!((seconds, sent), (0, 1), "no use in waiting for {asked} s");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(asked.parse().unwrap())));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_covers_all_its_attempts() {
    let server = server(|_, _| Reply::Hang).await;
    let client = server.builder().build().unwrap();
    let began = Instant::now();
    let error = client.transactions().get(&id()).timeout(Duration::from_secs(20)).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 20);
    assert!(error.is_timeout() && error.is_retryable());
    assert_eq!(server.calls().len(), 2, "the first attempt is given up after 15 s");
    // The last attempt has all the time that is left, and so has the one attempt of a call that writes.
    let mut policy = quick();
    policy.retries = 1;
    let client = server.builder().retry(policy).timeout(Duration::from_secs(50)).build().unwrap();
    for (reads, sent, outcome) in [(true, 2, Outcome::ReadOnly), (false, 1, Outcome::Unknown)] {
        let (began, before) = (Instant::now(), server.calls().len());
        let error = if reads { read(&client).await } else { write(&client).await }.unwrap_err();
        assert_eq!((began.elapsed().as_secs(), server.calls().len() - before), (50, sent));
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, outcome));
    }
}
