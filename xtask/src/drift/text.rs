//! The report for a terminal.

use std::collections::BTreeSet;

use super::family::{self, families};
use super::report::{Change, Report, Revision, Section};

/// How many operations a line names before it only counts.
const NAMED: usize = 3;

/// The report as plain text, one block per change; changes of one family share a block.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = format!("{} -> {}\n", title(&report.old), title(&report.new));
    out.push_str(&headline(report));
    out.push('\n');
    for changes in families(&report.changes) {
        out.push('\n');
        block(&mut out, &changes);
    }
    krate(&mut out, report);
    out
}

/// The counts in one line.
#[must_use]
pub fn headline(report: &Report) -> String {
    let summary = &report.summary;
    if report.changes.is_empty() {
        return "no change of meaning".to_owned();
    }
    let mut line = format!(
        "{}: {} breaking and {} risky for callers; for this crate {}, {}",
        counted(summary.changes, "change"),
        summary.breaking,
        summary.risky,
        report.krate.bump.word(),
        if report.krate.unmeasured.is_some() { "not measured".to_owned() } else { family::counted(report) },
    );
    if summary.accepted > 0 {
        line.push_str(&format!("; {} accepted besides", summary.accepted));
    }
    line
}

fn block(out: &mut String, changes: &[&Change]) {
    let Some(first) = changes.first() else { return };
    let accepted = if first.accepted.is_some() { " (accepted)" } else { "" };
    let times = if changes.len() > 1 { format!(", {} times", changes.len()) } else { String::new() };
    out.push_str(&format!(
        "{:<10} {:<7} {}{times}{accepted}\n",
        first.caller.word(),
        first.krate.bump.word(),
        first.rule
    ));
    let mut place = String::new();
    for change in changes {
        let next = location(change);
        if place != next {
            out.push_str(&format!("    at {next}\n"));
            place = next;
        }
        let subject = change.subject.as_deref().map(|subject| format!(" about {}", clean(subject)));
        out.push_str(&format!("    [{}]{}\n", change.fingerprint, subject.unwrap_or_default()));
    }
    let facts = facts(first);
    if !facts.is_empty() && first.section != Section::Enums {
        out.push_str(&format!("    {facts}\n"));
    }
    if changes.iter().any(|change| change.reaches.len() > 1) {
        out.push_str(&format!("    reaches {}\n", reach(changes)));
    }
    let mut items: Vec<&str> = changes.iter().flat_map(|change| &change.krate.items).map(String::as_str).collect();
    items.sort_unstable();
    items.dedup();
    if !items.is_empty() {
        out.push_str(&format!("    items {}\n", items.join(", ")));
    }
    for accepted in changes.iter().filter_map(|change| change.accepted.as_ref()) {
        out.push_str(&format!("    accepted until {}: {}\n", accepted.expires, clean(&accepted.reason)));
    }
}

/// What the newer revision does to this crate.
fn krate(out: &mut String, report: &Report) {
    let krate = &report.krate;
    if let Some(why) = &krate.unmeasured {
        out.push_str(&format!(
            "\nthis crate: unknown, since nothing can be generated from\n    {}\n",
            clean_lines(why)
        ));
        return;
    }
    let (shown, documented) = family::differences(report);
    if !krate.differences.is_empty() {
        out.push_str(&format!("\nthis crate: {}\n", krate.bump.word()));
    }
    for difference in shown {
        out.push_str(&format!("    {:<7} {}: {}\n", difference.bump.word(), difference.item, clean(&difference.what)));
    }
    if documented > 0 {
        out.push_str(&format!("    patch   documentation of {}\n", counted(documented, "item")));
    }
    let left_out = [("older", &krate.left_out_of_old), ("newer", &krate.left_out_of_new)];
    for (side, entries) in left_out.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        out.push_str(&format!("\nleft out, since it does not fit the {side} revision:\n"));
        entries.iter().for_each(|entry| out.push_str(&format!("    {}\n", clean(entry))));
    }
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}

/// `POST /transactions/{id}/capture, body application/json, $.amount`
#[must_use]
pub fn location(change: &Change) -> String {
    let parts = [change.operation.as_str(), change.place.as_str(), change.path.as_str()];
    clean(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "))
}

/// `was string, is integer`
#[must_use]
pub fn facts(change: &Change) -> String {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{} -> {}", clean(old), clean(new)),
        (Some(old), None) => format!("was {}", clean(old)),
        (None, Some(new)) => format!("is {}", clean(new)),
        (None, None) => String::new(),
    }
}

/// The operations and the number of places that changes reach.
fn reach(changes: &[&Change]) -> String {
    let places: BTreeSet<_> = changes
        .iter()
        .flat_map(|change| &change.reaches)
        .map(|reach| (&reach.operation, reach.direction, &reach.place, &reach.path))
        .collect();
    let operations: BTreeSet<&str> = places.iter().map(|(operation, ..)| operation.as_str()).collect();
    let named: Vec<&str> = operations.iter().take(NAMED).copied().collect();
    let more = operations.len().saturating_sub(NAMED);
    let mut text = format!("{} in {}", counted(places.len(), "place"), named.join(", "));
    if more > 0 {
        text.push_str(&format!(" and {} more", counted(more, "operation")));
    }
    text
}

/// The revision as a heading names it.
#[must_use]
pub fn title(revision: &Revision) -> String {
    let digest: String = revision.sha256.chars().take(12).collect();
    let name = revision.date.as_deref().unwrap_or(&revision.origin);
    if name.is_empty() { digest } else { format!("{} ({digest})", clean(name)) }
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Text from a document without what a terminal or a line cannot bear.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
