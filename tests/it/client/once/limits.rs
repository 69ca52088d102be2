//! Where a call made once ends without having been made: by its time, by a read that fails, by a refusal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dintero::calls::{CaptureTransactionCall, Once};
use dintero::store::{Change, Changed, Journal, MemoryStore, Record, Store, StoreFuture};
use dintero::types::CaptureRequest;
use dintero::{Client, Error, ErrorKind, Outcome, RetryPolicy, TransactionId};
use serde_json::json;
use tokio::time::Instant;

use crate::support::tokens::LONG;
use crate::support::{Reply, Seen, Server};

/// The record of the capture.
const NAME: &str = "money/account=T12345678&call=capture_transaction&of=T12345678.abc&reference=a";
const HOUR: Duration = Duration::from_secs(3_600);

async fn service(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| if seen.is_token() { Reply::token("t0", LONG) } else { reply(seen) }).await
}

fn authorized() -> Reply {
    let events = json!([{ "event": "AUTHORIZE", "success": true, "amount": 100 }]);
    let body =
        json!({ "id": "T12345678.abc", "amount": 100, "currency": "NOK", "status": "AUTHORIZED", "events": events });
    Reply::Json(200, body)
}

/// A client whose money calls alone are in the store.
fn client<S: Store>(server: &Server, store: &Arc<S>) -> Client {
    let builder = server.builder().timeout(Duration::from_secs(5)).retry(RetryPolicy::never());
    builder.journal(Journal::new(store.clone())).token_journal(Journal::in_memory()).build().unwrap()
}

fn capture(client: &Client) -> Once<CaptureTransactionCall> {
    let id = TransactionId::new("T12345678.abc").unwrap();
    let call = client.transactions().capture(&id, CaptureRequest::new(100).capture_reference("a"));
    call.once().settle(Duration::from_secs(3))
}

fn posts(server: &Server) -> usize {
    server.calls().iter().filter(|seen| seen.method == "POST").count()
}

fn status(error: &Error) -> Option<u16> {
    error.status().map(|status| status.as_u16())
}

#[tokio::test]
async fn a_call_whose_time_is_up_after_the_look_is_not_sent() {
    let (server, store) = (service(|_| authorized()).await, Arc::<MemoryStore>::default());
    let error = capture(&client(&server, &store)).within(Duration::ZERO).await.unwrap_err();
    assert_eq!((server.calls().len(), posts(&server)), (1, 0), "{error:?}");
}

/// No time is too long to be counted.
#[tokio::test]
async fn a_call_may_have_all_the_time_there_is() {
    let (server, store) = (service(|_| Reply::error(403)).await, Arc::<MemoryStore>::default());
    let client = client(&server, &store);
    for time in [Duration::MAX, Duration::from_secs(u64::MAX / 1_000), Duration::from_millis(u64::MAX)] {
        let id = TransactionId::new("T12345678.abc").unwrap();
        let call = client.transactions().capture(&id, CaptureRequest::new(100).capture_reference("a")).timeout(time);
        let error = call.once().settle(time).within(time).await.unwrap_err();
        assert_eq!((status(&error), posts(&server)), (Some(403), 0), "{error:?}");
    }
}

#[tokio::test]
async fn a_look_that_fails_ends_the_call_at_once() {
    let (server, store) = (service(|_| Reply::error(403)).await, Arc::<MemoryStore>::default());
    let error = capture(&client(&server, &store)).await.unwrap_err();
    assert_eq!((status(&error), server.calls().len(), posts(&server)), (Some(403), 1, 0), "{error:?}");
}

/// What the call itself ended with is told, not why it could not be found out more.
#[tokio::test]
async fn a_call_that_cannot_be_settled_ends_as_it_was_sent() {
    let sent = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let server = service(move |seen| match seen.method.as_str() {
        "POST" => {
            sent.store(true, std::sync::atomic::Ordering::SeqCst);
            Reply::error(500)
        }
        _ if sent.load(std::sync::atomic::Ordering::SeqCst) => Reply::error(403),
        _ => authorized(),
    })
    .await;
    let store = Arc::<MemoryStore>::default();
    let error = capture(&client(&server, &store)).await.unwrap_err();
    assert_eq!((status(&error), error.outcome(), posts(&server)), (Some(500), Outcome::Unknown, 1), "{error:?}");
    assert_eq!(store.len(), 1, "it stays open");
}

#[tokio::test]
async fn a_call_that_was_refused_leaves_nothing_behind() {
    let server = service(|seen| if seen.method == "POST" { Reply::error(400) } else { authorized() }).await;
    let store = Arc::<MemoryStore>::default();
    let client = client(&server, &store);
    for refused in 1..3 {
        let error = capture(&client).await.unwrap_err();
        assert_eq!((status(&error), error.outcome(), posts(&server)), (Some(400), Outcome::Rejected, refused));
        assert!(store.is_empty());
    }
}

/// Twice the time of the call, for the one under way elsewhere and for ours, and the time until it has settled.
#[tokio::test(start_paused = true)]
async fn a_call_that_another_holds_is_waited_for_and_not_for_ever() {
    let (server, store) = (service(|_| authorized()).await, Arc::<MemoryStore>::default());
    let held = Change { name: NAME, expected: None, done: false, lasts: HOUR, data: "{}" };
    assert!(matches!(store.change(held).await.unwrap(), Changed::Yes { .. }));
    let began = Instant::now();
    let error = capture(&client(&server, &store)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome(), began.elapsed().as_secs()), (ErrorKind::Timeout, Outcome::Unknown, 13));
    assert!(error.attempt().is_some() && server.calls().is_empty());
}

#[tokio::test]
async fn a_note_that_cannot_be_read_stops_the_call() {
    let (server, store) = (service(|_| authorized()).await, Arc::<MemoryStore>::default());
    let data = r#"{"note":"as another version writes it"}"#;
    let left = Change { name: NAME, expected: None, done: false, lasts: Duration::ZERO, data };
    assert!(matches!(store.change(left).await.unwrap(), Changed::Yes { .. }));
    let error = capture(&client(&server, &store)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Journal, Outcome::Unknown), "{error:?}");
    assert!(server.calls().is_empty());
}

/// A store in which another process takes the work over, just before its holder notes what it is about to send.
#[derive(Default)]
struct Overtaken {
    store: MemoryStore,
    changes: AtomicUsize,
}

impl Store for Overtaken {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.store.load(name)
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move {
            // The first is the claim, the second the note.
            if self.changes.fetch_add(1, Ordering::SeqCst) == 1 {
                self.store.change(Change { lasts: HOUR, data: "{}", ..change }).await?;
            }
            self.store.change(change).await
        })
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        self.store.remove(name, fence)
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        self.store.left_open(prefix, limit)
    }
}

#[tokio::test]
async fn a_call_that_another_has_taken_over_is_not_sent() {
    let (server, store) = (service(|_| authorized()).await, Arc::<Overtaken>::default());
    let error = capture(&client(&server, &store)).within(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown), "{error:?}");
    assert_eq!((server.calls().len(), posts(&server)), (1, 0));
}
