//! What no code is made of: each form that the generator refuses is refused, with the name of what holds it.

use serde_json::{Value, json};
use xtask::bindings;
use xtask::bindings::model::{Construct, Presence, Shape};
use xtask::bindings::{rust, structs, surface};

/// One call on a thing, and one that lists things.
fn document() -> Value {
    let text = json!({ "type": "string" });
    let thing = json!({ "$ref": "#/components/schemas/Thing" });
    let gives = |schema: &Value| json!({ "200": { "description": "", "content": { "application/json": { "schema": schema } } } });
    json!({
        "openapi": "3.0.3", "info": { "title": "t", "version": "1" },
        "paths": {
            "/things": { "get": {
                "operationId": "list_things", "x-method": "things.list", "x-retry": "read",
                "parameters": [
                    { "name": "after", "in": "query", "schema": text },
                    { "name": "limit", "in": "query", "schema": { "type": "integer", "format": "int64" } },
                ],
                "x-paging": { "cursor": "after", "limit": "limit", "row_id": "id" },
                "responses": gives(&json!({ "type": "array", "items": thing })),
            } },
            "/things/{id}": { "post": {
                "operationId": "change_thing", "x-method": "things.change", "x-retry": "never",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "$ref": "#/components/schemas/ThingId" } }],
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Change" } } } },
                "responses": gives(&thing),
            } },
        },
        "components": { "schemas": {
            "ThingId": { "type": "string", "x-replace": "crate::ids::TransactionId" },
            "Thing": { "type": "object", "required": ["id"], "properties": {
                "id": { "$ref": "#/components/schemas/ThingId" }, "note": text,
            } },
            "Change": {
                "type": "object", "required": ["amount", "note"], "x-arguments": ["amount", "note"],
                "properties": { "amount": { "type": "integer", "format": "int64" }, "note": text, "name": text },
            },
            "Color": { "type": "string", "enum": ["red", "blue"] },
        } },
    })
}

/// The path, the value put there, and what the refusal says.
type Refused = (&'static str, Value, &'static str);

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    if document.pointer(pointer).is_some() {
        return document.pointer_mut(pointer).unwrap();
    }
    let (holder, key) = pointer.rsplit_once('/').unwrap();
    &mut document.pointer_mut(holder).unwrap()[key.replace("~1", "/")]
}

#[test]
fn each_form_without_code_is_refused_by_name() {
    let post = |rest: &str| -> &'static str { format!("/paths/~1things~1{{id}}/post/{rest}").leak() };
    let list = |rest: &str| -> &'static str { format!("/paths/~1things/get/{rest}").leak() };
    let schema = |rest: &str| -> &'static str { format!("/components/schemas/{rest}").leak() };
    let text = json!({ "type": "string" });
    let several = json!({ "type": "object", "properties": { "a": text } });
    let refused: Vec<Refused> = vec![
        // Operations.
        (post("x-retry"), json!("sometimes"), "operation `change_thing`: `x-retry` has to be `read` or `never`"),
        (post("x-method"), json!("change"), "operation `change_thing`: `x-method` has to name a group and a method"),
        (post("x-result"), json!("Verdict"), "operation `change_thing`: `x-result` needs an `x-policy`"),
        (post("parameters/0"), json!({ "name": "id", "in": "path" }), "parameter `id` has no schema"),
        (post("parameters/0/in"), json!("cookie"), "parameter `id` is in \"cookie\""),
        (post("parameters/0/schema"), several.clone(), "parameter `id`: no Rust type stands for a nameless `object`"),
        (post("parameters/0/schema"), text.clone(), "`id` could be any text and lead to another path"),
        (post("requestBody/content/application~1json/schema"), text.clone(), "the body has no named type"),
        (post("responses"), json!({ "404": {} }), "operation `change_thing`: no success has a body"),
        (post("responses/200/content/application~1json/schema"), text.clone(), "the response has no named type"),
        (list("parameters/0/name"), json!("timeout"), "parameter `timeout` has the name of something else"),
        (list("x-paging/cursor"), json!("from"), "`x-paging` names `from`, which it does not take"),
        (list("x-paging/row_id"), json!("number"), "`x-paging` names `number`, which a row does not have"),
        (post("x-paging"), json!({ "cursor": "a", "limit": "b", "row_id": "id" }), "`x-paging` names `a`"),
        (
            list("responses/200/content/application~1json/schema"),
            json!({ "$ref": "#/components/schemas/Thing" }),
            "`x-paging` stands on a call that gives no list of objects",
        ),
        // Schemas.
        (schema("Option"), several.clone(), "schema `Option` has the name of something else"),
        (schema("Color/enum"), json!(["red", 7]), "schema `Color`: a value is no text: 7"),
        (schema("Color"), json!({ "type": "string" }), "schema `Color`: it is no object, no enum, no choice"),
        (schema("Color"), json!({ "x-tagged": { "variants": {} } }), "schema `Color`: the choice names no property"),
        (
            schema("Color"),
            json!({ "x-tagged": { "property": "type", "variants": { "a": {} } } }),
            "schema `Color`: variant `a` has no type",
        ),
        (schema("Thing/properties/note"), several, "schema `Thing`: field `note`: no Rust type stands for a nameless"),
        (
            schema("Change/properties/amount"),
            text.clone(),
            "schema `Change`: `x-arguments`: `amount` and `note` could be exchanged unnoticed",
        ),
        (schema("Change/x-restates"), json!("Color"), "schema `Change`: `Color`, which it states again, is no object"),
        (schema("Change/x-restates"), json!("Thing"), "schema `Change`: `Thing` does not have its field `amount`"),
    ];
    bindings::generate(&document().to_string(), false).expect("what nothing is wrong with is generated");
    for (pointer, value, expected) in refused {
        let mut document = document();
        *at(&mut document, pointer) = value.clone();
        let message = bindings::generate(&document.to_string(), false).map(|_| ()).unwrap_err();
        assert!(message.contains(expected), "{pointer} = {value}: {message}");
    }
    let message = bindings::generate("{", false).map(|_| ()).unwrap_err();
    assert!(message.contains("is not JSON"), "{message}");
}

