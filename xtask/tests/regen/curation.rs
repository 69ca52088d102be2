//! The overlay and the guards: what does not fit is named, all of it at once.

use serde_json::json;
use xtask::overlay::Stale;

use crate::{Small, property};

/// Errors of all stages come at once, and what is gone names where it most likely went.
#[test]
fn everything_that_has_to_be_mended_is_told_at_once() {
    let mut small = Small::new();
    property(&mut small, "text", json!({ "type": "string", "pattern": "(" }));
    property(&mut small, "state", json!({ "type": "string", "enum": ["A"] }));
    small.overlay["types"]["State"] = json!("Transaction.old.state");
    small.overlay["money"] = json!(["amount", "sum"]);
    let error = small.refusal();
    for words in ["does not compile", "Transaction.old.state (perhaps Transaction.state now)", "`sum`"] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn all_entries_that_meet_nothing_are_named_at_once() {
    let mut small = Small::new();
    small.overlay["operations"]["get_gone"] = json!({ "call": "GET /gone", "retry": "read" });
    small.overlay["types"]["Gone"] = json!(["Transaction.gone", "get_transaction.response.$.gone"]);
    small.overlay["traits"] = json!({ "boxed": ["NoType"], "essential": { "Transaction": { "no_field": "why" } } });
    small.overlay["printed"] = json!(["nobody", "Transaction.amount"]);
    small.overlay["edits"] =
        json!([{ "at": "Transaction.amount", "reason": "As it is.", "set": { "type": "number" } }]);
    let error = small.refusal();
    for words in [
        "operation get_gone: there is no GET /gone",
        "type Gone: nothing stands at Transaction.gone",
        "type Gone: nothing stands at get_transaction.response.$.gone",
        "there is no type NoType",
        "there is no Transaction.no_field",
        "printed: there is no text, day or decimal number nobody",
        "printed: there is no text, day or decimal number Transaction.amount",
        "edit at Transaction.amount: it meets or changes nothing (As it is.)",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // What is left out is written down, and then the check passes; what is not written down, it refuses.
    let spec = small.spec();
    let written = spec.regenerate(small.path("document.json").to_str(), Stale::Skip, false).unwrap();
    assert_eq!(written.stale.lines().filter(|line| !line.starts_with('#')).count(), 8, "{}", written.stale);
    spec.write(&written).unwrap();
    spec.check().unwrap();
    small.overlay["types"]["Lost"] = json!("Transaction.lost");
    let error = format!("{:#}", small.spec().check().unwrap_err());
    assert!(error.contains("Transaction.lost") && !error.contains("get_gone"), "{error}");
}

#[test]
fn an_edit_has_to_give_its_reason() {
    let mut small = Small::new();
    small.overlay["edits"] = json!([{ "at": "Transaction.amount", "reason": " ", "set": { "type": "integer" } }]);
    assert!(small.refusal().contains("give the reason"));
}

#[test]
fn an_edit_repairs_the_place_that_it_names() {
    let mut small = Small::new();
    property(&mut small, "note", json!({ "type": "strng", "pattern": "^a" }));
    small.overlay["edits"] =
        json!([{ "at": "Transaction.note", "reason": "A slip.", "set": { "type": "string" }, "remove": ["pattern"] }]);
    let document = small.regenerate().unwrap();
    let note = &document["components"]["schemas"]["Transaction"]["properties"]["note"];
    assert_eq!(note["type"], "string");
    assert!(!note.to_string().contains("^a"), "{note}");
}

#[test]
fn a_call_that_is_not_published_is_made_of_those_that_are() {
    let mut small = Small::new();
    small.overlay["operations"]["list_transactions"] = json!({
        "call": "GET /transactions", "retry": "read", "x-method": "transactions.list",
        "added": { "reason": "It is there.", "response": { "list_of": "get_transaction.response.$" } },
    });
    small.overlay["operations"]["make_transaction"] = json!({
        "call": "POST /transactions", "retry": "never", "x-method": "transactions.make",
        "added": {
            "reason": "It is there.",
            "request": { "like": "get_transaction.response.$", "without": ["status"], "required": ["description"] },
            "response": { "like": "get_transaction.response.$" },
        },
    });
    let document = small.regenerate().unwrap();
    let operation = &document["paths"]["/transactions"];
    let list = &operation["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(list["items"]["$ref"], "#/components/schemas/Transaction");
    let body = &document["components"]["schemas"]["MakeTransactionRequest"];
    assert!(body["properties"].get("status").is_none() && body["properties"].get("amount").is_some(), "{body}");
    assert_eq!(body["required"], json!(["amount", "description"]));

    // Once upstream publishes it, what we added has to go.
    small.document["paths"]["/transactions"] = json!({ "get": small.document["paths"]["/transactions/{id}"]["get"] });
    small.document["paths"]["/transactions"]["get"]["parameters"] = json!([]);
    assert!(small.refusal().contains("GET /transactions is published now"), "{}", small.refusal());
}

#[test]
fn each_guard_has_its_own_message() {
    type Change = fn(&mut Small);
    let cases: [(Change, &str); 8] = [
        (|small| small.overlay["operations"] = json!({}), "the operation has no name"),
        (|small| property(small, "text", json!({ "type": "string", "pattern": "(" })), "does not compile"),
        (|small| small.overlay["money"] = json!(["amount", "amounts"]), "no property is called"),
        (
            |small| {
                property(small, "a_rather_long_name_for_a_property_of_it", json!({ "type": "string", "enum": ["A"] }))
            },
            "more than 40 characters",
        ),
        (
            |small| {
                property(small, "aB", json!({ "type": "string" }));
                property(small, "a_b", json!({ "type": "string" }));
            },
            "are both `a_b` in Rust",
        ),
        (
            |small| property(small, "both", json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] })),
            "it is integer and string at once",
        ),
        (
            |small| small.overlay["types"]["Transaction"] = json!(["get_transaction.response.$", "Transaction.status"]),
            "type Transaction",
        ),
        (
            |small| small.overlay["types"]["Other"] = json!("get_transaction.response.$"),
            "get_transaction.response.$ is named",
        ),
    ];
    for (change, words) in cases {
        let mut small = Small::new();
        change(&mut small);
        let error = small.refusal();
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// A call that upstream adds waits for its name: regen says so, and without it everything else can be taken over.
#[test]
fn a_call_without_a_name_is_left_out_and_named() {
    let mut small = Small::new();
    let get = small.document["paths"]["/transactions/{id}"]["get"].clone();
    small.document["paths"]["/transactions/{id}/hold"] =
        json!({ "post": { "parameters": get["parameters"], "responses": { "200": get["responses"]["200"] } } });
    let wanted = "POST /transactions/{id}/hold: the operation has no name";
    assert!(small.refusal().contains(wanted), "{}", small.refusal());
    let spec = small.spec();
    let written = spec.regenerate(small.path("document.json").to_str(), Stale::Skip, false).unwrap();
    assert!(written.stale.contains(wanted), "{}", written.stale);
    assert!(!written.document.contains("hold"), "{}", written.document);
    spec.write(&written).unwrap();
    spec.check().unwrap();
}

/// A call that gives what a call before it gives has its type, without a word in the overlay.
#[test]
fn a_call_more_that_gives_a_known_type_has_that_type() {
    let mut small = Small::new();
    let get = small.document["paths"]["/transactions/{id}"]["get"].clone();
    let list = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Transaction" } });
    let many = json!({ "200": { "description": "", "content": { "application/json": { "schema": list } } } });
    small.document["paths"]["/transactions/{id}/hold"] =
        json!({ "post": { "parameters": get["parameters"], "responses": { "200": get["responses"]["200"] } } });
    small.document["paths"]["/transactions"] = json!({ "get": { "responses": many } });
    small.overlay["operations"]["hold_transaction"] =
        json!({ "call": "POST /transactions/{id}/hold", "retry": "never", "x-method": "transactions.hold" });
    small.overlay["operations"]["list_transactions"] =
        json!({ "call": "GET /transactions", "retry": "read", "x-method": "transactions.list" });
    let document = small.regenerate().unwrap();
    let gives = |path: &str, method: &str| {
        document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"].clone()
    };
    assert_eq!(gives("/transactions/{id}/hold", "post")["$ref"], "#/components/schemas/Transaction");
    assert_eq!(gives("/transactions", "get")["items"]["$ref"], "#/components/schemas/Transaction");
}
