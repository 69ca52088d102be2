//! A shop's side of a payment: the callback and the customer's return, either of which captures, once.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, OriginalUri, State};
use axum::http::StatusCode;
use axum::routing::get;
use dintero::callback::{Callback, CallbackResponse, Inbox, UnsignedReturn, Verifier, callbacks};
use dintero::store::{Journal, Once, OnceError, Work};
use dintero::types::{CaptureRequest, Transaction, TransactionEventName, TransactionStatus};
use dintero::{Client, Outcome, PollOptions, TransactionId};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Shop {
    till: Arc<Till>,
    verifier: Verifier,
    inbox: Inbox,
}

/// The extractor of [`Callback`] takes the verifier out of the state.
impl FromRef<Shop> for Verifier {
    fn from_ref(shop: &Shop) -> Self {
        shop.verifier.clone()
    }
}

impl Shop {
    pub(crate) fn new(client: Client, verifier: Verifier, journal: Journal) -> Self {
        let till = Arc::new(Till { client, journal: journal.clone() });
        let at_till = till.clone();
        // Runs for verified callbacks only, once for each, in a task of its own. Every error becomes a 503, after which
        // the callback comes again; if the process dies, `recover` finds the callback in the journal.
        let inbox = Inbox::new(journal, move |callback: Callback| {
            let till = at_till.clone();
            async move {
                // The payment itself: captured, cancelled, declined; the transaction says which. Otherwise a capture,
                // refund or void: a real shop would note it. There is nothing to capture.
                if let (None, Some(id)) = (callback.event(), callback.transaction_id()) {
                    till.settle(id).await?;
                }
                Ok(())
            }
        });
        Self { till, verifier, inbox }
    }

    pub(crate) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }
}

/// The routes: `/callback`, for the service, and `/return`, for the customer.
pub(crate) fn router(shop: Shop) -> Router {
    Router::new().route("/callback", callbacks(on_callback)).route("/return", get(on_return)).with_state(shop)
}

async fn on_callback(State(shop): State<Shop>, callback: Callback) -> CallbackResponse {
    shop.inbox.handle(callback).await
}

/// Runs for anyone who opens the URL: what it says is not signed, so it only says where to look.
async fn on_return(State(shop): State<Shop>, OriginalUri(uri): OriginalUri) -> (StatusCode, &'static str) {
    let back = UnsignedReturn::from_url(&uri.to_string());
    let Some(id) = back.transaction_id().cloned() else {
        return (StatusCode::OK, "No payment was made.");
    };
    // In a task of its own: a customer who closes the tab drops this handler, and the capture goes on.
    match tokio::spawn(async move { shop.till.settle(&id).await }).await {
        Ok(Ok(Settled::Paid)) => (StatusCode::OK, "Thank you, your order is paid."),
        Ok(Ok(Settled::NotPaid)) => (StatusCode::OK, "The payment did not go through."),
        Ok(Err(NotSettled::Pending)) => (StatusCode::OK, "Thank you. We are waiting for your payment."),
        // The callback will see to it.
        Ok(Err(_)) | Err(_) => (StatusCode::OK, "Thank you. We will tell you when your payment is through."),
    }
}

struct Till {
    client: Client,
    journal: Journal,
}

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Settled {
    Paid,
    NotPaid,
}

/// Why a payment is not settled now. Another attempt may settle it.
#[derive(Debug, thiserror::Error)]
enum NotSettled {
    #[error("another request is at it")]
    Busy,
    #[error("the payment is not decided yet")]
    Pending,
    #[error("the service could not be asked")]
    Service(#[from] dintero::Error),
    #[error("the task was aborted")]
    Aborted(#[from] tokio::task::JoinError),
    #[error("the store of what was done could not be asked")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Till {
    /// Brings a payment to its end: captures it in full if it is authorized. Callback and return both come here,
    /// at the same moment even; the work is the transaction's, so one of them does it.
    async fn settle(&self, id: &TransactionId) -> Result<Settled, NotSettled> {
        match self.journal.once(&Work::action("settle", id), self.capture(id)).await {
            Ok(Once::Done(settled) | Once::Already(settled)) => Ok(settled),
            Ok(_) => Err(NotSettled::Busy),
            Err(OnceError::Work(error)) => Err(error),
            Err(error) => Err(NotSettled::Store(error.to_string().into())),
        }
    }

    async fn read(&self, id: &TransactionId) -> Result<Box<Transaction>, NotSettled> {
        // Boxed: a transaction has some hundred fields, and frames that pass it on by value add up.
        Ok(Box::new(self.client.transactions().get(id).await?.into_inner()))
    }

    async fn capture(&self, id: &TransactionId) -> Result<Settled, NotSettled> {
        let transaction = self.read(id).await?;
        // The same for every attempt at this transaction: after a crash, or an answer that never arrived, its trace
        // in the events tells that an earlier attempt was made.
        let reference = format!("settle-{id}");
        let begun = transaction.events.iter().any(|event| {
            let capture = [TransactionEventName::Capture, TransactionEventName::InitiateCapture];
            event.event_reference.as_deref() == Some(&reference)
                && event.event.as_ref().is_some_and(|name| capture.contains(name))
                && event.success != Some(false)
        });
        match state_of(&transaction) {
            Err(NotSettled::Pending) if transaction.status == Some(TransactionStatus::Authorized) && !begun => {}
            state => return state,
        }
        let request =
            CaptureRequest::new(transaction.amount).capture_reference(reference).items(transaction.items.clone());
        self.send(id, request).await
    }

    async fn send(&self, id: &TransactionId, request: CaptureRequest) -> Result<Settled, NotSettled> {
        match self.client.transactions().capture(id, request).await {
            Ok(captured) if captured.is_completed() => Ok(Settled::Paid),
            // Accepted is not a failure: the money is on its way, and must not be asked for again.
            Ok(_) => Ok(Settled::Paid),
            Err(error) => self.resolve(error).await,
        }
    }

    /// After a capture without an answer: looks for its trace until it is clear whether the money moved.
    async fn resolve(&self, error: dintero::Error) -> Result<Settled, NotSettled> {
        let Some(attempt) = error.attempt().filter(|_| error.outcome() == Outcome::Unknown).cloned() else {
            return Err(error.into());
        };
        // Shorter than the lease of the store. Nothing between this program and the service holds a request for longer.
        let lease = Some(Duration::from_secs(45));
        let options = PollOptions { settle: lease, timeout: lease, ..PollOptions::default() };
        let client = self.client.clone();
        // A task of its own begins with an empty stack; transactions are large, and so deep down they add up.
        let resolved = tokio::spawn(async move { client.resolve(&attempt).polling(options).await }).await;
        match resolved??.outcome() {
            Outcome::Completed => Ok(Settled::Paid),
            outcome if outcome.did_not_happen() => Err(error.into()),
            _ => Err(NotSettled::Pending),
        }
    }
}

fn state_of(transaction: &Transaction) -> Result<Settled, NotSettled> {
    use TransactionStatus as Status;

    match transaction.status {
        Some(
            Status::Captured
            | Status::PartiallyCaptured
            | Status::PartiallyCapturedRefunded
            | Status::PartiallyRefunded
            | Status::Refunded,
        ) => Ok(Settled::Paid),
        Some(Status::Declined | Status::Failed | Status::AuthorizationVoided) => Ok(Settled::NotPaid),
        // Authorized, initiated, on hold, or a status that is not known yet.
        _ => Err(NotSettled::Pending),
    }
}
