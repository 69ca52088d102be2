//! Amounts that are computed from lines, so that no program adds them up by hand.

use super::{OrderError, order};
use crate::types::{CaptureRequest, Currency, Order, OrderItem, OrderUpdate, RefundRequest, ShippingOption};

impl Order {
    /// Makes an order of its lines: `amount` is their sum, and `vat_amount` that of their VAT where each line states it.
    ///
    /// A shipping option or further lines are added by the setters, and then [`summed`](Self::summed).
    ///
    /// # Errors
    /// [`OrderError::NoAmount`] for a line without an amount, [`OrderError::Overflow`].
    pub fn from_lines(
        currency: Currency,
        merchant_reference: impl Into<String>,
        items: impl IntoIterator<Item = OrderItem>,
    ) -> Result<Self, OrderError> {
        Self::new(0, currency, merchant_reference).items(items).summed()
    }

    /// Returns the order with `amount` as the sum of its items and its shipping option, as `strict-session-amounts` has
    /// it, and `vat_amount` as that of their VAT where each states it. Where one does not, `vat_amount` stays as it was
    /// set: set it anew when such lines have changed.
    ///
    /// # Errors
    /// As [`from_lines`](Self::from_lines).
    pub fn summed(self) -> Result<Self, OrderError> {
        let (amount, vat) = sums(&self.items, self.shipping_option.as_ref())?;
        Ok(Self { amount, vat_amount: vat.or(self.vat_amount), ..self })
    }
}

impl OrderUpdate {
    /// As [`Order::summed`].
    ///
    /// # Errors
    /// As [`Order::from_lines`].
    pub fn summed(self) -> Result<Self, OrderError> {
        let (amount, vat) = sums(&self.items, self.shipping_option.as_ref())?;
        Ok(Self { amount: Some(amount), vat_amount: vat.or(self.vat_amount), ..self })
    }
}

macro_rules! from_lines {
    ($($request:ident: $verb:literal)+) => {$(
        impl $request {
            #[doc = concat!("Makes a request that ", $verb, " these lines: the amount is their sum.")]
            ///
            /// The lines are those of the order, or [parts](OrderItem::part) of them, by their `line_id`. The shipping
            /// option of an order is one of them: `OrderItem::from(&option)`.
            ///
            /// # Errors
            /// [`OrderError::NoAmount`] for a line without an amount, [`OrderError::Overflow`].
            pub fn from_lines(items: impl IntoIterator<Item = OrderItem>) -> Result<Self, OrderError> {
                let items: Vec<OrderItem> = items.into_iter().collect();
                let (amount, _) = sums(&items, None)?;
                Ok(Self::new(amount).items(items))
            }
        }
    )+};
}

from_lines! {
    CaptureRequest: "captures"
    RefundRequest: "refunds"
}

impl From<&ShippingOption> for OrderItem {
    /// Makes the line that the service makes of a shipping option, as captures and refunds name it.
    fn from(option: &ShippingOption) -> Self {
        Self {
            line_id: Some(option.line_id.clone()),
            id: Some(option.id.clone()),
            description: Some(option.title.clone()),
            quantity: Some(1.into()),
            amount: Some(option.amount),
            vat: option.vat,
            vat_amount: option.vat_amount,
            ..Self::default()
        }
    }
}

