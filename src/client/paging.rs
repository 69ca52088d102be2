//! Lists to their end.
//!
//! The service tells neither a total nor a next page: the cursor is the last id received, and the end is a page
//! shorter than asked for. One page is held at a time.

use std::pin::Pin;

use futures_core::Stream;
use futures_util::stream::{self, TryStreamExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::{self, Request, Rows};
use super::response::Response;
use crate::error::{Error, Result};

/// A stream of pages or rows.
pub type CallStream<T> = Pin<Box<dyn Stream<Item = Result<T>> + Send>>;

/// A request of a list. The generator writes the implementations.
pub(crate) trait List: Request<Reading = Rows<Self::Row>> + Clone + 'static {
    type Row: DeserializeOwned + Send + 'static;
    /// How many rows a page can have.
    const LONGEST: i64;
    /// The field of a row that the next page is asked for by.
    const ROW_ID: &'static str;

    /// How many rows a page is to have.
    fn limit(&self) -> Option<i64>;

    /// The row that the list begins after.
    fn cursor(&self) -> Option<&str>;

    /// The request of the page after a row; `None` when that is no cursor.
    fn page(&self, cursor: Option<&str>, limit: i64) -> Option<Self>;

    fn id(row: &Self::Row) -> Option<&str>;
}

type Page<L> = Response<Vec<Result<<L as List>::Row>>>;

enum Next {
    Page { after: Option<String> },
    End,
}

pub(super) fn pages<L: List>(request: L) -> CallStream<Page<L>> {
    let limit = request.limit().unwrap_or(L::LONGEST);
    let first = Next::Page { after: request.cursor().map(str::to_owned) };
    Box::pin(stream::try_unfold((request, first), move |(request, next)| async move {
        let Next::Page { after } = next else {
            return Ok(None);
        };
        let stuck = |detail| Error::stuck(detail).in_call(L::OPERATION, Default::default());
        let one = request.page(after.as_deref(), limit);
        let one = one.ok_or_else(|| stuck("the last row of a page has an id that cannot be gone on after"))?;
        let page = call::told(call::begin(&one), call::run(one), call::of_value).await?;
        let next = following::<L>(&page, limit, after.as_deref());
        let next = next.map_err(|detail| Error::stuck(detail).in_call(L::OPERATION, page.call().spent))?;
        Ok(Some((page, (request, next))))
    }))
}

/// The rows of all pages. One that cannot be read is an error in its place: to leave it out would lose a transaction
/// unnoticed.
pub(super) fn rows<L: List>(request: L) -> CallStream<L::Row> {
    Box::pin(pages(request).map_ok(|page| stream::iter(page.into_inner())).try_flatten())
}

/// Where a list goes on after a page. Rows that cannot be read count as rows.
fn following<L: List>(page: &Page<L>, limit: i64, after: Option<&str>) -> Result<Next, &'static str> {
    if i64::try_from(page.len()).unwrap_or(i64::MAX) < limit {
        return Ok(Next::End);
    }
    let ids = || page.iter().flatten().filter_map(L::id);
    let last = match page.last() {
        Some(Ok(row)) => L::id(row).map(str::to_owned),
        _ => None,
    };
    let Some(last) = last.or_else(|| last_id(page.body(), L::ROW_ID)) else {
        return Err("the last row of a page has no id to go on after");
    };
    // The cursor's own row is never part of the page after it.
    if after.is_some_and(|after| after == last || ids().any(|id| id == after)) {
        return Err("the list does not move on: a page holds the row it was to begin after");
    }
    Ok(Next::Page { after: Some(last) })
}

/// The id of the last row of a list, whatever else the row holds.
fn last_id(body: &[u8], name: &str) -> Option<String> {
    let rows: Vec<Value> = serde_json::from_slice(body).ok()?;
    rows.last()?.get(name)?.as_str().map(str::to_owned)
}
