//! The calls of the control API, by their names in the document.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::express;
use super::super::server::Shared;
use super::faults::Spelled;
use super::{Asked, INTERFACE, views};
use crate::json::text;
use crate::operation::Operation;
use crate::rules::customer::{self, CustomerError, CustomerPayment};
use crate::rules::express::Given;
use crate::rules::notify::{self, return_url};
use crate::rules::reply::ApiError;
use crate::rules::transactions;
use crate::state::State;
use crate::state::session::Session;

/// Rows of a list where the request does not say.
const LIMIT: usize = 50;

impl Asked {
    fn limit(&self) -> usize {
        let given = self.query.get("limit").and_then(|values| values.last());
        given.and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT)
    }

    /// A field of the body as a type of ours; the document has said already what it may be.
    fn field<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let given = self.body.get(name).cloned().map(serde_json::from_value).transpose();
        given.map_err(|error| ApiError::bad_request(format!("body/{name}: {error}")))
    }

    fn flag(&self, name: &str) -> bool {
        self.body.get(name) == Some(&Value::Bool(true))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.body.get(name).and_then(Value::as_u64)
    }
}

fn done() -> Value {
    json!({ "done": true })
}

/// Does what a control call asks for.
pub(super) async fn call(shared: &Arc<Shared>, name: &str, asked: &Asked) -> Result<Value, ApiError> {
    let id = asked.parameter.as_str();
    Ok(match name {
        "info" => views::info(&shared.state()),
        "openapi" => INTERFACE.document.clone(),
        "sessions" => {
            let state = shared.state();
            state.sessions.newest(asked.limit()).map(|session| views::summary(&state, &session)).collect()
        }
        "session" => session(&shared.state(), id)?,
        "pay" => pay(shared, asked)?,
        "cancel" => {
            shared.act(|state| customer::cancels(state, id))?;
            let state = shared.state();
            json!({ "return_url": state.sessions.get(id).and_then(|session| return_url(&session)) })
        }
        "lock" | "unlock" => {
            shared.act(|state| customer::locks(state, id, name == "lock"))?;
            done()
        }
        "address" => {
            let address = asked.field("address")?.unwrap_or_default();
            express::ask(shared, id, Given::Address(address)).await?;
            session(&shared.state(), id)?
        }
        "discount_codes" => {
            let codes = asked.field("codes")?.unwrap_or_default();
            express::ask(shared, id, Given::DiscountCodes(codes)).await?;
            session(&shared.state(), id)?
        }
        "transactions" => {
            let state = shared.state();
            state.transactions.newest(asked.limit()).map(|transaction| views::transaction(&transaction)).collect()
        }
        "transaction" => transaction(&shared.state(), id)?,
        "release" => {
            shared.act(|state| customer::release_hold(state, id, asked.flag("approved")))?;
            transaction(&shared.state(), id)?
        }
        "settle" => {
            shared.act(transactions::settle_all);
            done()
        }
        _ => return rest(shared, name, asked).await,
    })
}

