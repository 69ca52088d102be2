//! The comparison by which `cargo xtask timetravel` judges what a client made of an answer: it has to see what is lost
//! or altered, and to let pass what only looks different.
//!
//! The clients are built outside this workspace, so the file is taken in here as they take it in.

#[path = "../../xtask/src/timetravel/reader/compare.rs"]
mod compare;

mod read {
    pub(crate) use dintero::read::{JsonPath, SetAside};
}

use compare::{Comparison, Known};
use dintero::read::{JsonPath, from_value};
use dintero::types::Transaction;
use serde_json::{Value, json};

fn root() -> JsonPath {
    JsonPath::root()
}

fn document() -> Value {
    let thing = json!({ "type": "object", "properties": {
        "status": { "type": "string" },
        "at": { "type": "string", "format": "date-time" },
        "amount": { "type": "integer" },
        "rows": { "type": "array", "items": { "allOf": [{ "$ref": "#/components/schemas/Thing" }] } },
        "free": { "type": "object" },
    } });
    let answer = json!({ "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } });
    json!({
        "paths": { "/things": { "get": { "responses": { "200": answer } } } },
        "components": { "schemas": { "Thing": thing } },
    })
}

/// What the comparison finds, with `status` as an enum wherever it stands.
fn found(input: &Value, back: &Value) -> Value {
    let document = document();
    let mut comparison = Comparison::default();
    let enums = ["/status".to_owned(), "/rows/0/status".to_owned(), "/rows/1/status".to_owned()];
    comparison.compare(input, back, &Known::of_answer(&document, "GET /things"), &[], &enums);
    serde_json::to_value(comparison).unwrap()
}

fn count(found: &Value, what: &str) -> usize {
    found[what].as_array().map_or(0, Vec::len)
}

#[test]
fn an_enum_value_that_is_altered_or_lost_is_seen() {
    let came = json!({ "status": "NEW", "rows": [{ "status": "ONE" }, { "status": "TWO" }] });
    assert_eq!(found(&came, &came)["enums_kept"], 3);
    for back in [
        json!({ "status": "new", "rows": [{ "status": "ONE" }, { "status": "TWO" }] }),
        json!({ "rows": [{ "status": "ONE" }, { "status": "TWO" }] }),
        json!({ "status": "NEW", "rows": [{ "status": "TWO" }, { "status": "TWO" }] }),
        json!({ "status": "NEW", "rows": [{ "status": "ONE" }, { "status": null }] }),
    ] {
        assert_eq!(count(&found(&came, &back), "enums_altered"), 1, "{back}");
    }
}

#[test]
fn any_other_value_that_is_altered_lost_or_added_is_seen() {
    let came =
        json!({ "at": "2026-05-07T10:00:00+02:00", "amount": 100, "rows": [{ "amount": 1 }], "free": { "a": 1 } });
    for back in [
        json!({ "at": "2026-05-07T10:00:00Z", "amount": 100, "rows": [{ "amount": 1 }], "free": { "a": 1 } }),
        json!({ "at": "2026-05-07T08:00:00Z", "amount": 101, "rows": [{ "amount": 1 }], "free": { "a": 1 } }),
        json!({ "at": "2026-05-07T08:00:00Z", "amount": 100, "rows": [], "free": { "a": 1 } }),
        json!({ "at": "2026-05-07T08:00:00Z", "amount": 100, "free": { "a": 1 } }),
        json!({ "at": "2026-05-07T08:00:00Z", "amount": 100, "rows": [{ "amount": 1 }, {}], "free": { "a": 1 } }),
        json!({ "at": "2026-05-07T08:00:00Z", "amount": 100, "rows": [{ "amount": 1 }], "free": {} }),
    ] {
        assert!(count(&found(&came, &back), "values_altered") > 0, "{back}");
    }
}

#[test]
fn what_only_looks_different_passes() {
    let came = json!({ "at": "2026-05-07T10:00:00+02:00", "amount": 100.0, "rows": [], "free": {}, "status": null });
    let seen = found(&came, &json!({ "at": "2026-05-07T08:00:00Z", "amount": 100 }));
    assert_eq!(count(&seen, "values_altered") + count(&seen, "enums_altered"), 0, "{seen}");
}

#[test]
fn a_field_that_the_client_does_not_know_is_listed() {
    let seen = found(&json!({ "rows": [{ "new": { "a": 1 } }, { "new": 2 }] }), &json!({ "rows": [{}, {}] }));
    assert_eq!(seen["unknown"], json!({ "$.rows[].new": 2 }));
    assert_eq!(count(&seen, "values_altered"), 0, "{seen}");
}

#[test]
fn what_was_set_aside_is_not_counted_as_lost() {
    let document: Value = serde_json::from_str(include_str!("../../spec/dintero.json")).unwrap();
    let came = json!({ "amount": 1, "currency": "NOK", "events": [7, { "event": "CAPTURE" }], "customer_ip": true });
    let read = from_value::<Transaction>(came.clone()).unwrap();
    let back = serde_json::to_value(&read.value).unwrap();
    let known = Known::of_answer(&document, "GET /transactions/{id}");
    let mut comparison = Comparison::default();
    comparison.compare(&came, &back, &known, &read.set_aside, &["/events/1/event".to_owned()]);
    let seen = serde_json::to_value(comparison).unwrap();
    assert_eq!(count(&seen, "values_altered"), 0, "{seen}");
    assert_eq!(seen["enums_kept"], 1);
    let places: Vec<String> = read.set_aside.iter().map(|gone| compare::place(&gone.path)).collect();
    assert_eq!(places, ["$.customer_ip", "$.events[]"]);
}
