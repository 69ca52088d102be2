//! The client's own feature toggles, by the calls that take them.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::groups::group_type;
use super::model::{Call, Surface};
use super::names;
use super::requests::ident;
use super::rust;
use super::structs::doc;

/// What a toggle's type is called among the client's defaults: `session` for `SessionToggle`.
pub fn toggle_group(toggle: &str) -> Ident {
    ident(&names::field(toggle.strip_suffix("Toggle").unwrap_or(toggle)))
}

/// The client's own toggles, by their type.
pub fn toggle_defaults(surface: &Surface) -> TokenStream {
    let mut kinds: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &surface.calls {
        if let Some(toggle) = &call.toggles {
            kinds.entry(toggle).or_default().push(call);
        }
    }
    let fields = kinds.keys().map(|toggle| {
        let (kind, name) = (rust::path_of(toggle), toggle_group(toggle));
        quote!(pub(in crate::client) #name: ::std::vec::Vec<#kind>,)
    });
    let setters = kinds.iter().map(|(toggle, calls)| {
        let (kind, name) = (rust::path_of(toggle), toggle_group(toggle));
        let setter = format_ident!("{name}_toggles");
        let calls: Vec<String> = calls
            .iter()
            .map(|call| format!("[`{0}::{1}`](crate::calls::{0}::{1})", group_type(&call.group), call.name))
            .collect();
        let text = doc(&format!(
            "Feature toggles of every call that takes a [`{toggle}`](crate::types::{toggle}), unless the call sets its own: \
             {}.",
            calls.join(", ")
        ));
        quote! {
            #(#text)*
            #[must_use]
            pub fn #setter(mut self, toggles: impl ::std::iter::IntoIterator<Item = #kind>) -> Self {
                self.defaults.toggles.#name = toggles.into_iter().collect();
                self
            }
        }
    });
    quote! {
        /// Feature toggles by the type of the calls that take them.
        #[derive(Clone, Debug, Default)]
        pub(in crate::client) struct ToggleDefaults { #(#fields)* }

        impl crate::ClientBuilder { #(#setters)* }
    }
}
