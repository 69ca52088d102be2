//! The report for a terminal.

use super::report::{Change, Report, Revision};

/// How many operations a line names before it only counts.
const NAMED: usize = 3;

/// The report as plain text, one block per change.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = format!("{} -> {}\n", title(&report.old), title(&report.new));
    out.push_str(&headline(report));
    out.push('\n');
    for change in &report.changes {
        out.push('\n');
        block(&mut out, change);
    }
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
        "{}: {} breaking and {} risky for callers; {} major and {} minor for this crate",
        counted(summary.changes, "change"),
        summary.breaking,
        summary.risky,
        summary.major,
        summary.minor
    );
    if summary.accepted > 0 {
        line.push_str(&format!("; {} accepted besides", summary.accepted));
    }
    line
}

fn block(out: &mut String, change: &Change) {
    let accepted = if change.accepted.is_some() { " (accepted)" } else { "" };
    out.push_str(&format!(
        "{:<10} {:<7} {} {}{accepted}\n",
        change.caller.word(),
        change.krate.bump.word(),
        change.fingerprint,
        change.rule
    ));
    out.push_str(&format!("    at {}\n", location(change)));
    if let Some(subject) = &change.subject {
        out.push_str(&format!("    about {}\n", clean(subject)));
    }
    let facts = facts(change);
    if !facts.is_empty() {
        out.push_str(&format!("    {facts}\n"));
    }
    if change.reaches.len() > 1 {
        out.push_str(&format!("    reaches {}\n", reach(change)));
    }
    if !change.krate.items.is_empty() {
        out.push_str(&format!("    items {}\n", change.krate.items.join(", ")));
    }
    if let Some(accepted) = &change.accepted {
        out.push_str(&format!("    accepted until {}: {}\n", accepted.expires, clean(&accepted.reason)));
    }
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

/// The operations and the number of places a change reaches.
#[must_use]
pub fn reach(change: &Change) -> String {
    let named: Vec<&str> = change.operations.iter().take(NAMED).map(String::as_str).collect();
    let more = change.operations.len().saturating_sub(NAMED);
    let mut text = format!("{} in {}", counted(change.reaches.len(), "place"), named.join(", "));
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
