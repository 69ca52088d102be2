//! What `build.rs` makes of `spec/dintero.json`. Nothing here is written by hand; [`crate::types`] makes the types
//! public, the client layer calls the rest.

// The generator's style is not ours to lint.
#![allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unused_imports,
    unreachable_code,
    unreachable_pub,
    missing_debug_implementations,
    mismatched_lifetime_syntaxes
)]

// The generated client sends nothing by itself: under the names of what it would send with, it gets what makes requests.
mod reqwest {
    pub use crate::transport::maker::{Client, ClientBuilder};
}

mod progenitor_client {
    pub use progenitor_runtime::{ByteStream, OperationInfo, QueryParam, RequestBuilderExt, encode_path};

    pub use crate::transport::maker::{ClientHooks, ClientInfo, Error, ResponseValue};
}

include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// The structs.
pub mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// How the structs are made.
pub mod construct {
    use std::collections::BTreeMap;

    use chrono::{DateTime, NaiveDate, Utc};
    use serde_json::Map;

    use crate::types::*;

    include!(concat!(env!("OUT_DIR"), "/construct.rs"));
    include!(concat!(env!("OUT_DIR"), "/builders.rs"));
}

/// How the structs are read.
mod reading {
    use crate::types::*;

    include!(concat!(env!("OUT_DIR"), "/reading.rs"));
}

/// What is printed of the structs.
mod debug {
    use crate::types::*;

    include!(concat!(env!("OUT_DIR"), "/debug.rs"));
}

/// Enums, open to values that are not known yet.
pub mod enums {
    include!(concat!(env!("OUT_DIR"), "/enums.rs"));
}

/// Choices between objects, open to objects that are not known yet.
pub mod choices {
    include!(concat!(env!("OUT_DIR"), "/choices.rs"));
}

/// The operations.
pub mod operations {
    include!(concat!(env!("OUT_DIR"), "/operations.rs"));
}
