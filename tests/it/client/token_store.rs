//! One token shared between clients through a store of the user's, counted at the server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::tokens::{LONG, bearers, call, server, transaction};
use crate::support::{Reply, Server};
use dintero::{StoreFuture, StoredToken, TokenKey, TokenStore};

/// A store in memory that stands for one outside.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<BTreeMap<String, StoredToken>>>);

impl TokenStore for Shared {
    fn load<'a>(&'a self, key: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(async move { Ok(self.0.lock().unwrap().get(key.as_str()).cloned()) })
    }

    fn save<'a>(&'a self, key: &'a TokenKey, token: &'a StoredToken) -> StoreFuture<'a, ()> {
        let entry = (key.as_str().to_owned(), token.clone());
        Box::pin(async move {
            self.0.lock().unwrap().extend([entry]);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_fleet_shares_one_token_through_a_store() {
    let store = Shared::default();
    let server = server(|n| Reply::token(&format!("t{n}"), LONG)).await;
    for n in 0..10 {
        let client = server.builder().token_store(store.clone()).build().unwrap();
        call(&client).await.unwrap();
        // The token is saved after the call has it.
        if n == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    assert_eq!(server.tokens(), 1);
    assert_eq!(store.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_not_taken_from_the_store_again() {
    let store = Shared::default();
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if seen.is_token() {
            Reply::token(&format!("t{}", count.fetch_add(1, Ordering::SeqCst)), LONG)
        } else if seen.header("authorization") == Some("Bearer t0") {
            Reply::error(401)
        } else {
            transaction()
        }
    })
    .await;
    let client = || server.builder().token_store(store.clone()).build().unwrap();
    call(&client()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    call(&client()).await.unwrap();
    assert_eq!(server.tokens(), 2);
    assert_eq!(bearers(&server), ["Bearer t0", "Bearer t1", "Bearer t1"]);
}

struct Broken;

impl TokenStore for Broken {
    fn load<'a>(&'a self, _: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::pending())
    }

    fn save<'a>(&'a self, _: &'a TokenKey, _: &'a StoredToken) -> StoreFuture<'a, ()> {
        Box::pin(async { Err("no store today".into()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_fails_no_call() {
    let server = server(|_| Reply::token("t0", LONG)).await;
    let client = server.builder().token_store(Broken).build().unwrap();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 1);
}

/// A store that holds a text which is no token.
struct Spoiled(&'static str);

impl TokenStore for Spoiled {
    fn load<'a>(&'a self, _: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>> {
        let now = chrono::Utc::now();
        let token = StoredToken::new(self.0.into(), now, now + chrono::TimeDelta::hours(4));
        Box::pin(async { Ok(Some(token)) })
    }

    fn save<'a>(&'a self, _: &'a TokenKey, _: &'a StoredToken) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_text_in_the_store_that_is_no_token_fails_no_call() {
    for text in ["t0\n", "", "t 0", "t\u{e9}", "\u{0}"] {
        let server = server(|_| Reply::token("good", LONG)).await;
        let client = server.builder().token_store(Spoiled(text)).build().unwrap();
        call(&client).await.unwrap();
        assert_eq!((bearers(&server), server.tokens()), (vec!["Bearer good".to_owned()], 1), "{text:?}");
    }
}

/// The call is made once more only, so the token that it is made with then has to be a good one.
#[tokio::test]
async fn after_a_refusal_the_store_is_not_asked() {
    let server = Server::start(|seen| match seen.header("authorization") {
        _ if seen.is_token() => Reply::token("good", LONG),
        Some("Bearer good") => transaction(),
        _ => Reply::error(401),
    })
    .await;
    // Another text each time, none of which was refused before.
    struct Stale(AtomicUsize);
    impl TokenStore for Stale {
        fn load<'a>(&'a self, _: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>> {
            let now = chrono::Utc::now();
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            let ends = now + chrono::TimeDelta::hours(4 + i64::try_from(count).unwrap());
            let token = StoredToken::new(format!("stale{count}").into(), now, ends);
            Box::pin(async { Ok(Some(token)) })
        }

        fn save<'a>(&'a self, _: &'a TokenKey, _: &'a StoredToken) -> StoreFuture<'a, ()> {
            Box::pin(async { Ok(()) })
        }
    }
    let client = server.builder().token_store(Stale(AtomicUsize::new(0))).build().unwrap();
    call(&client).await.unwrap();
    assert_eq!(bearers(&server), ["Bearer stale0", "Bearer good"]);
}

/// Panics when it is asked, in the future that it gives, or both.
#[derive(Clone, Copy)]
struct Panicking {
    at_once: bool,
    later: bool,
}

impl Panicking {
    fn answer<'a, T: Send + 'a>(self, value: T) -> StoreFuture<'a, T> {
        assert!(!self.at_once, "the store panics at once");
        Box::pin(async move {
            assert!(!self.later, "the store panics later");
            Ok(value)
        })
    }
}

impl TokenStore for Panicking {
    fn load<'a>(&'a self, _: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.answer(None)
    }

    fn save<'a>(&'a self, _: &'a TokenKey, _: &'a StoredToken) -> StoreFuture<'a, ()> {
        self.answer(())
    }
}

#[tokio::test]
async fn a_store_that_panics_fails_no_call() {
    for (at_once, later) in [(true, false), (false, true)] {
        let server = server(|_| Reply::token("t0", LONG)).await;
        let client = server.builder().token_store(Panicking { at_once, later }).build().unwrap();
        call(&client).await.unwrap();
        call(&client).await.unwrap();
        assert_eq!((server.tokens(), server.calls().len()), (1, 2));
    }
}
