//! What has to hold before a document is written: each guard turns a silent loss of the generator into an error.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use serde_json::Value;

use crate::schema;

/// Checks the curated slice, before the passes.
///
/// # Errors
/// The first default that its own schema would refuse, or pattern that cannot be matched.
pub fn check_curated(curated: &Value) -> Result<()> {
    check_defaults(curated, "#")?;
    check_patterns(curated, "#")?;
    check_enums(curated, "#")
}

/// An enum of texts that holds something else would be dropped: YAML made a boolean of a text, or upstream is wrong.
fn check_enums(value: &Value, at: &str) -> Result<()> {
    match value {
        Value::Object(map) => {
            let values = map.get("enum").and_then(Value::as_array).filter(|_| !at.ends_with("/properties"));
            let odd = values.into_iter().flatten().find(|value| !value.is_string() && !value.is_null());
            if let (Some(odd), Some("string")) = (odd, map.get("type").and_then(Value::as_str)) {
                bail!("the enum of texts at {at} holds {odd}: repair it in the overlay");
            }
            map.iter().try_for_each(|(key, child)| check_enums(child, &format!("{at}/{}", schema::escape(key))))
        }
        Value::Array(items) => items.iter().try_for_each(|child| check_enums(child, at)),
        _ => Ok(()),
    }
}

/// A request is checked against patterns as ECMAScript means them; one that does not compile would check nothing.
fn check_patterns(value: &Value, at: &str) -> Result<()> {
    match value {
        Value::Object(map) => map.iter().try_for_each(|(key, child)| match (key.as_str(), child) {
            ("pattern", Value::String(pattern)) if !at.ends_with("/properties") => match regress::Regex::new(pattern) {
                Ok(_) => Ok(()),
                Err(error) => bail!("the pattern `{pattern}` at {at} does not compile: {error}"),
            },
            ("example" | "examples" | "default" | "enum", _) if !at.ends_with("/properties") => Ok(()),
            _ => check_patterns(child, &format!("{at}/{}", schema::escape(key))),
        }),
        Value::Array(items) => items.iter().try_for_each(|child| check_patterns(child, at)),
        _ => Ok(()),
    }
}

/// Checks that every property that an operation of the slice sends or answers is in the document.
///
/// The reckoning is deliberately another one than that of the passes: references are followed as they stand, and the
/// parts of an `allOf` are simply added up.
fn check_nothing_lost(curated: &Value, document: &Value) -> Result<()> {
    let finished = schema::operations(document);
    for operation in
        schema::operations(curated).iter().filter(|operation| operation.value.get("x-handwritten").is_none())
    {
        let Some(twin) = finished.iter().find(|twin| twin.path == operation.path && twin.method == operation.method)
        else {
            bail!("{} is in the slice and not in the document", operation.title());
        };
        for (what, of) in [("body", body as fn(&Value, &Value) -> Option<Value>), ("answer", answer)] {
            let Some(wanted) = of(curated, operation.value) else { continue };
            // A type of ours can stand for several components, and so hold itself where upstream does not.
            let have = of(document, twin.value).map(|tree| properties(document, &tree, 3)).unwrap_or_default();
            let lost: Vec<String> = properties(curated, &wanted, 0).difference(&have).take(5).cloned().collect();
            if !lost.is_empty() {
                bail!("{}: the {what} has lost {}", operation.title(), lost.join(", "));
            }
        }
    }
    Ok(())
}

fn body(document: &Value, operation: &Value) -> Option<Value> {
    json_of(schema::deref(document, operation.get("requestBody")?).ok()?)
}

fn answer(document: &Value, operation: &Value) -> Option<Value> {
    let mut all = operation.get("responses")?.as_object()?.iter();
    let (_, response) = all.find(|(status, _)| status.starts_with('2'))?;
    json_of(schema::deref(document, response).ok()?)
}

fn json_of(holder: &Value) -> Option<Value> {
    holder.pointer("/content/application~1json/schema").cloned()
}

/// The path of every property below `tree`. A component is followed into itself `again` times.
fn properties(document: &Value, tree: &Value, again: usize) -> BTreeSet<String> {
    let mut reckoning = Reckoning { document, again, inside: Vec::new(), found: BTreeSet::new() };
    reckoning.walk(tree, "$", false);
    reckoning.found
}

struct Reckoning<'a> {
    document: &'a Value,
    again: usize,
    inside: Vec<&'a str>,
    found: BTreeSet<String>,
}

impl<'a> Reckoning<'a> {
    /// `is_part`: inside an `allOf`, where a schema's own discriminator chooses nothing.
    fn walk(&mut self, tree: &'a Value, at: &str, is_part: bool) {
        let Some(target) = tree.get("$ref").and_then(Value::as_str) else { return self.node(tree, at, is_part) };
        let before = self.inside.iter().filter(|open| **open == target).count();
        if let (true, Ok(found)) = (before <= self.again, schema::resolve(self.document, target)) {
            self.inside.push(target);
            self.walk(found, at, is_part);
            self.inside.pop();
        }
    }

