//! Stores for the crate [`dintero`], shared by all processes of a shop: what was begun, what it came to, and the
//! access token.
//!
//! | feature | store | a change that was reported as made can be lost by |
//! |---|---|---|
//! | `postgres` | `PostgresStore` | nothing on one server (with `fsync` and `synchronous_commit` on, the defaults); a failover to an asynchronous replica. With `synchronous_standby_names` and `synchronous_commit = on` or `remote_apply` it is on the replica too |
//! | `redis` | `RedisStore` | a restart, unless `appendonly yes` with `appendfsync always`; any failover (Sentinel, Cluster), because replication is asynchronous |
//! | `sqlite` | `SqliteStore` | nothing on one machine (`synchronous = FULL`); the loss of its disk |
//!
//! A lost change means that a claim may be granted twice and that a dead process's work may not be found again. Money
//! calls still read the transaction before they send, so a reference that has left a trace is not sent twice; one whose
//! request is under way at that moment can be. For money take PostgreSQL or SQLite; Redis is enough for tokens, and for
//! callbacks where the handler bears to run twice.
//!
//! Each store takes a pool of connections that the caller has made, and makes its tables with `migrate`, which is safe
//! to run at every start, by all processes at once. A record holds ids, references, amounts, the signed query of a
//! callback, and the access token while it lasts; it never holds the client secret or a signing secret. Whoever can
//! write to the store can have callbacks handled that nobody sent and orders left uncaptured: guard it like the
//! orders' own database.
//!
//! ```no_run
//! # #[cfg(feature = "postgres")]
//! # async fn journal() -> Result<dintero::store::Journal, Box<dyn std::error::Error + Send + Sync>> {
//! let manager = deadpool_postgres::Manager::new("host=localhost user=shop".parse()?, tokio_postgres::NoTls);
//! let pool = deadpool_postgres::Pool::builder(manager).build()?;
//! let store = dintero_stores::PostgresStore::new(pool);
//! store.migrate().await?;
//! let journal = dintero::store::Journal::new(store);
//! # Ok(journal)
//! # }
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// A time in milliseconds that no clock of a store overflows: a hundred years at most.
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
fn millis(time: std::time::Duration) -> i64 {
    const CENTURY: i64 = 3_155_760_000_000;
    i64::try_from(time.as_millis()).unwrap_or(CENTURY).min(CENTURY)
}

/// What is left of a time, from milliseconds that may be negative.
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
fn remaining(millis: i64) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
