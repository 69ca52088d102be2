//! Callbacks that are to be delivered, how, and what has become of them. Sending is in `wire`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// A callback to be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The unique id of the delivery.
    pub(crate) delivery: String,
    pub(crate) url: Url,
    pub(crate) method: String,
    pub(crate) body: Option<String>,
    /// Seconds to wait before the first attempt.
    pub(crate) delay: u64,
}

/// A callback that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) notice: Notice,
    pub(crate) attempts: Vec<Option<u16>>,
    /// When the next attempt is due, by the sandbox's clock.
    pub(crate) due: DateTime<Utc>,
}

impl Pending {
    /// How it stands.
    pub(crate) fn report(&self) -> DeliveredCallback {
        self.notice.report(self.attempts.clone(), None)
    }
}

impl Notice {
    /// What became of it.
    pub(crate) fn report(&self, attempts: Vec<Option<u16>>, not_sent: Option<String>) -> DeliveredCallback {
        DeliveredCallback {
            delivery: self.delivery.clone(),
            method: self.method.clone(),
            url: self.url.clone(),
            attempts,
            not_sent,
        }
    }
}

/// How callbacks are delivered, and what has become of them.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) secret: Option<String>,
    /// Signatures carry the sandbox's time in place of the system's.
    pub(crate) signs_sandbox_time: bool,
    /// Additional times that each callback is sent although it got a 2xx response.
    pub(crate) copies: u32,
    /// Pause before each first attempt, on top of what the address asks for.
    pub(crate) delay: Duration,
    /// Pause before each further attempt.
    pub(crate) retry_pause: Duration,
    /// Callbacks wait here until they are released.
    pub(crate) held: Option<VecDeque<Notice>>,
    /// Deliveries under way, by the id of the delivery.
    pub(crate) pending: BTreeMap<String, Pending>,
    pub(crate) delivered: Vec<DeliveredCallback>,
    /// How many of the delivered have been written down.
    pub(crate) kept: usize,
    /// What was sent, so that it can be sent again: by the id of the delivery.
    pub(crate) sent: BTreeMap<String, Notice>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            secret: Some("sandbox-signature-secret".into()),
            signs_sandbox_time: false,
            copies: 0,
            delay: Duration::ZERO,
            retry_pause: Duration::from_millis(20),
            held: None,
            pending: BTreeMap::new(),
            delivered: Vec::new(),
            kept: 0,
            sent: BTreeMap::new(),
        }
    }
}

impl Delivery {
    /// Notes that a callback is done with, one way or the other.
    pub(crate) fn done(&mut self, notice: Notice, attempts: Vec<Option<u16>>, not_sent: Option<String>) {
        self.pending.remove(&notice.delivery);
        self.delivered.push(notice.report(attempts, not_sent));
        self.sent.insert(notice.delivery.clone(), notice);
    }
}

/// What became of a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeliveredCallback {
    /// The value of the `event-delivery` header, the same at each attempt and in each copy.
    pub delivery: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Where it went, with everything that was added to the merchant's address.
    pub url: Url,
    /// The status of each attempt in order; `None` where there was no response.
    pub attempts: Vec<Option<u16>>,
    /// Why the callback was not sent at all, if it was not.
    pub not_sent: Option<String>,
}
