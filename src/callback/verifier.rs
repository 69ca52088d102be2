//! Decides whether a request is a callback from the service.
//!
//! What a callback says is in [`notice`](super::notice); answers to it are in
//! [`answer`](super::answer). The account-wide webhooks are another system and have their own verifier
//! in [`webhook`](super::webhook).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::Mac;
use http::{HeaderMap, Method};
use url::Url;

use super::answer::Answer;
use super::canonical::{encode_pairs, sorted_pairs, split_target, wire_path};
use super::notice::Callback;
use super::params::Params;
use super::signature::{HeaderFault, SIGNATURE_HEADER, SignatureHeader, SigningSecret, signed_text};
use crate::clock::{Clock, SystemClock};
use crate::ids::AccountId;

/// How far a timestamp may lie from the verifier's clock, either way, unless told otherwise.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Verifies that a request is a callback of one account, signed with one of its secrets.
///
/// Cloning is cheap and shares the secrets.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dintero::callback::{SigningSecret, Verifier};
///
/// let verifier = Verifier::builder("T12345678".parse()?, "https://shop.example")
///     .secret(SigningSecret::new("the new secret")?)
///     .secret(SigningSecret::new("the old secret, while it still signs")?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    inner: Arc<Inner>,
}

struct Inner {
    account: AccountId,
    secrets: Vec<SigningSecret>,
    host: String,
    /// Without a trailing slash, so empty for a base URL without a path.
    prefix: String,
    tolerance: Duration,
    clock: Arc<dyn Clock>,
}

/// Collects what a [`Verifier`] needs. See [`Verifier::builder`].
#[must_use]
pub struct VerifierBuilder {
    account: AccountId,
    base_url: String,
    secrets: Vec<SigningSecret>,
    tolerance: Duration,
    clock: Arc<dyn Clock>,
}

/// Why a [`Verifier`] cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// No secret was given.
    #[error("a verifier needs at least one secret")]
    NoSecret,
    /// The public base URL is of no use.
    #[error("the public base URL {0}")]
    BaseUrl(&'static str),
}

/// Why a request is not accepted as a callback. One variant per cause.
///
/// [`answer`](Self::answer) tells what to answer. Nothing of the secret or of the request's parameters
/// is in any text of it, except the account id in [`OtherAccount`](Self::OtherAccount).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no `Dintero-Signature` header: not from the service, or the account has no signature
    /// secret, or something on the way took the header off.
    #[error("the request has no Dintero-Signature header")]
    SignatureMissing,
    /// The header is there but cannot be read.
    #[error("the Dintero-Signature header is malformed: {0}")]
    Malformed(&'static str),
    /// The header has signatures, none of a scheme that this version knows.
    #[error("the Dintero-Signature header has no signature of a known scheme")]
    UnknownScheme,
    /// The request's URL is neither a path with its query nor an http(s) URL.
    #[error("the request URL cannot be used: {0}")]
    Target(&'static str),
    /// No signature matches: a forgery, or the verifier has other secrets, another account or another
    /// public base URL than the sender.
    #[error("no signature of the request matches")]
    Mismatch,
    /// A signature matches, but was made too long ago: a replay, or a clock is wrong.
    #[error("the signature is {} s old, {} s are allowed", age.as_secs(), tolerance.as_secs())]
    Stale {
        /// How old the signature is.
        age: Duration,
        /// How old it may be.
        tolerance: Duration,
    },
    /// A signature matches, but is dated too far ahead: a clock is wrong.
    #[error("the signature is {} s ahead, {} s are allowed", ahead.as_secs(), tolerance.as_secs())]
    FromTheFuture {
        /// How far ahead the signature is dated.
        ahead: Duration,
        /// How far ahead it may be.
        tolerance: Duration,
    },
    /// The request is about a session or transaction of another account than the verifier's.
    #[error("the request is about the account {found}, which is not the verifier's")]
    OtherAccount {
        /// The account that the ids in the query name.
        found: AccountId,
    },
}

impl VerifyError {
    /// What to answer to a request that failed so.
    ///
    /// A request that does not verify comes from a stranger, to whom the status says nothing, or from
    /// the service while something on this side is wrong: the clock, the secret (not yet rotated here),
    /// the account, the base URL, a proxy that drops the header. Any 4xx would end the delivery for
    /// good and the payment would never be heard of; a 503 is tried again 20 times, which leaves time
    /// to mend it. So everything that own trouble can cause answers
    /// [`RetryLater`](Answer::RetryLater). Only a header that cannot be read is
    /// [`Refuse`](Answer::Refuse)d: the service sends none such and no setting here causes it.
    ///
    /// Strangers can thus provoke a 503 at will. Where that disturbs alarms or health checks, watch
    /// this error instead of the status, or answer otherwise.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Malformed(_) => Answer::Refuse,
            Self::SignatureMissing
            | Self::UnknownScheme
            | Self::Target(_)
            | Self::Mismatch
            | Self::Stale { .. }
            | Self::FromTheFuture { .. }
            | Self::OtherAccount { .. } => Answer::RetryLater,
        }
    }
}

