//! Express checkout: the customer gives an address or discount codes, the merchant's server is asked what ships there
//! and what the order comes to, and the session becomes what it said. Asking is not here.

use serde_json::{Map, Value, json};
use url::Url;

use super::customer::{CustomerError, payable};
use crate::json::{copy, merge, whole};
use crate::state::State;
use crate::state::session::Session;

/// What a customer gives on the payment page.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// Where the goods are to go, as in `order.shipping_address`.
    Address(Value),
    DiscountCodes(Vec<String>),
    /// Nothing new: the merchant is asked again about the address that the order has.
    Again,
}

impl Given {
    const fn event(&self) -> &'static str {
        match self {
            Self::Address(_) | Self::Again => "SET_SHIPPING_ADDRESS",
            Self::DiscountCodes(_) => "SET_DISCOUNT_CODES",
        }
    }

    const fn callback(&self) -> &'static str {
        match self {
            Self::Address(_) | Self::Again => "/express/shipping_address_callback_url",
            Self::DiscountCodes(_) => "/express/discount_codes/callback_url",
        }
    }
}

/// Puts what the customer gave into the session; gives the address to ask at, where there is one, and the body.
pub(crate) fn give(state: &mut State, id: &str, given: &Given) -> Result<(Option<Url>, String), CustomerError> {
    payable(state, id)?;
    let session = state.sessions.get_mut(id).ok_or(CustomerError::NoSession)?;
    let order = match given {
        Given::Address(address) => json!({ "shipping_address": address }),
        Given::DiscountCodes(codes) => json!({ "discount_codes": codes }),
        Given::Again => json!({}),
    };
    change(session, &json!({ "order": order }));
    let url = session.field(given.callback()).and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    Ok((url, session.view(false, false).to_string()))
}

/// Makes the merchant's response, where one was asked for, part of the session.
pub(crate) fn settle(
    state: &mut State,
    id: &str,
    given: &Given,
    response: Option<&Value>,
) -> Result<(), CustomerError> {
    let stamp = state.own_stamp();
    let session = state.sessions.get_mut(id).ok_or(CustomerError::NoSession)?;
    if let Some(response) = response {
        take(session, response);
    }
    session.push_event(given.event(), &stamp, &Value::Null, Value::Null);
    Ok(())
}

fn change(session: &mut Session, patch: &Value) {
    for (name, patch) in patch.as_object().into_iter().flatten() {
        merge(session.body.entry(name.clone()).or_insert(Value::Null), patch);
    }
}

/// The offer replaces the one before; a choice that is no longer on offer is taken back.
fn take(session: &mut Session, response: &Value) {
    let options = response.get("shipping_options").cloned().unwrap_or_else(|| json!([]));
    let mut stated = Map::new();
    if let Some(order) = response.get("order") {
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
