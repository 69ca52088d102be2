//! Edits of the document that leave the wire the same change nothing: drift reports nothing, `regen` stops on nothing, and
//! the document that the bindings are generated from is the same byte for byte, so the bindings are.
//!
//! Each edit is made everywhere it can be made: on the pinned revision by itself, on each earlier one after the others.

use serde_json::{Map, Value, json};
use xtask::drift::Side;
use xtask::model::{Model, contradictions};
use xtask::overlay::Stale;
use xtask::regen::Spec;
use xtask::schema::to_text;
use xtask::slice::slice;
use xtask::{source, timetravel};

/// Calls `edit` on every schema object of a document, the innermost first.
fn each_schema(document: &mut Value, edit: &mut impl FnMut(&mut Value)) {
    fn schema(value: &mut Value, edit: &mut impl FnMut(&mut Value)) {
        for (key, child) in value.as_object_mut().into_iter().flatten() {
            match (key.as_str(), child) {
                ("properties", Value::Object(map)) => map.values_mut().for_each(|child| schema(child, edit)),
                ("allOf" | "oneOf" | "anyOf", Value::Array(list)) => {
                    list.iter_mut().for_each(|child| schema(child, edit))
                }
                ("items" | "additionalProperties" | "not", child @ Value::Object(_)) => schema(child, edit),
                _ => {}
            }
        }
        edit(value);
    }
    fn holders(value: &mut Value, edit: &mut impl FnMut(&mut Value)) {
        match value {
            Value::Object(map) => {
                for (key, child) in map {
                    match key.as_str() {
                        "schema" => schema(child, edit),
                        "schemas" => child.as_object_mut().into_iter().flatten().for_each(|(_, one)| schema(one, edit)),
                        "example" | "examples" => {}
                        _ => holders(child, edit),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|child| holders(child, edit)),
            _ => {}
        }
    }
    holders(document, edit);
}

fn renamed_path_parameters(mut document: Value) -> Value {
    fn parameters(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if map.get("in") == Some(&json!("path")) {
                    map["name"] = json!(format!("my_{}", map["name"].as_str().unwrap()));
                }
                map.values_mut().for_each(parameters);
            }
            Value::Array(list) => list.iter_mut().for_each(parameters),
            _ => {}
        }
    }
    parameters(&mut document);
    let paths = std::mem::take(document["paths"].as_object_mut().unwrap());
    let renamed: Map<String, Value> = paths.into_iter().map(|(path, item)| (path.replace('{', "{my_"), item)).collect();
    document["paths"] = Value::Object(renamed);
    document
}

fn renamed_components(document: Value) -> Value {
    // Turned round, so that their order changes too.
    let turned = |name: &str| format!("X{}", name.chars().rev().collect::<String>());
    let mut document = document;
    fn references(value: &mut Value, rename: &impl Fn(&str) -> String) {
        match value {
            Value::Object(map) => {
                for (key, child) in map {
                    match (key.as_str(), &mut *child) {
                        ("$ref", Value::String(target)) => *target = rename(target),
                        ("mapping", Value::Object(mapping)) => {
                            for target in mapping.values_mut() {
                                *target = json!(rename(target.as_str().unwrap()));
                            }
                        }
                        _ => references(child, rename),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|child| references(child, rename)),
            _ => {}
        }
    }
    references(&mut document, &|target| {
        let (kind, name) = target.rsplit_once('/').unwrap();
        format!("{kind}/{}", turned(name))
    });
    for kind in ["schemas", "parameters", "responses"] {
        let Some(Value::Object(components)) = document["components"].get_mut(kind) else { continue };
        let all = std::mem::take(components);
        components.extend(all.into_iter().map(|(name, value)| (turned(&name), value)));
    }
    document
}

fn references_put_in_line(document: Value) -> Value {
    let original = document.clone();
    let mut document = document;
    each_schema(&mut document, &mut |schema| {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            *schema = original.pointer(&target[1..]).unwrap().clone();
        }
    });
    document
}

fn what_is_in_line_made_components(mut document: Value) -> Value {
    let mut made = Map::new();
    each_schema(&mut document, &mut |schema| {
        if schema.get("properties").is_some() || schema.get("enum").is_some() || schema.get("items").is_some() {
            let name = format!("Made{}", made.len());
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            made.insert(name, std::mem::replace(schema, reference));
        }
    });
    document["components"]["schemas"].as_object_mut().unwrap().extend(made);
    document
}

fn parts_split(mut document: Value) -> Value {
    each_schema(&mut document, &mut |schema| {
        let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|all| all.len() > 1) else {
            return;
        };
        let half = properties.len() / 2;
        let parts = [properties.iter().take(half).collect::<Vec<_>>(), properties.iter().skip(half).collect()];
        let mut parts: Vec<Value> = parts
            .into_iter()
            .map(|part| part.into_iter().map(|(name, child)| (name.clone(), child.clone())).collect::<Map<_, _>>())
            .map(|properties| json!({ "type": "object", "properties": properties }))
            .collect();
        let map = schema.as_object_mut().unwrap();
        map.remove("properties");
        parts[1]["required"] = map.remove("required").unwrap_or_else(|| json!([]));
        parts.extend(map.remove("allOf").into_iter().flat_map(|others| others.as_array().unwrap().clone()));
        map.insert("allOf".to_owned(), Value::Array(parts));
    });
    document
}

