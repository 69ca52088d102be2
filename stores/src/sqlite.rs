//! The store in a SQLite file, shared by the processes of one machine.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_sqlite::Pool;
use deadpool_sqlite::rusqlite::{Connection, Error, OptionalExtension, Row, TransactionBehavior, params};
use dintero::store::{Change, Changed, Record, Store, StoreError, StoreFuture};

use crate::{millis, remaining};

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(4);

const FIND: &str = "SELECT name, fence, done, until, data FROM dintero_record
    WHERE name = ?1 AND NOT (done AND until <= ?2)";

/// A [`Store`] in a SQLite file of 3.37 or later, in WAL mode. All processes are on one machine, whose clock it takes.
/// The file must not be on a network share.
#[derive(Clone)]
pub struct SqliteStore {
    pool: Pool,
}

impl SqliteStore {
    /// Makes a store over a pool. [`migrate`](Self::migrate) has to have run once.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Makes what is missing of the tables. Safe to run at every start, by several processes at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.run(|connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            all.execute_batch(
                "CREATE TABLE IF NOT EXISTS dintero_fence (value INTEGER NOT NULL) STRICT;
                 INSERT INTO dintero_fence SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM dintero_fence);
                 CREATE TABLE IF NOT EXISTS dintero_record (
                     name TEXT PRIMARY KEY,
                     fence INTEGER NOT NULL,
                     done INTEGER NOT NULL,
                     until INTEGER NOT NULL,
                     data TEXT NOT NULL
                 ) STRICT;
                 CREATE INDEX IF NOT EXISTS dintero_record_until ON dintero_record (done, until);",
            )?;
            all.commit()
        })
        .await
    }

    /// Deletes done records that has expired, which count as gone anyway, and tells how many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn clean(&self) -> Result<usize, StoreError> {
        self.run(|connection| connection.execute("DELETE FROM dintero_record WHERE done AND until <= ?1", [now()]))
            .await
    }

    /// SQLite blocks, so its calls run where they may.
    async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.pool.get().await?;
        let done = connection.interact(move |connection| {
            connection.busy_timeout(BUSY)?;
            step(connection)
        });
        // The pool's error may hold a panic's payload, which cannot be passed on.
        Ok(done.await.map_err(|error| error.to_string())??)
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn record(row: &Row<'_>, now: i64) -> Result<Record, Error> {
    Ok(Record {
        name: row.get(0)?,
        fence: row.get(1)?,
        done: row.get(2)?,
        remaining: remaining(row.get::<_, i64>(3)?.saturating_sub(now)),
        data: row.get(4)?,
    })
}

impl Store for SqliteStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        let (name, now) = (name.to_owned(), now());
        Box::pin(self.run(move |connection| {
            connection.prepare_cached(FIND)?.query_row(params![name, now], |row| record(row, now)).optional()
        }))
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        let (name, data) = (change.name.to_owned(), change.data.to_owned());
        let Change { expected, done, lasts, .. } = change;
        Box::pin(self.run(move |connection| {
            // Immediate: the look and the change are one step for every process.
            let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Read under the lock: waiting for it takes time.
            let now = now();
            let found = all.prepare_cached(FIND)?.query_row(params![name, now], |row| record(row, now)).optional()?;
            if found.as_ref().map(|record| record.fence) != expected {
                return Ok(Changed::No { found });
            }
            let fence: u64 = all
                .prepare_cached("UPDATE dintero_fence SET value = value + 1 RETURNING value")?
                .query_row([], |row| row.get(0))?;
            all.prepare_cached(
                "INSERT OR REPLACE INTO dintero_record (name, fence, done, until, data) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![name, fence, done, now.saturating_add(millis(lasts)), data])?;
            all.commit()?;
            Ok(Changed::Yes { fence })
        }))
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        let name = name.to_owned();
        Box::pin(self.run(move |connection| {
            let text = "DELETE FROM dintero_record WHERE name = ?1 AND fence = ?2";
            Ok(connection.prepare_cached(text)?.execute(params![name, fence])? > 0)
        }))
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        let (prefix, now) = (prefix.to_owned(), now());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(self.run(move |connection| {
            let text = "SELECT name, fence, done, until, data FROM dintero_record
                WHERE NOT done AND until <= ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY until, fence LIMIT ?3";
            let mut statement = connection.prepare_cached(text)?;
            statement.query_map(params![now, prefix, limit], |row| record(row, now))?.collect()
        }))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("pool", &self.pool.status()).finish()
    }
}
