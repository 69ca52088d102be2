//! How the types that are sent are made: `new`.

use quote::{format_ident, quote};

use super::model::{Construct, Field, Shape, Surface};
use super::rust;

/// The constructors of all types.
pub fn constructors(surface: &Surface) -> proc_macro2::TokenStream {
    let mut out = quote!();
    for known in &surface.types {
        let Shape::Struct { fields, keeps_unknown, construct } = &known.shape else { continue };
        let Construct::New { arguments } = construct else { continue };
        if arguments.is_empty() {
            continue;
        }
        let name = format_ident!("{}", known.name);
        let taken: Vec<&Field> = arguments.iter().filter_map(|argument| find(fields, argument)).collect();
        let names: Vec<_> = taken.iter().map(|field| format_ident!("{}", field.rust)).collect();
        let kinds = taken.iter().map(|field| rust::field(field, &rust::path_of));
        let rest = fields.iter().filter(|field| !arguments.contains(&field.rust));
        let rest = rest.map(|field| field.rust.as_str()).chain(keeps_unknown.then_some("extra"));
        let rest = rest.map(|name| format_ident!("{name}"));
        let doc = format!(" A `{name}` with what it requires; everything else is left out.");
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

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.rust == name)
}
