//! Snapshots that show every drift of the public Rust API of the generated modules, and of the JSON Schema of the main
//! types, as the lines that changed: review them with `cargo insta review`. Those of the document itself are with
//! `xtask`.

use std::fmt::Write as _;

use xtask::bindings::model::{Construct, Kind, Shape, Surface, Type};
use xtask::bindings::rust;

/// One line for each type, field, value, call and parameter that users see.
#[test]
fn rust_api() {
    let surface: Surface =
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/surface.json"))).expect("the model is JSON");
    let mut lines = Vec::new();
    surface.types.iter().for_each(|known| describe(known, &mut lines));
    for call in &surface.calls {
        let name = format!("call {}.{}", call.group, call.name);
        let kind = if call.reads_only { "reads" } else { "acts" };
        lines.push(format!("{name}: {} {} {kind}", call.method, call.path));
        lines.extend(call.request.iter().map(|request| format!("{name}(body): {request}")));
        lines.extend(call.toggles.iter().map(|toggles| format!("{name}(toggles): {toggles}")));
        for param in call.path_params.iter().chain(&call.query) {
            let need = if param.required { "" } else { "?" };
            lines.push(format!("{name}({}{need}): {}", param.rust, rust::text(&param.kind)));
        }
        let target = Kind::Type(call.response.target.clone());
        let target = if call.response.list { Kind::List(Box::new(target)) } else { target };
        lines.push(format!("{name} -> {}", rust::text(&target)));
    }
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

fn describe(known: &Type, lines: &mut Vec<String>) {
    let name = &known.name;
    match &known.shape {
        Shape::Struct { fields, keeps_unknown, construct } => {
            lines.push(format!("struct {name} {:?}", known.direction));
            lines.extend(keeps_unknown.then(|| format!("struct {name}.extra: Map<String, Value>")));
            for field in fields {
                lines.push(format!("struct {name}.{}: {}", field.rust, rust::field_text(field)));
                lines.extend(
                    field
                        .setter
                        .iter()
                        .filter(|setter| **setter != field.rust)
                        .map(|setter| format!("struct {name}.{} is set by {setter}", field.rust)),
                );
            }
            match construct {
                Construct::None => {}
                Construct::New { arguments } => lines.push(format!("fn {name}::new({})", arguments.join(", "))),
                Construct::Builder { fields } => lines.push(format!("fn {name}::builder({})", fields.join(", "))),
            }
        }
        Shape::Enum { values } => {
            lines.push(format!("enum {name}"));
            lines.extend(values.iter().map(|value| format!("enum {name}::{} = {:?}", value.rust, value.json)));
        }
        Shape::Choice { property, variants } => {
            lines.push(format!("choice {name} by {property}"));
            for variant in variants {
                lines.push(format!("choice {name}::{}({}) = {:?}", variant.rust, variant.target, variant.tag));
            }
        }
        Shape::Provided { path } => lines.push(format!("provided {name}: {path}")),
    }
}

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
