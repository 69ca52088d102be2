//! Generates the bindings from `spec/dintero.json` into `OUT_DIR`; `src/generated.rs` includes them.
//!
//! This file only reads and generates: names, descriptions and repairs are decided in `spec/` and `xtask`.
//! progenitor makes the client and the structs. Enums and choices between tagged objects become calls of the
//! handwritten macros `open_enum!` and `tagged_enum!`, since progenitor's own are closed and lose what they do not
//! know. Constructors, the table of operations and the text of each operation's documentation are made here too.
//! `cargo xtask` includes this file, so that what it measures and checks is what gets built.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};

const DOCUMENT: &str = "spec/dintero.json";

fn main() {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    let schemars = std::env::var_os("CARGO_FEATURE_SCHEMARS").is_some();
    if let Err(message) = run(schemars) {
        println!("cargo::error={}", message.replace('\n', " "));
        std::process::exit(1);
    }
}

fn run(schemars: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(DOCUMENT).map_err(|error| format!("cannot read {DOCUMENT}: {error}"))?;
    let bindings = generate(&text, schemars).map_err(|message| format!("{DOCUMENT}: {message}"))?;
    let out = std::env::var("OUT_DIR").map_err(|error| format!("OUT_DIR: {error}"))?;
    let write = |name: &str, text: &str| {
        std::fs::write(format!("{out}/{name}"), text).map_err(|error| format!("cannot write {name}: {error}"))
    };
    write("bindings.rs", &bindings.code)?;
    for (id, text) in &bindings.docs {
        write(&format!("{id}.md"), text)?;
    }
    Ok(())
}

/// What is generated from one document.
#[derive(Debug)]
pub struct Bindings {
    /// The Rust code, not formatted.
    pub code: String,
    /// By operation id, the documentation of the call.
    pub docs: Vec<(String, String)>,
}

/// Generates the bindings.
///
/// # Errors
/// Names the schema or the operation that the generator refuses.
pub fn generate(text: &str, schemars: bool) -> Result<Bindings, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let client = match progenitor(&document, schemars) {
        Ok(tokens) => tokens,
        Err(message) => return Err(blame(&document, schemars).unwrap_or(message)),
    };
    let mut file: syn::File =
        syn::parse2(client).map_err(|error| format!("the generated code cannot be read: {error}"))?;
    describe_unknown_fields(&mut file);
    box_large_fields(&document, &mut file);
    let constructors = constructors(&file);
    let mut choices = quote!();
    for (name, schema) in schemas(&document) {
        if let Some(choice) = open_enum(name, schema)?.or(tagged_enum(name, schema)?) {
            choices.extend(choice);
        }
    }
    let operations = operations(&document)?;
    let code = quote! {
        #file
        /// Constructors that take what a type requires.
        mod constructors {
            use super::types::*;
            #constructors
        }
        /// Enums and choices, open to what is not known yet.
        pub mod choices {
            use super::types::*;
            #choices
        }
        /// What the transport has to know of each operation.
        pub(crate) mod operations {
            #operations
        }
    };
    Ok(Bindings { code: code.to_string(), docs: docs(&document) })
}

fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
}

/// Runs progenitor, whose limits are panics as often as errors.
fn progenitor(document: &Value, schemars: bool) -> Result<proc_macro2::TokenStream, String> {
    let spec: openapiv3::OpenAPI = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::transport::CallScope))
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq");
    if schemars {
        settings.with_derive("::schemars::JsonSchema");
    }
    for (name, schema) in schemas(document) {
        if let Some(path) = replacement(name, schema) {
            // `Display` lets an enum be a query parameter.
            let impls = ["Display", "FromStr"].iter().filter_map(|name| name.parse().ok());
            settings.with_replacement(name, path, impls);
        }
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&spec)));
    std::panic::set_hook(hook);
    match outcome {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "the generator gave up".to_owned())),
    }
}

/// The Rust type that stands for a schema instead of a generated struct.
fn replacement(name: &str, schema: &Value) -> Option<String> {
    if let Some(path) = schema.get("x-replace").and_then(Value::as_str) {
        return Some(path.to_owned());
    }
    let is_choice = schema.get("enum").is_some() || schema.get("x-tagged").is_some();
    is_choice.then(|| format!("crate::generated::choices::{name}"))
}

/// Which schema or operation the generator refuses, found by trying each alone.
fn blame(document: &Value, schemars: bool) -> Option<String> {
    for (name, _) in schemas(document) {
        let part = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Err(message) = progenitor(&reduced(document, json!({}), &part), schemars) {
            return Some(format!("schema `{name}`, or one it holds: {message}"));
        }
    }
    for (path, item) in document.get("paths").and_then(Value::as_object)? {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let paths = json!({ path: { method: operation } });
            if let Err(message) = progenitor(&reduced(document, paths, operation), schemars) {
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or("without an id");
                return Some(format!("operation `{id}` ({} {path}): {message}", method.to_uppercase()));
            }
        }
    }
    None
}

