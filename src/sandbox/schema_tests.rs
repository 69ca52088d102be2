//! Each difference between the two dialects, on the smallest document that shows it.

use super::*;

fn accepts(document: &Value, schema: &Value, instance: &Value) -> bool {
    Components::new(document).compile(schema).unwrap().is_valid(instance)
}

#[track_caller]
fn check(schema: &Value, good: &[Value], bad: &[Value]) {
    for instance in good {
        assert!(accepts(&json!({}), schema, instance), "refused: {instance} by {schema}");
    }
    for instance in bad {
        assert!(!accepts(&json!({}), schema, instance), "accepted: {instance} by {schema}");
    }
}

#[test]
fn nullable_lets_null_pass_and_nothing_else() {
    check(
        &json!({ "type": "string", "enum": ["a"], "nullable": true }),
        &[json!("a"), json!(null)],
        &[json!("b"), json!(1)],
    );
    check(&json!({ "type": "string" }), &[json!("")], &[json!(null)]);
}

#[test]
fn a_property_may_be_called_like_a_keyword() {
    check(
        &json!({ "properties": { "nullable": { "type": "boolean" }, "$ref": { "type": "string" } } }),
        &[json!({ "nullable": true, "$ref": "x" })],
        &[json!({ "nullable": 1 }), json!({ "$ref": 1 })],
    );
}

#[test]
fn exclusive_bounds_are_booleans() {
    let schema =
        json!({ "type": "number", "minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": false });
    check(&schema, &[json!(1.5), json!(3)], &[json!(1), json!(3.5)]);
}

#[test]
fn integers_are_written_as_such_and_fit_their_format() {
    let schema = json!({ "type": "integer", "format": "int32", "minimum": 0 });
    check(
        &schema,
        &[json!(0), json!(2_147_483_647)],
        &[json!(-1), json!(2_147_483_648_i64), json!(1.0), json!(1e3), json!("1")],
    );
}

#[test]
fn what_stands_beside_a_reference_is_ignored() {
    let document = json!({ "components": { "schemas": { "A": { "type": "string" } } } });
    let schema = json!({ "$ref": "#/components/schemas/A", "maxLength": 1 });
    assert!(accepts(&document, &schema, &json!("long")));
    assert!(!accepts(&document, &schema, &json!(1)));
}

#[test]
fn read_only_properties_are_not_asked_of_requests() {
    check(
        &json!({ "required": ["id", "name"], "properties": { "id": { "readOnly": true } } }),
        &[json!({ "name": "x" }), json!({ "name": "x", "id": 1 })],
        &[json!({ "id": 1 })],
    );
}

#[test]
fn a_discriminator_picks_the_schema_to_check() {
    let document = json!({ "components": { "schemas": {
        "Pet": {
            "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } },
            "discriminator": { "propertyName": "kind", "mapping": {
                "cat": "#/components/schemas/Cat", "dog": "Dog" } }
        },
        "Furry": { "allOf": [{ "$ref": "#/components/schemas/Pet" }] },
        "Cat": { "allOf": [{ "$ref": "#/components/schemas/Furry" },
                           { "required": ["lives"], "properties": { "lives": { "type": "integer" } } }] },
        "Dog": { "allOf": [{ "allOf": [{ "$ref": "#/components/schemas/Pet" }] },
                           { "required": ["tricks"] }] },
    } } });
    let schema = json!({ "$ref": "#/components/schemas/Pet" });
    let verdict = |instance: Value| accepts(&document, &schema, &instance);
    assert!(verdict(json!({ "kind": "cat", "lives": 9 })));
    assert!(verdict(json!({ "kind": "dog", "tricks": [] })));
    assert!(!verdict(json!({ "kind": "cat", "tricks": [] })));
    assert!(!verdict(json!({ "kind": "cat", "lives": "nine" })));
    assert!(!verdict(json!({ "kind": "bird" })));
    assert!(!verdict(json!({ "lives": 9 })));
}

#[test]
fn formats_are_checked() {
    let format = |name: &str| json!({ "type": "string", "format": name });
    check(&format("iso4217-code"), &[json!("NOK")], &[json!("nok"), json!("NO")]);
    check(&format("iso3166-alpha2"), &[json!("NO")], &[json!("NOR"), json!("no")]);
    check(&format("date-time"), &[json!("2026-01-02T03:04:05.678Z")], &[json!("2026-01-02"), json!("soon")]);
    check(&format("uri"), &[json!("https://example.com/a?b=c")], &[json!("/relative")]);
    check(&format("uuid"), &[json!("05c91a5b-9c3d-4214-a7e1-e472dbe22eb9")], &[json!("05c9")]);
}
