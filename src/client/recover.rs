//! Settles the money calls that a dead process left open.

use std::time::Duration;

use serde::Deserialize as _;
use tokio::time::sleep;

use super::Client;
use super::call::in_runtime;
use super::once::{KIND, end_work};
use crate::error::{Error, Outcome, Result};
use crate::store::protocol::{Next, on_left, on_recovered};
use crate::store::{Claim, Record, StoreError};
use crate::verdict::Attempt;

/// What [`Client::recover`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveredCalls {
    /// Calls that are proven to have ended, completed or rejected, and are noted as such.
    pub ended: usize,
    /// Calls of which nothing has happened. They are forgotten, and may be made again.
    pub forgotten: usize,
    /// Calls whose outcome is not known yet. They stay open, for the next time.
    pub open: usize,
}

impl Client {
    /// Settles the money calls that were made once (`client.transactions().capture(..).once()` and its like) and left
    /// open: by processes that died, by futures that were dropped, by outcomes that stayed unknown.
    ///
    /// Each is read once. One that is proven to have ended is noted so; one that was never sent, or can no longer
    /// arrive, is forgotten. Nothing is sent: whoever asked for the call asks for it again, and it is then found ended
    /// or made. Several processes may do this at the same time. At start-up and on an interval, as
    /// [`recover_every`](Self::recover_every) does.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`](crate::ErrorKind::Journal) when the store fails, and
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) without a tokio runtime.
    pub async fn recover(&self) -> Result<RecoveredCalls> {
        in_runtime()?;
        self.recover_calls().await.map_err(|cause| Error::journal(cause, Outcome::Unknown))
    }

    /// Looks for open calls at once and then on an interval, for ever, as [`recover`](Self::recover) does. To be spawned
    /// at start-up, where no [`Inbox`](crate::callback::Inbox) does it.
    pub async fn recover_every(self, interval: Duration) {
        loop {
            match self.recover().await {
                Ok(recovered) if recovered == RecoveredCalls::default() => {}
                Ok(recovered) => tracing::info!(?recovered, "found money calls that were left open"),
                Err(error) => tracing::error!(%error, "the store failed: money calls may be left open"),
            }
            sleep(interval).await;
        }
    }

    pub(crate) async fn recover_calls(&self) -> Result<RecoveredCalls, StoreError> {
        let mut recovered = RecoveredCalls::default();
        let mut left = self.journal().left_open(format!("{KIND}/account={}&", self.account()));
        while let Some(record) = left.next().await? {
            match self.recover_call(record).await? {
                Some(Next::Complete) => recovered.ended += 1,
                Some(Next::Forget) => recovered.forgotten += 1,
                Some(_) => recovered.open += 1,
                None => {}
            }
        }
        Ok(recovered)
    }

    /// Does the last of the steps for what was left open, and tells which; nothing where another holds it by now.
    async fn recover_call(&self, record: Record) -> Result<Option<Next>, StoreError> {
        let Claim::Granted(mut held) = self.journal().claim_left(record).await? else { return Ok(None) };
        let noted = held.note().map(Attempt::deserialize);
        let (last, attempt) = match (on_left(noted.is_some()), noted) {
            (Next::Settle, Some(Ok(attempt))) => {
                let read = self.resolve(&attempt).timeout(Duration::ZERO).into_future();
                let outcome = held.during(read).await.map_or(Outcome::Unknown, |verdict| verdict.outcome());
                (on_recovered(outcome), Some(attempt))
            }
            (next, None) => (next, None),
            // Written by another version of this crate, which can read it.
            (_, Some(_)) => (Next::Leave, None),
        };
        end_work(held, last, attempt.as_ref()).await;
        Ok(Some(last))
    }
}
