//! One edit is one change, two edits are two, whatever they have in common.

use serde_json::{Value, json};
use xtask::drift::rules::Direction;
use xtask::drift::{Change, compare};

/// Three operations: one sends `A` and reads it back, one reads `A` in a list, one reads `B`.
fn document(edit: impl FnOnce(&mut Value)) -> Value {
    let read = |schema: Value| json!({ "200": { "description": "", "content": { "application/json": { "schema": schema } } } });
    let a = json!({ "$ref": "#/components/schemas/A" });
    let mut made = json!({
        "openapi": "3.0.3",
        "info": { "title": "", "version": "1" },
        "paths": {
            "/a": {
                "post": {
                    "requestBody": { "content": { "application/json": { "schema": { "allOf": [a, { "$ref": "#/components/schemas/Common" }] } } } },
                    "responses": read(a.clone()),
                },
                "get": { "responses": read(json!({ "type": "array", "items": a })) },
            },
            "/b": { "get": { "responses": read(json!({ "$ref": "#/components/schemas/B" })) } },
        },
        "components": { "schemas": {
            "A": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "kind": { "$ref": "#/components/schemas/Kind" } } },
            "B": { "type": "object", "properties": { "id": { "type": "string" }, "kind": { "$ref": "#/components/schemas/Kind" } } },
            "Common": { "type": "object", "required": ["id"], "properties": { "note": { "type": "string" } } },
            "Kind": { "type": "string", "enum": ["x", "y"] },
        } },
    });
    edit(&mut made);
    made
}

fn changes(edit: impl FnOnce(&mut Value)) -> Vec<Change> {
    compare(&document(|_| {}), &document(edit)).expect("both can be compared").changes
}

fn schema<'d>(made: &'d mut Value, name: &str) -> &'d mut Value {
    &mut made["components"]["schemas"][name]
}

/// Proves that an edit of a shared schema is one change, with every operation, direction and path it reaches.
#[test]
fn an_edit_of_a_shared_schema_is_one_change() {
    let found = changes(|made| schema(made, "Kind")["enum"] = json!(["x", "y", "z"]));
    let [change] = &found[..] else { panic!("{found:?}") };
    assert_eq!((change.rule.as_str(), change.direction), ("property-enum-value-added", Direction::Both));
    assert_eq!(change.operations, ["GET /a", "GET /b", "POST /a"]);
    let paths: Vec<&str> = change.reaches.iter().map(|reach| reach.path.as_str()).collect();
    assert_eq!(paths, ["$[].kind", "$.kind", "$.kind", "$.kind"]);
}

/// Proves that the same edit of two schemas that have nothing in common is two changes.
#[test]
fn the_same_edit_of_two_schemas_is_two_changes() {
    let found = changes(|made| {
        for name in ["A", "B"] {
            schema(made, name)["properties"]["id"]["maxLength"] = json!(40);
            schema(made, name)["properties"]["more"] = json!({ "type": "string" });
        }
    });
    let mut rules: Vec<&str> = found.iter().map(|change| change.rule.as_str()).collect();
    assert_eq!(rules.first(), Some(&"property-max-length-set"), "what breaks comes first");
    rules.sort_unstable();
    let expected = [
        "optional-property-added",
        "property-max-length-set",
        "response-optional-property-added",
        "response-property-max-length-set",
    ];
    assert_eq!(rules, expected);
    let fingerprints: std::collections::BTreeSet<&str> =
        found.iter().map(|change| change.fingerprint.as_str()).collect();
    assert_eq!(fingerprints.len(), 4);
}

/// Proves that a component which comes apart into equal copies is no change, and that an edit of all the copies is one.
#[test]
fn copies_of_a_shared_schema_are_still_that_schema() {
    let split = |made: &mut Value, values: Value| {
        let copy = json!({ "type": "string", "enum": values });
        schema(made, "A")["properties"]["kind"] = copy.clone();
        schema(made, "B")["properties"]["kind"] = copy;
    };
    assert!(changes(|made| split(made, json!(["y", "x"]))).is_empty());
    let found = changes(|made| split(made, json!(["x", "y", "z"])));
    let [change] = &found[..] else { panic!("{found:?}") };
    assert_eq!(change.operations.len(), 3);
}

/// Proves that an edit which another part of a composition cancels out is reported only where it has an effect.
#[test]
fn what_another_part_still_demands_has_not_changed_there() {
    let found = changes(|made| schema(made, "A")["required"] = json!([]));
    let [change] = &found[..] else { panic!("{found:?}") };
    // The request also takes in `Common`, which demands the id as before.
    assert_eq!((change.rule.as_str(), change.direction), ("response-property-became-optional", Direction::Response));
    assert_eq!(change.operations, ["GET /a", "POST /a"]);
}

/// Proves that the fingerprint tells a change by its facts: another value at the same place is another change.
#[test]
fn fingerprints_depend_on_place_and_facts() {
    let limit = |at: i64| {
        let found = changes(|made| schema(made, "B")["properties"]["id"]["maxLength"] = json!(at));
        found[0].fingerprint.clone()
    };
    assert_eq!(limit(40), limit(40));
    assert_ne!(limit(40), limit(41));
    let inner = |kind: &str| {
        let deep =
            json!({ "properties": { "a": { "properties": { "b": { "properties": { "c": { "type": kind } } } } } } });
        let found = changes(|made| schema(made, "B")["properties"]["deep"] = deep);
        found[0].fingerprint.clone()
    };
    assert_ne!(inner("string"), inner("number"), "what lies deep in an added property counts");
}
