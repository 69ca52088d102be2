//! A verified callback: what it says, and what of it is proven.
//!
//! The query was signed, so what is read from it is what the service sent. The body was **not**; it
//! is in a type of its own ([`UnverifiedBody`]). Neither was the `event-delivery` header.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::body::UnverifiedBody;
use super::failure::PaymentFailure;
use super::params::Params;
use crate::ids::{AccountId, SessionId, TransactionId};
use crate::types::TransactionEventName;

/// The header with the id of the delivery. It is not signed.
pub const DELIVERY_HEADER: &str = "event-delivery";

/// A callback whose signature was verified by a [`Verifier`](super::Verifier), which alone makes it.
///
/// It tells that something happened, not what is true now: callbacks come at least once and in any
/// order. Read the transaction before acting on it.
#[derive(Clone)]
pub struct Callback {
    account: AccountId,
    method: Method,
    path: String,
    signed_at: u64,
    params: Params,
    transaction_id: Option<TransactionId>,
    session_id: Option<SessionId>,
    delivery: Option<String>,
    body: Option<UnverifiedBody>,
    received: Instant,
}

/// How long after its arrival a response to a callback should be ready. The service waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

impl Callback {
    pub(crate) fn new(
        account: AccountId,
        method: Method,
        path: String,
        signed_at: u64,
        params: Params,
        headers: &HeaderMap,
    ) -> Self {
        Self {
            transaction_id: params.transaction_id(),
            session_id: params.session_id(),
            account,
            method,
            path,
            signed_at,
            params,
            delivery: delivery_id(headers),
            body: None,
            received: Instant::now(),
        }
    }

    /// What is left of the time in which a response is of use: eight seconds, of the ten that the service waits.
    /// Once that is over, the service has given up on this delivery, and nobody waits any longer: all of it again.
    pub(crate) fn patience(&self) -> Duration {
        match PATIENCE.saturating_sub(self.received.elapsed()) {
            Duration::ZERO => PATIENCE,
            left => left,
        }
    }

    /// Returns the account that the callback is of, the verifier's.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the method it came with.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path as it was signed, with the base URL's prefix.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns when it was signed, to the second.
    #[must_use]
    pub fn signed_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(i64::try_from(self.signed_at).ok()?, 0)
    }

    /// Returns the transaction it is about. Absent when a payment ended before there was one (with `report_error`);
    /// also when what stands there is no id, or two different ones do.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&TransactionId> {
        self.transaction_id.as_ref()
    }

    /// Returns the session it is about, by the name `session_id`, `sid`, or the one chosen by `sid_parameter_name`.
    #[must_use]
    pub fn session_id(&self) -> Option<&SessionId> {
        self.session_id.as_ref()
    }

    /// Returns the merchant's reference of the order.
    #[must_use]
    pub fn merchant_reference(&self) -> Option<&str> {
        self.params.filled("merchant_reference")
    }

    /// Returns `time` as the service gave it; none if it is no ISO 8601 time.
    #[must_use]
    pub fn time(&self) -> Option<DateTime<Utc>> {
        self.params.time()
    }

    /// Returns why the payment failed, with `report_error`.
    #[must_use]
    pub fn error(&self) -> Option<PaymentFailure> {
        self.params.filled("error").map(PaymentFailure::read)
    }

    /// Returns the event reported, with `report_event`; none for the payment itself.
    #[must_use]
    pub fn event(&self) -> Option<TransactionEventName> {
        self.params.filled("event").map(TransactionEventName::read)
    }

    /// Returns the id of the event within its transaction.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.params.filled("event_id")
    }

    /// Returns all parameters of the query, proven to be the sender's.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Returns the id of this delivery, from the header `event-delivery`. **Not signed.**
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// Adds the body that came with the request. It stays unverified.
    #[must_use]
    pub fn with_unverified_body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.body = (!body.is_empty()).then(|| UnverifiedBody::new(body));
        self
    }

    /// Returns the body, if there was one. **Not signed**: anyone who saw the URL can send another one.
    #[must_use]
    pub fn unverified_body(&self) -> Option<&UnverifiedBody> {
        self.body.as_ref()
    }

    /// What of a callback is kept to handle it later: everything but the body, of which nothing is proven.
    pub(crate) fn to_stored(&self) -> Option<Value> {
        serde_json::to_value(Stored {
            account: self.account.as_str().to_owned(),
            method: self.method.as_str().to_owned(),
            path: self.path.clone(),
            signed_at: self.signed_at,
            params: self.params.pairs().to_vec(),
            delivery: self.delivery.clone(),
        })
        .ok()
    }

    /// A callback that was verified and kept before.
    pub(crate) fn from_stored(value: &Value) -> Option<Self> {
        let stored: Stored = Stored::deserialize(value).ok()?;
        let account = AccountId::new(&stored.account).ok()?;
        let method = Method::from_bytes(stored.method.as_bytes()).ok()?;
        let params = Params::new(stored.params);
        let none = HeaderMap::new();
        let callback = Self::new(account, method, stored.path, stored.signed_at, params, &none);
        Some(Self { delivery: stored.delivery, ..callback })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    account: String,
    method: String,
    path: String,
    signed_at: u64,
    params: Vec<(String, String)>,
    delivery: Option<String>,
}

/// The delivery id of a request, if it has a readable one. The same one sent twice by a proxy is one.
pub(crate) fn delivery_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(DELIVERY_HEADER)?.to_str().ok()?;
    let mut members = text.split(',').map(str::trim);
    let first = members.next().filter(|first| !first.is_empty())?;
    Some(if members.all(|other| other == first) { first } else { text.trim() }.to_owned())
}

impl fmt::Debug for Callback {
    // Own parameters, references and the body may hold a customer's data, the path a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("account", &self.account)
            .field("method", &self.method)
            .field("signed_at", &self.signed_at)
            .field("transaction_id", &self.transaction_id)
            .field("session_id", &self.session_id)
            .field("params", &self.params)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
