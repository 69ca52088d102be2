//! Callbacks, webhooks and express requests.

mod damaged;
mod express;
mod extractor;
mod fetch;
mod proxy;
pub(crate) mod support;
mod typed;
mod vectors;
mod verify;
