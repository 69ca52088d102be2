//! The request types, one for each call.
//!
//! A request owns what its call needs and hands it to progenitor's function, whose arguments [`super::structs`] has
//! compared with the model. What a call does beside sending its request is handwritten where the document says so
//! (`x-policy`): the request is then awaited through a method `run` that the client has to have.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::groups::{group, group_type};
use super::model::{Call, Kind, Param, Surface};
use super::paging::list;
use super::rust;
use super::structs::doc;
use super::toggles::{toggle_defaults, toggle_group};

/// The request types and the groups.
///
/// # Errors
/// When two setters of a request would have one name.
pub fn requests(surface: &Surface) -> Result<TokenStream, String> {
    let mut out = quote!();
    let mut groups: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &surface.calls {
        if let Some(param) = call.path_params.iter().find(|param| !matches!(param.kind, Kind::Type(_))) {
            return Err(format!(
                "operation `{}`: `{}` could be any text and lead to another path: list it in `typed` of the overlay",
                call.id, param.name
            ));
        }
        groups.entry(&call.group).or_default().push(call);
    }
    for (name, calls) in &groups {
        out.extend(group(name, calls, surface));
    }
    for call in &surface.calls {
        out.extend(request(call, surface).map_err(|message| format!("operation `{}`: {message}", call.id))?);
    }
    out.extend(toggle_defaults(surface));
    Ok(out)
}

pub(super) fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}

pub(super) fn request_type(call: &Call) -> Ident {
    format_ident!("{}Call", call.variant)
}

