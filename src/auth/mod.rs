//! Credentials and the access token they buy.
//!
//! The token call, its cache and the ways to share a token live here. Putting the token on a request, and
//! what is done when the service refuses it, belong to the transport.

mod cache;
mod credentials;
mod fetch;
mod store;
mod token;

pub(crate) use cache::TokenCache;
pub use credentials::Credentials;
pub(crate) use credentials::checked_url;
pub(crate) use fetch::Source;
