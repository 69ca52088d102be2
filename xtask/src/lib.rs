//! Maintenance of the `dintero` crate: from an upstream interface document to the one that `build.rs` reads.

// A reader of the output may have had enough: `output::print`.
#![warn(clippy::print_stdout)]

// What measures and checks the generated code has to run the same functions as the build.
pub mod bench;
#[allow(missing_docs, reason = "the modules of the build script document what they need")]
#[path = "../../build/mod.rs"]
pub mod bindings;
pub mod cargo;
pub mod drift;
pub mod generated;
pub mod guards;
pub mod instances;
pub mod model;
pub mod moved;
pub mod output;
pub mod overlay;
pub mod passes;
pub mod problems;
pub mod regen;
pub mod revision;
pub mod sandbox;
pub mod schema;
pub mod semver;
pub mod signature_oracle;
pub mod slice;
pub mod snapshots;
pub mod source;
pub mod stats;
pub mod stores;
pub mod timetravel;
pub mod version;
