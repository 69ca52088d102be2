//! How a request of the generated client gets to the service and its answer back.
//!
//! Credentials are added here and to the configured host only. What an answer means for the caller is decided
//! by the client layer above; how a token is had, by `auth`.

pub(crate) mod body;
pub(crate) mod connect;
mod hooks;
mod reach;
mod run;
mod scope;

pub(crate) use body::Answer;
pub(crate) use scope::CallScope;
