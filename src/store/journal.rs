//! Claims on work, over any [`Store`].

use std::collections::HashSet;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::protocol::{Content, OnClaim, OnComplete, on_claim, on_claim_left, on_complete, on_renewal};
use super::{Change, Changed, MemoryStore, Record, Store, StoreError, Work};

/// How long a store may take for one step before it counts as failed.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a step is tried again because others changed the record in between.
const ROUNDS: usize = 8;
/// How many records left open are read at a time.
const BATCH: usize = 100;

/// Remembers which work was begun and its result, so that it is done once by however many processes share the
/// store, and found again when one of them dies.
///
/// Cheap to clone. What it is for, and with which store, is up to the caller: callbacks
/// ([`Inbox`](crate::callback::Inbox)), work of your own ([`once`](Self::once)).
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    lease: Duration,
    keep: Duration,
}

/// What a journal says to a claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum Claim {
    /// The work is the caller's, until it completes or releases it, or its lease is over.
    Granted(Held),
    /// Another holds it. Whether it succeeds is not known yet.
    InProgress,
    /// It was done, with this result.
    Done(Option<Value>),
}

/// Work that this process holds.
///
/// Dropped, as when a server drops a handler or the work panics, it is released in a task of its own; where there is
/// no runtime to run that on, its lease ends by itself.
#[must_use]
pub struct Held {
    journal: Journal,
    name: String,
    fence: u64,
    content: Content,
    ended: bool,
}

impl Journal {
    /// How long a lease lasts unless told otherwise.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);
    /// How long done work is remembered unless told otherwise: a week, longer than callbacks are sent again.
    pub const DEFAULT_KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Creates a journal in a store.
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        Self { store: Arc::new(store), lease: Self::DEFAULT_LEASE, keep: Self::DEFAULT_KEEP }
    }

    /// Creates a journal in the memory of this process, which forgets when the process ends.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(MemoryStore::default())
    }

    /// Sets how long a lease lasts: how long the work of a dead process stays with it. A living one extends its lease
    /// while it works, so the work may take longer. At least a second.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Sets how long done work is remembered.
    #[must_use]
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Claims work.
    ///
    /// # Errors
    /// The store's. The work may then be claimed all the same, for the time of a lease.
    pub async fn claim(&self, work: &Work) -> Result<Claim, StoreError> {
        self.claim_with(work, None).await
    }

    /// Claims work, with what is needed to do it again should this process die.
    pub(crate) async fn claim_with(&self, work: &Work, input: Option<&Value>) -> Result<Claim, StoreError> {
        let name = self.name_of(work).await?;
        // Most work is new, so nothing is expected to be there: one step less.
        self.claim_found(name, new_holder(), None, |found| on_claim(found, input)).await
    }

    /// Asks for a value that ends: `Done` with one that is good, or the work of renewing it. `holder` is who asks.
    pub(crate) async fn claim_value(
        &self,
        work: &Work,
        holder: &str,
        is_good: &(dyn Fn(&Value) -> bool + Send + Sync),
    ) -> Result<Claim, StoreError> {
        let decide = |found: Option<&Record>| on_renewal(found, holder, is_good);
        self.claim_found(work.name().to_owned(), holder.to_owned(), None, decide).await
    }

    /// Claims work that was found open.
    pub(crate) async fn claim_left(&self, left: Record) -> Result<Claim, StoreError> {
        self.claim_found(left.name.clone(), new_holder(), Some(left), on_claim_left).await
    }

    /// Begins to look at what is open under names with this beginning and has no holder.
    pub(crate) fn left_open(&self, prefix: String) -> LeftOpen<'_> {
        LeftOpen { journal: self, prefix, tried: HashSet::new(), batch: Vec::new() }
    }

    /// The name under which the work stands: that of the work that was the first to have its alias.
    async fn name_of(&self, work: &Work) -> Result<String, StoreError> {
        let own = work.name().to_owned();
        let Some(alias) = work.alias() else { return Ok(own) };
        let data = Content { result: Some(own.clone().into()), ..Content::default() }.write();
        let change = Change { name: alias, expected: None, done: true, lasts: self.keep, data: &data };
        Ok(match within(self.store.change(change)).await? {
            Changed::Yes { .. } | Changed::No { found: None } => own,
            Changed::No { found: Some(record) } => match Content::read(&record.data).result {
                Some(Value::String(name)) => name,
                _ => own,
            },
        })
    }

    async fn claim_found(
        &self,
        name: String,
        holder: String,
        mut found: Option<Record>,
        decide: impl Fn(Option<&Record>) -> OnClaim + Send,
    ) -> Result<Claim, StoreError> {
        for _ in 0..ROUNDS {
            let (expected, content) = match decide(found.as_ref()) {
                OnClaim::Open(expected, content) => (expected, content),
                OnClaim::InProgress => return Ok(Claim::InProgress),
                OnClaim::Done(result) => return Ok(Claim::Done(result)),
            };
            let content = Content { holder: Some(holder.clone()), ..content };
            let data = content.write();
            let change = Change { name: &name, expected, done: false, lasts: self.lease, data: &data };
            match within(self.store.change(change)).await? {
                Changed::Yes { fence } => {
                    return Ok(Claim::Granted(Held { journal: self.clone(), name, fence, content, ended: false }));
                }
                Changed::No { found: there } => found = there,
            }
        }
        // Others are faster, again and again: they are at it.
        Ok(Claim::InProgress)
    }
}

