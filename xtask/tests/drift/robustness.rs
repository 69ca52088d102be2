//! Odd documents: an error that names the place, or a result; never a panic, never "unchanged" by accident.

use fastrand::Rng;
use serde_json::{Value, json};
use xtask::drift::{Side, compare};

use crate::recorded::revision;
use crate::rules::document;

fn with_body(schema: Value, components: Value) -> Value {
    let mut made = document(|operation| {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    });
    made["components"]["schemas"] = components;
    made
}

/// Proves that what leaves the meaning open is an error that names side and place.
#[test]
fn documents_without_a_meaning_are_errors_that_name_the_place() {
    let cases = [
        (json!({ "$ref": "#/components/schemas/Gone" }), json!({}), "leads nowhere"),
        (json!({ "$ref": "other.yaml#/X" }), json!({}), "leads out of the document"),
        (json!({ "$ref": 5 }), json!({}), "`$ref` is a number"),
        (
            json!({ "$ref": "#/components/schemas/A" }),
            json!({ "A": { "$ref": "#/components/schemas/A" } }),
            "in a circle",
        ),
        (json!({ "type": 5 }), json!({}), "`type` is a number"),
        (json!({ "type": [] }), json!({}), "`type` is an array"),
        (json!([]), json!({}), "expected an object, found an array"),
        (json!(true), json!({}), "expected an object, found a boolean"),
        (json!({ "properties": [] }), json!({}), "expected an object"),
        (json!({ "properties": { "p": null } }), json!({}), "expected an object, found null"),
        (json!({ "required": "p" }), json!({}), "expected an array"),
        (json!({ "required": [1] }), json!({}), "`required` is not a string"),
        (json!({ "enum": "a" }), json!({}), "`enum` is a string"),
        (json!({ "allOf": {} }), json!({}), "expected an array"),
        (json!({ "maxLength": "40" }), json!({}), "`maxLength` is a string"),
        (json!({ "nullable": "yes" }), json!({}), "`nullable` is a string"),
        (json!({ "exclusiveMaximum": 4, "maximum": 5 }), json!({}), "`exclusiveMaximum` is a number"),
        (json!({ "additionalProperties": "no" }), json!({}), "expected a schema"),
        (json!({ "items": [] }), json!({}), "expected an object"),
        (json!({ "discriminator": { "mapping": {} } }), json!({}), "no `propertyName`"),
        (
            json!({ "discriminator": { "propertyName": "t", "mapping": { "a": "Gone" } } }),
            json!({}),
            "no schema of this",
        ),
        (json!({ "discriminator": "t" }), json!({}), "expected an object"),
    ];
    let good = with_body(json!({}), json!({}));
    for (schema, components, expected) in cases {
        let bad = with_body(schema.clone(), components);
        for (old, new, side) in [(&bad, &good, "old document"), (&good, &bad, "new document")] {
            let error = compare(old, new).expect_err(&schema.to_string()).to_string();
            assert!(error.contains(expected) && error.starts_with(side) && error.contains("#/"), "{schema}: {error}");
        }
    }
}

/// Proves that a schema which contains itself is compared, however the circle is cut into components.
#[test]
fn recursive_schemas_are_compared_to_the_end() {
    let tree = |leaf: &str| json!({ "Tree": { "properties": { "value": { "type": leaf }, "below": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } } } } });
    // The same tree, unrolled once and cut in two.
    let unrolled = |leaf: &str| {
        json!({
            "Tree": { "allOf": [{ "properties": { "value": { "type": leaf } } }, { "properties": { "below": { "$ref": "#/components/schemas/List" } } }] },
            "List": { "type": "array", "items": { "properties": { "value": { "type": leaf }, "below": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } } } } },
        })
    };
    let root = json!({ "$ref": "#/components/schemas/Tree" });
    let plain = with_body(root.clone(), tree("string"));
    let same = compare(&plain, &with_body(root.clone(), unrolled("string"))).expect("circles are allowed");
    assert!(same.changes.is_empty(), "{:?}", same.changes);
    let changed = compare(&plain, &with_body(root.clone(), tree("number"))).expect("circles are allowed");
    assert_eq!(changed.changes.len(), 1);
    assert_eq!(changed.changes[0].path, "$.value");
    let round = |name: &str| json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }], "maxLength": 3 });
    let circle = with_body(json!({ "$ref": "#/components/schemas/A" }), json!({ "A": round("B"), "B": round("A") }));
    let error = compare(&circle, &circle).expect_err("a part of itself").to_string();
    assert!(error.contains("contains itself through `allOf`"), "{error}");
}

