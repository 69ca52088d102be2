//! Writing what a revision does to this crate into `CHANGELOG.md`, under its unreleased heading.
//!
//! One section says what changed upstream since the last release: from the revision that the release was made of to the
//! one that is pinned now, whatever was pinned between the two. A revision that is taken back leaves nothing.

use super::markdown;
use super::report::Report;
use super::text::title;
use super::verdict::Caller;

const HEADING: &str = "## Unreleased";
const BEGIN: &str = "<!-- upstream changes since ";
const END: &str = "<!-- end of upstream changes -->";

/// The first characters of a digest that tell revisions apart.
const SHORT: usize = 12;

/// The revision that the unreleased changes are counted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its day, which is also its name in the history.
    pub date: String,
    /// The first characters of its digest.
    pub sha256: String,
}

impl Base {
    /// Whether a digest is that of this revision.
    #[must_use]
    pub fn is(&self, sha256: &str) -> bool {
        !self.sha256.is_empty() && sha256.starts_with(&self.sha256)
    }
}

/// The revision that the unreleased section of a changelog counts from; none where upstream did not change yet.
#[must_use]
pub fn base(changelog: &str) -> Option<Base> {
    let lines: Vec<&str> = changelog.lines().collect();
    let (start, end) = unreleased(&lines)?;
    let marker = lines.get(start..end)?.iter().find_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(" -->"))?;
    let (date, sha256) = marker.split_once(' ')?;
    Some(Base { date: date.to_owned(), sha256: sha256.to_owned() })
}

/// The changelog with a report in it that goes from its [`base`] to the present; without a section when nothing is left
/// to say.
#[must_use]
pub fn update(changelog: &str, report: &Report) -> String {
    let section = section(report);
    let mut lines: Vec<String> = changelog.lines().map(str::to_owned).collect();
    let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
    let place = unreleased(&borrowed);
    if let Some((start, end)) = place {
        let own = borrowed.get(start..end).unwrap_or_default();
        let begin = own.iter().position(|line| line.starts_with(BEGIN)).map(|begin| begin + start);
        // The end must belong to this section: one that was lost must not swallow what follows.
        let last = own.iter().position(|line| *line == END).map(|last| last + start);
        if let (Some(begin), Some(last)) = (begin, last.filter(|last| Some(*last) > begin)) {
            let keeps = !section.is_empty();
            lines.splice(begin..=last, section);
            if !keeps && begin > 0 && lines.get(begin - 1).is_some_and(|line| line.is_empty()) {
                lines.remove(begin - 1);
            }
            return joined(&lines);
        }
    }
    if section.is_empty() {
        return changelog.to_owned();
    }
    let (start, end) = place.unwrap_or_else(|| {
        let at = lines.iter().position(|line| line.starts_with("## ")).unwrap_or(lines.len());
        let mut heading = vec![HEADING.to_owned()];
        if at > 0 && lines.get(at - 1).is_some_and(|line| !line.is_empty()) {
            heading.insert(0, String::new());
        }
        let start = at + heading.len();
        if at < lines.len() {
            heading.push(String::new());
        }
        let end = at + heading.len();
        lines.splice(at..at, heading);
        (start, end)
    });
    // After what people wrote below the heading, before the next release.
    let mut at = end;
    while at > start && lines.get(at - 1).is_some_and(|line| line.trim().is_empty()) {
        at -= 1;
    }
    let between = std::iter::once(String::new()).chain(section);
    lines.splice(at..at, between);
    joined(&lines)
}

fn joined(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// The lines below the unreleased heading.
fn unreleased(lines: &[&str]) -> Option<(usize, usize)> {
    let is_it = |line: &&str| {
        let name = line.strip_prefix("## ").unwrap_or_default().trim();
        name.trim_matches(['[', ']']).eq_ignore_ascii_case("unreleased")
    };
    let start = lines.iter().position(is_it)? + 1;
    let rest = lines.iter().skip(start).position(|line| line.starts_with("## "));
    Some((start, rest.map_or(lines.len(), |rest| start + rest)))
}

/// The lines of the section; none when the crate is the same and no caller breaks.
fn section(report: &Report) -> Vec<String> {
    let mut text = markdown::surface(report);
    // What breaks at the service and is in no item: nothing else would say so.
    let is_unseen = |change: &&super::Change| {
        let differs = report.krate.differences.iter().any(|one| one.changes.contains(&change.fingerprint));
        change.caller == Caller::Breaking && !differs
    };
    for change in report.changes.iter().filter(is_unseen) {
        text.push_str(&markdown::line(change));
    }
    if text.is_empty() {
        return Vec::new();
    }
    let (old, new) = (&report.old, &report.new);
    let date = old.date.as_deref().unwrap_or("-");
    let digest: String = old.sha256.chars().take(SHORT).collect();
    let head = format!("{BEGIN}{date} {digest} -->\n### Upstream interface: {} to {}\n\n", title(old), title(new));
    format!("{head}{text}\n{END}").lines().map(str::to_owned).collect()
}
