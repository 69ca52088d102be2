//! Callbacks, webhooks and express requests.

mod damaged;
mod dedupe;
mod express;
mod extractor;
mod fetch;
mod server;
mod support;
mod typed;
mod vectors;
mod verify;
