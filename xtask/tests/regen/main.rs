//! What `regen` takes, what it refuses, and that it says which.

mod hostile;

use std::path::PathBuf;

use serde_json::{Value, json};
use xtask::model::Model;
use xtask::overlay::Stale;
use xtask::regen::{Options, Spec};
use xtask::{guards, schema, slice, source};

/// A document of one operation, in its own folder with an overlay.
struct Small {
    dir: tempfile::TempDir,
    document: Value,
    overlay: Value,
}

impl Small {
    fn new() -> Self {
        let response = json!({ "description": "Prose", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Transaction" } } } });
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": "Prose", "version": "LATEST", "description": "Prose" },
            "paths": {
                "/transactions/{id}": {
                    "get": {
                        "operationId": "transactions_id_get",
                        "description": "Prose",
                        "parameters": [{ "name": "id", "in": "path", "required": true, "description": "Prose", "schema": { "type": "string" } }],
                        "responses": { "200": response, "404": { "description": "Prose" } },
                    },
                },
                "/elsewhere": { "get": { "operationId": "elsewhere", "responses": {} } },
            },
            "components": {
                "schemas": {
                    "Transaction": {
                        "type": "object",
                        "required": ["amount"],
                        "properties": {
                            "amount": { "type": "number", "description": "Prose" },
                            "description": { "type": "string" },
                            "status": { "type": "string", "enum": ["A", "B"], "default": "A" },
                        },
                    },
                    "Unreached": { "type": "object" },
                },
            },
        });
        let overlay = json!({
            "money": ["amount"],
            "typed": { "TransactionId": ["/transactions/{}"] },
            "operations": { "get_transaction": { "call": "GET /transactions/{id}", "retry": "read", "x-method": "transactions.get" } },
            "types": { "Transaction": "get_transaction.response.$" },
            "typed": { "TransactionId": ["/transactions/{}"] },
            "traits": { "essential": { "Transaction": { "amount": "A sum that is not known is not zero." } } },
        });
        Self { dir: tempfile::tempdir().unwrap(), document, overlay }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn spec(&self) -> Spec {
        std::fs::write(self.path("overlay.yaml"), self.overlay.to_string()).unwrap();
        // What was written there stays.
        if !self.path("descriptions.yaml").exists() {
            std::fs::write(self.path("descriptions.yaml"), "operations: {}\n").unwrap();
        }
        std::fs::write(self.path("document.json"), self.document.to_string()).unwrap();
        Spec::at(self.dir.path())
    }

    fn regenerate(&self) -> anyhow::Result<Value> {
        let from = self.path("document.json");
        let written = self.spec().regenerate(from.to_str(), Stale::Refuse, false)?;
        Ok(serde_json::from_str(&written.document).unwrap())
    }

    fn refusal(&self) -> String {
        format!("{:#}", self.regenerate().expect_err("has to be refused"))
    }
}

fn property(small: &mut Small, name: &str, value: Value) {
    small.document["components"]["schemas"]["Transaction"]["properties"][name] = value;
}

#[test]
fn the_slice_holds_what_is_reached_and_no_prose() {
    let sliced = slice::slice(&Small::new().document).unwrap();
    let text = sliced.to_string();
    assert!(!text.contains("Prose") && !text.contains("Unreached") && !text.contains("elsewhere"), "{text}");
    // A property may be called what prose is called.
    assert!(sliced.pointer("/components/schemas/Transaction/properties/description").is_some());
}

#[test]
fn a_document_is_generated_with_our_types() {
    let document = Small::new().regenerate().unwrap();
    let transaction = &document["components"]["schemas"]["Transaction"];
    assert_eq!(transaction["properties"]["amount"]["format"], "int64");
    assert!(transaction["properties"]["status"].to_string().contains("#/components/schemas/TransactionStatus"));
    assert_eq!(document["components"]["schemas"]["TransactionStatus"]["enum"], json!(["A", "B"]));
    assert_eq!(document["paths"]["/transactions/{id}"]["get"]["operationId"], "get_transaction");
}

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

#[test]
fn other_versions_and_broken_files_are_one_clear_line() {
    let dangling = "openapi: 3.0.3\ninfo: {}\npaths:\n  /sessions:\n    get:\n      responses:\n        '200': {$ref: '#/components/responses/R'}\ncomponents: {}\n";
    let cases = [
        ("swagger: '2.0'\ninfo: {}\npaths: {}\n", "Swagger 2.0"),
        ("openapi: 3.1.0\ninfo: {}\npaths: {}\n", "OpenAPI 3.1.0"),
        ("openapi: 3.0.3\ninfo: {}\npaths:\n  /sessions", "cut short"),
        ("openapi: 3.0.3\ninfo: [", "YAML cannot be read"),
        ("{\"openapi\": \"3.0.3\", \"info\": ", "JSON cannot be read"),
        ("<html></html>", "web page"),
        ("", "openapi"),
        (dangling, "does not exist"),
    ];
    for (text, words) in cases {
        let error = format!("{:#}", source::parse(text.as_bytes()).unwrap_err());
        assert!(error.contains(words) && !error.contains('\n'), "{text:?}: {error}");
    }
}

/// A document of a paths object and some components, in JSON.
fn json_document(paths: &str) -> String {
    format!("{{\"openapi\": \"3.0.3\", \"info\": {{}}, \"components\": {{}}, \"paths\": {paths}}}")
}

#[test]
fn an_operation_without_responses_is_a_document_cut_short() {
    let error = source::parse(json_document("{\"/sessions\": {\"get\": {}}}").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("GET /sessions has no `responses`: the document is cut short"), "{error}");
}

/// Paths at the end of a document that was cut off there are told apart from paths that upstream dropped.
#[test]
fn paths_that_were_cut_off_are_no_removal() {
    let mut small = Small::new();
    small.document["paths"]["/sessions"] = json!({ "get": {
        "responses": { "200": { "$ref": "#/components/responses/Sessions" } },
    } });
    small.document["components"]["responses"] =
        json!({ "Sessions": small.document["paths"]["/transactions/{id}"]["get"]["responses"]["200"] });
    small.overlay["operations"]["get_sessions"] =
        json!({ "call": "GET /sessions", "retry": "read", "x-method": "sessions.get" });
    let spec = small.spec();
    let read = |spec: &Spec, removed| spec.regenerate(small.path("document.json").to_str(), Stale::Skip, removed);
    spec.write(&read(&spec, false).unwrap()).unwrap();
    let mut cut = small.document.clone();
    cut["paths"].as_object_mut().unwrap().remove("/sessions");
    std::fs::write(small.path("document.json"), cut.to_string()).unwrap();
    let error = format!("{:#}", read(&spec, false).unwrap_err());
    assert!(error.contains("no /sessions any longer") && error.contains("(Sessions)"), "{error}");
    assert!(read(&spec, true).is_ok(), "unless it is said to be one");
    cut["components"].as_object_mut().unwrap().remove("responses");
    std::fs::write(small.path("document.json"), cut.to_string()).unwrap();
    assert!(read(&spec, false).is_ok(), "what went with all its parts was removed");
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
fn status_codes_may_be_written_as_numbers() {
    let text = "openapi: 3.0.3\ninfo: {}\ncomponents: {}\npaths:\n  /sessions:\n    get:\n      responses:\n        200: {description: ok}\n";
    let document = source::parse(text.as_bytes()).unwrap();
    assert!(document.pointer("/paths/~1sessions/get/responses/200").is_some());
}

#[test]
fn texts_that_old_yaml_took_for_booleans_are_texts() {
    let values = source::parse_yaml("[Y, N, y, n, on, off, yes, NO, true, false]").unwrap();
    assert_eq!(values, json!(["Y", "N", "y", "n", "on", "off", "yes", "NO", true, false]));
}

#[test]
fn an_unreachable_url_is_an_error() {
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/spec.yaml");
    let error = format!("{:#}", source::load(&url).unwrap_err());
    assert!(error.starts_with(&format!("cannot fetch {url}")) && !error.contains('\n'), "{error}");
}

#[test]
fn all_entries_that_meet_nothing_are_named_at_once() {
    let mut small = Small::new();
    small.overlay["operations"]["get_gone"] = json!({ "call": "GET /gone", "retry": "read" });
    small.overlay["types"]["Gone"] = json!(["Transaction.gone", "get_transaction.response.$.gone"]);
    small.overlay["traits"] = json!({ "boxed": ["NoType"], "essential": { "Transaction": { "no_field": "why" } } });
    small.overlay["edits"] =
        json!([{ "at": "Transaction.amount", "reason": "As it is.", "set": { "type": "number" } }]);
    let error = small.refusal();
    for words in [
        "operation get_gone: there is no GET /gone",
        "type Gone: nothing stands at Transaction.gone",
        "type Gone: nothing stands at get_transaction.response.$.gone",
        "there is no type NoType",
        "there is no Transaction.no_field",
        "edit at Transaction.amount: it meets or changes nothing (As it is.)",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // What is left out is written down, and then the check passes; what is not written down, it refuses.
    let spec = small.spec();
    let written = spec.regenerate(small.path("document.json").to_str(), Stale::Skip, false).unwrap();
    assert_eq!(written.stale.lines().filter(|line| !line.starts_with('#')).count(), 6, "{}", written.stale);
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

/// What the document says twice and not alike is settled by a rule, and listed so that a new one is seen.
#[test]
fn contradictions_are_settled_and_listed() {
    let mut small = Small::new();
    property(&mut small, "kind", json!({ "type": "string", "enum": ["A", true], "default": "Z" }));
    property(
        &mut small,
        "state",
        json!({ "allOf": [{ "type": "string", "enum": ["A", "B"] }, { "enum": ["B", "C", "D"] }] }),
    );
    let written = small.spec().regenerate(small.path("document.json").to_str(), Stale::Refuse, false).unwrap();
    let document: Value = serde_json::from_str(&written.document).unwrap();
    assert_eq!(document["components"]["schemas"]["TransactionState"]["enum"], json!(["B", "C", "D", "A"]));
    let at = "GET /transactions/{}, 200 application/json, $";
    for line in [
        format!("{at}.kind: default \"Z\" is not in its enum"),
        format!("{at}.kind: enum value true is not of its type"),
        format!("{at}.state: only some of its enums list \"C\", \"D\", \"A\""),
    ] {
        assert!(written.contradictions.contains(&line), "{line}: {}", written.contradictions);
    }
}

#[test]
fn a_lost_property_or_operation_is_found() {
    let spec = Spec::here();
    let slice = spec.slice().unwrap();
    let mut document = spec.generate(&slice, Stale::Refuse).unwrap().document;
    let curated = spec.curated(&slice, Stale::Refuse).unwrap();
    let curated = Model::read("curated", &curated).unwrap();
    guards::check_document(&curated, &document).unwrap();

    let whole = document.clone();
    document["components"]["schemas"]["OrderItem"]["properties"].as_object_mut().unwrap().remove("vat");
    let error = guards::check_document(&curated, &document).unwrap_err().to_string();
    assert!(error.contains("has lost") && error.contains(".vat"), "{error}");

    document = whole;
    document["paths"].as_object_mut().unwrap().remove("/sessions/pay");
    let error = guards::check_document(&curated, &document).unwrap_err().to_string();
    assert!(error.contains("POST /sessions/pay is in the slice and not in the document"), "{error}");
}

#[test]
fn how_a_schema_is_put_together_does_not_matter() {
    let small = Small::new();
    let mut other = Small::new();
    // The same schema, its properties spread over two parts.
    other.document["components"]["schemas"]["Transaction"] = json!({
        "allOf": [
            { "type": "object", "properties": { "status": { "default": "A", "enum": ["A", "B"], "type": "string" } } },
            { "type": "object", "properties": { "description": { "type": "string" }, "amount": { "type": "number" } }, "required": ["amount"] },
        ],
    });
    assert_eq!(small.regenerate().unwrap(), other.regenerate().unwrap());
}

#[test]
fn the_pinned_files_belong_together() {
    Spec::here().check().unwrap();
    let slice = Spec::here().slice().unwrap();
    assert_eq!(schema::operations(&slice).len(), 14, "thirteen published operations and the token call");
}

#[test]
fn a_schema_may_hold_itself_but_not_be_part_of_itself() {
    let mut small = Small::new();
    property(
        &mut small,
        "parents",
        json!({ "type": "array", "items": { "$ref": "#/components/schemas/Transaction" } }),
    );
    let document = small.regenerate().unwrap();
    let parents = &document["components"]["schemas"]["Transaction"]["properties"]["parents"];
    assert_eq!(parents["items"]["$ref"], "#/components/schemas/Transaction");

    let part = json!({ "allOf": [{ "$ref": "#/components/schemas/Transaction" }, { "type": "object" }] });
    small.document["components"]["schemas"]["Transaction"] = part;
    assert!(small.refusal().contains("a part of itself through `allOf`"), "{}", small.refusal());
}
