//! The generated instances are what they claim to be: valid by an independent validator, the same for the same seed,
//! and with everything that the document allows in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};
use xtask::instances::{Wish, responses};
use xtask::model::{Model, contradictions};
use xtask::schema;

fn slice(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Two operations that hold nearly all there is: the others return the same in other wrappings.
fn wish(seed: u64) -> Wish {
    let operations = ["GET /transactions/{id}", "POST /sessions-profile"].map(str::to_owned).into();
    Wish { seed, least: 1, operations, ..Wish::default() }
}

/// A schema of OpenAPI 3.0 as JSON Schema: draft 4 but for `nullable` and what is no rule.
fn json_schema(value: &Value, is_schema: bool) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map
                .iter()
                .filter(|(key, _)| !is_schema || !matches!(key.as_str(), "example" | "discriminator" | "format"))
                .map(|(key, child)| {
                    let below = !is_schema || !matches!(key.as_str(), "properties" | "default" | "enum");
                    (key.clone(), json_schema(child, below))
                });
            let mut out: Map<String, Value> = kept.collect();
            if is_schema && out.remove("nullable") == Some(json!(true)) {
                return json!({ "anyOf": [out, { "type": "null" }] });
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| json_schema(item, is_schema)).collect(),
        other => other.clone(),
    }
}

/// Validators for what each operation responds with success.
fn validators(document: &Value) -> BTreeMap<String, Vec<jsonschema::Validator>> {
    let schemas = schema::components(document, "schemas").map(|(name, tree)| (name.clone(), json_schema(tree, true)));
    let schemas: Map<String, Value> = schemas.collect();
    let mut out: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for operation in schema::operations(document) {
        for status in ["200", "202"] {
            let Some(response) = operation.value["responses"].get(status) else { continue };
            let response = schema::deref(document, response).unwrap();
            let mut tree = json_schema(&response["content"]["application/json"]["schema"], true);
            // In JSON Schema, too, nothing beside a `$ref` counts: the components stand around it.
            tree = json!({ "allOf": [tree], "components": { "schemas": schemas } });
            let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
            out.entry(operation.title()).or_default().push(options.build(&tree).unwrap());
        }
    }
    out
}

#[test]
fn every_instance_is_valid_by_an_independent_validator() {
    for name in ["history/2024-09-04.json", "history/2026-05-07.json"] {
        let document = slice(name);
        let validators = validators(&document);
        let made = responses(&document, &wish(7)).unwrap();
        // Where the document lists a value in one copy of an enum only, the service may send it all the same.
        let contradictions = contradictions::list(&Model::read("this", &document).unwrap()).join("\n");
        let contradicted = |error: &jsonschema::ValidationError<'_>| {
            let is_enum = matches!(error.kind(), jsonschema::error::ValidationErrorKind::Enum { .. });
            is_enum && contradictions.contains(&error.instance().to_string())
        };
        for instance in made.all.iter().filter(|instance| !instance.documented) {
            let fits = |validator: &jsonschema::Validator| {
                validator.is_valid(&instance.json)
                    || validator.iter_errors(&instance.json).all(|error| contradicted(&error))
            };
            let of_operation = &validators[&instance.operation];
            if !of_operation.iter().any(fits) {
                let error = of_operation[0].validate(&instance.json).unwrap_err();
                panic!("{name}, {}: {error} at {}", instance.operation, error.instance_path());
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_instances() {
    let document = slice("history/2026-05-07.json");
    let texts = |seed: u64| -> Vec<String> {
        let made = responses(&document, &wish(seed)).unwrap();
        made.all.iter().map(|instance| instance.json.to_string()).collect()
    };
    let first = texts(7);
    assert!(first == texts(7));
    assert!(first != texts(8));
}

#[test]
fn everything_that_the_document_allows_occurs() {
    let document = slice("history/2026-05-07.json");
    let made = responses(&document, &wish(7)).unwrap();
    assert_eq!(made.counts.missing(), [""; 0]);
    // A count of another kind: the texts of all statuses that the document lists.
    let statuses = document.to_string();
    for status in ["PARTIALLY_CAPTURED_REFUNDED", "AUTHORIZATION_VOIDED", "ON_HOLD", "DECLINED"] {
        let text = json!(status);
        let occurs = made.all.iter().any(|instance| instance.json.get("status") == Some(&text));
        assert!(statuses.contains(status) && occurs, "{status}");
    }
    for instance in made.all.iter().filter(|instance| !instance.documented) {
        for pointer in &instance.enums {
            assert!(instance.json.pointer(pointer).is_some_and(Value::is_string), "{pointer}");
        }
    }
}

#[test]
fn what_has_occurred_is_not_made_again() {
    let made = responses(&slice("history/2026-05-07.json"), &wish(7)).unwrap();
    for operation in wish(7).operations {
        let own = made.all.iter().filter(|instance| instance.operation == operation && !instance.documented);
        let sizes: Vec<usize> = own.map(|instance| instance.json.to_string().len()).collect();
        // The first holds everything; the last only what led to the last value that was missing.
        let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { panic!("{operation}: none") };
        assert!(last * 4 < *first, "{operation}: {first} bytes, then {last}");
    }
}

/// What a list, a map or a value that may be null holds is there and is not, also behind a choice that is made late.
#[test]
fn what_may_be_empty_or_null_is_so_and_is_not() {
    let text = json!({ "type": "string" });
    let holder = json!({ "type": "object", "required": ["list", "map", "none"], "properties": {
        "list": { "type": "array", "items": text },
        "map": { "type": "object", "additionalProperties": text },
        "none": { "type": "string", "nullable": true },
    } });
    // So many ways that chance alone does not show it in each.
    let way = |way: usize| json!({ "type": "object", "required": ["at"], "properties": { "at": text, (format!("way_{way}")): holder } });
    let ways: Vec<Value> = (0..60).map(way).collect();
    let response = json!({ "description": "", "content": { "application/json": { "schema": { "oneOf": ways } } } });
    let document = json!({
        "openapi": "3.0.3", "info": { "title": "t", "version": "1" },
        "paths": { "/things": { "get": { "operationId": "get", "responses": { "200": response } } } },
    });
    let made = responses(&document, &Wish { seed: 7, least: 1, ..Wish::default() }).unwrap();
    let mut seen: BTreeMap<(String, &str), BTreeSet<bool>> = BTreeMap::new();
    let own = made.all.iter().filter(|instance| !instance.documented);
    for (name, holder) in own.flat_map(|instance| instance.json.as_object().unwrap()).filter(|(name, _)| *name != "at")
    {
        for (what, is_there) in [
            ("list", holder["list"] != json!([])),
            ("map", holder["map"] != json!({})),
            ("none", holder["none"] != json!(null)),
        ] {
            seen.entry((name.clone(), what)).or_default().insert(is_there);
        }
    }
    assert_eq!(seen.len(), 60 * 3);
    for (place, seen) in seen {
        assert_eq!(seen.len(), 2, "{place:?} is always {seen:?}");
    }
}
