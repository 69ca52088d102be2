//! The report as a section of a changelog or the body of a pull request.

use std::collections::BTreeMap;

use super::family::{self, families};
use super::report::{Change, Report, Section};
use super::text::{clean, counted, headline, title};
use super::verdict::{Bump, Caller};

/// Facts longer than this are cut: the JSON form has all of them.
const LONGEST_FACT: usize = 160;

/// The report in Markdown, below a heading of the third level.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = format!("### Upstream interface: {} to {}\n\n", title(&report.old), title(&report.new));
    out.push_str(&headline(report));
    out.push_str(".\n");
    let sections = [
        (Section::Added, "Added"),
        (Section::Changed, "Changed"),
        (Section::Removed, "Removed"),
        (Section::Enums, "Enum values"),
    ];
    for (section, heading) in sections {
        let changes: Vec<&Change> = report.changes.iter().filter(|change| change.section == section).collect();
        if changes.is_empty() {
            continue;
        }
        out.push_str(&format!("\n#### {heading}\n\n"));
        if section == Section::Enums {
            enums(&mut out, &changes);
        } else {
            for changes in families(changes.iter().copied()) {
                let Some(change) = changes.first() else { continue };
                let more = match changes.len() - 1 {
                    0 => String::new(),
                    more => {
                        format!(" and {}", counted(more, "place like it").replace("place like its", "places like it"))
                    }
                };
                let line = format!("- {}{}{more}: {}{}\n", mark(&changes), place(change), what(change), tail(change));
                out.push_str(&line);
            }
        }
    }
    let inside = surface(report);
    if !inside.is_empty() {
        out.push_str(&format!("\n### This crate: {}\n\n{inside}", report.krate.bump.word()));
    }
    out
}

/// What the newer revision does to this crate, a line for each item.
#[must_use]
pub fn surface(report: &Report) -> String {
    let krate = &report.krate;
    let mut out = String::new();
    if let Some(why) = &krate.unmeasured {
        return format!("Unknown, since nothing can be generated from {}.\n", clean(why));
    }
    let (shown, documented) = family::differences(report);
    let mut by_what: Vec<(Bump, Section, &str, Vec<&str>)> = Vec::new();
    for difference in shown {
        let (bump, section, what) = (difference.bump, difference.section, difference.what.as_str());
        match by_what.iter_mut().find(|known| (known.0, known.1, known.2) == (bump, section, what)) {
            Some((.., items)) => items.push(&difference.item),
            None => by_what.push((bump, section, what, vec![&difference.item])),
        }
    }
    for (bump, section, what, items) in by_what {
        let mark = if bump == Bump::Patch { String::new() } else { format!("**{}** ", bump.word()) };
        let items: Vec<String> = items.into_iter().map(code).collect();
        let line = match section {
            Section::Added => format!("{} added, {}", items.join(", "), code(what)),
            Section::Removed => format!("{} removed, {}", items.join(", "), code(what)),
            Section::Enums => format!("{} {}", items.join(", "), clean(what)),
            Section::Changed => format!("{}: {}", items.join(", "), clean(what)),
        };
        out.push_str(&format!("- {mark}{line}\n"));
    }
    if documented > 0 {
        out.push_str(&format!("- Documentation of {}\n", counted(documented, "item")));
    }
    if !krate.left_out_of_new.is_empty() {
        out.push_str("\nLeft out of the overlay and the descriptions, since it does not fit:\n\n");
        krate.left_out_of_new.iter().for_each(|entry| out.push_str(&format!("- {}\n", code(entry))));
    }
    out
}

/// A change that is in no item of this crate, in a line.
pub(crate) fn line(change: &Change) -> String {
    format!("- {}{}: {}\n", mark(&[change]), place(change), what(change))
}

/// One line per enum, with all the values that came and went.
fn enums(out: &mut String, changes: &[&Change]) {
    type Places<'c> = Vec<(&'c str, &'c str, &'c str)>;
    let mut by_place: BTreeMap<Places<'_>, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let places =
            change.reaches.iter().map(|reach| (reach.operation.as_str(), reach.place.as_str(), reach.path.as_str()));
        by_place.entry(places.collect()).or_default().push(change);
    }
    for changes in by_place.values() {
        let Some(first) = changes.first() else { continue };
        let values = |gone: bool| {
            let values = changes.iter().filter(|change| change.new.is_none() == gone);
            values.filter_map(|change| change.subject.as_deref()).map(code).collect::<Vec<_>>()
        };
        let mut parts = Vec::new();
        for (word, values) in [("added", values(false)), ("removed", values(true))] {
            if !values.is_empty() {
                parts.push(format!("{word} {}", values.join(", ")));
            }
        }
        let line = parts.join("; ");
        out.push_str(&format!("- {}{}: {line}{}\n", mark(changes), place(first), tail(first)));
    }
}

/// What breaks, in bold.
fn mark(changes: &[&Change]) -> String {
    let mut words = Vec::new();
    if changes.iter().any(|change| change.caller == Caller::Breaking) {
        words.push("breaking");
    }
    match changes.iter().map(|change| change.krate.bump).max() {
        Some(Bump::Major) => words.push("major"),
        Some(Bump::Minor) => words.push("minor"),
        _ => {}
    }
    if changes.iter().all(|change| change.accepted.is_some()) {
        words.push("accepted");
    }
    if words.is_empty() { String::new() } else { format!("**{}** ", words.join(", ")) }
}

fn place(change: &Change) -> String {
    let mut parts = vec![code(&change.operation)];
    if !change.place.is_empty() {
        parts.push(clean(&change.place));
    }
    if !change.path.is_empty() && change.path != "$" {
        parts.push(code(&change.path));
    }
    parts.join(" ")
}

fn what(change: &Change) -> String {
    let words = change.rule.replace('-', " ");
    let subject = match (&change.subject, &change.old, &change.new) {
        (Some(subject), old, new) if Some(subject) != old.as_ref() && Some(subject) != new.as_ref() => {
            format!(" {}", code(subject))
        }
        _ => String::new(),
    };
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{words}{subject}, {} to {}", code(old), code(new)),
        (Some(fact), None) | (None, Some(fact)) => format!("{words}{subject}, {}", code(fact)),
        (None, None) => format!("{words}{subject}"),
    }
}

fn tail(change: &Change) -> String {
    let mut parts = Vec::new();
    if change.operations.len() > 1 {
        parts.push(counted(change.operations.len(), "operation"));
    }
    parts.extend(change.krate.items.iter().take(2).map(|item| code(item)));
    if change.krate.items.len() > 2 {
        parts.push(format!("{} more", counted(change.krate.items.len() - 2, "item")));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

/// Text from a document as inline code, whatever is in it.
fn code(text: &str) -> String {
    let mut text = clean(text);
    if text.chars().count() > LONGEST_FACT {
        text = text.chars().take(LONGEST_FACT).chain(['…']).collect();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_document_cannot_leave_its_code_span() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code("two\nlines"), "`two lines`");
    }
}
