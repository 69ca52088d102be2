//! Pass `name`: one named component for every object, enum and choice.
//!
//! A node is named by the overlay (`x-name`, put there by [`super::select`]), else by where it stands
//! (`Transaction` + `url` = `TransactionUrl`). Nodes of one name are one type: the union of all of them, see
//! [`super::unify::union`]. Nodes without a name of their own share a type when they have the same shape, under the
//! shortest of the names that their places give. A name that would stand for two shapes is an error: the overlay
//! has to tell them apart.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use heck::ToUpperCamelCase as _;
use serde_json::{Map, Value, json};

use super::Interface;
use super::calls::Call;
use super::select::below;
use super::unify::union;
use crate::model::Step;

/// Names every schema of `calls`.
///
/// # Errors
/// When two shapes claim one name, or one name cannot stand for all that has it.
pub fn name(mut calls: Vec<Call>) -> Result<Interface> {
    let mut names = Names::default();
    for call in &mut calls {
        let title = call.title();
        for (_, tree) in roots(call) {
            names.cut(tree).with_context(|| title.clone())?;
        }
    }
    names.index_shapes();
    let mut level: Vec<(String, &mut Value)> = calls.iter_mut().flat_map(roots).collect();
    let mut named: Vec<(String, Value)> = std::mem::take(&mut names.named).into_iter().collect();
    level.extend(named.iter_mut().map(|(name, tree)| (name.clone(), tree)));
    let mut found = names.name_level(level)?;
    let mut schemas: BTreeMap<String, Value> = named.into_iter().collect();
    while !found.is_empty() {
        let next = names.name_level(found.iter_mut().map(|(name, tree)| (name.clone(), tree)).collect())?;
        schemas.extend(found);
        found = next;
    }
    for call in &mut calls {
        for (_, tree) in roots(call) {
            names.close_circles(tree)?;
        }
    }
    for tree in schemas.values_mut() {
        names.close_circles(tree)?;
    }
    Ok(Interface { calls, schemas })
}

/// The trees of a call, with the name that a nameless one would get.
fn roots(call: &mut Call) -> Vec<(String, &mut Value)> {
    let prefix = call.id.to_upper_camel_case();
    let mut out = vec![(format!("{prefix}Response"), &mut call.response)];
    out.extend(call.body.as_mut().map(|body| (format!("{prefix}Request"), body)));
    out.extend(call.toggles.as_mut().map(|toggles| (format!("{prefix}Toggle"), toggles)));
    for parameter in &mut call.parameters {
        let own = parameter["name"].as_str().unwrap_or_default().to_upper_camel_case();
        out.push((format!("{prefix}{own}"), &mut parameter["schema"]));
    }
    out
}

#[derive(Debug, Default)]
struct Names {
    /// What each name stands for so far.
    named: BTreeMap<String, Value>,
    /// Which name a shape has.
    shapes: BTreeMap<String, String>,
    /// Names given by place, with the shape that has them.
    taken: BTreeMap<String, String>,
    /// The name of the type that each class of schemas became, for references from inside it.
    classes: BTreeMap<u64, String>,
}

impl Names {
    /// Replaces every node that has a name of its own by a reference, the innermost first.
    fn cut(&mut self, tree: &mut Value) -> Result<()> {
        for child in children(tree) {
            self.cut(child)?;
        }
        if !needs_name(tree) {
            return Ok(());
        }
        let Some(name) = tree.get("x-name").and_then(Value::as_str).map(str::to_owned) else {
            return Ok(());
        };
        let node = self.cut_out(tree, &name);
        let joined = match self.named.get(&name) {
            // Most places that have a name have the same.
            Some(present) if *present == node => return Ok(()),
            Some(present) => union(present, &node).with_context(|| format!("type {name}"))?,
            None => node,
        };
        self.named.insert(name, joined);
        Ok(())
    }

    /// Puts a reference in the place of `tree`, and remembers what class of schemas it was.
    fn cut_out(&mut self, tree: &mut Value, name: &str) -> Value {
        let mut node = std::mem::replace(tree, reference(name));
        if let Some(map) = node.as_object_mut() {
            map.remove("x-name");
            if let Some(class) = map.remove("x-class").as_ref().and_then(Value::as_u64) {
                self.classes.insert(class, name.to_owned());
            }
        }
        node
    }

    fn index_shapes(&mut self) {
        for (name, tree) in &self.named {
            let shape = shape(tree);
            self.taken.insert(name.clone(), shape.clone());
            self.shapes.entry(shape).or_insert_with(|| name.clone());
        }
    }

