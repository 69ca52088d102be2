//! Each difference between the two dialects, on the smallest document that shows it.

use super::*;

fn validator(document: &Value, schema: &Value) -> Validator {
    Components::new(document).unwrap().compile(&Components::translate(schema)).unwrap()
}

fn accepts(document: &Value, schema: &Value, instance: &Value) -> bool {
    validator(document, schema).is_valid(instance)
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

fn unknown_fields(schema: &Value, body: &Value) -> Vec<String> {
    let document = json!({ "components": { "schemas": {
        "Line": { "properties": { "amount": {}, "free": { "type": "object" } } },
        "Pet": { "properties": { "kind": {} }, "discriminator": { "propertyName": "kind",
            "mapping": { "cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog" } } },
        "Cat": { "allOf": [{ "$ref": "#/components/schemas/Pet" }, { "properties": { "lives": {} } }] },
        "Dog": { "allOf": [{ "$ref": "#/components/schemas/Pet" }] },
    } } });
    unknown(&validator(&document, schema), body)
}

#[test]
fn misspelt_names_are_found_through_references_parts_and_arrays() {
    let schema = json!({ "allOf": [
        { "properties": { "order": { "properties": { "items": { "items": { "$ref": "#/components/schemas/Line" } } } } } },
        { "properties": { "order": { "properties": { "amount": {} } } } },
    ] });
    let body = json!({ "order": { "amount": 1, "items": [{ "amount": 1 }, { "amuont": 1 }] }, "a/b": 1 });
    assert_eq!(unknown_fields(&schema, &body), ["/a~1b", "/order/items/1/amuont"]);
}

#[test]
fn free_objects_and_listed_others_hold_any_name() {
    let line = json!({ "$ref": "#/components/schemas/Line" });
    assert_eq!(unknown_fields(&line, &json!({ "free": { "anything": {} } })), [""; 0]);
    let map = json!({ "additionalProperties": { "$ref": "#/components/schemas/Line" } });
    assert_eq!(unknown_fields(&map, &json!({ "a": { "amount": 1, "b": 1 } })), ["/a/b"]);
}

#[test]
fn a_variant_brings_its_own_names() {
    let pet = json!({ "$ref": "#/components/schemas/Pet" });
    assert_eq!(unknown_fields(&pet, &json!({ "kind": "cat", "lives": 9 })), [""; 0]);
    assert_eq!(unknown_fields(&pet, &json!({ "kind": "dog", "lives": 9 })), ["/lives"]);
}
