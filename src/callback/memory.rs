//! A [`Dedupe`] store in the memory of one process, bounded in number and time.
//!
//! It forgets when the process ends, so with several processes, or where a repetition after a restart
//! matters, use a store of your own.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::dedupe::{Claim, Dedupe, DedupeKey};

/// Remembers the last so many pieces of work. The oldest done one is forgotten for a new one; when
/// all places are taken by work in progress, nothing more is granted until one ends.
pub struct MemoryDedupe {
    capacity: usize,
    keep: Duration,
    lease: Duration,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    next: u64,
    /// By number, so the oldest first.
    entries: BTreeMap<u64, Entry>,
    by_name: HashMap<String, u64>,
}

struct Entry {
    key: DedupeKey,
    done: bool,
    ends: Option<Instant>,
}

/// The lease of a [`MemoryDedupe`].
#[derive(Debug)]
pub struct MemoryLease {
    number: u64,
    key: DedupeKey,
}

impl MemoryDedupe {
    /// Work remembered unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 10_000;
    /// How long done work is remembered unless told otherwise: two days, longer than a delivery is
    /// tried again.
    pub const DEFAULT_KEEP: Duration = Duration::from_secs(48 * 60 * 60);
    /// How long a lease lasts unless told otherwise. A dropped future ends its lease at once; this is
    /// for leases that are neither dropped nor given back.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(2 * 60);

    /// A store that remembers `capacity` pieces of work, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            keep: Self::DEFAULT_KEEP,
            lease: Self::DEFAULT_LEASE,
            places: Mutex::default(),
        }
    }

    /// How long done work is remembered.
    #[must_use]
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// How long a lease lasts. Must be longer than the work takes.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How many pieces of work are remembered now, done or in progress.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places().entries.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Nothing is left half-done under the lock, so a poisoned one is as good as new.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, lease: &MemoryLease) {
        let mut places = self.places();
        if places.entries.get(&lease.number).is_some_and(|e| !e.done) {
            places.forget(lease.number);
        }
    }
}

impl Default for MemoryDedupe {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl Places {
    fn forget(&mut self, number: u64) {
        let Some(entry) = self.entries.remove(&number) else {
            return;
        };
        for name in entry.key.names() {
            // A name may have been taken over since by a later claim that shares only the other one.
            if self.by_name.get(name) == Some(&number) {
                self.by_name.remove(name);
            }
        }
    }

    fn insert(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        for name in entry.key.names() {
            self.by_name.insert(name.to_owned(), number);
        }
        self.entries.insert(number, entry);
        number
    }

    /// Finds a live entry that shares a name with `key`, and forgets ended ones that do.
    fn find(&mut self, key: &DedupeKey, now: Instant) -> Option<bool> {
        let numbers: Vec<u64> = key.names().filter_map(|name| self.by_name.get(name).copied()).collect();
        let mut found = None;
        for number in numbers {
            match self.entries.get(&number) {
                Some(entry) if entry.ends.is_none_or(|ends| now < ends) => {
                    found = Some(found.unwrap_or(false) || entry.done);
                }
                _ => self.forget(number),
            }
        }
        found
    }

    /// Makes room for one more; false if every place is taken by work in progress.
    fn make_room(&mut self, capacity: usize, now: Instant) -> bool {
        while self.entries.len() >= capacity {
            let oldest = self.entries.iter().find(|(_, e)| e.done || e.ends.is_some_and(|ends| ends <= now));
            let Some((&number, _)) = oldest else {
                return false;
            };
            self.forget(number);
        }
        true
    }
}

impl Dedupe for MemoryDedupe {
    type Lease = MemoryLease;
    type Error = Infallible;

    async fn claim(&self, key: &DedupeKey) -> Result<Claim<MemoryLease>, Infallible> {
        let now = Instant::now();
        let mut places = self.places();
        Ok(match places.find(key, now) {
            Some(true) => Claim::Done,
            Some(false) => Claim::InProgress,
            None if !places.make_room(self.capacity, now) => Claim::InProgress,
            None => Claim::Granted(MemoryLease {
                number: places.insert(Entry {
                    key: key.clone(),
                    done: false,
                    // A lease too long for the clock does not end.
                    ends: now.checked_add(self.lease),
                }),
                key: key.clone(),
            }),
        })
    }

    async fn complete(&self, lease: MemoryLease) -> Result<(), Infallible> {
        let now = Instant::now();
        let ends = now.checked_add(self.keep);
        let mut places = self.places();
        if let Some(entry) = places.entries.get_mut(&lease.number) {
            entry.done = true;
            entry.ends = ends;
        } else if places.find(&lease.key, now) != Some(true) && places.make_room(self.capacity, now) {
            // The lease had ended; the work is done all the same. Whoever claimed it since keeps their
            // lease, but their names now lead here.
            places.insert(Entry { key: lease.key, done: true, ends });
        }
        Ok(())
    }

    async fn release(&self, lease: MemoryLease) -> Result<(), Infallible> {
        self.give_back(&lease);
        Ok(())
    }

    fn abandon(&self, lease: MemoryLease) {
        self.give_back(&lease);
    }
}

impl fmt::Debug for MemoryDedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDedupe")
            .field("capacity", &self.capacity)
            .field("keep", &self.keep)
            .field("lease", &self.lease)
            .field("len", &self.len())
            .finish()
    }
}
