//! Changes and differences that one block shows: the same happened to things of one name, or to one enum.

use std::collections::BTreeMap;

use super::report::{Change, Difference, Report, Section};
use super::verdict::Bump;

/// What the changes of a family have in common.
#[derive(PartialEq, Eq)]
struct Common<'c> {
    rule: &'c str,
    verdicts: (super::verdict::Caller, Bump, bool),
    /// The same values at several places, or several values at one place.
    facts: Option<(&'c str, [Option<&'c str>; 3])>,
    places: Option<&'c [super::report::Reach]>,
}

impl<'c> Common<'c> {
    fn of(change: &'c Change) -> Self {
        let verdicts = (change.caller, change.krate.bump, change.accepted.is_some());
        let (mut facts, mut places) = (None, None);
        if change.section == Section::Enums {
            places = Some(&change.reaches[..]);
        } else {
            let facts_of = [change.old.as_deref(), change.new.as_deref(), change.subject.as_deref()];
            facts = Some((name(change), facts_of));
        }
        Self { rule: &change.rule, verdicts, facts, places }
    }
}

/// The last name on the way to a change.
fn name(change: &Change) -> &str {
    let path = change.path.trim_end_matches("[]");
    let last = path.rsplit(['.', '[', '<']).next().unwrap_or_default();
    if last.is_empty() || last == "$" { &change.place } else { last }
}

/// The changes of a report by family, in the report's order.
pub(crate) fn families<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Vec<Vec<&'c Change>> {
    let mut families: Vec<(Common<'c>, Vec<&'c Change>)> = Vec::new();
    for change in changes {
        let common = Common::of(change);
        match families.iter_mut().find(|(known, _)| *known == common) {
            Some((_, family)) => family.push(change),
            None => families.push((common, vec![change])),
        }
    }
    families.into_iter().map(|(_, family)| family).collect()
}

/// The differences for this crate that a person reads, the weightiest first, and how many items only say something else
/// about themselves.
pub(crate) fn differences(report: &Report) -> (Vec<&Difference>, usize) {
    let (documented, mut shown): (Vec<&Difference>, Vec<&Difference>) =
        report.krate.differences.iter().partition(|difference| difference.what == super::surface::DOCUMENTATION);
    shown.sort_by_key(|difference| (std::cmp::Reverse(difference.bump), &difference.item));
    (shown, documented.len())
}

/// How many differences take each part of the version: `2 major and 14 minor differences`.
pub(crate) fn counted(report: &Report) -> String {
    let mut counts: BTreeMap<std::cmp::Reverse<Bump>, usize> = BTreeMap::new();
    for difference in &report.krate.differences {
        *counts.entry(std::cmp::Reverse(difference.bump)).or_default() += 1;
    }
    let all: Vec<String> = counts.iter().map(|(bump, count)| format!("{count} {}", bump.0.word())).collect();
    let many = if report.krate.differences.len() == 1 { "" } else { "s" };
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last} difference{many}", rest.join(", ")),
        Some((last, _)) => format!("{last} difference{many}"),
        None => "no difference".to_owned(),
    }
}
