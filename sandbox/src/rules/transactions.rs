//! The calls that change a transaction: capture, refund, void, update of the authorization, and
//! the merchant's second reference.

use std::collections::BTreeSet;

use serde_json::Value;

use super::call::Call;
use super::notify::{Occasion, note};
use super::products::{self, Reauthorization, check_metadata};
use super::reply::{ApiError, Reply};
use crate::json::{elements, text, whole};
use crate::operation::Operation;
use crate::state::fault::Course;
use crate::state::ledger::{Refusal, Status, Step};
use crate::state::log::Execution;
use crate::state::transaction::{Action, Pending, Transaction};
use crate::state::{Stamp, State};

/// `POST /transactions/{id}/capture`.
pub(crate) fn capture(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    let amount = amount(body)?;
    check_metadata(body)?;
    let transaction = state.transactions.get(call.own_id(state)?).ok_or_else(|| ApiError::not_found("transaction"))?;
    let last = body.get("final_capture") == Some(&Value::Bool(true)) && products::knows_final_capture(&transaction);
    drop(transaction);
    let step = Step::Capture { amount, last };
    let action = told(call, "CAPTURE", step, "/capture_reference").with_amount(amount);
    operate(state, call, action)
}

/// `POST /transactions/{id}/refund`.
pub(crate) fn refund(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let body = call.body()?;
    let amount = amount(body)?;
    check_metadata(body)?;
    let action = told(call, "REFUND", Step::Refund(amount), "/refund_reference").with_amount(amount);
    operate(state, call, action)
}

/// `POST /transactions/{id}/void`.
pub(crate) fn void(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.parameter.as_deref().unwrap_or_default();
    let left = state.transactions.get(id).map(|transaction| transaction.ledger.left_to_capture());
    let action = told(call, "VOID", Step::Void, "/reference");
    operate(state, call, action.with_amount(left.unwrap_or_default()))
}

/// `POST /transactions/{id}/authorization`.
pub(crate) fn authorization(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    let transaction = state.transactions.get(id).ok_or_else(|| ApiError::not_found("transaction"))?;
    let step = match products::reauthorization(&transaction, call.body.as_ref())? {
        Reauthorization::Release => {
            if transaction.ledger.status != Status::OnHold {
                let refusal = Refusal::Status { action: "release", status: transaction.ledger.status };
                return Err(refusal.into());
            }
            let amount = transaction.body.get("amount").and_then(Value::as_i64).unwrap_or_default();
            Step::Authorize(amount)
        }
        Reauthorization::Extend { last } => Step::Reauthorize { amount: None, last },
        Reauthorization::NewAmount { amount, last } => Step::Reauthorize { amount: Some(amount), last },
    };
    drop(transaction);
    let mut action = told(call, "AUTHORIZE", step, "/reference");
    action.amount = match step {
        Step::Authorize(amount) => Some(amount),
        Step::Reauthorize { amount, .. } => amount,
        _ => None,
    };
    operate(state, call, action)
}

fn amount(body: &Value) -> Result<i64, ApiError> {
    whole(body, "/amount").ok_or_else(|| ApiError::bad_request("body/amount: it is required"))
}

/// The action with what the request tells about it.
fn told(call: &Call, event: &'static str, step: Step, reference: &str) -> Action {
    let mut action = Action::new(call.operation, event, step);
    if let Some(body) = &call.body {
        action.items = body.get("items").cloned();
        action.reference = text(body, reference).map(str::to_owned);
        action.metadata = body.get("metadata").cloned();
    }
    action.request_headers = call.system_headers();
    action
}

fn operate(state: &mut State, call: &Call, action: Action) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    let settings = state.config.rules;
    let stamp = state.stamp(&call.request_id);
    let includes = call.included();
    let transaction = state.transactions.get_mut(id).ok_or_else(|| ApiError::not_found("transaction"))?;
    let rules = products::rules(transaction, settings);
    if matches!(action.step, Step::Capture { .. } | Step::Refund(_)) {
        check_lines(transaction, action.items.as_ref())?;
        products::check_lines(transaction, action.items.as_ref())?;
    }
    let event = action.event.clone();
    match &call.course {
        Course::Accepted { reads, success } if action.event != "AUTHORIZE" => {
            transaction.ledger.after(action.step, rules)?;
            let unchanged = transaction.view(&includes, None);
            let pending = Pending { action, request_id: call.request_id.clone(), reads: *reads, success: *success };
            transaction.accept(pending, &stamp);
            Ok(Reply { status: 202, ..Reply::ok(unchanged) }.with_header("event-request-id", call.request_id.clone()))
        }
        Course::Failed => {
            transaction.ledger.after(action.step, rules)?;
            transaction.fail(&action, &stamp, None);
            Ok(Reply::ok(transaction.view(&includes, None)))
        }
        _ => {
            let execution = transaction.execute(&action, &stamp, None, rules)?;
            let view = transaction.view(&includes, None);
            let session_id = transaction.session_id.clone();
            state.log.execute(execution);
            if let Some(session_id) = session_id {
                let released = matches!(action.step, Step::Authorize(_));
                let occasion = if released { Occasion::Payment(None) } else { Occasion::Event(&event) };
                note(state, &session_id, &occasion);
            }
            Ok(Reply::ok(view))
        }
    }
}

