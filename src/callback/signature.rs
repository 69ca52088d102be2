//! The `Dintero-Signature` header: how it is made and how it is read.
//!
//! The header is `t=<unix seconds>,v0-hmac-sha256=<lower-case hex>`, where the hex is an HMAC-SHA256
//! over timestamp, account, method, host, path and query, one per line. The body, the scheme and the
//! port are not signed. Whether a signature is accepted is decided in [`verifier`](super::verifier).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

use super::canonical::{encode_pairs, sorted_pairs};
use crate::ids::AccountId;

/// The header that carries the signature of a callback.
pub const SIGNATURE_HEADER: &str = "dintero-signature";

/// The longest header that is read, all its lines together: room for some fifty signatures.
const LONGEST_HEADER: usize = 4 * 1024;

/// The one signature scheme known today.
pub(crate) const SCHEME: &str = "v0-hmac-sha256";

/// The secret that callbacks of an account are signed with.
///
/// Only the keyed state is held, not the text; it is wiped from memory when dropped and never printed.
/// It is another type than [`WebhookSecret`](super::WebhookSecret), because the two systems sign
/// different things and neither secret works for the other.
#[derive(Clone)]
pub struct SigningSecret(Hmac<Sha256>);

/// Why a text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is empty: every signature by it could be made by anyone.
    #[error("the secret is empty")]
    Empty,
    /// The text is of no use as a key.
    #[error("the secret cannot be used as a key")]
    Unusable,
}

impl SigningSecret {
    /// Takes the secret as it is shown in the account's settings; its UTF-8 bytes are the key.
    /// Nothing is trimmed.
    ///
    /// # Errors
    /// When the text is empty.
    pub fn new(secret: impl Into<SecretString>) -> Result<Self, SecretError> {
        let secret = secret.into();
        if secret.expose_secret().is_empty() {
            return Err(SecretError::Empty);
        }
        Hmac::new_from_slice(secret.expose_secret().as_bytes()).map(Self).map_err(|_| SecretError::Unusable)
    }

    /// The keyed state after `message`, ready to be compared in constant time.
    pub(crate) fn mac(&self, message: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(message.as_bytes())
    }
}

impl fmt::Debug for SigningSecret {
    // By hand so that a derive added later cannot print the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

/// Signs a callback to `url` as the service does and gives the value of the header
/// [`SIGNATURE_HEADER`], so that handlers can be tested without the service.
///
/// `timestamp` is in seconds since 1970; the verifier accepts it within its tolerance, five minutes
/// both ways unless told otherwise. Of the URL the host, the path and the query count; scheme, port,
/// credentials and fragment do not. The body is not signed.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dintero::callback::{SigningSecret, sign};
///
/// let header = sign(
///     &SigningSecret::new("123")?,
///     1_582_236_537,
///     &"P00000000".parse()?,
///     &http::Method::GET,
///     &url::Url::parse("https://example.com/callback?B=123&A=992")?,
/// );
/// assert_eq!(
///     header,
///     "t=1582236537,\
///      v0-hmac-sha256=6bed2ab1b919d460ef7465a20dc6c97260dca73fab6647106ca525f0908df64a"
/// );
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn sign(secret: &SigningSecret, timestamp: u64, account: &AccountId, method: &Method, url: &Url) -> String {
    let timestamp = timestamp.to_string();
    let query = encode_pairs(&sorted_pairs(url.query().unwrap_or_default()));
    let message = signed_text(&timestamp, account, method, url.host_str().unwrap_or_default(), url.path(), &query);
    let signature = hex::encode(secret.mac(&message).finalize().into_bytes());
    format!("t={timestamp},{SCHEME}={signature}")
}

/// The six signed parts, one per line, nothing after the last.
pub(crate) fn signed_text(
    timestamp: &str,
    account: &AccountId,
    method: &Method,
    host: &str,
    path: &str,
    query: &str,
) -> String {
    format!("{timestamp}\n{account}\n{method}\n{host}\n{path}\n{query}")
}

/// A header as read, before anything in it is believed.
#[derive(Debug)]
pub(crate) struct SignatureHeader<'a> {
    /// The timestamp as written: the signature covers the text, not the number.
    pub(crate) timestamp: &'a str,
    /// Seconds since 1970; a number too large for 64 bits is the largest one.
    pub(crate) seconds: u64,
    /// The signatures of the known scheme, at least one.
    pub(crate) signatures: Vec<[u8; 32]>,
}

/// Why a header cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Malformed(&'static str),
    UnknownScheme,
}

impl<'a> SignatureHeader<'a> {
    /// Reads the values of all headers of that name: by the rules of HTTP several lines are one list.
    ///
    /// A header that a proxy sent twice, as two lines or joined to one, is the header. Members of unknown
    /// schemes are passed over, so that a second scheme can be introduced beside the first. A damaged
    /// signature of the known scheme spoils the whole header, even beside a good one: the service sends no
    /// such header.
    pub(crate) fn read(lines: &[&'a str]) -> Result<Self, HeaderFault> {
        if lines.iter().map(|line| line.len()).sum::<usize>() > LONGEST_HEADER {
            return Err(HeaderFault::Malformed("it is longer than 4 KiB"));
        }
        let mut timestamp = None;
        let mut signatures = Vec::new();
        let mut unknown = false;
        for member in lines.iter().flat_map(|line| line.split(',')) {
            let (name, value) = member
                .trim_matches([' ', '\t'])
                .split_once('=')
                .ok_or(HeaderFault::Malformed("a member has no `=`"))?;
            match name {
                "" => return Err(HeaderFault::Malformed("a member has no name")),
                "t" if timestamp.is_some_and(|other| other != value) => {
                    return Err(HeaderFault::Malformed("there are two timestamps"));
                }
                "t" => timestamp = Some(value),
                SCHEME => {
                    let signature = decode(value);
                    let signature =
                        signature.ok_or(HeaderFault::Malformed("a signature is not 64 lower-case hex digits"))?;
                    if !signatures.contains(&signature) {
                        signatures.push(signature);
                    }
                }
                _ => unknown = true,
            }
        }
        let timestamp = timestamp.ok_or(HeaderFault::Malformed("there is no timestamp"))?;
        if timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
            return Err(HeaderFault::Malformed("the timestamp is not a number of seconds"));
        }
        if signatures.is_empty() {
            return Err(if unknown {
                HeaderFault::UnknownScheme
            } else {
                HeaderFault::Malformed("there is no signature")
            });
        }
        Ok(Self {
            timestamp,
            // Digits only, so the one way to fail is to be too large.
            seconds: timestamp.parse().unwrap_or(u64::MAX),
            signatures,
        })
    }
}

