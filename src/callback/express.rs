//! Express checkout: the service asks what ships to an address, or what discount codes do to an order.
//!
//! Both are POSTs with the session as their body, with a response due within 60 s, and never sent again: there is
//! no delivery to retry, the customer waits. Neither the response's deadline nor the transport is here.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Serialize;

use super::body::Unverified;
use super::verifier::{Verifier, VerifyError};
use crate::ids::SessionId;
use crate::read::{self, Read, Unreadable};
use crate::types::{Currency, Order, OrderItem, Session, ShippingOption};

/// The body of a request to `shipping_address_callback_url` or `discount_codes.callback_url`: the
/// session as it stands, with the address or the codes that the customer gave.
///
/// A body is never signed. [`read`](Self::read) takes it from anyone who knows the URL; with
/// [`read_signed`](Self::read_signed) it accepts a signed request only. Keep out of the response what not everyone may
/// know, and read the session from the service before acting on anything else in it.
#[derive(Clone)]
pub struct ExpressRequest {
    session: Unverified<Read<Session>>,
}

impl ExpressRequest {
    /// Reads the body, as leniently as a response.
    ///
    /// # Errors
    /// When it is not JSON, or lacks a field that a session requires.
    pub fn read(body: impl Into<Bytes>) -> Result<Self, Unreadable> {
        Ok(Self { session: Unverified::new(read::from_slice::<Session>(&body.into())?) })
    }

    /// Verifies by the signature that the service sent the request to this URL, and reads the body. `target` and
    /// `headers` are as for [`Verifier::verify_target`]. The body is not signed: what it says stays unverified, and a
    /// request that was overheard can be sent with another body.
    ///
    /// # Errors
    /// When the signature does not verify, or the body is no session.
    pub fn read_signed(
        verifier: &Verifier,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Self, SignedExpressError> {
        verifier.verify_target(method, target, headers)?;
        Ok(Self::read(body)?)
    }

    /// Returns the session, as the sender states it.
    #[must_use]
    pub fn unverified_session(&self) -> &Session {
        &self.session.as_hint().value
    }

    /// Returns the session with what could not be read of it.
    #[must_use]
    pub fn into_unverified(self) -> Unverified<Read<Session>> {
        self.session
    }

    /// Returns the id of the session that the request claims to be about.
    #[must_use]
    pub fn session_id(&self) -> Option<&SessionId> {
        self.unverified_session().id.as_ref()
    }

    /// Returns the shipping option that the customer has chosen so far.
    #[must_use]
    pub fn chosen(&self) -> Option<&ShippingOption> {
        self.unverified_session().order.shipping_option.as_ref()
    }
}

impl fmt::Debug for ExpressRequest {
    // The session is the customer's name and address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressRequest").field("session_id", &self.session_id()).finish_non_exhaustive()
    }
}

/// Why a signed express request is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedExpressError {
    /// The signature is not the service's.
    #[error("the signature of the express request does not verify")]
    Signature(#[from] VerifyError),
    /// The body is not a session.
    #[error("the body of the express request is not a session")]
    Unreadable(#[from] Unreadable),
}

/// Why a response to an express request cannot be given so. Names the field by its JSON path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressError {
    /// The list of options is empty, which means that nothing ships there. If that is meant, say
    /// `nothing_ships`.
    #[error("`shipping_options` is empty, which would say that nothing ships there")]
    NoOptions,
    /// A field breaks a rule.
    #[error("`{path}` {rule}")]
    Field {
        /// The field.
        path: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The chosen option is not among the options offered.
    #[error("the chosen shipping option is not among `shipping_options`")]
    ChosenNotOffered,
}

/// The order after a new address: prices, taxes or stock may depend on it.
///
/// Fields may be added in a minor release: end a literal of it with `..`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AddressOrder {
    /// The new amount of the order in minor units, shipping included.
    pub amount: i64,
    /// The currency, if it is to be stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The tax in it in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_amount: Option<i64>,
    /// The new lines; left as they were when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<OrderItem>,
    /// The discount codes that hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discount_codes: Vec<String>,
}

impl AddressOrder {
    /// Creates an order of that amount, in minor units, with its lines as they were.
    #[must_use]
    pub fn new(amount: i64) -> Self {
        Self { amount, currency: None, vat_amount: None, items: Vec::new(), discount_codes: Vec::new() }
    }
}

impl From<Order> for AddressOrder {
    /// Takes over what the response can state, lines included. The amount has to include the shipping, as
    /// [`Order::summed`] computes it.
    fn from(order: Order) -> Self {
        let Order { amount, currency, vat_amount, items, discount_codes, .. } = order;
        Self { amount, currency: Some(currency), vat_amount, items, discount_codes }
    }
}

/// The order after discount codes.
///
/// Fields may be added in a minor release: end a literal of it with `..`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct DiscountOrder {
    /// The new amount of the order in minor units, shipping included.
    pub amount: i64,
    /// The codes that were accepted. Always sent: an empty list says that none was.
    pub discount_codes: Vec<String>,
    /// The new lines, with their `discount_lines`; left as they were when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<OrderItem>,
}

impl DiscountOrder {
    /// Creates an order of that amount, in minor units, with the codes that were accepted.
    #[must_use]
    pub fn new(amount: i64, accepted: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { amount, discount_codes: accepted.into_iter().map(Into::into).collect(), items: Vec::new() }
    }
}

