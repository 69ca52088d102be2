//! What is traced of a call: its span with what it records, and a warning for what reading skipped.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use crate::support::{Reply, Server};
use dintero::TransactionId;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>);

/// The warnings, each as its fields.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "dintero" && *event.metadata().level() == tracing::Level::WARN {
            let mut fields = BTreeMap::new();
            event.record(&mut Fields(&mut fields));
            self.0.lock().unwrap().push(fields);
        }
    }
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

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

/// Whether a span or event is wanted is asked once for all threads, and asked by a test beside this one, it may not be.
/// So what a test looks at is called once, and then all is asked again.
async fn asked_again<T>(call: impl Future<Output = T>) {
    call.await;
    tracing::callsite::rebuild_interest_cache();
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
    for name in ["void_transaction", "get_transaction"] {
        let fields = &spans[name];
        let shown = |field: &str| fields[field].trim_matches('"').to_owned();
        assert_eq!(shown("account"), "T12345678");
        assert_eq!(
            (shown("attempt"), shown("status"), shown("request_id")),
            ("1".into(), "403".into(), "req-17".into())
        );
        assert!(shown("milliseconds").parse::<u64>().is_ok());
        assert_eq!(fields.len(), 5, "nothing else is recorded: {fields:?}");
    }
}

#[tokio::test]
async fn a_field_that_was_skipped_is_a_warning_with_its_path_and_not_its_value() {
    let warnings = Warnings::default();
    let _on = tracing::subscriber::set_default(tracing_subscriber::registry().with(warnings.clone()));
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
    warnings.0.lock().unwrap().clear();
    let read = client.transactions().get(&id).await.unwrap();
    assert_eq!(read.skipped_fields().len(), 1);
    let warnings = warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0]["path"].contains("$.events[0].amount"), "{warnings:?}");
    assert!(warnings[0]["operation"].contains("get_transaction"), "{warnings:?}");
    assert!(!format!("{warnings:?}").contains("jane"), "{warnings:?}");
}
