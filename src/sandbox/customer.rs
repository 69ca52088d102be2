//! The customer's part, played through the handle: pay, hesitate, be refused.

use serde_json::{Value, json};

use super::json::merge;
use super::ledger::{Refusal, Status, Step};
use super::notify::{Occasion, note};
use super::operation::Operation;
use super::payment::{Ending, Payment, decline, pay};
use super::session::check_order;
use super::state::State;
use super::transaction::Action;
use super::{Sandbox, money};

/// Why the customer could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomerError {
    /// There is no session of this id.
    #[error("there is no such session")]
    NoSession,
    /// There is no transaction of this id.
    #[error("there is no such transaction")]
    NoTransaction,
    /// A session makes at most one transaction.
    #[error("the session has been paid already")]
    Paid,
    /// The merchant cancelled the session.
    #[error("the session is cancelled")]
    Cancelled,
    /// The session's `expires_at` has passed.
    #[error("the session has expired")]
    Expired,
    /// The session does not offer it.
    #[error("the session offers no shipping option {0:?}")]
    NoShippingOption(String),
    /// The merchant's server was asked and did not answer as it has to.
    #[error("the merchant's server: {0}")]
    Express(String),
    /// The transaction is not in a status that allows it.
    #[error("{0}")]
    Refused(String),
}

impl From<Refusal> for CustomerError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

/// How the customer pays. By default by card, with success.
#[derive(Clone, Debug)]
#[must_use = "a payment does nothing until a customer makes it"]
pub struct CustomerPayment {
    product_type: Option<String>,
    ending: Ending,
    shipping_option: Option<String>,
    customer: Value,
    shipping_address: Option<Value>,
}

impl Default for CustomerPayment {
    fn default() -> Self {
        Self {
            product_type: None,
            ending: Ending::Approved,
            shipping_option: None,
            customer: json!({}),
            shipping_address: None,
        }
    }
}

impl CustomerPayment {
    /// A payment by card that succeeds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The instrument, a payment product type such as `vipps` or `payex.creditcard`; otherwise
    /// the session's default or `dintero_psp.creditcard`. `swish.swish` and `payex.swish` are
    /// captured at once.
    pub fn with(mut self, product_type: impl Into<String>) -> Self {
        self.product_type = Some(product_type.into());
        self
    }

    /// The issuer declines: status `DECLINED`.
    pub fn declined(mut self) -> Self {
        self.ending = Ending::Declined(decline(&[], None));
        self
    }

    /// The payment fails: status `FAILED`.
    pub fn failed(mut self) -> Self {
        self.ending = Ending::Failed(json!({
            "code": "PROCESSOR_ERROR", "message": "the payment processor failed", "type": ["ERROR"],
        }));
        self
    }

    /// The payment is held for review: status `ON_HOLD`, until
    /// [`Sandbox::release_hold`] ends it.
    pub fn on_hold(mut self) -> Self {
        self.ending = Ending::OnHold;
        self
    }

    /// The customer picks the express shipping option of this id, which is added to the order.
    pub fn choosing(mut self, shipping_option_id: impl Into<String>) -> Self {
        self.shipping_option = Some(shipping_option_id.into());
        self
    }

    /// The customer's e-mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        merge(&mut self.customer, &json!({ "email": email.into() }));
        self
    }

    /// The customer's telephone number.
    pub fn phone_number(mut self, phone_number: impl Into<String>) -> Self {
        merge(&mut self.customer, &json!({ "phone_number": phone_number.into() }));
        self
    }

    /// Where the goods are to go, as JSON.
    pub fn shipping_address(mut self, address: Value) -> Self {
        self.shipping_address = Some(address);
        self
    }
}

