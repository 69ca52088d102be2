//! What progenitor wrote, compared with the model and finished: fields on the heap, attributes, documentation.
//!
//! Nothing is learned from the code. It is walked once, each field and each argument beside what the model says of it,
//! so that a field that got lost, a type of another kind, or arguments in another order stop the build instead of
//! reaching a user.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::{Call, Field, Presence, Shape, Surface, Type};
use super::rust;

/// Compares and finishes; returns the client, and the structs.
///
/// # Errors
/// Names what progenitor made otherwise than the model has it.
pub fn finish(mut file: syn::File, surface: &Surface, schemars: bool) -> Result<(syn::File, syn::File), String> {
    let mut types = syn::File { shebang: None, attrs: Vec::new(), items: Vec::new() };
    for item in &mut file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                types.items = module.content.take().map(|(_, items)| items).unwrap_or_default();
            }
            syn::Item::Impl(block) if block.trait_.is_none() => calls(block, surface)?,
            _ => {}
        }
    }
    file.items.retain(|item| !matches!(item, syn::Item::Mod(module) if module.ident == "types"));
    structs(&mut types.items, surface, schemars)?;
    Ok((file, types))
}

fn structs(items: &mut [syn::Item], surface: &Surface, schemars: bool) -> Result<(), String> {
    let is_struct = |known: &&Type| matches!(known.shape, Shape::Struct { .. });
    let mut wanted: BTreeMap<&str, &Type> =
        surface.types.iter().filter(is_struct).map(|known| (known.name.as_str(), known)).collect();
    for item in items {
        match item {
            syn::Item::Struct(item) => {
                let name = item.ident.to_string();
                let Some(known) = wanted.remove(name.as_str()) else {
                    return Err(format!("the generator made a type of its own, `{name}`: name its schema"));
                };
                finish_struct(item, known, surface, schemars)
                    .map_err(|message| format!("schema `{name}`: {message}"))?;
            }
            syn::Item::Enum(item) => {
                let nothing = if item.variants.is_empty() { ", which nothing fits" } else { "" };
                return Err(format!(
                    "the generator made an enum of its own, `{}`{nothing}: name its schema or give it a type",
                    item.ident
                ));
            }
            _ => {}
        }
    }
    match wanted.keys().next() {
        Some(name) => Err(format!("schema `{name}` has no type in the generated code")),
        None => Ok(()),
    }
}

