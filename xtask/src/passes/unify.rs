//! How two schema trees become one.
//!
//! [`intersect`] is `allOf`: a value must fit both, so properties add up and limits tighten.
//! [`union`] is for one type that two places share: a value of either must fit, so enums add up and only what both
//! require is required. Neither loses a property; what cannot be joined is an error that names the property.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::schema::LIMITS;

/// What both describe.
///
/// # Errors
/// When no value could fit both.
pub fn intersect(a: &Value, b: &Value) -> Result<Value> {
    join(a, b, Mode::Both)
}

/// What either describes.
///
/// # Errors
/// When one Rust type cannot stand for both.
pub fn union(a: &Value, b: &Value) -> Result<Value> {
    join(a, b, Mode::Either)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Both,
    Either,
}

fn join(a: &Value, b: &Value, mode: Mode) -> Result<Value> {
    let (Some(left), Some(right)) = (a.as_object(), b.as_object()) else {
        // `additionalProperties: true|false`: the wider side for a shared type, the narrower one for `allOf`.
        return Ok(match (a, b, mode) {
            (Value::Bool(false), other, Mode::Either) | (other, Value::Bool(false), Mode::Either) => other.clone(),
            (Value::Bool(true), other, Mode::Both) | (other, Value::Bool(true), Mode::Both) => other.clone(),
            (Value::Bool(_), _, _) => a.clone(),
            _ => b.clone(),
        });
    };
    if let Some(wider) = number_beside_integer(a, b, mode).or_else(|| number_beside_integer(b, a, mode)) {
        return Ok(wider);
    }
    if left.contains_key("$ref") != right.contains_key("$ref") && !left.is_empty() && !right.is_empty() {
        bail!("it is a named type in one place and spelled out in another: give both one `x-name`");
    }
    let mut out = Map::new();
    for (key, value) in left.iter().chain(right.iter().filter(|(key, _)| !left.contains_key(*key))) {
        let joined = match (left.get(key), right.get(key)) {
            (Some(one), Some(other)) => join_key(key, one, other, mode)?,
            // A limit that only one side has does not hold for the other.
            _ if mode == Mode::Either
                && (is_limit(key) || matches!(key.as_str(), "required" | "format" | "x-facts")) =>
            {
                continue;
            }
            // Merged with something else it is no longer the component as a whole.
            _ if key == "x-component" => continue,
            // `nullable` is false when absent, and `allOf` allows null only where every part that speaks does.
            _ if mode == Mode::Both && key == "nullable" => continue,
            _ => value.clone(),
        };
        if !joined.is_null() || matches!(key.as_str(), "example" | "default") {
            out.insert(key.clone(), joined);
        }
    }
    Ok(Value::Object(out))
}

/// A decimal can hold what an integer can.
fn number_beside_integer(a: &Value, b: &Value, mode: Mode) -> Option<Value> {
    let decimal = a.get("$ref").is_some_and(|name| name == "#/components/schemas/Decimal");
    (mode == Mode::Either && decimal && b.get("type").is_some_and(|kind| kind == "integer")).then(|| a.clone())
}

/// The join of one keyword; null means that the result goes without it.
fn join_key(key: &str, one: &Value, other: &Value, mode: Mode) -> Result<Value> {
    if one == other {
        return Ok(one.clone());
    }
    Ok(match key {
        "properties" => properties(one, other, mode)?,
        "items" => join(one, other, mode).context("in `items`")?,
        "additionalProperties" => join(one, other, mode).context("in `additionalProperties`")?,
        "required" => names(one, other, mode == Mode::Both),
        "enum" => members(one, other, mode)?,
        "type" => numeric(one, other, mode)?,
        "format" => match mode {
            // `int32` inside `int64` and the like: the tighter one is found by the limits, not by the word.
            Mode::Both => one.clone(),
            Mode::Either => Value::Null,
        },
        "nullable" => bools(one, other, mode == Mode::Either),
        "readOnly" | "writeOnly" | "deprecated" => bools(one, other, mode == Mode::Both),
        "uniqueItems" => bools(one, other, mode == Mode::Both),
        "x-facts" => {
            let (one, other) = (one.as_object(), other.as_object());
            let common = one
                .into_iter()
                .flatten()
                .filter(|(key, value)| other.is_some_and(|other| other.get(*key) == Some(value)));
            Value::Object(common.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        "x-name" | "x-component" if mode == Mode::Both => one.clone(),
        "x-component" => Value::Null,
        "pattern" if mode == Mode::Both => bail!("two patterns for one value: {one} and {other}"),
        _ if is_limit(key) => match mode {
            Mode::Both => tighter(key, one, other),
            Mode::Either => Value::Null,
        },
        "x-tagged" | "x-recursive" | "oneOf" | "anyOf" | "not" | "$ref" => {
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

fn properties(one: &Value, other: &Value, mode: Mode) -> Result<Value> {
    let mut out = one.as_object().cloned().unwrap_or_default();
    for (name, value) in other.as_object().into_iter().flatten() {
        let joined = match out.get(name) {
            Some(present) => join(present, value, mode).with_context(|| format!("property `{name}`"))?,
            None => value.clone(),
        };
        out.insert(name.clone(), joined);
    }
    Ok(Value::Object(out))
}

fn names(one: &Value, other: &Value, all: bool) -> Value {
    let empty = Vec::new();
    let (one, other) = (one.as_array().unwrap_or(&empty), other.as_array().unwrap_or(&empty));
    let mut out: Vec<Value> = one.iter().filter(|name| all || other.contains(name)).cloned().collect();
    if all {
        out.extend(other.iter().filter(|name| !one.contains(name)).cloned());
    }
    Value::Array(out)
}

fn members(one: &Value, other: &Value, mode: Mode) -> Result<Value> {
    let empty = Vec::new();
    let (one, other) = (one.as_array().unwrap_or(&empty), other.as_array().unwrap_or(&empty));
    let mut out: Vec<Value> =
        one.iter().filter(|value| mode == Mode::Either || other.contains(value)).cloned().collect();
    if mode == Mode::Either {
        out.extend(other.iter().filter(|value| !one.contains(value)).cloned());
    }
    if out.is_empty() {
        bail!("the enums of two `allOf` parts have no value in common");
    }
    Ok(Value::Array(out))
}

fn numeric(one: &Value, other: &Value, mode: Mode) -> Result<Value> {
    match (one.as_str(), other.as_str()) {
        (Some("integer"), Some("number")) | (Some("number"), Some("integer")) => {
            Ok(Value::String(if mode == Mode::Both { "integer" } else { "number" }.to_owned()))
        }
        _ => bail!("it is {one} in one place and {other} in another"),
    }
}

fn bools(one: &Value, other: &Value, any: bool) -> Value {
    let (one, other) = (one.as_bool().unwrap_or_default(), other.as_bool().unwrap_or_default());
    Value::Bool(if any { one || other } else { one && other })
}

fn tighter(key: &str, one: &Value, other: &Value) -> Value {
    let (left, right) = (one.as_f64().unwrap_or_default(), other.as_f64().unwrap_or_default());
    let take_left = if key.starts_with("min") { left >= right } else { left <= right };
    if take_left { one.clone() } else { other.clone() }
}
