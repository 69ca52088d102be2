//! What the control API tells of the state, as JSON.

use serde_json::{Value, json};

use crate::json::{text, whole};
use crate::rules::customer::payable;
use crate::rules::notify::return_url;
use crate::rules::products;
use crate::state::State;
use crate::state::delivery::DeliveredCallback;
use crate::state::fault::Planned;
use crate::state::ledger::Status;
use crate::state::log::ReceivedRequest;
use crate::state::session::Session;
use crate::state::transaction::{Includes, Transaction};

pub(super) fn info(state: &State) -> Value {
    let config = &state.config;
    let audience = format!("https://api.dintero.com/v1/accounts/{}", config.account_id);
    json!({
        "account_id": config.account_id,
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "base_url": config.base_url,
        "audience": config.audience.clone().unwrap_or(audience),
        "signature_secret": state.delivery.secret,
        "clock": clock(state),
        "version": env!("CARGO_PKG_VERSION"),
    })
}

pub(super) fn clock(state: &State) -> Value {
    json!({ "now": state.now(), "stopped": state.clock.is_stopped() })
}

fn page(state: &State, id: &str) -> String {
    format!("{}/view/{id}", state.config.base_url)
}

pub(super) fn summary(state: &State, session: &Session) -> Value {
    let order = session.order();
    let payment = session.transaction_id.as_deref().and_then(|id| state.transactions.get(id));
    let standing = if session.cancelled {
        "cancelled"
    } else if let Some(payment) = payment {
        match payment.ledger.status {
            Status::Declined => "declined",
            Status::Failed => "failed",
            Status::OnHold => "on_hold",
            Status::Initiated => "begun",
            _ => "paid",
        }
    } else if session.error.is_some() {
        "left"
    } else if session.locked {
        "locked"
    } else {
        "open"
    };
    json!({
        "id": session.id,
        "created_at": session.field("/created_at"),
        "amount": whole(order, "/amount"),
        "currency": text(order, "/currency"),
        "merchant_reference": text(order, "/merchant_reference"),
        "transaction_id": session.transaction_id,
        "url": page(state, &session.id),
        "state": standing,
    })
}

pub(super) fn session(state: &State, session: &Session) -> Value {
    let reason = payable(state, &session.id).err().map(|error| error.to_string());
    json!({
        "session": session.view(true, true),
        "url": page(state, &session.id),
        "return_url": return_url(session),
        "payable": reason.is_none(),
        "reason": reason,
        "payment_product_types": products::offered(session),
    })
}

pub(super) fn transaction(transaction: &Transaction) -> Value {
    let ledger = transaction.ledger;
    json!({
        "transaction": transaction.view(&Includes::EVERYTHING, None),
        "captured": ledger.captured,
        "refunded": ledger.refunded,
        "left_to_capture": ledger.left_to_capture(),
        "left_to_refund": ledger.left_to_refund(),
    })
}

/// All callbacks, those still to come last.
pub(super) fn callbacks(state: &State) -> Value {
    let told = |callback: DeliveredCallback, state: &str| {
        json!({
            "delivery": callback.delivery,
            "method": callback.method,
            "url": callback.url,
            "state": if callback.not_sent.is_some() { "not_sent" } else { state },
            "attempts": callback.attempts,
            "not_sent": callback.not_sent,
        })
    };
    let delivery = &state.delivery;
    let done = delivery.delivered.iter().map(|callback| told(callback.clone(), "done"));
    let pending = delivery.pending.values().map(|pending| told(pending.report(), "under_way"));
    let held = delivery.held.iter().flatten().map(|notice| told(notice.report(Vec::new(), None), "held"));
    done.chain(pending).chain(held).collect()
}

pub(super) fn request(request: &ReceivedRequest) -> Value {
    let text = || Value::from(String::from_utf8_lossy(request.body()).into_owned());
    json!({
        "time": request.time(),
        "operation": request.operation(),
        "method": request.method(),
        "path": request.path(),
        "query": request.query(),
        "headers": request.headers().iter().map(|(name, value)| json!([name, value])).collect::<Value>(),
        "body": request.json().unwrap_or_else(text),
        "status": request.status(),
        "refusal": request.refusal(),
    })
}

pub(super) fn planned(planned: Planned<'_>) -> Value {
    json!({
        "operation": planned.operation,
        "left": planned.left,
        "rate": planned.rate,
        "fault": planned.fault.words(),
    })
}
