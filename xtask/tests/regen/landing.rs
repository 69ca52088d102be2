//! Taking over a revision: what is written, what is left to do, and that the check finds what is not.

use serde_json::json;
use xtask::overlay::Stale;
use xtask::regen::{Landed, Options, Spec};

use crate::{Small, property};

#[test]
fn writing_twice_changes_nothing_and_a_hand_edit_is_found() {
    let small = Small::new();
    let spec = small.spec();
    let from = small.path("document.json");
    let written = spec.regenerate(from.to_str(), Stale::Refuse, false).unwrap();
    assert_eq!(spec.write(&written).unwrap(), ["upstream.json", "upstream.lock", "contradictions.txt", "dintero.json"]);
    let again = spec.regenerate(from.to_str(), Stale::Refuse, false).unwrap();
    assert_eq!(written, again);
    assert!(spec.write(&again).unwrap().is_empty());
    spec.check().unwrap();

    for (name, from, to) in [
        ("dintero.json", "\"B\"", "\"C\""),
        ("upstream.json", "\"B\"", "\"C\""),
        ("upstream.lock", "# Where", "# When"),
    ] {
        let text = std::fs::read_to_string(small.path(name)).unwrap();
        assert!(text.contains(from));
        std::fs::write(small.path(name), text.replace(from, to)).unwrap();
        let error = format!("{:#}", spec.check().unwrap_err());
        assert!(error.contains(name) && error.contains("cargo xtask regen"), "{error}");
        std::fs::write(small.path(name), text).unwrap();
    }
    spec.check().unwrap();
}

/// One command takes over a revision: what is new gets a stub, which the check refuses by its name until it is written.
#[test]
fn what_is_new_gets_a_stub_that_fails_the_check() {
    let mut small = Small::new();
    let take_over = |small: &Small| {
        let spec = small.spec();
        let from = small.path("document.json");
        let from = from.to_str();
        spec.take_over(Options { from, stale: Stale::Refuse, removed: false, changelog: None, snapshots: None })
    };
    std::fs::create_dir(small.path("history")).unwrap();
    let landed = take_over(&small).unwrap();
    assert!(landed.stubs.is_empty(), "nothing is new in the first revision: {:?}", landed.stubs);
    small.spec().check().unwrap();
    property(&mut small, "note", json!({ "type": "string" }));
    small.document["info"]["version"] = json!("2026-02-03");
    let written = std::fs::read_to_string(small.path("descriptions.yaml")).unwrap();
    let landed = take_over(&small).unwrap();
    assert_eq!(landed.stubs, ["types.Transaction.note"]);
    for file in ["spec/descriptions.yaml", "spec/dintero.json", "spec/history/2026-02-03.json"] {
        assert!(landed.changed.iter().any(|name| name == file), "{file}: {:?}", landed.changed);
    }
    let list = landed.checklist();
    assert!(list.contains("types.Transaction.note") && list.contains("cargo xtask regen --pinned"), "{list}");
    let stubs = std::fs::read_to_string(small.path("descriptions.yaml")).unwrap();
    assert_ne!(stubs, written);
    let spec = Spec::at(small.dir.path());
    let error = format!("{:#}", spec.check().unwrap_err());
    assert!(error.contains("stubs") && error.contains("types.Transaction.note"), "{error}");
    let texts = stubs.replace("'STUB: new on 2026-02-03'", "What somebody noted.");
    std::fs::write(small.path("descriptions.yaml"), texts).unwrap();
    spec.write(&spec.from_pinned().unwrap()).unwrap();
    spec.check().unwrap();
}

#[test]
fn the_pinned_files_belong_together() {
    Spec::here().check().unwrap();
}

/// Takes over the document with a changelog, and returns what the changelog then says.
fn changelog(small: &Small) -> (Landed, String) {
    let path = small.path("CHANGELOG.md");
    if !path.exists() {
        std::fs::write(&path, "# Changelog\n\n## Unreleased\n\n- By hand.\n").unwrap();
    }
    let spec = small.spec();
    let from = small.path("document.json");
    let options =
        Options { from: from.to_str(), stale: Stale::Refuse, removed: false, changelog: Some(&path), snapshots: None };
    let landed = spec.take_over(options).unwrap();
    (landed, std::fs::read_to_string(path).unwrap())
}

/// What the changelog says of upstream is counted from the last release: a revision that is taken back leaves nothing.
#[test]
fn what_is_taken_back_is_not_in_the_changelog() {
    let mut small = Small::new();
    std::fs::create_dir(small.path("history")).unwrap();
    small.document["info"]["version"] = json!("2026-01-01");
    let (_, before) = changelog(&small);
    let first = small.document.clone();

    property(&mut small, "note", json!({ "type": "string" }));
    small.document["info"]["version"] = json!("2026-02-02");
    let (landed, text) = changelog(&small);
    assert!(text.contains("- **minor** `types::Transaction::note` added, `Option<String>`"), "{text}");
    assert!(landed.changed.iter().any(|name| name == "CHANGELOG.md"), "{:?}", landed.changed);

    property(&mut small, "other", json!({ "type": "integer" }));
    small.document["info"]["version"] = json!("2026-03-03");
    let (_, text) = changelog(&small);
    assert!(text.contains("Transaction::note") && text.contains("Transaction::other"), "{text}");
    assert_eq!(text.matches("### Upstream interface: 2026-01-01").count(), 1, "{text}");

    small.document = first;
    let (landed, text) = changelog(&small);
    assert_eq!(text, before);
    // Nor do the stubs of what was never described stay, and stop the next revision.
    assert!(landed.stubs.is_empty(), "{:?}", landed.stubs);
    assert!(!std::fs::read_to_string(small.path("descriptions.yaml")).unwrap().contains("STUB"));
    Spec::at(small.dir.path()).check().unwrap();
}
