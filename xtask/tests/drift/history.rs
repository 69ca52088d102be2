//! The recorded revisions of the interface: what is known of them from reading is reported.

use xtask::drift::compare;

use crate::recorded::revision;

/// Proves that changes which are known from reading the revisions are there, once, with the right verdicts.
#[test]
fn changes_known_from_reading_are_reported() {
    use xtask::drift::verdict::Caller;
    let table = [
        (
            ("2025-09-22", "2026-04-19"),
            "response-property-type-changed",
            "$[].events[].error.type",
            None,
            Caller::Breaking,
        ),
        (
            ("2024-09-04", "2025-09-22"),
            "response-property-enum-value-added",
            "$[].status",
            Some("\"PARTIALLY_CAPTURED_REFUNDED\""),
            Caller::Risky,
        ),
        (
            ("2026-04-19", "2026-05-07"),
            "optional-property-removed",
            "$.configuration.kravia.invoice_b2b.invoice_delivery_method",
            None,
            Caller::Risky,
        ),
        (
            ("2026-04-19", "2026-05-07"),
            "optional-property-added",
            "$.configuration.kravia.invoice_b2b.invoice_channel",
            None,
            Caller::Compatible,
        ),
        (("2026-04-19", "2026-05-07"), "request-parameter-type-changed", "$", None, Caller::Breaking),
    ];
    for ((old, new), rule, path, subject, verdict) in table {
        let report = compare(&revision(old), &revision(new)).expect("recorded slices can be compared");
        let found: Vec<_> = report
            .changes
            .iter()
            .filter(|change| {
                change.rule == rule
                    && change.reaches.iter().any(|reach| reach.path == path)
                    && change.subject.as_deref() == subject
            })
            .collect();
        let [change] = found[..] else { panic!("{rule} at {path} is there {} times", found.len()) };
        assert_eq!(change.caller, verdict, "{rule} at {path}");
    }
}
