//! How two schema trees become one type that two places share.
//!
//! A value of either must fit: enums add up, and only what both require is required. No property is lost; what cannot be
//! joined is an error that names the property.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::schema::LIMITS;

/// What either describes.
///
/// # Errors
/// When one Rust type cannot stand for both.
pub fn union(a: &Value, b: &Value) -> Result<Value> {
    let (Some(left), Some(right)) = (a.as_object(), b.as_object()) else {
        // `additionalProperties: false` is the narrower side.
        return Ok(match (a, b) {
            (Value::Bool(false), other) | (other, Value::Bool(false)) => other.clone(),
            (Value::Bool(_), _) => a.clone(),
            _ => b.clone(),
        });
    };
    if let Some(wider) = number_beside_integer(a, b).or_else(|| number_beside_integer(b, a)) {
        return Ok(wider);
    }
    if left.contains_key("$ref") != right.contains_key("$ref") && !left.is_empty() && !right.is_empty() {
        bail!("it is a named type in one place and spelled out in another: name both in `types`");
    }
    let mut out = Map::new();
    for (key, value) in left.iter().chain(right.iter().filter(|(key, _)| !left.contains_key(*key))) {
        let joined = match (left.get(key), right.get(key)) {
            (Some(one), Some(other)) => join(key, one, other)?,
            // A limit that only one side has does not hold for the other.
            _ if is_limit(key) || matches!(key.as_str(), "required" | "format" | "x-facts") => continue,
            _ => value.clone(),
        };
        if !joined.is_null() || matches!(key.as_str(), "example" | "default") {
            out.insert(key.clone(), joined);
        }
    }
    Ok(Value::Object(out))
}

/// A decimal can hold what an integer can.
fn number_beside_integer(a: &Value, b: &Value) -> Option<Value> {
    let decimal = a.get("$ref").is_some_and(|name| name == "#/components/schemas/Decimal");
    (decimal && b.get("type").is_some_and(|kind| kind == "integer")).then(|| a.clone())
}

/// The join of one keyword; null means that the result goes without it.
fn join(key: &str, one: &Value, other: &Value) -> Result<Value> {
    if one == other {
        return Ok(one.clone());
    }
    Ok(match key {
        "properties" => properties(one, other)?,
        "items" => union(one, other).context("in `items`")?,
        "additionalProperties" => union(one, other).context("in `additionalProperties`")?,
        "required" => list(one, |name| holds(other, name), &[]),
        "enum" => list(one, |_| true, other.as_array().map_or(&[], Vec::as_slice)),
        "type" => match (one.as_str(), other.as_str()) {
            (Some("integer"), Some("number")) | (Some("number"), Some("integer")) => Value::String("number".to_owned()),
            _ => bail!("it is {one} in one place and {other} in another"),
        },
        "format" => Value::Null,
        "nullable" => Value::Bool(one == &Value::Bool(true) || other == &Value::Bool(true)),
        "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => {
            Value::Bool(one == &Value::Bool(true) && other == &Value::Bool(true))
        }
        "x-facts" => {
            let common = one.as_object().into_iter().flatten().filter(|(key, value)| other.get(key) == Some(value));
            Value::Object(common.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        _ if is_limit(key) => Value::Null,
        "x-tagged" | "oneOf" | "anyOf" | "not" | "$ref" => {
            bail!("`{key}` differs, and there is no one type for both: give them different names")
        }
        // Descriptions, examples, defaults: the first to speak is heard.
        _ => one.clone(),
    })
}

/// Limits that are a number or a pattern: `uniqueItems` is joined as the yes or no that it is.
fn is_limit(key: &str) -> bool {
    LIMITS.contains(&key) && key != "uniqueItems"
}

fn properties(one: &Value, other: &Value) -> Result<Value> {
    let mut out = one.as_object().cloned().unwrap_or_default();
    for (name, value) in other.as_object().into_iter().flatten() {
        let joined = match out.get(name) {
            Some(present) => union(present, value).with_context(|| format!("property `{name}`"))?,
            None => value.clone(),
        };
        out.insert(name.clone(), joined);
    }
    Ok(Value::Object(out))
}

fn holds(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(value))
}

/// The kept values of `one`, and what `more` has besides.
fn list(one: &Value, keep: impl Fn(&Value) -> bool, more: &[Value]) -> Value {
    let kept = one.as_array().into_iter().flatten().filter(|value| keep(value));
    kept.chain(more.iter().filter(|value| !holds(one, value))).cloned().collect()
}
