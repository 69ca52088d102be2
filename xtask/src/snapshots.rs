//! The document that the bindings are generated from, in lines: one for every operation, parameter, check, field and value.
//!
//! They are the snapshots that show what a revision changes, also where the handwritten client does not yet compile with
//! it. `regen --from` writes them, `xtask/tests/interface.rs` holds them against the document.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// The snapshots, by name.
#[must_use]
pub fn all(document: &Value) -> [(&'static str, String); 2] {
    [("operations", operations(document)), ("schemas", schemas(document))]
}

/// Writes the snapshots of `document` over those in `dir`, and returns the names of those that moved.
///
/// # Errors
/// When one cannot be written. One that is not there is left out: it is made by `cargo insta`.
pub fn write(dir: &Path, document: &Value) -> Result<Vec<String>> {
    let mut moved = Vec::new();
    for (name, text) in all(document) {
        let path = dir.join(format!("interface__{name}.snap"));
        let Ok(present) = std::fs::read_to_string(&path) else { continue };
        // The head, between two lines of dashes, stays.
        let mut parts = present.splitn(3, "---\n");
        let (Some(""), Some(head)) = (parts.next(), parts.next()) else { continue };
        let wanted = format!("---\n{head}---\n{}\n", text.trim_end());
        if wanted != present {
            std::fs::write(&path, wanted).with_context(|| format!("cannot write {}", path.display()))?;
            moved.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    Ok(moved)
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).map(Map::iter).into_iter().flatten()
}

/// A schema in a word: `[OrderItem]`, `string (date-time)`.
fn word(schema: &Value) -> String {
    if let Some(target) = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str) {
        return crate::schema::ref_name(target).to_owned();
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
            _ => drop(writeln!(out, "  check {at} {key} {rule}")),
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn operations(document: &Value) -> String {
    let mut out = String::new();
    for (path, item) in entries(document, "/paths") {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let _ = writeln!(out, "{} = {} {path}", text(operation, "operationId"), method.to_uppercase());
            let _ = writeln!(out, "  retry {}", text(operation, "x-retry"));
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let mark = if parameter["required"] == true { "!" } else { "" };
                let (place, name) = (text(parameter, "in"), text(parameter, "name"));
                let _ = writeln!(out, "  {place} {name}{mark}: {}", word(&parameter["schema"]));
            }
            if let Some(toggles) = operation.get("x-toggles") {
                let _ = writeln!(out, "  toggles {}", word(toggles));
            }
            if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
                let _ = writeln!(out, "  body {}", word(body));
            }
            for (status, response) in entries(operation, "/responses") {
                if let Some(schema) = response.pointer("/content/application~1json/schema") {
                    let _ = writeln!(out, "  {status} {}", word(schema));
                }
            }
            for (part, checks) in entries(operation, "/x-checks") {
                rules(part, checks, &mut out);
            }
        }
    }
    out
}

fn schemas(document: &Value) -> String {
    let mut out = String::new();
    for (name, schema) in entries(document, "/components/schemas") {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, child) in entries(schema, "/properties") {
            let mark = if required.iter().any(|name| name == field) { "!" } else { "" };
            let _ = writeln!(out, "{name}.{field}{mark}: {}", word(child));
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "{name} = {value}");
        }
        for (tag, variant) in entries(schema, "/x-tagged/variants") {
            let _ = writeln!(out, "{name} = {:?} {}", tag, word(variant));
        }
        if let Some(path) = schema["x-replace"].as_str() {
            let _ = writeln!(out, "{name} is {path}");
        }
        // Beside named fields it keeps what is not named.
        if schema.get("additionalProperties").is_some() {
            let _ = writeln!(out, "{name} keeps unknown fields");
        }
    }
    out
}