/// The calls that are not about one payment.
async fn rest(shared: &Arc<Shared>, name: &str, asked: &Asked) -> Result<Value, ApiError> {
    Ok(match name {
        "callbacks" => views::callbacks(&shared.state()),
        "set_callbacks" => {
            let secret = asked.body.get("secret").map(|secret| secret.as_str().map(str::to_owned));
            let milliseconds = |name| asked.number(name).map(Duration::from_millis);
            shared.change(|state| {
                let delivery = &mut state.delivery;
                let copies = asked.number("copies").and_then(|copies| u32::try_from(copies).ok());
                delivery.secret = secret.unwrap_or_else(|| delivery.secret.take());
                delivery.copies = copies.unwrap_or(delivery.copies);
                delivery.delay = milliseconds("delay_milliseconds").unwrap_or(delivery.delay);
                delivery.retry_pause = milliseconds("retry_pause_milliseconds").unwrap_or(delivery.retry_pause);
                if asked.body.get("sign_with_sandbox_time").is_some() {
                    delivery.signs_sandbox_time = asked.flag("sign_with_sandbox_time");
                }
            });
            done()
        }
        "hold_callbacks" => {
            shared.change(|state| _ = state.delivery.held.get_or_insert_default());
            done()
        }
        "release_callbacks" => {
            shared.release_callbacks(asked.flag("reversed")).await;
            done()
        }
        "send_again" => {
            if !shared.act(|state| notify::again(state, &asked.parameter)) {
                return Err(ApiError::not_found("callback that is done with"));
            }
            done()
        }
        "requests" => {
            let state = shared.state();
            state.log.requests.iter().rev().take(asked.limit()).map(views::request).collect()
        }
        "forget_requests" => {
            shared.change(|state| state.log.requests_forgotten());
            done()
        }
        "executions" => {
            let state = shared.state();
            let reference = asked.query.get("reference").and_then(|values| values.last());
            let done = match reference {
                Some(reference) => state.log.executions_of(reference),
                None => state.log.executions.clone(),
            };
            json!(done)
        }
        "faults" => shared.state().plan.planned().map(views::planned).collect(),
        "inject" => {
            inject(shared, asked)?;
            done()
        }
        "clear_faults" => {
            shared.change(|state| state.plan.clear());
            done()
        }
        "patch" => {
            if let (Some(operation), Some(patch)) = (asked.field("operation")?, asked.field::<Value>("merge")?) {
                shared.change(|state| state.patches.merge(operation, patch));
            }
            done()
        }
        "clear_patches" => {
            shared.change(|state| state.patches.clear());
            done()
        }
        "clock" => views::clock(&shared.state()),
        "set_clock" => {
            let at: Option<chrono::DateTime<chrono::Utc>> = asked.field("stop_at")?;
            shared.change(|state| {
                at.into_iter().for_each(|at| state.clock.stop_at(at));
                let by = asked.number("advance_seconds").map(Duration::from_secs);
                by.into_iter().for_each(|by| state.clock.advance(by));
                if asked.flag("run") {
                    state.clock.run();
                }
            });
            views::clock(&shared.state())
        }
        "set_tokens" => {
            let lifetime = asked.number("lifetime_seconds");
            shared.change(|state| state.token_lifetime = lifetime.unwrap_or(state.token_lifetime));
            done()
        }
        "revoke_tokens" => {
            shared.change(State::revoke_tokens);
            done()
        }
        "reset_connections" => {
            shared.lines.reset_all();
            done()
        }
        "seed" => {
            let count = |name| asked.number(name).and_then(|count| usize::try_from(count).ok());
            let seeded = shared.change(|state| {
                if state.keeper.is_some() {
                    return Err(ApiError::new(409, "Conflict", "a sandbox with a state file takes no seeded rows"));
                }
                let transactions = count("transactions").map(|count| state.seed_transactions(count));
                let sessions = count("sessions").map(|count| state.seed_sessions(count));
                Ok(json!({ "transactions": transactions, "sessions": sessions }))
            });
            seeded?
        }
        "reset" => {
            shared.change(State::reset).map_err(|error| ApiError::new(409, "Conflict", error))?;
            done()
        }
        other => return Err(ApiError::new(501, "NotImplemented", format!("{other} is described, and not there"))),
    })
}

fn session(state: &State, id: &str) -> Result<Value, ApiError> {
    let session = state.sessions.get(id).ok_or(CustomerError::NoSession)?;
    Ok(views::session(state, &session))
}

fn transaction(state: &State, id: &str) -> Result<Value, ApiError> {
    let transaction = state.transactions.get(id).ok_or(CustomerError::NoTransaction)?;
    Ok(views::transaction(&transaction))
}

fn pay(shared: &Arc<Shared>, asked: &Asked) -> Result<Value, ApiError> {
    let body = &asked.body;
    let mut payment = match text(body, "/outcome") {
        Some("declined") => CustomerPayment::new().declined(),
        Some("failed") => CustomerPayment::new().failed(),
        Some("on_hold") => CustomerPayment::new().on_hold(),
        _ => CustomerPayment::new(),
    };
    let given = |pointer: &str| text(body, pointer).map(str::to_owned);
    if let Some(product_type) = given("/payment_product_type") {
        payment = payment.with(product_type);
    }
    if let Some(option) = given("/shipping_option_id") {
        payment = payment.choosing(option);
    }
    if let Some(email) = given("/email") {
        payment = payment.email(email);
    }
    if let Some(number) = given("/phone_number") {
        payment = payment.phone_number(number);
    }
    if let Some(address) = body.get("shipping_address") {
        payment = payment.shipping_address(address.clone());
    }
    let id = asked.parameter.as_str();
    let transaction_id = shared.act(|state| customer::pays(state, id, payment))?;
    let state = shared.state();
    let status = state.transactions.get(&transaction_id).map(|transaction| transaction.ledger.status.as_str());
    let back = state.sessions.get(id).and_then(|session: std::borrow::Cow<'_, Session>| return_url(&session));
    Ok(json!({ "transaction_id": transaction_id, "status": status, "return_url": back }))
}

fn inject(shared: &Arc<Shared>, asked: &Asked) -> Result<(), ApiError> {
    let operation: Option<Operation> = asked.field("operation")?;
    let spelled: Spelled = asked.field("fault")?.ok_or_else(|| ApiError::bad_request("body/fault: it is required"))?;
    let fault = spelled.fault().map_err(ApiError::bad_request)?;
    let rate = asked.body.get("rate").and_then(Value::as_f64);
    let times = asked.number("times").and_then(|times| u32::try_from(times).ok()).unwrap_or(1);
    let left = if asked.flag("always") { None } else { Some(times) };
    match (rate, operation) {
        (Some(rate), operation) => shared.change(|state| state.plan.add_rate(operation, rate, fault)),
        (None, Some(operation)) => shared.change(|state| state.plan.add(operation, left, fault)),
        (None, None) => return Err(ApiError::bad_request("body/operation: it is required without a rate")),
    }
    Ok(())
}
