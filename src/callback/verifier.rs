//! Decides whether a request is a callback from the service.
//!
//! What a callback says is in [`verified`](super::verified), where it was sent to in [`public`](super::public),
//! reading its body in [`receive`](super::receive), and responses to it in [`response`](super::response). The
//! account-wide webhooks are another system and have their own verifier in [`webhook`](super::webhook).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::Mac;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::canonical::{encode_pairs, sorted_pairs, split_target};
use super::params::Params;
use super::public::{PublicUrl, after_authority};
use super::response::CallbackResponse;
use super::signature::{HeaderFault, SIGNATURE_HEADER, SignatureHeader, SigningSecret, signed_text};
use super::verified::Callback;
use crate::clock::{Clock, SystemClock};
use crate::ids::AccountId;

/// How far a timestamp may lie from the verifier's clock, either way, unless told otherwise.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The longest time that reading a body may take, unless told otherwise. The service waits ten seconds for a
/// response to a callback, and the body is not needed to give one.
pub const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest request target that is looked at, in bytes: twice what common servers and proxies take.
const LONGEST_TARGET: usize = 16 * 1024;

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
    public: PublicUrl,
    tolerance: Duration,
    body_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Builds a [`Verifier`]. See [`Verifier::builder`].
#[must_use]
pub struct VerifierBuilder {
    account: AccountId,
    base_url: String,
    path_maps: Vec<(String, String)>,
    secrets: Vec<SigningSecret>,
    tolerance: Duration,
    body_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Why a [`Verifier`] cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// No secret was given.
    #[error("a verifier needs at least one secret")]
    NoSecret,
    /// The public base URL is not usable.
    #[error("the public base URL {0}")]
    BaseUrl(&'static str),
    /// A path of [`map_path`](VerifierBuilder::map_path) is not usable.
    #[error("a path of `map_path` {0}")]
    PathMap(&'static str),
}

/// Why a request is not accepted as a callback. One variant per cause.
///
/// [`response`](Self::response) says how to respond. Nothing of the secret or of the request's parameters
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
    /// Returns the response to a request that failed this way.
    ///
    /// A request that does not verify comes from somebody else, to whom the status says nothing, or from
    /// the service while something on this side is wrong: the clock, the secret (not yet rotated here),
    /// the account, the base URL, a proxy that drops the header. Any 4xx would end the delivery
    /// permanently and no later delivery would report the payment; a 503 is tried again 20 times, which leaves time
    /// to correct it. So everything that an error on your side can cause responds with
    /// [`RetryLater`](CallbackResponse::RetryLater). Only a header that cannot be read is
    /// [`Refuse`](CallbackResponse::Refuse)d: the service sends none such and no setting here causes it.
    ///
    /// Anybody can thus provoke a 503. Where that disturbs alarms or health checks, watch
    /// this error instead of the status, or respond otherwise.
    pub fn response(&self) -> CallbackResponse {
        match self {
            Self::Malformed(_) => CallbackResponse::Refuse,
            Self::SignatureMissing
            | Self::UnknownScheme
            | Self::Target(_)
            | Self::Mismatch
            | Self::Stale { .. }
            | Self::FromTheFuture { .. }
            | Self::OtherAccount { .. } => CallbackResponse::RetryLater,
        }
    }
}

impl Verifier {
    /// Starts a verifier for the callbacks of `account` to URLs of `public_base_url`.
    ///
    /// The base URL is scheme and host as the service is told them (`https://shop.example`), not what the
    /// server sees: the host is what was signed, and a proxy in between may change the request's. It has no
    /// path. Where a proxy changes the path, [`map_path`](VerifierBuilder::map_path) says how.
    pub fn builder(account: AccountId, public_base_url: impl Into<String>) -> VerifierBuilder {
        VerifierBuilder {
            account,
            base_url: public_base_url.into(),
            path_maps: Vec::new(),
            secrets: Vec::new(),
            tolerance: DEFAULT_TOLERANCE,
            body_timeout: DEFAULT_BODY_TIMEOUT,
            clock: Arc::new(SystemClock),
        }
    }

    /// Returns the account whose callbacks are accepted.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.inner.account
    }

