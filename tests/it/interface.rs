//! Snapshots that show every drift of the public Rust API of the generated modules, and of the JSON Schema of the main
//! types, as the lines that changed: review them with `cargo insta review`. Those of the document itself are with
//! `xtask`.

use std::fmt::Write as _;

use quote::ToTokens;

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
