//! The request types, one for each call, and the groups of methods that make them.
//!
//! A request owns what its call needs and hands it to progenitor's function, whose arguments [`super::structs`] has
//! compared with the model. What a call does beside sending its request is handwritten where the document says so
//! (`x-policy`): the request is then awaited through a method `run` that the client has to have.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::model::{Call, Kind, Param, Presence, Shape, Surface};
use super::names;
use super::rust;
use super::structs::doc;

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

fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}

fn request_type(call: &Call) -> Ident {
    format_ident!("{}Call", call.variant)
}

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

/// The type of a setter's argument, and the expression that makes the field of it.
fn setter_argument(kind: &Kind) -> (TokenStream, fn(&Ident) -> TokenStream) {
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

/// `Client::sessions()` and what it gives.
fn group(name: &str, calls: &[&Call], surface: &Surface) -> TokenStream {
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
    let owner = call.path_params.first().map(|param| {
        let name = ident(&param.rust);
        quote! {
            fn owner(&self) -> Option<&crate::AccountId> {
                call::Owned::owner(&self.#name)
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

            #owner

            #header

            fn span(account: &str) -> ::tracing::Span {
                call_span!(#id, account)
            }

            async fn through(&self, client: generated::Client) -> Sent<<#reading as Reading>::Sent> {
                client.#function(#passed).await
            }
        }

        impl ::std::future::IntoFuture for #name {
            type Output = crate::Result<Response<#output>>;
            type IntoFuture = CallFuture<#output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(#run)
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

/// `pages` and `rows` of a list.
fn list(call: &Call, surface: &Surface) -> Result<TokenStream, String> {
    let Some(paging) = &call.paging else { return Ok(quote!()) };
    let find = |name: &str| {
        let found = call.query.iter().find(|param| param.name == name && !param.required);
        found
            .map(|param| ident(&param.rust))
            .ok_or_else(|| format!("`x-paging` names `{name}`, which it does not take"))
    };
    let (cursor, limit, longest) = (find(&paging.cursor)?, find(&paging.limit)?, paging.longest);
    let row = &call.response.target;
    let fields = match surface.find(row).map(|known| &known.shape) {
        Some(Shape::Struct { fields, .. }) if call.response.list => fields,
        _ => return Err("`x-paging` stands on a call that gives no list of objects".to_owned()),
    };
    let id = fields.iter().find(|field| field.json == paging.row_id);
    let id = id.ok_or_else(|| format!("`x-paging` names `{}`, which a row does not have", paging.row_id))?;
    let id_name = ident(&id.rust);
    let id_text = match id.presence {
        Presence::Required => quote!(Some(row.#id_name.as_ref())),
        _ => quote!(row.#id_name.as_ref().map(AsRef::<str>::as_ref)),
    };
    let (name, row) = (request_type(call), rust::path_of(row));
    let json = &paging.row_id;
    let pages = format!(
        " Returns all pages of the list, `{}` rows each ({longest} unless set), from where the request begins to the end.",
        paging.limit
    );
    Ok(quote! {
        impl List for #name {
            type Row = #row;
            const LONGEST: i64 = #longest;
            const ROW_ID: &'static str = #json;

            fn limit(&self) -> Option<i64> {
                self.#limit
            }

            fn cursor(&self) -> Option<&str> {
                self.#cursor.as_ref().map(AsRef::<str>::as_ref)
            }

            fn page(&self, cursor: Option<&str>, limit: i64) -> Option<Self> {
                let mut page = self.clone();
                page.#limit = Some(limit);
                if let Some(cursor) = cursor {
                    page.#cursor = Some(cursor.parse().ok()?);
                }
                Some(page)
            }

            fn id(row: &Self::Row) -> Option<&str> {
                #id_text
            }
        }

        impl #name {
            #[doc = #pages]
            ///
            /// Each page is fetched when it is asked for, and one is held at a time. After an error the stream ends; to
            /// go on, begin after the last row received.
            ///
            /// # Errors
            /// As the call, and [`ErrorKind::Unreadable`](crate::ErrorKind::Unreadable) when a page does not lead on:
            /// its last row has no id, or the same as the page before.
            pub fn pages(self) -> CallStream<Response<::std::vec::Vec<crate::Result<#row>>>> {
                paging::pages(self)
            }

            /// All rows of the list, over all its [`pages`](Self::pages). A row that cannot be read is an error in its
            /// place, after which the stream goes on.
            pub fn rows(self) -> CallStream<#row> {
                paging::rows(self)
            }
        }
    })
}

/// What a toggle's type is called among the client's defaults: `session` for `SessionToggle`.
fn toggle_group(toggle: &str) -> Ident {
    ident(&names::field(toggle.strip_suffix("Toggle").unwrap_or(toggle)))
}

/// The client's own toggles, by their type.
fn toggle_defaults(surface: &Surface) -> TokenStream {
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
