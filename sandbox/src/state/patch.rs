//! Changes that a test makes to responses on their way out: fields taken away, types changed,
//! values that no document knows.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::json::merge;
use crate::operation::Operation;

type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Patches(Vec<(Operation, Change)>);

impl fmt::Debug for Patches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patches").field(&self.0.len()).finish()
    }
}

impl Patches {
    pub(crate) fn add(&mut self, operation: Operation, change: Change) {
        self.0.push((operation, change));
    }

    /// Merges JSON (RFC 7396) into the body.
    pub(crate) fn merge(&mut self, operation: Operation, patch: Value) {
        self.add(operation, Arc::new(move |body| merge(body, &patch)));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The changes for the responses of a call, to be applied outside the lock.
    pub(crate) fn of(&self, operation: Operation) -> Vec<Change> {
        self.0.iter().filter(|(patched, _)| *patched == operation).map(|(_, change)| Arc::clone(change)).collect()
    }
}
