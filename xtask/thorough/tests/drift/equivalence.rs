//! The same interface, written differently: nothing is reported, and changes keep their names.

use serde_json::{Map, Value, json};
use xtask::drift::Side;

use crate::recorded::revision;

fn walk(value: &mut Value, edit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|child| walk(child, edit));
            edit(map);
        }
        Value::Array(items) => items.iter_mut().for_each(|child| walk(child, edit)),
        _ => {}
    }
}

/// Every list whose order means nothing, and every object, turned round.
fn reordered(mut document: Value) -> Value {
    walk(&mut document, &mut |map| {
        for key in ["required", "enum", "allOf", "oneOf", "anyOf", "parameters", "servers", "security"] {
            if let Some(Value::Array(items)) = map.get_mut(key) {
                items.reverse();
            }
        }
        let turned: Vec<(String, Value)> = std::mem::take(map).into_iter().rev().collect();
        map.extend(turned);
    });
    document
}

/// Every component under another name, in another order.
fn renamed(document: &Value) -> Value {
    let mut made = document.clone();
    walk(&mut made, &mut |map| {
        if let Some(Value::String(target)) = map.get_mut("$ref") {
            *target = rename(target);
        }
        if let Some(Value::Object(mapping)) = map.get_mut("mapping") {
            for target in mapping.values_mut() {
                *target = json!(rename(target.as_str().unwrap_or_default()));
            }
        }
    });
    for kind in ["schemas", "parameters", "responses"] {
        if let Some(Value::Object(components)) = made["components"].get_mut(kind) {
            let entries: Vec<(String, Value)> = std::mem::take(components).into_iter().collect();
            components.extend(entries.into_iter().map(|(name, value)| (rename(&name), value)));
        }
    }
    made
}

fn rename(target: &str) -> String {
    let (before, name) = target.rsplit_once('/').map_or(("", target), |(before, name)| (before, name));
    let name: String = name.chars().rev().collect();
    if before.is_empty() { format!("X{name}") } else { format!("{before}/X{name}") }
}

/// Every `allOf` and every reference but those of discriminators written out in place.
fn flattened(document: &Value) -> Value {
    fn flat(document: &Value, schema: &Value, above: &[String]) -> Value {
        if let Some(target) = schema["$ref"].as_str() {
            let found = document.pointer(&target[1..]).expect("the reference leads somewhere");
            return flat(document, found, &[above, &[target.to_owned()]].concat());
        }
        let mut out = Map::new();
        for (key, value) in schema.as_object().into_iter().flatten() {
            let value = match (key.as_str(), value) {
                ("allOf", _) => continue,
                ("properties", Value::Object(map)) => Value::Object(
                    map.iter().map(|(name, schema)| (name.clone(), flat(document, schema, &[]))).collect(),
                ),
                ("items" | "additionalProperties" | "not", Value::Object(_)) => flat(document, value, &[]),
                ("oneOf" | "anyOf", Value::Array(items)) => {
                    items.iter().map(|item| flat(document, item, &[])).collect()
                }
                // A child is not its parent: it tells nothing apart any more.
                ("discriminator", _) => {
                    let targets = value["mapping"].as_object();
                    if targets.is_some_and(|map| {
                        map.values().any(|target| above.contains(&target.as_str().unwrap_or_default().to_owned()))
                    }) {
                        continue;
                    }
                    value.clone()
                }
                _ => value.clone(),
            };
            out.insert(key.clone(), value);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            merge(&mut out, &flat(document, part, above));
        }
        Value::Object(out)
    }
    /// What both schemas demand, in one.
    fn merge(into: &mut Map<String, Value>, from: &Value) {
        for (key, value) in from.as_object().into_iter().flatten() {
            let merged = match (key.as_str(), into.get(key)) {
                (_, None) => value.clone(),
                (_, Some(known)) if known == value => continue,
                ("example" | "title", _) => continue,
                ("properties", Some(Value::Object(known))) => {
                    let mut all = known.clone();
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        match all.get_mut(name) {
                            Some(Value::Object(both)) => merge(both, schema),
                            _ => {
                                all.insert(name.clone(), schema.clone());
                            }
                        }
                    }
                    Value::Object(all)
                }
                ("required", Some(Value::Array(known))) => {
                    let mut all = known.clone();
                    all.extend(value.as_array().into_iter().flatten().filter(|name| !known.contains(name)).cloned());
                    Value::Array(all)
                }
                ("items", Some(Value::Object(known))) => {
                    let mut both = known.clone();
                    merge(&mut both, value);
                    Value::Object(both)
                }
                ("enum", Some(Value::Array(known))) => {
                    let more = value.as_array().into_iter().flatten().filter(|item| !known.contains(item));
                    known.iter().chain(more).cloned().collect()
                }
                (key, Some(known)) => panic!("{key} cannot be put together: {known} and {value}"),
            };
            into.insert(key.clone(), merged);
        }
    }
    fn content(document: &Value, holder: &mut Value) {
        if let Some(schema) = holder.get_mut("schema") {
            *schema = flat(document, schema, &[]);
        }
        for (_, media) in holder.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
            content(document, media);
        }
        for (_, header) in holder.get_mut("headers").and_then(Value::as_object_mut).into_iter().flatten() {
            content(document, header);
        }
    }
    let inlined = |holder: &Value| match holder["$ref"].as_str() {
        Some(target) => document.pointer(&target[1..]).expect("the reference leads somewhere").clone(),
        None => holder.clone(),
    };
    let mut made = document.clone();
    for (_, item) in made["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                *parameter = inlined(parameter);
                content(document, parameter);
            }
            if let Some(body) = operation.get_mut("requestBody") {
                content(document, body);
            }
            for (_, response) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
                *response = inlined(response);
                content(document, response);
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let schemas = schemas.keys().map(|name| {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        (name.clone(), flat(document, &reference, &[]))
    });
    made["components"]["schemas"] = Value::Object(schemas.collect());
    made
}

