#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
//! # How it works
//!
//! [`Sandbox::start`] serves on a free loopback port: the token call and all fifteen operations. The customer's side is
//! played through the handle: [`Sandbox::customer_pays`]. Every request is held against the published
//! interface, never against the types of a client, so that a mistake in a client's types cannot agree
//! with itself.
//!
//! What the documents leave open is decided here as strictly as they allow, and said at the
//! method or option concerned. The sandbox keeps no money, checks no cards, and makes no claim
//! to behave like the service where the documents are silent.
//!
//! Tests can ask for faults ([`Sandbox::inject`]), change responses ([`Sandbox::patch_response`]),
//! and count what arrived and what was done ([`Sandbox::received`], [`Sandbox::executed`]).
//!
//! Inside, three layers know only those below them: `wire` (sockets and HTTP) -> `rules` (what a request may do) ->
//! `state` (what is remembered). The handle stands above all three.

mod handle;
mod json;
mod operation;
mod rules;
mod state;
mod wire;

pub use handle::{ResetError, Sandbox, SandboxBuilder, StartError};
pub use operation::Operation;
pub use rules::customer::{CustomerError, CustomerPayment};
pub use state::delivery::DeliveredCallback;
pub use state::fault::Fault;
pub use state::log::{Execution, ReceivedRequest, UnknownField};
