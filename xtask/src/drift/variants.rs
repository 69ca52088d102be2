//! Alternatives of a schema: what a discriminator's values stand for, and which alternative of one side answers to
//! which of the other.
//!
//! An alternative is known by a label that does not come from a component's name, save where the name itself is on the
//! wire: a discriminator without a mapping sends it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{Document, Place, Result, kind};
use super::fact::{Fact, Keyword};
use super::node::{Discriminator, Node, NodeId, Resolver};
use super::shape;

/// Adds the discriminator of the parts of `node`, with everything its values stand for.
pub(crate) fn discriminators(resolver: &mut Resolver<'_>, node: &mut Node) -> Result<()> {
    let mut properties = BTreeSet::new();
    let mut mapping: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    let mut by = Vec::new();
    for part in node.parts.clone() {
        let Some(place) = resolver.document.child(part, "discriminator") else { continue };
        let Some(property) = resolver.document.text(place, "propertyName")? else {
            return Err(resolver.document.error(place, "the discriminator has no `propertyName`"));
        };
        let stated = mapping_of(resolver, part, place)?;
        // A child that takes in its parent is one of the parent's variants, not the parent again.
        if stated.values().any(|target| node.parts.contains(target)) {
            continue;
        }
        properties.insert(property.to_owned());
        by.push(part);
        for (value, target) in stated {
            mapping.entry(value).or_default().push(target);
        }
    }
    if !by.is_empty() {
        let property = properties.into_iter().collect::<Vec<_>>().join(" and ");
        node.discriminator = Some(Discriminator { property, mapping, by });
    }
    Ok(())
}

fn mapping_of(resolver: &mut Resolver<'_>, part: Place, place: Place) -> Result<BTreeMap<String, Place>> {
    let document = &mut resolver.document;
    let mut found = BTreeMap::new();
    for (value, entry) in document.members(place, "mapping")? {
        let target = match document.value(entry) {
            Value::String(target) if target.starts_with('#') => document.lookup(entry, target)?,
            // A bare name is a component's.
            Value::String(target) => match document.component("schemas", target) {
                Some(found) => found,
                None => return Err(document.error(entry, format!("`{target}` is no schema of this document"))),
            },
            other => return Err(document.error(entry, format!("expected a reference, found {}", kind(other)))),
        };
        let target = document.resolve(target)?;
        found.insert(value, target);
    }
    let mut alternatives = document.elements(part, "oneOf")?;
    alternatives.extend(document.elements(part, "anyOf")?);
    let listed = !alternatives.is_empty();
    let alternatives = if listed {
        alternatives
    } else if found.is_empty() {
        children_of(document, part)?
    } else {
        Vec::new()
    };
    for alternative in alternatives {
        let target = document.resolve(alternative)?;
        if found.values().any(|known| *known == target) {
            continue;
        }
        let pointer = document.pointer(target);
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        found.insert(name, target);
    }
    Ok(found)
}

/// Components that take `parent` in as a part: its children where a discriminator names none.
fn children_of(document: &mut Document<'_>, parent: Place) -> Result<Vec<Place>> {
    let Some(components) = document.child(Document::root(), "components") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (_, component) in document.members(components, "schemas")? {
        if !document.object(component)?.contains_key("allOf") {
            continue;
        }
        for part in document.elements(component, "allOf")? {
            if document.resolve(part)? == parent {
                found.push(component);
                break;
            }
        }
    }
    Ok(found)
}

/// Alternatives of both sides, matched.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Label, old and new alternative.
    pub(crate) both: Vec<(String, NodeId, NodeId)>,
    pub(crate) removed: Vec<(String, NodeId)>,
    pub(crate) added: Vec<(String, NodeId)>,
}

/// Matches the alternatives of two groups by what they allow, never by name or order.
pub(crate) fn matched(
    old: &mut Resolver<'_>,
    new: &mut Resolver<'_>,
    old_group: &[Place],
    new_group: &[Place],
) -> Result<Matched> {
    let mut ours = labelled(old, old_group)?;
    let mut theirs = labelled(new, new_group)?;
    let labels: BTreeSet<String> = ours.keys().chain(theirs.keys()).cloned().collect();
    let mut out = Matched::default();
    for label in labels {
        let mut before = ours.remove(&label).unwrap_or_default();
        let mut after = theirs.remove(&label).unwrap_or_default();
        let alone = before.len() <= 1 && after.len() <= 1;
        let mut count = 0;
        let mut name = || {
            count += 1;
            if alone || count == 1 { label.clone() } else { format!("{label}#{count}") }
        };
        while let Some((left, right)) = closest(&before, &after) {
            let (left, right) = (before.remove(left), after.remove(right));
            out.both.push((name(), left.node, right.node));
        }
        out.removed.extend(before.into_iter().map(|alternative| (name(), alternative.node)));
        out.added.extend(after.into_iter().map(|alternative| (name(), alternative.node)));
    }
    Ok(out)
}

/// Labels of the alternatives of a group, sorted.
pub(crate) fn labels(resolver: &mut Resolver<'_>, group: &[Place]) -> Result<Vec<String>> {
    let found = labelled(resolver, group)?;
    Ok(found.into_iter().flat_map(|(label, alternatives)| vec![label; alternatives.len()]).collect())
}

struct Alternative {
    node: NodeId,
    digest: String,
    properties: BTreeSet<String>,
}

fn labelled(resolver: &mut Resolver<'_>, group: &[Place]) -> Result<BTreeMap<String, Vec<Alternative>>> {
    let mut found: BTreeMap<String, Vec<Alternative>> = BTreeMap::new();
    for place in group {
        let node = resolver.node(&[*place])?;
        let digest = shape::digest(resolver, node)?;
        let resolved = resolver.get(node);
        let label = match resolved.facts.get(&Keyword::Type) {
            Some(stated) => match &stated.fact {
                Fact::Types(types) => types.iter().cloned().collect::<Vec<_>>().join("|"),
                _ => "never".to_owned(),
            },
            None if !resolved.properties.is_empty() => "object".to_owned(),
            None => "any".to_owned(),
        };
        let properties = resolved.properties.keys().cloned().collect();
        found.entry(label).or_default().push(Alternative { node, digest, properties });
    }
    for alternatives in found.values_mut() {
        alternatives.sort_by(|a, b| a.digest.cmp(&b.digest));
        // The same alternative twice allows nothing more.
        alternatives.dedup_by(|a, b| a.digest == b.digest);
    }
    Ok(found)
}

/// The two alternatives that are most alike: the same shape first, then the most property names in common.
fn closest(before: &[Alternative], after: &[Alternative]) -> Option<(usize, usize)> {
    let mut best: Option<((bool, usize), (usize, usize))> = None;
    for (left, ours) in before.iter().enumerate() {
        for (right, theirs) in after.iter().enumerate() {
            let common = ours.properties.intersection(&theirs.properties).count();
            let apart = ours.properties.symmetric_difference(&theirs.properties).count();
            let likeness = (ours.digest == theirs.digest, (common * 1000) / (common + apart).max(1));
            if best.is_none_or(|(known, _)| likeness > known) {
                best = Some((likeness, (left, right)));
            }
        }
    }
    best.map(|(_, pair)| pair)
}