/// The type of a setter's argument, and the expression that makes the field of it.
pub(super) fn setter_argument(kind: &Kind) -> (TokenStream, fn(&Ident) -> TokenStream) {
    let spelled = rust::path(kind);
    match kind {
        Kind::Integer | Kind::Boolean => (spelled, |name| quote!(#name)),
        Kind::List(items) => {
            let items = rust::path(items);
            (quote!(impl ::std::convert::Into<OneOrMany<#items>>), |name| quote!(#name.into()))
        }
        _ => (quote!(impl ::std::convert::Into<#spelled>), |name| quote!(#name.into())),
    }
}

/// The value that the response of a call is read as, and the type that reads it.
fn value(call: &Call) -> (TokenStream, TokenStream) {
    let target = rust::path_of(&call.response.target);
    if call.response.list {
        (quote!(::std::vec::Vec<crate::Result<#target>>), quote!(Rows<#target>))
    } else {
        (target.clone(), quote!(One<#target>))
    }
}

fn request(call: &Call, surface: &Surface) -> Result<TokenStream, String> {
    check_names(call)?;
    let (name, id, variant) = (request_type(call), &call.id, ident(&call.variant));
    let (about, fields, setters) = (doc(&request_doc(call)), fields(call), setters(call));
    let (value, reading) = value(call);
    let output = call.result.as_deref().map_or(value, |name| {
        let name = ident(name);
        quote!(crate::#name)
    });
    let run = if call.policy { quote!(self.run()) } else { quote!(call::run(self)) };
    let shows = if call.result.is_some() { quote!(call::of_verdict) } else { quote!(call::of_value) };
    let kind = format!("{}.{}", call.group, call.name);
    let subject = call.path_params.first().map(|param| {
        let name = ident(&param.rust);
        quote! {
            fn subject(&self) -> Option<call::Id<'_>> {
                Some((&self.#name).into())
            }
        }
    });
    let header = call.toggles.as_ref().map(|_| {
        quote! {
            fn toggles_header(&self) -> crate::Result<Option<(::http::HeaderName, ::http::HeaderValue)>> {
                toggles::header(self.toggles_in_effect())
            }
        }
    });
    let (function, passed) = (ident(id), passed(call));
    let list = list(call, surface)?;
    Ok(quote! {
        #(#about)*
        #[derive(Clone)]
        #[must_use = "a request is sent when it is awaited"]
        pub struct #name { pub(in crate::client) context: Context, #fields }

        impl #name { #setters }

        impl Request for #name {
            const OPERATION: Operation = Operation::#variant;
            type Reading = #reading;

            fn context(&self) -> &Context {
                &self.context
            }

            #subject

            #header

            fn span(account: &str) -> ::tracing::Span {
                call_span!(#id, #kind, account)
            }

            async fn through(&self, client: generated::Client) -> Sent<<#reading as Reading>::Sent> {
                client.#function(#passed).await
            }
        }

        impl ::std::future::IntoFuture for #name {
            type Output = crate::Result<Response<#output>>;
            type IntoFuture = CallFuture<#output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(call::told(call::begin(&self), #run, #shows))
            }
        }

        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!(#name)).finish_non_exhaustive()
            }
        }

        #list
    })
}

fn request_doc(call: &Call) -> String {
    let group = group_type(&call.group);
    let name = &call.name;
    format!(
        "A request of [`{group}::{name}`], sent when it is awaited.\n\n\
         Its methods set optional parameters. `Debug` shows none of its content."
    )
}

fn fields(call: &Call) -> TokenStream {
    let params = call.path_params.iter().chain(&call.query).map(|param| {
        let (name, kind) = (ident(&param.rust), rust::path(&param.kind));
        let optional = !param.required && !matches!(param.kind, Kind::List(_));
        let kind = if optional { quote!(::std::option::Option<#kind>) } else { kind };
        quote!(pub(in crate::client) #name: #kind,)
    });
    let body = call.request.as_deref().map(|body| {
        let kind = rust::path_of(body);
        quote!(pub(in crate::client) request: #kind,)
    });
    let toggles = call.toggles.as_deref().map(|toggle| {
        let kind = rust::path_of(toggle);
        quote!(pub(in crate::client) toggles: ::std::option::Option<::std::vec::Vec<#kind>>,)
    });
    quote!(#(#params)* #body #toggles)
}

fn setters(call: &Call) -> TokenStream {
    let params = call.query.iter().filter(|param| !param.required).map(|param| {
        let (name, setter) = (ident(&param.rust), ident(&param.setter));
        let (kind, made) = setter_argument(&param.kind);
        let made = made(&name);
        let (set, more) = match param.kind {
            Kind::List(_) => {
                (quote!(self.#name.extend(#made)), "\n\nTakes one value or several; each call adds to them.")
            }
            _ => (quote!(self.#name = Some(#made)), ""),
        };
        let text = doc(&format!("{}{more}", param.doc));
        quote! {
            #(#text)*
            pub fn #setter(mut self, #name: #kind) -> Self {
                #set;
                self
            }
        }
    });
    let toggles = call.toggles.as_deref().map(|toggle| {
        let (kind, defaults) = (rust::path_of(toggle), toggle_group(toggle));
        let text = format!(
            " Sets the feature toggles of this call, instead of the client's \
             [`{defaults}_toggles`](crate::ClientBuilder::{defaults}_toggles)."
        );
        quote! {
            #[doc = #text]
            pub fn toggles(mut self, toggles: impl ::std::iter::IntoIterator<Item = #kind>) -> Self {
                self.toggles = Some(toggles.into_iter().collect());
                self
            }

            pub(in crate::client) fn toggles_in_effect(&self) -> &[#kind] {
                self.toggles.as_deref().unwrap_or(&self.context.core.defaults.toggles.#defaults)
            }
        }
    });
    quote! {
        #(#params)*
        #toggles

        /// Sets how long the call may take altogether, instead of the client's
        /// [`timeout`](crate::ClientBuilder::timeout).
        pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.context.timeout = Some(timeout);
            self
        }

        /// Sets system headers; each that is set replaces the client's [`system`](crate::ClientBuilder::system).
        pub fn system(mut self, system: crate::SystemHeaders) -> Self {
            self.context.system = Some(system);
            self
        }
    }
}

/// The arguments of progenitor's function, in the order that the model has and `structs` has compared.
fn passed(call: &Call) -> TokenStream {
    let params = call.path_params.iter().chain(&call.query).map(|param| {
        let name = ident(&param.rust);
        match (&param.kind, param.required) {
            (Kind::Integer | Kind::Boolean, _) => quote!(self.#name),
            (Kind::List(_), false) => quote!(call::some(&self.#name)),
            (Kind::Text, false) => quote!(self.#name.as_deref()),
            (_, false) => quote!(self.#name.as_ref()),
            (_, true) => quote!(&self.#name),
        }
    });
    let body = call.request.iter().map(|_| quote!(&self.request));
    let all = params.chain(body);
    quote!(#(#all),*)
}

/// Names that every request has a use for.
const TAKEN: [&str; 11] =
    ["attempt", "clone", "fmt", "into_future", "pages", "rows", "run", "system", "timeout", "toggles", "with_attempt"];

fn check_names(call: &Call) -> Result<(), String> {
    let mut fields = BTreeSet::from(["context", "request", "toggles"]);
    let mut setters = BTreeSet::from(TAKEN);
    for Param { name, rust, setter, .. } in call.path_params.iter().chain(&call.query) {
        if !fields.insert(rust) || !setters.insert(setter) {
            return Err(format!(
                "parameter `{name}` has the name of something else of the request: give it another by `x-setter`"
            ));
        }
    }
    Ok(())
}
