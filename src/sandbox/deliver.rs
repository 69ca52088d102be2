//! Delivering callbacks: signed, again and again until they are answered, in the order and number
//! that a test asks for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::notify::Notice;
use super::outbound::Outgoing;
use super::server::Shared;
use crate::AccountId;
use crate::callback::{SigningSecret, sign};

/// Attempts after the first.
const RETRIES: u32 = 20;
/// How long a merchant may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How callbacks are delivered, and what has become of them.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) secret: Option<String>,
    /// Additional times that each callback is sent although it was answered well.
    pub(super) copies: u32,
    /// Pause before each first attempt, on top of what the address asks for.
    pub(super) delay: Duration,
    /// Pause before each further attempt.
    pub(super) retry_pause: Duration,
    /// Callbacks wait here until they are released.
    pub(super) held: Option<VecDeque<Notice>>,
    pub(super) delivered: Vec<DeliveredCallback>,
    /// Deliveries under way.
    pub(super) running: usize,
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
    /// The status of each attempt in order; `None` where there was no answer.
    pub attempts: Vec<Option<u16>>,
}

/// Sends a callback until it is answered with anything but 5xx, with its copies after it.
pub(super) async fn deliver(shared: Arc<Shared>, notice: Notice) {
    let (delay, pause, copies) = {
        let state = shared.state();
        let asked = Duration::from_secs(notice.delay);
        (asked.saturating_add(state.delivery.delay), state.delivery.retry_pause, state.delivery.copies)
    };
    tokio::time::sleep(delay).await;
    let mut attempts = Vec::new();
    for attempt in 0..=RETRIES {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
        }
        let status = attempt_once(&shared, &notice).await;
        attempts.push(status);
        if status.is_some_and(|status| status < 500) {
            break;
        }
    }
    for _ in 0..copies {
        attempts.push(attempt_once(&shared, &notice).await);
    }
    let mut state = shared.state();
    state.delivery.running = state.delivery.running.saturating_sub(1);
    state.delivery.delivered.push(DeliveredCallback {
        delivery: notice.delivery,
        method: notice.method.to_string(),
        url: notice.url,
        attempts,
    });
}

async fn attempt_once(shared: &Shared, notice: &Notice) -> Option<u16> {
    let mut headers = vec![("event-delivery", notice.delivery.clone())];
    headers.extend(signature(shared, notice).map(|signature| ("dintero-signature", signature)));
    let request = Outgoing { method: &notice.method, url: &notice.url, headers, body: notice.body.as_deref() };
    tokio::time::timeout(TIMEOUT, request.status()).await.ok()?.ok()
}

/// Each attempt is signed anew, for its own time.
fn signature(shared: &Shared, notice: &Notice) -> Option<String> {
    let state = shared.state();
    let secret = SigningSecret::new(SecretString::from(state.delivery.secret.clone()?)).ok()?;
    let account: AccountId = state.config.account_id.parse().ok()?;
    let seconds = u64::try_from(state.clock.now().timestamp()).unwrap_or_default();
    Some(sign(&secret, seconds, &account, &notice.method, &notice.url))
}
