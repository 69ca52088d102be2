//! Telling a document that is cut off from one in which upstream removed something.
//!
//! A cut takes away what comes last in the text, and YAML cut off between two lines can still be well-formed. So what
//! an older revision has and the newer one lacks is held against the end of the newer text: at each level on the way
//! to its last value, everything that is missing may have followed, unless the keys stand in order and it would have
//! stood before. What is missing elsewhere was removed.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use super::Source;
use super::parse::Step;
use crate::{schema, slice};

const HINT: &str = "read it again, and pass `--removed` if upstream really dropped it";

/// Checks that `new` is whole, as far as it can be told without an older revision.
pub(super) fn check_alone(document: &Value, end: Option<&[Step]>) -> Result<()> {
    for key in ["info", "paths", "components"] {
        if !document.get(key).is_some_and(Value::is_object) {
            bail!("the document has no `{key}`: it is cut short or not an interface document");
        }
    }
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        if !item.is_object() {
            bail!("the path `{path}` holds nothing: the document is cut short");
        }
    }
    for operation in schema::operations(document) {
        if !operation.value.get("responses").is_some_and(Value::is_object) {
            bail!("{} has no `responses`: the document is cut short", operation.title());
        }
    }
    if let Some((at, target)) = schema::dangling_refs(document).into_iter().next() {
        bail!("`{target}`, named at {at}, does not exist: the document is cut short or refers to another file");
    }
    // The last kind of component as documents are usually written: nothing refers to it with a `$ref`.
    if end.is_some()
        && let Some(name) = schemes_named(document).into_iter().find(|name| !has_scheme(document, name))
    {
        bail!("the security scheme `{name}` does not exist: the document is cut short");
    }
    Ok(())
}

fn schemes_named(document: &Value) -> BTreeSet<&str> {
    let operations = schema::operations(document);
    let own = operations.iter().filter_map(|operation| operation.value.get("security"));
    let all = own.chain(document.get("security")).filter_map(Value::as_array).flatten();
    all.filter_map(Value::as_object).flatten().map(|(name, _)| name.as_str()).collect()
}

fn has_scheme(document: &Value, name: &str) -> bool {
    schema::components(document, "securitySchemes").any(|(found, _)| found == name)
}

/// Checks that what the slice `old` has and `new` lacks is not what a cut would have taken.
pub(super) fn check_against(old: &Value, new: &Source) -> Result<()> {
    if let Some(end) = &new.end {
        check_end(old, new, end)?;
    }
    check_idle(old, &new.document)?;
    // Nobody removes most of an interface: it is another document, or a part of one.
    let operations = |document| -> BTreeSet<(String, String)> {
        let all = schema::operations(document).into_iter();
        all.map(|operation| (operation.method.to_owned(), slice::without_names(operation.path))).collect()
    };
    let (before, now) = (operations(old), operations(&new.document));
    let gone = before.difference(&now).count();
    if gone * 2 > before.len() {
        bail!(
            "{gone} of {} operations are missing: this is a part of a document, or another one; {HINT}",
            before.len()
        );
    }
    Ok(())
}

/// Paths are cut off, rather than dropped, when what only they used is still there, and used by nothing.
fn check_idle(old: &Value, document: &Value) -> Result<()> {
    let paths = |document: &Value| -> BTreeSet<String> {
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.map(|(path, _)| slice::without_names(path)).collect()
    };
    let gone: BTreeSet<String> = paths(old).difference(&paths(document)).cloned().collect();
    let (mut lost, mut used) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in old.get("paths").and_then(Value::as_object).into_iter().flatten() {
        if gone.contains(&slice::without_names(path)) {
            schema::visit_refs(item, "#", &mut |_, target| {
                lost.insert(target.to_owned());
            });
        }
    }
    if !lost.is_empty() {
        schema::visit_refs(document, "#", &mut |_, target| {
            used.insert(target.to_owned());
        });
    }
    let idle = lost.iter().filter(|target| !used.contains(*target) && schema::resolve(document, target).is_ok());
    let idle: Vec<&str> = idle.map(|target| schema::ref_name(target)).collect();
    if !idle.is_empty() {
        let gone: Vec<String> = gone.into_iter().collect();
        bail!(
            "there is no {} any longer, but what nothing else used is still there ({}): it may be cut off; {HINT}",
            gone.join(", "),
            idle.join(", ")
        );
    }
    Ok(())
}

fn check_end(old: &Value, new: &Source, end: &[Step]) -> Result<()> {
    let (mut old, mut now, mut at) = (old, &new.document, String::from("#"));
    for (level, Step { key, is_sorted }) in end.iter().enumerate() {
        let same = |one: &str, other: &str| match (level, at.as_str()) {
            // The names of path parameters are not on the wire.
            (1, "#/paths") => slice::without_names(one) == slice::without_names(other),
            _ => one == other,
        };
        // Every reference leads somewhere, so no component is missing that anything names.
        let is_checked = at.starts_with("#/components") && level <= 2;
        let (older, newer) = match (old, now) {
            (Value::Object(before), Value::Object(after)) => {
                let said = before.iter().filter(|(_, value)| !is_empty(value));
                let gone: Vec<&str> = said
                    .map(|(name, _)| name.as_str())
                    .filter(|name| !after.keys().any(|other| same(name, other)))
                    .filter(|name| !is_sorted || *name > key.as_str())
                    .collect();
                if let (Some(first), false) = (gone.first(), is_checked) {
                    let more = if gone.len() > 1 { format!(" and {} more", gone.len() - 1) } else { String::new() };
                    bail!("the text ends in {at}, where `{first}`{more} is missing: it may be cut off there; {HINT}");
                }
                (before.iter().find(|(name, _)| same(name, key)).map(|(_, value)| value), after.get(key))
            }
            (Value::Array(before), Value::Array(after)) => {
                if after.len() < before.len() {
                    let gone = before.len() - after.len();
                    bail!("the text ends in {at}, where {gone} entries are missing: it may be cut off there; {HINT}");
                }
                let index = key.parse().unwrap_or(usize::MAX);
                (before.get(index), after.get(index))
            }
            _ => (None, None),
        };
        let (Some(older), Some(newer)) = (older, newer) else { return Ok(()) };
        (old, now, at) = (older, newer, format!("{at}/{}", schema::escape(key)));
    }
    let is_value = |value: &Value| !value.is_object() && !value.is_array();
    if now.is_null() && !is_empty(old) {
        bail!("the text ends in {at}, where nothing follows: it may be cut off there; {HINT}");
    }
    if !new.ends_with_a_line && is_value(now) && old != now {
        bail!("the last line of the text, in {at}, has no end and is not what it was: it may be cut off there; {HINT}");
    }
    Ok(())
}

/// What says nothing; the slice writes some of it where upstream leaves it out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
