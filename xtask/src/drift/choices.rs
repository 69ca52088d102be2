//! Comparing what a schema leaves open: `not`, `oneOf` and `anyOf`, discriminators.

use std::collections::BTreeSet;

use super::delta::{Delta, Step};
use super::document::{Place, Result};
use super::node::{Choice, NodeId, Resolver};
use super::rules::{Edit, Kind};
use super::schema::{Child, Comparer, Found};
use super::{shape, variants};

/// Compares the choices of two schemas.
pub(crate) fn compare(comparer: &mut Comparer<'_>, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
    excluded(comparer, old, new, found)?;
    let (before, after) = (comparer.old.get(old), comparer.new.get(new));
    let same_form = before.discriminator.is_some() == after.discriminator.is_some();
    // Alternatives that get, or lose, a discriminator are told apart another way: that is one change.
    if same_form || before.groups.len() == after.groups.len() {
        groups(comparer, old, new, found)?;
    }
    discriminator(comparer, old, new, found)
}

fn excluded(comparer: &mut Comparer<'_>, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
    let (before, after) = (comparer.old.get(old).excluded.clone(), comparer.new.get(new).excluded.clone());
    if before.is_empty() && after.is_empty() {
        return Ok(());
    }
    let mut sides = Vec::new();
    for (resolver, places) in [(&mut comparer.old, &before), (&mut comparer.new, &after)] {
        let mut digests = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for place in places {
            let node = resolver.node(&[*place])?;
            digests.insert(shape::digest(resolver, node)?);
            texts.insert(shape::summary(resolver, node)?);
        }
        let text = (!texts.is_empty()).then(|| texts.into_iter().collect::<Vec<_>>().join(" and "));
        sides.push((digests.into_iter().collect::<Vec<_>>().join(" "), text));
    }
    let [(old_digest, old_text), (new_digest, new_text)] = &sides[..] else { return Ok(()) };
    if old_digest != new_digest {
        let edit = edit_of(before.is_empty(), after.is_empty());
        found.deltas.push(
            Delta::new(Kind::Not(edit))
                .was(old_text.clone(), &before)
                .is(new_text.clone(), &after)
                .digest(format!("{old_digest} {new_digest}")),
        );
    }
    Ok(())
}

fn edit_of(before_empty: bool, after_empty: bool) -> Edit {
    match (before_empty, after_empty) {
        (true, _) => Edit::Added,
        (_, true) => Edit::Removed,
        _ => Edit::Changed,
    }
}

type Side = (Choice, Vec<Place>, Place, Vec<String>);

/// The groups of a schema in an order that comes from what they allow.
fn sorted(resolver: &mut Resolver<'_>, id: NodeId) -> Result<Vec<Side>> {
    let groups: Vec<_> = {
        let node = resolver.get(id);
        node.groups.iter().map(|group| (group.choice, group.alternatives.clone(), group.by)).collect()
    };
    let mut out = Vec::new();
    for (choice, alternatives, by) in groups {
        let labels = variants::labels(resolver, &alternatives)?;
        out.push((choice, alternatives, by, labels));
    }
    out.sort_by(|a, b| (&a.3, a.0).cmp(&(&b.3, b.0)));
    Ok(out)
}

fn groups(comparer: &mut Comparer<'_>, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
    if comparer.old.get(old).groups.is_empty() && comparer.new.get(new).groups.is_empty() {
        return Ok(());
    }
    let before = sorted(&mut comparer.old, old)?;
    let after = sorted(&mut comparer.new, new)?;
    let common = before.len().min(after.len());
    for (ours, theirs) in before.iter().zip(&after) {
        group(comparer, ours, theirs, found)?;
    }
    for (choice, alternatives, by, labels) in before.iter().skip(common) {
        let text = texts(&mut comparer.old, alternatives)?;
        let delta = Delta::new(Kind::Alternative(*choice, Edit::Removed)).about(labels.join(", "));
        found.deltas.push(delta.was(Some(text), &[*by]));
    }
    for (choice, alternatives, by, labels) in after.iter().skip(common) {
        let text = texts(&mut comparer.new, alternatives)?;
        let delta = Delta::new(Kind::Alternative(*choice, Edit::Added)).about(labels.join(", "));
        found.deltas.push(delta.is(Some(text), &[*by]));
    }
    Ok(())
}

fn texts(resolver: &mut Resolver<'_>, alternatives: &[Place]) -> Result<String> {
    let mut out = Vec::new();
    for place in alternatives {
        let node = resolver.node(&[*place])?;
        out.push(shape::summary(resolver, node)?);
    }
    out.sort();
    Ok(out.join(" | "))
}

