//! How the kinds of the model are spelled in Rust.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::{Field, Kind, Presence};

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