/// The document with only `paths` and the schemas that `part` reaches.
fn reduced(document: &Value, paths: Value, part: &Value) -> Value {
    let mut kept = Map::new();
    let mut open = vec![part.clone()];
    while let Some(next) = open.pop() {
        match next {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    let name = target.rsplit('/').next().unwrap_or_default().to_owned();
                    let found = schemas(document).find(|(other, _)| **other == name);
                    if let (false, Some((_, schema))) = (kept.contains_key(&name), found) {
                        kept.insert(name, schema.clone());
                        open.push(schema.clone());
                    }
                }
                open.extend(map.into_iter().map(|(_, child)| child));
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let mut out = document.clone();
    out["paths"] = paths;
    out["components"]["schemas"] = Value::Object(kept);
    out
}

/// Whether an attribute such as `#[serde(default, rename = "x")]` says a word, outside the texts in it.
fn says(attrs: &[syn::Attribute], attribute: &str, word: &str) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident(attribute)).any(|attr| {
        let mut found = false;
        let read = attr.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == word);
            meta.input.parse::<Option<syn::Token![=]>>()?.map(|_| meta.input.parse::<syn::Lit>()).transpose().map(drop)
        });
        found && read.is_ok()
    })
}

fn is_flattened(field: &syn::Field) -> bool {
    says(&field.attrs, "serde", "flatten")
}

/// The generator has no word for the map of fields that a type keeps without knowing them.
fn describe_unknown_fields(file: &mut syn::File) {
    for item in &mut file.items {
        let syn::Item::Mod(syn::ItemMod { content: Some((_, items)), .. }) = item else { continue };
        for item in items {
            let syn::Item::Struct(item) = item else { continue };
            for field in item.fields.iter_mut().filter(|field| is_flattened(field)) {
                field.attrs.push(syn::parse_quote!(
                    #[doc = "Fields that this version of the crate does not know, kept as they came and sent back."]
                ));
            }
        }
    }
}

