//! A [`Store`] in the memory of one process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Change, Changed, Record, Store, StoreFuture};

/// Keeps records in memory, bounded in number. It forgets when the process ends: with several processes, or where a
/// crash must lose nothing, use a store of the crate `dintero-stores`.
///
/// When it is full, the done record written longest ago makes room; open ones never do, and when all are open, a
/// change that needs room is an error.
pub struct MemoryStore {
    capacity: usize,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    fence: u64,
    by_name: HashMap<String, Kept>,
}

struct Kept {
    fence: u64,
    done: bool,
    /// None for a time too long for the clock.
    until: Option<Instant>,
    data: String,
}

impl Kept {
    fn is_gone(&self, now: Instant) -> bool {
        self.done && self.until.is_some_and(|until| until <= now)
    }

    fn record(&self, name: &str, now: Instant) -> Record {
        Record {
            name: name.to_owned(),
            fence: self.fence,
            done: self.done,
            remaining: self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(now)),
            data: self.data.clone(),
        }
    }
}

/// Every place is taken by open work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store in memory is full of open work")]
struct Full;

impl MemoryStore {
    /// How many records there may be unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// Makes a store for so many records, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), records: Mutex::default() }
    }

    /// Returns how many records there are, those included that has expired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records().by_name.len()
    }

    /// Tells whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // Nothing is left half-done under the lock, so a poisoned one is as good as new.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_now(&self, change: Change<'_>) -> Result<Changed, Full> {
        let now = Instant::now();
        let mut records = self.records();
        let found = records.by_name.get(change.name).filter(|kept| !kept.is_gone(now));
        if found.map(|kept| kept.fence) != change.expected {
            return Ok(Changed::No { found: found.map(|kept| kept.record(change.name, now)) });
        }
        if !records.by_name.contains_key(change.name) {
            records.make_room(self.capacity, now)?;
        }
        records.fence += 1;
        let fence = records.fence;
        let kept =
            Kept { fence, done: change.done, until: now.checked_add(change.lasts), data: change.data.to_owned() };
        records.by_name.insert(change.name.to_owned(), kept);
        Ok(Changed::Yes { fence })
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl Records {
    fn make_room(&mut self, capacity: usize, now: Instant) -> Result<(), Full> {
        if self.by_name.len() < capacity {
            return Ok(());
        }
        self.by_name.retain(|_, kept| !kept.is_gone(now));
        while self.by_name.len() >= capacity {
            let done = self.by_name.iter().filter(|(_, kept)| kept.done);
            let oldest = done.min_by_key(|(_, kept)| kept.fence).map(|(name, _)| name.clone()).ok_or(Full)?;
            self.by_name.remove(&oldest);
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let now = Instant::now();
            let records = self.records();
            Ok(records.by_name.get(name).filter(|kept| !kept.is_gone(now)).map(|kept| kept.record(name, now)))
        })
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move { Ok(self.change_now(change)?) })
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut records = self.records();
            let is_it = records.by_name.get(name).is_some_and(|kept| kept.fence == fence);
            Ok(is_it && records.by_name.remove(name).is_some())
        })
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let now = Instant::now();
            let records = self.records();
            let over = |kept: &Kept| !kept.done && kept.until.is_some_and(|until| until <= now);
            let mut left: Vec<_> =
                records.by_name.iter().filter(|(name, kept)| name.starts_with(prefix) && over(kept)).collect();
            left.sort_by_key(|(_, kept)| (kept.until, kept.fence));
            Ok(left.into_iter().take(limit).map(|(name, kept)| kept.record(name, now)).collect())
        })
    }
}

impl fmt::Debug for MemoryStore {
    // Data may be a token or a customer's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("capacity", &self.capacity).field("len", &self.len()).finish()
    }
}
