//! Comparing what a schema leaves open: `not`, `oneOf` and `anyOf`, discriminators.

use std::collections::BTreeSet;

use super::delta::Delta;
use super::rules::{Edit, Kind};
use super::schema::{Child, Comparer, Found, come, described, gone};
use super::variants;
use crate::model::schema::{Below, Discriminator, Group};
use crate::model::{Choice, Model, SchemaId, Step};

/// Compares the choices of two schemas.
pub(crate) fn compare(comparer: &mut Comparer<'_>, old: SchemaId, new: SchemaId, found: &mut Found) {
    excluded(comparer, old, new, found);
    let (before, after) = (comparer.old.get(old), comparer.new.get(new));
    let same_form = before.discriminator.is_some() == after.discriminator.is_some();
    // Alternatives that get, or lose, a discriminator are told apart another way: that is one change.
    if same_form || before.groups.len() == after.groups.len() {
        groups(comparer, &before.groups, &after.groups, found);
    }
    discriminator(comparer, before.discriminator.as_ref(), after.discriminator.as_ref(), found);
}

fn excluded(comparer: &Comparer<'_>, old: SchemaId, new: SchemaId, found: &mut Found) {
    let side = |model: &Model<'_>, id: SchemaId| {
        let all = &model.get(id).excluded;
        let digests: BTreeSet<String> = all.iter().map(|below| model.digest(below.schema)).collect();
        let texts: BTreeSet<String> = all.iter().map(|below| model.summary(below.schema)).collect();
        let text = (!texts.is_empty()).then(|| texts.into_iter().collect::<Vec<_>>().join(" and "));
        let at: Vec<_> = all.iter().flat_map(|below| below.at.iter().copied()).collect();
        (digests.into_iter().collect::<Vec<_>>().join(" "), text, at)
    };
    let (before, after) = (side(comparer.old, old), side(comparer.new, new));
    if before.0 != after.0 {
        let edit = edit_of(before.1.is_none(), after.1.is_none());
        let digest = format!("{} {}", before.0, after.0);
        found.deltas.push(Delta::new(Kind::Not(edit)).was(before.1, &before.2).is(after.1, &after.2).digest(digest));
    }
}

fn edit_of(before_empty: bool, after_empty: bool) -> Edit {
    match (before_empty, after_empty) {
        (true, _) => Edit::Added,
        (_, true) => Edit::Removed,
        _ => Edit::Changed,
    }
}

/// The groups of a schema in an order that comes from what they allow.
fn sorted<'g>(model: &Model<'_>, groups: &'g [Group]) -> Vec<(Vec<String>, &'g Group)> {
    let mut out: Vec<_> = groups.iter().map(|group| (variants::labels(model, &group.alternatives), group)).collect();
    out.sort_by(|a, b| (&a.0, a.1.choice).cmp(&(&b.0, b.1.choice)));
    out
}

fn groups(comparer: &mut Comparer<'_>, old: &[Group], new: &[Group], found: &mut Found) {
    let (before, after) = (sorted(comparer.old, old), sorted(comparer.new, new));
    let common = before.len().min(after.len());
    for ((_, ours), (_, theirs)) in before.iter().zip(&after) {
        group(comparer, ours, theirs, found);
    }
    let texts = |model: &Model<'_>, group: &Group| {
        let mut all: Vec<String> = group.alternatives.iter().map(|id| model.summary(*id)).collect();
        all.sort();
        Some(all.join(" | "))
    };
    for (labels, group) in before.iter().skip(common) {
        let delta = Delta::new(Kind::Alternative(group.choice, Edit::Removed)).about(labels.join(", "));
        found.deltas.push(delta.was(texts(comparer.old, group), &group.by));
    }
    for (labels, group) in after.iter().skip(common) {
        let delta = Delta::new(Kind::Alternative(group.choice, Edit::Added)).about(labels.join(", "));
        found.deltas.push(delta.is(texts(comparer.new, group), &group.by));
    }
}

