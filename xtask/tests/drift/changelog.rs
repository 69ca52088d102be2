//! The section of the changelog: in its place, once, and nothing else touched.

use serde_json::json;
use xtask::drift::changelog::update;
use xtask::drift::{Report, compare};

use crate::rules::document;

fn report(id: &str) -> Report {
    let new = document(|operation| operation["operationId"] = json!(id));
    compare(&document(|_| {}), &new).expect("the pair can be compared")
}

const BEFORE: &str = "# Changelog\n\n## Unreleased\n\n- A line by hand.\n\n## 0.1.0\n\n- First.\n";

/// Proves that the section goes below the unreleased heading and above the releases, and that writing it again changes
/// nothing.
#[test]
fn a_section_is_written_once() {
    let once = update(BEFORE, &report("other"));
    assert!(once.starts_with("# Changelog\n\n## Unreleased\n\n- A line by hand.\n\n<!-- upstream changes "), "{once}");
    assert!(once.ends_with("<!-- end of upstream changes -->\n\n## 0.1.0\n\n- First.\n"), "{once}");
    assert!(once.contains("api operation id changed"));
    assert_eq!(update(&once, &report("other")), once);
}

/// Proves that a second pair of revisions gets a section of its own and each is replaced alone.
#[test]
fn sections_of_other_revisions_stay() {
    let both = update(&update(BEFORE, &report("other")), &report("third"));
    assert_eq!(both.matches("<!-- upstream changes ").count(), 2);
    assert!(both.contains("`other`") && both.contains("`third`"));
    assert_eq!(update(&both, &report("other")), both);
    assert_eq!(update(&both, &report("third")), both);
    let stale = both.replace("`third`", "`edited by hand`");
    assert_eq!(update(&stale, &report("third")), both);
}

/// Proves that a report without a change leaves the text alone, and that a missing heading is made.
#[test]
fn nothing_to_say_writes_nothing_and_a_missing_heading_is_made() {
    let same = compare(&document(|_| {}), &document(|_| {})).expect("the pair can be compared");
    assert_eq!(update(BEFORE, &same), BEFORE);
    let made = update("# Changelog\n\n## 0.1.0\n\n- First.\n", &report("other"));
    assert!(made.starts_with("# Changelog\n\n## Unreleased\n\n<!-- upstream changes "), "{made}");
    assert!(made.ends_with("-->\n\n## 0.1.0\n\n- First.\n"), "{made}");
    let first = update("", &report("other"));
    assert!(first.starts_with("## Unreleased\n\n<!-- upstream changes "), "{first}");
}
