//! The section of the changelog: in its place, once, counted from the last release, and nothing else touched.

use serde_json::json;
use xtask::drift::changelog::{base, update};
use xtask::drift::report::{Difference, Section};
use xtask::drift::verdict::Bump;
use xtask::drift::{Report, compare};

use crate::rules::document;

/// A report of one change, which adds an item.
fn report(id: &str) -> Report {
    let new = document(|operation| operation["operationId"] = json!(id));
    let mut report = compare(&document(|_| {}), &new).expect("the pair can be compared");
    report.krate.bump = Bump::Minor;
    report.krate.differences = vec![Difference {
        item: format!("types::{id}"),
        bump: Bump::Minor,
        section: Section::Added,
        what: "a struct of 2 fields".to_owned(),
        changes: vec![report.changes[0].fingerprint.clone()],
    }];
    report.old.date = Some("2026-04-19".to_owned());
    report
}

/// A report without a change.
fn nothing() -> Report {
    let mut same = compare(&document(|_| {}), &document(|_| {})).expect("the pair can be compared");
    same.krate.bump = Bump::Nothing;
    same
}

const BEFORE: &str = "# Changelog\n\n## Unreleased\n\n- A line by hand.\n\n## 0.1.0\n\n- First.\n";

/// Proves that the section goes below the unreleased heading and above the releases, and that writing it again changes
/// nothing.
#[test]
fn a_section_is_written_once() {
    let once = update(BEFORE, &report("Other"));
    let begins = "# Changelog\n\n## Unreleased\n\n- A line by hand.\n\n<!-- upstream changes since 2026-04-19 ";
    assert!(once.starts_with(begins), "{once}");
    assert!(once.ends_with("<!-- end of upstream changes -->\n\n## 0.1.0\n\n- First.\n"), "{once}");
    assert!(once.contains("- **minor** `types::Other` added, `a struct of 2 fields`"), "{once}");
    assert_eq!(update(&once, &report("Other")), once);
}

/// Proves that a later revision takes the place of an earlier one, and that one which is taken back leaves nothing.
#[test]
fn revisions_between_two_releases_net_out() {
    let once = update(BEFORE, &report("Other"));
    let from = base(&once).expect("the section says where it begins");
    assert_eq!(from.date, "2026-04-19");
    assert!(from.is(&report("Other").old.sha256) && !from.is(&report("Other").new.sha256));
    let twice = update(&once, &report("Third"));
    assert!(twice.contains("types::Third") && !twice.contains("types::Other"), "{twice}");
    assert_eq!(twice.matches("<!-- upstream changes ").count(), 1);
    assert_eq!(update(&twice, &nothing()), BEFORE);
}

/// Proves that what an earlier release says stays, and that a new one begins a section of its own.
#[test]
fn a_released_section_stays() {
    let released = update(BEFORE, &report("Other")).replace("## Unreleased", "## Unreleased\n\n## 0.2.0");
    assert_eq!(base(&released), None);
    let next = update(&released, &report("Third"));
    assert_eq!(next.matches("<!-- upstream changes ").count(), 2, "{next}");
    assert!(next.contains("types::Other") && next.contains("types::Third"), "{next}");
    assert!(next.find("types::Third") < next.find("## 0.2.0"), "{next}");
}

/// Proves that a report without a difference leaves the text alone, and that a missing heading is made.
#[test]
fn nothing_to_say_writes_nothing_and_a_missing_heading_is_made() {
    assert_eq!(update(BEFORE, &nothing()), BEFORE);
    let made = update("# Changelog\n\n## 0.1.0\n\n- First.\n", &report("Other"));
    assert!(made.starts_with("# Changelog\n\n## Unreleased\n\n<!-- upstream changes "), "{made}");
    assert!(made.ends_with("-->\n\n## 0.1.0\n\n- First.\n"), "{made}");
    let first = update("", &report("Other"));
    assert!(first.starts_with("## Unreleased\n\n<!-- upstream changes "), "{first}");
}

/// Proves that what breaks callers and shows in no item is written down all the same.
#[test]
fn what_breaks_callers_and_is_in_no_item_is_said() {
    let mut moved = document(|_| {});
    moved["servers"] = json!([{ "url": "https://b.example" }]);
    let mut report = compare(&document(|_| {}), &moved).expect("the pair can be compared");
    report.krate.bump = Bump::Nothing;
    let text = update(BEFORE, &report);
    assert!(text.contains("api server changed"), "{text}");
}
