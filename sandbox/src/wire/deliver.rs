//! Delivering callbacks: signed, again and again until there is a response, in the order and number
//! that a test asks for.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use url::Url;

use super::outbound::{Outgoing, refusal};
use super::server::Shared;
use super::sign::sign;
use crate::state::delivery::{DeliveredCallback, Notice};

/// Attempts after the first.
const RETRIES: u32 = 20;
/// How long a merchant may take to respond.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Shared {
    /// Takes up the callbacks that were caused.
    pub(crate) fn send_callbacks(self: &Arc<Self>) {
        let mut state = self.state();
        for notice in std::mem::take(&mut state.outbox) {
            if let Some(held) = &mut state.delivery.held {
                held.push_back(notice);
            } else if let Some(reason) = refusal(&notice.url, &self.allowed) {
                state.delivery.delivered.push(report(notice, Vec::new(), Some(reason)));
            } else {
                state.delivery.running = state.delivery.running.saturating_add(1);
                self.runtime.spawn(deliver(Arc::clone(self), notice));
            }
        }
    }
}

fn report(notice: Notice, attempts: Vec<Option<u16>>, not_sent: Option<String>) -> DeliveredCallback {
    DeliveredCallback {
        delivery: notice.delivery,
        method: notice.method.to_string(),
        url: notice.url,
        attempts,
        not_sent,
    }
}

/// Sends a callback until the response is anything but 5xx, with its copies after it.
async fn deliver(shared: Arc<Shared>, notice: Notice) {
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
    state.delivery.delivered.push(report(notice, attempts, None));
}

async fn attempt_once(shared: &Shared, notice: &Notice) -> Option<u16> {
    let mut headers = vec![("event-delivery", notice.delivery.clone())];
    headers.extend(signature(shared, &notice.method, &notice.url).map(|value| ("dintero-signature", value)));
    let request = Outgoing { method: &notice.method, url: &notice.url, headers, body: notice.body.as_deref() };
    tokio::time::timeout(TIMEOUT, request.send()).await.ok()?.ok().map(|(status, _)| status)
}

/// Each attempt is signed anew, for its own time.
pub(super) fn signature(shared: &Shared, method: &Method, url: &Url) -> Option<String> {
    let state = shared.state();
    let secret = state.delivery.secret.as_deref()?;
    sign(secret, state.clock.now().timestamp(), &state.config.account_id, method, url)
}
