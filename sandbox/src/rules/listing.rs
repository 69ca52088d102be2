//! The two lists: filters, the cursor, pages from the newest row on.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

use super::call::Call;
use super::reply::{ApiError, Reply};
use crate::state::State;
use crate::state::clock::{microseconds, read};
use crate::state::index::Query;
use crate::state::session::Session;
use crate::state::store::Row;
use crate::state::transaction::Transaction;

/// Rows of a page when the request does not say.
const LIMIT: usize = 10;

/// `GET /transactions`.
pub(crate) fn transactions(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let query = query::<Transaction>(call)?;
    let page = state.transactions.page(call.value("starting_after"), limit(call), &query);
    let page = page.map_err(|_| unknown_cursor())?;
    let ids: Vec<String> = page
        .iter()
        .filter(|transaction| !transaction.pending.is_empty())
        .map(|transaction| transaction.id.clone())
        .collect();
    let includes = call.included();
    let rows = page.iter().map(|transaction| transaction.view(&includes, None)).collect();
    // A listed row was read once, as by a read of its own; it tells so from the next time on.
    for id in ids {
        super::transactions::settle(state, &id, false);
    }
    Ok(Reply::ok(Value::Array(rows)))
}

/// `GET /sessions`.
pub(crate) fn sessions(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let query = query::<Session>(call)?;
    let page = state.sessions.page(call.value("starting_after"), limit(call), &query);
    let page = page.map_err(|_| unknown_cursor())?;
    let rows = page.iter().map(|session| session.view(false, false));
    Ok(Reply::ok(rows.collect()))
}

fn limit(call: &Call) -> usize {
    call.value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT)
}

fn unknown_cursor() -> ApiError {
    ApiError::bad_request("query.starting_after: there is no such row")
}

/// What the parameters of a list ask for.
fn query<T: Row>(call: &Call) -> Result<Query, ApiError> {
    let texts = T::TEXTS.iter().map(|(name, _)| (*name, call.values(name)));
    let texts = texts.filter(|(_, wanted)| !wanted.is_empty()).map(|(name, wanted)| (name, wanted.to_vec()));
    let mut query =
        Query { texts: texts.collect(), numbers: Vec::new(), search: call.value("search").map(str::to_lowercase) };
    for (name, _) in T::TIMES {
        query.numbers.extend(times(call, name)?.map(|range| (*name, range)));
    }
    for (name, _) in T::AMOUNTS {
        query.numbers.extend(amounts(call, name).map(|range| (*name, range)));
    }
    Ok(query)
}

/// `NAME.gte` and `NAME.lte`.
fn times(call: &Call, name: &str) -> Result<Option<RangeInclusive<i64>>, ApiError> {
    let read = |end: &str| {
        let parameter = format!("{name}.{end}");
        let expected = || ApiError::bad_request(format!("query.{parameter}: an ISO 8601 time is expected"));
        call.value(&parameter).map(|value| bound(value, end == "lte").ok_or_else(expected)).transpose()
    };
    let (from, to) = (read("gte")?, read("lte")?);
    // The next whole microsecond after the bound lies beyond it.
    let to = to.map(|to| microseconds(to).saturating_sub(i64::from(!to.timestamp_subsec_nanos().is_multiple_of(1000))));
    let some = from.is_some() || to.is_some();
    Ok(some.then(|| from.map_or(i64::MIN, microseconds)..=to.unwrap_or(i64::MAX)))
}

/// `NAME`, `NAME.gte` and `NAME.lte`; what is no number of the API fits no row.
fn amounts(call: &Call, name: &str) -> Option<RangeInclusive<i64>> {
    let read = |end: &str, none: i64, wrong: i64| {
        call.value(&format!("{name}{end}")).map_or(none, |wanted| wanted.parse().unwrap_or(wrong))
    };
    let given = ["", ".gte", ".lte"].iter().any(|end| call.value(&format!("{name}{end}")).is_some());
    let from = read("", i64::MIN, i64::MAX).max(read(".gte", i64::MIN, i64::MAX));
    let to = read("", i64::MAX, i64::MIN).min(read(".lte", i64::MAX, i64::MIN));
    given.then_some(from..=to)
}

/// A time, or a bare date for its first or its last moment in UTC.
fn bound(written: &str, last: bool) -> Option<DateTime<Utc>> {
    read(written).or_else(|| {
        let day = NaiveDate::parse_from_str(written, "%Y-%m-%d").ok()?;
        let start = day.and_time(NaiveTime::MIN).and_utc();
        if last { start.checked_add_signed(TimeDelta::days(1) - TimeDelta::nanoseconds(1)) } else { Some(start) }
    })
}