    fn node(&mut self, tree: &'a Value, at: &str, is_part: bool) {
        // A choice: the tag is not a property of the variants any more, all else of them is.
        if let (Some(Value::Object(mapping)), false) = (tree.pointer("/discriminator/mapping"), is_part) {
            let tag = tree.pointer("/discriminator/propertyName").and_then(Value::as_str).unwrap_or_default();
            for (name, target) in mapping {
                let at = format!("{at}<{name}>");
                if let Some(Ok(variant)) = target.as_str().map(|target| schema::resolve(self.document, target)) {
                    self.node(variant, &at, true);
                }
                self.found.remove(&format!("{at}.{tag}"));
            }
            return;
        }
        for (name, variant) in entries(tree, "/x-tagged/variants") {
            self.walk(variant, &format!("{at}<{name}>"), false);
        }
        for (name, child) in entries(tree, "/properties") {
            let at = format!("{at}.{name}");
            self.walk(child, &at, false);
            self.found.insert(at);
        }
        // A single part is a reference that has a description beside it, and no part of anything else.
        let parts = tree.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let is_alone = parts.len() == 1 && tree.get("properties").is_none();
        for part in parts {
            self.walk(part, at, is_part || !is_alone);
        }
        if let Some(items) = tree.get("items") {
            self.walk(items, &format!("{at}[]"), false);
        }
    }
}

fn entries<'a>(tree: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    tree.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

/// A default has to be a value of its schema: the generator refuses it without a name, and stops at the first.
fn check_defaults(value: &Value, at: &str) -> Result<()> {
    match value {
        Value::Object(map) => {
            let is_schema = map.contains_key("type") && !at.ends_with("/properties");
            if let (true, Some(default)) = (is_schema, map.get("default"))
                && let Some(trouble) = refuses(value, default)
            {
                bail!("the default {default} at {at} {trouble}: repair it in the overlay");
            }
            for (key, child) in map {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") || at.ends_with("/properties") {
                    check_defaults(child, &format!("{at}/{}", schema::escape(key)))?;
                }
            }
            Ok(())
        }
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, child)| check_defaults(child, &format!("{at}/{index}")))
        }
        _ => Ok(()),
    }
}

fn refuses(schema: &Value, value: &Value) -> Option<String> {
    if schema.get("enum").and_then(Value::as_array).is_some_and(|allowed| !allowed.contains(value)) {
        return Some("is not in its own enum".to_owned());
    }
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let may_be_null = value.is_null() && schema["nullable"] == true;
    if !fits && !may_be_null {
        return Some(format!("is not of its type, {}", schema["type"]));
    }
    match (value.as_f64(), schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some(value), Some(least), _) if value < least => Some(format!("is below its minimum {least}")),
        (Some(value), _, Some(most)) if value > most => Some(format!("is above its maximum {most}")),
        _ => None,
    }
}

/// Checks the finished document.
///
/// # Errors
/// When an operation of the slice is missing, a name cannot be a Rust name of its own, or a field would get lost.
pub fn check_document(curated: &Value, document: &Value) -> Result<()> {
    for operation in schema::operations(curated) {
        if !operation.path.starts_with('/') {
            bail!("{}: the generator drops a path without a leading slash", operation.title());
        }
    }
    check_nothing_lost(curated, document)?;
    unique("operation ids", schema::operations(document).iter().map(|operation| operation.id().to_owned()), |id| {
        id.to_snake_case()
    })?;
    unique("type names", schema::components(document, "schemas").map(|(name, _)| name.clone()), |name| {
        name.to_upper_camel_case()
    })?;
    let long: Vec<&str> =
        schema::components(document, "schemas").map(|(name, _)| name.as_str()).filter(|name| name.len() > 40).collect();
    if !long.is_empty() {
        bail!("type names of more than 40 characters, to be given an `x-name`: {}", long.join(", "));
    }
    for (name, tree) in schema::components(document, "schemas") {
        if name.to_upper_camel_case() != *name {
            bail!("type name {name} would be spelled {} in Rust: name it so", name.to_upper_camel_case());
        }
        if name.ends_with(|last: char| last.is_ascii_digit())
            || ["Item", "Inner", "Variant"].iter().any(|filler| name.ends_with(&filler.repeat(2)))
        {
            bail!("type name {name} is a filler: give it an `x-name`");
        }
        let fields = tree.get("properties").and_then(Value::as_object).into_iter().flatten();
        unique(&format!("fields of {name}"), fields.map(|(field, _)| field.clone()), |field| field.to_snake_case())?;
        if tree.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            bail!("enum {name} has no value");
        }
    }
    if let Some((at, target)) = schema::dangling_refs(document).into_iter().next() {
        bail!("{at} of the document refers to {target}, which is not there");
    }
    Ok(())
}

/// Checks that no two names are one once they are spelled as Rust spells them.
fn unique(what: &str, names: impl Iterator<Item = String>, spell: impl Fn(&str) -> String) -> Result<()> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        if let Some(other) = seen.insert(spell(&name), name.clone()) {
            bail!("{what}: `{other}` and `{name}` are both `{}` in Rust", spell(&name));
        }
    }
    Ok(())
}
