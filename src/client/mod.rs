//! The client that callers see.
//!
//! [`Client`] and what every call shares live here; the calls themselves in [`calls`], which is generated, and in
//! `policy`. Nothing here knows how a request is sent.

mod builder;
mod call;
pub mod calls;
mod money;
mod once;
mod one_or_many;
mod paging;
mod policy;
mod recover;
mod resolve;
mod response;
mod system;
mod toggles;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::ClientBuilder;
pub use call::CallFuture;
use http::HeaderMap;
pub use one_or_many::OneOrMany;
pub use paging::CallStream;
pub use recover::RecoveredCalls;
pub use resolve::{PollOptions, ResolveCall};
pub use response::Response;
pub use system::SystemHeaders;

use calls::ToggleDefaults;
pub(crate) use money::Started;
pub(crate) use response::Finished;

use crate::auth::Credentials;
use crate::error::{Error, Outcome, Result};
use crate::ids::{AccountId, Environment};
use crate::store::Journal;
use crate::transport::Service;

/// A client of one account.
///
/// Cheap to clone; clones share connections and the access token, so make one per account and keep it.
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
}

/// What all clones of a client share.
pub(crate) struct Core {
    pub(crate) account: AccountId,
    /// The base URL as text, without a slash at its end.
    pub(crate) base: String,
    pub(crate) service: Arc<Service>,
    pub(crate) timeout: Duration,
    defaults: Defaults,
    pub(crate) journal: Journal,
    /// The system headers of the defaults, as they are sent.
    system: HeaderMap,
}

/// What a call goes out with unless it sets its own.
#[derive(Clone, Debug, Default)]
struct Defaults {
    system: SystemHeaders,
    toggles: ToggleDefaults,
}

impl Client {
    /// Begins to build a client.
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// Creates a client with defaults.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn new(credentials: Credentials) -> Result<Self> {
        Self::builder(credentials).build()
    }

    /// Fetches the access token, unless there is a good one. At start-up, wrong credentials are an error here, and not
    /// in the first payment, which then need not wait for a token either.
    ///
    /// ```no_run
    /// # async fn start(client: dintero::Client) -> dintero::Result<()> {
    /// client.check_credentials().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Token`](crate::ErrorKind::Token) where the service gives none,
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) after the [`timeout`](Self::timeout), and
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) without a tokio runtime.
    pub async fn check_credentials(&self) -> Result<()> {
        call::in_runtime()?;
        match tokio::time::timeout(self.core.timeout, self.core.service.tokens.token()).await {
            Ok(token) => token.map(drop),
            Err(_) => Err(Error::timeout(Outcome::NotSent)),
        }
    }

    /// Returns the account whose credentials the client holds.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.core.account
    }

    /// Returns how long a call may take altogether, unless it sets its own time.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.core.timeout
    }

    /// Returns the journal that money calls made once are noted in, to be shared with an
    /// [`Inbox`](crate::callback::Inbox).
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.core.journal
    }

    /// Returns the environment, sandbox or live, by the account.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.core.account.environment()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.core.account)
            .field("base_url", &self.core.base)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("account", &self.account).finish_non_exhaustive()
    }
}
