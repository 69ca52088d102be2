//! A shop's side of a payment: the callback and the customer's return, either of which captures, once.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, OriginalUri, State};
use axum::http::StatusCode;
use axum::routing::get;
use dintero::callback::{Callback, CallbackResponse, Inbox, UnsignedReturn, Verifier, callbacks};
use dintero::types::{CaptureRequest, Transaction, TransactionStatus};
use dintero::{Client, Outcome, TransactionId};
use tokio::time::timeout;

/// How long a customer waits for the page.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Shop {
    till: Till,
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
    /// The client's journal is the shop's: of callbacks, captures and the access token. `settle` is how long after its
    /// end a call may still arrive: longer than anything between this program and the service holds a request.
    pub(crate) fn new(client: Client, verifier: Verifier, settle: Duration) -> Self {
        let till = Till { client: client.clone(), settle };
        let at_till = till.clone();
        // Runs for verified callbacks only, once for each, in a task of its own. Every error becomes a 503, after which
        // the callback comes again; if the process dies, `recover` finds the callback in the journal.
        let inbox = Inbox::new(client.journal().clone(), move |callback: Callback| {
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
        // A capture that a dead process left open is settled too.
        let inbox = inbox.with_client(client);
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
    match timeout(PATIENCE, tokio::spawn(async move { shop.till.settle(&id).await })).await {
        Ok(Ok(Ok(Settled::Paid))) => (StatusCode::OK, "Thank you, your order is paid."),
        Ok(Ok(Ok(Settled::NotPaid))) => (StatusCode::OK, "The payment did not go through."),
        Ok(Ok(Err(NotSettled::Pending))) => (StatusCode::OK, "Thank you. We are waiting for your payment."),
        // The callback will see to it.
        _ => (StatusCode::OK, "Thank you. We will tell you when your payment is through."),
    }
}

#[derive(Clone)]
struct Till {
    client: Client,
    settle: Duration,
}

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Paid,
    NotPaid,
}

/// Why a payment is not settled now. Another try may settle it.
#[derive(Debug, thiserror::Error)]
enum NotSettled {
    #[error("the payment is not decided yet")]
    Pending,
    #[error("the service could not be asked")]
    Service(#[from] dintero::Error),
}

impl Till {
    /// Brings a payment to its end: captures it in full if it is authorized. Callback and return both come here, at the
    /// same moment even, in several processes.
    async fn settle(&self, id: &TransactionId) -> Result<Settled, NotSettled> {
        // Boxed: a transaction has some hundred fields, and frames that pass it on by value add up.
        let transaction = Box::new(self.client.transactions().get(id).await?.into_inner());
        match transaction.status {
            Some(TransactionStatus::Authorized) => self.capture(id, *transaction).await,
            _ => state_of(&transaction),
        }
    }

    /// Captures once: the reference is the same for every try at this transaction.
    async fn capture(&self, id: &TransactionId, transaction: Transaction) -> Result<Settled, NotSettled> {
        let request =
            CaptureRequest::new(transaction.amount).capture_reference(format!("settle-{id}")).items(transaction.items);
        match self.client.transactions().capture(id, request).once().settle(self.settle).await {
            // Completed, or accepted: then the money is on its way, and must not be asked for again.
            Ok(_) => Ok(Settled::Paid),
            Err(error) if error.outcome() == Outcome::Unknown => Err(NotSettled::Pending),
            Err(error) => Err(error.into()),
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
        // Initiated, on hold, or a status that is not known yet.
        _ => Err(NotSettled::Pending),
    }
}
