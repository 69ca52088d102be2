//! Callbacks are handled once, and again after an error or a death.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dintero::TransactionId;
use dintero::callback::{Callback, CallbackResponse, HandlerError, Inbox, Recovered};
use dintero::store::{Change, Changed, Journal};
use tracing_subscriber::layer::SubscriberExt;

use super::{TX, callback};
use crate::support::{Events, asked_again};

fn counting(journal: &Journal, fails: &Arc<AtomicUsize>) -> (Inbox, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let (inner, fails) = (runs.clone(), fails.clone());
    let inbox = Inbox::new(journal.clone(), move |callback: Callback| {
        let (runs, fails) = (inner.clone(), fails.clone());
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            assert_eq!(callback.params().get("own"), Some("\u{e6} b"), "all of it is kept");
            assert_eq!(callback.transaction_id().map(TransactionId::as_str), Some("T12345678.a"));
            assert!(callback.signed_at().is_some() && callback.delivery_id() == Some("d-1"));
            if fails.load(Ordering::SeqCst) > 0 {
                fails.fetch_sub(1, Ordering::SeqCst);
                return Err(HandlerError::new("not now"));
            }
            Ok(())
        }
    });
    (inbox, runs)
}

fn news() -> Callback {
    callback(&format!("{TX}&event=CAPTURE&event_id=3&own=%C3%A6+b"), Some("d-1"))
}

#[tokio::test]
async fn a_callback_is_handled_once_and_again_after_an_error() {
    let (journal, fails) = (Journal::in_memory(), Arc::new(AtomicUsize::new(1)));
    let (inbox, runs) = counting(&journal, &fails);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::Acknowledge);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::Acknowledge);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(inbox.recover().await.expect("no error"), Recovered::default());
}

#[tokio::test]
async fn a_handler_that_fails_is_run_again_although_nothing_is_delivered_again() {
    let (journal, fails) = (Journal::in_memory(), Arc::new(AtomicUsize::new(3)));
    let (inbox, runs) = counting(&journal, &fails);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater);
    for expected in [(0, 1), (0, 1), (1, 0), (0, 0)] {
        let recovered = inbox.recover().await.expect("no error");
        assert_eq!((recovered.handled, recovered.failed), expected);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 4);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::Acknowledge, "done by then");
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn what_was_left_is_looked_for_at_the_start_and_on_an_interval() {
    let (journal, fails) = (Journal::in_memory(), Arc::new(AtomicUsize::new(2)));
    let (inbox, runs) = counting(&journal, &fails);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater);
    let recovering = tokio::spawn(inbox.clone().recover_every(Duration::from_secs(60)));
    for (seconds, expected) in [(1, 2), (58, 2), (2, 3), (60, 3)] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_eq!(runs.load(Ordering::SeqCst), expected);
    }
    recovering.abort();
    assert_eq!(inbox.handle(news()).await, CallbackResponse::Acknowledge);
}

/// Proves that an operator hears of what a process left unfinished, and not of every look that finds nothing.
#[tokio::test(start_paused = true)]
async fn what_is_recovered_is_told_once() {
    let events = Events::of(tracing::Level::INFO);
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(events.clone()));
    let looks = async || {
        let (journal, fails) = (Journal::in_memory(), Arc::new(AtomicUsize::new(1)));
        let (inbox, _) = counting(&journal, &fails);
        assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater);
        let recovering = tokio::spawn(inbox.clone().recover_every(Duration::from_secs(60)));
        tokio::time::sleep(Duration::from_secs(200)).await;
        recovering.abort();
    };
    asked_again(looks()).await;
    events.take();
    looks().await;
    let told = events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["recovered"].contains("handled: 1"), "{told:?}");
}

/// A record of a later version, say: it is counted, and left for whoever can read it.
#[tokio::test]
async fn a_callback_that_cannot_be_read_back_stays_open() {
    let (journal, fails) = (Journal::in_memory(), Arc::new(AtomicUsize::new(1)));
    let (inbox, runs) = counting(&journal, &fails);
    assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater);
    let [record] = journal.store().left_open("", 9).await.expect("no error").try_into().expect("one");
    let change = Change {
        name: &record.name,
        expected: Some(record.fence),
        done: false,
        lasts: Duration::ZERO,
        data: r#"{"work":{"version":2}}"#,
    };
    assert!(matches!(journal.store().change(change).await, Ok(Changed::Yes { .. })));
    for _ in 0..2 {
        let recovered = inbox.recover().await.expect("no error");
        assert_eq!((recovered.handled, recovered.failed, recovered.unreadable), (0, 0, 1));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_dropped_connection_does_not_stop_the_handler() {
    let (entered, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (inner_entered, inner_go) = (entered.clone(), go.clone());
    let journal = Journal::in_memory();
    let inbox = Inbox::new(journal.clone(), move |_| {
        let (entered, go) = (inner_entered.clone(), inner_go.clone());
        async move {
            entered.notify_one();
            go.notified().await;
            Ok(())
        }
    });
    let handler = tokio::spawn({
        let inbox = inbox.clone();
        async move { inbox.handle(news()).await }
    });
    entered.notified().await;
    handler.abort();
    assert!(handler.await.expect_err("dropped").is_cancelled());
    assert_eq!(inbox.handle(news()).await, CallbackResponse::RetryLater, "it is still at it");
    go.notify_one();
    while inbox.handle(news()).await != CallbackResponse::Acknowledge {
        tokio::task::yield_now().await;
    }
}
