//! Pass `checks`: what a request has to keep, as a tree beside the body.
//!
//! The generated types are lenient, since they read responses too. What the interface asks of a request is kept here per
//! operation, put into the document as `x-checks`, and checked by the client before anything is sent.
//! Only nodes that ask for something are in the tree.

use serde_json::{Map, Value, json};

use crate::schema::LIMITS;

/// Formats that a text is checked against before it is sent; the rest only describe.
const FORMATS: [&str; 4] = ["uri", "iso4217-code", "iso3166-alpha2", "iso-3166-1"];

/// The checks of one request: `body`, and `parameters` by name. Null when there is nothing to check.
#[must_use]
pub fn of_request(body: Option<&Value>, parameters: &[Value]) -> Value {
    let mut out = Map::new();
    if let Some(checks) = body.and_then(of_tree) {
        out.insert("body".to_owned(), checks);
    }
    let mut named = Map::new();
    for parameter in parameters {
        if let (Some(name), Some(checks)) = (parameter["name"].as_str(), of_tree(&parameter["schema"])) {
            named.insert(name.to_owned(), checks);
        }
    }
    if !named.is_empty() {
        out.insert("parameters".to_owned(), Value::Object(named));
    }
    if out.is_empty() { Value::Null } else { Value::Object(out) }
}

fn of_tree(tree: &Value) -> Option<Value> {
    let mut out = Map::new();
    for key in LIMITS {
        if let Some(limit) = tree.get(key).filter(|limit| *limit != &Value::Bool(false)) {
            out.insert(key.to_owned(), limit.clone());
        }
    }
    match tree.get("format").and_then(Value::as_str) {
        Some("int32") if tree["type"] == "integer" => {
            out.entry("minimum").or_insert(json!(i32::MIN));
            out.entry("maximum").or_insert(json!(i32::MAX));
        }
        Some(format) if FORMATS.contains(&format) => {
            out.insert("format".to_owned(), json!(format));
        }
        _ => {}
    }
    if tree.get("readOnly") == Some(&Value::Bool(true)) {
        out.insert("readOnly".to_owned(), json!(true));
    }
    let is_read_only = |name: &Value| {
        let property = tree.get("properties").and_then(|all| all.get(name.as_str().unwrap_or_default()));
        property.is_some_and(|property| property["readOnly"] == true)
    };
    let required = tree.get("required").and_then(Value::as_array).into_iter().flatten();
    // What only the service sets, it cannot ask for.
    let required: Vec<&Value> = required.filter(|name| !is_read_only(name)).collect();
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    let children = |map: Option<&Value>| -> Map<String, Value> {
        let entries = map.and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(|(name, child)| Some((name.clone(), of_tree(child)?))).collect()
    };
    let properties = children(tree.get("properties"));
    if !properties.is_empty() {
        out.insert("properties".to_owned(), Value::Object(properties));
    }
    if let Some(items) = tree.get("items").and_then(of_tree) {
        out.insert("items".to_owned(), items);
    }
    if let Some(values) = tree.get("additionalProperties").filter(|values| values.is_object()).and_then(of_tree) {
        out.insert("additionalProperties".to_owned(), values);
    }
    if let Some(types) = scalar_types(tree) {
        out.insert("types".to_owned(), types);
    }
    if let Some(tagged) = tree.get("x-tagged") {
        let variants = children(tagged.get("variants"));
        if !variants.is_empty() {
            out.insert("tagged".to_owned(), json!({ "property": tagged["property"], "variants": variants }));
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// Where one of several scalar types is allowed, the Rust type holds any JSON: the choice is checked here.
fn scalar_types(tree: &Value) -> Option<Value> {
    let choices = tree.get("oneOf").or_else(|| tree.get("anyOf"))?.as_array()?;
    choices.iter().map(|choice| choice.get("type").cloned()).collect::<Option<Vec<_>>>().map(Value::Array)
}
