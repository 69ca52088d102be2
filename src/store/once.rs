//! A piece of work of the caller's own, done once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Claim, Journal, StoreError, Work};

/// The result of [`Journal::once`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Once<T> {
    /// The work was done now.
    Done(T),
    /// It was done before, with this result.
    Already(T),
    /// Another process is doing it.
    InProgress,
}

/// Why [`Journal::once`] failed; `E` is the work's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// The store failed. The work was not begun.
    #[error("the store of what was done failed")]
    Store(#[source] StoreError),
    /// The work failed and was given back.
    #[error("the work failed")]
    Work(#[source] E),
    /// The work was done, but the store could not note it: it may be done again.
    #[error("the work was done but could not be noted")]
    NotNoted(#[source] StoreError),
}

impl Journal {
    /// Does `work` unless it is done or being done; the result is remembered.
    ///
    /// When it fails, panics, or is dropped half-way, it is given back, and when the process dies, its lease ends: the
    /// next claim finds it undone. So it may run more than once if it fails half-way, and a money call in it must be
    /// one that is safe to make again.
    ///
    /// # Errors
    /// [`OnceError`]: the store's or the work's.
    pub async fn once<T, E>(
        &self,
        name: &Work,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<Once<T>, OnceError<E>>
    where
        T: Serialize + DeserializeOwned,
    {
        let mut held = match self.claim(name).await.map_err(OnceError::Store)? {
            Claim::Granted(held) => held,
            Claim::InProgress => return Ok(Once::InProgress),
            Claim::Done(result) => {
                let result = serde_json::from_value(result.unwrap_or_default());
                return result.map(Once::Already).map_err(|cause| OnceError::Store(cause.into()));
            }
        };
        match held.during(work).await {
            Ok(value) => {
                let result = serde_json::to_value(&value).map_err(|cause| OnceError::NotNoted(cause.into()))?;
                held.complete(Some(result)).await.map_err(OnceError::NotNoted)?;
                Ok(Once::Done(value))
            }
            Err(error) => {
                // The work's error is the one to tell; a lease that could not be released ends by itself.
                drop(held.release().await);
                Err(OnceError::Work(error))
            }
        }
    }
}