/// What a part without a name says goes into the schema that it is a part of.
fn parts_hoisted(mut document: Value) -> Value {
    each_schema(&mut document, &mut |schema| {
        let Some(parts) = schema.get("allOf").and_then(Value::as_array).cloned() else { return };
        let is_plain = |part: &&Value| {
            let keys = ["type", "properties", "required"];
            part.as_object().unwrap().keys().all(|key| keys.contains(&key.as_str()))
        };
        let clashes = schema.get("properties").is_some() || schema.get("required").is_some();
        let Some(plain) = parts.iter().find(is_plain).filter(|_| !clashes).cloned() else { return };
        let rest: Vec<Value> = parts.into_iter().filter(|part| *part != plain).collect();
        let map = schema.as_object_mut().unwrap();
        map.extend(plain.as_object().unwrap().clone());
        map.insert("allOf".to_owned(), Value::Array(rest));
    });
    document
}

fn parts_reordered(mut document: Value) -> Value {
    each_schema(&mut document, &mut |schema| {
        for key in ["allOf", "required"] {
            if let Some(Value::Array(list)) = schema.get_mut(key) {
                list.reverse();
            }
        }
    });
    document
}

fn an_empty_part_first(mut document: Value) -> Value {
    each_schema(&mut document, &mut |schema| {
        if let Some(Value::Array(parts)) = schema.get_mut("allOf") {
            parts.insert(0, json!({}));
        } else if schema.get("$ref").is_some() || schema.get("enum").is_some() {
            *schema = json!({ "allOf": [{}, schema.take()] });
        }
    });
    document
}

type Edit = fn(Value) -> Value;

const EDITS: [(&str, Edit); 8] = [
    ("path parameters renamed", renamed_path_parameters),
    ("components renamed", renamed_components),
    ("references put in line", references_put_in_line),
    ("what is in line made components", what_is_in_line_made_components),
    ("parts split", parts_split),
    ("parts hoisted", parts_hoisted),
    ("parts reordered", parts_reordered),
    ("an empty part first", an_empty_part_first),
];

/// The document after each edit by itself, or after all of them one after another.
fn edited(document: &Value, apart: bool) -> Vec<(&'static str, Value)> {
    let mut made = vec![("all edits", document.clone())];
    for (name, edit) in EDITS {
        let before = if apart { document } else { &made[0].1 };
        let after = edit(before.clone());
        assert_ne!(after, *before, "{name}: the edit did nothing");
        if apart {
            made.push((name, after));
        } else {
            made[0].1 = after;
        }
    }
    made.drain(usize::from(apart)..).collect()
}

fn nothing_changes(revision: &str, document: &Value, stale: Stale, apart: bool) {
    let slice = slice(document).unwrap();
    let spec = Spec::here();
    let before = spec.generate(&slice, stale).unwrap();
    let listed = |slice: &Value| contradictions::list(&Model::read("this", slice).unwrap());
    let side = Side::read("published", document).unwrap();
    let (text, contradictions) = (to_text(&before.document), listed(&slice));
    for (name, edited) in edited(document, apart) {
        let name = format!("{revision}, {name}");
        let report = Side::read("edited", &edited).and_then(|edited| side.compare(&edited)).unwrap();
        let changes: Vec<_> =
            report.changes.iter().map(|one| format!("{} {} {}", one.rule, one.operation, one.path)).collect();
        assert!(changes.is_empty(), "{name}: {changes:#?}");
        let edited = xtask::slice::slice(&edited).unwrap();
        let after = spec.generate(&edited, stale).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(after.skipped, before.skipped, "{name}");
        assert_eq!(listed(&edited), contradictions, "{name}");
        assert!(to_text(&after.document) == text, "{name}: another document");
    }
}

#[test]
fn nothing_changes_on_any_recorded_revision() {
    let spec = Spec::here();
    let pinned = spec.slice().unwrap();
    let mut revisions = timetravel::revisions(&spec.history()).unwrap();
    revisions.retain(|one| one.slice != pinned);
    // A thread each: one after another they are what the tests of the tasks wait for.
    std::thread::scope(|threads| {
        threads.spawn(|| nothing_changes("pinned", &pinned, Stale::Refuse, true));
        for one in &revisions {
            // The overlay need not fit what was published before.
            threads.spawn(|| nothing_changes(&one.date, &one.slice, Stale::Skip, false));
        }
    });
}

/// The same with whole documents as upstream publishes them, in the folder that `DINTERO_UPSTREAM` names.
#[test]
#[ignore = "needs upstream's documents, which are not in this repository"]
fn nothing_changes_on_whole_documents() {
    let folder = std::env::var("DINTERO_UPSTREAM").expect("DINTERO_UPSTREAM names a folder");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = source::load(entry.unwrap().path().to_str().unwrap()).unwrap();
        nothing_changes(&source.origin, &source.document, Stale::Skip, true);
        count += 1;
    }
    assert!(count > 0, "the folder is empty");
}
