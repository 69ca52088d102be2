//! Snapshots of the document that the bindings are generated from: operations, and a line for every field and value.
//! Review them with `cargo insta review`.
//!
//! They are here and not beside those of the Rust API, so that they show what a revision changes even where the
//! handwritten client does not yet compile with it: `cargo test --package xtask --test interface`.

use serde_json::Value;
use xtask::snapshots;

#[test]
fn operations_and_schemas() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/dintero.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    // All that moved in one run.
    insta::allow_duplicates! {
        for (name, text) in snapshots::all(&document) {
            insta::assert_snapshot!(name, text);
        }
    }
}
