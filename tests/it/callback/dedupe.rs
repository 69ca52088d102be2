//! Work is done once: by key, under concurrency, and again after every way it can fail.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dintero::callback::{
    Answer, Callback, Claim, DELIVERY_HEADER, Dedupe, DedupeKey, MemoryDedupe, Once, OnceError, SIGNATURE_HEADER,
    SigningSecret, Verifier, once, sign,
};
use dintero::{AccountId, TransactionId};
use http::{HeaderMap, HeaderValue, Method};
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
        .clock(super::support::At(1_000))
        .build()
        .expect("a verifier");
    verifier.verify(&Method::GET, url.as_str(), &headers).expect("verified")
}

fn key(query: &str, delivery: Option<&str>) -> DedupeKey {
    callback(query, delivery).dedupe_key()
}

fn transaction(short: &str) -> TransactionId {
    TransactionId::new(format!("T12345678.{short}")).expect("an id")
}

fn action(short: &str) -> DedupeKey {
    DedupeKey::action("capture", &transaction(short))
}

async fn done(store: &MemoryDedupe, key: &DedupeKey) -> Once<()> {
    once(store, key, async { Ok::<_, Infallible>(()) }).await.expect("no error")
}

const TX: &str = "transaction_id=T12345678.a";

#[tokio::test]
async fn the_same_delivery_or_the_same_event_is_the_same_work() {
    let store = MemoryDedupe::default();
    let first = key(&format!("{TX}&event=CAPTURE&event_id=3&time=2026-05-07T10:00:00Z"), Some("d-1"));
    assert_eq!(done(&store, &first).await, Once::Done(()));
    for (query, delivery) in [
        // The very same, sent again.
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:00:00Z", Some("d-1")),
        // The same event in another delivery, whenever it was sent, or without a delivery id.
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:07:00Z", Some("d-2")),
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:07:00Z&own=1", None),
        // The same delivery, described otherwise.
        ("&event=CAPTURE&event_id=4&time=2026-05-07T10:00:00Z", Some("d-1")),
    ] {
        assert_eq!(done(&store, &key(&format!("{TX}{query}"), delivery)).await, Once::Already, "{query}");
    }
}

#[tokio::test]
async fn different_news_are_different_work() {
    let store = MemoryDedupe::default();
    for (query, delivery) in [
        (format!("{TX}&time=2026-05-07T10:00:00Z"), "d-1"),
        // Without an event id the time tells a later news from a repetition: on hold, then authorized.
        (format!("{TX}&time=2026-05-07T11:00:00Z"), "d-2"),
        (format!("{TX}&event=CAPTURE&event_id=1"), "d-3"),
        (format!("{TX}&event=CAPTURE&event_id=2"), "d-4"),
        (format!("{TX}&event=REFUND&event_id=2"), "d-5"),
        (format!("{TX}&error=failed"), "d-6"),
        ("transaction_id=T12345678.b&event=CAPTURE&event_id=1".to_owned(), "d-7"),
        // A delivery id is not signed: one that was seen with another transaction hides nothing.
        ("transaction_id=T12345678.b&event=CAPTURE&event_id=2".to_owned(), "d-1"),
        // Before there is a transaction: by session, and where there is none, by reference.
        ("session_id=T12345678.a&error=cancelled".to_owned(), "d-8"),
        ("session_id=T12345678.b&error=cancelled".to_owned(), "d-9"),
        ("merchant_reference=a&error=cancelled".to_owned(), "d-10"),
        ("merchant_reference=b&error=cancelled".to_owned(), "d-11"),
    ] {
        assert_eq!(done(&store, &key(&query, Some(delivery))).await, Once::Done(()), "{query}");
    }
    assert_eq!(store.len(), 12);
}

