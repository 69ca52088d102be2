//! How far a call that writes got: whether there is a connection that a byte of it could have left on.
//!
//! When the time of a call is up, this tells "not sent" from "unknown".

use std::sync::atomic::{AtomicBool, Ordering};

/// The mark of the attempt under way.
#[derive(Debug, Default)]
pub(crate) struct Reach(AtomicBool);

impl Reach {
    /// A connection was begun.
    pub(super) fn connecting(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// It has come about, or something else may now happen.
    pub(super) fn connected(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Whether a connection was begun and not made yet: TCP, proxy and TLS included.
    pub(crate) fn is_connecting(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
