//! TLS: which library speaks it, and how it is set up.
//!
//! The library is chosen by a feature of this crate and held by this crate alone: it changes nothing in the reqwest, or
//! in the process-wide defaults, of the program. TLS early data, which a network can replay, is off by default and
//! stays so.

/// Certificates to trust beside those of the platform, in PEM.
pub(crate) type Roots = Vec<Vec<u8>>;

/// Which versions of HTTP are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/1.1 alone.
    One,
    /// HTTP/2 before HTTP/1.1.
    Two,
}

#[cfg(any(feature = "__rustls", feature = "native-tls"))]
fn unusable(cause: impl std::fmt::Display) -> crate::error::Error {
    crate::error::Error::configuration(format!("a root certificate cannot be read as PEM: {cause}"))
}

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
mod with_native_tls;
#[cfg(feature = "__rustls")]
mod with_rustls;
#[cfg(not(any(feature = "__rustls", feature = "native-tls")))]
mod without;

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
pub(crate) use with_native_tls::Tls;
#[cfg(feature = "__rustls")]
pub(crate) use with_rustls::Tls;
#[cfg(not(any(feature = "__rustls", feature = "native-tls")))]
pub(crate) use without::Tls;
