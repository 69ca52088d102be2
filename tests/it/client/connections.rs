//! Which connections are opened for calls, and what a call without one may say.
//!
//! The server counts connections and requests; what is retried at all is in `retry`.

use std::io::ErrorKind as IoErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::retry::{quick, read, server, transaction, write};
use crate::support::Reply;
use crate::support::nobody::Nobody;
use dintero::{Client, Error, ErrorKind, Outcome, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

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

/// What was opened ahead is not held for ever by a client that makes no further call.
#[tokio::test]
async fn a_connection_that_no_call_takes_is_closed() {
    let tokens = server(|_, _| transaction()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, mut unused) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let ended = ended.clone();
            tokio::spawn(async move {
                match stream.read(&mut [0; 4096]).await {
                    Ok(bytes) if bytes > 0 => {
                        drop(stream.write_all(b"HTTP/1.1 409 X\r\ncontent-length: 0\r\n\r\n").await)
                    }
                    _ => drop(ended.send(())),
                }
            });
        }
    });
    let client = tokens.builder().base_url(format!("http://{address}/v1")).build().unwrap();
    for _ in 0..2 {
        assert_eq!(write(&client).await.unwrap_err().status(), Some(http::StatusCode::CONFLICT));
    }
    skip_two_seconds().await;
    tokio::time::timeout(Duration::from_secs(30), unused.recv()).await.expect("it is closed").expect("it was opened");
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_was_not_sent() {
    let tokens = server(|_, _| transaction()).await;
    let nobody = Nobody::new();
    let client = tokens.builder().base_url(nobody.url()).retry(quick());
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
    let nobody = Nobody::new();
    let refused = tokens.builder().base_url(nobody.url()).retry(quick()).build().unwrap();
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
