//! What is traced of a call: its span with what it records, and a warning for what reading skipped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::{Events, Fields, Reply, Server, asked_again};
use dintero::TransactionId;
use dintero::types::{CaptureRequest, RefundRequest};
use dintero_sandbox::{Fault, Operation};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>);

impl<S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().target() == "dintero" {
            let mut spans = self.0.lock().unwrap();
            let fields = spans.entry(attributes.metadata().name().to_owned()).or_default();
            attributes.record(&mut Fields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.metadata().target() == "dintero") else { return };
        let mut spans = self.0.lock().unwrap();
        values.record(&mut Fields(spans.entry(span.name().to_owned()).or_default()));
    }
}

#[tokio::test]
async fn a_call_has_a_span_of_its_name_with_its_numbers() {
    let spans = Spans::default();
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let server = Server::start(|seen| match seen.is_token() {
        true => Reply::token("t0", 14_400),
        false => Reply::Full(403, vec![("request-id", "req-17".into())], Vec::new()),
    })
    .await;
    let client = server.builder().build().unwrap();
    let id = TransactionId::new("T12345678.abc").unwrap();
    let calls = async || {
        client.transactions().void(&id).await.unwrap_err();
        client.transactions().get(&id).await.unwrap_err();
    };
    asked_again(calls()).await;
    spans.0.lock().unwrap().clear();
    calls().await;
    let spans = spans.0.lock().unwrap();
    assert_eq!(spans["void_transaction"]["kind"].trim_matches('"'), "transactions.void");
    // A refusal without a word may be a gateway's, after the service acted.
    for (name, outcome) in [("void_transaction", "outcome unknown"), ("get_transaction", "read only")] {
        let fields = &spans[name];
        let shown = |field: &str| fields[field].trim_matches('"').to_owned();
        assert_eq!(shown("account"), "T12345678");
        assert_eq!(
            (shown("attempt"), shown("status"), shown("request_id")),
            ("1".into(), "403".into(), "req-17".into())
        );
        assert!(shown("milliseconds").parse::<u64>().is_ok());
        assert_eq!(
            (shown("transaction_id"), shown("outcome"), shown("error")),
            (id.to_string(), outcome.into(), "Api".into())
        );
        assert_eq!(fields.len(), 9, "nothing else is recorded: {fields:?}");
    }
}

/// Proves that whoever looks for a transaction in the logs finds what was done to it, and what became of it.
#[tokio::test]
async fn the_span_of_a_money_call_says_what_became_of_it() {
    let spans = Spans::default();
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let sandbox = dintero_sandbox::Sandbox::start().await.unwrap();
    let client = super::outcome::client(&sandbox);
    let transaction = async || {
        let request = serde_json::from_value(serde_json::json!({
            "profile_id": "default", "url": { "return_url": "https://shop.example/thanks" },
            "order": { "amount": 100, "currency": "NOK", "merchant_reference": "order-1" },
        }));
        let created = client.sessions().create_from_profile(request.unwrap()).await.unwrap();
        let id: TransactionId = sandbox.customer_pays(&created.id).unwrap().parse().unwrap();
        client.transactions().capture(&id, CaptureRequest::new(40)).await.unwrap();
        sandbox.inject(Operation::RefundTransaction, Fault::accepted());
        client.transactions().refund(&id, RefundRequest::new(10)).await.unwrap();
        let paid = client.sessions().pay(super::outcome::pay_request("order-2")).await.unwrap();
        let paid = paid.transaction().unwrap().id.clone().unwrap();
        let cancelled = client.sessions().cancel(&created.id).await;
        (id, paid, created.id.clone(), cancelled.is_ok())
    };
    asked_again(transaction()).await;
    spans.0.lock().unwrap().clear();
    let (id, paid, session, is_cancelled) = transaction().await;
    let spans = spans.0.lock().unwrap();
    let shown = |span: &str, field: &str| spans[span].get(field).map(|text| text.trim_matches('"').to_owned());
    assert_eq!(shown("capture_transaction", "transaction_id"), Some(id.to_string()));
    assert_eq!(shown("capture_transaction", "outcome").as_deref(), Some("completed"));
    assert_eq!(shown("capture_transaction", "kind").as_deref(), Some("transactions.capture"));
    assert_eq!(shown("capture_transaction", "error"), None);
    assert_eq!(shown("refund_transaction", "outcome").as_deref(), Some("under way"));
    assert_eq!(shown("pay_session", "transaction_id"), Some(paid.to_string()), "of the response");
    assert_eq!(shown("cancel_session", "session_id"), Some(session.to_string()));
    assert_eq!(shown("cancel_session", "error").is_none(), is_cancelled);
    assert_eq!(shown("create_session_from_profile", "outcome").as_deref(), Some("completed"));
}

/// Proves that an unknown outcome is one warning, and that nothing else is one.
#[tokio::test]
async fn an_unknown_outcome_is_one_warning() {
    let events = Events::of(tracing::Level::WARN);
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(events.clone()));
    let server = Server::start(|seen| match (seen.is_token(), seen.target.ends_with("/capture")) {
        (true, _) => Reply::token("t0", 14_400),
        (false, true) => Reply::error(500),
        (false, false) => Reply::error(403),
    })
    .await;
    let client = server.builder().build().unwrap();
    let id = TransactionId::new("T12345678.abc").unwrap();
    let calls = async || {
        client.transactions().capture(&id, CaptureRequest::new(1)).await.unwrap_err();
        client.transactions().void(&id).await.unwrap_err();
        client.transactions().get(&id).await.unwrap_err();
    };
    asked_again(calls()).await;
    events.take();
    calls().await;
    let warnings = events.take();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0]["operation"].contains("capture_transaction"), "{warnings:?}");
    assert!(warnings[0]["message"].contains("the outcome of a call is unknown"), "{warnings:?}");
    assert!(warnings[0]["error"].contains("status 500"), "{warnings:?}");
}

#[tokio::test]
async fn a_field_that_was_skipped_is_a_warning_with_its_path_and_not_its_value() {
    let events = Events::of(tracing::Level::WARN);
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(events.clone()));
    let server = Server::start(|seen| match seen.is_token() {
        true => Reply::token("t0", 14_400),
        false => Reply::Json(
            200,
            serde_json::json!({
                "id": "T12345678.abc", "amount": 1, "currency": "NOK", "events": [{"amount": "jane@example.com"}],
            }),
        ),
    })
    .await;
    let client = server.builder().build().unwrap();
    let id = TransactionId::new("T12345678.abc").unwrap();
    asked_again(client.transactions().get(&id).into_future()).await;
    events.take();
    let read = client.transactions().get(&id).await.unwrap();
    assert_eq!(read.skipped_fields().len(), 1);
    let warnings = events.take();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0]["path"].contains("$.events[0].amount"), "{warnings:?}");
    assert!(warnings[0]["operation"].contains("get_transaction"), "{warnings:?}");
    assert!(!format!("{warnings:?}").contains("jane"), "{warnings:?}");
}
