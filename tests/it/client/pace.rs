//! One pace for all calls of a client, counted at the server: what one 429 asks for holds every call back, and only
//! calls of that pace.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dintero::types::CaptureRequest;
use dintero::{Client, Error, ErrorKind, Outcome, Pace, RetryPolicy, TransactionId};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Reply, Server};

const HOUR: Duration = Duration::from_secs(3600);

fn transaction() -> Reply {
    let events = json!([
        { "event": "AUTHORIZE", "success": true, "amount": 100 },
        { "event": "CAPTURE", "success": true, "amount": 100, "event_reference": "a" },
    ]);
    Reply::Json(200, json!({ "id": "T12345678.abc", "amount": 100, "currency": "NOK", "events": events }))
}

/// Responds with 429, and asks for an hour, to the requests with these numbers.
async fn busy(refused: std::ops::Range<usize>) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| match seen.is_token() {
        true => Reply::token("t0", 86_400),
        false if refused.contains(&count.fetch_add(1, Ordering::SeqCst)) => {
            Reply::Full(429, vec![("retry-after", "3600".into())], Vec::new())
        }
        false => transaction(),
    })
    .await
}

fn client(server: &Server, pace: &Pace) -> Client {
    server.builder().pace(pace.clone()).retry(RetryPolicy::never()).build().unwrap()
}

async fn read(client: &Client) -> Result<(), Error> {
    client.transactions().get(&TransactionId::new("T12345678.abc").unwrap()).await.map(drop)
}

async fn capture(client: &Client) -> Error {
    let id = TransactionId::new("T12345678.abc").unwrap();
    client.transactions().capture(&id, CaptureRequest::new(100)).await.unwrap_err()
}

#[tokio::test]
async fn one_429_holds_all_calls_back_and_no_longer_than_it_asks_for() {
    let (server, pace) = (busy(0..1).await, Pace::unlimited());
    let (first, second) = (client(&server, &pace), client(&server, &pace));
    let error = read(&first).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Api, Some(HOUR)));
    // Whatever is called, of whichever client: nothing of it leaves.
    for error in join_all([capture(&first), capture(&second)]).await {
        assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::Timeout, Outcome::NotSent, 0));
        assert!(error.is_retryable() && error.retry_after().is_some_and(|wait| wait <= HOUR && wait > HOUR / 2));
    }
    for result in join_all((0..20).map(|_| read(&second))).await {
        assert_eq!(result.unwrap_err().attempts(), 0);
    }
    assert_eq!(server.calls().len(), 1);
    // Clients of another pace, or of none, have not been asked to wait.
    read(&client(&server, &Pace::unlimited())).await.unwrap();
    read(&server.builder().build().unwrap()).await.unwrap();
    assert_eq!(server.calls().len(), 3);

    tokio::time::pause();
    tokio::time::advance(HOUR).await;
    tokio::time::resume();
    read(&second).await.unwrap();
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn a_call_made_once_keeps_to_the_pause_and_goes_on_after_it() {
    let (server, pace) = (busy(0..1).await, Pace::unlimited());
    let client = client(&server, &pace);
    let id = TransactionId::new("T12345678.abc").unwrap();
    let once = || client.transactions().capture(&id, CaptureRequest::new(100).capture_reference("a")).once();
    let error = once().await.unwrap_err();
    assert_eq!((error.retry_after(), server.calls().len()), (Some(HOUR), 1));
    let error = once().await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait > HOUR / 2), "{error:?}");
    assert_eq!(server.calls().len(), 1, "nothing leaves during the pause");
    tokio::time::pause();
    tokio::time::advance(HOUR).await;
    tokio::time::resume();
    // It finds the capture that was made under the reference, and sends none.
    assert_eq!(once().await.unwrap().outcome(), Outcome::Completed);
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_limit_counts_every_request_and_refuses_what_it_cannot_let_go_in_time() {
    let server = busy(usize::MAX..usize::MAX).await;
    let client = client(&server, &Pace::every(HOUR));
    read(&client).await.unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::Timeout, Outcome::NotSent, 0));
    assert_eq!(capture(&client).await.outcome(), Outcome::NotSent);
    assert_eq!(server.calls().len(), 1);
}
