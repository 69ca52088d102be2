//! A snapshot that shows every drift of the JSON Schema of the main types, as the lines that changed: review it with
//! `cargo insta review`. The document's own, and that of the Rust API, are with `xtask`.

use std::fmt::Write as _;

/// The JSON Schema of what users handle most, and of all that it holds, as the feature `schemars` gives it.
#[test]
fn json_schemas() {
    use dintero::types;
    let mut generator = schemars::SchemaGenerator::default();
    generator.subschema_for::<types::CreateSession>();
    generator.subschema_for::<types::CreateSessionFromProfile>();
    generator.subschema_for::<types::UpdateSession>();
    generator.subschema_for::<types::Session>();
    generator.subschema_for::<types::Transaction>();
    generator.subschema_for::<types::CaptureRequest>();
    generator.subschema_for::<types::RefundRequest>();
    let mut out = String::new();
    for (name, schema) in generator.take_definitions(true) {
        for (key, value) in schema.as_object().unwrap() {
            match key.as_str() {
                "description" => {}
                "properties" => {
                    for (field, child) in value.as_object().unwrap() {
                        let mut child = child.clone();
                        // Descriptions are prose: they are reviewed where they are written.
                        child.as_object_mut().map(|child| child.remove("description"));
                        writeln!(out, "{name}.{field} {child}").unwrap();
                    }
                }
                "examples" => {
                    value.as_array().unwrap().iter().for_each(|value| writeln!(out, "{name} example {value}").unwrap());
                }
                _ => writeln!(out, "{name} {key} {value}").unwrap(),
            }
        }
    }
    insta::assert_snapshot!(out);
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
