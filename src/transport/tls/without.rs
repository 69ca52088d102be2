//! No TLS: plain connections to this machine only.

use super::{Roots, Versions};
use crate::error::{Error, Result};

/// No TLS: never made.
type Https<C> = C;

/// TLS as it is set up for one client: not at all.
#[derive(Clone)]
pub(crate) struct Tls;

impl Tls {
    pub(crate) fn new(_: &Roots, _: Versions) -> Result<Self> {
        Err(Error::configuration(
            "https needs TLS, and the crate was built without: enable its feature `rustls`, `aws-lc-rs` or `native-tls`",
        ))
    }

    /// For plain connections only.
    pub(crate) fn none() -> Self {
        Self
    }

    pub(crate) fn around<C>(&self, _: C) -> Option<Https<C>> {
        None
    }
}
