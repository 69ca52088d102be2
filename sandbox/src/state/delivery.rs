//! Callbacks that are to be delivered, how, and what has become of them. Sending is in `wire`.

use std::collections::VecDeque;
use std::time::Duration;

use url::Url;

/// A callback to be delivered.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// The unique id of the delivery.
    pub(crate) delivery: String,
    pub(crate) url: Url,
    pub(crate) method: http::Method,
    pub(crate) body: Option<String>,
    /// Seconds to wait before the first attempt.
    pub(crate) delay: u64,
}

/// How callbacks are delivered, and what has become of them.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) secret: Option<String>,
    /// Additional times that each callback is sent although it was answered well.
    pub(crate) copies: u32,
    /// Pause before each first attempt, on top of what the address asks for.
    pub(crate) delay: Duration,
    /// Pause before each further attempt.
    pub(crate) retry_pause: Duration,
    /// Callbacks wait here until they are released.
    pub(crate) held: Option<VecDeque<Notice>>,
    pub(crate) delivered: Vec<DeliveredCallback>,
    /// Deliveries under way.
    pub(crate) running: usize,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            secret: Some("sandbox-signature-secret".into()),
            copies: 0,
            delay: Duration::ZERO,
            retry_pause: Duration::from_millis(20),
            held: None,
            delivered: Vec::new(),
            running: 0,
        }
    }
}

/// What became of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
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
