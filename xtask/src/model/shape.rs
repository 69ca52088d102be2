//! What a whole schema looks like: a digest to tell shapes apart, and a line for people.
//!
//! Both depend on meaning alone, so they survive renamed components and re-nested parts.

use sha2::{Digest as _, Sha256};

use super::Model;
use super::fact::{Fact, Keyword};
use super::schema::SchemaId;

/// Levels of nesting that a digest looks at. A schema that contains itself is cut there; the schemas at hand are about
/// ten levels deep.
const LEVELS: usize = 24;

/// How many names a summary lists before it only counts.
const LISTED: usize = 6;

impl Model<'_> {
    /// A digest of the shape of a schema.
    pub(crate) fn digest(&self, id: SchemaId) -> String {
        self.digest_at(id, LEVELS)
    }

    fn digest_at(&self, id: SchemaId, depth: usize) -> String {
        if depth == 0 {
            return "…".to_owned();
        }
        let key = (self.class(id), depth);
        if let Some(known) = self.digests.borrow().get(&key) {
            return known.clone();
        }
        let schema = self.get(id);
        let below = |id: SchemaId| self.digest_at(id, depth - 1);
        let sorted = |mut shapes: Vec<String>| {
            shapes.sort();
            shapes
        };
        let mut lines: Vec<String> =
            schema.facts.iter().map(|(keyword, stated)| format!("{keyword:?}={}", stated.fact)).collect();
        if let Some(values) = &schema.values {
            lines.push(format!("enum={:?}", values.allowed.keys().collect::<Vec<_>>()));
        }
        for (name, property) in &schema.properties {
            let shape = property.described.as_ref().map_or_else(|| "-".to_owned(), |found| below(found.schema));
            lines.push(format!("{name:?} {} {shape}", !property.required.is_empty()));
        }
        for (key, found) in [("items", &schema.items), ("additional", &schema.additional)] {
            lines.extend(found.as_ref().map(|found| format!("{key} {}", below(found.schema))));
        }
        lines.push(format!("not {:?}", sorted(schema.excluded.iter().map(|found| below(found.schema)).collect())));
        lines.extend(sorted(
            schema
                .groups
                .iter()
                .map(|group| {
                    format!("{:?} {:?}", group.choice, sorted(group.alternatives.iter().map(|id| below(*id)).collect()))
                })
                .collect(),
        ));
        if let Some(discriminator) = &schema.discriminator {
            lines.push(format!("by {}", discriminator.property));
            for (value, target) in &discriminator.mapping {
                lines.push(format!("{value:?} {}", below(target.schema)));
            }
        }
        let digest = hex::encode(Sha256::digest(lines.join("\n"))).chars().take(24).collect::<String>();
        self.digests.borrow_mut().insert(key, digest.clone());
        digest
    }

    /// One line that says what a schema allows, such as `string (date-time)` or `array of object {amount, id}`.
    pub(crate) fn summary(&self, id: SchemaId) -> String {
        self.summary_at(id, 0)
    }

    fn summary_at(&self, id: SchemaId, depth: usize) -> String {
        let schema = self.get(id);
        let mut text = match schema.facts.get(&Keyword::Type) {
            Some(stated) => stated.fact.to_string(),
            None if !schema.groups.is_empty() => String::new(),
            None => "any".to_owned(),
        };
        if let Some(stated) = schema.facts.get(&Keyword::Format) {
            text.push_str(&format!(" ({})", stated.fact));
        }
        if let Some(values) = &schema.values {
            text.push_str(&format!(" of {}", listed(values.allowed.keys().map(String::as_str))));
        }
        if !schema.properties.is_empty() {
            text.push_str(&format!(" {{{}}}", listed(schema.properties.keys().map(String::as_str))));
        }
        for (keyword, stated) in &schema.facts {
            match (keyword, &stated.fact) {
                (Keyword::Limit(limit), fact) => text.push_str(&format!(", {} {fact}", limit.keyword())),
                (Keyword::Pattern, fact) => text.push_str(&format!(", pattern {fact}")),
                (Keyword::Default, fact) => text.push_str(&format!(", default {fact}")),
                (Keyword::Nullable, Fact::On) => text.push_str(", nullable"),
                (Keyword::ReadOnly, Fact::On) => text.push_str(", read-only"),
                _ => {}
            }
        }
        if let Some(found) = &schema.discriminator {
            text.push_str(&format!(", by {}: {}", found.property, listed(found.mapping.keys().map(String::as_str))));
        }
        // Two levels tell a reader what it is; the rest is in the document.
        if depth < 2 {
            let below = |id: SchemaId| self.summary_at(id, depth + 1);
            if let Some(items) = &schema.items {
                text.push_str(&format!(" of {}", below(items.schema)));
            }
            if let Some(additional) = &schema.additional {
                text.push_str(&format!(" of any name to {}", below(additional.schema)));
            }
            let all = schema.groups.iter().flat_map(|group| &group.alternatives);
            let mut choices: Vec<String> = all.map(|id| below(*id)).collect();
            choices.sort();
            if !choices.is_empty() {
                text = format!("{text} one of ({})", choices.join(" | ")).trim().to_owned();
            }
        }
        text
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}
