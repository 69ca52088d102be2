//! One suite for all stores, against real servers.

use std::sync::Arc;

use crate::support::{File, postgres, postgres_store, redis, redis_store, sqlite_store};
use dintero::store::MemoryStore;
use dintero_stores::conformance;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    conformance::all(Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let file = File::new();
    let store = sqlite_store(&file).await;
    // Again, and by others at the same time.
    let others = futures_util::future::join_all((0..4).map(|_| sqlite_store(&file))).await;
    conformance::all(store).await;
    assert!(others[0].clean().await.expect("cleaned") <= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_server() {
    let Some(server) = redis() else { return };
    conformance::all(redis_store(&server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_server() {
    let Some(server) = postgres() else { return };
    let store = postgres_store(&server).await;
    let others = futures_util::future::join_all((0..4).map(|_| postgres_store(&server))).await;
    conformance::all(store).await;
    others[0].clean().await.expect("cleaned");
}
