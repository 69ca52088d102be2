//! Where things are in an OpenAPI 3.0 document: local references, operations, nested schemas.
//!
//! Nothing here decides anything; [`crate::slice`] and the passes do.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// The methods a path item can hold, as the document spells them.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The keywords that limit a value without being part of its type.
pub const LIMITS: [&str; 13] = [
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Every `$ref` in `document` whose target is not in it, with the place that names it.
#[must_use]
pub fn dangling_refs(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    visit_refs(document, "#", &mut |at, target| {
        if resolve(document, target).is_err() {
            found.push((at.to_owned(), target.to_owned()));
        }
    });
    found
}

/// Keys whose objects go by names of the document's own, so that `default` or `enum` is one of these below them.
const NAMED: [&str; 10] = [
    "callbacks",
    "encoding",
    "headers",
    "links",
    "parameters",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];

/// Calls `visit` with the place and target of every reference below `value`: `$ref`s and discriminator mappings.
///
/// Examples are data, not interface, and are passed over.
pub fn visit_refs(value: &Value, at: &str, visit: &mut impl FnMut(&str, &str)) {
    let map = match value {
        Value::Object(map) => map,
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                visit_refs(child, &format!("{at}/{index}"), visit);
            }
            return;
        }
        _ => return,
    };
    for (key, child) in map {
        match (key.as_str(), child) {
            ("$ref", Value::String(target)) => visit(at, target),
            ("discriminator", Value::Object(discriminator)) => {
                let mapping = discriminator.get("mapping").and_then(Value::as_object);
                for target in mapping.into_iter().flat_map(Map::values).filter_map(Value::as_str) {
                    // A bare name is a component's.
                    let bare = !target.contains(['#', '/', '.']);
                    let prefix = if bare { "#/components/schemas/" } else { "" };
                    visit(at, &format!("{prefix}{target}"));
                }
            }
            ("example" | "examples" | "default" | "enum", _) => {}
            (named, Value::Object(children)) if NAMED.contains(&named) => {
                for (name, child) in children {
                    visit_refs(child, &format!("{at}/{named}/{}", escape(name)), visit);
                }
            }
            _ => visit_refs(child, &format!("{at}/{}", escape(key)), visit),
        }
    }
}

/// What a local reference (`#/components/...`) names.
///
/// # Errors
/// When it leads to another file or to nothing.
pub fn resolve<'a>(document: &'a Value, target: &str) -> Result<&'a Value> {
    let Some(pointer) = target.strip_prefix('#') else {
        bail!("`{target}` leads to another file: bundle the document first");
    };
    document.pointer(pointer).with_context(|| format!("`{target}` leads nowhere"))
}

/// What a discriminator's mapping names: it may name a component instead of pointing at it.
///
/// # Errors
/// As [`resolve`].
pub fn mapped<'a>(document: &'a Value, target: &str) -> Result<&'a Value> {
    let found = document.pointer("/components/schemas").and_then(|all| all.get(target));
    found.map_or_else(|| resolve(document, target), Ok)
}

/// `value` itself, or what its `$ref` names, followed to the end.
///
/// # Errors
/// When the reference leads nowhere or in a circle.
pub fn deref<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value> {
    let mut current = value;
    for _ in 0..32 {
        match current.get("$ref").and_then(Value::as_str) {
            Some(target) => current = resolve(document, target)?,
            None => return Ok(current),
        }
    }
    bail!("a reference leads in a circle: {value}")
}

/// The last part of a local reference: the component's name.
#[must_use]
pub fn ref_name(target: &str) -> &str {
    target.rsplit('/').next().unwrap_or(target)
}

/// A key as a JSON Pointer writes it.
#[must_use]
pub fn escape(key: &str) -> Cow<'_, str> {
    // Most keys stand for themselves, and there are millions of them.
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

/// One operation of a document.
#[derive(Debug)]
pub struct Operation<'a> {
    /// The path template.
    pub path: &'a str,
    /// The method in lower case.
    pub method: &'a str,
    /// The operation object.
    pub value: &'a Value,
    /// Parameters that the path item gives to all its operations.
    pub shared_parameters: &'a [Value],
}

impl Operation<'_> {
    /// `POST /sessions/{session_id}/cancel`: how messages name it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// The operation id, or the empty string.
    #[must_use]
    pub fn id(&self) -> &str {
        self.value.get("operationId").and_then(Value::as_str).unwrap_or_default()
    }
}

/// All operations in the order of path and method.
#[must_use]
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = BTreeMap::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        let shared = item.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for method in METHODS {
            if let Some(value) = item.get(method) {
                found.insert((path, method), Operation { path, method, value, shared_parameters: shared });
            }
        }
    }
    found.into_values().collect()
}

/// Calls `edit` on every operation object, with its title.
///
/// # Errors
/// The first error of `edit`, with the operation named.
pub fn edit_operations(
    document: &mut Value,
    mut edit: impl FnMut(&str, &mut Map<String, Value>) -> Result<()>,
) -> Result<()> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                let title = format!("{} {path}", method.to_uppercase());
                edit(&title, operation).with_context(|| title.clone())?;
            }
        }
    }
    Ok(())
}

/// The map at `components/KIND`, empty when there is none.
pub fn components<'a>(document: &'a Value, kind: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    document.get("components").and_then(|all| all.get(kind)).and_then(Value::as_object).into_iter().flatten()
}

/// A stable text of a document: keys sorted, two spaces, one final newline.
#[must_use]
pub fn to_text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(value)).unwrap_or_default();
    text.push('\n');
    text
}

/// The same value with all keys in order, whatever map `serde_json` was built with.
#[must_use]
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map.iter().map(|(key, child)| (key.clone(), sorted(child))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