/// Proves that very deep and very wide documents end in a result or an error, in reasonable time.
#[test]
fn deep_and_wide_documents_do_not_overflow() {
    let chain = |length: usize, leaf: &str| {
        let mut components = serde_json::Map::new();
        for index in 0..length {
            let next = json!({ "$ref": format!("#/components/schemas/C{}", index + 1) });
            components.insert(format!("C{index}"), json!({ "properties": { "n": next } }));
        }
        components.insert(format!("C{length}"), json!({ "type": leaf }));
        with_body(json!({ "$ref": "#/components/schemas/C0" }), Value::Object(components))
    };
    let shallow = compare(&chain(150, "string"), &chain(150, "number")).expect("this deep is fine");
    assert_eq!(shallow.changes.len(), 1);
    let error = compare(&chain(5000, "string"), &chain(5000, "number")).expect_err("too deep to follow").to_string();
    assert!(error.contains("nested too deeply"), "{error}");
    assert!(compare(&chain(5000, "string"), &chain(5000, "string")).is_ok_and(|report| report.changes.is_empty()));
    // Every level uses the next one twice: a million paths from forty lines.
    let doubled = |leaf: &str| {
        let mut components = serde_json::Map::new();
        for index in 0..24 {
            let next = json!({ "$ref": format!("#/components/schemas/C{}", index + 1) });
            components.insert(format!("C{index}"), json!({ "properties": { "a": next, "b": next } }));
        }
        components.insert("C24".to_owned(), json!({ "type": leaf }));
        with_body(json!({ "$ref": "#/components/schemas/C0" }), Value::Object(components))
    };
    assert!(compare(&doubled("string"), &doubled("string")).is_ok());
    assert!(
        compare(&doubled("string"), &doubled("number")).expect_err("too many places").to_string().contains("places")
    );
    let parts = |length: usize| {
        let mut components = serde_json::Map::new();
        for index in 0..length {
            let next = json!({ "$ref": format!("#/components/schemas/C{}", index + 1) });
            components.insert(format!("C{index}"), json!({ "allOf": [next, next] }));
        }
        components.insert(format!("C{length}"), json!({ "type": "string" }));
        with_body(json!({ "$ref": "#/components/schemas/C0" }), Value::Object(components))
    };
    assert!(compare(&parts(60), &parts(60)).is_ok_and(|report| report.changes.is_empty()));
    assert!(compare(&parts(5000), &parts(5000)).is_err(), "parts of parts without end are refused");
}

/// Replaces, removes or doubles something anywhere in a document.
fn vandalise(value: &mut Value, rng: &mut Rng) {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "$ref": "#/" }),
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/paths" }),
        json!("\u{1b}[31m`|\n"),
        json!({ "$ref": "#/components/schemas/Session" }),
        json!({ "type": "null" }),
        json!({ "allOf": [{}] }),
    ];
    match value {
        Value::Object(map) if !map.is_empty() && rng.u8(..) > 12 => {
            let key = map.keys().nth(rng.usize(..map.len())).cloned().unwrap_or_default();
            match rng.u8(..64) {
                0 => {
                    map.remove(&key);
                }
                1 => {
                    let value = map.remove(&key).unwrap_or_default();
                    map.insert(format!("{key}'<>.[]"), value);
                }
                _ => vandalise(&mut map[&key], rng),
            }
        }
        Value::Array(items) if !items.is_empty() && rng.u8(..) > 12 => {
            let index = rng.usize(..items.len());
            match rng.u8(..32) {
                0 => {
                    items.remove(index);
                }
                1 => items.push(items[index].clone()),
                _ => vandalise(&mut items[index], rng),
            }
        }
        other => *other = odd[rng.usize(..odd.len())].clone(),
    }
}

/// Proves on 300 seeded wrecks that each ends in a result or an error and can be shown in every form.
#[test]
fn wrecked_documents_end_in_a_result_or_an_error() {
    let original = revision("2026-05-07");
    let side = Side::read("original", &original).expect("the revision can be read");
    let (mut results, mut errors) = (0, 0);
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let mut wreck = original.clone();
        for _ in 0..rng.usize(1..6) {
            vandalise(&mut wreck, &mut rng);
        }
        let older = rng.bool();
        let report = Side::read("wrecked", &wreck)
            .and_then(|wreck| if older { side.compare(&wreck) } else { wreck.compare(&side) });
        match report {
            Ok(report) => {
                results += 1;
                let shown = xtask::drift::text::render(&report) + &xtask::drift::markdown::render(&report);
                assert!(!shown.contains('\u{1b}'), "a control character of the document came through");
            }
            Err(error) => {
                errors += 1;
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
            }
        }
    }
    assert!(results > 50 && errors > 20, "{results} results, {errors} errors: the wrecks are too much alike");
}
