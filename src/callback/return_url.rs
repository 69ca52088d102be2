//! The query that the customer's browser brings back to `return_url`.
//!
//! It is **not signed**: the customer can write anything into it. It is good for finding the order to
//! show and for asking the service about it, for nothing else.

use std::fmt;

use super::canonical::{sorted_pairs, split_target};
use super::failure::PaymentFailure;
use super::params::Params;
use crate::ids::TransactionId;

/// The unsigned query of a return to `return_url`.
///
/// Deliver nothing on the strength of it: read the transaction from the service and look at its status.
/// The redirect and the callback arrive together;
/// [`Journal::once`](crate::store::Journal::once) with [`Work::action`](crate::store::Work::action) lets one of them
/// do the work.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsignedReturn {
    params: Params,
    transaction_id: Option<TransactionId>,
}

impl UnsignedReturn {
    /// Reads the query of a request target or an absolute URL. A target without a query has no
    /// parameters.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        Self::from_query(split_target(url).1)
    }

    /// Reads a raw query, without its `?`.
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let params = Params::new(sorted_pairs(query));
        Self { transaction_id: params.transaction_id(), params }
    }

    /// Returns the transaction it claims to be about, if that is an id. The client refuses one of another account, but
    /// a customer can still bring the id of another order of yours: compare the transaction's `merchant_reference` with
    /// the order's.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&TransactionId> {
        self.transaction_id.as_ref()
    }

    /// Returns the order it claims to be about.
    #[must_use]
    pub fn merchant_reference(&self) -> Option<&str> {
        self.params.filled("merchant_reference")
    }

    /// Returns why the payment failed, as it claims.
    #[must_use]
    pub fn error(&self) -> Option<PaymentFailure> {
        self.params.filled("error").map(PaymentFailure::read)
    }

    /// Returns all parameters, none of them proven.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }
}

impl fmt::Debug for UnsignedReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedReturn")
            .field("transaction_id", &self.transaction_id)
            .field("error", &self.error())
            .field("params", &self.params)
            .finish()
    }
}
