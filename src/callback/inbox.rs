//! Handles callbacks once each, and finds those again that a dead process left unfinished.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::response::{CallbackResponse, HandlerError};
use super::verified::Callback;
use crate::client::{Client, RecoveredCalls};
use crate::store::{Claim, Held, Journal, StoreError, Work};

/// The kind of work in the journal.
const KIND: &str = "callback";

type Handling = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send>>;

/// Runs a handler once for each callback, whatever happens to the process, the connection or the delivery.
///
/// Each callback is written to the journal before the handler begins, and the handler runs in a task of its own, so
/// a dropped connection does not stop it. When the process dies, [`recover`](Self::recover) finds the callback in
/// the journal once the lease is over and hands it to the handler again, whether the service delivers it again or
/// not. For that the journal needs a store that outlives the process, and the handler is to be safe to run twice: it
/// may have died half-way. Read the transaction first, and make money calls by a stable reference.
///
/// ```
/// use std::time::Duration;
///
/// use axum::Router;
/// use dintero::Client;
/// use dintero::callback::{Callback, Inbox, Verifier, callbacks};
/// use dintero::store::Journal;
///
/// fn router(client: Client, verifier: Verifier, journal: Journal) -> Router {
///     let its = client.clone();
///     let inbox = Inbox::new(journal, move |callback: Callback| {
///         let client = its.clone();
///         async move {
///             let transaction = callback.fetch(&client).await?;
///             println!("{:?} is {:?}", transaction.id, transaction.status);
///             Ok(())
///         }
///     })
///     .with_client(client);
///     tokio::spawn(inbox.clone().recover_every(Duration::from_secs(30)));
///     let on_callback = async move |callback: Callback| inbox.handle(callback).await;
///     Router::new().route("/callback", callbacks(on_callback)).with_state(verifier)
/// }
/// ```
#[derive(Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
    client: Option<Client>,
}

struct Shared {
    journal: Journal,
    handler: Box<dyn Fn(Callback) -> Handling + Send + Sync>,
}

/// What [`Inbox::recover`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Callbacks that were handled now.
    pub handled: usize,
    /// Callbacks whose handler failed again. They stay open, for the next time.
    pub failed: usize,
    /// Callbacks that cannot be read back: written by another version of this crate. They stay open.
    pub unreadable: usize,
    /// What became of money calls, with [`Inbox::with_client`].
    pub calls: RecoveredCalls,
}

/// What became of one callback.
enum Handled {
    Done,
    Failed,
    Elsewhere,
}

