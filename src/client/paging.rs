//! Lists to their end.
//!
//! The service tells neither a total nor a next page: the cursor is the last id received, and the end is a page
//! shorter than asked for. One page is held at a time.

use futures_core::Stream;
use futures_util::stream::{self, TryStreamExt};

use super::options::{ListSessions, ListTransactions};
use super::response::Response;
use super::{Sessions, Transactions};
use crate::error::{Error, Result};
use crate::read::UnreadableRow;
use crate::types::{Session, Transaction};

/// The largest page, asked for unless the query says otherwise.
const PAGE: u8 = 100;

/// A row that a list can go on after.
trait Row {
    fn id(&self) -> Option<&str>;
}

impl Row for Session {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Row for Transaction {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Sessions {
    /// All pages of a list, from the query's `starting_after` to the end, `limit` rows each (100 unless set).
    ///
    /// Each page is fetched when it is asked for; dropping the stream ends the list. After an error the stream
    /// ends; to go on, set `starting_after` to the id of the last row received.
    ///
    /// # Errors
    /// As [`list`](Self::list), and [`ErrorKind::Unreadable`](crate::ErrorKind::Unreadable) when a page does not
    /// lead on: its last row has no id, or the same as the page before.
    pub fn list_pages(&self, query: ListSessions) -> impl Stream<Item = Result<Response<Vec<Session>>>> + Send + use<> {
        let calls = self.clone();
        let first = (query.starting_after.clone(), query.limit.unwrap_or(PAGE));
        pages("list_sessions", first, move |cursor, limit| {
            let calls = calls.clone();
            let query = ListSessions { starting_after: cursor, limit: Some(limit), ..query.clone() };
            async move { calls.list(&query).await }
        })
    }

    /// All rows of a list; see [`list_pages`](Self::list_pages). A row that cannot be read is an error in its place,
    /// after which the stream goes on.
    pub fn list_all(&self, query: ListSessions) -> impl Stream<Item = Result<Session>> + Send + use<> {
        rows("list_sessions", self.list_pages(query))
    }
}

impl Transactions {
    /// All pages of a list, from the query's `starting_after` to the end, `limit` rows each (100 unless set).
    ///
    /// Each page is fetched when it is asked for; dropping the stream ends the list. After an error the stream
    /// ends; to go on, set `starting_after` to the id of the last row received.
    ///
    /// # Errors
    /// As [`list`](Self::list), and [`ErrorKind::Unreadable`](crate::ErrorKind::Unreadable) when a page does not
    /// lead on: its last row has no id, or the same as the page before.
    pub fn list_pages(
        &self,
        query: ListTransactions,
    ) -> impl Stream<Item = Result<Response<Vec<Transaction>>>> + Send + use<> {
        let calls = self.clone();
        let first = (query.starting_after.clone(), query.limit.unwrap_or(PAGE));
        pages("list_transactions", first, move |cursor, limit| {
            let calls = calls.clone();
            let query = ListTransactions { starting_after: cursor, limit: Some(limit), ..query.clone() };
            async move { calls.list(&query).await }
        })
    }

    /// All rows of a list; see [`list_pages`](Self::list_pages). A row that cannot be read is an error in its place,
    /// after which the stream goes on.
    pub fn list_all(&self, query: ListTransactions) -> impl Stream<Item = Result<Transaction>> + Send + use<> {
        rows("list_transactions", self.list_pages(query))
    }
}

enum Next {
    Page { after: Option<String> },
    End,
}

fn pages<T, F, Fut>(
    operation: &'static str,
    (after, limit): (Option<String>, u8),
    fetch: F,
) -> impl Stream<Item = Result<Response<Vec<T>>>> + Send
where
    T: Row + Send,
    F: Fn(Option<String>, u8) -> Fut + Send,
    Fut: Future<Output = Result<Response<Vec<T>>>> + Send,
{
    stream::try_unfold((Next::Page { after }, fetch), move |(next, fetch)| async move {
        let Next::Page { after } = next else {
            return Ok(None);
        };
        let page = fetch(after.clone(), limit).await?;
        let next = following(&page, limit, after.as_deref()).map_err(|detail| {
            let call = page.call();
            Error::stuck(detail).in_call(operation, true, call.spent)
        })?;
        Ok(Some((page, (next, fetch))))
    })
}

/// Where a list goes on after a page. Rows that cannot be read count as rows.
fn following<T: Row>(page: &Response<Vec<T>>, limit: u8, after: Option<&str>) -> Result<Next, &'static str> {
    let unreadable = page.unreadable_rows();
    let total = page.len().saturating_add(unreadable.len());
    if total < usize::from(limit) {
        return Ok(Next::End);
    }
    let is_last = |row: &&UnreadableRow| row.index.saturating_add(1) == total;
    let last = match unreadable.iter().find(is_last) {
        Some(row) => row.value.get("id").and_then(serde_json::Value::as_str),
        None => page.last().and_then(Row::id),
    };
    let Some(last) = last else {
        return Err("the last row of a page has no id to go on after");
    };
    // The cursor's own row is never part of the page after it.
    if after.is_some_and(|after| after == last || page.iter().any(|row| row.id() == Some(after))) {
        return Err("the list does not move on: a page holds the row it was to begin after");
    }
    Ok(Next::Page { after: Some(last.to_owned()) })
}

/// The rows of some pages. One that cannot be read is an error in its place: to leave it out would lose a
/// transaction without a word.
fn rows<T: Send + 'static>(
    operation: &'static str,
    pages: impl Stream<Item = Result<Response<Vec<T>>>> + Send,
) -> impl Stream<Item = Result<T>> + Send {
    pages
        .map_ok(move |page| {
            let call = page.call();
            let mut unreadable: Vec<_> = page.unreadable_rows().to_vec();
            unreadable.reverse();
            let mut good = page.into_inner().into_iter();
            let mut index = 0_usize;
            stream::iter(std::iter::from_fn(move || {
                let bad = unreadable.pop_if(|row| row.index == index);
                index = index.saturating_add(1);
                match bad {
                    Some(row) => Some(Err(Error::unreadable_row(&row).in_call(operation, true, call.spent))),
                    None => good.next().map(Ok),
                }
            }))
        })
        .try_flatten()
}