/// The lines of a capture or refund are lines of the transaction.
fn check_lines(transaction: &Transaction, items: Option<&Value>) -> Result<(), ApiError> {
    let Some(items) = items else {
        return Ok(());
    };
    let known: BTreeSet<&str> = transaction
        .body
        .get("items")
        .map(|items| elements(items, ""))
        .unwrap_or_default()
        .filter_map(|item| text(item, "/line_id"))
        .collect();
    for (position, item) in elements(items, "").enumerate() {
        let line_id = text(item, "/line_id").unwrap_or_default();
        if !known.contains(line_id) {
            return Err(ApiError::bad_request(format!(
                "body/items/{position}/line_id: the transaction has no line {line_id:?}"
            )));
        }
    }
    Ok(())
}

/// `PUT /transactions/{id}`.
pub(crate) fn update(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    let now = state.now();
    let transaction = state.transactions.get_mut(id).ok_or_else(|| ApiError::not_found("transaction"))?;
    let reference = call.body.as_ref().and_then(|body| text(body, "/merchant_reference_2")).map(str::to_owned);
    if let Some(reference) = &reference {
        transaction.body.insert("merchant_reference_2".into(), reference.clone().into());
        transaction.body.insert("updated_at".into(), now.into());
    }
    let view = transaction.view(&call.included(), None);
    state.log.execute(Execution { operation: call.operation, id: id.to_owned(), amount: None, reference });
    Ok(Reply::ok(view))
}

/// `GET /transactions/{id}`; a read moves on what was accepted before.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let id = call.own_id(state)?;
    settle(state, id, false);
    let transaction = state.transactions.get(id).ok_or_else(|| ApiError::not_found("transaction"))?;
    let includes = call.included();
    let session = transaction
        .session_id
        .as_deref()
        .filter(|_| includes.session || includes.latest_session_event)
        .and_then(|id| state.sessions.get(id))
        .map(|session| {
            let mut view = session.view(includes.request_headers, includes.system_headers);
            if includes.latest_session_event
                && let Some(events) = view.pointer_mut("/events").and_then(Value::as_array_mut)
            {
                let older = events.len().saturating_sub(1);
                events.drain(..older);
            }
            view
        });
    Ok(Reply::ok(transaction.view(&includes, session)))
}

/// Settles everything that was accepted, as the faults said it would end.
pub(crate) fn settle_all(state: &mut State) {
    let ids: Vec<String> = state
        .transactions
        .kept()
        .filter(|transaction| !transaction.pending.is_empty())
        .map(|transaction| transaction.id.clone())
        .collect();
    for id in ids {
        settle(state, &id, true);
    }
}

/// Moves on what was accepted for a transaction: by one read, or to its end.
pub(crate) fn settle(state: &mut State, id: &str, all: bool) {
    let settings = state.config.rules;
    let waiting = state.transactions.get(id).map_or(0, |transaction| transaction.pending.len());
    // A settled operation has a request of its own; what asked for it is the correlation.
    let stamps: Vec<Stamp> = (0..waiting).map(|_| state.own_stamp()).collect();
    if let Some(transaction) = state.transactions.get_mut(id) {
        let executed = transaction.settle(all, products::rules(transaction, settings), stamps);
        let session_id = transaction.session_id.clone().unwrap_or_default();
        for execution in executed {
            let event = match execution.operation {
                Operation::CaptureTransaction => "CAPTURE",
                Operation::RefundTransaction => "REFUND",
                _ => "VOID",
            };
            state.log.execute(execution);
            note(state, &session_id, &Occasion::Event(event));
        }
    }
}
