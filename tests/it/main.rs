//! The tests of the crate as its users see it, in one binary: each linked program costs more than its tests.
//!
//! `secrets` stays apart, because it sets the logger of its process, and `faults`, because of its thousands of calls.

mod callback;
mod checkout_example;
mod client;
mod interface;
mod lenient;
mod printed;
mod store;
mod support;
mod testing;
mod types;
