//! `Operation`: the operations of the interface, and what the client has to know of each.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::groups::group_type;
use super::model::{Call, Shape, Surface};

/// The enum of the operations.
pub fn operations(surface: &Surface) -> TokenStream {
    let calls = &surface.calls;
    let variants: Vec<_> = calls.iter().map(|call| format_ident!("{}", call.variant)).collect();
    let docs = calls.iter().map(|call| {
        let Call { method, path, group, name, .. } = call;
        let group = group_type(group);
        format!(" `{method} {path}`, made by [`{name}`](crate::calls::{group}::{name}).")
    });
    let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    let methods = calls.iter().map(|call| &call.method);
    let paths = calls.iter().map(|call| &call.path);
    let reads = calls.iter().map(|call| call.reads_only);
    let checks = calls.iter().map(|call| call.checks.as_ref().map(ToString::to_string).unwrap_or_default());
    let toggles = calls.iter().map(|call| {
        let values = call.toggles.as_deref().map(|name| values(surface, name)).unwrap_or_default();
        quote!(&[#(#values),*])
    });
    quote! {
        /// An operation of the interface.
        ///
        /// A new revision of the interface adds variants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Operation {
            #(#[doc = #docs] #variants,)*
        }

        impl Operation {
            /// Every operation, in the order of path and method.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The name of the operation: that of the variant, in snake case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { #(Self::#variants => #ids,)* }
            }

            /// The HTTP method, in capitals.
            #[must_use]
            pub const fn method(self) -> &'static str {
                match self { #(Self::#variants => #methods,)* }
            }

            /// The path template below the base URL.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { #(Self::#variants => #paths,)* }
            }

            /// Whether it only reads, so that it may be sent again at any time.
            #[must_use]
            pub const fn only_reads(self) -> bool {
                match self { #(Self::#variants => #reads,)* }
            }

            /// The feature toggles that it takes, as far as the interface lists them.
            #[must_use]
            pub const fn toggles(self) -> &'static [&'static str] {
                match self { #(Self::#variants => #toggles,)* }
            }

            /// The operation of an [`id`](Self::id).
            #[must_use]
            pub fn from_id(id: &str) -> Option<Self> {
                match id { #(#ids => Some(Self::#variants),)* _ => None }
            }

            /// What a request has to keep, as JSON; empty when nothing. See `crate::check`.
            pub(crate) const fn checks(self) -> &'static str {
                match self { #(Self::#variants => #checks,)* }
            }
        }

        impl ::std::fmt::Display for Operation {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.id())
            }
        }
    }
}

/// The values of an enum.
fn values<'a>(surface: &'a Surface, name: &str) -> Vec<&'a str> {
    match surface.find(name).map(|known| &known.shape) {
        Some(Shape::Enum { values }) => values.iter().map(|value| value.json.as_str()).collect(),
        _ => Vec::new(),
    }
}
