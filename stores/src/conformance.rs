//! What every [`Store`] has to hold, as tests that panic with what does not.
//!
//! ```no_run
//! # async fn test(store: impl dintero::store::Store + Clone) {
//! dintero_stores::conformance::all(store).await;
//! # }
//! ```

use std::time::Duration;

use dintero::store::{Change, Changed, Record, Store};

/// Long enough that no lease of a test is over by itself.
const LONG: Duration = Duration::from_secs(600);
/// A time that is over after [`pass`].
const SHORT: Duration = Duration::from_millis(40);

/// Runs all tests. The store may hold other records, and other processes may use it meanwhile.
pub async fn all(store: impl Store + Clone) {
    a_record_is_changed_only_as_expected(&store).await;
    fences_grow(&store).await;
    done_records_go_and_open_ones_stay(&store).await;
    what_is_left_open_is_found(&store).await;
    every_text_is_kept(&store).await;
    of_many_at_once_one_wins(store).await;
}

/// A name under which nothing else is.
fn fresh(kind: &str) -> String {
    format!("{kind}-{}/a=b%20c&d=e", uuid::Uuid::new_v4())
}

async fn pass() {
    tokio::time::sleep(SHORT * 3).await;
}

async fn load(store: &impl Store, name: &str) -> Option<Record> {
    store.load(name).await.expect("load")
}

async fn change(store: &impl Store, name: &str, expected: Option<u64>, done: bool, lasts: Duration) -> Changed {
    let data = if done { "done" } else { "open" };
    store.change(Change { name, expected, done, lasts, data }).await.expect("change")
}

#[track_caller]
fn made(changed: Changed) -> u64 {
    match changed {
        Changed::Yes { fence } => fence,
        Changed::No { found } => panic!("not changed, found {found:?}"),
    }
}

#[track_caller]
fn refused(changed: Changed) -> Option<Record> {
    match changed {
        Changed::Yes { .. } => panic!("changed although not as expected"),
        Changed::No { found } => found,
    }
}

async fn a_record_is_changed_only_as_expected(store: &impl Store) {
    let name = &fresh("changed");
    assert_eq!(load(store, name).await, None);
    assert_eq!(refused(change(store, name, Some(1), false, LONG).await), None, "nothing is there");
    let first = made(change(store, name, None, false, LONG).await);
    let record = load(store, name).await.expect("a record");
    assert_eq!((&*record.name, record.fence, record.done, &*record.data), (&**name, first, false, "open"));
    assert!(record.remaining > LONG / 2 && record.remaining <= LONG, "{record:?}");
    let found = refused(change(store, name, None, true, LONG).await).expect("what is there");
    assert_eq!((&*found.name, found.fence, found.done, &*found.data), (&**name, first, false, "open"));
    refused(change(store, name, Some(first + 1), true, LONG).await);
    let second = made(change(store, name, Some(first), true, LONG).await);
    let found = refused(change(store, name, Some(first), false, LONG).await).expect("what is there");
    assert_eq!((found.fence, found.done, &*found.data), (second, true, "done"));
    assert!(!store.remove(name, first).await.expect("remove"), "an old fence removes nothing");
    assert!(store.remove(name, second).await.expect("remove"));
    assert!(!store.remove(name, second).await.expect("remove"));
    assert_eq!(load(store, name).await, None);
}

async fn fences_grow(store: &impl Store) {
    let name = &fresh("fence");
    let mut last = 0;
    for round in 0..4 {
        let mut expected = None;
        for done in [false, true, false] {
            let fence = made(change(store, name, expected, done, LONG).await);
            assert!(fence > last, "{fence} after {last} in round {round}");
            (last, expected) = (fence, Some(fence));
        }
        assert!(store.remove(name, last).await.expect("remove"));
    }
}