fn group(comparer: &mut Comparer<'_>, ours: &Side, theirs: &Side, found: &mut Found) -> Result<()> {
    let (old_choice, old_places, old_by, _) = ours;
    let (choice, new_places, new_by, _) = theirs;
    if old_choice != choice {
        let text = |choice: &Choice| {
            Some(match choice {
                Choice::OneOf => "oneOf".to_owned(),
                Choice::AnyOf => "anyOf".to_owned(),
            })
        };
        let delta = Delta::new(Kind::Became(*choice));
        found.deltas.push(delta.was(text(old_choice), &[*old_by]).is(text(choice), &[*new_by]));
    }
    let matched = variants::matched(&mut comparer.old, &mut comparer.new, old_places, new_places)?;
    for (label, left, right) in matched.both {
        let pair = comparer.pair_of(left, right);
        found.children.push(Child { step: Step::Variant(label), pair, optional: false, instead: None });
    }
    let mut removed = matched.removed.into_iter();
    let mut added = matched.added.into_iter();
    loop {
        let (gone, come) = (removed.next(), added.next());
        let edit = match (&gone, &come) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => Edit::Changed,
            (Some(_), None) => Edit::Removed,
            (None, Some(_)) => Edit::Added,
        };
        let labels: Vec<String> = [&gone, &come].into_iter().flatten().map(|(label, _)| label.clone()).collect();
        let mut delta = Delta::new(Kind::Alternative(*choice, edit)).about(labels.join(", "));
        let mut digest = String::new();
        if let Some((_, node)) = gone {
            digest.push_str(&shape::digest(&mut comparer.old, node)?);
            delta = delta.was(Some(shape::summary(&mut comparer.old, node)?), &[*old_by]);
        }
        if let Some((_, node)) = come {
            digest.push_str(&shape::digest(&mut comparer.new, node)?);
            delta = delta.is(Some(shape::summary(&mut comparer.new, node)?), &[*new_by]);
        }
        found.deltas.push(delta.digest(digest));
    }
}

fn discriminator(comparer: &mut Comparer<'_>, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
    if comparer.old.get(old).discriminator.is_none() && comparer.new.get(new).discriminator.is_none() {
        return Ok(());
    }
    let take = |resolver: &Resolver<'_>, id: NodeId| {
        let found = resolver.get(id).discriminator.as_ref();
        found.map(|found| (found.property.clone(), found.mapping.clone(), found.by.clone()))
    };
    let (before, after) = (take(&comparer.old, old), take(&comparer.new, new));
    let text = |property: &str, values: Vec<&String>| {
        let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
        Some(format!("by {property}: {}", values.join(", ")))
    };
    match (before, after) {
        (None, None) => Ok(()),
        (None, Some((property, mapping, by))) => {
            let delta = Delta::new(Kind::Discriminator(Edit::Added));
            found.deltas.push(delta.is(text(&property, mapping.keys().collect()), &by));
            Ok(())
        }
        (Some((property, mapping, by)), None) => {
            let delta = Delta::new(Kind::Discriminator(Edit::Removed));
            found.deltas.push(delta.was(text(&property, mapping.keys().collect()), &by));
            Ok(())
        }
        (Some((old_property, old_mapping, old_by)), Some((property, mapping, by))) => {
            if old_property != property {
                let delta = Delta::new(Kind::Discriminator(Edit::Changed));
                found.deltas.push(delta.was(Some(old_property), &old_by).is(Some(property), &by));
            }
            let values: BTreeSet<&String> = old_mapping.keys().chain(mapping.keys()).collect();
            for value in values {
                let step = Step::Variant(value.clone());
                match (old_mapping.get(value), mapping.get(value)) {
                    (Some(left), Some(right)) => {
                        let instead = retargeted(comparer, value, left, right, (&old_by, &by))?;
                        let pair = comparer.pair(left, right)?;
                        found.children.push(Child { step, pair, optional: false, instead });
                    }
                    (Some(left), None) => {
                        let (text, digest) = super::schema::described(&mut comparer.old, left, false)?;
                        let delta = Delta::new(Kind::Mapping(Edit::Removed)).at(step).about(value);
                        found.deltas.push(delta.was(Some(text), &old_by).digest(digest));
                    }
                    (None, Some(right)) => {
                        let (text, digest) = super::schema::described(&mut comparer.new, right, false)?;
                        let delta = Delta::new(Kind::Mapping(Edit::Added)).at(step).about(value);
                        found.deltas.push(delta.is(Some(text), &by).digest(digest));
                    }
                    (None, None) => {}
                }
            }
            Ok(())
        }
    }
}

/// The change to report when a value came to stand for another schema that was there all along. Renaming a component
/// is not that: then the name of the old one is gone.
fn retargeted(
    comparer: &mut Comparer<'_>,
    value: &str,
    left: &[Place],
    right: &[Place],
    by: (&[Place], &[Place]),
) -> Result<Option<Delta>> {
    let ([left_place], [right_place]) = (left, right) else { return Ok(None) };
    let old_name = format!("#{}", comparer.old.document.pointer(*left_place));
    let new_name = format!("#{}", comparer.new.document.pointer(*right_place));
    let known_before = comparer.old.document.lookup(*left_place, &new_name).is_ok();
    let known_after = comparer.new.document.lookup(*right_place, &old_name).is_ok();
    if old_name == new_name || !known_before || !known_after {
        return Ok(None);
    }
    let (old_text, old_digest) = super::schema::described(&mut comparer.old, left, false)?;
    let (new_text, new_digest) = super::schema::described(&mut comparer.new, right, false)?;
    let delta = Delta::new(Kind::Mapping(Edit::Changed))
        .at(Step::Variant(value.to_owned()))
        .about(value)
        .was(Some(old_text), by.0)
        .is(Some(new_text), by.1)
        .digest(format!("{old_digest} {new_digest}"));
    Ok(Some(delta))
}
