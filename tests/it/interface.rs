//! Examples and links of the documentation, and with the feature `schemars` the JSON Schema of the types. Snapshots of
//! the interface and of the Rust API are with `xtask`, where they need no client that compiles.

/// Proves that the schema of each type has the fields, and of each enum the values, that the type itself has.
#[cfg(feature = "schemars")]
#[test]
fn json_schemas_have_the_fields_and_values_of_the_types() {
    use std::collections::BTreeSet;

    use dintero::{schemars, types};
    use serde_json::Value;

    let surface: Value = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/surface.json"))).unwrap();
    let mut generator = schemars::SchemaGenerator::default();
    generator.subschema_for::<types::CreateSession>();
    generator.subschema_for::<types::CreateSessionFromProfile>();
    generator.subschema_for::<types::UpdateSession>();
    generator.subschema_for::<types::Session>();
    generator.subschema_for::<types::Transaction>();
    generator.subschema_for::<types::CaptureRequest>();
    generator.subschema_for::<types::RefundRequest>();
    let schemas = generator.take_definitions(true);
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().into_iter().flatten().map(|one| one["json"].as_str().unwrap().to_owned()).collect()
    };
    let (mut structs, mut enums) = (0, 0);
    for known in surface["types"].as_array().unwrap() {
        let name = known["name"].as_str().unwrap();
        let Some(schema) = schemas.get(name) else { continue };
        if let Some(shape) = known["shape"].get("struct") {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let properties: BTreeSet<String> = properties.map(|(name, _)| name.clone()).collect();
            assert_eq!(properties, names(&shape["fields"]), "{name}");
            structs += 1;
        } else if let Some(shape) = known["shape"].get("enum") {
            let examples = schema["examples"].as_array().into_iter().flatten();
            let examples: BTreeSet<String> = examples.map(|value| value.as_str().unwrap().to_owned()).collect();
            assert_eq!(examples, names(&shape["values"]), "{name}");
            enums += 1;
        }
    }
    assert!(structs > 50 && enums > 20, "{structs} structs and {enums} enums");
}

/// The example of a call is its `x-example`, a part of its documentation that is compiled and run as such.
#[test]
fn every_call_has_an_example() {
    let document: serde_json::Value = serde_json::from_str(include_str!("../../spec/dintero.json")).unwrap();
    let operations: Vec<_> =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values()).collect();
    for id in [
        "cancel_session",
        "capture_transaction",
        "create_payment_token_session",
        "create_session",
        "create_session_from_profile",
        "get_session",
        "get_transaction",
        "list_sessions",
        "list_transactions",
        "pay_session",
        "refund_transaction",
        "update_authorization",
        "update_session",
        "update_transaction",
        "void_transaction",
    ] {
        let operation = operations.iter().find(|operation| operation["operationId"] == id).unwrap();
        assert!(operation["x-example"].as_str().is_some_and(|example| example.contains("client.")), "{id}");
    }
}

/// On GitHub the links of the README lead to docs.rs, in the documentation of the crate to the items.
#[test]
fn every_link_of_the_readme_leads_to_an_item_too() {
    let labels = |text: &str, begins: &str| {
        let of = |line: &str| line.strip_prefix(begins)?.split_once("]: ").map(|(label, _)| label.to_owned());
        text.lines().filter_map(of).collect::<std::collections::BTreeSet<_>>()
    };
    let readme = labels(include_str!("../../README.md"), "[");
    assert!(readme.len() > 20);
    assert_eq!(readme, labels(include_str!("../../src/lib.rs"), "//! ["));
}
