//! The comparison by which `cargo xtask timetravel` judges what a client made of a response: it has to see what is lost
//! or altered, and to let pass what only looks different.

use serde_json::{Value, json};
use xtask::bindings::surface;

use crate::client::Client;
use crate::compare::Outcome;

const CALL: &str = "GET /things";

/// What is generated of a call that gives a `Thing`.
fn surface() -> String {
    let thing = json!({ "$ref": "#/components/schemas/Thing" });
    let text = json!({ "type": "string" });
    let schemas = json!({
        "Card": { "type": "object", "properties": { "last4": text } },
        "Thing": { "type": "object", "properties": {
            "status": text,
            "at": { "type": "string", "format": "date-time" },
            "amount": { "type": "integer", "format": "int64" },
            "rows": { "type": "array", "items": thing },
            "free": { "type": "object" },
            "named": { "type": "object", "additionalProperties": thing },
            "way": { "$ref": "#/components/schemas/Way" },
            "pairs": { "type": "array", "items": { "$ref": "#/components/schemas/Pair" } },
        } },
        "Pair": { "type": "object", "required": ["one"], "properties": { "one": text, "other": text } },
        "Way": { "type": "object", "x-tagged": {
            "property": "type", "variants": { "card": { "$ref": "#/components/schemas/Card" } },
        } },
    });
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": "t", "version": "1" },
        "paths": { "/things": { "get": {
            "operationId": "things", "x-method": "things.get", "x-retry": "read",
            "responses": { "200": { "description": "", "content": { "application/json": { "schema": thing } } } },
        } } },
        "components": { "schemas": schemas },
    });
    serde_json::to_string(&surface::read(&document).unwrap()).unwrap()
}

/// The client, which names the field of a place as the crate does.
fn client() -> Client {
    Client::new("2026-01-01", &surface(), |_, _| Err("it is not asked".to_owned()), |name| format!(".{name}"))
}

/// What the comparison finds, with `status` as an enum wherever it stands.
fn found_with(came: &Value, back: &Value, skipped_fields: &[(&str, Value, &str)]) -> Value {
    let client = client();
    let enums = ["/status", "/rows/0/status", "/rows/1/status"].map(str::to_owned);
    let gone = skipped_fields
        .iter()
        .map(|(path, value, expected)| ((*path).to_owned(), value.clone(), (*expected).to_owned()));
    let mut outcome = Outcome::default();
    outcome.take(&client, CALL, came, Ok((back.clone(), gone.collect())), &enums, false);
    serde_json::to_value(outcome).unwrap()
}

