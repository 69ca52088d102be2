//! An attempt: everything that is needed to find out later what became of a money call.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::Operation;
use crate::error::event_request_id;
use crate::ids::{AccountId, SessionId, TransactionId};

/// How long a request may hang in a gateway and still arrive, unless the call itself could take longer.
const SETTLE: Duration = Duration::from_secs(60);

/// The money calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "capture_transaction")]
    Capture,
    #[serde(rename = "refund_transaction")]
    Refund,
    #[serde(rename = "void_transaction")]
    Void,
    #[serde(rename = "update_authorization")]
    Authorization,
    #[serde(rename = "pay_session")]
    Pay,
    #[serde(rename = "cancel_session")]
    Cancel,
}

impl Kind {
    /// The call that it is.
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Capture => Operation::CaptureTransaction,
            Self::Refund => Operation::RefundTransaction,
            Self::Void => Operation::VoidTransaction,
            Self::Authorization => Operation::UpdateAuthorization,
            Self::Pay => Operation::PaySession,
            Self::Cancel => Operation::CancelSession,
        }
    }
}

/// What a money call is made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    Transaction(TransactionId),
    Session(SessionId),
    /// A payment makes its own session and transaction.
    Account(String),
}

/// One try of a money call, by everything that is needed to find out later what became of it.
///
/// The requests of the money calls make it, for example
/// [`CaptureTransactionCall::attempt`](crate::calls::CaptureTransactionCall::attempt). Stored before the request is
/// awaited (it is [`Serialize`]), it keeps what a dropped future or a crashed process would lose, and
/// [`Client::resolve`](crate::Client::resolve) can find out. It also comes back with every outcome:
/// [`Verdict::attempt`](crate::Verdict::attempt), [`Error::attempt`](crate::Error::attempt).
///
/// Its clock starts when it is made: the call ends at [`until`](Self::until) at the latest, so that a stored attempt
/// is a bound even if storing it took long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub(crate) operation: Kind,
    pub(crate) target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// Whether this crate generated the reference, so that nobody else has it.
    #[serde(default)]
    pub(crate) generated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    /// The earliest moment at which it can have been sent.
    pub(crate) begun_at: DateTime<Utc>,
    /// The last moment at which something of it can leave us.
    pub(crate) until: DateTime<Utc>,
    /// How long the call may take altogether, in milliseconds.
    pub(crate) timeout_ms: u64,
    /// How long after `until` it may still arrive, in milliseconds, where the caller has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settle_ms: Option<u64>,
    /// Whether the service responded with 202.
    #[serde(default)]
    pub(crate) accepted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_request_id: Option<String>,
    /// What the response called the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) request_ids: Vec<String>,
    /// The monotonic clock at `begun_at`, in the process that made the attempt.
    #[serde(skip)]
    pub(crate) anchor: Anchor,
}

/// A moment of the monotonic clock, which means nothing outside of its process: all are equal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anchor(pub(crate) Option<Instant>);

impl PartialEq for Anchor {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Anchor {}

impl Attempt {
    /// An attempt that nothing has become of yet.
    pub(crate) fn begun(
        operation: Kind,
        target: Target,
        begun_at: DateTime<Utc>,
        timeout: Duration,
        anchor: Anchor,
    ) -> Self {
        Self {
            operation,
            target,
            reference: None,
            generated: false,
            amount: None,
            begun_at,
            until: later(begun_at, timeout),
            timeout_ms: milliseconds(timeout),
            settle_ms: None,
            accepted: false,
            event_request_id: None,
            request_ids: Vec::new(),
            anchor,
        }
    }

    /// Returns the call.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation.operation()
    }

