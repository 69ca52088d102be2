//! Pass `marks`: what the overlay says of fields by our own names.
//!
//! `typed`: texts that have a form of their own, such as ids and times. `traits.arguments`: the order in which a
//! constructor takes what its type requires. `traits.restates`: which type states another one again. `printed`: fields
//! whose value may be in a log.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::Interface;
use super::calls::Call;
use crate::overlay::Overlay;

/// Writes the marks into the interface; returns those of what does not exist.
///
/// # Errors
/// When an entry names something that cannot have what it says.
pub(crate) fn mark(interface: &mut Interface, overlay: &Overlay) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for (kind, places) in &overlay.typed {
        for place in places {
            if !type_place(interface, place, kind).with_context(|| format!("typed {kind}: {place}"))? {
                stale.push(format!("typed {kind}: there is no {place}"));
            }
        }
    }
    for place in &overlay.printed {
        if !print_place(interface, place) {
            stale.push(format!("printed: there is no text, day or decimal number {place}"));
        }
    }
    for (name, arguments) in &overlay.traits.arguments {
        if !set(interface, name, "x-arguments", json!(arguments)) {
            stale.push(format!("arguments: there is no type {name}"));
        }
    }
    for (name, other) in &overlay.traits.restates {
        if !interface.schemas.contains_key(other) || !set(interface, name, "x-restates", json!(other)) {
            stale.push(format!("restates: there is no type {name}, or no {other}"));
        }
    }
    Ok(stale)
}

fn set(interface: &mut Interface, name: &str, key: &str, value: Value) -> bool {
    let tree = interface.schemas.get_mut(name).and_then(Value::as_object_mut);
    tree.map(|tree| tree.insert(key.to_owned(), value)).is_some()
}

/// A place is `field`, of every type, or `Type.field`; names of fields have dots too.
fn print_place(interface: &mut Interface, place: &str) -> bool {
    let own = place.split_once('.').filter(|(owner, _)| interface.schemas.contains_key(*owner));
    let (owner, field) = own.map_or((None, place), |(owner, field)| (Some(owner), field));
    let mut found = false;
    for (name, tree) in &mut interface.schemas {
        let property = tree.get_mut("properties").and_then(|all| all.get_mut(field));
        if let Some(property) = property.filter(|tree| owner.is_none_or(|owner| owner == name) && is_hidden(tree)) {
            property["x-printed"] = json!(true);
            found = true;
        }
    }
    found
}

/// Whether a value is not shown unless it is listed. Personal data stays hidden whatever is listed.
fn is_hidden(tree: &Value) -> bool {
    let target = tree.get("$ref").and_then(Value::as_str).map(crate::schema::ref_name);
    let is_text = tree["type"] == "string" && tree["format"] != "date-time";
    is_text || matches!(target, Some("Decimal")) || tree.get("items").is_some_and(is_hidden)
}

/// A place is `Type.field`, `operation.parameter`, or `/segment/{}` for the parameter that follows it in every path.
fn type_place(interface: &mut Interface, place: &str, kind: &str) -> Result<bool> {
    let mut found = false;
    if let Some(prefix) = place.strip_suffix("{}") {
        for call in &mut interface.calls {
            let Some(name) = parameter_after(call, prefix) else { continue };
            for parameter in call.parameters.iter_mut().filter(|parameter| parameter["name"] == *name) {
                found = true;
                type_tree(&mut parameter["schema"], kind)?;
            }
        }
        return Ok(found);
    }
    let (owner, field) = place.split_once('.').context("the place has no dot")?;
    let property =
        interface.schemas.get_mut(owner).and_then(|tree| tree.get_mut("properties")).and_then(|all| all.get_mut(field));
    if let Some(tree) = property {
        type_tree(tree, kind)?;
        found = true;
    }
    for call in interface.calls.iter_mut().filter(|call| call.id == owner) {
        for parameter in call.parameters.iter_mut().filter(|parameter| parameter["name"] == field) {
            type_tree(&mut parameter["schema"], kind)?;
            found = true;
        }
    }
    Ok(found)
}

fn parameter_after(call: &Call, prefix: &str) -> Option<String> {
    let rest = call.path.strip_prefix(prefix)?.strip_prefix('{')?;
    Some(rest.split('}').next()?.to_owned())
}

/// Only a text, or a list of texts, can become more than a text.
fn type_tree(tree: &mut Value, kind: &str) -> Result<()> {
    if let Some(items) = tree.get_mut("items") {
        return type_tree(items, kind);
    }
    let Some(map) = tree.as_object_mut().filter(|map| map.get("type").is_some_and(|kind| kind == "string")) else {
        bail!("it is no text: {tree}");
    };
    if kind == "DateTime" {
        map.insert("format".to_owned(), json!("date-time"));
        return Ok(());
    }
    let kept = |key: &str| matches!(key, "description" | "x-facts");
    let mut typed: Map<String, Value> =
        map.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    typed.insert("$ref".to_owned(), json!(format!("#/components/schemas/{kind}")));
    *map = typed;
    Ok(())
}