fn group(comparer: &mut Comparer<'_>, old: &Group, new: &Group, found: &mut Found) {
    if old.choice != new.choice {
        let text = |choice: Choice| {
            Some(match choice {
                Choice::OneOf => "oneOf".to_owned(),
                Choice::AnyOf => "anyOf".to_owned(),
            })
        };
        let delta = Delta::new(Kind::Became(new.choice));
        found.deltas.push(delta.was(text(old.choice), &old.by).is(text(new.choice), &new.by));
    }
    let matched = variants::matched(comparer.old, comparer.new, &old.alternatives, &new.alternatives);
    for (label, left, right) in matched.both {
        let pair = comparer.pair(left, right);
        found.children.push(Child { step: Step::Variant(label), pair, instead: None });
    }
    let mut removed = matched.removed.into_iter();
    let mut added = matched.added.into_iter();
    loop {
        let (gone, come) = (removed.next(), added.next());
        if gone.is_none() && come.is_none() {
            return;
        }
        let edit = edit_of(gone.is_none(), come.is_none());
        let labels: Vec<String> = [&gone, &come].into_iter().flatten().map(|(label, _)| label.clone()).collect();
        let mut delta = Delta::new(Kind::Alternative(new.choice, edit)).about(labels.join(", "));
        let mut digest = String::new();
        if let Some((_, id)) = gone {
            digest.push_str(&comparer.old.digest(id));
            delta = delta.was(Some(comparer.old.summary(id)), &old.by);
        }
        if let Some((_, id)) = come {
            digest.push_str(&comparer.new.digest(id));
            delta = delta.is(Some(comparer.new.summary(id)), &new.by);
        }
        found.deltas.push(delta.digest(digest));
    }
}

fn discriminator(
    comparer: &mut Comparer<'_>,
    old: Option<&Discriminator>,
    new: Option<&Discriminator>,
    found: &mut Found,
) {
    let text = |side: &Discriminator| {
        let values: Vec<&str> = side.mapping.keys().map(String::as_str).collect();
        Some(format!("by {}: {}", side.property, values.join(", ")))
    };
    let (old, new) = match (old, new) {
        (None, None) => return,
        (None, Some(new)) => {
            found.deltas.push(Delta::new(Kind::Discriminator(Edit::Added)).is(text(new), &new.by));
            return;
        }
        (Some(old), None) => {
            found.deltas.push(Delta::new(Kind::Discriminator(Edit::Removed)).was(text(old), &old.by));
            return;
        }
        (Some(old), Some(new)) => (old, new),
    };
    if old.property != new.property {
        let delta = Delta::new(Kind::Discriminator(Edit::Changed));
        found.deltas.push(delta.was(Some(old.property.clone()), &old.by).is(Some(new.property.clone()), &new.by));
    }
    let values: BTreeSet<&String> = old.mapping.keys().chain(new.mapping.keys()).collect();
    for value in values {
        let step = Step::Variant(value.clone());
        let delta = |edit| Delta::new(Kind::Mapping(edit)).at(Step::Variant(value.clone())).about(value);
        match (old.mapping.get(value), new.mapping.get(value)) {
            (Some(left), Some(right)) => {
                let instead = retargeted(comparer, delta(Edit::Changed), left, right).map(|mut delta| {
                    delta.old_by.clone_from(&old.by);
                    delta.new_by.clone_from(&new.by);
                    delta
                });
                let pair = comparer.pair(left.schema, right.schema);
                found.children.push(Child { step, pair, instead });
            }
            (Some(left), None) => {
                let mut delta = gone(delta(Edit::Removed), comparer.old, left, false);
                delta.old_by.clone_from(&old.by);
                found.deltas.push(delta);
            }
            (None, Some(right)) => {
                let mut delta = come(delta(Edit::Added), comparer.new, right, false);
                delta.new_by.clone_from(&new.by);
                found.deltas.push(delta);
            }
            (None, None) => {}
        }
    }
}

/// The change to report when a value came to stand for another schema that was there all along. Renaming a component
/// is not that: then the name of the old one is gone.
fn retargeted(comparer: &Comparer<'_>, delta: Delta, left: &Below, right: &Below) -> Option<Delta> {
    let ([old], [new]) = (&left.at[..], &right.at[..]) else { return None };
    let (old, new) = (comparer.old.pointer(*old), comparer.new.pointer(*new));
    if old == new || !comparer.old.has(&new) || !comparer.new.has(&old) {
        return None;
    }
    let (was, is) = (described(comparer.old, left, false), described(comparer.new, right, false));
    Some(delta.was(Some(was.0), &[]).is(Some(is.0), &[]).digest(format!("{} {}", was.1, is.1)))
}
