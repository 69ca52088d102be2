//! How a session comes to its transaction: the customer pays, or the merchant does with a
//! stored token (`POST /sessions/pay`).

use serde_json::{Map, Value, json};

use super::call::Call;
use super::notify::{Occasion, note};
use super::reply::{ApiError, Reply};
use crate::json::{copy, text, whole};
use crate::operation::Operation;
use crate::state::State;
use crate::state::fault::Course;
use crate::state::index::Query;
use crate::state::ledger::{Ledger, Refusal, Status, Step};
use crate::state::log::Execution;
use crate::state::session::{REFERENCE, Session, lines};
use crate::state::transaction::{Action, Includes, Transaction};

/// Methods whose money moves as the customer pays.
const CAPTURED_AT_ONCE: [&str; 2] = ["swish.swish", "payex.swish"];

/// How a payment ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Authorized, or captured where the method or the session asks for it.
    Approved,
    OnHold,
    Declined(Value),
    Failed(Value),
}

/// One payment of a session.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) operation: Operation,
    pub(crate) product_type: String,
    pub(crate) ending: Ending,
    pub(crate) payment_operation: Option<String>,
    pub(crate) request_id: String,
    pub(crate) system_headers: Value,
}

/// The error of an event that an issuer declined.
pub(crate) fn decline(retry_codes: &[String], retry_after: Option<&str>) -> Value {
    let mut error = json!({
        "code": "DECLINED",
        "message": "the issuer declined the payment",
        "type": ["DECLINED", "INSUFFICIENT_FUNDS"],
        "result_code": "51",
    });
    if !retry_codes.is_empty() {
        crate::json::merge(&mut error, &json!({ "retry_policy": { "retry_codes": retry_codes } }));
    }
    if let Some(after) = retry_after {
        crate::json::merge(&mut error, &json!({ "retry_policy": { "retry_after": after } }));
    }
    error
}

/// Makes the session's transaction and carries the payment through; gives the transaction's id.
pub(crate) fn pay(state: &mut State, session_id: &str, payment: &Payment) -> Result<String, Refusal> {
    let rules = state.config.rules;
    let id = state.fresh_id();
    let stamp = || state.stamp(&payment.request_id);
    let Some(session) = state.sessions.get(session_id) else {
        return Ok(id);
    };
    let mut transaction = begin(state, &session, &id, payment);
    let amount = whole(session.order(), "/amount").unwrap_or_default();
    let items = transaction.body.get("items").cloned();
    let action = |event, step| {
        let mut action = Action::new(payment.operation, event, step).with_amount(amount);
        action.items.clone_from(&items);
        action.request_headers = payment.system_headers.clone();
        action.reference = text(session.order(), "/event_reference").map(str::to_owned);
        action
    };
    // The first event has no step of its own: a new ledger is already initiated.
    transaction.initialize(&action("INITIALIZE", Step::Hold), &stamp());
    match &payment.ending {
        Ending::Approved if CAPTURED_AT_ONCE.contains(&payment.product_type.as_str()) => {
            let capture = action("CAPTURE", Step::CaptureAtOnce(amount));
            transaction.execute(&capture, &stamp(), None, rules)?;
        }
        Ending::Approved => {
            let authorize = action("AUTHORIZE", Step::Authorize(amount));
            transaction.execute(&authorize, &stamp(), None, rules)?;
            let auto = session.field("/configuration/auto_capture") == Some(&Value::Bool(true));
            if auto && amount > 0 {
                let last = Step::Capture { amount, last: true };
                transaction.execute(&action("CAPTURE", last), &stamp(), None, rules)?;
            }
        }
        Ending::OnHold => {
            let hold = action("AUTHORIZE", Step::Hold);
            transaction.execute(&hold, &stamp(), None, rules)?;
        }
        Ending::Declined(error) => {
            let declined = action("AUTHORIZE", Step::Decline);
            transaction.refuse(&declined, &stamp(), rules, error.clone())?;
        }
        Ending::Failed(error) => {
            let failed = action("AUTHORIZE", Step::Fail);
            transaction.refuse(&failed, &stamp(), rules, error.clone())?;
        }
    }
    let status = transaction.ledger.status;
    let headers = &payment.system_headers;
    let event = match status {
        Status::Declined => "DECLINED",
        Status::Failed => "FAILED",
        Status::OnHold => "ON_HOLD_CALLBACK_SENT",
        _ => "AUTHORIZED",
    };
    let details = json!({ "payment_product_type": payment.product_type, "amount": amount });
    let stamp = stamp();
    state.transactions.insert(transaction);
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.transaction_id = Some(id.clone());
        session.locked = false;
        session.push_event(event, &stamp, headers, details);
        if event == "AUTHORIZED" {
            session.push_event("COMPLETED", &stamp, headers, Value::Null);
        }
    }
    let error = match payment.ending {
        Ending::Approved | Ending::OnHold => None,
        Ending::Declined(_) => Some("authorization"),
        Ending::Failed(_) => Some("failed"),
    };
    note(state, session_id, &Occasion::Payment(error));
    if status == Status::Captured {
        note(state, session_id, &Occasion::Event("CAPTURE"));
    }
    Ok(id)
}

