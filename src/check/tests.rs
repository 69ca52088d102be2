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

fn rule(rules: Value, value: Value) -> Option<String> {
    let rules: Rules = serde_json::from_value(rules).unwrap();
    rules.check(&value, &JsonPath::root()).err().map(|broken| format!("{} {}", broken.path, broken.rule))
}

/// Each limit on both of its sides. No operation has all of these today; a document may bring them with any revision.
#[test]
fn every_limit_is_kept_to_the_last_unit() {
    let cases = [
        (json!({"minimum": 5}), json!(5), json!(4), "$ it has to be at least 5"),
        (json!({"minimum": 5, "exclusiveMinimum": true}), json!(6), json!(5), "$ it has to be more than 5"),
        (json!({"maximum": 5}), json!(5), json!(6), "$ it has to be at most 5"),
        (json!({"maximum": 5, "exclusiveMaximum": true}), json!(4), json!(5), "$ it has to be less than 5"),
        (json!({"minimum": 0.5}), json!(0.5), json!(0.4), "$ it has to be at least 0.5"),
        (json!({"minimum": 1}), json!(1.5), json!(0.5), "$ it has to be at least 1"),
        (json!({"multipleOf": 5}), json!(10), json!(11), "$ it has to be a multiple of 5"),
        (json!({"multipleOf": 5}), json!(0), json!(4), "$ it has to be a multiple of 5"),
        (json!({"multipleOf": 1}), json!(7.5), Value::Null, ""),
        (json!({"multipleOf": 0}), json!(7), Value::Null, ""),
        (json!({"minLength": 2}), json!("\u{e6}\u{f8}"), json!("\u{e6}"), "$ it has to have at least 2 characters"),
        (json!({"maxLength": 2}), json!("\u{e6}\u{f8}"), json!("abc"), "$ it may have at most 2 characters"),
        (json!({"minItems": 1}), json!([1]), json!([]), "$ it has to have at least 1 entries"),
        (json!({"maxItems": 1}), json!([1]), json!([1, 2]), "$ it may have at most 1 entries"),
        (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 2, 1]), "$ no entry may occur twice"),
        (json!({"uniqueItems": false}), json!([1, 1]), Value::Null, ""),
        (json!({"minProperties": 1}), json!({"a": 1}), json!({}), "$ it has to have at least 1 entries"),
        (json!({"maxProperties": 1}), json!({"a": 1}), json!({"a": 1, "b": 2}), "$ it may have at most 1 entries"),
        (json!({"types": ["integer"]}), json!(1), json!(1.5), "$ it has to be one of: integer"),
        (json!({"types": ["number"]}), json!(1.5), json!("1"), "$ it has to be one of: number"),
        (json!({"types": ["boolean", "null"]}), Value::Null, json!(1), "$ it has to be one of: boolean, null"),
        (json!({"format": "iso4217-code"}), json!("NOK"), json!("NOKK"), "$ it has to be an ISO 4217 code"),
        (json!({"format": "iso4217-code"}), json!("SEK"), json!("nok"), "$ it has to be an ISO 4217 code"),
        (
            json!({"additionalProperties": {"maximum": 1}}),
            json!({"a": 1}),
            json!({"a": 2}),
            "$.a it has to be at most 1",
        ),
        (json!({"items": {"maximum": 1}}), json!([1]), json!([1, 2]), "$[1] it has to be at most 1"),
        // Sums of money beyond what a float tells apart.
        (
            json!({"maximum": 9_007_199_254_740_992_i64}),
            json!(9_007_199_254_740_992_i64),
            json!(9_007_199_254_740_993_i64),
            "$ it has to be at most 9007199254740992",
        ),
    ];
    for (rules, good, bad, told) in cases {
        assert_eq!(rule(rules.clone(), good.clone()), None, "{rules} {good}");
        if !bad.is_null() {
            let said = rule(rules.clone(), bad.clone()).unwrap_or_default();
            assert!(said.starts_with(told), "{rules} {bad}: {said}");
        }
    }
}

#[test]
fn a_choice_keeps_the_rules_of_the_variant_that_its_tag_names() {
    let rules = json!({"tagged": {"property": "type", "variants": {"a": {"required": ["x"]}}}});
    assert_eq!(rule(rules.clone(), json!({"type": "a", "x": 1})), None);
    assert_eq!(rule(rules.clone(), json!({"type": "a"})).as_deref(), Some("$.x it is required"));
    assert_eq!(rule(rules, json!({"type": "b"})), None);
}

#[test]
fn a_pattern_that_cannot_be_compiled_refuses_nothing() {
    assert_eq!(rule(json!({"pattern": "("}), json!("a")), None);
    assert!(rule(json!({"pattern": "^b$"}), json!("a")).is_some());
}

#[test]
fn what_only_the_service_sets_is_taken_out_of_lists_too() {
    let rules = json!({"items": {"properties": {"own": {"readOnly": true}, "below": {"properties": {"own": {"readOnly": true}}}}}});
    let rules: Rules = serde_json::from_value(rules).unwrap();
    let mut value = json!([{"own": 1, "kept": 2, "below": {"own": 3, "kept": 4}}]);
    rules.take_out_read_only(&mut value);
    assert_eq!(value, json!([{"kept": 2, "below": {"kept": 4}}]));
}

#[test]
fn a_parameter_with_a_limit_has_to_be_a_number() {
    for (rules, good, bad) in [
        (json!({"minimum": 1}), "1", "0"),
        (json!({"maximum": 1}), "1", "2"),
        (json!({"minimum": 1}), "1", "many"),
        (json!({"maximum": 1}), "1", ""),
        (json!({"items": {"minLength": 2}}), "ab", "a"),
        (json!({"maxLength": 1}), "a", "ab"),
    ] {
        let parsed: Rules = serde_json::from_value(rules.clone()).unwrap();
        let path = JsonPath::root();
        assert!(parsed.check_text(good, &path).is_ok() && parsed.check_text(bad, &path).is_err(), "{rules}");
    }
}

#[test]
fn a_country_has_two_capitals_or_three() {
    let rules: Rules = serde_json::from_value(json!({ "format": "iso-3166-1" })).unwrap();
    for (text, fits) in [("NO", true), ("NOR", true), ("no", false), ("N", false), ("NORW", false), ("", false)] {
        assert_eq!(rules.check(&json!(text), &JsonPath::root()).is_ok(), fits, "{text}");
    }
}