    /// Returns the transaction that is captured, refunded, voided or authorized again.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&TransactionId> {
        match &self.target {
            Target::Transaction(id) => Some(id),
            Target::Session(_) | Target::Account(_) => None,
        }
    }

    /// Returns the session that is cancelled.
    #[must_use]
    pub fn session_id(&self) -> Option<&SessionId> {
        match &self.target {
            Target::Session(id) => Some(id),
            Target::Transaction(_) | Target::Account(_) => None,
        }
    }

    /// Returns the id of the account that the call is made on.
    #[must_use]
    pub fn account(&self) -> &str {
        match &self.target {
            Target::Transaction(id) => id.account().as_str(),
            Target::Session(id) => id.account().as_str(),
            Target::Account(id) => id,
        }
    }

    /// Returns what the call is found by: its `capture_reference`, `refund_reference` or authorization `reference`, or
    /// the `merchant_reference` of a payment. A void and a cancellation have none.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// Returns the amount, in minor units, where the call has one.
    #[must_use]
    pub fn amount(&self) -> Option<i64> {
        self.amount
    }

    /// Returns the earliest moment at which it can have been sent.
    #[must_use]
    pub fn begun_at(&self) -> DateTime<Utc> {
        self.begun_at
    }

    /// Returns the last moment at which something of it can leave this client.
    #[must_use]
    pub fn until(&self) -> DateTime<Utc> {
        self.until
    }

    /// Returns what the event of the operation will carry as `correlation_request_id`, once the service has accepted
    /// the call with 202 and said so.
    #[must_use]
    pub fn event_request_id(&self) -> Option<&str> {
        self.event_request_id.as_deref()
    }

    /// Sets the earliest moment at which it can have been sent. For an attempt that is made again after a crash, to
    /// resolve what may have been sent before it.
    #[must_use]
    pub fn since(mut self, begun_at: DateTime<Utc>) -> Self {
        self.begun_at = self.begun_at.min(begun_at);
        // The monotonic clock knows nothing of the time before.
        self.anchor = Anchor::default();
        self
    }

    /// Returns how long after [`until`](Self::until) the request may still arrive: what
    /// [`Once::settle`](crate::calls::Once::settle) has set, or as long as the call itself could take, and 60 s at least,
    /// since a request may hang in a gateway for a minute.
    #[must_use]
    pub fn settle(&self) -> Duration {
        self.settle_ms.map_or_else(|| SETTLE.max(Duration::from_millis(self.timeout_ms)), Duration::from_millis)
    }

    /// Sets how long after its end the request may still arrive.
    pub(crate) fn settling(mut self, settle: Option<Duration>) -> Self {
        self.settle_ms = settle.map(milliseconds).or(self.settle_ms);
        self
    }

    /// The same, of which nothing can be on its way: to look for the traces of its reference.
    pub(crate) fn settled(&self) -> Self {
        Self { until: DateTime::UNIX_EPOCH, settle_ms: Some(0), ..self.clone() }
    }

    /// The time now, on the attempt's own clock: in the process that made it, a clock that is set back or forth
    /// changes nothing. `wall` is the time of day.
    pub(crate) fn now(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        match self.anchor.0 {
            Some(anchor) => later(self.begun_at, anchor.elapsed()),
            None => wall,
        }
    }

    /// Takes over what the response to the call says of it.
    /// `request_id` is what the service, or a gateway before it, calls the request.
    pub(crate) fn responded(&mut self, status: StatusCode, headers: &HeaderMap, request_id: Option<&str>) {
        self.request_ids.extend(request_id.map(str::to_owned));
        if status == StatusCode::ACCEPTED {
            self.accepted = true;
            self.event_request_id = event_request_id(headers).map(str::to_owned);
        }
    }

    /// Whether an id of a request is one of this call.
    pub(crate) fn is_request(&self, id: &str) -> bool {
        self.event_request_id.as_deref() == Some(id) || self.request_ids.iter().any(|own| own == id)
    }

    /// Whether a correlation names another accepted request than this one, under a reference that others may have.
    pub(crate) fn is_other(&self, correlation: Option<&str>) -> bool {
        let correlation = correlation.map(str::trim).filter(|id| !id.is_empty());
        !self.generated && matches!((&self.event_request_id, correlation), (Some(own), Some(theirs)) if own != theirs)
    }

    /// Whether an id, of a transaction or a session, is one of the attempt's account.
    pub(crate) fn is_below_account(&self, id: &str) -> bool {
        id.strip_prefix(self.account()).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Whether the account is the client's.
    pub(crate) fn is_of(&self, account: &AccountId) -> bool {
        self.account() == account.as_str()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A moment and a time on; the end of time where that cannot be told.
pub(crate) fn later(moment: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    moment.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
