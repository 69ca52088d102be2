//! What was done, in SQLite: shared by all processes of the shop, and kept over restarts.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dintero::callback::{Claim, Dedupe, DedupeKey};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// How long done work is remembered: longer than callbacks are sent again.
const KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A [`Dedupe`] store in a SQLite file.
#[derive(Clone)]
pub(crate) struct SqliteDedupe {
    connection: Arc<Mutex<Connection>>,
    lease: Duration,
}

/// A claim: the row's token, and the key for the case that the row is gone by the time the work is done.
pub(crate) struct Lease {
    token: String,
    key: DedupeKey,
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
    #[error("the database call was aborted")]
    Aborted(#[from] tokio::task::JoinError),
}

impl SqliteDedupe {
    /// Opens or creates the file. A lease ends by itself after `lease`, which must be longer than the work takes.
    pub(crate) fn open(path: impl AsRef<Path>, lease: Duration) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        // One unique column per name: an insertion that conflicts with either is not granted.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE IF NOT EXISTS work (
                 token TEXT PRIMARY KEY,
                 delivery TEXT UNIQUE,
                 event TEXT NOT NULL UNIQUE,
                 done INTEGER NOT NULL,
                 ends INTEGER NOT NULL
             ) STRICT;",
        )?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), lease })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SQLite blocks, so its calls run where they may.
    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        Ok(tokio::task::spawn_blocking(move || run(&mut store.connection())).await??)
    }
}

fn seconds_from_now(by: Duration) -> i64 {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(by);
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX)
}

fn release(connection: &Connection, lease: &Lease) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM work WHERE token = ?1 AND done = 0", [&lease.token]).map(drop)
}

impl Dedupe for SqliteDedupe {
    type Lease = Lease;
    type Error = StoreError;

    async fn claim(&self, key: &DedupeKey) -> Result<Claim<Lease>, StoreError> {
        let (key, ends) = (key.clone(), seconds_from_now(self.lease));
        self.call(move |connection| {
            // Immediate: the look and the insertion are one step for every process.
            let work = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work.execute("DELETE FROM work WHERE ends <= ?1", [seconds_from_now(Duration::ZERO)])?;
            let done: Option<bool> = work
                .query_row(
                    "SELECT done FROM work WHERE delivery = ?1 OR event = ?2 ORDER BY done DESC LIMIT 1",
                    params![key.delivery(), key.event()],
                    |row| row.get(0),
                )
                .optional()?;
            let claim = match done {
                Some(true) => Claim::Done,
                Some(false) => Claim::InProgress,
                None => {
                    let token = uuid::Uuid::new_v4().to_string();
                    work.execute(
                        "INSERT INTO work (token, delivery, event, done, ends) VALUES (?1, ?2, ?3, 0, ?4)",
                        params![token, key.delivery(), key.event(), ends],
                    )?;
                    Claim::Granted(Lease { token, key })
                }
            };
            work.commit()?;
            Ok(claim)
        })
        .await
    }

    async fn complete(&self, lease: Lease) -> Result<(), StoreError> {
        self.call(move |connection| {
            // Replaces the row of whoever claimed the work after this lease had ended: it is done.
            connection
                .execute(
                    "INSERT OR REPLACE INTO work (token, delivery, event, done, ends) VALUES (?1, ?2, ?3, 1, ?4)",
                    params![lease.token, lease.key.delivery(), lease.key.event(), seconds_from_now(KEEP)],
                )
                .map(drop)
        })
        .await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.call(move |connection| release(connection, &lease)).await
    }

    fn abandon(&self, lease: Lease) {
        // One short statement; if it fails, the lease ends by itself.
        drop(release(&self.connection(), &lease));
    }
}
