//! Account-wide webhooks: another system than the callbacks of a payment, with another secret.
//!
//! Here the raw body is signed (HMAC-SHA1, hex, header `event-signature`) and the URL is not; there
//! is no timestamp, so a repetition verifies for ever. None of its types fits where a callback's does.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha1::Sha1;

use super::response::CallbackResponse;
use super::signature::SecretError;
use super::verified::delivery_id;
use super::verifier::DEFAULT_BODY_TIMEOUT;
use crate::read::{self, Read, Unreadable};

/// The header that carries the signature of an account-wide webhook.
pub const WEBHOOK_SIGNATURE_HEADER: &str = "event-signature";

/// The secret of an account-wide webhook subscription. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha1>);

impl WebhookSecret {
    /// Takes the secret as it was given to the subscription; its UTF-8 bytes are the key.
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

    /// Signs a body as the service does, giving the value of [`WEBHOOK_SIGNATURE_HEADER`], so that
    /// handlers can be tested without the service.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        hex::encode(self.mac(body).finalize().into_bytes())
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha1> {
        self.0.clone().chain_update(body)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

/// Verifies account-wide webhooks by any of its secrets. For the callbacks of a payment see
/// [`Verifier`](super::Verifier).
#[derive(Clone, Debug)]
pub struct WebhookVerifier {
    secrets: Vec<WebhookSecret>,
    body_timeout: Duration,
}

/// Why a request is not accepted as an account-wide webhook. One variant per cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no `event-signature` header.
    #[error("the request has no event-signature header")]
    SignatureMissing,
    /// The header is there, but is not one HMAC-SHA1 in hex.
    #[error("the event-signature header is malformed: {0}")]
    Malformed(&'static str),
    /// The signature is of another body or by another secret.
    #[error("the signature of the webhook does not match")]
    Mismatch,
    /// The body, which is what is signed, is too large, broke off or took too long.
    #[error("the body of the webhook cannot be read")]
    Body,
}

impl WebhookError {
    /// Returns the response, by the same reasoning as [`VerifyError::response`](super::VerifyError::response).
    pub fn response(&self) -> CallbackResponse {
        match self {
            Self::Malformed(_) => CallbackResponse::Refuse,
            Self::SignatureMissing | Self::Mismatch | Self::Body => CallbackResponse::RetryLater,
        }
    }
}

impl WebhookVerifier {
    /// Creates a verifier that accepts signatures by `secret`.
    #[must_use]
    pub fn new(secret: WebhookSecret) -> Self {
        Self { secrets: vec![secret], body_timeout: DEFAULT_BODY_TIMEOUT }
    }

    /// Sets how long reading the body may take; three seconds unless set.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// Returns how long reading the body may take.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        self.body_timeout
    }

    /// Accepts signatures by another secret too, while a rotation lasts.
    #[must_use]
    pub fn or(mut self, secret: WebhookSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Verifies the body as it came, byte for byte: one that was parsed and written again does not
    /// verify.
    ///
    /// # Errors
    /// [`WebhookError`], one variant per cause.
    pub fn verify(&self, headers: &HeaderMap, body: impl Into<Bytes>) -> Result<Webhook, WebhookError> {
        let signature = signature(headers)?;
        let body = body.into();
        let matches = self
            .secrets
            .iter()
            // Compares in constant time.
            .any(|secret| secret.mac(&body).verify_slice(&signature).is_ok());
        if !matches {
            return Err(WebhookError::Mismatch);
        }
        Ok(Webhook { delivery: delivery_id(headers), body })
    }
}

/// The signature that the headers claim. One that a proxy sent twice is one.
pub(crate) fn signature(headers: &HeaderMap) -> Result<[u8; 20], WebhookError> {
    let mut values = headers.get_all(WEBHOOK_SIGNATURE_HEADER).iter();
    let value = values.next().ok_or(WebhookError::SignatureMissing)?;
    if values.any(|other| other != value) {
        return Err(WebhookError::Malformed("there are two"));
    }
    let mut members = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let first = members.next().unwrap_or_default();
    if members.any(|other| other != first) {
        return Err(WebhookError::Malformed("there are two"));
    }
    let mut signature = [0; 20];
    hex::decode_to_slice(first, &mut signature).map_err(|_| WebhookError::Malformed("it is not 40 hex digits"))?;
    Ok(signature)
}

/// A verified account-wide webhook: here the body is what is proven.
#[derive(Clone)]
pub struct Webhook {
    delivery: Option<String>,
    body: Bytes,
}

impl Webhook {
    /// Returns the body, proven to be the sender's.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// When it is not JSON of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<Read<T>, Unreadable> {
        read::from_slice(&self.body)
    }

    /// Returns the id of this delivery, from the header `event-delivery`. **Not signed.**
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        self.delivery.as_deref()
    }
}

impl fmt::Debug for Webhook {
    // The body may hold a customer's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("delivery", &self.delivery)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// HMAC-SHA1 with the key `key`, a vector known from many places.
    const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";
    const HEX: &str = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9";

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).expect("a secret")
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WEBHOOK_SIGNATURE_HEADER, HeaderValue::from_str(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn the_signature_is_an_hmac_sha1_of_the_raw_body() {
        assert_eq!(secret("key").sign(BODY), HEX);
        let verifier = WebhookVerifier::new(secret("new")).or(secret("key"));
        let mut headers = headers(&[HEX]);
        headers.insert("event-delivery", HeaderValue::from_static("d-1"));
        let webhook = verifier.verify(&headers, BODY).expect("verified");
        assert_eq!(webhook.body(), BODY);
        assert_eq!(webhook.delivery_id(), Some("d-1"));
        assert!(webhook.json::<serde_json::Value>().is_err());
        // A proxy that sends the header twice changes nothing.
        let joined = format!("{HEX}, {HEX}");
        for twice in [&[HEX, HEX][..], &[&joined]] {
            assert!(verifier.verify(&self::headers(twice), BODY).is_ok());
        }
    }

    #[test]
    fn each_cause_has_its_error_and_response() {
        let verifier = WebhookVerifier::new(secret("key"));
        let error = |values: &[&str], body: &'static [u8]| verifier.verify(&headers(values), body).unwrap_err();
        assert_eq!(error(&[], BODY), WebhookError::SignatureMissing);
        assert_eq!(error(&[HEX], b"another body"), WebhookError::Mismatch);
        assert_eq!(error(&[&"0".repeat(40)], BODY), WebhookError::Mismatch);
        let zeros = "0".repeat(40);
        let joined = format!("{HEX}, {zeros}");
        for values in [&[HEX, &zeros][..], &[&joined], &[""], &[&HEX[2..]], &["x"], &["t=1,v0-hmac-sha256=00"]] {
            assert!(matches!(error(values, BODY), WebhookError::Malformed(_)));
        }
        assert_eq!(WebhookError::Mismatch.response().status(), 503);
        assert_eq!(verifier.body_timeout(), Duration::from_secs(3));
        assert_eq!(verifier.clone().with_body_timeout(Duration::from_secs(7)).body_timeout(), Duration::from_secs(7));
        let printed = format!("{verifier:?} {:?}", error(&[HEX], b""));
        assert!(!printed.contains("key") && !printed.contains("dog"));
    }
}
