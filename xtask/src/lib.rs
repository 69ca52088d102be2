//! Maintenance of the `dintero` crate: from an upstream interface document to the one that `build.rs` reads.

// What measures and checks the generated code has to run the same function as the build.
#[allow(dead_code, unreachable_pub, reason = "a build script is a program, with parts that only a build needs")]
#[path = "../../build.rs"]
mod build_script;

pub mod drift;
pub mod generated;
pub mod guards;
pub mod instances;
pub mod overlay;
pub mod passes;
pub mod regen;
pub mod schema;
pub mod signature_oracle;
pub mod slice;
pub mod source;
pub mod stats;
pub mod timetravel;
