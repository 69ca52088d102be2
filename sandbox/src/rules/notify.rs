//! Which callbacks an occasion causes, and what their address and body say.
//!
//! The options live in the callback address itself. Sending is not here.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::json::text;
use crate::state::State;
use crate::state::clock::written;
use crate::state::delivery::Notice;
use crate::state::session::Session;
use crate::state::transaction::{Includes, Transaction};

/// The longest that `delay_callback` can ask for, in seconds.
const LONGEST_DELAY: u64 = 60;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Occasion<'a> {
    /// A payment ended, with the error that the redirect tells where there is one.
    Payment(Option<&'a str>),
    /// An event of the kind that `report_event` asks for.
    Event(&'a str),
}

/// Puts the callback for an occasion into the outbox, when the session wants one. How a payment ended is kept.
pub(crate) fn note(state: &mut State, session_id: &str, occasion: &Occasion<'_>) {
    if let (Occasion::Payment(error), Some(session)) = (occasion, state.sessions.get_mut(session_id)) {
        session.error = error.map(str::to_owned);
    }
    let now = state.clock.now();
    let Some(session) = state.sessions.get(session_id) else {
        return;
    };
    let transaction = session.transaction_id.as_deref().and_then(|id| state.transactions.get(id));
    if let Some(notice) = notice(&session, transaction.as_deref(), occasion, now, state.ids.uuid()) {
        state.outbox.push(notice);
    }
}

fn notice(
    session: &Session,
    transaction: Option<&Transaction>,
    occasion: &Occasion<'_>,
    now: DateTime<Utc>,
    delivery: String,
) -> Option<Notice> {
    let mut url = Url::parse(session.field("/url/callback_url")?.as_str()?).ok()?;
    let options: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let is = |name: &str, wanted: &str| options.iter().any(|(given, value)| given == name && value == wanted);
    let wanted = match occasion {
        Occasion::Payment(error) => error.is_none() || is("report_error", "true"),
        Occasion::Event(event) => is("report_event", event),
    };
    if !wanted {
        return None;
    }
    let mut added = Vec::new();
    if let Some(transaction) = transaction {
        added.push(("transaction_id", transaction.id.clone()));
    }
    let session_name = if is("sid_parameter_name", "sid") { "sid" } else { "session_id" };
    added.push((session_name, session.id.clone()));
    if let Some(reference) = text(session.order(), "/merchant_reference") {
        added.push(("merchant_reference", reference.to_owned()));
    }
    added.push(("time", written(now)));
    match occasion {
        Occasion::Payment(error) => added.extend(error.map(|error| ("error", error.to_owned()))),
        Occasion::Event(event) => {
            added.push(("event", (*event).to_owned()));
            let newest = |transaction: &'_ Transaction| {
                let of_kind = |made: &&Value| text(made, "/event") == Some(*event);
                transaction.events.iter().rfind(of_kind).and_then(|made| text(made, "/id").map(str::to_owned))
            };
            let id = transaction.and_then(newest);
            added.extend(id.map(|id| ("event_id", id)));
        }
    }
    url.query_pairs_mut().extend_pairs(added);

    let post = is("method", "POST");
    let body = transaction.filter(|_| post).map(|transaction| {
        let session = is("includes", "session").then(|| session.view(false, false));
        transaction.view(&Includes::default(), session).to_string()
    });
    let delay = options.iter().find(|(name, _)| name == "delay_callback").and_then(|(_, value)| value.parse().ok());
    Some(Notice {
        delivery,
        url,
        method: if post { "POST" } else { "GET" }.into(),
        body,
        delay: delay.unwrap_or(0).min(LONGEST_DELAY),
    })
}

/// Puts a callback that has ended into the outbox again.
pub(crate) fn again(state: &mut State, delivery: &str) -> bool {
    let notice = state.delivery.sent.get(delivery).cloned();
    let found = notice.is_some();
    state.outbox.extend(notice.map(|notice| Notice { delay: 0, ..notice }));
    found
}

/// Where the customer is sent after a payment: `return_url` with what the service adds to it.
pub(crate) fn return_url(session: &Session) -> Option<Url> {
    let mut url = Url::parse(session.field("/url/return_url").and_then(Value::as_str)?).ok()?;
    let mut added = Vec::new();
    if let Some(reference) = text(session.order(), "/merchant_reference") {
        added.push(("merchant_reference", reference));
    }
    if let Some(id) = &session.transaction_id {
        added.push(("transaction_id", id));
    }
    added.extend(session.error.as_deref().map(|error| ("error", error)));
    url.query_pairs_mut().extend_pairs(added);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn session(callback_url: &str) -> Session {
        let mut body = Map::new();
        body.insert(
            "url".into(),
            json!({ "callback_url": callback_url, "return_url": "https://shop.example/back?x=1" }),
        );
        body.insert("order".into(), json!({ "merchant_reference": "r 1" }));
        Session::new("T12345678.s".into(), body)
    }

    fn made(options: &str, occasion: &Occasion<'_>) -> Option<Notice> {
        let session = session(&format!("http://127.0.0.1:1/cb?own=1{options}"));
        notice(&session, None, occasion, "2026-01-02T03:04:05Z".parse().unwrap(), "d".into())
    }

    #[test]
    fn the_address_carries_what_was_there_and_what_happened() {
        let notice = made("", &Occasion::Payment(None)).unwrap();
        assert_eq!(
            notice.url.query(),
            Some("own=1&session_id=T12345678.s&merchant_reference=r+1&time=2026-01-02T03%3A04%3A05.000Z")
        );
        assert_eq!((notice.method, notice.body, notice.delay), ("GET".to_owned(), None, 0));
    }

    #[test]
    fn errors_and_events_are_reported_on_demand_only() {
        let failed = Occasion::Payment(Some("authorization"));
        assert!(made("", &failed).is_none());
        let told = made("&report_error=true", &failed).unwrap();
        assert!(told.url.query().unwrap().ends_with("&error=authorization"));
        let capture = Occasion::Event("CAPTURE");
        assert!(made("&report_event=REFUND", &capture).is_none());
        assert!(made("&report_event=REFUND&report_event=CAPTURE", &capture).is_some());
    }

    #[test]
    fn options_choose_the_method_the_delay_and_the_name_of_the_session() {
        let notice = made("&method=POST&delay_callback=90&sid_parameter_name=sid", &Occasion::Payment(None)).unwrap();
        assert_eq!((notice.method, notice.delay), ("POST".to_owned(), 60));
        assert!(notice.url.query().unwrap().contains("&sid=T12345678.s"));
        assert!(!notice.url.query().unwrap().contains("session_id="));
    }

    #[test]
    fn the_customer_returns_with_the_reference_and_the_error() {
        let session = Session { error: Some("cancelled".into()), ..session("http://127.0.0.1/") };
        let url = return_url(&session).unwrap();
        assert_eq!(url.as_str(), "https://shop.example/back?x=1&merchant_reference=r+1&error=cancelled");
    }
}
