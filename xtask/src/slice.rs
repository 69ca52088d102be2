//! Cutting the part we bind out of an upstream document: the operations, what they reach, and facts only.
//!
//! The slice is what `spec/upstream.json` stores. Upstream's prose stays behind: its licence does not let us carry
//! it. What is kept of each kind of object is listed here, so that a key nobody has thought about is left out rather
//! than let in.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use crate::schema::{self, LIMITS, METHODS};

/// Path prefixes that we bind. A prefix takes in the path itself and everything below it.
pub const PATHS: [&str; 4] = ["/sessions-profile", "/sessions", "/transactions", "/accounts/{oid}/auth/token"];

/// A slice of more values is refused: comparing and generating take longer than the values grow. Today's has 6,300.
pub const MOST_VALUES: usize = 100_000;

const OPERATION: &[&str] = &["operationId", "deprecated", "security"];
const PARAMETER: &[&str] = &[
    "$ref",
    "name",
    "in",
    "required",
    "deprecated",
    "allowEmptyValue",
    "style",
    "explode",
    "allowReserved",
    "example",
];
const SCHEMA: &[&str] = &[
    "$ref",
    "type",
    "format",
    "enum",
    "default",
    "example",
    "nullable",
    "readOnly",
    "writeOnly",
    "deprecated",
    "required",
    "discriminator",
];

/// Cuts the slice out of a whole upstream document.
///
/// # Errors
/// When the document holds none of the paths, a path item is only a reference, a schema is a part of itself, or there
/// are more values than [`MOST_VALUES`].
pub fn slice(document: &Value) -> Result<Value> {
    let mut paths = Map::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let bound = |prefix: &&str| {
            let (path, prefix) = (without_names(path), without_names(prefix));
            path.strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if PATHS.iter().any(bound) {
            if item.get("$ref").is_some() {
                bail!("path item {path} is a reference: bundle the document first");
            }
            paths.insert(path.clone(), path_item(item));
        }
    }
    if paths.is_empty() {
        bail!("the document has none of the paths we bind ({})", PATHS.join(", "));
    }
    let mut out = json!({
        "openapi": document.get("openapi").cloned().unwrap_or_default(),
        "info": {
            "title": "Dintero Checkout API",
            "version": document.pointer("/info/version").cloned().unwrap_or_else(|| json!("LATEST")),
        },
        "servers": servers(document),
        "security": document.get("security").cloned().unwrap_or_else(|| json!([])),
        "paths": paths,
        "components": {},
    });
    copy_reached_components(document, &mut out)?;
    let values = count(&out);
    if values > MOST_VALUES {
        bail!("what we bind of the document has {values} values, more than {MOST_VALUES}, the most that is compared");
    }
    check_parts(&out)?;
    if let Some(schemes) = document.pointer("/components/securitySchemes").and_then(Value::as_object) {
        let kept = schemes.iter().map(|(name, scheme)| {
            (name.clone(), keep(scheme, &["type", "scheme", "bearerFormat", "in", "name", "flows", "openIdConnectUrl"]))
        });
        out["components"]["securitySchemes"] = Value::Object(kept.collect());
    }
    Ok(out)
}

fn servers(holder: &Value) -> Value {
    let servers = holder.get("servers").and_then(Value::as_array);
    let facts = servers.into_iter().flatten().map(|server| {
        let mut out = keep(server, &["url"]);
        if let Some(variables) = server.get("variables") {
            out["variables"] = each(variables, |variable| keep(variable, &["default", "enum"]));
        }
        out
    });
    facts.collect()
}

/// A path without the names of its parameters, which are not on the wire.
pub(crate) fn without_names(path: &str) -> String {
    let mut out = String::new();
    for part in path.split_inclusive('}') {
        match part.split_once('{') {
            Some((before, name)) if name.ends_with('}') => out.extend([before, "{}"]),
            _ => out.push_str(part),
        }
    }
    out
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(map) => map.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// No value fits a schema that is a part of itself: what it would add to itself has no end.
fn check_parts(document: &Value) -> Result<()> {
    let mut open: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, tree) in schema::components(document, "schemas") {
        let (mut parts, mut todo) = (Vec::new(), vec![tree]);
        while let Some(tree) = todo.pop() {
            match tree.get("$ref").and_then(Value::as_str) {
                Some(target) => parts.push(schema::ref_name(target)),
                None => todo.extend(tree.get("allOf").and_then(Value::as_array).into_iter().flatten()),
            }
        }
        open.insert(name, parts);
    }
    // What is put together of finished schemas only is finished; what is left in the end waits for itself.
    loop {
        let finished: BTreeSet<&str> = {
            let done = open.iter().filter(|(_, parts)| !parts.iter().any(|part| open.contains_key(part)));
            done.map(|(name, _)| *name).collect()
        };
        if finished.is_empty() {
            break;
        }
        open.retain(|name, _| !finished.contains(name));
    }
    let Some(mut name) = open.keys().next().copied() else { return Ok(()) };
    let mut way: Vec<&str> = Vec::new();
    while !way.contains(&name) {
        way.push(name);
        name = open[name].iter().find(|part| open.contains_key(*part)).copied().unwrap_or(name);
    }
    let circle: Vec<&str> = way.into_iter().skip_while(|other| *other != name).chain([name]).collect();
    bail!("a schema is a part of itself through `allOf`: {}", circle.join(" -> "));
}

