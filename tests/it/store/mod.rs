//! Work is done once: under concurrency, and again after every way it can fail.

mod inbox;
mod names;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dintero::callback::{Callback, DELIVERY_HEADER, SIGNATURE_HEADER, SigningSecret, Verifier, sign};
use dintero::store::protocol::{Content, OnClaim, on_claim};
use dintero::store::{
    Change, Changed, Claim, Held, Journal, MemoryStore, Once, OnceError, Record, Store, StoreFuture, Work,
};
use dintero::{AccountId, TransactionId};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use url::Url;

/// A verified callback with this query and delivery id.
fn callback(query: &str, delivery: Option<&str>) -> Callback {
    let account: AccountId = "T12345678".parse().expect("an account");
    let secret = SigningSecret::new("123").expect("a secret");
    let url = Url::parse(&format!("https://shop.example/c?{query}")).expect("a URL");
    let mut headers = HeaderMap::new();
    let value = sign(&secret, 1_000, &account, &Method::GET, &url);
    headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&value).expect("a value"));
    if let Some(id) = delivery {
        headers.insert(DELIVERY_HEADER, HeaderValue::from_str(id).expect("a value"));
    }
    let verifier = Verifier::builder(account, "https://shop.example")
        .secret(secret)
        .clock(crate::callback::support::At(1_000))
        .build()
        .expect("a verifier");
    verifier.verify_target(&Method::GET, url.as_str(), &headers).expect("verified")
}

fn work(query: &str, delivery: Option<&str>) -> Work {
    callback(query, delivery).work()
}

fn action(short: &str) -> Work {
    Work::action("capture", &TransactionId::new(format!("T12345678.{short}")).expect("an id"))
}

async fn done(journal: &Journal, work: &Work) -> Once<()> {
    journal.once(work, async { Ok::<_, Infallible>(()) }).await.expect("no error")
}

async fn claim(journal: &Journal, work: &Work) -> Held {
    match journal.claim(work).await.expect("no error") {
        Claim::Granted(held) => held,
        other => panic!("{other:?}"),
    }
}

/// What a process leaves that dies holding work: nothing of it runs any more.
fn die(held: Held) {
    std::mem::forget(held);
}

/// Lets the tasks run that give back what was dropped.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

