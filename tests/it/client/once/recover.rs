//! What a dead process left of its money calls is settled by another: with evidence, and without a request.

use std::sync::Arc;
use std::time::Duration;

use dintero::callback::{Callback, Inbox};
use dintero::store::{Change, Changed, Journal, MemoryStore, Record, Store};
use dintero::{Client, Outcome, RecoveredCalls, TransactionId};
use dintero_sandbox::{Fault, Operation, Sandbox};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{KINDS, client, once, once_settling, ready};
use crate::support::{Events, ask_again};

/// A process that died in the middle of a call, and a client of another one.
struct Dead {
    ours: Runtime,
    sandbox: Arc<Sandbox>,
    id: TransactionId,
    store: Arc<MemoryStore>,
    next: Client,
}

/// Begins a call whose request of the operation `at` meets the fault, and dies then.
fn dead(kind: Operation, at: Operation, fault: Fault) -> Dead {
    dead_settling(kind, at, fault, Duration::from_secs(300))
}

fn dead_settling(kind: Operation, at: Operation, fault: Fault, settle: Duration) -> Dead {
    let (ours, doomed) = (Runtime::new().expect("a runtime"), Runtime::new().expect("a runtime"));
    let (sandbox, id) = ours.block_on(ready(kind));
    let store = Arc::new(MemoryStore::default());
    let before = sandbox.received(at);
    sandbox.inject(at, fault);
    let dying = client(&sandbox, Journal::new(store.clone()).lease(Duration::from_secs(1)));
    doomed.block_on(async { drop(tokio::spawn(once_settling(&dying, kind, &id, "a", settle))) });
    while sandbox.received(at) == before {
        std::thread::sleep(Duration::from_millis(10));
    }
    doomed.shutdown_background();
    let next = client(&sandbox, Journal::new(store.clone()));
    Dead { ours, sandbox, id, store, next }
}

impl Dead {
    /// Recovers until something was found open.
    async fn recover(&self) -> RecoveredCalls {
        loop {
            match self.next.recover().await.expect("no error") {
                nothing if nothing == RecoveredCalls::default() => tokio::time::sleep(Duration::from_millis(50)).await,
                recovered => return recovered,
            }
        }
    }

    async fn left_open(&self) -> Vec<Record> {
        self.store.left_open("money/", 10).await.expect("no error")
    }

    /// Ages the attempt that was noted by ten minutes.
    async fn age(&self) {
        let [record] = self.left_open().await.try_into().expect("one record");
        let mut content: Value = serde_json::from_str(&record.data).expect("JSON");
        for time in ["begun_at", "until"] {
            let text = content["note"][time].as_str().expect("a time");
            let then = chrono::DateTime::parse_from_rfc3339(text).expect("a time") - chrono::TimeDelta::minutes(10);
            content["note"][time] = json!(then);
        }
        let data = content.to_string();
        let change = Change {
            name: &record.name,
            expected: Some(record.fence),
            done: false,
            lasts: Duration::ZERO,
            data: &data,
        };
        assert!(matches!(self.store.change(change).await, Ok(Changed::Yes { .. })));
    }
}

/// Ended, forgotten, open.
fn counts(calls: RecoveredCalls) -> (usize, usize, usize) {
    (calls.ended, calls.forgotten, calls.open)
}

#[test]
fn a_call_that_was_carried_out_is_noted_as_ended() {
    for kind in KINDS {
        let dead = dead(kind, kind, Fault::silence().after_executing());
        dead.ours.block_on(async {
            assert_eq!(counts(dead.recover().await), (1, 0, 0), "{kind:?}");
            assert!(dead.left_open().await.is_empty());
            let verdict = once(&dead.next, kind, &dead.id, "a").await.expect("done");
            assert_eq!((verdict.outcome(), dead.sandbox.received(kind)), (Outcome::Completed, 1), "{kind:?}");
        });
    }
}

