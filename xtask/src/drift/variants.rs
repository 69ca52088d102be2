//! Which alternative of one side matches which of the other.
//!
//! An alternative is known by a label that does not come from a component's name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Model, SchemaId};

/// Alternatives of both sides, matched.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Label, old and new alternative.
    pub(crate) both: Vec<(String, SchemaId, SchemaId)>,
    pub(crate) removed: Vec<(String, SchemaId)>,
    pub(crate) added: Vec<(String, SchemaId)>,
}

/// Matches the alternatives of two groups by what they allow, never by name or order.
pub(crate) fn matched(old: &Model<'_>, new: &Model<'_>, old_group: &[SchemaId], new_group: &[SchemaId]) -> Matched {
    let mut ours = labelled(old, old_group);
    let mut theirs = labelled(new, new_group);
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
    out
}

/// Labels of the alternatives of a group, sorted.
pub(crate) fn labels(model: &Model<'_>, group: &[SchemaId]) -> Vec<String> {
    let found = labelled(model, group);
    found.into_iter().flat_map(|(label, alternatives)| vec![label; alternatives.len()]).collect()
}

struct Alternative {
    node: SchemaId,
    digest: String,
    properties: BTreeSet<String>,
}

fn labelled(model: &Model<'_>, group: &[SchemaId]) -> BTreeMap<String, Vec<Alternative>> {
    let mut found: BTreeMap<String, Vec<Alternative>> = BTreeMap::new();
    for id in group {
        let properties = model.get(*id).properties.keys().cloned().collect();
        let alternative = Alternative { node: *id, digest: model.digest(*id), properties };
        found.entry(model.label(*id)).or_default().push(alternative);
    }
    for alternatives in found.values_mut() {
        alternatives.sort_by(|a, b| a.digest.cmp(&b.digest));
        // The same alternative twice allows nothing more.
        alternatives.dedup_by(|a, b| a.digest == b.digest);
    }
    found
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