const TX: &str = "transaction_id=T12345678.a";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_at_once_one_does_it() {
    let journal = Journal::in_memory();
    let runs = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..1_000)
        .map(|n| {
            let (journal, runs) = (journal.clone(), runs.clone());
            // Half the deliveries repeat an id, all repeat the event.
            let work = work(&format!("{TX}&event=CAPTURE&event_id=3"), Some(&format!("d-{}", n / 2)));
            tokio::spawn(async move {
                let run = async || {
                    runs.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(7)
                };
                while journal.once(&work, run()).await.expect("no error") == Once::InProgress {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_result_is_remembered_and_whoever_comes_meanwhile_is_told_so() {
    let journal = Journal::in_memory();
    let work = action("a");
    let result = journal.once(&work, async {
        assert_eq!(done(&journal, &work).await, Once::InProgress);
        Ok::<_, Infallible>("seven".to_owned())
    });
    assert_eq!(result.await.expect("no error"), Once::Done("seven".to_owned()));
    let again = journal.once(&work, async { Ok::<_, Infallible>(String::new()) }).await;
    assert_eq!(again.expect("no error"), Once::Already("seven".to_owned()));
}

#[tokio::test]
async fn work_that_fails_panics_or_is_dropped_is_done_again() {
    let journal = Journal::in_memory();
    let work = action("a");
    let error = journal.once(&work, async { Err::<(), _>(std::io::Error::other("down")) }).await.unwrap_err();
    assert!(matches!(error, OnceError::Work(_)));

    let stuck = journal.once(&work, std::future::pending::<Result<(), Infallible>>());
    assert!(tokio::time::timeout(Duration::from_millis(20), stuck).await.is_err());
    settle().await;

    let (inner, inner_work) = (journal.clone(), work.clone());
    let task = tokio::spawn(async move {
        let panics = async {
            tokio::task::yield_now().await;
            if inner_work.alias().is_none() { panic!("on purpose") } else { Ok::<(), Infallible>(()) }
        };
        drop(inner.once(&inner_work, panics).await);
    });
    assert!(task.await.expect_err("a panic").is_panic());
    settle().await;
    assert_eq!(done(&journal, &work).await, Once::Done(()));
}

#[tokio::test(start_paused = true)]
async fn the_work_of_a_dead_process_is_free_once_its_lease_is_over_and_its_note_is_handed_on() {
    let journal = Journal::in_memory().lease(Duration::from_secs(60));
    let work = action("a");
    let mut dead = claim(&journal, &work).await;
    assert!(dead.keep_note(json!({ "sent": 1 })).await.expect("no error"));
    let fence = dead.fence();
    die(dead);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(done(&journal, &work).await, Once::InProgress);
    tokio::time::advance(Duration::from_secs(1)).await;
    let next = claim(&journal, &work).await;
    assert_eq!(next.note(), Some(&json!({ "sent": 1 })));
    assert!(next.fence() > fence);
    // Released, it is free at once, and the note stays.
    next.release().await.expect("no error");
    assert_eq!(claim(&journal, &work).await.note(), Some(&json!({ "sent": 1 })));
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_lease_was_taken_can_neither_note_nor_release_but_its_work_counts() {
    let journal = Journal::in_memory().lease(Duration::from_secs(60));
    for slow_ends in ["releases", "completes"] {
        let work = action(slow_ends);
        let mut slow = claim(&journal, &work).await;
        tokio::time::advance(Duration::from_secs(61)).await;
        let second = claim(&journal, &work).await;
        assert!(!slow.keep_note(json!("late")).await.expect("no error"), "nothing may be sent on this note");
        assert!(!slow.extend().await.expect("no error"));
        if slow_ends == "releases" {
            slow.release().await.expect("no error");
            assert_eq!(done(&journal, &work).await, Once::InProgress, "the second keeps the work");
            assert_eq!(second.complete(Some(json!(2))).await.expect("no error"), Some(json!(2)));
        } else {
            assert_eq!(slow.complete(Some(json!(1))).await.expect("no error"), Some(json!(1)));
            // Done is done: the second's result does not replace it, and its release does not undo it.
            assert_eq!(second.complete(Some(json!(2))).await.expect("no error"), Some(json!(1)));
        }
        assert!(matches!(journal.claim(&work).await.expect("no error"), Claim::Done(Some(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_lives_keeps_its_lease_however_long_it_works() {
    let journal = Journal::in_memory().lease(Duration::from_secs(3));
    let work = action("a");
    let other = journal.clone();
    let long = journal.once(&work, async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(matches!(other.claim(&work).await, Ok(Claim::InProgress)));
        }
        Ok::<_, Infallible>(())
    });
    assert_eq!(long.await.expect("no error"), Once::Done(()));
    assert_eq!(done(&journal, &work).await, Once::Already(()));
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_kept_for_its_time() {
    let hour = Journal::in_memory().keep(Duration::from_secs(3_600));
    for (journal, seconds) in [(hour, 3_600), (Journal::in_memory(), 604_800)] {
        assert_eq!(done(&journal, &action("a")).await, Once::Done(()));
        tokio::time::advance(Duration::from_secs(seconds - 1)).await;
        assert_eq!(done(&journal, &action("a")).await, Once::Already(()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(done(&journal, &action("a")).await, Once::Done(()));
    }
}

#[tokio::test]
async fn the_store_in_memory_is_bounded_and_forgets_the_oldest_done_work_only() {
    let store = Arc::new(MemoryStore::new(100));
    let journal = Journal::new(store.clone());
    assert!(store.is_empty());
    let held = claim(&journal, &action("held")).await;
    assert!((store.len(), store.is_empty()) == (1, false));
    for n in 0..1_000 {
        assert_eq!(done(&journal, &action(&n.to_string())).await, Once::Done(()));
        assert!(store.len() <= 100);
    }
    assert!((store.len(), store.is_empty()) == (100, false));
    assert_eq!(done(&journal, &action("999")).await, Once::Already(()));
    assert_eq!(done(&journal, &action("held")).await, Once::InProgress, "work in progress is not forgotten");
    held.complete(None).await.expect("no error");
    assert_eq!(done(&journal, &action("0")).await, Once::Done(()), "the oldest was forgotten");

    let full = Journal::new(MemoryStore::new(1));
    let held = claim(&full, &action("a")).await;
    let error = full.once(&action("b"), async { Ok::<_, Infallible>(()) }).await.unwrap_err();
    assert!(matches!(error, OnceError::Store(_)), "the work was not begun");
    held.release().await.expect("no error");
    assert_eq!(done(&full, &action("b")).await, Once::Done(()));
}

/// A store that fails at some of its changes, before or after they are made.
struct Failing {
    store: MemoryStore,
    fails: std::ops::Range<usize>,
    after: bool,
    changes: AtomicUsize,
}

impl Failing {
    fn journal(fails: std::ops::Range<usize>, after: bool) -> Journal {
        Journal::new(Self { store: MemoryStore::default(), fails, after, changes: AtomicUsize::new(0) })
    }
}

impl Store for Failing {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.store.load(name)
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move {
            let fails = self.fails.contains(&self.changes.fetch_add(1, Ordering::SeqCst));
            if fails && !self.after {
                return Err("away".into());
            }
            let changed = self.store.change(change).await;
            if fails { Err("away".into()) } else { changed }
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
async fn a_store_that_fails_never_hides_what_the_work_came_to() {
    for after in [false, true] {
        let ran = AtomicUsize::new(0);
        let run = || async {
            ran.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(())
        };
        let error = Failing::journal(0..9, after).once(&action("a"), run()).await.unwrap_err();
        assert!(matches!(error, OnceError::Store(_)));
        assert_eq!(ran.load(Ordering::SeqCst), 0);

        let error = Failing::journal(1..9, after).once(&action("a"), run()).await.unwrap_err();
        assert!(matches!(error, OnceError::NotNoted(_)));
        assert_eq!(ran.load(Ordering::SeqCst), 1);

        let failing = async { Err::<(), _>(std::io::Error::other("work")) };
        let error = Failing::journal(1..9, after).once(&action("a"), failing).await.unwrap_err();
        assert!(matches!(error, OnceError::Work(_)), "the work's own error is told");
    }
}

#[tokio::test]
async fn a_step_whose_response_was_lost_is_recognized_as_ones_own() {
    // The second change, the first note, is made and reported as failed.
    let journal = Failing::journal(1..2, true);
    let mut held = claim(&journal, &action("a")).await;
    assert!(held.keep_note(json!(1)).await.is_err());
    // The record has another fence than the holder knows, and is its own all the same.
    assert!(held.keep_note(json!(2)).await.expect("no error"));
    assert_eq!(held.complete(Some(json!(3))).await.expect("no error"), Some(json!(3)));
    assert!(matches!(journal.claim(&action("a")).await, Ok(Claim::Done(Some(_)))));
}

#[test]
fn a_claim_of_what_was_left_open_brings_its_own_work_or_takes_the_one_that_is_there() {
    let content = Content { work: Some(json!(1)), note: Some(json!(2)), ..Content::default() };
    let (name, data) = ("a".to_owned(), content.write());
    let left = Record { name, fence: 7, done: false, remaining: Duration::ZERO, data };
    for (work, expected) in [(None, json!(1)), (Some(json!(3)), json!(3))] {
        let opened = OnClaim::Open(Some(7), Content { work: Some(expected), ..content.clone() });
        assert_eq!(on_claim(Some(&left), work.as_ref()), opened);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_left_open_is_open_over_and_of_the_kind_asked_for() {
    let store = MemoryStore::default();
    for (name, done, seconds) in
        [("a/late", false, 9), ("a/done", true, 1), ("a/over", false, 5), ("b/over", false, 5), ("a/old", false, 1)]
    {
        let change = Change { name, expected: None, done, lasts: Duration::from_secs(seconds), data: "{}" };
        assert!(matches!(store.change(change).await.expect("no error"), Changed::Yes { .. }));
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    let names = async |limit| -> Vec<_> {
        store.left_open("a/", limit).await.expect("no error").into_iter().map(|record| record.name).collect()
    };
    assert_eq!(
        (names(9).await, names(1).await),
        (vec!["a/old".to_owned(), "a/over".to_owned()], vec!["a/old".to_owned()])
    );
}
