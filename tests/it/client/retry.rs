//! What is sent how often, counted at the server: calls that write once, calls that read as the policy says.
//!
//! The libraries below retry requests on their own in some cases; the tests here would see it.

use std::io::ErrorKind as IoErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Reply, Seen, Server};
use dintero::{Client, Error, ErrorKind, Operation, Outcome, RetryPolicy, TransactionId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

async fn read(client: &Client) -> Result<(), Error> {
    client.transactions().get(&id()).await?;
    Ok(())
}

async fn write(client: &Client) -> Result<(), Error> {
    client.transactions().void(&id()).await?;
    Ok(())
}

fn quick() -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    policy.base = Duration::from_millis(1);
    policy
}

fn transaction() -> Reply {
    let body = serde_json::json!({
        "id": "T12345678.abc", "amount": 100, "currency": "NOK", "payment_product": "payex",
        "payment_product_type": "payex.creditcard", "status": "AUTHORIZATION_VOIDED",
        "events": [{"event": "VOID", "success": true, "transaction_status": "AUTHORIZATION_VOIDED"}],
    });
    Reply::Json(200, body)
}

/// A service that gives tokens, and responds to everything else by `reply`, counted from 0.
async fn server(reply: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
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

/// hyper sends a request again that met a pooled connection on its way down. There must be no such connection.
#[tokio::test]
async fn calls_that_write_have_a_connection_of_their_own() {
    let server = server(|_, n| match n % 2 {
        0 => transaction(),
        _ => Reply::Reset,
    })
    .await;
    let client = server.builder().build().unwrap();
    for n in 0..40 {
        assert_eq!(write(&client).await.is_ok(), n % 2 == 0, "call {n}");
    }
    assert_eq!(server.calls().len(), 40, "each was sent once");
    let mut connections: Vec<_> = server.calls().iter().map(|seen| seen.connection).collect();
    connections.dedup();
    assert_eq!(connections.len(), 40);
}

/// The same for a connection that is taken down in the middle of the request, or before the server reads any of it.
#[tokio::test]
async fn a_connection_that_is_dropped_is_not_tried_again() {
    for reads in [true, false] {
        let tokens = server(|_, _| transaction()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let count = count.clone();
                let _ = stream.set_zero_linger();
                tokio::spawn(async move {
                    // A connection that was opened ahead brings nothing until it is used.
                    if reads && stream.read(&mut [0; 16]).await.is_ok_and(|bytes| bytes > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let client = tokens.builder().base_url(format!("http://{address}/v1")).retry(quick());
        let client = client.build().unwrap();
        for n in 1..=20 {
            let error = write(&client).await.unwrap_err();
            if reads {
                assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 1));
                assert_eq!(begun.load(Ordering::SeqCst), n, "{error}");
            } else {
                assert!(matches!(error.outcome(), Outcome::Unknown | Outcome::NotSent), "{error}");
            }
        }
    }
}

async fn skip_two_seconds() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
}

/// While calls follow one another, the connection of the next is opened before that call begins, and used once the server
/// has been seen to wait for one.
#[tokio::test]
async fn a_connection_is_opened_ahead_while_calls_follow_one_another() {
    /// How many connections there are when each call has its response.
    const WANTED: [usize; 6] = [1, 3, 4, 6, 7, 8];
    let tokens = server(|_, _| transaction()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, mut seen) = tokio::sync::watch::channel(0);
    let used = Arc::new(Mutex::new(vec![]));
    let order = used.clone();
    tokio::spawn(async move {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            accepted.send_replace(number);
            let (mut accepted, order) = (accepted.subscribe(), order.clone());
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                if stream.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
                    let calls = {
                        let mut order = order.lock().unwrap();
                        order.push(number);
                        order.len()
                    };
                    // A call gets its response once a connection for the next is there, where one is to be.
                    accepted.wait_for(|count| *count >= WANTED[calls - 1]).await.unwrap();
                    if calls == WANTED.len() {
                        // Longer than a connection waits for a call.
                        skip_two_seconds().await;
                    }
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                    stream.write_all(head.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let client = tokens.builder().base_url(format!("http://{address}/v1")).build().unwrap();
    let _ = write(&client).await;
    assert_eq!(*seen.borrow_and_update(), 1, "a lone call opens one connection");
    let _ = write(&client).await;
    skip_two_seconds().await;
    for _ in 0..4 {
        let end = write(&client).await;
        assert_eq!(
            end.unwrap_err().status(),
            Some(http::StatusCode::OK),
            "the response was read, and is no transaction"
        );
    }
    // Each was used once, but for the third, which was watched for a second, and the last, which is left over.
    let mut used = used.lock().unwrap().clone();
    used.sort_unstable();
    assert_eq!(used, [1, 2, 4, 5, 6, 7]);
    assert_eq!(*seen.borrow_and_update(), 8);
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_was_not_sent() {
    let tokens = server(|_, _| transaction()).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = tokens.builder().base_url(format!("http://{gone}/v1")).retry(quick());
    let client = client.build().unwrap();
    for error in [write(&client).await.unwrap_err(), read(&client).await.unwrap_err()] {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
        assert_eq!(error.attempts(), 3);
        assert!(error.is_retryable());
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        let mut refused = false;
        while let Some(current) = cause {
            refused |=
                current.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == IoErrorKind::ConnectionRefused);
            cause = current.source();
        }
        assert!(refused, "the cause is kept");
    }
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

/// The bytes of a TLS handshake that a client begins with.
async fn client_hello(call: impl AsyncFnOnce(Client) -> Error) -> Vec<u8> {
    let tokens = server(|_, _| transaction()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut hello).await.unwrap();
        hello
    });
    let client = tokens.builder().base_url(format!("https://{address}/v1"));
    let client = client.retry(RetryPolicy::never()).build().unwrap();
    let error = call(client).await;
    assert_eq!(error.outcome(), Outcome::NotSent, "the handshake failed: {error:?}");
    hello.await.unwrap()
}

/// A handshake that hangs: there is a TCP connection, and not a byte of the request on it.
#[tokio::test]
async fn time_that_is_up_before_there_is_a_connection_is_not_sent() {
    let tokens = server(|_, _| transaction()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = tokens.builder().base_url(format!("https://{address}/v1")).timeout(Duration::from_millis(300));
    let error = write(&client.build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent));
    assert!(error.is_timeout() && error.is_retryable());
    // With a connection it is unknown again, whatever came before.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = tokens.builder().base_url(format!("http://{gone}/v1")).retry(quick()).build().unwrap();
    assert_eq!(write(&refused).await.unwrap_err().outcome(), Outcome::NotSent);
    let silent = server(|_, _| Reply::Hang).await;
    let client = silent.builder().timeout(Duration::from_millis(300)).build().unwrap();
    assert_eq!(write(&client).await.unwrap_err().outcome(), Outcome::Unknown);
}

/// An HTTP/2 server can refuse a stream that libraries then send again; calls that write do not offer it.
#[tokio::test]
async fn calls_that_write_do_not_speak_http_2() {
    let offers = |hello: &[u8], name: &[u8]| hello.windows(name.len()).any(|part| part == name);
    let reads = client_hello(async |client| read(&client).await.unwrap_err()).await;
    assert!(offers(&reads, b"\x02h2\x08http/1.1"));
    let writes = client_hello(async |client| write(&client).await.unwrap_err()).await;
    assert!(offers(&writes, b"\x08http/1.1"));
    assert!(!offers(&writes, b"\x02h2"));
}