fn begin(state: &State, session: &Session, id: &str, payment: &Payment) -> Transaction {
    let order = session.order();
    let mut body = Map::new();
    copy(
        order,
        &mut body,
        &[
            "amount",
            "currency",
            "merchant_reference",
            "merchant_reference_2",
            "shipping_option",
            "shipping_address",
            "billing_address",
            "store",
            "gift_cards",
            "payout_destination_id",
        ],
    );
    body.insert("items".into(), lines(order).into());
    let product = super::products::provider(&payment.product_type);
    body.insert("payment_product".into(), product.into());
    body.insert("payment_product_type".into(), payment.product_type.clone().into());
    body.insert("created_at".into(), state.now().into());
    body.insert("settlement_status".into(), "NOT_SETTLED".into());
    let channel = session.field("/configuration/channel").cloned().unwrap_or_else(|| "ecommerce".into());
    body.insert("channel".into(), channel);
    if let Some(operation) = &payment.payment_operation {
        body.insert("payment_operation".into(), operation.clone().into());
    }
    if let Some(customer) = session.body.get("customer") {
        let mut kept = Map::new();
        copy(customer, &mut kept, &["customer_id", "email", "phone_number"]);
        body.insert("customer".into(), kept.into());
    }
    if let Some(url) = session.field("/url/callback_url") {
        body.insert("url".into(), json!({ "callback_url": url }));
    }
    let mut metadata = json!({ "merchant_name": "Sandbox merchant" });
    if let Some(given) = session.body.get("metadata") {
        crate::json::merge(&mut metadata, given);
    }
    body.insert("metadata".into(), metadata);
    let mut card_tokens = Map::new();
    if is_card(&payment.product_type) {
        let tokens = ["payment", "recurrence"];
        let mut card = json!({
            "brand": "Visa",
            "masked_pan": "476173******0416",
            "expiry_date": "12/2031",
            "type": "Debit",
            "country": "NO",
        });
        for kind in tokens {
            if kind == "recurrence" && product != "payex" {
                continue;
            }
            let token = state.ids.hex();
            card_tokens.insert(format!("{kind}_token"), format!("{kind}-{token}").into());
            let token_id = state.ids.hex();
            crate::json::merge(&mut card, &json!({ format!("{kind}_token_id"): token_id }));
        }
        body.insert("card".into(), card);
    }
    Transaction {
        id: id.to_owned(),
        body,
        events: Vec::new(),
        ledger: Ledger::new(),
        session_id: Some(session.id.clone()),
        card_tokens,
        system_headers: payment.system_headers.clone(),
        pending: Vec::new(),
    }
}