impl Verifier {
    /// Starts a verifier for the callbacks of `account` to URLs under `public_base_url`.
    ///
    /// The base URL is what the service is told, not what the server sees: its host is what was
    /// signed, and a proxy in between may rewrite the request's. If the proxy also takes a path
    /// prefix off, the base URL has it (`https://shop.example/payments`): it is put in front of the
    /// request's path unless the path begins with it.
    pub fn builder(account: AccountId, public_base_url: impl Into<String>) -> VerifierBuilder {
        VerifierBuilder {
            account,
            base_url: public_base_url.into(),
            secrets: Vec::new(),
            tolerance: DEFAULT_TOLERANCE,
            clock: Arc::new(SystemClock),
        }
    }

    /// The account whose callbacks are accepted.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.inner.account
    }

    /// Verifies a request by its method, its URL and its headers. The body is not signed and not asked
    /// for; a caller that has it can add it with
    /// [`Callback::with_unverified_body`].
    ///
    /// `url` is the request target as the server received it, path and query
    /// (`/callback?transaction_id=...`), or an absolute URL. Of an absolute one only path and query
    /// count, because its host may be a proxy's: the host is the base URL's. Neither may have been
    /// decoded or normalised. A URL is matched by what it means: parameters in another order, or
    /// escaped in another way, are the same query.
    ///
    /// # Errors
    /// [`VerifyError`], one variant per cause. Time and account are judged after the signature, so that
    /// [`Stale`](VerifyError::Stale) and [`FromTheFuture`](VerifyError::FromTheFuture) are certain to
    /// be about a genuine request.
    pub fn verify(&self, method: &Method, url: &str, headers: &HeaderMap) -> Result<Callback, VerifyError> {
        let mut lines = Vec::new();
        for value in headers.get_all(SIGNATURE_HEADER) {
            lines.push(value.to_str().map_err(|_| VerifyError::Malformed("it is not ASCII text"))?);
        }
        if lines.is_empty() {
            return Err(VerifyError::SignatureMissing);
        }
        let header = SignatureHeader::read(lines.into_iter()).map_err(|fault| match fault {
            HeaderFault::Malformed(reason) => VerifyError::Malformed(reason),
            HeaderFault::UnknownScheme => VerifyError::UnknownScheme,
        })?;

        let (path, raw_query) = self.public_target(url)?;
        let params = Params::new(sorted_pairs(raw_query));
        let named = params.other_account(self.account());
        if !self.matches(&header, method, &path, params.pairs()) {
            // A forger may claim any account; an honest sender with another account is better told
            // apart, because a wrong account id in the settings is the likeliest mistake.
            return Err(match named {
                Some(found) => VerifyError::OtherAccount { found },
                None => VerifyError::Mismatch,
            });
        }
        self.check_time(header.seconds)?;
        if let Some(found) = named {
            return Err(VerifyError::OtherAccount { found });
        }
        Ok(Callback::new(self.account().clone(), method.clone(), path, header.seconds, params, headers))
    }

    /// The path that was signed, and the raw query.
    fn public_target<'a>(&self, url: &'a str) -> Result<(String, &'a str), VerifyError> {
        let target = if url.starts_with('/') { url } else { after_authority(url)? };
        let (path, query) = split_target(target);
        let path = wire_path(if path.is_empty() { "/" } else { path });
        let prefix = self.inner.prefix.as_str();
        let prefixed = path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let path = if prefixed { path } else { format!("{prefix}{path}") };
        Ok((path, query))
    }

    fn matches(&self, header: &SignatureHeader<'_>, method: &Method, path: &str, pairs: &[(String, String)]) -> bool {
        let inner = &*self.inner;
        let query = encode_pairs(pairs);
        let message = signed_text(header.timestamp, &inner.account, method, &inner.host, path, &query);
        inner.secrets.iter().any(|secret| {
            let mac = secret.mac(&message);
            header
                .signatures
                .iter()
                // Compares in constant time.
                .any(|signature| mac.clone().verify_slice(signature).is_ok())
        })
    }

    fn check_time(&self, signed: u64) -> Result<(), VerifyError> {
        let tolerance = self.inner.tolerance;
        // A clock before 1970 is as wrong as one in 1970.
        let now = u64::try_from(self.inner.clock.now().timestamp()).unwrap_or(0);
        let age = Duration::from_secs(now.saturating_sub(signed));
        let ahead = Duration::from_secs(signed.saturating_sub(now));
        if age > tolerance {
            return Err(VerifyError::Stale { age, tolerance });
        }
        if ahead > tolerance {
            return Err(VerifyError::FromTheFuture { ahead, tolerance });
        }
        Ok(())
    }
}