#[test]
fn a_conversion_that_would_change_a_field_is_refused() {
    let own = |note: Value, required: &[&str]| json!({ "type": "object", "x-restates": "Thing", "required": required, "properties": { "note": note } });
    for (schema, expected) in [
        (own(json!({ "type": "integer", "format": "int64" }), &[]), "field `note` has another type in `Thing`"),
        (own(json!({ "type": "string" }), &["note"]), "field `note` may be absent in `Thing`"),
    ] {
        let mut document = document();
        document["components"]["schemas"]["Change"] = schema;
        let message = bindings::generate(&document.to_string(), false).map(|_| ()).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

/// Four arguments are more than a reader can tell apart.
#[test]
fn a_constructor_of_many_arguments_is_refused() {
    let kinds = [json!({ "type": "string" }), json!({ "type": "integer", "format": "int64" })];
    let names = ["a", "b", "c", "d"];
    let properties: serde_json::Map<String, Value> =
        names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), kinds[index % 2].clone())).collect();
    let mut document = document();
    document["components"]["schemas"]["Change"] =
        json!({ "type": "object", "required": names, "x-arguments": names, "properties": properties });
    let message = surface::read(&document).map(|_| ()).unwrap_err();
    assert!(message.contains("`x-arguments` lists more than 3"), "{message}");
}

/// What the model says and what progenitor wrote are two readings of one document: where they differ, the build stops.
#[test]
fn code_that_differs_from_the_model_is_refused() {
    let surface = surface::read(&document()).unwrap();
    let written = "pub mod types { \
        pub struct Thing { pub id: crate::ids::TransactionId, pub note: ::std::option::Option<::std::string::String> } \
        pub struct Change { pub amount: i64, pub note: ::std::string::String, \
            pub name: ::std::option::Option<::std::string::String> } \
        } \
        pub struct Client; \
        impl Client { \
            pub async fn list_things<'a>(&'a self, after: Option<&'a str>, limit: Option<i64>) {} \
            pub async fn change_thing<'a>(&'a self, id: &'a crate::ids::TransactionId, body: &'a types::Change) {} \
        }";
    let finish = |text: &str| structs::finish(syn::parse_file(text).unwrap(), &surface, false).map(|_| ());
    finish(written).expect("it is as the model says");
    for (from, to, expected) in [
        ("pub struct Thing {", "pub struct Other {} pub struct Thing {", "a type of its own, `Other`"),
        ("pub struct Thing {", "pub enum Other { A } pub struct Thing {", "an enum of its own, `Other`"),
        ("pub struct Thing {", "pub enum Other {} pub struct Thing {", "`Other`, which nothing fits"),
        ("pub struct Change {", "type Change = (); struct Thing {", "a type of its own, `Thing`"),
        ("pub amount: i64,", "pub amount: i64, pub more: i64,", "a field `more` more"),
        ("pub amount: i64,", "", "field `amount` is not in the generated code"),
        ("pub amount: i64,", "pub amount: u64,", "field `amount` is `u64` in the generated code, not `i64`"),
        ("list_things", "list_others", "a call `list_others`, which is no operation's id"),
        (
            "after: Option<&'a str>, limit: Option<i64>",
            "limit: Option<i64>, after: Option<&'a str>",
            "operation `list_things`: the generated call takes",
        ),
    ] {
        let message = finish(&written.replacen(from, to, 1)).unwrap_err();
        assert!(message.contains(expected), "{from} -> {to}: {message}");
    }
    let lost = written.replace("pub struct Thing { pub id: crate::ids::TransactionId, pub note: ::std::option::Option<::std::string::String> }", "");
    assert_eq!(finish(&lost).unwrap_err(), "schema `Thing` has no type in the generated code");
}

/// Over all constructors of the real document: no two neighbours can be exchanged without the compiler saying so, and
/// none takes more than three arguments.
#[test]
fn no_constructor_has_neighbours_that_can_be_exchanged() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/dintero.json")).unwrap();
    let surface = surface::read(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut constructors = 0;
    for known in &surface.types {
        let Shape::Struct { fields, construct, .. } = &known.shape else { continue };
        let Construct::New { arguments } = construct else { continue };
        constructors += 1;
        let kinds: Vec<_> = arguments
            .iter()
            .map(|name| fields.iter().find(|field| field.rust == *name).expect("an argument is a field"))
            .inspect(|field| assert_eq!(field.presence, Presence::Required, "{}.{}", known.name, field.rust))
            .map(|field| rust::text(&field.kind))
            .collect();
        assert!(kinds.len() <= 3, "{}::new({})", known.name, arguments.join(", "));
        for pair in kinds.windows(2) {
            let is_text = |kind: &str| matches!(kind, "String" | "Sensitive");
            let is_same = pair[0] == pair[1] || is_text(&pair[0]) && is_text(&pair[1]);
            assert!(!is_same, "{}::new({}): {pair:?}", known.name, arguments.join(", "));
        }
    }
    assert!(constructors > 20, "{constructors} constructors");
    // The calls, too: what stands before the body are ids of one kind, or a required parameter.
    for call in &surface.calls {
        let required = call.query.iter().filter(|param| param.required);
        let kinds: Vec<_> = call.path_params.iter().chain(required).map(|param| rust::text(&param.kind)).collect();
        assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]), "{}: {kinds:?}", call.id);
    }
}
