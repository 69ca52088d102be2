//! Snapshots that show every drift of the interface as the lines that changed: review them with `cargo insta review`.
//!
//! Three levels: the document (operations and schemas), the public Rust API of the generated modules, and the JSON
//! Schema of the main types.

use std::fmt::Write as _;

use quote::ToTokens;
use serde_json::{Map, Value};

fn document() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/spec/dintero.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).map(Map::iter).into_iter().flatten()
}

/// A schema in a word: `[OrderItem]`, `string (date-time)`.
fn word(schema: &Value) -> String {
    if let Some(target) = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str) {
        return target.rsplit('/').next().unwrap().to_owned();
    }
    let format = schema.get("format").and_then(Value::as_str).map(|format| format!(" ({format})")).unwrap_or_default();
    let plain = match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("[{}]", word(&schema["items"])),
        Some("object") if schema.get("additionalProperties").is_some() => {
            format!("{{{}}}", word(&schema["additionalProperties"]))
        }
        Some(kind) => format!("{kind}{format}"),
        None => "any".to_owned(),
    };
    if schema["nullable"] == true { format!("{plain}?") } else { plain }
}

/// Every rule of a request in a line of its own.
fn rules(at: &str, rules: &Value, out: &mut String) {
    for (key, rule) in rules.as_object().into_iter().flatten() {
        match key.as_str() {
            "properties" => rule
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(name, child)| self::rules(&format!("{at}.{name}"), child, out)),
            "items" => self::rules(&format!("{at}[]"), rule, out),
            "additionalProperties" => self::rules(&format!("{at}.*"), rule, out),
            "tagged" => {
                entries(rule, "/variants").for_each(|(tag, child)| self::rules(&format!("{at}<{tag}>"), child, out))
            }
            _ => writeln!(out, "  check {at} {key} {rule}").unwrap(),
        }
    }
}

#[test]
fn operations() {
    let document = document();
    let mut out = String::new();
    for (path, item) in entries(&document, "/paths") {
        for (method, operation) in item.as_object().unwrap() {
            writeln!(out, "{} = {} {path}", operation["operationId"].as_str().unwrap(), method.to_uppercase()).unwrap();
            writeln!(out, "  retry {}", operation["x-retry"].as_str().unwrap()).unwrap();
            for parameter in operation["parameters"].as_array().unwrap() {
                let mark = if parameter["required"] == true { "!" } else { "" };
                let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                writeln!(out, "  {place} {name}{mark}: {}", word(&parameter["schema"])).unwrap();
            }
            if let Some(toggles) = operation.get("x-toggles") {
                writeln!(out, "  toggles {}", word(toggles)).unwrap();
            }
            if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
                writeln!(out, "  body {}", word(body)).unwrap();
            }
            for (status, response) in entries(operation, "/responses") {
                let schema = response.pointer("/content/application~1json/schema").unwrap();
                writeln!(out, "  {status} {}", word(schema)).unwrap();
            }
            for (part, checks) in entries(operation, "/x-checks") {
                rules(part, checks, &mut out);
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn schemas() {
    let document = document();
    let mut out = String::new();
    for (name, schema) in entries(&document, "/components/schemas") {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, child) in entries(schema, "/properties") {
            let mark = if required.iter().any(|name| name == field) { "!" } else { "" };
            writeln!(out, "{name}.{field}{mark}: {}", word(child)).unwrap();
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            writeln!(out, "{name} = {value}").unwrap();
        }
        for (tag, variant) in entries(schema, "/x-tagged/variants") {
            writeln!(out, "{name} = {:?} {}", tag, word(variant)).unwrap();
        }
        if let Some(path) = schema["x-replace"].as_str() {
            writeln!(out, "{name} is {path}").unwrap();
        }
        // Beside named fields it keeps what is not named.
        if schema.get("additionalProperties").is_some() {
            writeln!(out, "{name} keeps unknown fields").unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

/// One line for each public item and field of the generated modules that users see.
#[test]
fn rust_api() {
    let text = std::fs::read_to_string(concat!(env!("OUT_DIR"), "/bindings.rs")).unwrap();
    let file = syn::parse_file(&text).unwrap();
    let mut lines = Vec::new();
    for item in &file.items {
        let syn::Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        if matches!(name.as_str(), "types" | "choices" | "constructors") {
            module.content.iter().flat_map(|(_, items)| items).for_each(|item| describe(item, &mut lines));
        }
    }
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

fn describe(item: &syn::Item, lines: &mut Vec<String>) {
    let plain = |tokens: &dyn Fn() -> proc_macro2::TokenStream| {
        tokens().to_string().replace(":: std :: ", "").replace(":: chrono :: ", "").replace(' ', "")
    };
    match item {
        syn::Item::Struct(item) => {
            lines.push(format!("struct {}", item.ident));
            for (index, field) in item.fields.iter().enumerate() {
                let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
                lines.push(format!("struct {}.{name}: {}", item.ident, plain(&|| field.ty.to_token_stream())));
            }
        }
        syn::Item::Impl(item) if item.trait_.is_none() => {
            for function in item
                .items
                .iter()
                .filter_map(|item| if let syn::ImplItem::Fn(function) = item { Some(function) } else { None })
            {
                let inputs = plain(&|| function.sig.inputs.to_token_stream());
                lines.push(format!(
                    "fn {}::{}({inputs})",
                    plain(&|| item.self_ty.to_token_stream()),
                    function.sig.ident
                ));
            }
        }
        // The enums are calls of a macro: their tokens say name and variants.
        syn::Item::Macro(item) => choice(&item.mac.tokens, lines),
        _ => {}
    }
}

fn choice(tokens: &proc_macro2::TokenStream, lines: &mut Vec<String>) {
    let words: Vec<proc_macro2::TokenTree> = tokens.clone().into_iter().collect();
    let at = words.iter().position(|word| word.to_string() == "enum").unwrap();
    let name = words[at + 1].to_string();
    lines.push(format!("enum {name}"));
    let Some(proc_macro2::TokenTree::Group(variants)) = words.last() else { panic!("an enum without variants") };
    let mut line = String::new();
    for word in variants.stream() {
        match word.to_string().as_str() {
            "," => lines.push(format!("enum {name}::{}", std::mem::take(&mut line))),
            "#" => {}
            text if text.starts_with('[') => {}
            text => line.push_str(text),
        }
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
