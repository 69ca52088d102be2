//! What the client has to know of each operation, and the documentation of each call.

use quote::quote;

use super::model::{Call, Surface};

/// The table of operations: how each may be repeated and what its request has to keep.
pub fn table(surface: &Surface) -> proc_macro2::TokenStream {
    let rows = surface.calls.iter().map(|call| {
        let Call { id, method, path, .. } = call;
        let retry = if call.reads_only {
            quote!(crate::operation::Retry::Read)
        } else {
            quote!(crate::operation::Retry::Never)
        };
        let checks = call.checks.as_ref().map(ToString::to_string).unwrap_or_default();
        quote! {
            crate::operation::Operation { id: #id, method: #method, path: #path, retry: #retry, checks: #checks },
        }
    });
    quote! {
        /// Every operation, in the order of path and method.
        pub(crate) static OPERATIONS: &[crate::operation::Operation] = &[#(#rows)*];
    }
}

/// The documentation of each call, for the handwritten method that makes it.
pub fn docs(surface: &Surface) -> impl Iterator<Item = (String, String)> {
    surface.calls.iter().map(|call| {
        let mut text = format!("{}\n\nSends `{} {}`.\n", call.doc, call.method, call.path);
        text.push_str(if call.reads_only {
            "\n**Repeated** when the service cannot be reached, answers 429, 500, 502, 503 or 504, or does not answer: \
             twice at most, after 0.5 s and 1 s with jitter, or as `Retry-After` asks.\n"
        } else {
            "\n**Never repeated**, but for a connection that was refused before a byte of the request left, and once \
             after a 401, which the service answers before it acts.\n"
        });
        (format!("{}.md", call.id), text)
    })
}
