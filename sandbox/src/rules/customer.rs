//! The customer's part: pay, hesitate, leave, be refused.

use serde_json::{Value, json};

use super::notify::{Occasion, note};
use super::order::check_order;
use super::payment::{Ending, Payment, decline, pay};
use crate::json::merge;
use crate::operation::Operation;
use crate::state::State;
use crate::state::ledger::{Refusal, Status, Step};
use crate::state::transaction::Action;

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
    /// The merchant's server was asked and did not respond as it has to.
    #[error("the merchant's server: {0}")]
    Express(String),
    /// The transaction is not in a status that allows it.
    #[error("{0}")]
    Refused(String),
    /// What happened is not in the state file, so it is not told as done.
    #[error("the state file cannot be written: {0}; free space or start with another file")]
    StateFile(String),
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
    /// Creates a payment by card that succeeds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the instrument, a payment product type such as `vipps` or `payex.creditcard`; otherwise the session's
    /// default or `dintero_psp.creditcard`. `swish.swish` and `payex.swish` are captured at once.
    pub fn with(mut self, product_type: impl Into<String>) -> Self {
        self.product_type = Some(product_type.into());
        self
    }

    /// Makes the issuer decline: status `DECLINED`.
    pub fn declined(mut self) -> Self {
        self.ending = Ending::Declined(decline(&[], None));
        self
    }

    /// Makes the payment fail: status `FAILED`.
    pub fn failed(mut self) -> Self {
        self.ending = Ending::Failed(json!({
            "code": "PROCESSOR_ERROR", "message": "the payment processor failed", "type": ["ERROR"],
        }));
        self
    }

    /// Holds the payment for review: status `ON_HOLD`, until [`Sandbox::release_hold`](crate::Sandbox::release_hold)
    /// ends it.
    pub fn on_hold(mut self) -> Self {
        self.ending = Ending::OnHold;
        self
    }

    /// Picks the express shipping option of this id, which is added to the order.
    pub fn choosing(mut self, shipping_option_id: impl Into<String>) -> Self {
        self.shipping_option = Some(shipping_option_id.into());
        self
    }

    /// Sets the customer's e-mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        merge(&mut self.customer, &json!({ "email": email.into() }));
        self
    }

    /// Sets the customer's telephone number.
    pub fn phone_number(mut self, phone_number: impl Into<String>) -> Self {
        merge(&mut self.customer, &json!({ "phone_number": phone_number.into() }));
        self
    }

    /// Sets the shipping address, as JSON.
    pub fn shipping_address(mut self, address: Value) -> Self {
        self.shipping_address = Some(address);
        self
    }
}

/// The customer pays; gives the transaction's id, also of a payment that was declined, failed or is on hold.
pub(crate) fn pays(state: &mut State, session_id: &str, payment: CustomerPayment) -> Result<String, CustomerError> {
    let product_type = prepare(state, session_id, &payment)?;
    let generates_token = state.sessions.get(session_id).is_some_and(|session| session.for_token);
    let payment = Payment {
        operation: Operation::CreateSession,
        product_type,
        ending: payment.ending,
        payment_operation: generates_token.then(|| "generate_payment_token".to_owned()),
        request_id: state.ids.uuid(),
        system_headers: json!({ "user-agent": "Mozilla/5.0 (the sandbox's customer)" }),
    };
    Ok(pay(state, session_id, &payment)?)
}

/// The customer begins to pay, or goes back: the session is locked or unlocked.
pub(crate) fn locks(state: &mut State, id: &str, locked: bool) -> Result<(), CustomerError> {
    payable(state, id)?;
    let stamp = state.own_stamp();
    if let Some(session) = state.sessions.get_mut(id) {
        session.locked = locked;
        let event = if locked { "PAY_LOCK_START" } else { "PAY_LOCK_END" };
        session.push_event(event, &stamp, &Value::Null, Value::Null);
    }
    Ok(())
}

/// The customer leaves without paying.
pub(crate) fn cancels(state: &mut State, id: &str) -> Result<(), CustomerError> {
    locks(state, id, false)?;
    note(state, id, &Occasion::Payment(Some("cancelled")));
    Ok(())
}

/// Ends the review of a transaction on hold.
pub(crate) fn release_hold(state: &mut State, id: &str, approved: bool) -> Result<(), CustomerError> {
    let rules = state.config.rules;
    let stamp = state.own_stamp();
    let transaction = state.transactions.get_mut(id).ok_or(CustomerError::NoTransaction)?;
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
    note(state, &session_id, &Occasion::Payment(error));
    Ok(())
}

/// Whether a session can still be paid.
pub(crate) fn payable(state: &State, id: &str) -> Result<(), CustomerError> {
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
    let stamp = state.own_stamp();
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
