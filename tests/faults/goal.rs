//! What a caller wants done once: one operation on a transaction or session of its own.

use std::time::Duration;

use dintero::types::{
    AuthorizationRequest, CaptureRequest, CreateSession, CreateSessionFromProfile, PayRequest, PaymentTokenRequest,
    RefundRequest, UpdateSession, UpdateTransaction,
};
use dintero::{Attempt, Client, SessionId, TransactionId};
use dintero_sandbox::{Operation, Sandbox};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Sent, Worker};

pub(super) struct Goal {
    pub(super) operation: Operation,
    transaction: Option<TransactionId>,
    session: Option<SessionId>,
    /// Of the try that is made: new for each.
    reference: String,
    /// Whether the reference is left to the crate.
    is_generated: bool,
}

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn order(reference: &str) -> Value {
    json!({"amount": 33_890, "currency": "NOK", "merchant_reference": reference,
           "items": [{"id": "chair", "line_id": "1", "amount": 33_890, "quantity": 1, "vat": 25, "description": "Chair"}]})
}

fn profile_session(reference: &str) -> CreateSessionFromProfile {
    let url = json!({"return_url": "https://example.com/return"});
    typed(json!({"profile_id": "default", "url": url, "order": order(reference)}))
}

fn pay_request(reference: &str) -> PayRequest {
    typed(json!({
        "session": {"order": order(reference),
                    "customer": {"tokens": {"payex.creditcard": {"payment_token": "token"}}}},
        "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
    }))
}

async fn session(worker: &mut Worker) -> SessionId {
    let request = profile_session(&worker.reference());
    let created = worker.client.sessions().create_from_profile(request).await.unwrap();
    created.id.clone()
}

impl Goal {
    /// A goal with what it needs, made before any fault is planned.
    pub(super) async fn make(worker: &mut Worker, operation: Operation) -> Self {
        let mut goal =
            Self { operation, transaction: None, session: None, reference: String::new(), is_generated: false };
        match operation {
            Operation::CaptureTransaction
            | Operation::VoidTransaction
            | Operation::UpdateAuthorization
            | Operation::UpdateTransaction => goal.transaction = Some(worker.authorized()),
            Operation::RefundTransaction => {
                let id = worker.authorized();
                let capture = CaptureRequest::new(500);
                worker.client.transactions().capture(&id, capture).await.unwrap();
                goal.transaction = Some(id);
            }
            Operation::CancelSession => {
                let id = session(worker).await;
                worker.sandbox.customer_pays(&id).unwrap();
                goal.session = Some(id);
            }
            Operation::UpdateSession => {
                if worker.open_session.is_none() {
                    worker.open_session = Some(session(worker).await);
                }
                goal.session = worker.open_session.clone();
            }
            _ => {}
        }
        goal
    }

    pub(super) fn moves_money(&self) -> bool {
        matches!(
            self.operation,
            Operation::CaptureTransaction
                | Operation::RefundTransaction
                | Operation::VoidTransaction
                | Operation::UpdateAuthorization
                | Operation::PaySession
                | Operation::CancelSession
        )
    }

    /// Takes the reference of another try.
    pub(super) fn renew(&mut self, reference: &str, is_generated: bool) {
        self.reference = reference.to_owned();
        self.is_generated = is_generated;
    }

    /// Captured and refunded of what was asked for.
    pub(super) fn asked(&self) -> Option<(i64, i64)> {
        match self.operation {
            Operation::CaptureTransaction => Some((1, 0)),
            Operation::RefundTransaction => Some((500, 1)),
            Operation::VoidTransaction | Operation::UpdateAuthorization => Some((0, 0)),
            _ => None,
        }
    }

    /// Captured and refunded by the server's own book.
    pub(super) fn moved(&self, sandbox: &Sandbox) -> Option<(i64, i64)> {
        self.transaction.as_ref().and_then(|id| sandbox.sums(id.as_str()))
    }

    fn own(&self) -> Option<String> {
        (!self.is_generated).then(|| self.reference.clone())
    }

    fn capture(&self) -> CaptureRequest {
        typed(json!({"amount": 1, "capture_reference": self.own()}))
    }

    fn refund(&self) -> RefundRequest {
        typed(json!({"amount": 1, "refund_reference": self.own()}))
    }

    fn authorization(&self) -> AuthorizationRequest {
        // An extension: a new amount would have to come with new items.
        typed(json!({"reference": self.own()}))
    }

    /// Makes the call, with the attempt made before it is sent where `keeps` says so and it moves money.
    pub(super) fn send(
        &self,
        client: &Client,
        timeout: Duration,
        keeps: bool,
    ) -> (Option<Attempt>, BoxFuture<'static, Sent>) {
        let (sessions, transactions) = (client.sessions(), client.transactions());
        let transaction = || self.transaction.as_ref().expect("of a transaction");
        let session = || self.session.as_ref().expect("of a session");
        let reference = self.reference.as_str();
        // Each in a box of its own: the frame of one function with all of them would be half a megabyte.
        macro_rules! money {
            ($call:expr) => {{
                let mut call = $call.timeout(timeout);
                let attempt = keeps.then(|| call.attempt());
                (attempt, Box::pin(async move { call.await.map(Some) }) as BoxFuture<'static, Sent>)
            }};
        }
        macro_rules! other {
            ($call:expr) => {{
                let call = $call.timeout(timeout);
                (None, Box::pin(async move { call.await.map(|_| None) }) as BoxFuture<'static, Sent>)
            }};
        }
        match self.operation {
            Operation::CaptureTransaction => money!(transactions.capture(transaction(), self.capture())),
            Operation::RefundTransaction => money!(transactions.refund(transaction(), self.refund())),
            Operation::VoidTransaction => money!(transactions.void(transaction())),
            Operation::UpdateAuthorization => {
                money!(transactions.update_authorization(transaction(), self.authorization()))
            }
            Operation::PaySession => money!(sessions.pay(pay_request(reference))),
            Operation::CancelSession => money!(sessions.cancel(session())),
            Operation::CreateSessionFromProfile => other!(sessions.create_from_profile(profile_session(reference))),
            Operation::CreateSession => other!(sessions.create(typed::<CreateSession>(json!({
                "url": {"return_url": "https://example.com/return"}, "order": order(reference),
                "configuration": {"payex": {"creditcard": {"enabled": true}}},
            })))),
            Operation::CreatePaymentTokenSession => {
                other!(sessions.create_payment_token(typed::<PaymentTokenRequest>(json!({
                    "session": {"url": {"return_url": "https://example.com/return"},
                                "order": {"currency": "NOK", "merchant_reference": reference}},
                    "token_provider": {"payment_product_type": "payex.creditcard", "token_types": ["payment_token"]},
                }))))
            }
            Operation::UpdateSession => {
                let request = typed::<UpdateSession>(json!({"order": order(reference)}));
                other!(sessions.update(session(), request).update_without_lock(true))
            }
            _ => {
                let request = typed::<UpdateTransaction>(json!({"merchant_reference_2": reference}));
                other!(transactions.update(transaction(), request))
            }
        }
    }
}
