//! The parts of the client, and the methods of each that begin a request: `client.transactions().get(..)`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::model::{Call, Kind, Surface};
use super::names;
use super::requests::{ident, request_type, setter_argument};
use super::rust;
use super::structs::doc;

/// What the methods of a group take: the path, what else is required, and the body.
fn arguments(call: &Call) -> Vec<(Ident, TokenStream, TokenStream)> {
    let params = call.path_params.iter().chain(call.query.iter().filter(|param| param.required)).map(|param| {
        let name = ident(&param.rust);
        match &param.kind {
            // Ids are borrowed: a caller keeps them for the calls that follow.
            Kind::Type(_) if call.path_params.contains(param) => {
                let kind = rust::path(&param.kind);
                (name.clone(), quote!(&#kind), quote!(#name.clone()))
            }
            Kind::List(_) => {
                let (kind, _) = setter_argument(&param.kind);
                (name.clone(), kind, quote!(#name.into().into_iter().collect()))
            }
            kind => {
                let (kind, value) = setter_argument(kind);
                (name.clone(), kind, value(&name))
            }
        }
    });
    let body = call.request.iter().map(|body| {
        let kind = rust::path_of(body);
        (ident("request"), kind, quote!(request))
    });
    params.chain(body).collect()
}

/// `Client::sessions()` and what it gives.
pub fn group(name: &str, calls: &[&Call], surface: &Surface) -> TokenStream {
    let (kind, method) = (group_type(name), ident(name));
    let about = format!(" Calls on {name}, made by [`Client::{name}`](crate::Client::{name}).");
    let short = format!(" Returns the calls on {name}.");
    let methods = calls.iter().map(|call| {
        let (name, request) = (ident(&call.name), request_type(call));
        let text = doc(&method_doc(call, surface));
        let arguments = arguments(call);
        let params = arguments.iter().map(|(name, kind, _)| quote!(#name: #kind));
        let fields = arguments
            .iter()
            .map(|(name, _, value)| if *name == value.to_string() { quote!(#name) } else { quote!(#name: #value) });
        let optional = call.query.iter().filter(|param| !param.required).map(|param| {
            let name = ident(&param.rust);
            quote!(#name: ::std::default::Default::default())
        });
        let toggles = call.toggles.as_ref().map(|_| quote!(toggles: None,));
        quote! {
            #(#text)*
            pub fn #name(&self, #(#params),*) -> #request {
                #request { context: Context::new(&self.core), #(#fields,)* #(#optional,)* #toggles }
            }
        }
    });
    quote! {
        #[doc = #about]
        #[derive(Clone, Debug)]
        pub struct #kind {
            pub(in crate::client) core: ::std::sync::Arc<Core>,
        }

        impl crate::Client {
            #[doc = #short]
            #[must_use]
            pub fn #method(&self) -> #kind {
                #kind { core: self.core.clone() }
            }
        }

        impl #kind { #(#methods)* }
    }
}

/// The type of a group.
pub fn group_type(name: &str) -> Ident {
    ident(&names::variant_of_id(name))
}

/// The documentation of the method that begins a call.
fn method_doc(call: &Call, surface: &Surface) -> String {
    let Call { method, path, .. } = call;
    // The document names calls by their ids; here each is the method that makes it.
    let doc = surface.calls.iter().fold(call.doc.clone(), |doc, other| {
        let link = format!("[`{0}`]({1}::{0})", other.name, group_type(&other.group));
        doc.replace(&format!("`{}`", other.id), &link)
    });
    let again = if call.reads_only {
        "The client retries it as its [`RetryPolicy`](crate::RetryPolicy) says, because it only reads. A dropped future \
         has no effect."
    } else {
        "The client retries it only where it cannot have been carried out: when no connection was made, as the \
         [`RetryPolicy`](crate::RetryPolicy) says, and once after a 401. **Dropping the future, by a timeout around it \
         or with its task, does not cancel the call:** once polled, it may have been carried out, as after an \
         [`Outcome::Unknown`](crate::Outcome::Unknown)."
    };
    let more = if call.paging.is_some() {
        " Awaiting the request returns one page; `pages` and `rows` return streams of the whole list."
    } else {
        ""
    };
    format!(
        "{doc}\n\nSends `{method} {path}` when the request is awaited.{more}{}\n\n# Errors\nSee [`Error`](crate::Error), \
         whose [`outcome`](crate::Error::outcome) says what is known of the effect.\n\n# Retries\n{again}",
        example(call)
    )
}

/// The section with the example, a test that runs in the sandbox.
fn example(call: &Call) -> String {
    if call.example.is_empty() {
        return String::new();
    }
    format!(
        "\n\n# Example\n```\n\
         # include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/docs/example.rs\"));\n\
         # #[tokio::main(flavor = \"current_thread\")]\n\
         # async fn main() -> Result<(), BoxError> {{\n\
         # let (sandbox, client) = start().await?;\n\
         {}\n\
         # Ok(())\n\
         # }}\n```",
        call.example.trim_end()
    )
}
