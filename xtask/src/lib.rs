//! Maintenance of the `dintero` crate: from an upstream interface document to the one that `build.rs` reads.

pub mod guards;
pub mod overlay;
pub mod passes;
pub mod regen;
pub mod schema;
pub mod signature_oracle;
pub mod slice;
pub mod source;
