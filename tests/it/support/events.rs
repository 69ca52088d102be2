//! What is traced, as a test sees it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The events of one level, each as its fields.
#[derive(Clone)]
pub(crate) struct Events(tracing::Level, Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Events {
    pub(crate) fn of(level: tracing::Level) -> Self {
        Self(level, Arc::default())
    }

    /// What came since it was last asked.
    pub(crate) fn take(&self) -> Vec<BTreeMap<String, String>> {
        std::mem::take(&mut self.1.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("dintero") && *event.metadata().level() == self.0 {
            let mut fields = BTreeMap::new();
            event.record(&mut Fields(&mut fields));
            self.1.lock().unwrap().push(fields);
        }
    }
}

/// The fields of a span or an event.
pub(crate) struct Fields<'a>(pub(crate) &'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

/// Whether a span or event is wanted is asked once for all threads, and asked by a test beside this one, it may not be.
/// So what a test looks at is called once, and then all is asked again.
pub(crate) async fn asked_again<T>(call: impl Future<Output = T>) {
    call.await;
    ask_again();
}

/// The second half of [`asked_again`], where the first has run elsewhere.
pub(crate) fn ask_again() {
    tracing::callsite::rebuild_interest_cache();
}