/// Lower-case hex only, as documented: one signature has one spelling.
fn decode(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SignatureHeader<'_>, HeaderFault> {
        SignatureHeader::read(&[text])
    }

    fn malformed(text: &str) -> bool {
        matches!(read(text), Err(HeaderFault::Malformed(_)))
    }

    #[test]
    fn the_keyed_state_is_wiped_when_dropped() {
        // The state of an HMAC is that of its hash, so what wipes the one wipes the other.
        fn wiped<T: hmac::digest::zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha256>();
        assert!(std::mem::needs_drop::<SigningSecret>());
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert_eq!(SigningSecret::new("").unwrap_err(), SecretError::Empty);
    }

    #[test]
    fn spaces_and_several_lines_make_one_list() {
        let a = "0".repeat(64);
        let b = "f".repeat(64);
        let one = format!("t=7 , {SCHEME}={a},\t{SCHEME}={b}");
        assert_eq!(read(&one).expect("a header").signatures.len(), 2);
        let (first, second) = (format!("t=7,{SCHEME}={a}"), format!("{SCHEME}={b}"));
        let both = SignatureHeader::read(&[&first, &second]);
        assert_eq!(both.expect("a header").signatures.len(), 2);
    }

    #[test]
    fn a_header_sent_twice_is_one() {
        let good = format!("t=7,{SCHEME}={}", "0".repeat(64));
        let lines = SignatureHeader::read(&[&good, &good]).expect("a header");
        assert_eq!((lines.timestamp, lines.signatures.len()), ("7", 1));
        let joined = read(&format!("{good}, {good}")).map(|header| header.signatures.len());
        assert_eq!(joined, Ok(1));
        let other = good.replace("t=7", "t=07");
        assert!(malformed(&format!("{good}, {other}")), "two times, although the same number");
    }

    #[test]
    fn a_header_that_is_too_long_is_not_read() {
        let signature = |n: usize| format!(",{SCHEME}={n:064x}");
        let many = |n| format!("t=1{}", (0..n).map(signature).collect::<String>());
        assert!(read(&many(50)).is_ok());
        assert_eq!(read(&many(52)).unwrap_err(), HeaderFault::Malformed("it is longer than 4 KiB"));
        let padded = |length: usize| format!("{},x={}", many(1), "0".repeat(length - many(1).len() - 3));
        assert!(read(&padded(LONGEST_HEADER)).is_ok());
        assert!(read(&padded(LONGEST_HEADER + 1)).is_err());
        let half = many(26);
        assert!(SignatureHeader::read(&[&half, &half]).is_err(), "all lines count");
    }

    #[test]
    fn what_is_damaged_is_malformed() {
        let good = "0".repeat(64);
        for text in [
            "",
            " ",
            "t",
            "t=1",
            ",",
            &format!("{SCHEME}={good}"),
            &format!("t=,{SCHEME}={good}"),
            &format!("t=-1,{SCHEME}={good}"),
            &format!("t=+1,{SCHEME}={good}"),
            &format!("t=1.0,{SCHEME}={good}"),
            &format!("t=0x1,{SCHEME}={good}"),
            &format!("t=\u{661},{SCHEME}={good}"),
            &format!("t=1,t=2,{SCHEME}={good}"),
            &format!("t=1,,{SCHEME}={good}"),
            &format!("t=1,{SCHEME}={good},"),
            &format!("t=1,={good},{SCHEME}={good}"),
            &format!("t=1,{SCHEME}="),
            &format!("t=1,{SCHEME}={}", "A".repeat(64)),
            &format!("t=1,{SCHEME}={}", "0".repeat(63)),
            &format!("t=1,{SCHEME}={}", "0".repeat(66)),
            &format!("t=1,{SCHEME}= {}", good),
            &format!("t=1,{SCHEME}={}", "g".repeat(64)),
        ] {
            assert!(malformed(text), "{text}");
        }
    }

    #[test]
    fn another_scheme_alone_is_unknown_and_beside_the_known_one_ignored() {
        let good = "0".repeat(64);
        for name in ["v1-hmac-sha512", "V0-HMAC-SHA256", "v0-hmac-sha256 "] {
            assert_eq!(read(&format!("t=1,{name}={good}")).unwrap_err(), HeaderFault::UnknownScheme, "{name}");
        }
        let both = format!("t=1,v1-other=xyz,{SCHEME}={good}");
        assert_eq!(read(&both).expect("a header").signatures.len(), 1);
    }

    #[test]
    fn a_huge_timestamp_is_the_largest_one() {
        let text = format!("t={},{SCHEME}={}", "9".repeat(400), "0".repeat(64));
        assert_eq!(read(&text).expect("a header").seconds, u64::MAX);
    }
}
