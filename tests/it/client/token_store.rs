//! One token shared between clients through a store, counted at the server. The same over processes is in
//! `dintero-stores`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::tokens::{LONG, bearers, call, server, transaction};
use crate::support::{HandClock, Reply, SECRET, Server};
use dintero::Client;
use dintero::store::{Change, Changed, Journal, MemoryStore, Record, Store, StoreFuture};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A store that remembers every record that was written to it, and can be down.
#[derive(Default)]
struct Watched {
    store: MemoryStore,
    written: Mutex<Vec<(String, bool, String)>>,
    is_down: AtomicBool,
}

impl Watched {
    fn written(&self) -> Vec<(String, bool, String)> {
        self.written.lock().unwrap().clone()
    }

    /// Waits until a token is in the store, and gives its record and the token.
    async fn token(&self) -> (Record, String) {
        loop {
            if let Some((name, true, _)) = self.written().last()
                && let Some(record) = self.store.load(name).await.unwrap()
            {
                let content: Value = serde_json::from_str(&record.data).unwrap();
                return (record, content["result"]["access_token"].as_str().unwrap().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Puts another token in its place, fetched and ending so many seconds later.
    async fn put(&self, token: &str, later: i64) {
        let (record, _) = self.token().await;
        let mut content: Value = serde_json::from_str(&record.data).unwrap();
        content["result"]["access_token"] = token.into();
        for time in ["obtained_at", "expires_at"] {
            let text = content["result"][time].as_str().unwrap();
            let time_then = chrono::DateTime::parse_from_rfc3339(text).unwrap() + chrono::TimeDelta::seconds(later);
            content["result"][time] = json!(time_then);
        }
        self.write(&record, true, record.remaining, &content.to_string()).await;
    }

    /// Leaves the record as a process does that has begun to fetch a token.
    async fn begin(&self, lease: Duration) {
        let (record, _) = self.token().await;
        self.write(&record, false, lease, &record.data).await;
    }

    async fn write(&self, record: &Record, done: bool, lasts: Duration, data: &str) {
        let change = Change { name: &record.name, expected: Some(record.fence), done, lasts, data };
        assert!(matches!(self.store.change(change).await.unwrap(), Changed::Yes { .. }));
    }
}

impl Store for Watched {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.store.load(name)
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move {
            if self.is_down.load(Ordering::SeqCst) {
                return Err("no store today".into());
            }
            let changed = self.store.change(change).await?;
            if matches!(changed, Changed::Yes { .. }) {
                let entry = (change.name.to_owned(), change.done, change.data.to_owned());
                self.written.lock().unwrap().push(entry);
            }
            Ok(changed)
        })
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        self.store.remove(name, fence)
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        self.store.left_open(prefix, limit)
    }
}

/// A client that shares nothing with the others but the store, as one of another process.
fn client(server: &Server, store: &Arc<Watched>) -> Client {
    server.builder().journal(Journal::new(store.clone())).build().unwrap()
}

async fn all_call(clients: &[Client]) {
    for ended in join_all(clients.iter().map(call)).await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_fleet_fetches_one_token_and_one_when_it_has_expired() {
    let store = Arc::new(Watched::default());
    let server = server(|n| Reply::token(&format!("t{n}"), LONG).after(Duration::from_millis(50))).await;
    let clock = HandClock::new();
    let one = || server.builder().journal(Journal::new(store.clone())).clock(clock.clone()).build().unwrap();
    let fleet: Vec<_> = (0..50).map(|_| one()).collect();
    for expected in 1..4 {
        all_call(&fleet).await;
        assert_eq!(server.tokens(), expected);
        assert_eq!(store.token().await.1, format!("t{}", expected - 1));
        // One that comes later.
        call(&one()).await.unwrap();
        assert_eq!(server.tokens(), expected);
        clock.advance(i64::try_from(LONG).unwrap());
    }
}

#[tokio::test]
async fn an_entry_holds_the_token_and_its_times_and_nothing_else() {
    let store = Arc::new(Watched::default());
    let server = server(|n| Reply::token(&format!("t{n}"), LONG)).await;
    call(&client(&server, &store)).await.unwrap();
    store.token().await;
    let written = store.written();
    assert_eq!(written.len(), 2, "the turn and the token: {written:?}");
    for (name, done, data) in written {
        for secret in [SECRET, "the-client"] {
            assert!(!format!("{name}{data}").contains(secret), "{name}: {data}");
        }
        let Value::Object(mut content) = serde_json::from_str(&data).unwrap() else { panic!("{data}") };
        assert!(content.remove("holder").is_some_and(|holder| holder.as_str().unwrap().len() == 32), "{data}");
        if done {
            let Some(Value::Object(token)) = content.remove("result") else { panic!("{data}") };
            let fields: Vec<_> = token.keys().map(String::as_str).collect();
            assert_eq!(
                (fields, &token["access_token"]),
                (vec!["access_token", "expires_at", "obtained_at"], &json!("t0"))
            );
        }
        assert!(content.is_empty(), "{data}");
    }
}

#[tokio::test]
async fn a_token_can_be_kept_out_of_the_journal_of_the_money_calls() {
    let store = Arc::new(Watched::default());
    let server = server(|_| Reply::token("t0", LONG)).await;
    let builder = server.builder().journal(Journal::new(store.clone())).token_journal(Journal::in_memory());
    call(&builder.build().unwrap()).await.unwrap();
    assert_eq!((server.tokens(), store.written()), (1, vec![]));
}

/// A service that refuses the tokens below the n-th.
async fn refusing(first_good: &Arc<AtomicUsize>) -> Server {
    let (count, first_good) = (AtomicUsize::new(0), first_good.clone());
    Server::start(move |seen| {
        if seen.is_token() {
            return Reply::token(&format!("t{}", count.fetch_add(1, Ordering::SeqCst)), LONG);
        }
        let token = seen.header("authorization").and_then(|bearer| bearer.strip_prefix("Bearer t"));
        let is_good = token.and_then(|n| n.parse().ok()).is_some_and(|n: usize| n >= first_good.load(Ordering::SeqCst));
        if is_good { transaction() } else { Reply::error(401) }
    })
    .await
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_the_fleet() {
    let (store, first_good) = (Arc::new(Watched::default()), Arc::default());
    let server = refusing(&first_good).await;
    let fleet: Vec<_> = (0..20).map(|_| client(&server, &store)).collect();
    all_call(&fleet).await;
    assert_eq!(server.tokens(), 1);
    first_good.store(1, Ordering::SeqCst);
    all_call(&fleet).await;
    // Not taken from the store by one that never had it either.
    all_call(&[client(&server, &store)]).await;
    assert_eq!(server.tokens(), 2);
}

/// What is in the store may be no token of the service's: a call is made once more only, and the next fetches.
#[tokio::test]
async fn after_two_refusals_in_succession_the_token_is_fetched() {
    let (store, first_good) = (Arc::new(Watched::default()), Arc::default());
    let server = refusing(&first_good).await;
    call(&client(&server, &store)).await.unwrap();
    let other = client(&server, &store);
    store.put("stale", 1).await;
    call(&other).await.unwrap();
    assert_eq!(bearers(&server), ["Bearer t0", "Bearer stale", "Bearer t1"], "what is not later is not taken");

    store.token().await;
    let third = client(&server, &store);
    call(&third).await.unwrap();
    first_good.store(2, Ordering::SeqCst);
    store.put("newer", 10).await;
    call(&third).await.unwrap_err();
    store.put("newest", 20).await;
    call(&third).await.unwrap();
    assert_eq!(bearers(&server)[3..], ["Bearer t1", "Bearer t1", "Bearer newer", "Bearer newer", "Bearer t2"]);
}

/// Of two tokens that were fetched at the same moment, one that was refused says nothing good of the other.
#[tokio::test]
async fn a_token_no_later_than_the_refused_one_is_not_taken() {
    let (store, first_good) = (Arc::new(Watched::default()), Arc::default());
    let server = refusing(&first_good).await;
    let client = client(&server, &store);
    call(&client).await.unwrap();
    first_good.store(1, Ordering::SeqCst);
    store.put("twin", 0).await;
    call(&client).await.unwrap();
    assert_eq!(bearers(&server), ["Bearer t0", "Bearer t0", "Bearer t1"]);
}

#[tokio::test]
async fn after_a_failed_renewal_the_fleet_has_the_old_token() {
    let store = Arc::new(Watched::default());
    let server = server(|n| if n == 0 { Reply::token("t0", LONG) } else { Reply::error(503) }).await;
    let clock = HandClock::new();
    let one = || server.builder().journal(Journal::new(store.clone())).clock(clock.clone()).build().unwrap();
    let first = one();
    call(&first).await.unwrap();
    let (record, _) = store.token().await;
    // It is due to be renewed, and good for some minutes.
    clock.advance(i64::try_from(LONG).unwrap() - 200);
    call(&first).await.unwrap();
    while store.token().await.0.fence == record.fence {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let tokens = server.tokens();
    assert!(tokens > 1);
    call(&one()).await.unwrap();
    assert_eq!((server.tokens(), store.token().await.1), (tokens, "t0".to_owned()));
}

#[tokio::test]
async fn the_turn_of_a_dead_process_is_taken_over() {
    let store = Arc::new(Watched::default());
    let server = server(|n| Reply::token(&format!("t{n}"), LONG)).await;
    call(&client(&server, &store)).await.unwrap();
    store.begin(Duration::from_millis(300)).await;
    let fleet: Vec<_> = (0..10).map(|_| client(&server, &store)).collect();
    all_call(&fleet).await;
    assert_eq!(server.tokens(), 2, "one of them took over");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_does_not_end_is_not_waited_for_for_ever() {
    let store = Arc::new(Watched::default());
    let server = server(|n| Reply::token(&format!("t{n}"), LONG)).await;
    call(&client(&server, &store)).await.unwrap();
    store.begin(Duration::from_secs(600)).await;
    call(&client(&server, &store)).await.unwrap();
    assert_eq!(server.tokens(), 2);
}

/// Who could not get a turn, because the store was down, shares what came of it, unless there is better.
#[tokio::test]
async fn a_token_that_was_fetched_without_a_turn_is_shared_where_it_lasts_longest() {
    let store = Arc::new(Watched::default());
    let mended = store.clone();
    let server = server(move |n| {
        mended.is_down.store(false, Ordering::SeqCst);
        Reply::token(&format!("t{n}"), if n == 0 { LONG } else { LONG / 2 })
    })
    .await;
    for tokens in [1, 2] {
        store.is_down.store(true, Ordering::SeqCst);
        let alone = client(&server, &store);
        call(&alone).await.unwrap();
        assert_eq!(server.tokens(), tokens);
        // Turns of the runtime, in which the token gets to the store.
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.token().await.1, "t0");
        call(&client(&server, &store)).await.unwrap();
        assert_eq!(bearers(&server).last().unwrap(), "Bearer t0");
    }
}

#[tokio::test]
async fn a_text_in_the_store_that_is_no_token_fails_no_call() {
    for text in ["t0\n", "", "t 0", "t\u{e9}", "\u{0}"] {
        let store = Arc::new(Watched::default());
        let server = server(|n| Reply::token(&format!("good{n}"), LONG)).await;
        call(&client(&server, &store)).await.unwrap();
        store.put(text, 1).await;
        call(&client(&server, &store)).await.unwrap();
        assert_eq!(
            (bearers(&server), server.tokens()),
            (vec!["Bearer good0".into(), "Bearer good1".into()], 2),
            "{text:?}"
        );
    }
}

/// How a store can fail a step.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Error,
    Hang,
    Panic,
    PanicLater,
}

impl Failing {
    fn fail<'a, T: Send + 'a>(self) -> StoreFuture<'a, T> {
        assert!(!matches!(self, Self::Panic), "the store panics at once");
        Box::pin(async move {
            match self {
                Self::Error => Err("no store today".into()),
                Self::Hang => std::future::pending().await,
                Self::Panic | Self::PanicLater => panic!("the store panics later"),
            }
        })
    }
}

impl Store for Failing {
    fn load<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.fail()
    }

    fn change<'a>(&'a self, _: Change<'a>) -> StoreFuture<'a, Changed> {
        self.fail()
    }

    fn remove<'a>(&'a self, _: &'a str, _: u64) -> StoreFuture<'a, bool> {
        self.fail()
    }

    fn left_open<'a>(&'a self, _: &'a str, _: usize) -> StoreFuture<'a, Vec<Record>> {
        self.fail()
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_hangs_or_panics_fails_no_call() {
    for failing in [Failing::Error, Failing::Hang, Failing::Panic, Failing::PanicLater] {
        let server = server(|_| Reply::token("t0", LONG)).await;
        let client = server.builder().journal(Journal::new(failing)).build().unwrap();
        call(&client).await.unwrap();
        call(&client).await.unwrap();
        assert_eq!((server.tokens(), server.calls().len()), (1, 2), "{failing:?}");
    }
}
