//! What is generated: a snapshot that shows every drift of the Rust API as the lines that changed (review it with
//! `cargo insta review`; it needs no client that compiles), and what no code is made of.

mod refusals;

use std::path::Path;

use xtask::bindings;
use xtask::bindings::model::{Construct, Kind, Shape, Surface, Type};
use xtask::bindings::rust;

/// One line for each type, field, value, call and parameter that users see.
#[test]
fn rust_api() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/dintero.json");
    let surface: Surface = bindings::generate(&std::fs::read_to_string(document).unwrap(), false).unwrap().surface;
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
        Shape::Struct { fields, keeps_unknown, construct, restates } => {
            lines.push(format!("struct {name} {:?}", known.direction));
            lines.extend(restates.iter().map(|other| format!("fn {name}::from({other})")));
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
