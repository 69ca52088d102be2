//! The interface in lines: the service around the operations, the document that the bindings are generated from, the Rust
//! API. One line for every operation, parameter, check, field, value and method.
//!
//! They are the snapshots that show what a revision changes, also where the handwritten client does not yet compile with
//! it. `regen --from` writes them, `xtask/tests/interface.rs` holds them against what is pinned.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::bindings::model::{Construct, Kind, Shape, Surface, Type};
use crate::bindings::rust;
use crate::bindings::surface::may_be_personal;
use crate::model::Model;

/// The snapshots, by name.
///
/// # Errors
/// When the slice cannot be read, or no code can be generated from the document.
pub fn all(document: &Value, slice: &Value) -> Result<[(&'static str, String); 4]> {
    let surface = crate::generated::code(document)?.surface;
    Ok([
        ("service", service(slice)?),
        ("operations", operations(document)),
        ("schemas", schemas(document)),
        ("rust_api", rust_api(&surface)),
    ])
}

/// Writes the snapshots of `document` and the `slice` that it was made of over those in `dir`, and returns the names of those that moved.
///
/// # Errors
/// As [`all`], and when one cannot be written. One that is not there is left out: it is made by `cargo insta`.
pub fn write(dir: &Path, document: &Value, slice: &Value) -> Result<Vec<String>> {
    let mut moved = Vec::new();
    for (name, text) in all(document, slice)? {
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

/// What is outside of every body, of the slice: nothing is generated from it, and callers depend on it.
fn service(slice: &Value) -> Result<String> {
    let mut lines = Vec::new();
    for operation in Model::read("pinned", slice)?.operations().values() {
        let title = &operation.title;
        lines.extend(operation.servers.facts.keys().map(|server| format!("{title} at {server}")));
        lines.extend(operation.security.facts.keys().map(|one| format!("{title} by {one}")));
        for (key, parameter) in &operation.parameters {
            let mark = if parameter.required { "!" } else { "" };
            lines.push(format!("{title} takes {} {}{mark}", key.location, key.name));
        }
        let bodies = operation.body.iter().flat_map(|body| body.media.keys());
        lines.extend(bodies.map(|media| format!("{title} sends {media}")));
        for (status, response) in &operation.responses {
            lines.push(format!("{title} gives {status}"));
            lines.extend(response.media.keys().map(|media| format!("{title} gives {status} {media}")));
            lines.extend(response.headers.keys().map(|name| format!("{title} gives {status} header {name}")));
        }
    }
    Ok(lines.join("\n"))
}

/// What users of the crate see.
#[must_use]
pub fn rust_api(surface: &Surface) -> String {
    let mut lines = Vec::new();
    surface.types.iter().for_each(|known| describe(known, &mut lines));
    for call in &surface.calls {
        let name = format!("call {}.{}", call.group, call.name);
        let kind = if call.reads_only { "reads" } else { "acts" };
        lines.push(format!("{name}: {} {} {kind}", call.method, call.path));
        lines.extend(call.request.iter().map(|request| format!("{name}(body): {request}")));
        lines.extend(call.toggles.iter().map(|toggles| format!("{name}(toggles): {toggles}")));
        lines.extend(call.paging.iter().map(|paging| format!("{name}.rows() by {}", paging.cursor)));
        for param in call.path_params.iter().chain(&call.query) {
            let need = if param.required { "" } else { "?" };
            lines.push(format!("{name}({}{need}): {}", param.rust, rust::text(&param.kind)));
            if !param.required && param.setter != param.rust {
                lines.push(format!("{name}({}) is set by {}", param.rust, param.setter));
            }
        }
        let target = Kind::Type(call.response.target.clone());
        let target = if call.response.list { Kind::List(Box::new(target)) } else { target };
        lines.push(format!("{name} -> {}", rust::text(&target)));
        lines.extend(call.result.iter().map(|result| format!("{name} makes a {result} of it")));
    }
    lines.sort();
    lines.join("\n")
}

fn describe(known: &Type, lines: &mut Vec<String>) {
    let name = &known.name;
    match &known.shape {
        Shape::Struct { fields, keeps_unknown, construct, restates } => {
            lines.push(format!("struct {name} {:?}", known.direction));
            lines.extend(restates.iter().map(|other| format!("fn {name}::from({other})")));
            lines.extend(keeps_unknown.then(|| format!("struct {name}.extra: Map<String, Value>")));
            for field in fields {
                let is_listed = field.printed && may_be_personal(&field.kind);
                let shown = if is_listed { ", printed" } else { "" };
                lines.push(format!("struct {name}.{}: {}{shown}", field.rust, rust::field_text(field)));
                lines.extend(
                    field
                        .setter
                        .iter()
                        .filter(|setter| **setter != field.rust)
                        .map(|setter| format!("struct {name}.{} is set by {setter}", field.rust)),
                );
            }
            match construct {
                Construct::None => {}
                Construct::New { arguments } => lines.push(format!("fn {name}::new({})", arguments.join(", "))),
                Construct::Builder { fields } => lines.push(format!("fn {name}::builder({})", fields.join(", "))),
            }
        }
        Shape::Enum { values } => {
            lines.push(format!("enum {name}"));
            lines.extend(values.iter().map(|value| format!("enum {name}::{} = {:?}", value.rust, value.json)));
        }
        Shape::Choice { property, variants } => {
            lines.push(format!("choice {name} by {property}"));
            for variant in variants {
                lines.push(format!("choice {name}::{}({}) = {:?}", variant.rust, variant.target, variant.tag));
            }
        }
        Shape::Provided { path } => lines.push(format!("provided {name}: {path}")),
    }
}
