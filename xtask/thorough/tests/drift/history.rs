//! The recorded revisions of the interface: every changed fact is reported once, nothing else is.

use xtask::drift::{Side, compare};
use xtask::regen::Spec;

use crate::agreement::verify;
use crate::oracle::Flattened;
use crate::recorded::revision;

const REVISIONS: [&str; 4] = ["2024-09-04", "2025-09-22", "2026-04-19", "2026-05-07"];

/// Proves on all pairs, in both directions of time, that the report has no miss and no extra.
#[test]
fn reports_on_all_pairs_agree_with_the_facts_written_out() {
    let revisions = REVISIONS.map(|date| (date, revision(date)));
    let read = |document| (Side::read("recorded", document).expect("it can be read"), Flattened::of(document));
    let revisions: Vec<_> = revisions.iter().map(|(date, document)| (date, read(document))).collect();
    for (old, (before, before_facts)) in &revisions {
        for (new, (after, after_facts)) in &revisions {
            let report = before.compare(after).expect("recorded slices can be compared");
            match verify(before_facts, after_facts, &report) {
                Ok(lines) => {
                    println!("{old} -> {new}: {} changes, {lines} lines", report.changes.len());
                    assert_eq!(lines == 0, old == new, "{old} -> {new}");
                }
                Err(problems) => panic!("{old} -> {new}: {problems}"),
            }
        }
    }
}

/// Proves that what is known from reading the generated code is measured, and given to the change that it comes of.
#[test]
fn what_revisions_do_to_the_crate_is_measured() {
    use xtask::drift::measure::{Made, measure};
    use xtask::drift::verdict::Bump;
    let spec = Spec::here();
    let made = REVISIONS.map(|date| (date, Made::of(&spec, &revision(date)).expect("it can be generated from")));
    let made = |date: &str| Ok(made.iter().find(|(known, _)| *known == date).expect("it is recorded").1.clone());
    let measured = |old: &str, new: &str| {
        let mut report = compare(&revision(old), &revision(new)).expect("recorded slices can be compared");
        measure(&mut report, made(old), made(new));
        report
    };
    // A value that a type of ours takes from another place already: reported where it appeared, and nothing more to read.
    let report = measured("2024-09-04", "2025-09-22");
    let is_it = |change: &&xtask::drift::Change| {
        let subject = change.subject.as_deref() == Some("\"PARTIALLY_CAPTURED_REFUNDED\"");
        subject && change.reaches.iter().any(|reach| reach.path == "$.status")
    };
    let change = report.changes.iter().find(is_it).expect("the value is reported where it appeared");
    assert_eq!(change.krate.items, ["types::TransactionStatus::PartiallyCapturedRefunded"]);
    assert_eq!(change.krate.bump, Bump::Nothing);

    let report = measured("2026-04-19", "2026-05-07");
    let limit = report.changes.iter().find(|change| change.rule == "request-parameter-type-changed");
    let limit = limit.expect("the change is reported");
    assert_eq!(
        (limit.krate.bump, &limit.krate.items[..]),
        (Bump::Major, &["Transactions::list(limit)".to_owned()][..])
    );
    let found = report.krate.differences.iter().find(|one| one.what == "limit(Decimal) -> limit(i64)");
    assert!(found.is_some_and(|one| one.changes.contains(&limit.fingerprint)), "{found:?}");
    // A field that became a decimal was one for us all along.
    let days = "types::KraviaMethod::days_until_due";
    let days = report.changes.iter().find(|change| change.krate.items == [days] && change.rule.contains("type"));
    assert!(days.is_some_and(|change| change.krate.bump == Bump::Patch), "{days:?}");
    let same = measured("2026-05-07", "2026-05-07");
    assert_eq!((same.krate.bump, same.krate.differences.len()), (Bump::Nothing, 0));
}
