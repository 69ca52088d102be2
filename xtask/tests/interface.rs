//! Snapshots of the interface, each in a test of its own, so that one run shows all that moved: the service's operations
//! and their security, the document that the bindings are generated from, and the Rust API. Review them with
//! `cargo insta review`.
//!
//! None needs a client that compiles: `cargo test --package xtask --test interface`.

use std::path::Path;

use serde_json::Value;
use xtask::bindings;
use xtask::regen::Spec;
use xtask::snapshots;

fn document() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/dintero.json")).unwrap()
}

fn written(name: &str) -> String {
    let document: Value = serde_json::from_str(&document()).unwrap();
    let all = snapshots::all(&document, &Spec::here().slice().unwrap()).unwrap();
    all.into_iter().find(|(known, _)| *known == name).unwrap().1
}

/// What is outside of every body: servers, security, methods, media types, statuses, headers.
#[test]
fn service() {
    insta::assert_snapshot!("service", written("service"));
}

/// The operations as the client makes them, with what a request is checked for.
#[test]
fn operations() {
    insta::assert_snapshot!("operations", written("operations"));
}

/// A line for every field and value.
#[test]
fn schemas() {
    insta::assert_snapshot!("schemas", written("schemas"));
}

/// A line for each type, field, value, method and parameter that users see.
#[test]
fn rust_api() {
    let surface = bindings::generate(&document(), false).unwrap().surface;
    insta::assert_snapshot!("rust_api", snapshots::rust_api(&surface));
}