/// The sum of the lines, each of which has to state its amount, and that of their VAT where every one states it.
fn sums(items: &[OrderItem], shipping: Option<&ShippingOption>) -> Result<(i64, Option<i64>), OrderError> {
    if let Some(index) = items.iter().position(|item| item.amount.is_none()) {
        return Err(OrderError::NoAmount { index });
    }
    let amount = order::sum(&order::lines(items, shipping))?;
    let vats = items.iter().map(|item| item.vat_amount).chain(shipping.map(|option| option.vat_amount));
    let vats: Option<Vec<i64>> = vats.collect();
    let vat = vats.filter(|vats| !vats.is_empty()).map(order::total).transpose()?;
    Ok((amount, vat))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(line: &str, amount: i64) -> OrderItem {
        OrderItem::new().line_id(line).amount(amount)
    }

    #[test]
    fn an_order_of_lines_adds_up() {
        let order = Order::from_lines(Currency::Nok, "order-1", [item("1", 29_990), item("gift", -5_000)]).unwrap();
        assert_eq!((order.amount, order.vat_amount), (24_990, None));
        order.check_amount().unwrap();
        let ship = ShippingOption::builder().id("home").line_id("ship").amount(3_900).title("Home").operator("Bring");
        let ship = ship.build().vat_amount(780);
        let mut order = order.shipping_option(ship).summed().unwrap();
        order.check_amount().unwrap();
        assert_eq!((order.amount, order.vat_amount), (28_890, None));
        for item in &mut order.items {
            item.vat_amount = Some(item.amount.unwrap() / 5);
        }
        let order = order.summed().unwrap();
        assert_eq!((order.amount, order.vat_amount), (28_890, Some(5_998 - 1_000 + 780)));
        let update = OrderUpdate::from(order).items([item("2", 100)]).summed().unwrap();
        assert_eq!((update.amount, update.vat_amount), (Some(4_000), Some(5_778)), "what is not told stays");
        update.check_amount().unwrap();
        let update = OrderUpdate::default().items([item("2", 100).vat_amount(20)]).summed().unwrap();
        assert_eq!((update.amount, update.vat_amount), (Some(100), Some(20)));
        let ship = ShippingOption::builder().id("home").line_id("ship").amount(3_900).title("Home").operator("Bring");
        let update = OrderUpdate::default().shipping_option(ship.build().vat_amount(780)).summed().unwrap();
        assert_eq!((update.amount, update.vat_amount), (Some(3_900), Some(780)), "shipping alone");
        let none = Order::from_lines(Currency::Nok, "free", []).unwrap();
        assert_eq!((none.amount, none.vat_amount), (0, None));
    }

    #[test]
    fn a_line_without_an_amount_is_not_one_of_zero() {
        let lines = [item("1", 1), OrderItem::new().line_id("2")];
        let error = Order::from_lines(Currency::Nok, "order-1", lines.clone()).unwrap_err();
        assert_eq!(error, OrderError::NoAmount { index: 1 });
        assert_eq!(error.to_string(), "items[1] has no amount, so the lines have no sum");
        assert!(CaptureRequest::from_lines(lines.clone()).is_err() && RefundRequest::from_lines(lines).is_err());
        let huge = [item("1", i64::MAX), item("2", 1)];
        assert_eq!(CaptureRequest::from_lines(huge).unwrap_err(), OrderError::Overflow);
        let huge = [item("1", 1).vat_amount(i64::MAX), item("2", 1).vat_amount(1)];
        assert_eq!(Order::from_lines(Currency::Nok, "vat", huge).unwrap_err(), OrderError::Overflow);
    }

    #[test]
    fn requests_of_lines_state_their_sum() {
        let lines = || [item("1", 29_990), item("2", 10)];
        assert_eq!(CaptureRequest::from_lines(lines()).unwrap(), CaptureRequest::new(30_000).items(lines()));
        assert_eq!(RefundRequest::from_lines(lines()).unwrap(), RefundRequest::new(30_000).items(lines()));
    }

    #[test]
    fn a_shipping_option_is_a_line() {
        let option = ShippingOption::builder().id("home").line_id("ship").amount(3_900).title("Home").operator("Bring");
        let line = OrderItem::from(&option.build().vat(25).vat_amount(780));
        assert_eq!(
            serde_json::to_value(line).unwrap(),
            serde_json::json!({ "id": "home", "line_id": "ship", "amount": 3_900, "description": "Home", "quantity": 1,
                                "vat": 25, "vat_amount": 780 })
        );
    }
}