#[test]
fn names_cannot_be_made_to_collide_and_fit_in_a_column() {
    let long = "x".repeat(5_000);
    let keys = [
        key("merchant_reference=a%26event%3DCAPTURE", None),
        key("merchant_reference=a&event=CAPTURE", None),
        key("merchant_reference=a&event=CAPTURE%26event_id%3D1", None),
        key("merchant_reference=a&event=CAPTURE&event_id=1", None),
        key(&format!("merchant_reference={long}"), Some("d")),
        key(&format!("merchant_reference={long}y"), Some(&long)),
    ];
    let names: HashSet<&str> = keys.iter().flat_map(DedupeKey::names).collect();
    assert_eq!(names.len(), 8);
    assert!(names.iter().all(|name| name.len() <= 400 && name.is_ascii()));
    // Stored names outlive a release, so their spelling is fixed.
    let key = key(&format!("{TX}&event=CAPTURE&event_id=3"), Some("d-1"));
    assert_eq!(key.delivery(), Some("account=T12345678&transaction=T12345678.a&delivery=d-1"));
    assert_eq!(key.event(), "account=T12345678&transaction=T12345678.a&event=CAPTURE&event_id=3");
    assert_eq!(action("a").event(), "action=capture&transaction=T12345678.a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_at_once_one_does_it() {
    let store = Arc::new(MemoryDedupe::default());
    let (runs, busy) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..1_000)
        .map(|n| {
            let (store, runs, busy) = (store.clone(), runs.clone(), busy.clone());
            // Half the deliveries repeat an id, all repeat the event.
            let key = key(&format!("{TX}&event=CAPTURE&event_id=3"), Some(&format!("d-{}", n / 2)));
            tokio::spawn(async move {
                loop {
                    let work = async {
                        runs.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok::<_, Infallible>(())
                    };
                    match once(&*store, &key, work).await.expect("no error") {
                        Once::InProgress => busy.fetch_add(1, Ordering::SeqCst),
                        _ => break,
                    };
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
async fn whoever_comes_while_it_is_done_is_told_to_come_again() {
    let store = MemoryDedupe::default();
    let key = action("a");
    let (inner, outer) = (&store, &key);
    let result = once(&store, &key, async move {
        let second = done(inner, outer).await;
        assert_eq!(second, Once::InProgress);
        assert_eq!(second.answer(), Answer::RetryLater);
        Ok::<_, Infallible>(7)
    });
    let result = result.await.expect("no error");
    assert_eq!(result, Once::Done(7));
    assert_eq!(result.answer(), Answer::Acknowledge);
    assert_eq!(done(&store, &key).await.answer(), Answer::Acknowledge);
}

#[tokio::test]
async fn work_that_fails_is_done_again() {
    let store = MemoryDedupe::default();
    let key = action("a");
    let error = once(&store, &key, async { Err::<(), _>(std::io::Error::other("down")) }).await.unwrap_err();
    assert!(matches!(error, OnceError::Work(_)));
    assert_eq!(error.answer(), Answer::RetryLater);
    assert_eq!(done(&store, &key).await, Once::Done(()));
}

#[tokio::test]
async fn work_that_is_dropped_half_way_is_done_again() {
    let store = MemoryDedupe::default();
    let key = action("a");
    let stuck = once(&store, &key, std::future::pending::<Result<(), Infallible>>());
    assert!(tokio::time::timeout(Duration::from_millis(20), stuck).await.is_err());
    assert_eq!(done(&store, &key).await, Once::Done(()));
}

#[tokio::test]
async fn work_that_panics_is_done_again() {
    let store = Arc::new(MemoryDedupe::default());
    let key = action("a");
    let (inner, inner_key) = (store.clone(), key.clone());
    let task = tokio::spawn(async move {
        let work = async { if inner.len() == 1 { panic!("on purpose") } else { Ok::<(), Infallible>(()) } };
        drop(once(&*inner, &inner_key, work).await);
    });
    assert!(task.await.expect_err("a panic").is_panic());
    assert_eq!(done(&store, &key).await, Once::Done(()));
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_holder_died_ends_by_itself() {
    let store = MemoryDedupe::default().lease(Duration::from_secs(60));
    let key = action("a");
    let Claim::Granted(lost) = store.claim(&key).await.expect("no error") else { panic!("not granted") };
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(done(&store, &key).await, Once::InProgress);
    tokio::time::advance(Duration::from_secs(1)).await;
    let Claim::Granted(second) = store.claim(&key).await.expect("no error") else { panic!("not granted") };
    // The dead one comes back and gives up: the second holder keeps the work.
    store.release(lost).await.expect("no error");
    assert_eq!(done(&store, &key).await, Once::InProgress);
    store.complete(second).await.expect("no error");
    assert_eq!(done(&store, &key).await, Once::Already);
}

#[tokio::test(start_paused = true)]
async fn work_done_after_its_lease_ended_counts_as_done() {
    let store = MemoryDedupe::default().lease(Duration::from_secs(60));
    let key = action("a");
    let Claim::Granted(slow) = store.claim(&key).await.expect("no error") else { panic!("not granted") };
    tokio::time::advance(Duration::from_secs(61)).await;
    let Claim::Granted(second) = store.claim(&key).await.expect("no error") else { panic!("not granted") };
    store.complete(slow).await.expect("no error");
    assert_eq!(done(&store, &key).await, Once::Already);
    store.release(second).await.expect("no error");
    assert_eq!(done(&store, &key).await, Once::Already);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_kept_for_its_time() {
    let store = MemoryDedupe::default().keep(Duration::from_secs(3_600));
    assert_eq!(done(&store, &action("a")).await, Once::Done(()));
    tokio::time::advance(Duration::from_secs(3_599)).await;
    assert_eq!(done(&store, &action("a")).await, Once::Already);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(done(&store, &action("a")).await, Once::Done(()));
}

#[tokio::test]
async fn the_store_is_bounded_and_forgets_the_oldest_done_work_only() {
    let store = MemoryDedupe::new(100);
    let Claim::Granted(held) = store.claim(&action("held")).await.expect("no error") else { panic!("not granted") };
    for n in 0..1_000 {
        assert_eq!(done(&store, &action(&n.to_string())).await, Once::Done(()));
        assert!(store.len() <= 100);
    }
    assert_eq!(done(&store, &action("999")).await, Once::Already);
    assert_eq!(done(&store, &action("held")).await, Once::InProgress, "work in progress is not forgotten");
    store.complete(held).await.expect("no error");
    assert_eq!(done(&store, &action("0")).await, Once::Done(()), "the oldest was forgotten");
}

#[tokio::test]
async fn a_store_full_of_work_in_progress_grants_no_more() {
    let store = MemoryDedupe::new(2);
    let mut leases = Vec::new();
    for short in ["a", "b"] {
        match store.claim(&action(short)).await.expect("no error") {
            Claim::Granted(lease) => leases.push(lease),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done(&store, &action("c")).await, Once::InProgress);
    store.release(leases.pop().expect("a lease")).await.expect("no error");
    assert_eq!(done(&store, &action("c")).await, Once::Done(()));
}

/// A store that is away, at the claim or afterwards.
struct Away {
    claims: bool,
}

impl Dedupe for Away {
    type Lease = ();
    type Error = std::io::Error;

    async fn claim(&self, _: &DedupeKey) -> Result<Claim<()>, std::io::Error> {
        if self.claims { Ok(Claim::Granted(())) } else { Err(std::io::Error::other("away")) }
    }

    async fn complete(&self, (): ()) -> Result<(), std::io::Error> {
        Err(std::io::Error::other("away"))
    }

    async fn release(&self, (): ()) -> Result<(), std::io::Error> {
        Err(std::io::Error::other("away"))
    }
}

#[tokio::test]
async fn a_store_that_fails_never_ends_a_delivery_with_the_work_undone() {
    let ran = AtomicUsize::new(0);
    let work = || async {
        ran.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(())
    };
    let error = once(&Away { claims: false }, &action("a"), work()).await.unwrap_err();
    assert!(matches!(error, OnceError::Store(_)));
    assert_eq!((error.answer(), ran.load(Ordering::SeqCst)), (Answer::RetryLater, 0));

    let error = once(&Away { claims: true }, &action("a"), work()).await.unwrap_err();
    assert!(matches!(error, OnceError::NotNoted(_)));
    assert_eq!((error.answer(), ran.load(Ordering::SeqCst)), (Answer::Acknowledge, 1));

    let failing = async { Err::<(), _>(std::io::Error::other("work")) };
    let error = once(&Away { claims: true }, &action("a"), failing).await.unwrap_err();
    assert!(matches!(error, OnceError::Work(_)), "the work's own error is told");
    assert_eq!(error.answer(), Answer::RetryLater);
}