/// Goes through what was left open, each record once.
pub(crate) struct LeftOpen<'a> {
    journal: &'a Journal,
    prefix: String,
    tried: HashSet<String>,
    batch: Vec<Record>,
}

impl LeftOpen<'_> {
    pub(crate) async fn next(&mut self) -> Result<Option<Record>, StoreError> {
        if self.batch.is_empty() {
            self.batch = within(self.journal.store.left_open(&self.prefix, BATCH)).await?;
            // What was tried and left open comes last, so a batch of nothing else is the end.
            self.batch.retain(|record| self.tried.insert(record.name.clone()));
            self.batch.reverse();
        }
        Ok(self.batch.pop())
    }
}

impl Held {
    /// Returns the fencing token: larger than that of every earlier holder of this work. A database of your own can
    /// refuse writes of a holder whose token is smaller than one it has seen.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Returns what an earlier holder noted before it died or gave up.
    #[must_use]
    pub fn note(&self) -> Option<&Value> {
        self.content.note.as_ref()
    }

    /// What the work came to before, where it is a value that is renewed.
    pub(crate) fn previous(&self) -> Option<&Value> {
        self.content.result.as_ref()
    }

    /// Sets how long what the work comes to is remembered.
    pub(crate) fn keep(mut self, keep: Duration) -> Self {
        self.journal.keep = keep;
        self
    }

    pub(crate) fn input(&self) -> Option<&Value> {
        self.content.work.as_ref()
    }

    /// Keeps a note for whoever holds the work after this process, and extends the lease. Tells whether the work is
    /// still held: if not, another holds it, the note is not kept, and nothing may be done that the note is about.
    ///
    /// # Errors
    /// The store's: it is not known whether the note is kept.
    pub async fn keep_note(&mut self, note: Value) -> Result<bool, StoreError> {
        self.content.note = Some(note);
        self.write(false, self.journal.lease).await.map(|lost| lost.is_none())
    }

