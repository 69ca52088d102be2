//! Doing a piece of work once although its callback comes several times, or a redirect comes with it.
//!
//! The store that remembers is a trait, [`Dedupe`]; [`MemoryDedupe`](super::MemoryDedupe) is one for a
//! single process. [`once`] is the way to use either.

use std::fmt;
use std::future::Future;

use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::answer::Answer;
use super::notice::Callback;
use crate::ids::TransactionId;

/// Names a piece of work that is to be done once.
///
/// A key has one or two names, and two keys mean the same work when they share **either**. For a
/// callback these are:
///
/// - the delivery: the transaction together with the id in the header `event-delivery`. The header is
///   not signed, so it counts within its transaction only: a forged one cannot hide another's news.
/// - the transaction event, from the signed query: transaction (or else session, or else reference),
///   `event`, `event_id` and `error`. Without an `event_id`, `time` belongs to it, because nothing else
///   tells a later news of the same transaction from a repetition.
///
/// The names are ASCII text of at most some hundred bytes for any ordinary callback, the same in every
/// release of this crate, and fit to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DedupeKey {
    delivery: Option<String>,
    event: String,
}

impl DedupeKey {
    pub(crate) fn of(callback: &Callback) -> Self {
        let subject = if let Some(id) = callback.transaction_id() {
            ("transaction", id.as_str())
        } else if let Some(id) = callback.session_id() {
            ("session", id.as_str())
        } else {
            ("reference", callback.merchant_reference().unwrap_or_default())
        };
        let account = ("account", callback.account().as_str());
        let mut event = vec![account, subject];
        let named = ["event", "event_id", "error"];
        event.extend(named.into_iter().filter_map(|name| Some((name, callback.params().filled(name)?))));
        if callback.event_id().is_none() {
            event.extend(callback.params().get("time").map(|time| ("time", time)));
        }
        Self {
            delivery: callback.delivery_id().map(|id| name_of(&[account, subject, ("delivery", id)])),
            event: name_of(&event),
        }
    }

    /// A key for an action on a transaction, such as its capture, whatever led to it: a callback, the
    /// customer's redirect, a job. All of them must use the same `action`.
    #[must_use]
    pub fn action(action: &str, transaction: &TransactionId) -> Self {
        Self { delivery: None, event: name_of(&[("action", action), ("transaction", transaction.as_str())]) }
    }

    /// The name of the delivery, if there is one.
    #[must_use]
    pub fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// The name of the event or action.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Both names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.delivery().into_iter().chain([self.event()])
    }
}

/// Parts as one text, form-encoded so that no two lists of parts give the same one. What is too long
/// to be stored is named by its hash.
fn name_of(parts: &[(&str, &str)]) -> String {
    const LONGEST: usize = 400;
    let name = form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish();
    if name.len() <= LONGEST { name } else { format!("sha256={}", hex::encode(Sha256::digest(name.as_bytes()))) }
}

/// What a store says to a claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum Claim<L> {
    /// The work is the caller's, who must complete or release the lease.
    Granted(L),
    /// Someone is at it. It is not known yet whether they succeed, so the answer to a callback is
    /// [`RetryLater`](Answer::RetryLater): were it acknowledged, their failure would lose it.
    InProgress,
    /// It was done.
    Done,
}

/// Remembers what was done.
///
/// A claim must be atomic over all processes that share the store, and over both names of the key: of
/// any number of simultaneous claims on keys that share a name, one at most is granted. A lease ends by
/// itself after a while, because its holder may have died; the store decides how long, and it must be
/// longer than the work takes.
///
/// In SQL: one table with a unique column for each name, a state, a token and an expiry; `claim` deletes
/// the expired lease and inserts, and an insertion that conflicts is not granted.
pub trait Dedupe: Send + Sync {
    /// Proof that the work was claimed. It should hold a token of its own, so that one that ended by
    /// itself cannot release the one granted after it.
    type Lease: Send;