    /// Returns how long reading a body may take. See [`VerifierBuilder::body_timeout`].
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        self.inner.body_timeout
    }

    /// Verifies a request. The body is not signed and not looked at: [`receive`](Self::receive) reads it too.
    ///
    /// Of the request's URI only path and query count, because its host may be a proxy's: the host is the base
    /// URL's. With feature `axum` the path is that before nested routers cut it.
    ///
    /// # Errors
    /// As [`verify_target`](Self::verify_target).
    pub fn verify<B>(&self, request: &Request<B>) -> Result<Callback, VerifyError> {
        let target = target(request.uri(), request.extensions());
        self.verify_target(request.method(), target, request.headers())
    }

    /// Verifies the parts of a request, as [`verify`](Self::verify).
    ///
    /// # Errors
    /// As [`verify_target`](Self::verify_target).
    pub fn verify_parts(&self, parts: &http::request::Parts) -> Result<Callback, VerifyError> {
        self.verify_target(&parts.method, target(&parts.uri, &parts.extensions), &parts.headers)
    }

    /// Verifies a request by its method, its target and its headers, for servers with request types of their
    /// own.
    ///
    /// `target` is the request target as the server received it, path and query
    /// (`/callback?transaction_id=...`), or an absolute URL. It must not have been decoded or normalized. A
    /// query is matched by what it means: parameters in another order, or escaped in another way, are the same
    /// query.
    ///
    /// What a request without a valid signature costs is bounded: no I/O, no body; without a signature header
    /// nothing else is looked at, and a target over 16 KiB or a header over 4 KiB is refused unread.
    ///
    /// # Errors
    /// [`VerifyError`], one variant per cause. Time and account are judged after the signature, so that
    /// [`Stale`](VerifyError::Stale) and [`FromTheFuture`](VerifyError::FromTheFuture) are certain to
    /// be about a genuine request.
    pub fn verify_target(&self, method: &Method, target: &str, headers: &HeaderMap) -> Result<Callback, VerifyError> {
        let mut lines = Vec::new();
        for value in headers.get_all(SIGNATURE_HEADER) {
            lines.push(value.to_str().map_err(|_| VerifyError::Malformed("it is not ASCII text"))?);
        }
        if lines.is_empty() {
            return Err(VerifyError::SignatureMissing);
        }
        let header = SignatureHeader::read(&lines).map_err(|fault| match fault {
            HeaderFault::Malformed(reason) => VerifyError::Malformed(reason),
            HeaderFault::UnknownScheme => VerifyError::UnknownScheme,
        })?;
        if target.len() > LONGEST_TARGET {
            return Err(VerifyError::Target("it is longer than 16 KiB"));
        }

        let target = if target.starts_with('/') { target } else { after_authority(target)? };
        let (path, raw_query) = split_target(target);
        let params = Params::new(sorted_pairs(raw_query));
        let named = params.other_account(self.account());
        let query = encode_pairs(params.pairs());
        let paths = self.inner.public.paths(path);
        let Some(path) = paths.into_iter().find(|path| self.matches(&header, method, path, &query)) else {
            // A forger may claim any account; an honest sender with another account is better told
            // apart, because a wrong account id in the settings is the likeliest mistake.
            return Err(match named {
                Some(found) => VerifyError::OtherAccount { found },
                None => VerifyError::Mismatch,
            });
        };
        self.check_time(header.seconds)?;
        if let Some(found) = named {
            return Err(VerifyError::OtherAccount { found });
        }
        Ok(Callback::new(self.account().clone(), method.clone(), path, header.seconds, params, headers))
    }

    fn matches(&self, header: &SignatureHeader<'_>, method: &Method, path: &str, query: &str) -> bool {
        let inner = &*self.inner;
        let message = signed_text(header.timestamp, &inner.account, method, &inner.public.host, path, query);
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

/// Path and query as they were before any router changed them.
fn target<'a>(uri: &'a Uri, extensions: &'a Extensions) -> &'a str {
    #[cfg(feature = "axum")]
    let uri = extensions.get::<axum::extract::OriginalUri>().map_or(uri, |original| &original.0);
    #[cfg(not(feature = "axum"))]
    let _ = extensions;
    uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
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

    /// Says that the server sees paths under `handler` where the service was told paths under `public`, because
    /// a proxy in between changes them. Both begin with `/` and are whole segments; a `/` at the end means
    /// nothing.
    ///
    /// Behind a proxy that takes off a prefix (nginx: `location /payments/ { proxy_pass http://app/; }`) it is
    /// `map_path("/payments", "/")`; behind one that passes `/hooks/dintero` on as `/callback` it is
    /// `map_path("/hooks/dintero", "/callback")`. With several, the longest `handler` path that fits counts,
    /// and of equal ones any; a path that none fits is taken as it is. Nothing is guessed: a proxy that takes
    /// off a prefix for some requests only needs the second `map_path("/payments", "/payments")`.
    pub fn map_path(mut self, public: impl Into<String>, handler: impl Into<String>) -> Self {
        self.path_maps.push((public.into(), handler.into()));
        self
    }

    /// Sets how long reading the body of a verified request may take; three seconds unless set. A body that
    /// takes longer is left out, since nothing in it is proven anyway.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// Sets how far the signature's time may lie from the clock, before or after. Counted in whole seconds; five
    /// minutes unless set.
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
    /// When there is no secret; when the base URL is no http(s) URL with a host, or has credentials, a path, a
    /// query or a fragment; when a path of [`map_path`](Self::map_path) does not begin with `/` or is more than
    /// a path.
    pub fn build(self) -> Result<Verifier, VerifierError> {
        if self.secrets.is_empty() {
            return Err(VerifierError::NoSecret);
        }
        Ok(Verifier {
            inner: Arc::new(Inner {
                account: self.account,
                secrets: self.secrets,
                public: PublicUrl::new(&self.base_url, &self.path_maps)?,
                tolerance: self.tolerance,
                body_timeout: self.body_timeout,
                clock: self.clock,
            }),
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("account", &self.inner.account)
            .field("public", &self.inner.public)
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
