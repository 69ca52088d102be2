//! What is remembered across calls, crashes and machines: one store behind callbacks, money calls and tokens.
//!
//! A [`Store`] keeps small named records and changes one only if it is still as it was read. Everything else is built
//! on that, once for all stores: what a record means in [`protocol`](mod@protocol) (pure functions), claims with a
//! lease in [`Journal`], work done once in [`Journal::once`]. [`MemoryStore`] is the store of a single process; the
//! crate `dintero-stores` has PostgreSQL, Redis and SQLite.
//!
//! Not here: what a callback says, what became of a money call, and how a token is fetched.

mod journal;
mod memory;
mod once;
#[doc(hidden)]
pub mod protocol;
mod work;

use std::error::Error as StdError;
use std::pin::Pin;
use std::time::Duration;

pub(crate) use journal::new_holder;
pub use journal::{Claim, Held, Journal};
pub use memory::MemoryStore;
pub use once::{Once, OnceError};
pub use work::Work;

/// What a store may fail with.
pub type StoreError = Box<dyn StdError + Send + Sync>;

/// What the methods of a [`Store`] return: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A record as a store has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its name: ASCII, at most 512 bytes.
    pub name: String,
    /// The fencing token: the store sets it at each write, larger than at every earlier write under this name.
    pub fence: u64,
    /// Whether the work is done. A done record goes when it expires; an open one stays.
    pub done: bool,
    /// What is left of its time by the store's clock: of the lease of an open record, zero once it is over.
    pub remaining: Duration,
    /// What it holds: JSON that only this crate reads. It may have a customer's data, or an access token.
    pub data: String,
}

/// A change of a record, made only if the record is as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The name of the record.
    pub name: &'a str,
    /// The fence that the record must have; none if there must be no record.
    pub expected: Option<u64>,
    /// Whether the work is done.
    pub done: bool,
    /// How long from now, by the store's clock: the lease of an open record, the life of a done one.
    pub lasts: Duration,
    /// What the record is to hold.
    pub data: &'a str,
}

/// What came of a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The record is changed.
    Yes {
        /// Its new fence.
        fence: u64,
    },
    /// The record was not as expected, and is as it was.
    No {
        /// What is there instead; nothing if it is gone.
        found: Option<Record>,
    },
}

/// A place where records are kept, shared by all processes of a fleet or private to one.
///
/// A change must be atomic over everything that shares the store: of any number of changes that expect the same
/// fence, one at most is made, and one that was reported as made stays made. How far that holds when a database
/// loses its primary is the store's to say. Time is the store's: leases are measured by its clock alone, so that those
/// of its clients may differ.
///
/// A done record that has expired counts as gone, for every method; when it is deleted is up to the store. An open
/// record is never deleted but by [`remove`](Self::remove): it is work that somebody began.
pub trait Store: Send + Sync + 'static {
    /// Reads a record.
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>>;

    /// Makes a change if the record is as expected.
    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed>;

    /// Deletes a record if it has this fence, and tells whether it did.
    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool>;

    /// Reads the open records whose lease is over and whose name begins with `prefix`, those over longest first, at
    /// most `limit`.
    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>>;
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        (**self).load(name)
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        (**self).change(change)
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        (**self).remove(name, fence)
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        (**self).left_open(prefix, limit)
    }
}