    /// Why the store failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Asks for the work.
    fn claim(&self, key: &DedupeKey) -> impl Future<Output = Result<Claim<Self::Lease>, Self::Error>> + Send;

    /// Notes that the work was done. Also for a lease that has ended by itself: the work is done.
    fn complete(&self, lease: Self::Lease) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Gives the work back: the next claim is granted. Does nothing for a lease that has ended.
    fn release(&self, lease: Self::Lease) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Gives the work back where nothing can be awaited: the future that worked was dropped, as when
    /// a server drops a handler because the connection is gone. A store that cannot do it at once
    /// leaves it to the end of the lease, which is what this does unless written otherwise.
    fn abandon(&self, lease: Self::Lease) {
        drop(lease);
    }
}

/// What [`once`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Once<T> {
    /// The work was done now.
    Done(T),
    /// It had been done before.
    Already,
    /// Someone else is at it.
    InProgress,
}

impl<T> Once<T> {
    /// What to answer to the callback that asked for the work.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Done(_) | Self::Already => Answer::Acknowledge,
            Self::InProgress => Answer::RetryLater,
        }
    }
}

/// Why [`once`] failed: `S` is the store's error, `E` the work's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError<S, E> {
    /// The store could not be asked. The work was not begun.
    #[error("the store of what was done could not be asked")]
    Store(#[source] S),
    /// The work failed and was given back.
    #[error("the work failed")]
    Work(#[source] E),
    /// The work was done, but the store could not note it: it may be done again.
    #[error("the work was done but could not be noted")]
    NotNoted(#[source] S),
}

impl<S, E> OnceError<S, E> {
    /// What to answer to the callback that asked for the work: done is done, anything else is tried
    /// again.
    pub fn answer(&self) -> Answer {
        match self {
            Self::NotNoted(_) => Answer::Acknowledge,
            Self::Store(_) | Self::Work(_) => Answer::RetryLater,
        }
    }
}

/// Does `work` if nobody did it or is at it.
///
/// When the work fails, panics, or is dropped half-way, it is given back, so that the next delivery
/// finds it undone: a crash does not swallow the retry. The work may therefore run more than once if
/// it fails half-way, and must look at the transaction before it moves money.
///
/// # Errors
/// [`OnceError`]: the store's or the work's.
pub async fn once<D, T, E>(
    store: &D,
    key: &DedupeKey,
    work: impl Future<Output = Result<T, E>>,
) -> Result<Once<T>, OnceError<D::Error, E>>
where
    D: Dedupe + ?Sized,
{
    let mut held = match store.claim(key).await.map_err(OnceError::Store)? {
        Claim::Granted(lease) => Held { store, lease: Some(lease) },
        Claim::InProgress => return Ok(Once::InProgress),
        Claim::Done => return Ok(Once::Already),
    };
    let result = work.await;
    let lease = held.lease.take();
    match (result, lease) {
        (Ok(value), Some(lease)) => {
            store.complete(lease).await.map_err(OnceError::NotNoted)?;
            Ok(Once::Done(value))
        }
        (Err(error), Some(lease)) => {
            // The work's error is the one to tell; a lease that could not be released ends by itself.
            drop(store.release(lease).await);
            Err(OnceError::Work(error))
        }
        // `held` is ours alone, so its lease is still there.
        (Ok(value), None) => Ok(Once::Done(value)),
        (Err(error), None) => Err(OnceError::Work(error)),
    }
}

/// Abandons its lease when dropped with it: by a panic, or with the future of [`once`].
struct Held<'a, D: Dedupe + ?Sized> {
    store: &'a D,
    lease: Option<D::Lease>,
}

impl<D: Dedupe + ?Sized> Drop for Held<'_, D> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.store.abandon(lease);
        }
    }
}

impl<D: Dedupe + ?Sized> fmt::Debug for Held<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
