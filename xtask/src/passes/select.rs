//! Pass `select`: what the overlay says of places, put on the trees of the calls.
//!
//! A place is addressed by what it means, in one of two ways:
//! - `get_transaction.response.$.events[].metadata`: a call of ours, what it is of the call (`request`, `response`,
//!   `toggles`, `query.NAME`, `path.NAME`), and the way from there;
//! - `TransactionEvent.metadata`: a type that the overlay names, and the way from there.
//!
//! How the document is cut into components and parts does not matter, and nothing is addressed by it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::calls::Call;
use super::name::needs_name;
use crate::model::Step;
use crate::moved;
use crate::overlay::Overlay;

/// Marks what has a name (`x-name`) and applies the edits; returns the entries that met nothing.
///
/// # Errors
/// When a place is given two names.
pub fn select(calls: &mut [Call], overlay: &Overlay) -> Result<Vec<String>> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, places) in &overlay.types {
        for address in places.each() {
            if let Some(other) = names.insert(address, name) {
                bail!("types: {address} is named {other} and {name}");
            }
        }
    }
    let known = known(calls, &names);
    let mut walk = Walk { overlay, names, known, met: BTreeSet::new(), nameless: BTreeSet::new() };
    for call in calls {
        let id = call.id.clone();
        for (place, tree) in call.places() {
            walk.node(tree, &format!("{id}.{place}.$"), None)?;
        }
    }
    let Walk { names, met, nameless, .. } = walk;
    let mut stale: Vec<String> = names
        .iter()
        .filter(|(address, _)| !met.contains(**address))
        .map(|(address, name)| {
            let hint = moved::hint(address, nameless.iter().map(String::as_str));
            format!("type {name}: nothing stands at {address}{hint}")
        })
        .collect();
    let edits = overlay.edits.iter().filter(|edit| !met.contains(&format!("edit {}", edit.at)));
    stale.extend(edits.map(|edit| format!("edit at {}: it meets or changes nothing ({})", edit.at, edit.reason)));
    Ok(stale)
}

/// The names of what calls send and give as a whole, by class of schema: a call more that gives the same has that type.
/// A class that has two names has none here.
fn known<'o>(calls: &mut [Call], names: &BTreeMap<&'o str, &'o str>) -> BTreeMap<u64, &'o str> {
    let mut found: BTreeMap<u64, BTreeSet<&'o str>> = BTreeMap::new();
    for call in calls {
        let id = call.id.clone();
        for (place, tree) in call.places() {
            let address = format!("{id}.{place}.$");
            let items = tree.get("items").map(|items| (format!("{address}[]"), items));
            for (address, tree) in [(address.clone(), &*tree)].into_iter().chain(items) {
                if let (Some(class), Some(name)) = (class(tree), names.get(address.as_str())) {
                    found.entry(class).or_default().insert(name);
                }
            }
        }
    }
    let alone = found.into_iter().filter(|(_, names)| names.len() == 1);
    alone.filter_map(|(class, names)| Some((class, names.into_iter().next()?))).collect()
}

fn class(tree: &Value) -> Option<u64> {
    tree.get("x-class").and_then(Value::as_u64)
}

struct Walk<'o> {
    overlay: &'o Overlay,
    names: BTreeMap<&'o str, &'o str>,
    known: BTreeMap<u64, &'o str>,
    met: BTreeSet<String>,
    /// Places that could have a name and have none.
    nameless: BTreeSet<String>,
}

impl<'o> Walk<'o> {
    /// `by_call` and `by_type` are the addresses of `tree`.
    fn node(&mut self, tree: &mut Value, by_call: &str, by_type: Option<&str>) -> Result<()> {
        self.edit(tree, by_call);
        by_type.into_iter().for_each(|address| self.edit(tree, address));
        let mut own: Option<&'o str> = None;
        for address in [Some(by_call), by_type].into_iter().flatten() {
            let Some(name) = self.names.get(address).copied() else { continue };
            if !needs_name(tree) && tree.get("x-recursive").is_none() {
                continue;
            }
            if let Some(other) = own.filter(|other| *other != name) {
                bail!("types: {by_call} is named {other} and, as {address}, {name}");
            }
            self.met.insert(address.to_owned());
            own = Some(name);
        }
        // Inside a type, places have names of their own.
        if by_type.is_none() && own.is_none() && needs_name(tree) {
            own = class(tree).and_then(|class| self.known.get(&class).copied());
        }
        if let Some(name) = own {
            self.edit(tree, name);
            tree["x-name"] = json!(name);
        } else if needs_name(tree) {
            self.nameless.insert(by_type.unwrap_or(by_call).to_owned());
        }
        let by_type = own.or(by_type);
        for (step, child) in below(tree) {
            let longer = |address: &str| {
                let mut longer = address.to_owned();
                step.push_to(&mut longer);
                longer
            };
            self.node(child, &longer(by_call), by_type.map(longer).as_deref())?;
        }
        Ok(())
    }

    fn edit(&mut self, tree: &mut Value, address: &str) {
        for edit in self.overlay.edits.iter().filter(|edit| edit.at == address) {
            let Some(map) = tree.as_object_mut() else { continue };
            let before = map.clone();
            for key in &edit.remove {
                map.remove(key);
            }
            for (key, value) in &edit.set {
                map.insert(key.clone(), value.clone());
            }
            if *map != before {
                self.met.insert(format!("edit {address}"));
            }
        }
    }
}

/// The nodes right below, each with the step to it.
pub(super) fn below(tree: &mut Value) -> Vec<(Step, &mut Value)> {
    let mut out = Vec::new();
    for (key, child) in tree.as_object_mut().into_iter().flatten() {
        match (key.as_str(), child) {
            ("properties", Value::Object(properties)) => {
                out.extend(properties.iter_mut().map(|(name, child)| (Step::Property(name.clone()), child)));
            }
            ("x-tagged", Value::Object(tagged)) => {
                let variants = tagged.get_mut("variants").and_then(Value::as_object_mut);
                out.extend(variants.into_iter().flatten().map(|(tag, child)| (Step::Variant(tag.clone()), child)));
            }
            ("items", child @ Value::Object(_)) => out.push((Step::Items, child)),
            ("additionalProperties", child @ Value::Object(_)) => out.push((Step::Additional, child)),
            _ => {}
        }
    }
    out
}
