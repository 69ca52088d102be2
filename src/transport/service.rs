//! The service as the requests of one client reach it.

use url::Url;

use super::wire::Wire;
use crate::auth::TokenCache;
use crate::pace::Pace;
use crate::retry::RetryPolicy;

/// Where requests go, on which connections, with which tokens, how often they are tried and how fast.
pub(crate) struct Service {
    pub(crate) base_url: Url,
    pub(crate) wire: Wire,
    pub(crate) tokens: TokenCache,
    pub(crate) retry: RetryPolicy,
    pub(crate) pace: Option<Pace>,
}
