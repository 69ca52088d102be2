//! The recorded revisions of the interface, by date.

use serde_json::Value;
use xtask::regen::Spec;

/// Reads a recorded slice.
pub(crate) fn revision(date: &str) -> Value {
    let path = Spec::here().history().join(format!("{date}.json"));
    serde_json::from_slice(&std::fs::read(path).expect("the slice is in the repository")).expect("the slice is JSON")
}
