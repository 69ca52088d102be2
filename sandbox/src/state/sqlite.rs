//! The state in an SQLite file, written in one transaction before any response that shows it: it survives the end of
//! the process at any moment.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::delivery::Pending;
use super::keep::{Change, Keeper, Kept};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (place INTEGER PRIMARY KEY, row TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS transactions (place INTEGER PRIMARY KEY, row TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, ends TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS pending (delivery TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS done (number INTEGER PRIMARY KEY, row TEXT NOT NULL);
";

/// The only form of the tables so far; another one is not read.
const FORM: &str = "1";

/// An open state file.
#[derive(Debug)]
pub(crate) struct File {
    connection: Connection,
    /// What the file holds of callbacks under way.
    pending: Vec<Pending>,
}

impl File {
    /// Opens or makes a file for an account, and reads what it holds.
    pub(crate) fn open(path: &Path, account: &str) -> Result<(Self, Kept), String> {
        let read = || {
            let connection = Connection::open(path).map_err(told)?;
            // A program that is ending lets go of it in that time; one that runs on keeps it.
            connection.busy_timeout(Duration::from_secs(1)).map_err(told)?;
            // A write is safe once the system has it, which outlives the process.
            connection.pragma_update(None, "journal_mode", "WAL").map_err(told)?;
            connection.pragma_update(None, "synchronous", "NORMAL").map_err(told)?;
            // Two processes on one file would each write what the other does not know.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(told)?;
            connection.execute_batch(TABLES).map_err(told)?;
            let mut file = Self { connection, pending: Vec::new() };
            file.agree("form", FORM)?;
            file.agree("account", account)?;
            let kept = file.read()?;
            file.pending.clone_from(&kept.pending);
            Ok::<_, String>((file, kept))
        };
        read().map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What the file says about itself is as expected, or is written into a new file.
    fn agree(&self, name: &str, expected: &str) -> Result<(), String> {
        match self.about(name)? {
            Some(value) if value == expected => Ok(()),
            Some(value) => Err(format!("it is of another {name}: {value}, not {expected}")),
            None => {
                let insert = "INSERT INTO about (name, value) VALUES (?, ?)";
                self.connection.execute(insert, params![name, expected]).map(|_| ()).map_err(told)
            }
        }
    }

    fn about(&self, name: &str) -> Result<Option<String>, String> {
        let read = self.connection.query_row("SELECT value FROM about WHERE name = ?", [name], |row| row.get(0));
        read.optional().map_err(told)
    }

    fn read(&self) -> Result<Kept, String> {
        Ok(Kept {
            sessions: self.rows("SELECT row FROM sessions ORDER BY place")?,
            transactions: self.rows("SELECT row FROM transactions ORDER BY place")?,
            tokens: self.tokens()?,
            pending: self.rows("SELECT row FROM pending ORDER BY delivery")?,
            done: self.rows("SELECT row FROM done ORDER BY number")?,
            position: self.about("position")?.and_then(|position| position.parse().ok()),
        })
    }

    fn rows<T: DeserializeOwned>(&self, query: &str) -> Result<Vec<T>, String> {
        let mut statement = self.connection.prepare(query).map_err(told)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(told)?;
        rows.map(|row| serde_json::from_str(&row.map_err(told)?).map_err(told)).collect()
    }

    fn tokens(&self) -> Result<Vec<(String, DateTime<Utc>)>, String> {
        let mut statement = self.connection.prepare("SELECT token, ends FROM tokens").map_err(told)?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).map_err(told)?;
        rows.map(|row| {
            let (token, ends) = row.map_err(told)?;
            Ok((token, ends.parse().map_err(told)?))
        })
        .collect()
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn text(row: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(row).map_err(told)
}

impl Keeper for File {
    fn keep(&mut self, change: &Change<'_>) -> Result<(), String> {
        let rows = change.sessions.is_empty() && change.transactions.is_empty() && change.tokens.is_empty();
        if rows && change.done.is_empty() && change.pending == self.pending {
            return Ok(());
        }
        let all = self.connection.transaction().map_err(told)?;
        let write = |statement: &str, parameters: &[&dyn rusqlite::ToSql]| {
            all.prepare_cached(statement).and_then(|mut statement| statement.execute(parameters)).map_err(told)
        };
        for (place, session) in &change.sessions {
            write("INSERT OR REPLACE INTO sessions (place, row) VALUES (?, ?)", &[&number(*place), &text(session)?])?;
        }
        for (place, transaction) in &change.transactions {
            let row = text(transaction)?;
            write("INSERT OR REPLACE INTO transactions (place, row) VALUES (?, ?)", &[&number(*place), &row])?;
        }
        for (token, ends) in &change.tokens {
            write("INSERT OR REPLACE INTO tokens (token, ends) VALUES (?, ?)", &[token, &ends.to_rfc3339()])?;
        }
        if change.pending != self.pending {
            write("DELETE FROM pending", &[])?;
            for pending in &change.pending {
                let (delivery, row) = (&pending.notice.delivery, text(pending)?);
                write("INSERT OR REPLACE INTO pending (delivery, row) VALUES (?, ?)", &[delivery, &row])?;
            }
        }
        for (place, callback, notice) in &change.done {
            let row = text(&(callback, notice))?;
            write("INSERT OR REPLACE INTO done (number, row) VALUES (?, ?)", &[&number(*place), &row])?;
        }
        let position = change.position.to_string();
        write("INSERT OR REPLACE INTO about (name, value) VALUES ('position', ?)", &[&position])?;
        all.commit().map_err(told)?;
        self.pending.clone_from(&change.pending);
        Ok(())
    }
}

fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