impl Inbox {
    /// Creates an inbox. An error of the handler, or a panic, leaves the callback open.
    #[must_use]
    pub fn new<H, F>(journal: Journal, handler: H) -> Self
    where
        H: Fn(Callback) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let handler = Box::new(move |callback| Box::pin(handler(callback)) as Handling);
        Self { shared: Arc::new(Shared { journal, handler }), client: None }
    }

    /// Lets [`recover`](Self::recover) also settle the money calls that this client's processes left open, as
    /// [`Client::recover`] does, before any callback is handed to the handler again.
    #[must_use]
    pub fn with_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Handles a callback and says what to respond: 200 once it is handled, now or before; 503 while another process
    /// handles it and after an error, so that it is delivered again. Needs a Tokio runtime.
    pub async fn handle(&self, callback: Callback) -> CallbackResponse {
        let inbox = self.clone();
        match tokio::spawn(async move { inbox.handle_here(callback).await }).await {
            Ok(Ok(Handled::Done)) => CallbackResponse::Acknowledge,
            Ok(Ok(Handled::Failed | Handled::Elsewhere)) => CallbackResponse::RetryLater,
            Ok(Err(cause)) => {
                tracing::error!(%cause, "the store failed: a callback is not handled");
                CallbackResponse::RetryLater
            }
            Err(_) => {
                tracing::error!("the handler of a callback panicked");
                CallbackResponse::RetryLater
            }
        }
    }

    async fn handle_here(&self, callback: Callback) -> Result<Handled, StoreError> {
        let input = callback.to_stored();
        match self.shared.journal.claim_with(&callback.work(), input.as_ref()).await? {
            Claim::Granted(held) => Ok(self.run(held, callback).await),
            Claim::InProgress => Ok(Handled::Elsewhere),
            Claim::Done(_) => Ok(Handled::Done),
        }
    }

    async fn run(&self, mut held: Held, callback: Callback) -> Handled {
        match held.during((self.shared.handler)(callback)).await {
            Ok(()) => {
                if let Err(cause) = held.complete(None).await {
                    tracing::error!(%cause, "a callback was handled but not noted: it may be handled again");
                }
                Handled::Done
            }
            Err(error) => {
                tracing::error!(cause = error.cause() as &dyn std::error::Error, "a callback could not be handled");
                // A lease that could not be released ends by itself.
                drop(held.release().await);
                Handled::Failed
            }
        }
    }

    /// Hands those callbacks to the handler again that were left unfinished: by processes that died, by handlers that
    /// failed. Each is tried once, one after the other; several processes may do this at the same time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<Recovered, StoreError> {
        let mut recovered = Recovered::default();
        if let Some(client) = &self.client {
            recovered.calls = client.recover_calls().await?;
        }
        let mut left = self.shared.journal.left_open(format!("{KIND}/"));
        while let Some(record) = left.next().await? {
            let inbox = self.clone();
            let task = tokio::spawn(async move {
                let Claim::Granted(held) = inbox.shared.journal.claim_left(record).await? else {
                    return Ok(None);
                };
                match held.input().and_then(Callback::from_stored) {
                    Some(callback) => Ok::<_, StoreError>(Some(Some(inbox.run(held, callback).await))),
                    None => Ok(Some(None)),
                }
            });
            match task.await {
                Ok(Ok(None | Some(Some(Handled::Elsewhere)))) => {}
                Ok(Ok(Some(Some(Handled::Done)))) => recovered.handled += 1,
                Ok(Ok(Some(None))) => recovered.unreadable += 1,
                Ok(Ok(Some(Some(Handled::Failed)))) | Err(_) => recovered.failed += 1,
                Ok(Err(cause)) => return Err(cause),
            }
        }
        Ok(recovered)
    }

    /// Calls [`recover`](Self::recover) now and then on an interval, forever. Spawn it at start-up.
    pub async fn recover_every(self, interval: Duration) {
        loop {
            match self.recover().await {
                Ok(recovered) if recovered == Recovered::default() => {}
                Ok(recovered) => tracing::info!(?recovered, "found work that was left unfinished"),
                Err(cause) => tracing::error!(%cause, "the store failed: work may be left unfinished"),
            }
            sleep(interval).await;
        }
    }
}

impl Callback {
    /// Names what this callback asks for. A redelivery has the same name or the same alias.
    ///
    /// The name is from the signed query: transaction (or else session, or else reference), `event`, `event_id` and
    /// `error`; without an `event_id` also `time`, because nothing else tells later news of the same transaction
    /// from a redelivery. The alias is the delivery: the transaction together with the id in the header
    /// `event-delivery`, which is not signed, so it counts within its transaction only.
    #[must_use]
    pub fn work(&self) -> Work {
        let subject = if let Some(id) = self.transaction_id() {
            ("transaction", id.as_str())
        } else if let Some(id) = self.session_id() {
            ("session", id.as_str())
        } else {
            ("reference", self.merchant_reference().unwrap_or_default())
        };
        let account = ("account", self.account().as_str());
        let mut parts = vec![account, subject];
        let named = ["event", "event_id", "error"];
        parts.extend(named.into_iter().filter_map(|name| Some((name, self.params().filled(name)?))));
        if self.event_id().is_none() {
            parts.extend(self.params().get("time").map(|time| ("time", time)));
        }
        let work = Work::named(KIND, &parts);
        match self.delivery_id() {
            Some(id) => work.with_alias("delivery", &[account, subject, ("delivery", id)]),
            None => work,
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("journal", &self.shared.journal).finish_non_exhaustive()
    }
}
