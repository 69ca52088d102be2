//! Builds a client.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Core, Defaults, SystemHeaders};
use crate::auth::{Credentials, Source, TokenCache, checked_url};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::loopback::is_loopback;
use crate::pace::Pace;
use crate::retry::RetryPolicy;
use crate::store::Journal;
use crate::transport::Service;
use crate::transport::tls::Roots;
use crate::transport::wire::{Settings, Wire};

/// The settings of a client; everything but the credentials has a default.
///
/// There is no way to give it an HTTP client of your own, not even for calls that only read. What a call may have done is
/// told from whether a byte of it was written, and only a connection of this crate's own tells that; and a client of your
/// own would see the access token. What such clients are made for is set here: [`proxy`](Self::proxy),
/// [`root_certificates`](Self::root_certificates), [`connect_timeout`](Self::connect_timeout),
/// [`user_agent`](Self::user_agent). Connections are pooled by the client and shared by its clones.
#[derive(Clone)]
pub struct ClientBuilder {
    credentials: Credentials,
    base_url: Option<String>,
    auth_url: Option<String>,
    audience: Option<String>,
    user_agent: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    retry: RetryPolicy,
    pace: Option<Pace>,
    pub(super) defaults: Defaults,
    journal: Journal,
    token_journal: Option<Journal>,
    clock: Arc<dyn Clock>,
    proxy: Option<String>,
    roots: Roots,
}

impl ClientBuilder {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            base_url: None,
            auth_url: None,
            audience: None,
            user_agent: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            pace: None,
            defaults: Defaults::default(),
            journal: Journal::in_memory(),
            token_journal: None,
            clock: Arc::new(SystemClock),
            proxy: None,
            roots: Roots::new(),
        }
    }

    /// Sets where calls go. Default: `DINTERO_BASE_URL` if the credentials were read from the environment and it is set
    /// there, else `https://checkout.dintero.com/v1`.
    ///
    /// Must be https, or plain http to a loopback address. The newer hosts are
    /// `https://api.dintero.com/v1/accounts/{account}/payments`, where sessions cannot be listed.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets where tokens come from. Default: `DINTERO_AUTH_URL` if the credentials were read from the environment and
    /// it is set there, else `https://api.dintero.com/v1`. The secret is sent to this host only.
    #[must_use]
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// Sets the audience of the token. Default: `https://api.dintero.com/v1/accounts/{account}`, whichever host is
    /// called.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets what follows in the `User-Agent`, which begins with `dintero-rust/` and the version of this crate. The
    /// service stores it with what it makes.
    #[must_use]
    pub fn user_agent(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// Sets how long a call may take altogether: waiting for a token, all attempts and the waits between them, and
    /// reading the response. Default 30 s. Can be set per call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long making a connection may take. A call whose connection was not made was not sent. Default 10
    /// s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sends everything through a proxy, as `http://proxy.example:3128` or with `user:password@` before the host. Default:
    /// the proxy that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, but for the hosts in `NO_PROXY`).
    ///
    /// The proxy sees the name of the host and no more: TLS ends at the service. A loopback address is reached directly.
    #[must_use]
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.proxy = Some(address.into());
        self
    }

    /// Trusts the root certificates of a PEM file, beside those of the platform.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Sets how calls that only read are retried. Default: [`RetryPolicy::default`].
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets how fast requests go out, and lets one 429 hold all of them back. Default: as they come, and each waits for
    /// itself.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Sets which system makes the calls. Can be set per call.
    #[must_use]
    pub fn system(mut self, system: SystemHeaders) -> Self {
        self.defaults.system = system;
        self
    }

    /// Sets where money calls made once are noted (`client.transactions().capture(..).once()` and its like), and where
    /// the access token is shared. Default: in memory.
    ///
    /// In a store that outlives the process, a call that was under way when it died is found again, by the next call
    /// with its reference and by [`Client::recover`]. Processes that share a store share one token: one of them fetches
    /// it, and the others wait for it, ten seconds at most. The store never makes a call fail for want of a token: when
    /// it fails, hangs or panics, the token is fetched as if there were none.
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets where the access token is shared, if not in the [`journal`](Self::journal) of the money calls.
    ///
    /// An entry holds the token and its times. Whoever can read it can make calls until the token ends; the client id
    /// and the client secret are not in it. `Journal::in_memory()` keeps the token out of any store.
    #[must_use]
    pub fn token_journal(mut self, journal: Journal) -> Self {
        self.token_journal = Some(journal);
        self
    }

    /// Sets the clock that the lifetime of tokens is measured with.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the client. Nothing is sent yet.
    ///
    /// # Errors
    /// When a host is not https (or plain http to this machine), the client id contains a colon, a header's value is
    /// too long or not printable ASCII, or TLS cannot be set up.
    pub fn build(self) -> Result<Client> {
        let credentials = self.credentials;
        credentials.check()?;
        let base_text = self.base_url.as_deref();
        let base_url = checked_url("the base URL", base_text.unwrap_or(credentials.base_url()))?;
        let auth_text = self.auth_url.as_deref();
        let auth_url = checked_url("the token URL", auth_text.unwrap_or(credentials.auth_url()))?;
        let user_agent = user_agent(self.user_agent.as_deref())?;
        let settings = Settings {
            user_agent: &user_agent,
            connect_timeout: self.connect_timeout,
            proxy: self.proxy.as_deref(),
            roots: &self.roots,
        };
        let wire = Wire::build(&base_url, &settings)?;
        // What is set up depends on whether a host is this machine, and on nothing else of it.
        let auth_wire = match is_loopback(&auth_url) == is_loopback(&base_url) && auth_url.scheme() == base_url.scheme()
        {
            true => wire.clone(),
            false => Wire::build(&auth_url, &settings)?,
        };
        // Made now, so that a call cannot fail for it.
        let system = self.defaults.system.headers()?;
        let account = credentials.account().clone();
        let source = Source {
            wire: auth_wire,
            url: Source::url(&auth_url, &credentials)?,
            audience: self.audience.unwrap_or_else(|| credentials.audience()),
            credentials,
            retry: self.retry.clone(),
            clock: self.clock,
        };
        Ok(Client {
            core: Arc::new(Core {
                account,
                base: base_url.as_str().trim_end_matches('/').to_owned(),
                service: Arc::new(Service {
                    base_url,
                    wire,
                    tokens: TokenCache::new(source, self.token_journal.as_ref().unwrap_or(&self.journal)),
                    retry: self.retry,
                    pace: self.pace,
                }),
                timeout: self.timeout,
                defaults: self.defaults,
                journal: self.journal,
                system,
            }),
        })
    }
}

fn user_agent(suffix: Option<&str>) -> Result<String> {
    let own = concat!("dintero-rust/", env!("CARGO_PKG_VERSION"));
    match suffix.map(str::trim).filter(|suffix| !suffix.is_empty()) {
        Some(suffix) if suffix.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) => Ok(format!("{own} {suffix}")),
        Some(_) => Err(Error::configuration(
            "the header user-agent is not valid: `user_agent` takes one line of printable ASCII",
        )),
        None => Ok(own.to_owned()),
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("credentials", &self.credentials)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl From<Credentials> for ClientBuilder {
    fn from(credentials: Credentials) -> Self {
        Self::new(credentials)
    }
}
