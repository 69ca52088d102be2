//! The settings of a sandbox. Starting one is not here.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(feature = "program")]
use std::path::PathBuf;
use std::time::Duration;

use crate::state::ledger::Rules;

/// Settings of a sandbox that stay for its life.
#[derive(Clone)]
#[must_use = "a builder does nothing until start"]
pub struct SandboxBuilder {
    pub(super) account_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) audience: Option<String>,
    pub(super) token_lifetime: u64,
    pub(super) rules: Rules,
    pub(super) checks_responses: bool,
    pub(super) seed: Option<u64>,
    pub(super) allowed: Vec<String>,
    pub(super) address: SocketAddr,
    pub(super) public_url: Option<String>,
    pub(super) requests_kept: Option<usize>,
    pub(super) retry_pause: Option<Duration>,
    #[cfg(feature = "program")]
    pub(super) state_file: Option<PathBuf>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            account_id: "T12345678".into(),
            client_id: "sandbox-client".into(),
            client_secret: "sandbox-secret".into(),
            audience: None,
            token_lifetime: 14_400,
            rules: Rules::default(),
            checks_responses: false,
            seed: None,
            allowed: Vec::new(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            requests_kept: None,
            retry_pause: None,
            #[cfg(feature = "program")]
            state_file: None,
        }
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder").field("account_id", &self.account_id).finish_non_exhaustive()
    }
}

impl SandboxBuilder {
    /// Sets the account, `T12345678` unless set.
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = account_id.into();
        self
    }

    /// Sets the client id and secret that the token call takes.
    pub fn credentials(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.client_id = id.into();
        self.client_secret = secret.into();
        self
    }

    /// Sets the one audience that the token call takes. Unless set, it takes any http or https base followed by
    /// `/v1/accounts/` and the account id: at the service the base is `https://api.dintero.com`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets the lifetime of tokens, `expires_in`, in seconds: 14400 unless set.
    pub const fn token_lifetime(mut self, seconds: u64) -> Self {
        self.token_lifetime = seconds;
        self
    }

    /// Lets `PARTIALLY_CAPTURED_REFUNDED` transactions be captured further, on which the
    /// service's documents disagree. Off unless set.
    pub const fn capture_after_refund(mut self, allowed: bool) -> Self {
        self.rules.capture_after_refund = allowed;
        self
    }

    /// Holds the sandbox's own responses against the published interface too, see
    /// [`super::Sandbox::response_problems`]. Off unless set.
    pub const fn check_responses(mut self) -> Self {
        self.checks_responses = true;
        self
    }

    /// Sets the seed of all ids: with the same seed, the same calls in the same order get the same ids. A random one
    /// unless set.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Lets callbacks and express requests go to this host too, in plain http. Unless allowed, they go to loopback
    /// addresses and `localhost` only.
    pub fn allow_callbacks_to(mut self, host: impl Into<String>) -> Self {
        self.allowed.push(host.into());
        self
    }

    /// Sets the address to serve on; a free port of the loopback interface unless set. Whoever can reach it can do
    /// everything that the sandbox does.
    pub const fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets the address under which others reach the sandbox, without `/v1`, such as `http://dintero.test:8080`. It
    /// stands in the `url` of sessions; the address served on unless set.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Keeps no more than so many requests to look at, the newest; all of them unless set.
    pub const fn keep_requests(mut self, limit: usize) -> Self {
        self.requests_kept = Some(limit);
        self
    }

    /// Sets the pause between attempts at a callback, see [`super::Sandbox::set_callback_retry_pause`].
    pub const fn callback_retry_pause(mut self, pause: Duration) -> Self {
        self.retry_pause = Some(pause);
        self
    }

    /// Keeps sessions, transactions, tokens and callbacks in this SQLite file, and starts with what it holds.
    /// Everything is written before it is told: it survives the end of the process at any moment. Once the file cannot
    /// be written, calls, the control API and the pages end with 500 `StateFile`, what a customer does through the
    /// handle with [`CustomerError::StateFile`](crate::CustomerError::StateFile), and no callback is begun. What the
    /// handle does without an error, such as [`super::Sandbox::settle_accepted`], is not kept then. Faults, counts and
    /// the clock are not kept.
    #[cfg(feature = "program")]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }
}
