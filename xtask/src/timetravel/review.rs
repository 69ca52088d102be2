//! What the pairs show: a table for whoever runs it, and the list that is reviewed.
//!
//! The list names types and fields and no counts, so that it is the same for every seed: one postal code that stands at
//! two thousand places is one line. It is a snapshot: a line more is a loss that nobody has looked at.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Pair;

/// The table: a line for each pair, then what went wrong.
#[must_use]
pub fn table(pairs: &[Pair]) -> String {
    let mut out = String::from(
        "client      responses of  generated  documented  read     enum values kept/altered/beyond  other altered  skipped         damaged/read\n",
    );
    for pair in pairs {
        let found = &pair.outcome;
        let all = found.generated + found.documented;
        let _ = writeln!(
            out,
            "{}  {:12}  {:9}  {:10}  {:>6.2}%  {:>14}/{}/{:<13}  {:13}  {:<14}  {}/{}",
            pair.older,
            pair.later,
            found.generated,
            found.documented,
            found.read as f64 * 100.0 / all.max(1) as f64,
            found.enums_kept,
            found.enums_altered.len(),
            found.enums_beyond,
            found.values_altered.len(),
            format!("{} in {} fields", found.skipped_fields.values().sum::<usize>(), found.skipped_fields.len()),
            found.damaged,
            found.damaged_read,
        );
    }
    for pair in pairs {
        for (failure, count) in &pair.outcome.failed {
            let _ = writeln!(out, "{} reading {}, not read, {count} times: {failure}", pair.older, pair.later);
        }
        let failures = [
            ("enum value altered", &pair.outcome.enums_altered),
            ("value altered", &pair.outcome.values_altered),
            ("one value that does not fit cost more", &pair.outcome.harmed),
        ];
        for (what, list) in failures {
            for failure in list.iter().filter(|failure| !failure.is_empty()).take(20) {
                let _ = writeln!(out, "{} reading {}, {what}: {failure}", pair.older, pair.later);
            }
        }
    }
    out
}

/// The list: for each pair, what a client does not read of a later response, and what it could have read.
#[must_use]
pub fn review(pairs: &[Pair]) -> String {
    let mut out = String::new();
    for pair in pairs {
        let _ = writeln!(out, "{} reading {}", pair.older, pair.later);
        for (what, places) in [
            ("skipped", &pair.outcome.skipped_fields),
            ("skipped in documented examples", &pair.outcome.examples_skipped),
        ] {
            for place in places.keys() {
                let _ = writeln!(out, "  {what}: {place}");
            }
        }
        for field in &pair.lost {
            let _ = writeln!(out, "  not read though {} documents it: {field}", pair.older);
        }
        let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for field in pair.outcome.unknown.keys().filter(|field| !pair.lost.contains(*field)) {
            let (name, field) = field.split_once('.').unwrap_or((field, ""));
            unknown.entry(name).or_default().push(field);
        }
        for (name, fields) in unknown {
            let _ = writeln!(out, "  not known yet, {name}: {}", fields.join(", "));
        }
    }
    out
}
