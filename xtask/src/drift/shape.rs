//! What a whole schema looks like: a digest to tell shapes apart, and a line for people.
//!
//! Both depend on meaning alone, so they survive renamed components and re-nested parts.

use sha2::{Digest as _, Sha256};

use super::document::{Place, Result};
use super::fact::{Fact, Keyword};
use super::node::{NodeId, Resolver};

/// Levels of nesting that a digest looks at. A schema that contains itself is cut there; the schemas at hand are about
/// ten levels deep.
const LEVELS: usize = 24;

/// How many names a summary lists before it only counts.
const LISTED: usize = 6;

/// A digest of the shape of a schema.
pub(crate) fn digest(resolver: &mut Resolver<'_>, node: NodeId) -> Result<String> {
    at_depth(resolver, node, LEVELS)
}

/// The digest of several schemas that hold together.
fn digest_of(resolver: &mut Resolver<'_>, places: &[Place], depth: usize) -> Result<String> {
    let node = resolver.node(places)?;
    at_depth(resolver, node, depth)
}

fn at_depth(resolver: &mut Resolver<'_>, id: NodeId, depth: usize) -> Result<String> {
    if depth == 0 {
        return Ok("…".to_owned());
    }
    if let Some(known) = resolver.shapes.get(&(id, depth)) {
        return Ok(known.clone());
    }
    let node = resolver.get(id);
    let mut lines: Vec<String> =
        node.facts.iter().map(|(keyword, stated)| format!("{keyword:?}={}", stated.fact)).collect();
    if let Some(values) = &node.values {
        lines.push(format!("enum={:?}", values.allowed.keys().collect::<Vec<_>>()));
    }
    let properties: Vec<_> = node
        .properties
        .iter()
        .map(|(name, property)| (name.clone(), property.described.clone(), !property.required.is_empty()))
        .collect();
    let (items, additional, excluded) = (node.items.clone(), node.additional.clone(), node.excluded.clone());
    let groups: Vec<_> = node.groups.iter().map(|group| (group.choice, group.alternatives.clone())).collect();
    let discriminator = node.discriminator.as_ref().map(|found| (found.property.clone(), found.mapping.clone()));

    for (name, described, required) in properties {
        let shape = if described.is_empty() { "-".to_owned() } else { digest_of(resolver, &described, depth - 1)? };
        lines.push(format!("{name:?} {required} {shape}"));
    }
    for (key, places) in [("items", items), ("additional", additional)] {
        if !places.is_empty() {
            lines.push(format!("{key} {}", digest_of(resolver, &places, depth - 1)?));
        }
    }
    let mut nots = Vec::new();
    for place in excluded {
        nots.push(digest_of(resolver, &[place], depth - 1)?);
    }
    nots.sort();
    lines.push(format!("not {nots:?}"));
    let mut choices = Vec::new();
    for (choice, alternatives) in groups {
        let mut shapes = Vec::new();
        for place in alternatives {
            shapes.push(digest_of(resolver, &[place], depth - 1)?);
        }
        shapes.sort();
        choices.push(format!("{choice:?} {shapes:?}"));
    }
    choices.sort();
    lines.extend(choices);
    if let Some((property, mapping)) = discriminator {
        lines.push(format!("by {property}"));
        for (value, target) in mapping {
            lines.push(format!("{value:?} {}", digest_of(resolver, &target, depth - 1)?));
        }
    }
    let digest = hex::encode(Sha256::digest(lines.join("\n"))).chars().take(24).collect::<String>();
    resolver.shapes.insert((id, depth), digest.clone());
    Ok(digest)
}

/// One line that says what a schema allows, such as `string (date-time)` or `array of object {amount, id}`.
pub(crate) fn summary(resolver: &mut Resolver<'_>, id: NodeId) -> Result<String> {
    summary_at(resolver, id, 0)
}

fn summary_at(resolver: &mut Resolver<'_>, id: NodeId, depth: usize) -> Result<String> {
    let node = resolver.get(id);
    let mut text = match node.facts.get(&Keyword::Type) {
        Some(stated) => stated.fact.to_string(),
        None if !node.groups.is_empty() => String::new(),
        None => "any".to_owned(),
    };
    if let Some(stated) = node.facts.get(&Keyword::Format) {
        text.push_str(&format!(" ({})", stated.fact));
    }
    if let Some(values) = &node.values {
        text.push_str(&format!(" of {}", listed(values.allowed.keys().map(String::as_str))));
    }
    if !node.properties.is_empty() {
        text.push_str(&format!(" {{{}}}", listed(node.properties.keys().map(String::as_str))));
    }
    for (keyword, stated) in &node.facts {
        match (keyword, &stated.fact) {
            (Keyword::Limit(limit), fact) => text.push_str(&format!(", {} {fact}", limit.keyword())),
            (Keyword::Pattern, fact) => text.push_str(&format!(", pattern {fact}")),
            (Keyword::Default, fact) => text.push_str(&format!(", default {fact}")),
            (Keyword::Nullable, Fact::On) => text.push_str(", nullable"),
            (Keyword::ReadOnly, Fact::On) => text.push_str(", read-only"),
            _ => {}
        }
    }
    let (items, additional) = (node.items.clone(), node.additional.clone());
    let alternatives: Vec<Place> = node.groups.iter().flat_map(|group| group.alternatives.clone()).collect();
    if let Some(found) = &node.discriminator {
        text.push_str(&format!(", by {}: {}", found.property, listed(found.mapping.keys().map(String::as_str))));
    }
    // Two levels tell a reader what it is; the rest is in the document.
    if depth < 2 {
        if !items.is_empty() {
            let items = resolver.node(&items)?;
            text.push_str(&format!(" of {}", summary_at(resolver, items, depth + 1)?));
        }
        if !additional.is_empty() {
            let additional = resolver.node(&additional)?;
            text.push_str(&format!(" of any name to {}", summary_at(resolver, additional, depth + 1)?));
        }
        let mut choices = Vec::new();
        for place in alternatives {
            let alternative = resolver.node(&[place])?;
            choices.push(summary_at(resolver, alternative, depth + 1)?);
        }
        choices.sort();
        if !choices.is_empty() {
            text = format!("{text} one of ({})", choices.join(" | ")).trim().to_owned();
        }
    }
    Ok(text)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}
