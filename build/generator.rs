//! Runs progenitor, which makes the structs and the client, and names what it refuses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use serde_json::{Map, Value, json};

use super::model::{Shape, Surface};
use super::surface;

/// The client and the structs.
///
/// # Errors
/// Names the schema or the operation that the generator refuses.
pub fn client(document: &Value, surface: &Surface, schemars: bool) -> Result<syn::File, String> {
    match run(document, surface, schemars) {
        Ok(tokens) => syn::parse2(tokens).map_err(|error| format!("the generated code cannot be read: {error}")),
        Err(message) => Err(blame(document, surface, schemars).unwrap_or(message)),
    }
}

/// Runs progenitor, whose limits are panics as often as errors.
fn run(document: &Value, surface: &Surface, schemars: bool) -> Result<proc_macro2::TokenStream, String> {
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
    for known in &surface.types {
        let path = match &known.shape {
            Shape::Struct { .. } => continue,
            // progenitor's own enums are closed, and its choices take the first object that fits.
            Shape::Enum { .. } | Shape::Choice { .. } => format!("crate::types::{}", known.name),
            Shape::Provided { path } => path.clone(),
        };
        // `Display` lets a type be a parameter.
        let impls = ["Display", "FromStr"].iter().filter_map(|name| name.parse().ok());
        settings.with_replacement(&known.name, path, impls);
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

/// Which schema or operation the generator refuses, found by trying each alone.
fn blame(document: &Value, surface: &Surface, schemars: bool) -> Option<String> {
    for (name, _) in surface::schemas(document) {
        let part = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Err(message) = run(&reduced(document, json!({}), &part), surface, schemars) {
            return Some(format!("schema `{name}`, or one it holds: {message}"));
        }
    }
    for (path, method, operation) in surface::operations(document) {
        let paths = json!({ path: { method: operation } });
        if let Err(message) = run(&reduced(document, paths, operation), surface, schemars) {
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or("without an id");
            return Some(format!("operation `{id}` ({} {path}): {message}", method.to_uppercase()));
        }
    }
    None
}

/// The document with only `paths` and the schemas that `part` reaches.
fn reduced(document: &Value, paths: Value, part: &Value) -> Value {
    let kept = surface::reached(document, [part]);
    let schemas = surface::schemas(document).filter(|(name, _)| kept.contains(name.as_str()));
    let schemas: Map<String, Value> = schemas.map(|(name, schema)| (name.clone(), schema.clone())).collect();
    let mut out = document.clone();
    out["paths"] = paths;
    out["components"]["schemas"] = Value::Object(schemas);
    out
}
