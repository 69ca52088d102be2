//! The store in PostgreSQL, one table.

use std::fmt;

use deadpool_postgres::Pool;
use dintero::store::{Change, Changed, Record, Store, StoreError, StoreFuture};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::{millis, remaining};

/// Locked while the tables are made: `CREATE TABLE IF NOT EXISTS` by two at a time fails for one.
const MIGRATION_LOCK: i64 = 0x64_69_6e_74_65_72_6f;

/// `done_until`: a done record that has expired counts as gone.
const THERE: &str = "NOT (done AND until <= clock_timestamp())";

/// What of a row is read, in the order of [`record`].
const COLUMNS: &str =
    "name, fence, done, ceil(extract(epoch FROM until - clock_timestamp()) * 1000)::bigint AS remaining, data";

/// A [`Store`] in PostgreSQL 10 or later, in the table `dintero_record` of the connection's first schema.
///
/// Statements are prepared once per connection, so behind a pooler it needs one that keeps sessions, or supports
/// prepared statements.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
}

impl PostgresStore {
    /// Makes a store over a pool. [`migrate`](Self::migrate) has to have run once.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Makes what is missing of table, sequence and index. Safe to run at every start, by several processes at once.
    ///
    /// # Errors
    /// When the database cannot be reached or does not allow it.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await?;
        transaction
            .batch_execute(
                "CREATE SEQUENCE IF NOT EXISTS dintero_fence;
                 CREATE TABLE IF NOT EXISTS dintero_record (
                     name text COLLATE \"C\" PRIMARY KEY,
                     fence bigint NOT NULL,
                     done boolean NOT NULL,
                     until timestamptz NOT NULL,
                     data text NOT NULL
                 );
                 CREATE INDEX IF NOT EXISTS dintero_record_until ON dintero_record (done, until);",
            )
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes done records that has expired, which count as gone anyway, and tells how many. For a job of your own,
    /// once a day or so.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let statement = "DELETE FROM dintero_record WHERE done AND until <= clock_timestamp()";
        Ok(self.pool.get().await?.execute(statement, &[]).await?)
    }

    async fn find(&self, client: &deadpool_postgres::Client, name: &str) -> Result<Option<Record>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM dintero_record WHERE name = $1 AND {THERE}");
        let statement = client.prepare_typed_cached(&text, &[Type::TEXT]).await?;
        client.query_opt(&statement, &[&name]).await?.as_ref().map(record).transpose()
    }
}

fn record(row: &Row) -> Result<Record, StoreError> {
    Ok(Record {
        name: row.try_get("name")?,
        fence: u64::try_from(row.try_get::<_, i64>("fence")?)?,
        done: row.try_get("done")?,
        remaining: remaining(row.try_get("remaining")?),
        data: row.try_get("data")?,
    })
}

/// A fence as the database has it. One that is beyond its integers is of no record.
fn fence(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(-1)
}

impl Store for PostgresStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { self.find(&self.pool.get().await?, name).await })
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move {
            let client = self.pool.get().await?;
            let lasts = millis(change.lasts);
            // A row under lock is looked at again once it is free, so of two changes the second finds the first.
            let changed = if let Some(expected) = change.expected {
                let text = format!(
                    "UPDATE dintero_record SET fence = nextval('dintero_fence'), done = $2,
                         until = clock_timestamp() + $3 * interval '1 millisecond', data = $4
                     WHERE name = $1 AND fence = $5 AND {THERE} RETURNING fence"
                );
                let types = [Type::TEXT, Type::BOOL, Type::INT8, Type::TEXT, Type::INT8];
                let statement = client.prepare_typed_cached(&text, &types).await?;
                let expected = fence(expected);
                client.query_opt(&statement, &[&change.name, &change.done, &lasts, &change.data, &expected]).await?
            } else {
                // `nextval` again in the update: the one of the insertion is from before the wait for the row.
                let text = "INSERT INTO dintero_record AS old (name, fence, done, until, data)
                     VALUES ($1, nextval('dintero_fence'), $2, clock_timestamp() + $3 * interval '1 millisecond', $4)
                     ON CONFLICT (name) DO UPDATE SET fence = nextval('dintero_fence'), done = excluded.done,
                         until = excluded.until, data = excluded.data
                     WHERE old.done AND old.until <= clock_timestamp() RETURNING fence";
                let types = [Type::TEXT, Type::BOOL, Type::INT8, Type::TEXT];
                let statement = client.prepare_typed_cached(text, &types).await?;
                client.query_opt(&statement, &[&change.name, &change.done, &lasts, &change.data]).await?
            };
            match changed {
                Some(row) => Ok(Changed::Yes { fence: u64::try_from(row.try_get::<_, i64>(0)?)? }),
                None => Ok(Changed::No { found: self.find(&client, change.name).await? }),
            }
        })
    }

    fn remove<'a>(&'a self, name: &'a str, expected: u64) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let client = self.pool.get().await?;
            let text = "DELETE FROM dintero_record WHERE name = $1 AND fence = $2";
            let statement = client.prepare_typed_cached(text, &[Type::TEXT, Type::INT8]).await?;
            Ok(client.execute(&statement, &[&name, &fence(expected)]).await? > 0)
        })
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let client = self.pool.get().await?;
            let text = format!(
                "SELECT {COLUMNS} FROM dintero_record
                 WHERE NOT done AND until <= clock_timestamp() AND left(name, length($1)) = $1
                 ORDER BY until, fence LIMIT $2"
            );
            let statement = client.prepare_typed_cached(&text, &[Type::TEXT, Type::INT8]).await?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            client.query(&statement, &[&prefix, &limit]).await?.iter().map(record).collect()
        })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("pool", &self.pool.status()).finish()
    }
}