impl From<Order> for DiscountOrder {
    /// Takes over what the response can state, lines included; the codes of the order are those that were accepted.
    fn from(order: Order) -> Self {
        let Order { amount, items, discount_codes, .. } = order;
        Self { amount, discount_codes, items }
    }
}

/// The response to a new shipping address: what ships there, and perhaps a changed order.
pub type AddressResponse = ExpressResponse<AddressOrder>;

/// The response to discount codes: the changed order, and what ships.
pub type DiscountResponse = ExpressResponse<DiscountOrder>;

/// A response to an express request; it is the JSON to send with status 200. `O` is the order it can
/// change: [`AddressResponse`] and [`DiscountResponse`] are its two forms.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ExpressResponse<O> {
    shipping_options: Vec<ShippingOption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<O>,
}

impl<O: ExpressOrder> ExpressResponse<O> {
    /// Offers options to choose from.
    ///
    /// # Errors
    /// When the list is empty; when an option lacks one of `id`, `line_id`, `title`, `operator`, or has an amount
    /// beyond 32 bits; when two options cannot be told apart.
    pub fn ships(options: impl IntoIterator<Item = ShippingOption>) -> Result<Self, ExpressError> {
        let shipping_options: Vec<_> = options.into_iter().collect();
        if shipping_options.is_empty() {
            return Err(ExpressError::NoOptions);
        }
        for (index, option) in shipping_options.iter().enumerate() {
            check_option(option, index)?;
            if shipping_options.iter().take(index).any(|other| same(other, option)) {
                return Err(field(format!("shipping_options[{index}]"), "has the ids of another option"));
            }
        }
        Ok(Self { shipping_options, order: None })
    }

    /// Says that nothing ships there: the list of options is empty, and the customer cannot go on with
    /// that address.
    #[must_use]
    pub fn nothing_ships() -> Self {
        Self { shipping_options: Vec::new(), order: None }
    }

    /// Changes the order.
    ///
    /// # Errors
    /// When an amount is beyond 32 bits or two lines have one `line_id`.
    pub fn with_order(mut self, order: O) -> Result<Self, ExpressError> {
        order.check()?;
        self.order = Some(order);
        Ok(self)
    }

    /// Makes sure that a chosen option is among those offered: the customer's choice so far
    /// ([`ExpressRequest::chosen`]), where the response is meant to leave it standing. A choice that no
    /// longer stands must be left out of the order's amount.
    ///
    /// # Errors
    /// When it is not.
    pub fn keeping(self, chosen: &ShippingOption) -> Result<Self, ExpressError> {
        if self.shipping_options.iter().any(|option| same(option, chosen)) {
            Ok(self)
        } else {
            Err(ExpressError::ChosenNotOffered)
        }
    }

    /// Returns the options offered.
    #[must_use]
    pub fn shipping_options(&self) -> &[ShippingOption] {
        &self.shipping_options
    }

    /// Returns the changed order.
    #[must_use]
    pub fn order(&self) -> Option<&O> {
        self.order.as_ref()
    }
}

/// One of the two orders that an [`ExpressResponse`] can hold.
pub trait ExpressOrder: sealed::Sealed + Serialize {
    #[doc(hidden)]
    fn check(&self) -> Result<(), ExpressError>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AddressOrder {}
    impl Sealed for super::DiscountOrder {}
}

impl ExpressOrder for AddressOrder {
    fn check(&self) -> Result<(), ExpressError> {
        check_amount(self.vat_amount, || "order.vat_amount".to_owned())?;
        check_order(self.amount, &self.items)
    }
}

impl ExpressOrder for DiscountOrder {
    fn check(&self) -> Result<(), ExpressError> {
        check_order(self.amount, &self.items)
    }
}

/// Options are one and the same when all their ids are: pick-up places share the `id` and differ in
/// `line_id`, shipments of one order share both.
fn same(a: &ShippingOption, b: &ShippingOption) -> bool {
    (&a.id, &a.line_id, &a.shipment_id) == (&b.id, &b.line_id, &b.shipment_id)
}

fn field(path: String, rule: &'static str) -> ExpressError {
    ExpressError::Field { path, rule }
}

fn check_option(option: &ShippingOption, index: usize) -> Result<(), ExpressError> {
    let path = |name: &str| format!("shipping_options[{index}].{name}");
    for (name, text) in
        [("id", &option.id), ("line_id", &option.line_id), ("title", &option.title), ("operator", &option.operator)]
    {
        if text.is_empty() {
            return Err(field(path(name), "is empty"));
        }
    }
    check_amount(Some(option.amount), || path("amount"))?;
    check_amount(option.vat_amount, || path("vat_amount"))
}

fn check_order(amount: i64, items: &[OrderItem]) -> Result<(), ExpressError> {
    check_amount(Some(amount), || "order.amount".to_owned())?;
    for (index, item) in items.iter().enumerate() {
        check_amount(item.amount, || format!("order.items[{index}].amount"))?;
        check_amount(item.vat_amount, || format!("order.items[{index}].vat_amount"))?;
        let twice = item.line_id.is_some() && items.iter().take(index).any(|other| other.line_id == item.line_id);
        if twice {
            return Err(field(format!("order.items[{index}].line_id"), "is the one of another line"));
        }
    }
    Ok(())
}

/// Orders are 32 bits wide at the service.
fn check_amount(amount: Option<i64>, path: impl FnOnce() -> String) -> Result<(), ExpressError> {
    match amount.map(i32::try_from) {
        Some(Err(_)) => Err(field(path(), "is beyond 32 bits")),
        _ => Ok(()),
    }
}
