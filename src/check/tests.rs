//! The rules of the document, as requests meet them.

use serde_json::json;

use super::*;
fn operation(id: &str) -> Operation {
    Operation::from_id(id).unwrap()
}

fn broken(id: &str, request: &Value) -> Option<(String, String)> {
    let sent = body(operation(id), request.to_string().as_bytes());
    sent.err().map(|error| (error.path.to_string(), error.rule))
}

fn session() -> Value {
    json!({
        "profile_id": "default",
        "url": { "return_url": "https://example.com/done" },
        "order": { "amount": 29_990, "currency": "NOK", "merchant_reference": "A-1" },
    })
}

#[test]
fn the_rules_of_every_operation_can_be_read() {
    for operation in Operation::ALL.iter().filter(|operation| !operation.checks().is_empty()) {
        let rules = serde_json::from_str::<RequestRules>(operation.checks());
        assert!(rules.is_ok(), "{}: {rules:?}", operation.id());
    }
}

#[test]
fn a_request_that_keeps_the_rules_goes_out_as_it_is() {
    let sent = body(operation("create_session_from_profile"), session().to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), session());
}

#[test]
fn each_broken_rule_names_its_field() {
    let cases = [
        ("/order/amount", json!(2_147_483_648_i64), "$.order.amount", "it has to be at most 2147483647"),
        ("/order/currency", json!("nok"), "$.order.currency", "ISO 4217"),
        ("/order/merchant_reference", Value::Null, "$.order.merchant_reference", "it is required"),
        ("/url/return_url", json!("done"), "$.url.return_url", "absolute URL"),
    ];
    for (pointer, value, path, rule) in cases {
        let mut request = session();
        *request.pointer_mut(pointer).unwrap() = value;
        let (at, said) = broken("create_session_from_profile", &request).unwrap();
        assert!(at == path && said.contains(rule), "{at}: {said}");
    }
    let mut request = session();
    request["order"]["shipping_address"] = json!({ "phone_number": "12 34" });
    let (at, said) = broken("create_session_from_profile", &request).unwrap();
    assert!(at == "$.order.shipping_address.phone_number" && said.contains("match"), "{at}: {said}");
    for bad in ["Norway", "no", "47"] {
        request["order"]["shipping_address"] = json!({ "country": bad });
        let (at, said) = broken("create_session_from_profile", &request).unwrap();
        assert!(at == "$.order.shipping_address.country" && said.contains("ISO 3166-1"), "{at}: {said}");
    }
    request["order"]["shipping_address"] = json!({});
    request["metadata"] = json!({ "number": 1, "nested": {} });
    let (at, said) = broken("create_session_from_profile", &request).unwrap();
    assert!(at == "$.metadata.nested" && said.contains("string, number"), "{at}: {said}");
    let (at, _) = broken("capture_transaction", &json!({ "amount": 1, "items": [{ "amount": 1 }] })).unwrap();
    assert_eq!(at, "$.items[0].line_id");
}

#[test]
fn what_only_the_service_sets_is_not_sent() {
    let request =
        json!({ "order": { "amount": 1, "gross_amount": 2, "is_changed": true, "brand_new": { "kept": 1 } } });
    let sent: Value =
        serde_json::from_slice(&body(operation("update_session"), request.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(sent, json!({ "order": { "amount": 1, "brand_new": { "kept": 1 } } }));
}

#[test]
fn parameters_are_checked_too() {
    let check =
        |limit: &'static str| query(operation("list_transactions"), [("limit".into(), limit.into())].into_iter());
    assert!(check("100").is_ok());
    for limit in ["0", "101", "many"] {
        assert_eq!(check(limit).unwrap_err().path.to_string(), "$.limit");
    }
}