fn found(came: &Value, back: &Value) -> Value {
    found_with(came, back, &[])
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
    let came = json!({
        "at": "2026-05-07T10:00:00+02:00", "amount": 100, "rows": [{ "amount": 1 }], "free": { "a": 1 },
        "named": { "x": { "amount": 2 } }, "way": { "type": "card", "last4": "1234" },
    });
    let mut same = came.clone();
    same["at"] = json!("2026-05-07T08:00:00Z");
    assert_eq!(count(&found(&came, &same), "values_altered"), 0);
    for (pointer, value) in [
        ("/at", json!("2026-05-07T10:00:00Z")),
        ("/amount", json!(101)),
        ("/rows", json!([])),
        ("/rows", json!(null)),
        ("/rows", json!([{ "amount": 1 }, {}])),
        ("/free", json!({})),
        ("/named", json!({})),
        ("/named/x/amount", json!(3)),
        ("/way/type", json!("cash")),
        ("/way", json!({ "type": "card" })),
    ] {
        let mut back = same.clone();
        *back.pointer_mut(pointer).unwrap() = value;
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
fn a_field_that_the_client_does_not_know_is_listed_by_its_type() {
    let came = json!({ "rows": [{ "new": { "a": 1 } }, { "new": 2 }], "way": { "type": "card", "more": 1 } });
    let seen = found(&came, &json!({ "rows": [{}, {}], "way": { "type": "card" } }));
    let places = [format!("{CALL}\t/rows/0/new"), format!("{CALL}\t/rows/1/new")];
    assert_eq!(seen["unknown"], json!({ "Card.more": [format!("{CALL}\t/way/more")], "Thing.new": places }));
    assert_eq!(count(&seen, "values_altered"), 0, "{seen}");
    // What a choice of another kind holds is kept whole, and has to come back.
    let came = json!({ "way": { "type": "cash", "coins": [1] } });
    assert_eq!(count(&found(&came, &came), "values_altered"), 0);
    assert_eq!(count(&found(&came, &json!({ "way": { "type": "cash" } })), "values_altered"), 1);
}

#[test]
fn what_was_skipped_is_listed_by_its_type_and_not_counted_as_lost() {
    let came = json!({ "rows": [7, { "status": "NEW", "amount": "x" }], "named": { "a": { "at": 1 } } });
    let gone = [
        ("$.rows[0]", json!(7), "an object"),
        ("$.rows[1].amount", json!("x"), "i64"),
        ("$.named.a.at", json!(1), "a time"),
    ];
    let seen = found_with(&came, &json!({ "rows": [{ "status": "NEW" }], "named": { "a": {} } }), &gone);
    assert_eq!(count(&seen, "values_altered"), 0, "{seen}");
    let wanted = json!({
        "Thing.rows[]: an integer, not an object": 1,
        "Thing.amount: a text, not i64": 1,
        "Thing.at: an integer, not a time": 1,
    });
    assert_eq!(seen["skipped_fields"], wanted);
    // What is reported as skipped and came back as it was is listed as well.
    let seen = found_with(&json!({ "amount": 1 }), &json!({ "amount": 1 }), &[("$.elsewhere", json!(1), "nothing")]);
    assert_eq!(seen["skipped_fields"].as_object().unwrap().len(), 1, "{seen}");
}

#[test]
fn a_value_that_does_not_fit_costs_itself_and_what_needs_it() {
    let harmed = |came: &Value, place: &str, read: Result<(Value, &str), &str>| {
        let gone = |path: &str| (path.to_owned(), came.pointer(place).unwrap().clone(), "a text".to_owned());
        let read = read.map(|(back, path)| (back, vec![gone(path)])).map_err(str::to_owned);
        let mut outcome = Outcome::default();
        outcome.take_damaged(&client(), CALL, came, read, place, &["$.known".to_owned()].into());
        count(&serde_json::to_value(outcome).unwrap(), "harmed")
    };
    let pair = json!({ "one": "1", "other": "2" });
    let needed = json!({ "amount": 1, "pairs": [{ "one": 7, "other": "2" }, pair] });
    let place = "/pairs/0/one";
    let back = json!({ "amount": 1, "pairs": [pair] });
    assert_eq!(harmed(&needed, place, Ok((back.clone(), "$.pairs[0]"))), 0);
    assert_eq!(harmed(&needed, place, Ok((json!({ "amount": 2, "pairs": [pair] }), "$.pairs[0]"))), 1, "another value");
    assert_eq!(harmed(&needed, place, Ok((json!({ "amount": 1 }), "$.pairs"))), 1, "the list can do without an entry");
    for (problem, expected) in [("no text at $.pairs[0].one", 0), ("no text at $.amount", 1), ("no text", 1)] {
        assert_eq!(harmed(&needed, place, Err(problem)), expected, "{problem}");
    }

    let optional = json!({ "amount": 1, "pairs": [{ "one": "1", "other": 7 }, pair] });
    let place = "/pairs/0/other";
    assert_eq!(
        harmed(&optional, place, Ok((json!({ "amount": 1, "pairs": [{ "one": "1" }, pair] }), "$.pairs[0].other"))),
        0
    );
    assert_eq!(harmed(&optional, place, Ok((back, "$.pairs[0]"))), 1, "an entry can do without the field");

    // What was skipped without the damage is not held against it.
    let known = json!({ "known": 7, "pairs": [pair] });
    assert_eq!(harmed(&known, "/pairs/0/other", Ok((json!({ "pairs": [pair] }), "$.known"))), 0);
}