impl Sandbox {
    /// The customer pays by card; gives the transaction's id.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn customer_pays(&self, session_id: impl AsRef<str>) -> Result<String, CustomerError> {
        self.customer_pays_with(session_id, CustomerPayment::new())
    }

    /// The customer pays as told; gives the transaction's id, also of a payment that was
    /// declined, failed or is on hold.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired, or does not offer what the
    /// customer wants.
    pub fn customer_pays_with(
        &self,
        session_id: impl AsRef<str>,
        payment: CustomerPayment,
    ) -> Result<String, CustomerError> {
        let mut state = self.shared.state();
        let session_id = session_id.as_ref();
        let product_type = prepare(&mut state, session_id, &payment)?;
        let generates_token = state.sessions.get(session_id).is_some_and(|session| session.for_token);
        let payment = Payment {
            operation: Operation::CreateSession,
            product_type,
            ending: payment.ending,
            payment_operation: generates_token.then(|| "generate_payment_token".to_owned()),
            request_id: uuid::Uuid::new_v4().to_string(),
            system_headers: json!({ "user-agent": "Mozilla/5.0 (the sandbox's customer)" }),
        };
        let paid = pay(&mut state, session_id, &payment);
        drop(state);
        self.shared.send_callbacks();
        Ok(paid?)
    }

    /// The customer opens the payment page and begins to pay: the session is locked, as
    /// `PUT /sessions/{id}` without `update_without_lock` wants it.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn lock_session(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        self.mark(session_id.as_ref(), "PAY_LOCK_START", true)
    }

    /// The customer goes back: the session is unlocked.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn unlock_session(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        self.mark(session_id.as_ref(), "PAY_LOCK_END", false)
    }

    /// The customer leaves without paying: no transaction, a callback only to those who asked for
    /// errors.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn customer_cancels(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        let session_id = session_id.as_ref();
        self.unlock_session(session_id)?;
        note(&mut self.shared.state(), session_id, &Occasion::Payment(Some("cancelled")));
        self.shared.send_callbacks();
        Ok(())
    }

    fn mark(&self, id: &str, event: &str, locked: bool) -> Result<(), CustomerError> {
        let mut state = self.shared.state();
        payable(&state, id)?;
        let stamp = state.stamp(&uuid::Uuid::new_v4().to_string());
        if let Some(session) = state.sessions.get_mut(id) {
            session.locked = locked;
            session.push_event(event, &stamp, &Value::Null, Value::Null);
        }
        Ok(())
    }

    /// Ends the review of a transaction in status `ON_HOLD`: `AUTHORIZED` when approved,
    /// otherwise `FAILED`.
    ///
    /// # Errors
    ///
    /// When there is no such transaction, or it is not on hold.
    pub fn release_hold(&self, transaction_id: impl AsRef<str>, approved: bool) -> Result<(), CustomerError> {
        let mut state = self.shared.state();
        let rules = state.config.rules;
        let stamp = state.stamp(&uuid::Uuid::new_v4().to_string());
        let transaction = state.transactions.get_mut(transaction_id.as_ref()).ok_or(CustomerError::NoTransaction)?;
        if transaction.ledger.status != Status::OnHold {
            return Err(CustomerError::Refused(format!(
                "the transaction is {}, not ON_HOLD",
                transaction.ledger.status.as_str()
            )));
        }
        let amount = transaction.body.get("amount").and_then(Value::as_i64).unwrap_or_default();
        let action = |step| Action::new(Operation::CreateSession, "AUTHORIZE", step).with_amount(amount);
        if approved {
            transaction.execute(&action(Step::Authorize(amount)), &stamp, None, rules)?;
        } else {
            let error = json!({ "message": "the review found against the payment", "type": ["ERROR"] });
            transaction.refuse(&action(Step::Fail), &stamp, rules, error)?;
        }
        let session_id = transaction.session_id.clone().unwrap_or_default();
        let error = if approved { None } else { Some("failed") };
        note(&mut state, &session_id, &Occasion::Payment(error));
        drop(state);
        self.shared.send_callbacks();
        Ok(())
    }

    /// Settles everything that was answered with 202, as the faults said it would end.
    pub fn settle_accepted(&self) {
        let mut state = self.shared.state();
        let ids: Vec<String> = state
            .transactions
            .rows_mut()
            .filter(|transaction| !transaction.pending.is_empty())
            .map(|transaction| transaction.id.clone())
            .collect();
        for id in ids {
            money::settle(&mut state, &id, true);
        }
        drop(state);
        self.shared.send_callbacks();
    }
}

pub(super) fn payable(state: &State, id: &str) -> Result<(), CustomerError> {
    let session = state.sessions.get(id).ok_or(CustomerError::NoSession)?;
    if session.transaction_id.is_some() {
        return Err(CustomerError::Paid);
    }
    if session.cancelled {
        return Err(CustomerError::Cancelled);
    }
    let ends = session
        .field("/expires_at")
        .and_then(Value::as_str)
        .and_then(|ends| chrono::DateTime::parse_from_rfc3339(ends).ok());
    match ends {
        Some(ends) if ends <= state.clock.now() => Err(CustomerError::Expired),
        _ => Ok(()),
    }
}

/// Puts what the customer chose into the session; gives the payment product type.
fn prepare(state: &mut State, id: &str, payment: &CustomerPayment) -> Result<String, CustomerError> {
    payable(state, id)?;
    let stamp = state.stamp(&uuid::Uuid::new_v4().to_string());
    let session = state.sessions.get_mut(id).ok_or(CustomerError::NoSession)?;
    session.push_event("VISITED", &stamp, &Value::Null, Value::Null);
    if let Some(wanted) = &payment.shipping_option {
        let option = session
            .field("/express/shipping_options")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|option| option.get("id").and_then(Value::as_str) == Some(wanted))
            .cloned()
            .ok_or_else(|| CustomerError::NoShippingOption(wanted.clone()))?;
        choose(session.body.get_mut("order"), option);
        check_order(session.order(), session.body.get("express"), false)
            .map_err(|_| CustomerError::NoShippingOption(wanted.clone()))?;
        session.push_event("SET_SHIPPING_OPTION", &stamp, &Value::Null, Value::Null);
    }
    if let Some(address) = &payment.shipping_address {
        if let Some(order) = session.body.get_mut("order") {
            merge(order, &json!({ "shipping_address": address }));
        }
        session.push_event("SET_SHIPPING_ADDRESS", &stamp, &Value::Null, Value::Null);
    }
    let customer = session.body.entry("customer").or_insert_with(|| json!({}));
    merge(customer, &payment.customer);
    let preset = session.field("/configuration/default_payment_type").and_then(Value::as_str);
    Ok(payment.product_type.as_deref().or(preset).unwrap_or("dintero_psp.creditcard").to_owned())
}

/// The chosen option becomes part of the order, and its price of the amount.
fn choose(order: Option<&mut Value>, option: Value) {
    let Some(order) = order.and_then(Value::as_object_mut) else {
        return;
    };
    let price = |option: Option<&Value>| {
        option.and_then(|option| option.get("amount")).and_then(Value::as_i64).unwrap_or_default()
    };
    let before = price(order.get("shipping_option"));
    let amount = order.get("amount").and_then(Value::as_i64).unwrap_or_default();
    let amount = amount.saturating_sub(before).saturating_add(price(Some(&option)));
    order.insert("amount".into(), amount.into());
    order.insert("shipping_option".into(), option);
}