/// Every schema wrapped in parts of parts, every object split in two, path parameters under other names.
fn nested(document: &Value) -> Value {
    let mut made = document.clone();
    for (name, schema) in made["components"]["schemas"].as_object_mut().into_iter().flatten() {
        let Value::Object(map) = schema else { continue };
        if map.contains_key("discriminator") {
            continue;
        }
        let mut split = Map::new();
        for key in ["properties", "type"] {
            if let Some(value) = map.get(key) {
                split.insert(key.to_owned(), value.clone());
            }
        }
        map.remove("properties");
        let rest = std::mem::take(map);
        *schema = json!({ "title": name, "allOf": [{ "allOf": [split, {}] }, { "anyOf": [rest] }] });
    }
    let paths = made["paths"].as_object_mut().expect("paths");
    let entries: Vec<(String, Value)> = std::mem::take(paths).into_iter().collect();
    for (path, item) in entries {
        paths.insert(path.replace("{id}", "{transaction}"), item);
    }
    for (path, item) in paths.iter_mut().filter(|(path, _)| path.contains("{transaction}")) {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                if parameter["$ref"] == json!("#/components/parameters/TransactionId") {
                    *parameter = document["components"]["parameters"]["TransactionId"].clone();
                    parameter["name"] = json!("transaction");
                }
            }
        }
        assert!(!path.contains("{id}"));
    }
    made
}

fn forms(document: &Value) -> [(&'static str, Value); 5] {
    [
        ("reordered", reordered(document.clone())),
        ("renamed", renamed(document)),
        ("flattened", flattened(document)),
        ("nested", nested(document)),
        ("renamed, nested and reordered", reordered(renamed(&nested(document)))),
    ]
}

fn read(document: &Value) -> Side<'_> {
    Side::read("rewritten", document).expect("it can be read")
}

/// Proves that a rewriting that leaves the wire the same shows nothing, on the oldest and the newest revision.
#[test]
fn a_document_written_differently_shows_nothing() {
    for date in ["2024-09-04", "2026-05-07"] {
        let document = revision(date);
        let side = read(&document);
        for (form, rewritten) in forms(&document) {
            assert_ne!(rewritten, document, "{form} did nothing");
            let rewritten = read(&rewritten);
            for (old, new) in [(&side, &rewritten), (&rewritten, &side)] {
                let report = old.compare(new).unwrap_or_else(|error| panic!("{form}: {error}"));
                let found: Vec<String> = report
                    .changes
                    .iter()
                    .map(|c| format!("{} {} {} {}", c.rule, c.operation, c.place, c.path))
                    .collect();
                assert!(found.is_empty(), "{date} {form}: {found:#?}");
            }
        }
    }
}

/// Proves that changes have the same fingerprints however both sides are written.
#[test]
fn fingerprints_do_not_depend_on_how_a_document_is_written() {
    let (old, new) = (revision("2025-09-22"), revision("2026-04-19"));
    let fingerprints = |old: &Side<'_>, new: &Side<'_>| {
        let report = old.compare(new).expect("both can be compared");
        let mut all: Vec<String> =
            report.changes.into_iter().map(|change| format!("{} {}", change.rule, change.fingerprint)).collect();
        all.sort();
        all
    };
    let (old_forms, new_forms) = (forms(&old), forms(&new));
    let (old, new) = (read(&old), read(&new));
    let expected = fingerprints(&old, &new);
    assert!(expected.len() > 100);
    for ((form, old_form), (_, new_form)) in old_forms.iter().zip(&new_forms) {
        let (old_form, new_form) = (read(old_form), read(new_form));
        // Written out in place on both sides, nothing is shared any more: then each use stands for itself.
        if *form != "flattened" {
            let found = fingerprints(&old_form, &new_form);
            // Other names of path parameters show in titles only.
            assert_eq!(found, expected, "{form} on both sides");
        }
        assert_eq!(fingerprints(&old_form, &new), expected, "{form} before");
        assert_eq!(fingerprints(&old, &new_form), expected, "{form} after");
    }
}
