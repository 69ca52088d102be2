//! Writing a report into `CHANGELOG.md`, under its unreleased heading.

use super::markdown;
use super::report::Report;

const HEADING: &str = "## Unreleased";
const END: &str = "<!-- end of upstream changes -->";

/// The changelog with the report in it. A section for the same two revisions is replaced, so writing twice is the same
/// as writing once; sections for other revisions stay. A report without a change leaves the text as it is.
#[must_use]
pub fn update(changelog: &str, report: &Report) -> String {
    if report.changes.is_empty() {
        return changelog.to_owned();
    }
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let begin = format!("<!-- upstream changes {} {} -->", short(&report.old.sha256), short(&report.new.sha256));
    let section = format!("{begin}\n{}{END}", markdown::render(report));

    if let Some((before, rest)) = changelog.split_once(&begin) {
        // The end must belong to this section: one that was lost must not swallow what follows.
        let own = rest.find(END).filter(|end| !rest.get(..*end).unwrap_or_default().contains("<!-- upstream changes "));
        if let Some(end) = own {
            let after = rest.get(end + END.len()..).unwrap_or_default();
            return format!("{before}{section}{after}");
        }
    }
    let mut lines: Vec<&str> = changelog.lines().collect();
    let is_unreleased = |line: &&str| {
        let name = line.strip_prefix("## ").unwrap_or_default().trim();
        name.trim_matches(['[', ']']).eq_ignore_ascii_case("unreleased")
    };
    let at = match lines.iter().position(is_unreleased) {
        Some(at) => at + 1,
        None => {
            let at = lines.iter().position(|line| line.starts_with("## ")).unwrap_or(lines.len());
            lines.insert(at, HEADING);
            if at > 0 && !lines.get(at - 1).is_none_or(|line| line.is_empty()) {
                lines.insert(at, "");
                at + 2
            } else {
                at + 1
            }
        }
    };
    // After what people wrote below the heading, before the next release.
    let next = lines.iter().skip(at).position(|line| line.starts_with("## ")).map_or(lines.len(), |next| at + next);
    let mut end = next;
    while end > at && lines.get(end - 1).is_some_and(|line| line.trim().is_empty()) {
        end -= 1;
    }
    let mut out: Vec<&str> = lines.iter().take(end).copied().collect();
    out.push("");
    out.push(&section);
    if next < lines.len() {
        out.push("");
        out.extend(lines.iter().skip(next));
    }
    out.join("\n") + "\n"
}
