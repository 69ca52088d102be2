//! What `regen` takes, what it refuses, and that it says which.

mod curation;
mod hostile;
mod landing;
mod source;
mod yaml;

use std::path::PathBuf;

use serde_json::{Value, json};
use xtask::model::Model;
use xtask::overlay::Stale;
use xtask::regen::Spec;
use xtask::{guards, slice};

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

/// A key that is a keyword in a schema may be a name elsewhere, and a name may be one of ours.
#[test]
fn what_only_a_name_like_a_keyword_leads_to_is_reached() {
    let mut document = Small::new().document;
    let to = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let content = |name: &str| json!({ "application/json": { "schema": to(name) } });
    let responses = &mut document["paths"]["/transactions/{id}"]["get"]["responses"];
    responses["default"] =
        json!({ "description": "", "content": content("Default"), "headers": { "enum": { "schema": to("Header") } } });
    let schemas = &mut document["components"]["schemas"];
    schemas["Default"] = json!({ "allOf": [to("example")] });
    schemas["example"] =
        json!({ "properties": { "default": to("Field"), "properties": { "properties": { "enum": to("Deep") } } } });
    for name in ["Field", "Header", "Deep"] {
        schemas[name] = json!({ "type": "string" });
    }
    // What is data names nothing.
    schemas["Deep"]["default"] = to("Unreached");
    schemas["Field"]["example"] = to("Gone");
    let sliced = slice::slice(&document).unwrap();
    let reached: Vec<&String> = sliced["components"]["schemas"].as_object().unwrap().keys().collect();
    assert_eq!(reached, ["Deep", "Default", "Field", "Header", "Transaction", "example"]);
    assert!(xtask::schema::dangling_refs(&sliced).is_empty());
}

#[test]
fn a_reference_below_a_name_is_seen_wherever_names_are() {
    // The objects of OpenAPI 3.0 whose keys are names and whose values may be references.
    for place in [
        "callbacks",
        "encoding",
        "headers",
        "links",
        "parameters",
        "properties",
        "requestBodies",
        "responses",
        "schemas",
        "securitySchemes",
    ] {
        for name in ["default", "enum", "example", "examples"] {
            let document = json!({ "components": { place: { name: { "$ref": "#/gone" } } } });
            let at = format!("#/components/{place}/{name}");
            assert_eq!(xtask::schema::dangling_refs(&document), [(at, "#/gone".to_owned())]);
        }
    }
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
