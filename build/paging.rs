//! `pages` and `rows`: the streams of a list.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::{Call, Presence, Shape, Surface};
use super::requests::{ident, request_type};
use super::rust;

/// `pages` and `rows` of a list; nothing for a call that gives none.
///
/// # Errors
/// When the document names a parameter or a field that is not there.
pub fn list(call: &Call, surface: &Surface) -> Result<TokenStream, String> {
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