fn is_card(product_type: &str) -> bool {
    product_type
        .split('.')
        .nth(1)
        .is_some_and(|kind| ["creditcard", "applepay", "googlepay", "clicktopay"].contains(&kind))
}

/// `POST /sessions/pay`: a request that is refused for what it says has a result too.
pub(crate) fn refused(error: ApiError) -> Reply {
    let mut reply = error.into_reply();
    if reply.status == 400 {
        crate::json::merge(&mut reply.body, &json!({ "success": false }));
    }
    reply
}

/// `POST /sessions/pay`.
pub(crate) fn pay_session(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    let session = body.get("session").ok_or_else(|| ApiError::bad_request("session: it is required"))?;
    let payment = body.get("payment").ok_or_else(|| ApiError::bad_request("payment: it is required"))?;
    let order = session.get("order").unwrap_or(&Value::Null);
    super::order::check_order(order, None, false)?;
    let product_type = text(payment, "/payment_product_type").unwrap_or_default();
    let tokens = session.pointer("/customer/tokens").and_then(|products| products.get(product_type));
    let has_token =
        ["payment_token", "recurrence_token"].iter().any(|name| tokens.and_then(|tokens| tokens.get(name)).is_some());
    if !has_token {
        return Err(ApiError::bad_request(format!(
            "session.customer.tokens: there is no stored token for {product_type}"
        )));
    }
    check_reference(state, call, text(order, "/merchant_reference"))?;

    let ending = match &call.course {
        Course::Declined { retry_codes, retry_after } => Ending::Declined(decline(retry_codes, retry_after.as_deref())),
        Course::Failed => Ending::Failed(json!({
            "code": "PROCESSOR_ERROR", "message": "the payment processor failed", "type": ["ERROR"],
        })),
        _ => Ending::Approved,
    };
    let success = matches!(ending, Ending::Approved);
    let session_id = super::sessions::keep(state, call, session, false);
    let payment = Payment {
        operation: Operation::PaySession,
        product_type: product_type.to_owned(),
        ending,
        payment_operation: text(payment, "/operation").map(str::to_owned),
        request_id: call.request_id.clone(),
        system_headers: call.system_headers(),
    };
    let id = pay(state, &session_id, &payment)?;
    state.log.execute(Execution {
        operation: Operation::PaySession,
        id: id.clone(),
        amount: if success { whole(order, "/amount") } else { None },
        reference: text(order, "/merchant_reference").map(str::to_owned),
    });
    let transaction = state.transactions.get(&id).ok_or_else(|| ApiError::not_found("transaction"))?;
    let code = transaction.ledger.status.as_str();
    let mut response = transaction.view(&Includes::default(), None);
    let source = super::products::provider(product_type);
    crate::json::merge(
        &mut response,
        &json!({
            "session_id": session_id,
            "success": success,
            "actions": [{ "source": source.to_uppercase(), "code": code,
                          "type": if success { "success" } else { "error" } }],
        }),
    );
    Ok(Reply::ok(response))
}

/// The two toggles that keep a merchant reference from being paid twice.
fn check_reference(state: &mut State, call: &Call, reference: Option<&str>) -> Result<(), ApiError> {
    let Some(reference) = reference else {
        return Ok(());
    };
    let of_any = call.toggle("strict-merchant-reference");
    let of_paid = call.toggle("strict-success-merchant-reference");
    if !of_any && !of_paid {
        return Ok(());
    }
    let paid = |session: &Session| session.events.iter().any(|event| text(event, "/name") == Some("AUTHORIZED"));
    let query = Query { texts: vec![(REFERENCE, vec![reference.to_owned()])], ..Query::default() };
    let used = state.sessions.page(None, usize::MAX, &query).unwrap_or_default();
    let taken = used.iter().any(|session| of_any || paid(session));
    if taken {
        return Err(ApiError::bad_request(format!("session.order.merchant_reference: {reference:?} was used before")));
    }
    Ok(())
}
