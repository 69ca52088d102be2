//! What a record means, and which change follows from what is found: pure functions, without clock and store.
//!
//! The model of the protocol calls these same functions, so what it proves is proven of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Record;

/// What the data of a record holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Which claim wrote it: a holder tells its own record by it, also when the store could not say that it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What is needed to do the work without whoever asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Value>,
    /// What the last holder noted before it did what cannot be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Value>,
    /// What the work came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

impl Content {
    /// Reads the data of a record. What cannot be read is empty: no record may stop the work for good.
    #[must_use]
    pub fn read(data: &str) -> Self {
        serde_json::from_str(data).unwrap_or_default()
    }

    /// Writes the data of a record.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What follows from what a claim finds.
#[derive(Clone, Debug, PartialEq)]
pub enum OnClaim {
    /// Nobody has it: open a record with this content, expecting this fence.
    Open(Option<u64>, Content),
    /// Another holds it.
    InProgress,
    /// It is done, with this result.
    Done(Option<Value>),
}

/// Decides on a claim. A record left open hands its note on, and its work where the claim brings none.
#[must_use]
pub fn on_claim(found: Option<&Record>, work: Option<&Value>) -> OnClaim {
    match found {
        None => OnClaim::Open(None, Content { work: work.cloned(), ..Content::default() }),
        Some(record) if record.done => OnClaim::Done(Content::read(&record.data).result),
        Some(record) if !record.remaining.is_zero() => OnClaim::InProgress,
        Some(record) => {
            let left = Content::read(&record.data);
            OnClaim::Open(Some(record.fence), Content { work: work.cloned().or(left.work), ..left })
        }
    }
}

/// Decides on a claim of a value that ends, such as a token: a done one is renewed once it is no longer good.
///
/// The old value stays in the record meanwhile, for a renewal that fails.
#[must_use]
pub fn on_renewal(found: Option<&Record>, is_good: impl FnOnce(&Value) -> bool) -> OnClaim {
    let Some(record) = found.filter(|record| record.done) else { return on_claim(found, None) };
    let result = Content::read(&record.data).result;
    if result.as_ref().is_some_and(is_good) {
        OnClaim::Done(result)
    } else {
        OnClaim::Open(Some(record.fence), Content { result, ..Content::default() })
    }
}

/// What follows for a holder who has done the work and finds a record that is not as it left it.
#[derive(Clone, Debug, PartialEq)]
pub enum OnComplete {
    /// Note the result over what is there, expecting this fence: the work is done, whoever else has begun it.
    Write(Option<u64>),
    /// Another noted it before, with this result.
    Done(Option<Value>),
}

/// Decides on a completion whose lease was lost.
#[must_use]
pub fn on_complete(found: Option<&Record>) -> OnComplete {
    match found {
        Some(record) if record.done => OnComplete::Done(Content::read(&record.data).result),
        Some(record) => OnComplete::Write(Some(record.fence)),
        None => OnComplete::Write(None),
    }
}
