//! `Debug` of the structs: which fields are there, and the values of those that may be shown.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::{Field, Kind, Presence, Shape, Surface};

/// `Debug` of all structs.
pub fn all(surface: &Surface) -> TokenStream {
    let mut out = quote!();
    for known in &surface.types {
        let Shape::Struct { fields, keeps_unknown, .. } = &known.shape else { continue };
        let name = format_ident!("{}", known.name);
        let text = &known.name;
        let parts = fields.iter().map(part);
        let extra = keeps_unknown
            .then(|| quote!(("extra", !self.extra.is_empty(), &crate::types::redact::Hidden(&self.extra)),));
        out.extend(quote! {
            impl ::std::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    crate::types::redact::print(f, #text, &[#(#parts,)* #extra])
                }
            }
        });
    }
    out
}

/// A field as `src/types/redact.rs` takes it.
fn part(field: &Field) -> TokenStream {
    let name = format_ident!("{}", field.rust);
    let text = &field.rust;
    let is_there = match (field.presence, &field.kind) {
        (Presence::Optional, _) => quote!(self.#name.is_some()),
        (Presence::Defaulted, _) | (_, Kind::List(_) | Kind::Map(_) | Kind::JsonObject) => {
            quote!(!self.#name.is_empty())
        }
        (Presence::Required, _) => quote!(true),
    };
    let value = if field.printed { quote!(&self.#name) } else { quote!(&crate::types::redact::Hidden(&self.#name)) };
    quote!((#text, #is_there, #value))
}
