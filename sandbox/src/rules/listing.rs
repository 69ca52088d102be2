//! The two lists: filters, the cursor, pages from the newest row on.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

use super::call::Call;
use super::reply::{ApiError, Reply};
use crate::json::{text, whole};
use crate::state::State;
use crate::state::session::Session;
use crate::state::transaction::Transaction;

/// Rows of a page when the request does not say.
const LIMIT: usize = 10;

/// `GET /transactions`.
pub(crate) fn transactions(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let times = [Range::of(call, "created_at")?, Range::of(call, "captured_at")?, Range::of(call, "refunded_at")?];
    let page = state
        .transactions
        .page(call.value("starting_after"), limit(call), |transaction| keep_transaction(call, transaction, &times))
        .map_err(|_| unknown_cursor())?;
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
pub(crate) fn sessions(state: &State, call: &Call) -> Result<Reply, ApiError> {
    let created = Range::of(call, "created_at")?;
    let page = state
        .sessions
        .page(call.value("starting_after"), limit(call), |session| keep_session(call, session, &created))
        .map_err(|_| unknown_cursor())?;
    let rows = page.iter().map(|session| session.view(false, false));
    Ok(Reply::ok(rows.collect()))
}

fn limit(call: &Call) -> usize {
    call.value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT)
}

fn unknown_cursor() -> ApiError {
    ApiError::bad_request("query.starting_after: there is no such row")
}

/// `NAME.gte` and `NAME.lte`.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl Range {
    fn of(call: &Call, name: &str) -> Result<Self, ApiError> {
        let read = |end: &str| {
            let parameter = format!("{name}.{end}");
            call.value(&parameter)
                .map(|value| {
                    bound(value, end == "lte").ok_or_else(|| {
                        ApiError::bad_request(format!("query.{parameter}: an ISO 8601 time is expected"))
                    })
                })
                .transpose()
        };
        Ok(Self { from: read("gte")?, to: read("lte")? })
    }

    const fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    fn holds(&self, written: &str) -> bool {
        time(written)
            .is_some_and(|time| self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to))
    }

    fn holds_any<'t>(&self, mut times: impl Iterator<Item = &'t str>) -> bool {
        self.is_open() || times.any(|time| self.holds(time))
    }
}

/// A time with its zone or, without one, in UTC.
fn time(written: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(written).ok().map(|time| time.with_timezone(&Utc));
    zoned.or_else(|| Some(NaiveDateTime::parse_from_str(written, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc()))
}

/// A time, or a bare date for its first or its last moment in UTC.
fn bound(written: &str, last: bool) -> Option<DateTime<Utc>> {
    time(written).or_else(|| {
        let day = NaiveDate::parse_from_str(written, "%Y-%m-%d").ok()?;
        let start = day.and_time(NaiveTime::MIN).and_utc();
        if last { start.checked_add_signed(TimeDelta::days(1) - TimeDelta::nanoseconds(1)) } else { Some(start) }
    })
}

/// True when the parameter is absent or one of its values is among those of the row.
fn among<'v>(call: &Call, parameter: &str, has: impl IntoIterator<Item = Option<&'v str>>) -> bool {
    let wanted = call.values(parameter);
    wanted.is_empty() || has.into_iter().flatten().any(|value| wanted.iter().any(|wanted| wanted == value))
}

fn keep_transaction(call: &Call, row: &Transaction, times: &[Range; 3]) -> bool {
    let field = |name: &str| row.body.get(name).and_then(Value::as_str);
    let inner = |name: &str, pointer: &str| row.body.get(name).and_then(|value| text(value, pointer));
    let [created, captured, refunded] = times;
    let amount = row.body.get("amount").and_then(|amount| whole(amount, ""));
    let amount_fits = |parameter: &str, fits: fn(&i64, &i64) -> bool| {
        call.value(parameter).is_none_or(|wanted| {
            wanted.parse::<i64>().is_ok_and(|wanted| amount.is_some_and(|amount| fits(&amount, &wanted)))
        })
    };
    among(call, "id", [Some(row.id.as_str())])
        && among(call, "status", [Some(row.ledger.status.as_str())])
        && among(call, "session_id", [row.session_id.as_deref()])
        && among(call, "payment_product", [field("payment_product")])
        && among(call, "payment_product_type", [field("payment_product_type")])
        && among(call, "card_brand", [inner("card", "/brand")])
        && among(call, "merchant_reference", [field("merchant_reference")])
        && among(call, "merchant_reference_2", [field("merchant_reference_2")])
        && among(call, "store_id", [inner("store", "/id")])
        && among(call, "currency", [field("currency")])
        && among(call, "payment_operation", [field("payment_operation")])
        && among(call, "customer_id", [inner("customer", "/customer_id")])
        && among(call, "payout_destination_id", [field("payout_destination_id")])
        && among(call, "payout_correlation_id", [inner("metadata", "/payout_correlation_id")])
        && among(call, "token_id", [inner("card", "/payment_token_id"), inner("card", "/recurrence_token_id")])
        && amount_fits("amount", i64::eq)
        && amount_fits("amount.gte", i64::ge)
        && amount_fits("amount.lte", i64::le)
        && created.holds_any(field("created_at").into_iter())
        && captured.holds_any(row.times("CAPTURE"))
        && refunded.holds_any(row.times("REFUND"))
        && search(
            call,
            &[
                Some(row.id.as_str()),
                row.session_id.as_deref(),
                field("merchant_reference"),
                field("merchant_reference_2"),
                inner("customer", "/email"),
                inner("customer", "/phone_number"),
                inner("shipping_address", "/first_name"),
                inner("shipping_address", "/last_name"),
                inner("billing_address", "/first_name"),
                inner("billing_address", "/last_name"),
            ],
        )
}

fn keep_session(call: &Call, row: &Session, created: &Range) -> bool {
    let order = row.order();
    among(call, "id", [Some(row.id.as_str())])
        && among(call, "transaction_id", [row.transaction_id.as_deref()])
        && among(call, "store_id", [text(order, "/store/id")])
        && created.holds_any(row.field("/created_at").and_then(Value::as_str).into_iter())
        && search(
            call,
            &[
                Some(row.id.as_str()),
                row.transaction_id.as_deref(),
                text(order, "/merchant_reference"),
                text(order, "/merchant_reference_2"),
                row.field("/customer/email").and_then(Value::as_str),
                row.field("/customer/phone_number").and_then(Value::as_str),
            ],
        )
}

/// The words looked for, in any case, as a part of one of the fields.
fn search(call: &Call, fields: &[Option<&str>]) -> bool {
    call.value("search").is_none_or(|wanted| {
        let wanted = wanted.to_lowercase();
        fields.iter().flatten().any(|field| field.to_lowercase().contains(&wanted))
    })
}
