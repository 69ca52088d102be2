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
