//! The client that callers see.
//!
//! [`Client`] and what every call shares live here; the calls themselves in `sessions` and `transactions`.
//! Nothing here knows how a request is sent.

mod builder;
mod call;
mod completion;
mod options;
mod paging;
mod resolve;
mod response;
mod sessions;
mod system;
mod toggles;
mod transactions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::types::{PayToggle, SessionToggle};
pub use builder::ClientBuilder;
pub use call::CallOptions;
pub use completion::Completion;
pub use options::{
    CreateSessionOptions, GetSessionOptions, GetTransactionOptions, ListSessions, ListTransactions, OperationOptions,
    PaySessionOptions, ProfileSessionOptions, UpdateSessionOptions,
};
pub use resolve::{Attempt, PollOptions, Resolution, Settled};
pub use response::Response;
pub use sessions::Sessions;
pub use system::SystemHeaders;
pub use transactions::Transactions;

use crate::auth::Credentials;
use crate::error::Result;
use crate::ids::{AccountId, Environment};
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
    pub(crate) defaults: Defaults,
}

/// What a call goes out with unless it sets its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) system: SystemHeaders,
    pub(crate) order_toggles: Vec<SessionToggle>,
    pub(crate) pay_toggles: Vec<PayToggle>,
}

impl Client {
    /// Begins to build a client.
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// A client with defaults.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn new(credentials: Credentials) -> Result<Self> {
        Self::builder(credentials).build()
    }

    /// The account whose credentials the client holds.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.core.account
    }

    /// Sandbox or live, by the account.
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
