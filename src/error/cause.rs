//! What stands behind a connection that did not come about.

use std::error::Error as StdError;
use std::io;

/// The failure of TLS in a chain of causes.
pub(super) fn tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        // As its source, an I/O error gives not the error that it was made from, but the source of that.
        next = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_tls_is_found_however_often_it_is_wrapped() {
        let made = || rustls::Error::HandshakeNotComplete;
        let once = io::Error::other(made());
        let twice = io::Error::other(io::Error::other(made()));
        let certificate = crate::Error::configuration("").with_source(twice);
        assert_eq!(tls(&made()), Some(&made()));
        assert_eq!(tls(&once), Some(&made()));
        assert_eq!(tls(&certificate), Some(&made()));
        assert_eq!(tls(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        assert_eq!(tls(&io::Error::other(io::Error::other("refused"))), None);
    }
}