    /// Names the outermost nameless nodes of `level` and returns them, cut out.
    fn name_level(&mut self, mut level: Vec<(String, &mut Value)>) -> Result<Vec<(String, Value)>> {
        let mut candidates: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (owner, tree) in &mut level {
            let owner_is_named = self.taken.contains_key(owner);
            visit_nameless(tree, owner, owner_is_named, &mut |node, place| {
                candidates.entry(shape(node)).or_default().push(place.to_owned());
                Ok(())
            })?;
        }
        let mut fresh = Vec::new();
        for (shape, mut places) in candidates {
            if self.shapes.contains_key(&shape) {
                continue;
            }
            places.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            let name = places.into_iter().next().unwrap_or_default();
            if let Some(other) = self.taken.insert(name.clone(), shape.clone()) {
                bail!("`{name}` would name two shapes: give one of them an `x-name`\n  {other}\n  {shape}");
            }
            self.shapes.insert(shape, name.clone());
            fresh.push(name);
        }
        let mut cut: BTreeMap<String, Value> = BTreeMap::new();
        for (owner, tree) in &mut level {
            let owner_is_named = self.taken.contains_key(owner) && !fresh.contains(owner);
            visit_nameless(tree, owner, owner_is_named, &mut |node, _| {
                let name = self.shapes.get(&shape(node)).context("a shape has lost its name")?.clone();
                let node = self.cut_out(node, &name);
                if fresh.contains(&name) {
                    match cut.remove(&name) {
                        // The same shape: only what is said about it can differ.
                        Some(present) => cut.insert(name, union(&present, &node)?),
                        None => cut.insert(name, node),
                    };
                }
                Ok(())
            })?;
        }
        Ok(cut.into_iter().collect())
    }

    /// References of a component to itself, now that it has a name.
    fn close_circles(&self, tree: &mut Value) -> Result<()> {
        if let Some(class) = tree.get("x-recursive").and_then(Value::as_u64) {
            let name = self.classes.get(&class).context("a schema contains itself and has no name")?;
            *tree = reference(name);
        }
        children(tree).into_iter().try_for_each(|child| self.close_circles(child))
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Objects with properties, enums and choices become Rust types; the rest is spelled out in place.
pub(super) fn needs_name(tree: &Value) -> bool {
    let has = |key: &str| tree.get(key).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    has("properties") || has("x-tagged") || tree.get("enum").is_some()
}

/// The nodes right below `tree`, with no order but that of their keys.
fn children(tree: &mut Value) -> Vec<&mut Value> {
    below(tree).into_iter().map(|(_, child)| child).collect()
}

/// Calls `visit` on the outermost nodes that want a name and have none, with the name their place gives.
fn visit_nameless(
    tree: &mut Value,
    place: &str,
    is_named: bool,
    visit: &mut impl FnMut(&mut Value, &str) -> Result<()>,
) -> Result<()> {
    if !is_named && needs_name(tree) {
        return visit(tree, place);
    }
    for (step, child) in below(tree) {
        let place = match step {
            Step::Property(name) | Step::Variant(name) => format!("{place}{}", name.to_upper_camel_case()),
            Step::Items => singular(place),
            Step::Additional => format!("{place}Value"),
        };
        visit_nameless(child, &place, false, visit)?;
    }
    Ok(())
}

fn singular(name: &str) -> String {
    for (plural, single) in [("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("xes", "x")] {
        if let Some(stem) = name.strip_suffix(plural) {
            return format!("{stem}{single}");
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// What makes two nodes the same Rust type: names and kinds of fields, not what is said about them.
#[must_use]
pub fn shape(tree: &Value) -> String {
    fn bare(tree: &Value) -> Value {
        let mut out = Map::new();
        for (key, child) in tree.as_object().into_iter().flatten() {
            let kept = match key.as_str() {
                "properties" => each(child, bare),
                "items" => bare(child),
                "additionalProperties" if child.is_object() => bare(child),
                "x-tagged" => json!({ "property": child["property"], "variants": each(&child["variants"], bare) }),
                "enum" | "required" => {
                    let mut sorted: Vec<Value> = child.as_array().cloned().unwrap_or_default();
                    sorted.sort_by_key(Value::to_string);
                    if sorted.is_empty() {
                        continue;
                    }
                    Value::Array(sorted)
                }
                "type" | "format" | "$ref" | "nullable" | "additionalProperties" | "x-recursive" => child.clone(),
                _ => continue,
            };
            out.insert(key.clone(), kept);
        }
        Value::Object(out)
    }
    fn each(map: &Value, take: impl Fn(&Value) -> Value) -> Value {
        Value::Object(map.as_object().into_iter().flatten().map(|(key, child)| (key.clone(), take(child))).collect())
    }
    crate::schema::sorted(&bare(tree)).to_string()
}
