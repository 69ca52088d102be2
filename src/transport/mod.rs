//! How a request of the generated client gets to the service and its response back.
//!
//! Credentials are added here and to the configured host only. What a response means for the caller is decided
//! by the client layer above; how a token is fetched, by `auth`.

mod connect;
pub(crate) mod maker;
mod reach;
mod run;
mod scope;
mod service;
mod spare;
pub(crate) mod tls;
pub(crate) mod wire;

pub(crate) use connect::BoxError;
pub(crate) use scope::CallScope;
pub(crate) use service::Service;
pub(crate) use wire::SendError;