/// What follows the authority of an absolute http(s) URL.
fn after_authority(url: &str) -> Result<&str, VerifyError> {
    const NEITHER: VerifyError = VerifyError::Target("it is neither a path nor an absolute http(s) URL");
    let (scheme, rest) = url.split_once("://").ok_or(NEITHER)?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(NEITHER);
    }
    let (authority, target) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // To a browser `\` begins the path. Such a URL is on no request line, so it is not guessed at.
    if authority.is_empty() || authority.contains(['\\', '\t', '\n', '\r']) {
        return Err(VerifyError::Target("its host cannot be read"));
    }
    Ok(target)
}

impl VerifierBuilder {
    /// Adds a secret. With several, a signature by any of them is accepted: keep the old one beside
    /// the new while a rotation lasts.
    pub fn secret(mut self, secret: SigningSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds several secrets.
    pub fn secrets(mut self, secrets: impl IntoIterator<Item = SigningSecret>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// How far the signature's time may lie from the clock, before or after. Counted in whole seconds;
    /// five minutes unless set.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Duration::from_secs(tolerance.as_secs());
        self
    }

    /// Replaces the system's clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    /// When there is no secret, or when the base URL is no http(s) URL with a host, or has
    /// credentials, a query or a fragment.
    pub fn build(self) -> Result<Verifier, VerifierError> {
        if self.secrets.is_empty() {
            return Err(VerifierError::NoSecret);
        }
        let base = Url::parse(&self.base_url).map_err(|_| VerifierError::BaseUrl("is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(VerifierError::BaseUrl("is not an http(s) URL"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(VerifierError::BaseUrl("has credentials in it"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(VerifierError::BaseUrl("has a query or a fragment"));
        }
        let host = base.host_str().ok_or(VerifierError::BaseUrl("has no host"))?.to_owned();
        Ok(Verifier {
            inner: Arc::new(Inner {
                account: self.account,
                secrets: self.secrets,
                host,
                prefix: base.path().trim_end_matches('/').to_owned(),
                tolerance: self.tolerance,
                clock: self.clock,
            }),
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("account", &self.inner.account)
            .field("host", &self.inner.host)
            .field("prefix", &self.inner.prefix)
            .field("secrets", &self.inner.secrets)
            .field("tolerance", &self.inner.tolerance)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifierBuilder {
    // Without the base URL: it is not yet known to be free of credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("account", &self.account)
            .field("secrets", &self.secrets)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}
