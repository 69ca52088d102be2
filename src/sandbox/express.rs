//! Express checkout: the customer gives an address or discount codes, and the merchant's server
//! is asked what ships there and what the order comes to.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::customer::payable;
use super::json::{copy, merge, whole};
use super::outbound::Outgoing;
use super::session::Session;
use super::{CustomerError, Sandbox, contract};

/// How long a merchant may take to answer; there is one attempt only.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Sandbox {
    /// The customer gives a shipping address (JSON as in `order.shipping_address`). Where the
    /// session has an `express.shipping_address_callback_url` on loopback, the merchant is asked
    /// what ships there, once, and the answer becomes part of the session.
    ///
    /// # Errors
    /// When the session cannot be paid, or the merchant does not answer with 200 and what the
    /// interface has for it.
    pub async fn customer_sets_address(
        &self,
        session_id: impl AsRef<str>,
        address: Value,
    ) -> Result<(), CustomerError> {
        let given = json!({ "order": { "shipping_address": address } });
        let url = "/express/shipping_address_callback_url";
        self.ask(session_id.as_ref(), given, url, "SET_SHIPPING_ADDRESS").await
    }

    /// The customer enters discount codes. Where the session has an
    /// `express.discount_codes.callback_url` on loopback, the merchant is asked what they are
    /// worth, once, and the answer becomes part of the session.
    ///
    /// # Errors
    /// When the session cannot be paid, or the merchant does not answer with 200 and what the
    /// interface has for it.
    pub async fn customer_enters_discount_codes(
        &self,
        session_id: impl AsRef<str>,
        codes: &[&str],
    ) -> Result<(), CustomerError> {
        let given = json!({ "order": { "discount_codes": codes } });
        let url = "/express/discount_codes/callback_url";
        self.ask(session_id.as_ref(), given, url, "SET_DISCOUNT_CODES").await
    }

    async fn ask(&self, id: &str, given: Value, url: &str, event: &str) -> Result<(), CustomerError> {
        let (url, body) = {
            let mut state = self.shared.state();
            payable(&state, id)?;
            let session = state.sessions.get_mut(id).ok_or(CustomerError::NoSession)?;
            change(session, &given);
            let url = session.field(url).and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
            (url, session.view(false, false).to_string())
        };
        let answer = match &url {
            Some(url) => Some(question(url, &body).await.map_err(CustomerError::Express)?),
            None => None,
        };
        let mut state = self.shared.state();
        let stamp = state.stamp(&uuid::Uuid::new_v4().to_string());
        let session = state.sessions.get_mut(id).ok_or(CustomerError::NoSession)?;
        if let Some(answer) = answer {
            take(session, &answer);
        }
        session.push_event(event, &stamp, &Value::Null, Value::Null);
        Ok(())
    }
}

fn change(session: &mut Session, patch: &Value) {
    for (name, patch) in patch.as_object().into_iter().flatten() {
        merge(session.body.entry(name.clone()).or_insert(Value::Null), patch);
    }
}

/// Asks the merchant; gives the answer, or what is wrong with it.
async fn question(url: &Url, body: &str) -> Result<Value, String> {
    let request = Outgoing { method: &Method::POST, url, headers: Vec::new(), body: Some(body) };
    let (status, body) = tokio::time::timeout(TIMEOUT, request.answer())
        .await
        .map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?
        .map_err(|error| format!("no answer: {error}"))?;
    if status != 200 {
        return Err(format!("answered with {status}"));
    }
    let answer: Value = serde_json::from_slice(&body).map_err(|error| format!("answered with no JSON: {error}"))?;
    match contract::express_problem(&answer) {
        None => Ok(answer),
        Some(problem) => Err(format!("answered with something else: {problem}")),
    }
}

/// The offer replaces the one before; a choice that is no longer on offer is taken back.
fn take(session: &mut Session, answer: &Value) {
    let options = answer.get("shipping_options").cloned().unwrap_or_else(|| json!([]));
    let mut stated = Map::new();
    if let Some(order) = answer.get("order") {
        copy(order, &mut stated, &["amount", "currency", "vat_amount", "items", "discount_codes"]);
    }
    let chosen = session.order().get("shipping_option").cloned();
    let offered = chosen.as_ref().is_some_and(|chosen| {
        let same = |option: &Value| ["id", "line_id"].iter().all(|name| option.get(name) == chosen.get(name));
        options.as_array().is_some_and(|options| options.iter().any(same))
    });
    if let (Some(chosen), false) = (chosen, offered) {
        let amount = whole(session.order(), "/amount").unwrap_or_default();
        let without = amount.saturating_sub(whole(&chosen, "/amount").unwrap_or_default());
        // An amount that the merchant states has the choice out of it already.
        stated.entry("amount").or_insert_with(|| without.into());
        stated.insert("shipping_option".into(), Value::Null);
    }
    change(session, &json!({ "order": stated, "express": { "shipping_options": options } }));
}
