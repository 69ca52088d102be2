//! A session as kept and as answered, and what an order must fulfil to become part of one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::ApiError;
use super::contract::Problem;
use super::json::{elements, text, whole};
use super::state::Stamp;
use super::store::Row;
use super::transaction::without_headers;

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// All fields but those below, as answered.
    pub(super) body: Map<String, Value>,
    pub(super) events: Vec<Value>,
    pub(super) transaction_id: Option<String>,
    pub(super) locked: bool,
    pub(super) cancelled: bool,
    /// Made to store a card, not to sell anything.
    pub(super) for_token: bool,
    pub(super) system_headers: Value,
}

impl Row for Session {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Session {
    pub(super) fn push_event(&mut self, name: &str, stamp: &Stamp, headers: &Value, details: Value) {
        let mut event = json!({
            "id": stamp.id,
            "name": name,
            "created_at": stamp.created_at,
            "request_id": stamp.request_id,
        });
        if let Some(event) = event.as_object_mut() {
            if !details.is_null() {
                event.insert("details".into(), details);
            }
            if headers.is_object() {
                event.insert("request_headers".into(), headers.clone());
            }
        }
        self.body.insert("updated_at".into(), stamp.created_at.clone().into());
        self.events.push(event);
    }

    pub(super) fn field(&self, pointer: &str) -> Option<&Value> {
        let mut parts = pointer.trim_start_matches('/').splitn(2, '/');
        let first = self.body.get(parts.next()?)?;
        match parts.next() {
            Some(rest) => first.pointer(&format!("/{rest}")),
            None => Some(first),
        }
    }

    pub(super) fn order(&self) -> &Value {
        self.body.get("order").unwrap_or(&Value::Null)
    }

    /// The session as answered.
    pub(super) fn view(&self, request_headers: bool, system_headers: bool) -> Value {
        let mut view = self.body.clone();
        view.insert("id".into(), self.id.clone().into());
        if let Some(id) = &self.transaction_id {
            view.insert("transaction_id".into(), id.clone().into());
        }
        if system_headers {
            view.insert("initiating_system_request_headers".into(), self.system_headers.clone());
        }
        let events = self.events.iter().map(|event| without_headers(event, request_headers)).collect();
        view.insert("events".into(), Value::Array(events));
        view.into()
    }
}

/// The rules for an order that no schema can state.
pub(super) fn check_order(order: &Value, express: Option<&Value>, strict_amounts: bool) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for item in elements(order, "/items") {
        if let Some(line_id) = text(item, "/line_id")
            && !seen.insert(line_id)
        {
            return Err(ApiError::bad_request(format!("order.items: line_id {line_id:?} is used twice")));
        }
    }
    if strict_amounts {
        check_sum(order)?;
    }
    check_shipping_option(order, express)
}

/// `strict-session-amounts`: the order's amount is the sum of its lines and its shipping.
fn check_sum(order: &Value) -> Result<(), ApiError> {
    let overflow = || ApiError::bad_request("order.items: the sum of the amounts overflows");
    let mut items = 0_i64;
    for item in elements(order, "/items") {
        let amount = whole(item, "/amount").unwrap_or_default();
        items = items.checked_add(amount).ok_or_else(overflow)?;
    }
    let shipping = whole(order, "/shipping_option/amount").unwrap_or_default();
    let sum = items.checked_add(shipping).ok_or_else(overflow)?;
    let amount = whole(order, "/amount").unwrap_or_default();
    if amount == sum {
        return Ok(());
    }
    Err(ApiError::invalid(&[Problem::new(
        "order.amount",
        format!(
            "strict-session-amounts: the amount is {amount}, but the items sum up to {items} and \
             the shipping option to {shipping}, {sum} together"
        ),
    )]))
}

/// Where both are set, the chosen shipping option is one of those on offer.
fn check_shipping_option(order: &Value, express: Option<&Value>) -> Result<(), ApiError> {
    let (Some(chosen), Some(offered)) = (
        order.get("shipping_option").filter(|chosen| !chosen.is_null()),
        express.and_then(|express| express.get("shipping_options")).and_then(Value::as_array),
    ) else {
        return Ok(());
    };
    let same = |option: &&Value| option.get("id") == chosen.get("id") && option.get("line_id") == chosen.get("line_id");
    if offered.iter().any(|option| same(&option)) {
        return Ok(());
    }
    Err(ApiError::bad_request("order.shipping_option: it is not among express.shipping_options"))
}

/// The lines of the transaction: the order's items and, as one more line, its shipping option.
pub(super) fn lines(order: &Value) -> Vec<Value> {
    let mut lines: Vec<Value> = elements(order, "/items").cloned().collect();
    if let Some(option) = order.get("shipping_option").filter(|option| option.is_object()) {
        let mut line = Map::new();
        super::json::copy(option, &mut line, &["id", "line_id", "amount", "vat", "vat_amount", "fee_split", "splits"]);
        line.insert("description".into(), option.get("title").cloned().unwrap_or_default());
        line.insert("quantity".into(), 1.into());
        line.insert("type".into(), "shipping".into());
        lines.push(line.into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(amount: i64) -> Value {
        json!({ "amount": amount, "items": [{ "line_id": "1", "amount": 29990 }],
                "shipping_option": { "id": "a", "line_id": "b", "amount": 3900, "title": "Pick up" } })
    }

    fn message(result: Result<(), ApiError>) -> String {
        let reply = result.unwrap_err().into_reply();
        text(&reply.body, "/error/message").unwrap().to_owned()
    }

    #[test]
    fn the_strict_sum_counts_shipping_and_names_both_sides() {
        assert!(check_order(&order(33890), None, true).is_ok());
        assert!(check_order(&order(29990), None, false).is_ok());
        let refusal = message(check_order(&order(29990), None, true));
        for part in ["29990", "3900", "33890"] {
            assert!(refusal.contains(part), "{refusal}");
        }
    }

    #[test]
    fn a_sum_that_overflows_is_refused() {
        let items = json!({ "amount": 0, "items": [{ "line_id": "1", "amount": i64::MAX },
                                                  { "line_id": "2", "amount": 1 }] });
        assert!(message(check_order(&items, None, true)).contains("overflows"));
    }

    #[test]
    fn lines_are_told_apart_and_shipping_is_one_of_them() {
        let twice = json!({ "items": [{ "line_id": "1" }, { "line_id": "1" }] });
        assert!(message(check_order(&twice, None, false)).contains("used twice"));
        let lines = lines(&order(1));
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["line_id"], "b");
        assert_eq!(lines[1]["amount"], 3900);
    }

    #[test]
    fn a_shipping_option_is_chosen_from_those_on_offer() {
        let offer = |id: &str| json!({ "shipping_options": [{ "id": id, "line_id": "b" }] });
        assert!(check_order(&order(1), Some(&offer("a")), false).is_ok());
        assert!(check_order(&order(1), Some(&offer("x")), false).is_err());
        assert!(check_order(&order(1), None, false).is_ok());
    }
}
