//! What `regen` takes, what it refuses, and that it says which.

use std::path::PathBuf;

use serde_json::{Value, json};
use xtask::overlay::{Overlay, Stale};
use xtask::regen::Spec;
use xtask::{guards, schema, slice, source};

/// A document of one operation, in its own folder with an overlay.
struct Small {
    dir: tempfile::TempDir,
    document: Value,
    overlay: Vec<Value>,
}

impl Small {
    fn new() -> Self {
        let answer = json!({ "description": "Prose", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Transaction" } } } });
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": "Prose", "version": "LATEST", "description": "Prose" },
            "paths": {
                "/transactions/{id}": {
                    "get": {
                        "operationId": "transactions_id_get",
                        "description": "Prose",
                        "parameters": [{ "name": "id", "in": "path", "required": true, "description": "Prose", "schema": { "type": "string" } }],
                        "responses": { "200": answer, "404": { "description": "Prose" } },
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
        let overlay = vec![
            json!({ "target": "$", "description": "Sums.", "update": { "x-money": ["amount"] } }),
            json!({ "target": "$.paths['/transactions/{id}'].get", "description": "Ours.", "update": { "x-id": "get_transaction", "x-retry": "read" } }),
        ];
        Self { dir: tempfile::tempdir().unwrap(), document, overlay }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn spec(&self) -> Spec {
        let overlay = json!({ "overlay": "1.0.0", "info": { "title": "t", "version": "1" }, "actions": self.overlay });
        std::fs::write(self.path("overlay.yaml"), overlay.to_string()).unwrap();
        std::fs::write(self.path("descriptions.yaml"), "operations: {}\n").unwrap();
        std::fs::write(self.path("document.json"), self.document.to_string()).unwrap();
        Spec::at(self.dir.path())
    }

    fn regenerate(&self) -> anyhow::Result<Value> {
        let from = self.path("document.json");
        let (written, _) = self.spec().regenerate(from.to_str(), Stale::Refuse)?;
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
    let (written, _) = spec.regenerate(from.to_str(), Stale::Refuse).unwrap();
    assert_eq!(spec.write(&written).unwrap(), ["upstream.json", "upstream.lock", "dintero.json"]);
    let (again, _) = spec.regenerate(from.to_str(), Stale::Refuse).unwrap();
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
        ("openapi: 3.0.3\ninfo: [", "not valid YAML"),
        ("{\"openapi\": \"3.0.3\", \"info\": ", "not valid JSON"),
        ("<html></html>", "cut short"),
        ("", "openapi"),
        (dangling, "does not exist"),
    ];
    for (text, words) in cases {
        let error = format!("{:#}", source::parse(text.as_bytes()).unwrap_err());
        assert!(error.contains(words) && !error.contains('\n'), "{text:?}: {error}");
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
fn an_action_that_matches_or_changes_nothing_is_named() {
    let mut small = Small::new();
    small.overlay.push(json!({ "target": "$.paths['/gone']", "description": "It was there.", "remove": true }));
    small.overlay.push(json!({ "target": "$.openapi", "description": "As it is.", "update": "3.0.3" }));
    let error = small.refusal();
    assert!(error.contains("$.paths['/gone']: It was there.) matches nothing"), "{error}");
    assert!(error.contains("$.openapi: As it is.) changes nothing any more"), "{error}");
}

#[test]
fn an_action_has_to_give_its_reason() {
    let mut small = Small::new();
    small.overlay.push(json!({ "target": "$.info", "description": " ", "update": { "version": "1" } }));
    assert!(small.refusal().contains("give the reason"));
}

#[test]
fn the_overlay_merges_removes_and_extends() {
    let overlay = "overlay: 1.0.0\nactions:\n\
        - {target: $.list, description: d, update: [3]}\n\
        - {target: '$.all[?@.gone]', description: d, remove: true}\n\
        - {target: $.map, description: d, update: {b: {y: 2}}}\n";
    let mut document = json!({ "list": [1, 2], "all": [{ "gone": 1 }, { "kept": 1 }, { "gone": 2 }], "map": { "a": 1, "b": { "x": 1 } } });
    Overlay::parse(overlay).unwrap().apply(&mut document, Stale::Refuse).unwrap();
    assert_eq!(
        document,
        json!({ "list": [1, 2, 3], "all": [{ "kept": 1 }], "map": { "a": 1, "b": { "x": 1, "y": 2 } } })
    );
}

#[test]
fn each_guard_has_its_own_message() {
    type Change = fn(&mut Small);
    let cases: [(Change, &str); 10] = [
        (|small| small.overlay[1]["update"] = json!({ "x-retry": "read" }), "has no `x-id`"),
        (
            |small| property(small, "status", json!({ "type": "string", "enum": ["A"], "default": "Z" })),
            "not in its own enum",
        ),
        (|small| property(small, "odd", json!({ "type": "string", "enum": ["Y", true] })), "holds true"),
        (|small| property(small, "count", json!({ "type": "integer", "default": "many" })), "not of its type"),
        (|small| property(small, "text", json!({ "type": "string", "pattern": "(" })), "does not compile"),
        (|small| small.overlay[0]["update"] = json!({ "x-money": ["amount", "amounts"] }), "no property has"),
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
            "it is \"string\" in one place and \"integer\" in another",
        ),
        (
            |small| {
                let target = "$.components.schemas.Transaction.properties.status";
                small
                    .overlay
                    .push(json!({ "target": target, "description": "d", "update": { "x-name": "Transaction" } }));
            },
            "type Transaction",
        ),
    ];
    for (change, words) in cases {
        let mut small = Small::new();
        change(&mut small);
        let error = small.refusal();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_lost_property_or_operation_is_found() {
    let spec = Spec::here();
    let slice = spec.slice().unwrap();
    let mut document = spec.generate(&slice, Stale::Refuse).unwrap().document;
    let overlay = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/overlay.yaml")).unwrap();
    let mut curated = slice;
    Overlay::parse(&overlay).unwrap().apply(&mut curated, Stale::Refuse).unwrap();
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
    assert!(small.refusal().contains("contains itself through `allOf`"), "{}", small.refusal());
}
