//! An order that was read, as an update re-states it.

use crate::types::{Order, OrderUpdate};

impl From<Order> for OrderUpdate {
    /// The order to put back with [`Sessions::update`](crate::Sessions::update), with every field that this version
    /// of the crate does not know.
    ///
    /// An update takes neither `merchant_reference` nor `payout_destination_id`: they stay what they were. Fields that
    /// reading set aside ([`Response::set_aside`](crate::Response::set_aside)) are not in the order, and so not in the
    /// update: look there before an order is put back that is not all read.
    fn from(order: Order) -> Self {
        // Spelled out: a field that a new revision adds to the order has to be looked at here.
        let Order {
            amount,
            billing_address,
            currency,
            discount_codes,
            discount_lines,
            event_reference,
            extra,
            gift_cards,
            gross_amount,
            is_changed,
            items,
            merchant_reference: _,
            merchant_reference_2,
            partial_payment,
            payout_destination_id: _,
            shipping_address,
            shipping_option,
            store,
            vat_amount,
        } = order;
        Self {
            amount: Some(amount),
            billing_address,
            currency: Some(currency),
            discount_codes,
            discount_lines,
            event_reference,
            extra,
            gift_cards,
            gross_amount,
            is_changed,
            items,
            merchant_reference_2,
            partial_payment,
            shipping_address,
            shipping_option,
            store,
            vat_amount,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_order_that_is_read_and_put_back_keeps_what_nobody_knows() {
        let order = json!({
            "amount": 29_990,
            "currency": "NOK",
            "merchant_reference": "A-1",
            "brand_new": { "deep": [1, 2] },
            "items": [{ "line_id": "1", "amount": 29_990, "novel": true, "type": "levitating" }],
            "shipping_address": { "first_name": "Kari", "planet": "Earth" },
        });
        let read: Order = serde_json::from_value(order.clone()).unwrap();
        let mut back = serde_json::to_value(OrderUpdate::from(read)).unwrap();
        back["merchant_reference"] = order["merchant_reference"].clone();
        assert_eq!(back, order);
        assert_ne!(back["brand_new"], Value::Null);
    }
}
