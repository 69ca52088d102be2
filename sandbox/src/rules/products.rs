//! What a payment product may do beyond what every transaction may: the published pages state these rules in prose, by
//! `payment_product_type`.

use serde_json::Value;

use super::contract::Problem;
use super::reply::ApiError;
use crate::json::{elements, text, whole};
use crate::state::ledger::Rules;
use crate::state::session::Session;
use crate::state::transaction::Transaction;

/// Products whose rest can be voided after a part was captured.
const VOIDED_AFTER_CAPTURE: [&str; 9] = [
    "payex.creditcard",
    "payex.mobilepay",
    "payex.vipps",
    "payex.applepay",
    "payex.clicktopay",
    "payex.googlepay",
    "vipps",
    "klarna.klarna",
    "klarna.billie",
];

/// Products that take a new amount for an authorization at any time.
const NEW_AMOUNT: [&str; 2] = ["klarna.klarna", "klarna.billie"];

/// Products whose captures and refunds are of whole lines.
const WHOLE_LINES: [&str; 2] = ["collector", "walley"];

/// `dintero_psp` of `dintero_psp.creditcard`.
pub(crate) fn provider(product_type: &str) -> &str {
    product_type.split('.').next().unwrap_or_default()
}

fn product_type(transaction: &Transaction) -> &str {
    transaction.body.get("payment_product_type").and_then(Value::as_str).unwrap_or_default()
}

/// The rules of the ledger for a transaction.
pub(crate) fn rules(transaction: &Transaction, settings: Rules) -> Rules {
    let product_type = product_type(transaction);
    let voids = VOIDED_AFTER_CAPTURE.contains(&product_type);
    Rules { void_after_capture: voids, ..settings }
}

/// Whether `final_capture` means something: the other products ignore it.
pub(crate) fn knows_final_capture(transaction: &Transaction) -> bool {
    provider(product_type(transaction)) == "dintero_psp"
}

/// The lines of a capture or refund, where the product has an opinion of its own.
pub(crate) fn check_lines(transaction: &Transaction, items: Option<&Value>) -> Result<(), ApiError> {
    let product_type = product_type(transaction);
    let lines = || items.map(|items| elements(items, "")).unwrap_or_default().enumerate();
    if provider(product_type) == "instabank" {
        if lines().next().is_none() {
            return Err(ApiError::bad_request(format!("body/items: {product_type} requires the items")));
        }
        for (position, item) in lines() {
            if let Some(missing) = ["line_id", "quantity", "amount"].iter().find(|name| item.get(**name).is_none()) {
                return Err(ApiError::bad_request(format!(
                    "body/items/{position}/{missing}: {product_type} requires it"
                )));
            }
        }
    }
    if WHOLE_LINES.contains(&provider(product_type)) {
        for (position, item) in lines() {
            let known = transaction.body.get("items").map(|items| elements(items, "")).unwrap_or_default();
            let amount = known
                .filter(|line| text(line, "/line_id") == text(item, "/line_id"))
                .find_map(|line| whole(line, "/amount"));
            if amount.is_some() && amount != whole(item, "/amount") {
                return Err(ApiError::bad_request(format!(
                    "body/items/{position}/amount: {product_type} takes whole lines only"
                )));
            }
        }
    }
    Ok(())
}

/// Keys and lengths of the metadata of captures and refunds; that the values are text is in the document.
pub(crate) fn check_metadata(body: &Value) -> Result<(), ApiError> {
    for (key, value) in body.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        let wrong = |message| Err(ApiError::invalid(&[Problem::new(format!("body/metadata/{key}"), message)]));
        if !key.starts_with("ext_") {
            return wrong("the key must begin with ext_");
        }
        if key.chars().count() > 128 {
            return wrong("the key is longer than 128 characters");
        }
        if value.as_str().is_some_and(|value| value.chars().count() > 256) {
            return wrong("the value is longer than 256 characters");
        }
    }
    Ok(())
}

