//! Callbacks in servers other than axum, for which `dintero` has an extractor: a few lines each, to be copied.

pub mod actix;
pub mod hyper;
pub mod lambda;

use dintero::callback::{Inbox, Verifier};

/// What the handler of callbacks needs, in any server.
#[derive(Clone, Debug)]
pub struct Callbacks {
    pub verifier: Verifier,
    pub inbox: Inbox,
}
