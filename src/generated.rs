//! What `build.rs` makes of `spec/dintero.json`. Nothing here is written by hand; [`crate::types`] makes the types
//! public, the client layer calls the rest.

// The generator's style is not ours to lint.
#![allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_debug_implementations,
    mismatched_lifetime_syntaxes
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