    /// Extends the lease. Tells whether the work is still held.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn extend(&mut self) -> Result<bool, StoreError> {
        self.write(false, self.journal.lease).await.map(|lost| lost.is_none())
    }

    /// Does a part of the work and extends the lease meanwhile.
    pub async fn during<T>(&mut self, part: impl Future<Output = T>) -> T {
        let mut part = pin!(part);
        let beat = self.journal.lease / 3;
        loop {
            if let Ok(value) = timeout(beat, part.as_mut()).await {
                return value;
            }
            let extended = match select(part.as_mut(), pin!(self.extend())).await {
                Either::Left((value, extension)) => {
                    // Ended, so that the fence it brings is known.
                    drop(extension.await);
                    return value;
                }
                Either::Right((extended, _)) => extended,
            };
            if !matches!(extended, Ok(true)) {
                tracing::warn!("a lease could not be extended: another may begin the same work");
            }
        }
    }

    /// Notes that the work is done, with its result; also when the lease was over and another has begun it. Where
    /// another has noted it before, that one's result stands and is returned.
    ///
    /// # Errors
    /// The store's: it is not known whether it is noted.
    pub async fn complete(mut self, result: Option<Value>) -> Result<Option<Value>, StoreError> {
        let note = self.content.note.take();
        self.content = Content { result, note, holder: self.content.holder.take(), work: None };
        self.ended = true;
        let Some(mut found) = self.write(true, self.journal.keep).await? else { return Ok(self.content.result.take()) };
        for _ in 0..ROUNDS {
            match on_complete(found.as_ref()) {
                OnComplete::Done(result) => return Ok(result),
                OnComplete::Write(expected) => match self.change(expected, true, self.journal.keep).await? {
                    Changed::Yes { .. } => break,
                    Changed::No { found: there } => found = there,
                },
            }
        }
        Ok(self.content.result.take())
    }

    /// Notes what the work came to before, unless another holds it by now.
    pub(crate) async fn put_back(mut self) -> Result<(), StoreError> {
        self.ended = true;
        let keep = self.journal.keep;
        self.write(true, keep).await.map(drop)
    }

    /// Releases the work undone: the next claim is granted at once, with the note. Does nothing if it is no longer
    /// held.
    ///
    /// # Errors
    /// The store's. The lease then ends by itself.
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.ended = true;
        self.give_back().await
    }

    /// Releases the work and forgets it, note and all: nothing of it has happened.
    pub(crate) async fn forget(mut self) -> Result<(), StoreError> {
        self.content.note = None;
        self.content.work = None;
        self.ended = true;
        self.give_back().await
    }

    async fn give_back(&mut self) -> Result<(), StoreError> {
        if self.content.note.is_none() && self.content.work.is_none() {
            // There is nothing to be found again.
            let removed = within(self.journal.store.remove(&self.name, self.fence)).await?;
            if removed {
                return Ok(());
            }
        }
        self.write(false, Duration::ZERO).await.map(drop)
    }

    /// Writes the content over the record of this holder. Gives what is there instead if it is another's.
    async fn write(&mut self, done: bool, lasts: Duration) -> Result<Option<Option<Record>>, StoreError> {
        for _ in 0..ROUNDS {
            match self.change(Some(self.fence), done, lasts).await? {
                Changed::Yes { fence } => {
                    self.fence = fence;
                    return Ok(None);
                }
                // An earlier step of ours was made after all, although the store could not say so.
                Changed::No { found: Some(record) } if !record.done && self.is_holder(&record) => {
                    self.fence = record.fence;
                }
                Changed::No { found } => return Ok(Some(found)),
            }
        }
        Ok(Some(None))
    }

    fn is_holder(&self, record: &Record) -> bool {
        Content::read(&record.data).holder == self.content.holder
    }

    async fn change(&self, expected: Option<u64>, done: bool, lasts: Duration) -> Result<Changed, StoreError> {
        let data = self.content.write();
        within(self.journal.store.change(Change { name: &self.name, expected, done, lasts, data: &data })).await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let mut held = Self {
                journal: self.journal.clone(),
                name: std::mem::take(&mut self.name),
                fence: self.fence,
                content: std::mem::take(&mut self.content),
                ended: true,
            };
            // If it fails, the lease ends by itself.
            drop(runtime.spawn(async move { held.give_back().await }));
        }
    }
}

/// Who makes a claim: nobody else has the same.
pub(crate) fn new_holder() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A step of the store, within its time.
pub(crate) async fn within<T>(step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(STORE_TIMEOUT, step).await.unwrap_or_else(|_| Err("the store did not respond in time".into()))
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("lease", &self.lease).field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    // The name may hold a customer's reference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("fence", &self.fence).finish_non_exhaustive()
    }
}