/// Puts optional fields of the types marked `x-boxed` on the heap: the generator boxes only what holds itself, and a
/// transaction would take 16 kB of every stack frame and future that it passes through.
fn box_large_fields(document: &Value, file: &mut syn::File) {
    let large: BTreeSet<&str> = schemas(document)
        .filter(|(_, schema)| schema.get("x-boxed").is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    for item in &mut file.items {
        let syn::Item::Mod(syn::ItemMod { content: Some((_, items)), .. }) = item else { continue };
        for item in items {
            let syn::Item::Struct(item) = item else { continue };
            for field in &mut item.fields {
                let kind = &field.ty;
                let text = quote!(#kind).to_string().replace(' ', "");
                let inner = text.strip_prefix("::std::option::Option<").and_then(|rest| rest.strip_suffix('>'));
                if let Some(inner) = inner.filter(|inner| large.contains(inner)) {
                    let inner = format_ident!("{inner}");
                    field.ty = syn::parse_quote!(::std::option::Option<::std::boxed::Box<#inner>>);
                }
            }
        }
    }
}

/// `Type::new(required, ..)` for every struct that has no default.
fn constructors(file: &syn::File) -> proc_macro2::TokenStream {
    let types = file.items.iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    });
    let mut out = quote!();
    for item in types.into_iter().flat_map(|(_, items)| items) {
        let syn::Item::Struct(item) = item else { continue };
        let syn::Fields::Named(fields) = &item.fields else { continue };
        let is_required = |field: &&syn::Field| {
            let kind = &field.ty;
            // An `Option` reads as none where the field is left out, with or without a word about it.
            let optional = quote!(#kind).to_string().starts_with(":: std :: option :: Option");
            !optional && !says(&field.attrs, "serde", "default") && !is_flattened(field)
        };
        let (required, rest): (Vec<_>, Vec<_>) = fields.named.iter().partition(is_required);
        let name = &item.ident;
        if required.is_empty() {
            let derives = says(&item.attrs, "derive", "Default");
            // typify derives it only where there is no map of further fields.
            if !derives {
                let rest = rest.iter().map(|field| &field.ident);
                out.extend(quote! {
                    impl Default for #name {
                        fn default() -> Self {
                            Self { #(#rest: Default::default(),)* }
                        }
                    }
                });
            }
            continue;
        }
        let names: Vec<_> = required.iter().map(|field| &field.ident).collect();
        let kinds = required.iter().map(|field| &field.ty);
        let rest = rest.iter().map(|field| &field.ident);
        let doc = format!("A `{name}` with what it requires; everything else is left out.");
        out.extend(quote! {
            impl #name {
                #[doc = #doc]
                #[allow(clippy::too_many_arguments)]
                pub fn new(#(#names: impl Into<#kinds>),*) -> Self {
                    Self { #(#names: #names.into(),)* #(#rest: Default::default(),)* }
                }
            }
        });
    }
    out
}

fn description(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn open_enum(name: &str, schema: &Value) -> Result<Option<proc_macro2::TokenStream>, String> {
    let Some(values) = schema.get("enum").and_then(Value::as_array) else { return Ok(None) };
    let mut taken = BTreeSet::from(["Unknown".to_owned()]);
    let mut variants = quote!();
    for value in values {
        let value = value.as_str().ok_or_else(|| format!("enum `{name}` has a value that is no text: {value}"))?;
        let variant = format_ident!("{}", variant_name(value, &mut taken));
        let doc = format!("`{value}`");
        variants.extend(quote!(#[doc = #doc] #variant = #value,));
    }
    let (name, doc) = (format_ident!("{name}"), description(schema));
    Ok(Some(quote!(crate::open_enum::open_enum! { #[doc = #doc] pub enum #name { #variants } })))
}

fn tagged_enum(name: &str, schema: &Value) -> Result<Option<proc_macro2::TokenStream>, String> {
    let Some(tagged) = schema.get("x-tagged") else { return Ok(None) };
    let property = tagged.get("property").and_then(Value::as_str);
    let property = property.ok_or_else(|| format!("choice `{name}` names no property"))?;
    let mut taken = BTreeSet::from(["Unknown".to_owned()]);
    let mut variants = quote!();
    for (tag, variant) in tagged.get("variants").and_then(Value::as_object).into_iter().flatten() {
        let target = variant.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
        let target = format_ident!("{}", target.ok_or_else(|| format!("variant `{tag}` of `{name}` has no type"))?);
        let variant = format_ident!("{}", variant_name(tag, &mut taken));
        let doc = format!("`{tag}`");
        variants.extend(quote!(#[doc = #doc] #variant(#target) = #tag,));
    }
    let (name, doc) = (format_ident!("{name}"), description(schema));
    Ok(Some(quote!(crate::open_enum::tagged_enum! { #[doc = #doc] pub enum #name by #property { #variants } })))
}

/// A Rust name for a value; a clash is settled by underscores, so that no value is ever left out.
fn variant_name(value: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for word in value.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let shouted = !word.chars().any(|letter| letter.is_ascii_lowercase());
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters.map(|letter| if shouted { letter.to_ascii_lowercase() } else { letter }));
    }
    if name.is_empty() {
        name.push_str("Empty");
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) || name == "Self" {
        name.insert(0, 'V');
    }
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// The table of operations: how each may be repeated and what its request has to keep.
fn operations(document: &Value) -> Result<proc_macro2::TokenStream, String> {
    let mut rows = quote!();
    for (path, method, operation) in each_operation(document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let retry = match operation.get("x-retry").and_then(Value::as_str) {
            Some("read") => quote!(crate::operation::Retry::Read),
            Some("never") => quote!(crate::operation::Retry::Never),
            other => return Err(format!("operation `{id}`: `x-retry` has to be `read` or `never`, not {other:?}")),
        };
        let checks = operation.get("x-checks").map(Value::to_string).unwrap_or_default();
        let method = method.to_uppercase();
        rows.extend(quote! {
            crate::operation::Operation { id: #id, method: #method, path: #path, retry: #retry, checks: #checks },
        });
    }
    Ok(quote! {
        /// Every operation, in the order of path and method.
        pub(crate) static OPERATIONS: &[crate::operation::Operation] = &[#rows];
    })
}

fn each_operation(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The documentation of each call, for the handwritten method that makes it.
fn docs(document: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (path, method, operation) in each_operation(document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let mut text = format!("{}\n\nSends `{} {path}`.\n", description(operation), method.to_uppercase());
        text.push_str(match operation.get("x-retry").and_then(Value::as_str) {
            Some("read") => {
                "\n**Repeated** when the service cannot be reached, answers 429, 500, 502, 503 or 504, or does not \
                 answer: twice at most, after 0.5 s and 1 s with jitter, or as `Retry-After` asks.\n"
            }
            _ => {
                "\n**Never repeated**, but for a connection that was refused before a byte of the request left, and \
                 once after a 401, which the service answers before it acts.\n"
            }
        });
        out.push((id.to_owned(), text));
    }
    out
}
