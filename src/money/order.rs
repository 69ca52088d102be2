//! Whether an order adds up.
//!
//! The rule is that of the feature toggle `strict-session-amounts`: `order.amount` is the sum of `items[].amount`
//! and `shipping_option.amount`. Under the toggle it is checked before sending, with an error that tells more than the
//! service's.

use std::collections::BTreeMap;
use std::fmt;

use crate::types::{Order, OrderItem, OrderUpdate, ShippingOption};

/// A line of an order: an item, or the shipping option, which becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The place among `items`, from 0; `None` for the shipping option.
    pub index: Option<usize>,
    /// The `line_id`.
    pub line_id: Option<String>,
    /// The amount in minor units; a line without one counts as zero.
    pub amount: i64,
}

impl fmt::Display for Line {
    // Without the id, which is the merchant's own text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "items[{index}] {}", self.amount),
            None => write!(f, "shipping_option {}", self.amount),
        }
    }
}

/// An order that does not add up, or whose lines cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderError {
    /// `amount` is not the sum of the lines.
    Amount {
        /// The order's amount, in minor units.
        amount: i64,
        /// The sum of its lines.
        sum: i64,
        /// `amount - sum`: what the lines lack or, below zero, have too much.
        difference: i64,
        /// The lines.
        lines: Vec<Line>,
    },
    /// Lines with the same `line_id`.
    LineId {
        /// The id.
        line_id: String,
        /// The lines that have it.
        lines: Vec<Line>,
    },
    /// A line without an amount, which is not the same as one of zero.
    NoAmount {
        /// Its place among the items, from 0.
        index: usize,
    },
    /// The sum is beyond what 64 bits hold.
    Overflow,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = match self {
            Self::Amount { amount, sum, difference, lines } => {
                write!(f, "the order's amount is {amount} and its lines make {sum}, a difference of {difference}")?;
                lines
            }
            Self::LineId { lines, .. } => {
                f.write_str("lines of the order have the same line_id")?;
                lines
            }
            Self::NoAmount { index } => return write!(f, "items[{index}] has no amount, so the lines have no sum"),
            Self::Overflow => return f.write_str("the sum of the order's lines is too large"),
        };
        for (index, line) in lines.iter().enumerate() {
            write!(f, "{} {line}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for OrderError {}

impl Order {
    /// Checks that `amount` is the sum of the items and the shipping option, as `strict-session-amounts` has it.
    ///
    /// # Errors
    /// [`OrderError::Amount`] with the exact difference and the lines.
    pub fn check_amount(&self) -> Result<(), OrderError> {
        check_amount(self.amount, &lines(&self.items, self.shipping_option.as_ref()))
    }

    /// Checks that every `line_id` occurs once, the shipping option's included.
    ///
    /// # Errors
    /// [`OrderError::LineId`] with the id and the lines that share it.
    pub fn check_line_ids(&self) -> Result<(), OrderError> {
        check_line_ids(lines(&self.items, self.shipping_option.as_ref()))
    }

    /// Returns a line that makes the order add up, to be pushed to `items`: its amount is the difference, which may be
    /// below zero, its VAT zero, its `line_id` one that the order does not have. `None` when the order adds up.
    ///
    /// Meant for the minor units that rounding of VAT and discounts leaves, with a description such as "Rounding".
    ///
    /// # Errors
    /// [`OrderError::Overflow`].
    pub fn rounding_line(&self, description: impl Into<String>) -> Result<Option<OrderItem>, OrderError> {
        rounding_line(self.amount, &lines(&self.items, self.shipping_option.as_ref()), description.into())
    }
}

impl OrderUpdate {
    /// As [`Order::check_amount`]. An update without an `amount` states none, so there is nothing to check.
    ///
    /// # Errors
    /// [`OrderError::Amount`] with the exact difference and the lines.
    pub fn check_amount(&self) -> Result<(), OrderError> {
        let Some(amount) = self.amount else { return Ok(()) };
        check_amount(amount, &lines(&self.items, self.shipping_option.as_ref()))
    }

    /// As [`Order::check_line_ids`].
    ///
    /// # Errors
    /// [`OrderError::LineId`] with the id and the lines that share it.
    pub fn check_line_ids(&self) -> Result<(), OrderError> {
        check_line_ids(lines(&self.items, self.shipping_option.as_ref()))
    }
}

pub(super) fn lines(items: &[OrderItem], shipping: Option<&ShippingOption>) -> Vec<Line> {
    let items = items.iter().enumerate().map(|(index, item)| Line {
        index: Some(index),
        line_id: item.line_id.clone(),
        amount: item.amount.unwrap_or(0),
    });
    let shipping =
        shipping.map(|option| Line { index: None, line_id: Some(option.line_id.clone()), amount: option.amount });
    items.chain(shipping).collect()
}

pub(super) fn sum(lines: &[Line]) -> Result<i64, OrderError> {
    total(lines.iter().map(|line| line.amount))
}

pub(super) fn total(amounts: impl IntoIterator<Item = i64>) -> Result<i64, OrderError> {
    amounts.into_iter().try_fold(0_i64, i64::checked_add).ok_or(OrderError::Overflow)
}

fn difference(amount: i64, sum: i64) -> Result<i64, OrderError> {
    amount.checked_sub(sum).ok_or(OrderError::Overflow)
}

fn check_amount(amount: i64, lines: &[Line]) -> Result<(), OrderError> {
    let sum = sum(lines)?;
    match difference(amount, sum)? {
        0 => Ok(()),
        difference => Err(OrderError::Amount { amount, sum, difference, lines: lines.to_vec() }),
    }
}

fn check_line_ids(lines: Vec<Line>) -> Result<(), OrderError> {
    let mut by_id: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in lines {
        if let Some(id) = line.line_id.clone() {
            by_id.entry(id).or_default().push(line);
        }
    }
    match by_id.into_iter().find(|(_, lines)| lines.len() > 1) {
        Some((line_id, lines)) => Err(OrderError::LineId { line_id, lines }),
        None => Ok(()),
    }
}

fn rounding_line(amount: i64, lines: &[Line], description: String) -> Result<Option<OrderItem>, OrderError> {
    let difference = difference(amount, sum(lines)?)?;
    if difference == 0 {
        return Ok(None);
    }
    let taken = |id: &str| lines.iter().any(|line| line.line_id.as_deref() == Some(id));
    let numbered = (2_u64..).map(|number| format!("rounding-{number}"));
    let line_id = std::iter::once("rounding".to_owned()).chain(numbered).find(|id| !taken(id));
    Ok(Some(OrderItem {
        id: Some("rounding".to_owned()),
        line_id,
        description: Some(description),
        amount: Some(difference),
        quantity: Some(1.into()),
        vat: Some(0.into()),
        ..OrderItem::default()
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn order(amount: i64, items: &[(&str, i64)], shipping: Option<(&str, i64)>) -> Order {
        let item = |(line_id, amount): &(&str, i64)| json!({"line_id": line_id, "amount": amount});
        let items: Vec<_> = items.iter().map(item).collect();
        let shipping = shipping.map_or(Value::Null, |(line_id, amount)| {
            json!({"id": "s", "line_id": line_id, "amount": amount, "title": "Pick-up", "operator": "Bring"})
        });
        let mut value = json!({"amount": amount, "currency": "NOK", "merchant_reference": "m", "items": items});
        if !shipping.is_null() {
            value["shipping_option"] = shipping;
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_amount_is_the_sum_of_items_and_shipping() {
        order(33_890, &[("1", 29_990)], Some(("ship", 3_900))).check_amount().unwrap();
        order(100, &[("1", 150), ("gift", -50)], None).check_amount().unwrap();
        order(0, &[], None).check_amount().unwrap();
        let error = order(33_890, &[("1", 29_990)], None).check_amount().unwrap_err();
        let OrderError::Amount { difference, sum, lines, .. } = &error else { panic!("{error}") };
        assert_eq!((*difference, *sum, lines.len()), (3_900, 29_990, 1));
        assert!(error.to_string().ends_with("a difference of 3900: items[0] 29990"), "{error}");
        let too_much = order(1, &[("a", i64::MAX), ("b", 1)], None);
        assert_eq!(too_much.check_amount(), Err(OrderError::Overflow));
        assert_eq!(order(i64::MIN, &[("a", 1)], None).check_amount(), Err(OrderError::Overflow));
    }

    #[test]
    fn an_update_without_an_amount_states_none() {
        let update: OrderUpdate = serde_json::from_value(json!({"items": [{"line_id": "1", "amount": 5}]})).unwrap();
        update.check_amount().unwrap();
        let mut update = OrderUpdate { amount: Some(4), ..update };
        assert!(matches!(update.check_amount(), Err(OrderError::Amount { difference: -1, .. })));
        update.check_line_ids().unwrap();
        update.items.push(update.items[0].clone());
        assert!(matches!(update.check_line_ids(), Err(OrderError::LineId { .. })));
    }

    #[test]
    fn line_ids_are_unique_with_the_shipping_option() {
        order(0, &[("1", 1), ("2", 1)], Some(("3", 1))).check_line_ids().unwrap();
        let error = order(0, &[("1", 1), ("2", 1), ("1", 2)], None).check_line_ids().unwrap_err();
        let OrderError::LineId { line_id, lines } = error else { panic!("{error}") };
        assert_eq!((line_id.as_str(), lines.len()), ("1", 2));
        assert!(order(0, &[("1", 1)], Some(("1", 1))).check_line_ids().is_err());
    }

    #[test]
    fn a_rounding_line_makes_an_order_add_up() {
        for off in [-3, 1, 40] {
            let mut order = order(1000 + off, &[("1", 900), ("rounding", 50)], Some(("s", 50)));
            let line = order.rounding_line("Rounding").unwrap().unwrap();
            assert_eq!((line.amount, line.description.as_deref()), (Some(off), Some("Rounding")));
            assert_eq!((line.id.as_deref(), line.line_id.as_deref()), (Some("rounding"), Some("rounding-2")));
            assert_eq!((line.quantity, line.vat), (Some(1.into()), Some(0.into())));
            order.items.push(line);
            order.check_amount().unwrap();
            order.check_line_ids().unwrap();
            assert!(order.rounding_line("Rounding").unwrap().is_none());
        }
    }
}
