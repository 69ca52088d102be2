//! How the types that are sent are made: `new`, or else a [`builder`](super::builder), for what they require, and a
//! setter for each other field.
//!
//! A type that is only received has none of it: the service makes it, and tests make it of JSON.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::model::{Construct, Field, Presence, Shape, Surface};
use super::rust::{self, Taken};
use super::structs;

/// The constructors and setters of all types.
///
/// # Errors
/// When a type cannot state again what it is said to.
pub fn all(surface: &Surface) -> Result<TokenStream, String> {
    let mut out = quote!();
    for known in &surface.types {
        let Shape::Struct { fields, keeps_unknown, construct, restates } = &known.shape else { continue };
        let name = format_ident!("{}", known.name);
        let rest = |taken: &[String]| {
            let rest = fields.iter().filter(|field| !taken.contains(&field.rust)).map(|field| ident(&field.rust));
            rest.chain(keeps_unknown.then(|| ident("extra"))).collect::<Vec<_>>()
        };
        let mut own = match construct {
            Construct::None => continue,
            Construct::New { arguments } => new(fields, arguments, &rest(arguments)),
            // See `super::builder`.
            Construct::Builder { .. } => quote!(),
        };
        own.extend(fields.iter().filter_map(setter));
        if !own.is_empty() {
            out.extend(quote!(impl #name { #own }));
        }
        if let Some(other) = restates {
            out.extend(restate(surface, &name, fields, *keeps_unknown, other)?);
        }
    }
    Ok(out)
}

/// A name that progenitor gave, so that it is no keyword.
fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.rust == name)
}

fn new(fields: &[Field], arguments: &[String], rest: &[Ident]) -> TokenStream {
    if arguments.is_empty() {
        return quote! {
            /// Makes one with nothing set.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }
        };
    }
    let (mut inputs, mut values) = (quote!(), quote!());
    for field in arguments.iter().filter_map(|name| find(fields, name)) {
        let name = ident(&field.rust);
        let (kind, value) = rust::argument(field, Taken::ByPlace);
        inputs.extend(quote!(#name: #kind,));
        values.extend(if value.to_string() == field.rust { quote!(#name,) } else { quote!(#name: #value,) });
    }
    quote! {
        /// Makes one with what it requires.
        #[must_use]
        pub fn new(#inputs) -> Self {
            Self { #values #(#rest: Default::default(),)* }
        }
    }
}

fn setter(field: &Field) -> Option<TokenStream> {
    let setter = ident(field.setter.as_ref()?);
    let name = ident(&field.rust);
    let (kind, value) = rust::argument(field, Taken::ByName);
    let value = if field.presence == Presence::Optional { quote!(Some(#value)) } else { value };
    let doc = structs::doc(&field.doc);
    Some(quote! {
        #(#doc)*
        #[must_use]
        pub fn #setter(mut self, #name: #kind) -> Self {
            self.#name = #value;
            self
        }
    })
}

/// The conversion from what was read, with every field that both have.
fn restate(
    surface: &Surface,
    name: &Ident,
    fields: &[Field],
    keeps_unknown: bool,
    other: &str,
) -> Result<TokenStream, String> {
    let Some(Shape::Struct { fields: told, keeps_unknown: has_unknown, .. }) = surface.find(other).map(|it| &it.shape)
    else {
        return Err(format!("schema `{name}`: `{other}`, which it states again, is no object"));
    };
    let mut values = quote!();
    for field in fields {
        let own = ident(&field.rust);
        let Some(source) = told.iter().find(|source| source.json == field.json) else {
            if field.presence == Presence::Required {
                return Err(format!("schema `{name}`: `{other}` does not have its field `{}`", field.json));
            }
            values.extend(quote!(#own: Default::default(),));
            continue;
        };
        let from = ident(&source.rust);
        if source.kind != field.kind || source.boxed != field.boxed {
            return Err(format!("schema `{name}`: field `{}` has another type in `{other}`", field.json));
        }
        values.extend(match (source.presence, field.presence) {
            (one, other) if one == other => quote!(#own: from.#from,),
            (_, Presence::Optional) => quote!(#own: Some(from.#from),),
            (Presence::Optional, Presence::Defaulted) => quote!(#own: from.#from.unwrap_or_default(),),
            (Presence::Required, Presence::Defaulted) | (Presence::Defaulted, Presence::Required) => {
                quote!(#own: from.#from,)
            }
            _ => return Err(format!("schema `{name}`: field `{}` may be absent in `{other}`", field.json)),
        });
    }
    if keeps_unknown {
        values.extend(if *has_unknown { quote!(extra: from.extra,) } else { quote!(extra: Default::default(),) });
    }
    let doc = " Takes over every field that both have, those included that this version of the crate does not know. What \
         reading skipped is not in it: look at `Response::skipped_fields` before an update states again what was not \
         all read.";
    let other = ident(other);
    Ok(quote! {
        impl From<#other> for #name {
            #[doc = #doc]
            fn from(from: #other) -> Self {
                Self { #values }
            }
        }
    })
}