/// Proves that an operator hears of what a process left open, and not of every look that finds nothing.
#[test]
fn what_is_recovered_is_told_once() {
    let events = Events::of(tracing::Level::INFO);
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(events.clone()));
    let looks = || {
        let dead =
            dead(Operation::CaptureTransaction, Operation::CaptureTransaction, Fault::silence().after_executing());
        // On this thread, on which events are seen.
        let ours = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        ours.block_on(async {
            let recovering = dead.next.clone().recover_every(Duration::from_millis(10));
            let reads = || dead.sandbox.received(Operation::GetTransaction);
            let before = reads();
            let found = async {
                while reads() == before || !dead.left_open().await.is_empty() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                // Time for some looks more.
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            tokio::select! {
                () = recovering => {}
                () = found => {}
            }
        });
    };
    looks();
    ask_again();
    events.take();
    looks();
    let told = events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["recovered"].contains("ended: 1"), "{told:?}");
}

/// A request that may still arrive is not forgotten; one that can no longer is, and is then made again.
#[test]
fn a_call_that_was_lost_stays_open_until_it_can_no_longer_arrive() {
    for kind in KINDS {
        let dead = dead(kind, kind, Fault::silence());
        dead.ours.block_on(async {
            assert_eq!(counts(dead.recover().await), (0, 0, 1), "{kind:?}");
            dead.age().await;
            assert_eq!(counts(dead.recover().await), (0, 1, 0), "{kind:?}");
            assert!(dead.left_open().await.is_empty());
            assert_eq!(dead.sandbox.received(kind), 1, "recover sends nothing");
            once(&dead.next, kind, &dead.id, "a").await.expect("done");
            assert_eq!(dead.sandbox.executions_of("a").len(), 1, "{kind:?}");
        });
    }
}

/// The time that whoever made the call gave it counts for whoever recovers it.
#[test]
fn a_call_that_may_arrive_for_an_hour_stays_open_for_an_hour() {
    let hour = Duration::from_secs(3_600);
    let dead = dead_settling(Operation::CaptureTransaction, Operation::CaptureTransaction, Fault::silence(), hour);
    dead.ours.block_on(async {
        for _ in 0..5 {
            assert_eq!(counts(dead.recover().await), (0, 0, 1));
            dead.age().await;
        }
        dead.age().await;
        dead.age().await;
        assert_eq!(counts(dead.recover().await), (0, 1, 0));
    });
}

#[test]
fn calls_are_looked_for_on_an_interval() {
    let dead = dead(Operation::CaptureTransaction, Operation::CaptureTransaction, Fault::silence().after_executing());
    dead.ours.block_on(async {
        while dead.left_open().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let recovering = tokio::spawn(dead.next.clone().recover_every(Duration::from_millis(10)));
        while !dead.left_open().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        recovering.abort();
    });
}

#[test]
fn a_call_that_was_never_sent_is_forgotten() {
    let dead = dead(Operation::CaptureTransaction, Operation::GetTransaction, Fault::silence());
    dead.ours.block_on(async {
        assert_eq!(counts(dead.recover().await), (0, 1, 0));
        assert!(dead.left_open().await.is_empty());
        once(&dead.next, Operation::CaptureTransaction, &dead.id, "a").await.expect("done");
        assert_eq!(dead.sandbox.executed(Operation::CaptureTransaction), 1);
    });
}

#[test]
fn what_cannot_be_read_now_or_is_another_accounts_stays() {
    let dead = dead(Operation::CaptureTransaction, Operation::CaptureTransaction, Fault::silence().after_executing());
    dead.ours.block_on(async {
        let other = dintero::Credentials::new("T99999999".parse().expect("an account"), "id", "secret");
        let other = Client::builder(other).journal(dead.next.journal().clone()).build().expect("a client");
        // The lease has to be over for anything to be found.
        while dead.left_open().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(other.recover().await.expect("no error"), RecoveredCalls::default());
        dead.sandbox.inject_always(Operation::GetTransaction, Fault::status(500));
        assert_eq!(counts(dead.recover().await), (0, 0, 1));
        dead.sandbox.clear_faults();
        assert_eq!(counts(dead.recover().await), (1, 0, 0));
    });
}

#[test]
fn an_inbox_recovers_money_calls_too() {
    let dead = dead(Operation::CaptureTransaction, Operation::CaptureTransaction, Fault::silence().after_executing());
    dead.ours.block_on(async {
        let handler = |_: Callback| async { Ok(()) };
        let inbox = Inbox::new(dead.next.journal().clone(), handler).with_client(dead.next.clone());
        loop {
            let recovered = inbox.recover().await.expect("no error");
            if recovered.calls != RecoveredCalls::default() {
                assert_eq!(counts(recovered.calls), (1, 0, 0));
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}
