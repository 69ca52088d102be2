//! What an order must fulfil to become part of a session, beyond what a schema can state.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contract::Problem;
use super::reply::ApiError;
use crate::json::{elements, text, whole};

/// The rules for an order that no schema can state.
pub(crate) fn check_order(order: &Value, express: Option<&Value>, strict_amounts: bool) -> Result<(), ApiError> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::session::lines;

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
