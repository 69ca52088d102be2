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