/// Copies the components that the paths reach, directly or through each other.
fn copy_reached_components(document: &Value, out: &mut Value) -> Result<()> {
    let mut wanted = BTreeSet::new();
    schema::visit_refs(&out["paths"], "#/paths", &mut |_, target| {
        wanted.insert(target.to_owned());
    });
    let mut done = BTreeSet::new();
    while let Some(target) = wanted.pop_first() {
        if !done.insert(target.clone()) {
            continue;
        }
        let found = schema::resolve(document, &target)?;
        let mut parts = target.trim_start_matches("#/").split('/');
        let (Some("components"), Some(kind), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            bail!("`{target}` does not lead to a component: bundle the document first");
        };
        let kept = match kind {
            "schemas" => schema_facts(found),
            "parameters" => parameter(found),
            "responses" => response(found),
            "headers" => header(found),
            "requestBodies" => body(found),
            _ => bail!("`{target}` leads to a kind of component that the slice does not take in"),
        };
        schema::visit_refs(&kept, &target, &mut |_, next| {
            wanted.insert(next.to_owned());
        });
        // JSON Pointer escapes in a reference stand for the plain name in the map.
        out["components"][kind][name.replace("~1", "/").replace("~0", "~")] = kept;
    }
    Ok(())
}

fn path_item(item: &Value) -> Value {
    let mut out = Map::new();
    for method in METHODS {
        if let Some(found) = item.get(method) {
            out.insert(method.to_owned(), operation(found));
        }
    }
    if item.get("servers").is_some() {
        out.insert("servers".to_owned(), servers(item));
    }
    if let Some(parameters) = item.get("parameters") {
        out.insert("parameters".to_owned(), each(parameters, parameter));
    }
    Value::Object(out)
}

fn operation(value: &Value) -> Value {
    let mut out = keep(value, OPERATION);
    if value.get("servers").is_some() {
        out["servers"] = servers(value);
    }
    if let Some(parameters) = value.get("parameters") {
        out["parameters"] = each(parameters, parameter);
    }
    if let Some(found) = value.get("requestBody") {
        out["requestBody"] = body(found);
    }
    out["responses"] = each(value.get("responses").unwrap_or(&json!({})), response);
    out
}

fn parameter(value: &Value) -> Value {
    with_content(keep(value, PARAMETER), value)
}

fn header(value: &Value) -> Value {
    with_content(keep(value, &["$ref", "required", "deprecated", "example", "style", "explode"]), value)
}

fn body(value: &Value) -> Value {
    with_content(keep(value, &["$ref", "required"]), value)
}

fn response(value: &Value) -> Value {
    if value.get("$ref").is_some() {
        return keep(value, &["$ref"]);
    }
    // OpenAPI wants a description here; an empty one says nothing of upstream's.
    let mut out = with_content(json!({ "description": "" }), value);
    if let Some(headers) = value.get("headers") {
        out["headers"] = each(headers, header);
    }
    out
}

fn with_content(mut out: Value, value: &Value) -> Value {
    if let Some(found) = value.get("schema") {
        out["schema"] = schema_facts(found);
    }
    if let Some(content) = value.get("content") {
        out["content"] = each(content, |media| {
            let mut kept = keep(media, &["example"]);
            if let Some(found) = media.get("schema") {
                kept["schema"] = schema_facts(found);
            }
            if let Some(encoding) = media.get("encoding") {
                kept["encoding"] =
                    each(encoding, |part| keep(part, &["contentType", "style", "explode", "allowReserved"]));
            }
            if let Some(examples) = media.get("examples") {
                kept["examples"] = each(examples, |example| keep(example, &["value"]));
            }
            kept
        });
    }
    out
}

fn schema_facts(value: &Value) -> Value {
    if !value.is_object() {
        return value.clone();
    }
    let mut out = keep(value, &[SCHEMA, &LIMITS].concat());
    for key in ["items", "not", "additionalProperties"] {
        if let Some(found) = value.get(key) {
            out[key] = schema_facts(found);
        }
    }
    for key in ["properties", "allOf", "oneOf", "anyOf"] {
        if let Some(found) = value.get(key) {
            out[key] = each(found, schema_facts);
        }
    }
    out
}

fn keep(value: &Value, keys: &[&str]) -> Value {
    let map = value.as_object();
    let kept = map.into_iter().flatten().filter(|(key, _)| keys.contains(&key.as_str()));
    Value::Object(kept.map(|(key, child)| (key.clone(), child.clone())).collect())
}

fn each(value: &Value, take: impl Fn(&Value) -> Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.iter().map(|(key, child)| (key.clone(), take(child))).collect()),
        Value::Array(items) => Value::Array(items.iter().map(take).collect()),
        other => other.clone(),
    }
}