fn finish_struct(item: &mut syn::ItemStruct, known: &Type, surface: &Surface, schemars: bool) -> Result<(), String> {
    let Shape::Struct { fields, keeps_unknown, .. } = &known.shape else { return Ok(()) };
    document(&mut item.attrs);
    // The generator derives `Default` only where unknown fields are dropped.
    // What only the service makes has none: an empty transaction is nobody's.
    let is_empty = known.direction.is_sent() && fields.iter().all(|field| field.presence != Presence::Required);
    let default = is_empty.then(|| quote!(Default,));
    item.attrs.retain(|attr| !attr.path().is_ident("derive"));
    item.attrs.push(syn::parse_quote!(
        #[derive(Clone, #default PartialEq, ::serde::Serialize)]
    ));
    item.attrs.extend(schemars.then(|| syn::parse_quote!(#[derive(::schemars::JsonSchema)])));
    // So that a field more is a minor release.
    item.attrs.push(syn::parse_quote!(#[non_exhaustive]));
    let mut wanted: BTreeMap<&str, &Field> = fields.iter().map(|field| (field.rust.as_str(), field)).collect();
    for made in &mut item.fields {
        let name = made.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        document(&mut made.attrs);
        let Some(field) = wanted.remove(name.as_str()) else {
            if *keeps_unknown && name == "extra" {
                made.attrs.push(syn::parse_quote!(
                    #[doc = " Fields that this version of the crate does not know, kept as they came and sent back."]
                ));
                continue;
            }
            return Err(format!("the generated code has a field `{name}` more"));
        };
        compare(&made.ty, field, surface)?;
        let kind = rust::field(field, &|name| local(name, surface));
        made.ty = syn::parse_quote!(#kind);
    }
    match wanted.values().next() {
        Some(lost) => Err(format!("field `{}` is not in the generated code", lost.json)),
        None => Ok(()),
    }
}

/// Whether a field has the type that the model says; progenitor puts on the heap only what holds itself.
fn compare(made: &syn::Type, field: &Field, surface: &Surface) -> Result<(), String> {
    let made = quote!(#made).to_string();
    let matches =
        |boxed: bool| rust::field(&Field { boxed, ..field.clone() }, &|name| local(name, surface)).to_string() == made;
    if matches(false) || field.boxed && matches(true) {
        return Ok(());
    }
    let wanted = rust::field_text(field);
    Err(format!("field `{}` is `{}` in the generated code, not `{wanted}`", field.json, made.replace(' ', "")))
}

/// A type of the surface as progenitor spells it among the structs.
fn local(name: &str, surface: &Surface) -> TokenStream {
    let ident = format_ident!("{name}");
    match surface.find(name).map(|known| &known.shape) {
        Some(Shape::Struct { .. }) | None => quote!(#ident),
        Some(Shape::Enum { .. } | Shape::Choice { .. }) => quote!(crate::types::#ident),
        Some(Shape::Provided { path }) => path.parse().unwrap_or_else(|_| quote!(#ident)),
    }
}

/// The functions of the client: their arguments are by position, so their order has to be the model's.
fn calls(block: &mut syn::ItemImpl, surface: &Surface) -> Result<(), String> {
    for item in &mut block.items {
        let syn::ImplItem::Fn(function) = item else { continue };
        if function.sig.asyncness.is_none() {
            continue;
        }
        // Only the layer above reads it, and users of that read the documentation there.
        function.attrs.retain(|attr| !attr.path().is_ident("doc"));
        let name = function.sig.ident.to_string();
        let call = surface.calls.iter().find(|call| call.id == name);
        let call = call.ok_or_else(|| format!("the generator made a call `{name}`, which is no operation's id"))?;
        let made: Vec<String> = function.sig.inputs.iter().filter_map(argument).collect();
        let wanted = arguments(call);
        if made != wanted {
            return Err(format!("operation `{name}`: the generated call takes {made:?}, not {wanted:?}"));
        }
    }
    Ok(())
}

fn argument(input: &syn::FnArg) -> Option<String> {
    match input {
        syn::FnArg::Typed(typed) => {
            let pattern = &typed.pat;
            Some(quote!(#pattern).to_string())
        }
        syn::FnArg::Receiver(_) => None,
    }
}

/// The arguments of a call's function: the path, the query, the body.
pub fn arguments(call: &Call) -> Vec<String> {
    let params = call.path_params.iter().chain(&call.query).map(|param| param.rust.clone());
    params.chain(call.request.iter().map(|_| "body".to_owned())).collect()
}

/// The documentation as comments are written: a line for each line, after a space.
fn document(attrs: &mut Vec<syn::Attribute>) {
    let mut out = Vec::new();
    for attr in attrs.drain(..) {
        let text = match &attr.meta {
            syn::Meta::NameValue(syn::MetaNameValue {
                value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
                ..
            }) if attr.path().is_ident("doc") => text.value(),
            _ => {
                out.push(attr);
                continue;
            }
        };
        out.extend(doc(&text));
    }
    *attrs = out;
}

/// A text as the attributes that stand for its lines.
pub fn doc(text: &str) -> Vec<syn::Attribute> {
    text.trim()
        .lines()
        .map(|line| {
            let line = if line.is_empty() { String::new() } else { format!(" {}", line.trim_end()) };
            syn::parse_quote!(#[doc = #line])
        })
        .collect()
}
