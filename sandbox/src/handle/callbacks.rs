//! The test's side of callbacks: who signs, how often, when, in which order, and what came of it.

use std::time::Duration;

use url::Url;

use super::Sandbox;
use crate::rules::notify::{self, return_url};
use crate::state::delivery::{DeliveredCallback, Pending};

/// Callbacks. A session whose `url.callback_url` is plain http on loopback, or on a host that was allowed, gets them
/// as the service sends them, options and all. A callback to another address is not sent, and
/// [`callbacks`](Sandbox::callbacks) says why.
impl Sandbox {
    /// Returns the secret that callbacks are signed with.
    #[must_use]
    pub fn signature_secret(&self) -> Option<String> {
        self.shared.state().delivery.secret.clone()
    }

    /// Signs callbacks with another secret from now on, or not at all.
    pub fn set_signature_secret(&self, secret: Option<&str>) {
        self.shared.change(|state| state.delivery.secret = secret.map(str::to_owned));
    }

    /// Sends each callback this many more times, although it got a 2xx response, as at-least-once
    /// delivery may.
    pub fn duplicate_callbacks(&self, copies: u32) {
        self.shared.change(|state| state.delivery.copies = copies);
    }

    /// Lets signatures carry the sandbox's time, so that a stopped or advanced clock shows in them. They carry the
    /// system's unless set: the merchant's server refuses signatures of another time.
    pub fn sign_with_sandbox_time(&self, on: bool) {
        self.shared.change(|state| state.delivery.signs_sandbox_time = on);
    }

    /// Waits this long before each callback, by the sandbox's clock.
    pub fn delay_callbacks(&self, by: Duration) {
        self.shared.change(|state| state.delivery.delay = by);
    }

    /// Sets the pause, by the sandbox's clock, between attempts at a callback that got a 5xx response or none; 20 ms
    /// unless set, so that tests need not wait as merchants do. There are 20 further attempts.
    pub fn set_callback_retry_pause(&self, pause: Duration) {
        self.shared.change(|state| state.delivery.retry_pause = pause);
    }

    /// Keeps callbacks back until [`release_callbacks`](Self::release_callbacks).
    pub fn hold_callbacks(&self) {
        self.shared.state().delivery.held.get_or_insert_default();
    }

    /// Sends the callbacks that were kept back, one after the other, newest first if `reversed`;
    /// returns when all of them have been delivered or given up.
    pub async fn release_callbacks(&self, reversed: bool) {
        self.shared.release_callbacks(reversed).await;
    }

    /// Returns when no callback is under way any more; those kept back do not count. One that waits for the
    /// sandbox's clock is under way: with a stopped clock, [`advance`](Self::advance) it from another task.
    pub async fn callbacks_delivered(&self) {
        self.shared.callbacks_delivered().await;
    }

    /// Sends a callback that has ended again, under the same delivery id; `false` when there is none.
    pub fn send_again(&self, delivery: &str) -> bool {
        self.shared.act(|state| notify::again(state, delivery))
    }

    /// Returns the callbacks so far with their responses, in the order in which they ended.
    #[must_use]
    pub fn callbacks(&self) -> Vec<DeliveredCallback> {
        self.shared.state().delivery.delivered.clone()
    }

    /// Returns the callbacks under way, with the attempts so far; those kept back are not among them.
    #[must_use]
    pub fn callbacks_under_way(&self) -> Vec<DeliveredCallback> {
        self.shared.state().delivery.pending.values().map(Pending::report).collect()
    }

    /// Returns the address that the customer is sent back to: the session's `return_url` with what the service adds,
    /// unsigned. `error` is `cancelled`, `authorization` or `failed` where the payment ended so.
    #[must_use]
    pub fn return_url(&self, session_id: impl AsRef<str>) -> Option<Url> {
        let state = self.shared.state();
        let session = state.sessions.get(session_id.as_ref())?;
        return_url(&session)
    }
}
