//! A second reckoning of what users see: the generated Rust code itself, read as Rust, item by item.
//!
//! It shares nothing with the comparison under test but the generator: it knows no surface, no field and no rule, only
//! public items and how they are spelled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use xtask::bindings;
use xtask::drift::verdict::Bump;

/// Public items, each with how it is spelled.
type Items = BTreeMap<String, String>;

/// The code of one document.
pub(crate) struct Code {
    items: Items,
    /// All of it, with what is not public and what is said about it.
    text: String,
}

impl Code {
    pub(crate) fn of(document: &Value) -> Result<Self, String> {
        let made = bindings::generate(&document.to_string(), false)?;
        let mut items = Items::new();
        let mut text = String::new();
        for (name, code) in made.files.iter().filter(|(name, _)| name.ends_with(".rs")) {
            text.push_str(code);
            match name.as_str() {
                // Nothing of it is public.
                "client.rs" => {}
                "enums.rs" | "choices.rs" => variants(code, &mut items),
                "builders.rs" => builders(code, &mut items),
                _ => file(&syn::parse_file(code).map_err(|error| format!("{name}: {error}"))?, &mut items),
            }
        }
        Ok(Self { items, text })
    }
}

/// What the step from one code to another does to code that uses it.
pub(crate) fn step(old: &Code, new: &Code) -> Bump {
    if old.items.iter().any(|(item, spelled)| new.items.get(item) != Some(spelled)) {
        return Bump::Major;
    }
    if new.items.len() > old.items.len() {
        return Bump::Minor;
    }
    if old.text == new.text { Bump::Nothing } else { Bump::Patch }
}

fn tokens(part: &impl quote::ToTokens) -> String {
    part.to_token_stream().to_string()
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn file(file: &syn::File, items: &mut Items) {
    for item in &file.items {
        match item {
            syn::Item::Struct(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                items.insert(name.clone(), "struct".to_owned());
                derives(&name, &item.attrs, items);
                for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                    let field_name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                    items.insert(format!("{name}.{field_name}"), tokens(&field.ty));
                }
            }
            syn::Item::Enum(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                items.insert(name.clone(), "enum".to_owned());
                derives(&name, &item.attrs, items);
                for variant in &item.variants {
                    items.insert(format!("{name}::{}", variant.ident), tokens(&variant.fields));
                }
            }
            syn::Item::Impl(block) => implementation(block, items),
            _ => {}
        }
    }
}

fn derives(name: &str, attrs: &[syn::Attribute], items: &mut Items) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        let _ = attr.parse_nested_meta(|one| {
            items.insert(format!("{name}: {}", tokens(&one.path)), String::new());
            Ok(())
        });
    }
}

fn implementation(block: &syn::ItemImpl, items: &mut Items) {
    let owner = tokens(&block.self_ty);
    if let Some((_, of, _)) = &block.trait_ {
        let of = tokens(of);
        // The others are the crate's own.
        if of.contains("From") || of.contains("IntoFuture") {
            let types = block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Type(item) => Some(tokens(item)),
                _ => None,
            });
            items.insert(format!("{owner}: {of}"), types.collect());
        }
        return;
    }
    for item in &block.items {
        let syn::ImplItem::Fn(function) = item else { continue };
        if is_public(&function.vis) {
            // What arguments are called is nobody's.
            let inputs = function.sig.inputs.iter().map(|input| match input {
                syn::FnArg::Typed(typed) => tokens(&typed.ty),
                syn::FnArg::Receiver(receiver) => tokens(receiver),
            });
            let spelled = format!("({}) {}", inputs.collect::<Vec<_>>().join(", "), tokens(&function.sig.output));
            items.insert(format!("{owner}::{}", function.sig.ident), spelled);
        }
    }
}

/// The name after some words at the beginning of a line.
fn named<'l>(line: &'l str, words: &str) -> Option<&'l str> {
    line.trim_start().strip_prefix(words)?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn variants(code: &str, items: &mut Items) {
    let mut owner = "";
    for line in code.lines().filter(|line| !line.trim_start().starts_with(['/', '#'])) {
        if let Some(name) = named(line, "pub enum ") {
            owner = name;
            items.insert(name.to_owned(), "enum".to_owned());
        } else if let Some((variant, text)) = line.trim().split_once(" = ") {
            let (variant, held) = variant.split_once('(').unwrap_or((variant, ""));
            items.insert(format!("{owner}::{variant}"), format!("{held} {text}"));
        }
    }
}

/// A builder asks for all its fields at once, in any order.
fn builders(code: &str, items: &mut Items) {
    let mut fields: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut owner = "";
    for line in code.lines().map(str::trim).filter(|line| !line.starts_with('/')) {
        if let Some((name, _)) = line.split_once(" by ") {
            owner = name;
            fields.entry(owner).or_default();
        } else if let Some((field, _)) = line.split_once(" => ") {
            fields.entry(owner).or_default().insert(field.to_owned());
        }
    }
    items.extend(fields.into_iter().map(|(name, fields)| (format!("{name}::builder"), format!("{fields:?}"))));
}
