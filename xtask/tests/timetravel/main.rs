//! Time travel: that the responses are what they claim to be, and that what a client loses of them is seen.

mod comparison;
mod edits;
mod instances;

/// The clients are built outside this workspace; the comparison is taken in here as they take it in.
#[path = "../../src/timetravel/reader/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../src/timetravel/reader/compare.rs"]
#[allow(dead_code)]
mod compare;
mod model {
    pub(crate) use xtask::bindings::model::{Field, Kind, Presence, Shape, Surface};
}
