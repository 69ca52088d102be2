//! How the kinds of the model are spelled in Rust: in full beside what progenitor wrote, in short everywhere else.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::{Field, Kind, Presence};

/// Names that modules of generated code have in scope beside all types of the surface, which therefore cannot have
/// them.
pub const IN_SCOPE: [&str; 15] = [
    "BTreeMap",
    "Box",
    "Client",
    "DateTime",
    "Default",
    "Into",
    "IntoIterator",
    "Map",
    "Missing",
    "NaiveDate",
    "Option",
    "Self",
    "String",
    "Utc",
    "Vec",
];

/// The type that holds a kind, where all types of the surface and [`IN_SCOPE`] are in scope.
pub fn short(kind: &Kind) -> TokenStream {
    match kind {
        Kind::Text => quote!(String),
        Kind::Integer => quote!(i64),
        Kind::Boolean => quote!(bool),
        Kind::Time => quote!(DateTime<Utc>),
        Kind::Date => quote!(NaiveDate),
        Kind::Json => quote!(::serde_json::Value),
        Kind::JsonObject => quote!(Map<String, ::serde_json::Value>),
        Kind::List(items) => {
            let items = short(items);
            quote!(Vec<#items>)
        }
        Kind::Map(values) => {
            let values = short(values);
            quote!(BTreeMap<String, #values>)
        }
        Kind::Type(name) => {
            let name = format_ident!("{name}");
            quote!(#name)
        }
    }
}

/// The type that holds a kind, as it can be written anywhere in the crate.
pub fn path(kind: &Kind) -> TokenStream {
    spell(kind, &path_of)
}

/// A type of the surface, as it can be written anywhere in the crate.
pub fn path_of(name: &str) -> TokenStream {
    let name = format_ident!("{name}");
    quote!(crate::types::#name)
}

/// The type that holds a kind, with the types of the surface as `name` spells them.
pub fn spell(kind: &Kind, name: &impl Fn(&str) -> TokenStream) -> TokenStream {
    match kind {
        Kind::Text => quote!(::std::string::String),
        Kind::Integer => quote!(i64),
        Kind::Boolean => quote!(bool),
        Kind::Time => quote!(::chrono::DateTime<::chrono::offset::Utc>),
        Kind::Date => quote!(::chrono::naive::NaiveDate),
        Kind::Json => quote!(::serde_json::Value),
        Kind::JsonObject => quote!(::serde_json::Map<::std::string::String, ::serde_json::Value>),
        Kind::List(items) => {
            let items = spell(items, name);
            quote!(::std::vec::Vec<#items>)
        }
        Kind::Map(values) => {
            let values = spell(values, name);
            quote!(::std::collections::BTreeMap<::std::string::String, #values>)
        }
        Kind::Type(target) => name(target),
    }
}

/// The type of a field.
pub fn field(field: &Field, name: &impl Fn(&str) -> TokenStream) -> TokenStream {
    let mut kind = spell(&field.kind, name);
    if field.boxed {
        kind = quote!(::std::boxed::Box<#kind>);
    }
    match field.presence {
        Presence::Optional => quote!(::std::option::Option<#kind>),
        Presence::Required | Presence::Defaulted => kind,
    }
}

/// How a kind reads in a line of text: `Vec<OrderItem>`.
pub fn text(kind: &Kind) -> String {
    match kind {
        Kind::Text => "String".to_owned(),
        Kind::Integer => "i64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Time => "DateTime<Utc>".to_owned(),
        Kind::Date => "NaiveDate".to_owned(),
        Kind::Json => "Value".to_owned(),
        Kind::JsonObject => "Map<String, Value>".to_owned(),
        Kind::List(items) => format!("Vec<{}>", text(items)),
        Kind::Map(values) => format!("BTreeMap<String, {}>", text(values)),
        Kind::Type(name) => name.clone(),
    }
}

/// How the type of a field reads in a line of text: `Option<Box<Emd>>`.
pub fn field_text(field: &Field) -> String {
    let mut kind = text(&field.kind);
    if field.boxed {
        kind = format!("Box<{kind}>");
    }
    if field.presence == Presence::Optional { format!("Option<{kind}>") } else { kind }
}

/// Whether an argument of one kind could be given for one of the other without anybody noticing.
pub fn takes_the_same(one: &Kind, other: &Kind) -> bool {
    let is_text = |kind: &Kind| *kind == Kind::Text || *kind == Kind::Type("Sensitive".to_owned());
    one == other || is_text(one) && is_text(other)
}

/// How a constructor or a setter takes a field as an argument of its name, without the `Option` around it: the type of
/// the argument, and what becomes of it.
pub fn argument(field: &Field, taken: Taken) -> (TokenStream, TokenStream) {
    let name = format_ident!("{}", field.rust);
    let (kind, value) = argument_of(&field.kind, &quote!(#name), taken);
    (kind, if field.boxed { quote!(Box::new(#value)) } else { value })
}

/// What a field holds, without the `Option` around it.
pub fn held(field: &Field) -> TokenStream {
    let kind = short(&field.kind);
    if field.boxed { quote!(Box<#kind>) } else { kind }
}

/// How a constructor or a setter takes a kind from `value`: the type of the argument, and what becomes of it.
///
/// Texts, lists and types are taken as whatever turns into them; a constructor takes types as they are, so that
/// arguments cannot be exchanged.
pub fn argument_of(kind: &Kind, value: &TokenStream, taken: Taken) -> (TokenStream, TokenStream) {
    let own = short(kind);
    match kind {
        Kind::Text => (quote!(impl Into<#own>), quote!(#value.into())),
        Kind::Type(name) if taken == Taken::ByName || name == "Sensitive" => {
            (quote!(impl Into<#own>), quote!(#value.into()))
        }
        Kind::Time if taken == Taken::ByName => (quote!(impl Into<#own>), quote!(#value.into())),
        Kind::List(items) => {
            let items = short(items);
            (quote!(impl IntoIterator<Item = impl Into<#items>>), quote!(#value.into_iter().map(Into::into).collect()))
        }
        Kind::Map(values) => {
            let values = short(values);
            (
                quote!(impl IntoIterator<Item = (impl Into<String>, impl Into<#values>)>),
                quote!(#value.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
            )
        }
        _ => (own, value.clone()),
    }
}

/// Whether an argument is told by its place or by the name of the function that takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// `Order::new(29_990, ..)`.
    ByPlace,
    /// `order.vat_amount(5_998)`.
    ByName,
}