async fn done_records_go_and_open_ones_stay(store: &impl Store) {
    let (open, done) = (&fresh("stays"), &fresh("goes"));
    let fence = made(change(store, open, None, false, SHORT).await);
    let gone = made(change(store, done, None, true, SHORT).await);
    let at_once = &fresh("at-once");
    let over = made(change(store, at_once, None, false, Duration::ZERO).await);
    assert_eq!(load(store, at_once).await.expect("a record").remaining, Duration::ZERO);
    pass().await;
    let record = load(store, open).await.expect("an open record stays");
    assert_eq!((record.fence, record.remaining), (fence, Duration::ZERO));
    assert_eq!(load(store, done).await, None, "a done one goes");
    assert_eq!(refused(change(store, done, Some(gone), false, LONG).await), None);
    assert!(made(change(store, done, None, false, LONG).await) > gone);
    made(change(store, open, Some(fence), true, Duration::MAX).await);
    made(change(store, at_once, Some(over), false, Duration::MAX).await);
    assert!(load(store, at_once).await.expect("a record").remaining > LONG, "a time too long is a long time");
}

async fn what_is_left_open_is_found(store: &impl Store) {
    let kind = format!("left-{}", uuid::Uuid::new_v4());
    let name = |n: &str| format!("{kind}/{n}");
    let left = async |prefix: &str, limit| -> Vec<String> {
        let records = store.left_open(prefix, limit).await.expect("left_open");
        assert!(records.iter().all(|record| !record.done && record.remaining.is_zero() && record.data == "open"));
        records.into_iter().map(|record| record.name).collect()
    };
    let mut fences = Vec::new();
    for n in ["b", "a", "c"] {
        fences.push(made(change(store, &name(n), None, false, Duration::ZERO).await));
        pass().await;
    }
    made(change(store, &name("held"), None, false, LONG).await);
    made(change(store, &name("done"), None, true, LONG).await);
    made(change(store, &format!("{kind}x/other"), None, false, Duration::ZERO).await);
    let prefix = name("");
    assert_eq!(left(&prefix, 10).await, [name("b"), name("a"), name("c")], "those over longest first");
    assert_eq!(left(&prefix, 2).await, [name("b"), name("a")]);
    assert!(left("%", 10).await.is_empty() && left("_eft", 10).await.is_empty(), "a prefix, not a pattern");
    let [b, a, c] = fences[..] else { unreachable!("three were made") };
    // Taken, done and removed ones are no longer left open.
    made(change(store, &name("b"), Some(b), false, LONG).await);
    made(change(store, &name("a"), Some(a), true, LONG).await);
    assert!(store.remove(&name("c"), c).await.expect("remove"));
    assert!(left(&prefix, 10).await.is_empty());
}

async fn every_text_is_kept(store: &impl Store) {
    let large = "x".repeat(200_000);
    for data in ["", "{}", "\u{e6}\u{1f600} '\"\\ \n\t%_ $1 ?1", &large] {
        let name = &fresh("text");
        made(store.change(Change { name, expected: None, done: false, lasts: LONG, data }).await.expect("change"));
        assert_eq!(load(store, name).await.expect("a record").data, data);
    }
    let name = &format!("{}{}", fresh("long"), "x".repeat(430));
    made(change(store, name, None, true, LONG).await);
    assert_eq!(load(store, name).await.expect("a record").name, *name);
}

/// Thirty-two tasks change one record, each from what it last saw: no change is lost and none is made twice.
async fn of_many_at_once_one_wins(store: impl Store + Clone) {
    let name = fresh("many");
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (store, name) = (store.clone(), name.clone());
            tokio::spawn(async move {
                let (mut made, mut expected, mut count) = (Vec::new(), None, 0);
                while made.len() < 4 {
                    let data = format!("{}", count + 1);
                    let change = Change { name: &name, expected, done: false, lasts: LONG, data: &data };
                    match store.change(change).await.expect("change") {
                        Changed::Yes { fence } => {
                            made.push(fence);
                            (expected, count) = (Some(fence), count + 1);
                        }
                        Changed::No { found } => {
                            let found = found.expect("what is there");
                            (expected, count) = (Some(found.fence), found.data.parse().expect("a number"));
                        }
                    }
                }
                made
            })
        })
        .collect();
    let mut fences = Vec::new();
    for task in tasks {
        fences.extend(task.await.expect("a task"));
    }
    assert_eq!(load(&store, &name).await.expect("a record").data, "128", "no change is lost");
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), 128, "no two changes have one fence");
}
