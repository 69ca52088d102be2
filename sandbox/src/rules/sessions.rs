//! The calls on sessions: create (three ways), read, update, cancel.
//!
//! Not here: lists (`listing`) and payments (`payment`).

use serde_json::{Map, Value, json};

use super::call::Call;
use super::notify::{Occasion, note};
use super::order::check_order;
use super::reply::{ApiError, Reply};
use crate::json::{copy, merge, text};
use crate::state::State;
use crate::state::clock::written;
use crate::state::ledger::{Status, Step};
use crate::state::log::Execution;
use crate::state::session::Session;
use crate::state::transaction::Action;

/// How long a session lives when the request does not say.
const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// `POST /sessions-profile`.
pub(crate) fn create_from_profile(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    check_order(order(body), body.get("express"), call.toggle("strict-session-amounts"))?;
    let id = insert(state, call, body, false);
    Ok(created(state, call, &id))
}

/// `POST /sessions`, which takes no feature toggles.
pub(crate) fn create(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    check_order(order(body), body.get("express"), false)?;
    let id = insert(state, call, body, false);
    Ok(created(state, call, &id))
}

/// `POST /sessions/payment-token`: a session that stores a card and sells nothing.
pub(crate) fn create_payment_token(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    let mut session = body.get("session").cloned().unwrap_or_default();
    merge(
        &mut session,
        &json!({ "order": { "amount": 0, "items": [] }, "payment_operation": "generate_payment_token" }),
    );
    let product = text(body, "/token_provider/payment_product_type").unwrap_or_default();
    merge(&mut session, &json!({ "configuration": { "default_payment_type": product } }));
    let id = insert(state, call, &session, true);
    Ok(created(state, call, &id))
}

fn order(body: &Value) -> &Value {
    body.get("order").unwrap_or(&Value::Null)
}

/// Puts a session into the store and says so in the log; gives its id.
fn insert(state: &mut State, call: &Call, request: &Value, for_token: bool) -> String {
    let id = keep(state, call, request, for_token);
    state.log.execute(Execution {
        operation: call.operation,
        id: id.clone(),
        amount: None,
        reference: text(order(request), "/merchant_reference").map(str::to_owned),
    });
    id
}