/// What a payment page offers for a session without a configuration of its own, the usual card first.
const OFFERED: [&str; 9] = [
    "dintero_psp.creditcard",
    "vipps",
    "klarna.klarna",
    "swish.swish",
    "payex.creditcard",
    "collector.invoice",
    "instabank.invoice",
    "dintero_psp.applepay",
    "dintero.external",
];

/// The payment product types that a session offers: those that its configuration enables, or the usual ones.
pub(crate) fn offered(session: &Session) -> Vec<String> {
    let enabled = |part: &Value| part.get("enabled") == Some(&Value::Bool(true));
    let configuration = session.body.get("configuration").and_then(Value::as_object);
    let mut found = Vec::new();
    for (provider, part) in configuration.into_iter().flatten() {
        if enabled(part) {
            found.push(provider.clone());
        }
        let kinds = part.as_object().into_iter().flatten().filter(|(_, kind)| enabled(kind));
        found.extend(kinds.map(|(kind, _)| format!("{provider}.{kind}")));
    }
    let preset = session.field("/configuration/default_payment_type").and_then(Value::as_str);
    if session.for_token {
        found = preset.into_iter().map(str::to_owned).collect();
    } else if found.is_empty() {
        found = OFFERED.map(str::to_owned).to_vec();
    }
    // The default comes first.
    if let Some(preset) = preset {
        found.retain(|offered| offered != preset);
        found.insert(0, preset.to_owned());
    }
    found
}

/// What an update of the authorization asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reauthorization {
    /// The authorization is extended, or its reference set.
    Extend {
        last: bool,
    },
    NewAmount {
        amount: i64,
        last: bool,
    },
    /// The hold ends: the payment is authorized.
    Release,
}

/// Which of its forms an update of the authorization takes, when the product has it.
pub(crate) fn reauthorization(transaction: &Transaction, body: Option<&Value>) -> Result<Reauthorization, ApiError> {
    let product_type = product_type(transaction);
    let field = |name: &str| body.and_then(|body| body.get(name));
    if field("reason").and_then(Value::as_str) == Some("release") && product_type == "dintero.external" {
        return Ok(Reauthorization::Release);
    }
    let last = field("final_authorization") == Some(&Value::Bool(true));
    let Some(amount) = field("amount") else {
        return Ok(Reauthorization::Extend { last });
    };
    let amount = amount.as_i64().ok_or_else(|| ApiError::bad_request("body/amount: whole minor units are expected"))?;
    let own = provider(product_type) == "dintero_psp";
    if !own && !NEW_AMOUNT.contains(&product_type) {
        return Err(ApiError::bad_request(format!("body/amount: {product_type} takes no new amount")));
    }
    let held = transaction.ledger.authorized;
    if own && !last && amount <= held {
        return Err(ApiError::bad_request(format!(
            "body/amount: {amount} is not above the {held} that are authorized, and final_authorization is not true"
        )));
    }
    check_sum(transaction, field("items"), amount)?;
    Ok(Reauthorization::NewAmount { amount, last })
}

/// A transaction that has lines has them with every amount, and they sum up to it.
fn check_sum(transaction: &Transaction, items: Option<&Value>, amount: i64) -> Result<(), ApiError> {
    let has = |items: &Value| items.as_array().is_some_and(|items| !items.is_empty());
    let Some(items) = items.filter(|items| has(items)) else {
        if transaction.body.get("items").is_some_and(has) {
            return Err(ApiError::bad_request("body/items: the transaction has items, so a new amount requires them"));
        }
        return Ok(());
    };
    let sum =
        elements(items, "").try_fold(0_i64, |sum, item| sum.checked_add(whole(item, "/amount").unwrap_or_default()));
    match sum {
        Some(sum) if sum == amount => Ok(()),
        Some(sum) => Err(ApiError::bad_request(format!("body/items: they sum up to {sum}, the amount is {amount}"))),
        None => Err(ApiError::bad_request("body/items: the sum of the amounts overflows")),
    }
}
