//! The tests of the crate as its users see it, in one binary: each linked program costs more than its tests.
//!
//! `secrets` stays apart, because it sets the logger of its process.

mod callback;
mod checkout_example;
mod client;
mod faults;
mod interface;
mod lenient;
mod store;
mod support;
mod types;
