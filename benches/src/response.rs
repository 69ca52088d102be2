//! What the server responds with: a transaction as a busy shop has them, of about 25 KB, and pages of rows.

use serde_json::{Value, json};

/// The account of everything here.
pub const ACCOUNT: &str = "T12345678";
/// The id of the one transaction.
pub const ID: &str = "T12345678.bench";
/// The amount of its captures.
pub const AMOUNT: i64 = 29_990;
/// Stands for the reference of the capture that is responded to: as long as a UUID.
pub const REFERENCE: &str = "00000000-0000-7000-8000-000000000000";

/// A token that outlives the run.
#[must_use]
pub fn token() -> String {
    json!({ "access_token": "t".repeat(900), "token_type": "Bearer", "expires_in": 86_400 }).to_string()
}

fn item(number: usize) -> Value {
    json!({
        "id": format!("sku-{number}"), "line_id": number.to_string(), "description": "A chair of oak, oiled, with arms",
        "quantity": 2, "amount": 5_998, "vat": 25, "vat_amount": 1_200, "eligible_for_discount": true,
        "thumbnail_url": format!("https://shop.example/pictures/{number}.jpg"),
        "groups": [{ "id": "furniture", "name": "Furniture" }, { "id": "oak", "name": "Oak" }],
    })
}

fn event(number: usize, name: &str) -> Value {
    json!({
        "id": format!("0198a2c0-0000-7000-8000-{number:012}"), "event": name, "amount": AMOUNT, "success": true,
        "transaction_status": "CAPTURED", "created_at": "2026-05-07T12:00:00.000Z", "created_by": "bench",
        "event_reference": format!("part-{number}"), "request_id": format!("request-{number}"),
        "items": (0..2).map(item).collect::<Vec<_>>(),
    })
}

fn address() -> Value {
    json!({
        "first_name": "Kari", "last_name": "Nordmann", "address_line": "Storgata 1", "postal_code": "0155",
        "postal_place": "Oslo", "country": "NO", "email": "kari@example.com", "phone_number": "+4799999999",
    })
}

fn sized(id: &str, items: usize, events: usize) -> Value {
    let name = |number: usize| if number == 0 { "AUTHORIZE" } else { "CAPTURE" };
    json!({
        "id": id, "amount": 299_900, "currency": "NOK", "status": "PARTIALLY_CAPTURED",
        "merchant_reference": "order-1017", "merchant_reference_2": "warehouse-4", "payment_product": "dintero_psp",
        "payment_product_type": "dintero_psp.creditcard", "created_at": "2026-05-07T11:59:00.000Z",
        "updated_at": "2026-05-07T12:00:00.000Z", "session_id": format!("{ACCOUNT}.session"),
        "billing_address": address(), "shipping_address": address(), "metadata": { "campaign": "spring" },
        "items": (0..items).map(item).collect::<Vec<_>>(),
        "events": (0..events).map(|number| event(number, name(number))).collect::<Vec<_>>(),
    })
}

/// A transaction of about 25 KB, its newest event a capture under the reference.
#[must_use]
pub fn transaction() -> String {
    let mut transaction = sized(ID, 44, 14);
    // The newest event is the one of the capture: later than any clock.
    let newest = &mut transaction["events"][13];
    newest["event_reference"] = REFERENCE.into();
    newest["created_at"] = "2099-01-01T00:00:00.000Z".into();
    transaction.to_string()
}

/// The id of a row of the list. The newest has the largest number.
fn row_id(number: usize) -> String {
    format!("{ACCOUNT}.row{number:09}")
}

/// A page of at most a hundred rows, from behind the row with this id; of a list of `count`.
#[must_use]
pub fn page(count: usize, after: Option<&str>) -> String {
    let after = after.and_then(|id| id.rsplit_once("row")?.1.parse().ok()).unwrap_or(count);
    let rows: Vec<_> = (after.saturating_sub(100)..after).rev().map(|number| sized(&row_id(number), 2, 1)).collect();
    Value::Array(rows).to_string()
}
