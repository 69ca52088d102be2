//! The stores, the example server and the protocol that they keep, in one binary: what waits and what computes run at the
//! same time.

mod callback_server;
mod conformance;
mod model;
mod support;
mod tokens;