/// Puts a session into the store; gives its id.
pub(crate) fn keep(state: &mut State, call: &Call, request: &Value, for_token: bool) -> String {
    let id = state.fresh_id();
    let now = state.clock.now();
    let mut body = request.as_object().cloned().unwrap_or_default();
    let profile = body.remove("profile_id");
    let merchant = body.remove("merchant");
    let mut returned = Value::Object(body);
    let defaults = json!({
        "created_at": written(now),
        "configuration": { "merchant": { "id": state.config.account_id, "name": "Sandbox merchant" } },
    });
    merge(&mut returned, &defaults);
    if let Some(merchant) = merchant {
        merge(&mut returned, &json!({ "configuration": { "merchant": merchant } }));
    }
    if let Some(profile) = profile {
        merge(&mut returned, &json!({ "metadata": { "session:profile_id": profile } }));
    }
    hide_tokens(state, &mut returned);
    let mut body = match returned {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.entry("expires_at").or_insert_with(|| {
        let end = now.checked_add_signed(LIFETIME).unwrap_or(now);
        written(end).into()
    });
    let mut session = Session { for_token, ..Session::new(id.clone(), body) };
    let stamp = state.stamp(&call.request_id);
    session.push_event("INITIATED", &stamp, &call.system_headers(), Value::Null);
    state.sessions.insert(session);
    id
}

/// A stored token is told to the service once; responses name it only.
fn hide_tokens(state: &State, session: &mut Value) {
    let Some(products) = session.pointer_mut("/customer/tokens").and_then(Value::as_object_mut) else {
        return;
    };
    for tokens in products.values_mut().filter_map(Value::as_object_mut) {
        if tokens.remove("payment_token").is_some() {
            tokens.insert("payment_token_id".into(), state.ids.hex().into());
        }
        tokens.remove("recurrence_token");
    }
}

fn created(state: &State, call: &Call, id: &str) -> Reply {
    let mut response = json!({ "id": id, "url": format!("{}/view/{id}", state.config.base_url) });
    if call.flag("include_session")
        && let Some(session) = state.sessions.get(id)
    {
        merge(&mut response, &json!({ "session": session.view(false, false) }));
    }
    Reply::ok(response)
}

fn respond(state: &State, call: &Call, id: &str) -> Result<Reply, ApiError> {
    let session = state.sessions.get(id).ok_or_else(|| ApiError::not_found("session"))?;
    Ok(Reply::ok(
        session.view(call.includes("events.request_headers"), call.includes("initiating_system_request_headers")),
    ))
}

/// `GET /sessions/{session_id}`.
pub(crate) fn get(state: &State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    respond(state, call, id)
}

/// Whether an update makes the service ask the merchant what ships: to another address, or because it says so.
pub(crate) fn asks_for_shipping(state: &State, call: &Call) -> bool {
    let stated = call.body.as_ref().and_then(|body| order(body).get("shipping_address"));
    let session = state.sessions.get(call.parameter.as_deref().unwrap_or_default());
    let moved = stated.is_some() && session.is_some_and(|session| session.order().get("shipping_address") != stated);
    moved || call.flag("force_shipping_address_callback")
}

/// `PUT /sessions/{session_id}`: states the order again.
pub(crate) fn update(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    let body = call.body()?;
    let stamp = state.stamp(&call.request_id);
    let session = state.sessions.get_mut(id).ok_or_else(|| ApiError::not_found("session"))?;
    if session.cancelled {
        return Err(ApiError::bad_request("the session is cancelled"));
    }
    if session.transaction_id.is_some() {
        return Err(ApiError::bad_request("the session has a transaction already: its order stands"));
    }
    if !session.locked && !call.flag("update_without_lock") {
        return Err(ApiError::bad_request(
            "the session must be locked before it is updated, or update_without_lock be true",
        ));
    }
    let before = session.order().clone();
    let after = restate(&before, order(body));
    let mut express = session.body.get("express").cloned();
    if let Some(stated) = body.get("express") {
        merge(express.get_or_insert_with(|| json!({})), stated);
    }
    check_order(&after, express.as_ref(), call.toggle("strict-session-amounts"))?;
    let reference = text(&after, "/merchant_reference").map(str::to_owned);
    let details = json!({ "previous_order": before, "updated_order": after });
    session.body.insert("order".into(), after);
    if let Some(express) = express {
        session.body.insert("express".into(), express);
    }
    let headers = call.system_headers();
    session.push_event("UPDATE_SESSION", &stamp, &headers, details);
    if session.locked && body.get("remove_lock") != Some(&Value::Bool(false)) {
        session.locked = false;
        session.push_event("PAY_LOCK_END", &stamp, &headers, Value::Null);
    }
    state.log.execute(Execution { operation: call.operation, id: id.to_owned(), amount: None, reference });
    respond(state, call, id)
}

/// The order as stated, with what an update cannot state, or need not restate, from before.
fn restate(before: &Value, stated: &Value) -> Value {
    let mut order = Map::new();
    copy(
        before,
        &mut order,
        &["amount", "currency", "merchant_reference", "merchant_reference_2", "payout_destination_id"],
    );
    if let Some(stated) = stated.as_object() {
        order.extend(stated.clone());
    }
    order.into()
}

/// `POST /sessions/{session_id}/cancel`: ends the session and voids its transaction, which must
/// not have gone beyond its authorization.
pub(crate) fn cancel(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    let rules = state.config.rules;
    let stamp = state.stamp(&call.request_id);
    let void_stamp = state.stamp(&call.request_id);
    let session = state.sessions.get(id).ok_or_else(|| ApiError::not_found("session"))?;
    if session.cancelled {
        return Err(ApiError::bad_request("the session is cancelled already"));
    }
    let transaction_id = session.transaction_id.clone();
    if let Some(transaction) = transaction_id.as_deref().and_then(|id| state.transactions.get_mut(id)) {
        let status = transaction.ledger.status;
        if !matches!(status, Status::Initiated | Status::Authorized) {
            return Err(ApiError::bad_request(format!(
                "the session's transaction is {}: only INITIATED and AUTHORIZED can be cancelled",
                status.as_str()
            )));
        }
        let void = Action::new(call.operation, "VOID", Step::Void).with_amount(transaction.ledger.left_to_void());
        transaction.execute(&void, &void_stamp, None, rules)?;
        note(state, id, &Occasion::Event("VOID"));
    }
    let now = state.now();
    if let Some(session) = state.sessions.get_mut(id) {
        session.cancelled = true;
        session.body.insert("cancelled_at".into(), now.into());
        session.body.insert("cancelled_by".into(), "sandbox".into());
        session.push_event("CANCELLED", &stamp, &call.system_headers(), Value::Null);
    }
    state.log.execute(Execution { operation: call.operation, id: id.to_owned(), amount: None, reference: None });
    respond(state, call, id)
}
