//! Snapshots of the document that the bindings are generated from: operations, and a line for every field and value.
//! Review them with `cargo insta review`.
//!
//! They are here and not beside those of the Rust API, so that they show what a revision changes even where the
//! handwritten client does not yet compile with it: `cargo test --package xtask --test interface`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

fn document() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/dintero.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).map(Map::iter).into_iter().flatten()
}

/// A schema in a word: `[OrderItem]`, `string (date-time)`.
fn word(schema: &Value) -> String {
    if let Some(target) = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str) {
        return target.rsplit('/').next().unwrap().to_owned();
    }
    let format = schema.get("format").and_then(Value::as_str).map(|format| format!(" ({format})")).unwrap_or_default();
    let plain = match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("[{}]", word(&schema["items"])),
        Some("object") if schema.get("additionalProperties").is_some() => {
            format!("{{{}}}", word(&schema["additionalProperties"]))
        }
        Some(kind) => format!("{kind}{format}"),
        None => "any".to_owned(),
    };
    if schema["nullable"] == true { format!("{plain}?") } else { plain }
}

/// Every rule of a request in a line of its own.
fn rules(at: &str, rules: &Value, out: &mut String) {
    for (key, rule) in rules.as_object().into_iter().flatten() {
        match key.as_str() {
            "properties" => rule
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(name, child)| self::rules(&format!("{at}.{name}"), child, out)),
            "items" => self::rules(&format!("{at}[]"), rule, out),
            "additionalProperties" => self::rules(&format!("{at}.*"), rule, out),
            "tagged" => {
                entries(rule, "/variants").for_each(|(tag, child)| self::rules(&format!("{at}<{tag}>"), child, out))
            }
            _ => writeln!(out, "  check {at} {key} {rule}").unwrap(),
        }
    }
}

#[test]
fn operations() {
    let document = document();
    let mut out = String::new();
    for (path, item) in entries(&document, "/paths") {
        for (method, operation) in item.as_object().unwrap() {
            writeln!(out, "{} = {} {path}", operation["operationId"].as_str().unwrap(), method.to_uppercase()).unwrap();
            writeln!(out, "  retry {}", operation["x-retry"].as_str().unwrap()).unwrap();
            for parameter in operation["parameters"].as_array().unwrap() {
                let mark = if parameter["required"] == true { "!" } else { "" };
                let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                writeln!(out, "  {place} {name}{mark}: {}", word(&parameter["schema"])).unwrap();
            }
            if let Some(toggles) = operation.get("x-toggles") {
                writeln!(out, "  toggles {}", word(toggles)).unwrap();
            }
            if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
                writeln!(out, "  body {}", word(body)).unwrap();
            }
            for (status, response) in entries(operation, "/responses") {
                let schema = response.pointer("/content/application~1json/schema").unwrap();
                writeln!(out, "  {status} {}", word(schema)).unwrap();
            }
            for (part, checks) in entries(operation, "/x-checks") {
                rules(part, checks, &mut out);
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn schemas() {
    let document = document();
    let mut out = String::new();
    for (name, schema) in entries(&document, "/components/schemas") {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, child) in entries(schema, "/properties") {
            let mark = if required.iter().any(|name| name == field) { "!" } else { "" };
            writeln!(out, "{name}.{field}{mark}: {}", word(child)).unwrap();
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            writeln!(out, "{name} = {value}").unwrap();
        }
        for (tag, variant) in entries(schema, "/x-tagged/variants") {
            writeln!(out, "{name} = {:?} {}", tag, word(variant)).unwrap();
        }
        if let Some(path) = schema["x-replace"].as_str() {
            writeln!(out, "{name} is {path}").unwrap();
        }
        // Beside named fields it keeps what is not named.
        if schema.get("additionalProperties").is_some() {
            writeln!(out, "{name} keeps unknown fields").unwrap();
        }
    }
    insta::assert_snapshot!(out);
}
