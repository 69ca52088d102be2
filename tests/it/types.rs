//! How the types of the interface are made, and how ids and times are read.

use dintero::read;
use dintero::types::{
    CaptureRequest, CardTokenType, CreatedSession, Currency, Express, ExpressUpdate, Order, OrderItem, OrderUpdate,
    PayExTokenRequest, PayExTokenType, PayoutSplit, Session, ShippingOption, TokenProvider, Transaction,
};
use serde_json::{Value, json};

#[test]
fn setters_set_the_field_of_their_name_and_nothing_else() {
    let item = OrderItem::new().line_id("1").quantity(2).amount(29_990).description("Chair");
    let order = Order::new(29_990, Currency::Nok, "order-1").items([item]).vat_amount(5_998).discount_codes(["SPRING"]);
    assert_eq!(
        serde_json::to_value(order).unwrap(),
        json!({
            "amount": 29_990, "currency": "NOK", "merchant_reference": "order-1", "vat_amount": 5_998,
            "discount_codes": ["SPRING"],
            "items": [{ "line_id": "1", "quantity": 2, "amount": 29_990, "description": "Chair" }],
        })
    );
    let capture = CaptureRequest::new(1).final_capture(true).metadata([("batch", "7")]);
    assert_eq!(
        serde_json::to_value(capture).unwrap(),
        json!({ "amount": 1, "final_capture": true, "metadata": { "batch": "7" } })
    );
}

#[test]
fn a_builder_takes_its_fields_in_any_order() {
    let option = |title: &str| {
        let bring = ShippingOption::builder().operator("Bring").amount(4_900).title(title);
        serde_json::to_value(bring.line_id("ship").id("home").build().vat_amount(980)).unwrap()
    };
    let wanted = json!({
        "operator": "Bring", "amount": 4_900, "title": "Home", "line_id": "ship", "id": "home", "vat_amount": 980,
    });
    assert_eq!(option("Home"), wanted);
    let home = ShippingOption::builder().id("home").line_id("ship").title("Home").operator("Bring").amount(4_900);
    assert_eq!(serde_json::to_value(home.build().vat_amount(980)).unwrap(), wanted);
    assert_eq!(serde_json::to_value(PayoutSplit::new("P1", 5)).unwrap()["payout_destination_id"], "P1");
}

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
    assert_eq!(back.get("merchant_reference"), None, "an update does not take it");
    back["merchant_reference"] = order["merchant_reference"].clone();
    assert_eq!(back, order);

    let express = json!({ "shipping_options": [], "shipping_mode": "shipping_not_required" });
    let read: Express = serde_json::from_value(express.clone()).unwrap();
    assert_eq!(serde_json::to_value(ExpressUpdate::from(read)).unwrap(), express);
}

#[test]
fn an_id_or_a_time_of_an_unknown_form_costs_itself_and_is_reported() {
    let given = json!({
        "id": "T12345678.t", "session_id": "../T12345678.s", "amount": 1, "currency": "NOK",
        "created_at": "the day before yesterday", "updated_at": "2026-01-02T03:04:05+01:00",
    });
    let mut read = read::from_value::<Transaction>(given).unwrap();
    read.skipped_fields.sort_by_key(|field| field.path.to_string());
    let paths: Vec<String> = read.skipped_fields.iter().map(|field| field.path.to_string()).collect();
    assert_eq!(paths, ["$.created_at", "$.session_id"]);
    assert_eq!(read.value.id.unwrap(), "T12345678.t");
    assert_eq!((read.value.session_id, read.value.created_at), (None, None));
    assert_eq!(read.value.updated_at.unwrap().to_rfc3339(), "2026-01-02T02:04:05+00:00");
}

#[test]
fn a_created_session_is_nothing_without_its_id_and_its_address() {
    let whole = json!({ "id": "T12345678.s", "url": "https://checkout.example/s" });
    let created = read::from_value::<CreatedSession>(whole.clone()).unwrap().value;
    assert_eq!((created.id.account().as_str(), created.url.as_str()), ("T12345678", "https://checkout.example/s"));
    for (field, damage) in [("id", Value::Null), ("url", Value::Null), ("id", json!("s")), ("url", json!(7))] {
        let mut body = whole.clone();
        body[field] = damage.clone();
        let unreadable = read::from_value::<CreatedSession>(body).unwrap_err();
        assert!(unreadable.to_string().contains(field), "{field} {damage}: {unreadable}");
    }
    assert!(read::from_value::<Session>(json!({ "id": "T12345678.s" })).is_err(), "a session is its order");
}

/// The types of the others have no such value, and their requests and stored cards no such field.
#[test]
fn only_payex_makes_recurrence_tokens() {
    let asked = TokenProvider::PayexCreditcard(PayExTokenRequest::new([PayExTokenType::RecurrenceToken]));
    assert_eq!(
        serde_json::to_value(asked).unwrap(),
        json!({ "payment_product_type": "payex.creditcard", "token_types": ["recurrence_token"] })
    );
    assert_eq!(CardTokenType::KNOWN, ["payment_token"]);
    let refused = "recurrence_token".parse::<CardTokenType>().unwrap_err();
    assert!(refused.to_string().contains("not a listed value of CardTokenType"), "{refused}");
    // What reading keeps of a text tells the fields that a type has.
    let tokens = json!({ "recurrence_token": "r", "generate_recurrence_token": true, "enabled": true });
    fn keeps<T: serde::de::DeserializeOwned + serde::Serialize>(given: &Value) -> Vec<String> {
        let read: T = serde_json::from_value(given.clone()).unwrap();
        serde_json::to_value(read).unwrap().as_object().unwrap().keys().cloned().collect()
    }
    use dintero::types::{BamboraCardMethod, CardToken, DinteroPspCardMethod, PayExCardMethod, PayExCardToken};
    assert_eq!(keeps::<PayExCardMethod>(&tokens), ["enabled", "generate_recurrence_token"]);
    assert_eq!(keeps::<BamboraCardMethod>(&tokens), ["enabled"]);
    assert_eq!(keeps::<DinteroPspCardMethod>(&tokens), ["enabled"]);
    assert_eq!(keeps::<PayExCardToken>(&tokens), ["recurrence_token"]);
    assert!(keeps::<CardToken>(&tokens).is_empty());
}

#[test]
fn an_express_response_is_made_of_an_order() {
    use dintero::callback::{AddressOrder, DiscountOrder};
    let lines = [OrderItem::new().line_id("1").amount(100).vat_amount(20)];
    let order = Order::from_lines(Currency::Nok, "order-1", lines).unwrap().discount_codes(["SPRING"]);
    let items = json!([{ "line_id": "1", "amount": 100, "vat_amount": 20 }]);
    assert_eq!(
        serde_json::to_value(AddressOrder::from(order.clone())).unwrap(),
        json!({ "amount": 100, "currency": "NOK", "vat_amount": 20, "items": items, "discount_codes": ["SPRING"] })
    );
    assert_eq!(
        serde_json::to_value(DiscountOrder::from(order)).unwrap(),
        json!({ "amount": 100, "items": items, "discount_codes": ["SPRING"] })
    );
}
