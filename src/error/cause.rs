//! The cause of a connection that was not made.

use std::error::Error as StdError;
use std::io;

/// A failure of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "__rustls"), allow(dead_code))]
pub(super) enum Tls {
    /// The certificate of the other side is not trusted.
    Certificate,
    Other,
}

/// An error and what caused it, I/O errors opened.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |current| next(*current))
}

fn next<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // As its source, an I/O error gives not the error that it was made from, but the source of that.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The failure of TLS in a chain of causes.
pub(super) fn tls(error: &(dyn StdError + 'static)) -> Option<Tls> {
    chain(error).find_map(|cause| {
        #[cfg(feature = "__rustls")]
        if let Some(found) = cause.downcast_ref() {
            let is_certificate = matches!(found, rustls::Error::InvalidCertificate(_));
            return Some(if is_certificate { Tls::Certificate } else { Tls::Other });
        }
        // The platform's library does not tell a certificate from the rest.
        #[cfg(feature = "native-tls")]
        if cause.is::<native_tls::Error>() {
            return Some(Tls::Other);
        }
        let _ = cause;
        None
    })
}

/// Whether time ran out, by a limit of ours or of the system.
pub(super) fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    chain(error)
        .any(|cause| cause.downcast_ref().is_some_and(|cause: &io::Error| cause.kind() == io::ErrorKind::TimedOut))
}

#[cfg(all(test, feature = "__rustls"))]
mod tests {
    use rustls::{CertificateError, Error};

    use super::*;

    #[test]
    fn a_failure_of_tls_is_found_however_often_it_is_wrapped() {
        let made = || Error::HandshakeNotComplete;
        let once = io::Error::other(made());
        let twice = io::Error::other(io::Error::other(Error::InvalidCertificate(CertificateError::Expired)));
        let certificate = crate::Error::configuration("").with_source(twice);
        assert_eq!(tls(&made()), Some(Tls::Other));
        assert_eq!(tls(&once), Some(Tls::Other));
        assert_eq!(tls(&certificate), Some(Tls::Certificate));
        assert_eq!(tls(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        assert_eq!(tls(&io::Error::other(io::Error::other("refused"))), None);
    }

    #[test]
    fn a_timeout_is_found_behind_what_wraps_it() {
        let timed_out = || io::Error::from(io::ErrorKind::TimedOut);
        assert!(is_timeout(&timed_out()));
        assert!(is_timeout(&crate::Error::configuration("").with_source(io::Error::other(timed_out()))));
        assert!(!is_timeout(&io::Error::from(io::ErrorKind::ConnectionReset)));
    }
}
