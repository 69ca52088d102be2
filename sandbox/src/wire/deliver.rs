//! Delivering callbacks: signed, again and again until there is a response, in the order and number
//! that a test asks for, when the sandbox's clock says so.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::Method;
use url::Url;

use super::outbound::{Outgoing, refusal};
use super::server::Shared;
use super::sign::sign;
use crate::state::clock::Wait;
use crate::state::delivery::{Notice, Pending};

/// Attempts after the first.
const RETRIES: usize = 20;
/// How long a merchant may take to respond.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Shared {
    /// Takes up the callbacks that were caused.
    pub(crate) fn send_callbacks(self: &Arc<Self>) {
        let mut state = self.state();
        if state.unwritable.is_some() {
            // What a callback tells of would be gone after a restart.
            return;
        }
        for notice in std::mem::take(&mut state.outbox) {
            if let Some(held) = &mut state.delivery.held {
                held.push_back(notice);
            } else if let Some(reason) = refusal(&notice.url, &self.allowed) {
                state.delivery.done(notice, Vec::new(), Some(reason));
                state.keep();
            } else {
                let delay = Duration::from_secs(notice.delay).saturating_add(state.delivery.delay);
                let pending = Pending { due: state.clock.after(delay), notice, attempts: Vec::new() };
                state.delivery.pending.insert(pending.notice.delivery.clone(), pending.clone());
                self.runtime.spawn(deliver(Arc::clone(self), pending));
            }
        }
    }

    /// Sends the callbacks that were kept back, one after the other; returns when all of them are done with.
    pub(crate) async fn release_callbacks(self: &Arc<Self>, reversed: bool) {
        let held = self.change(|state| state.delivery.held.take());
        let mut held: Vec<_> = held.into_iter().flatten().collect();
        if reversed {
            held.reverse();
        }
        for notice in held {
            self.act(|state| state.outbox.push(notice));
            self.callbacks_delivered().await;
        }
    }

    /// Returns when no callback is under way any more.
    pub(crate) async fn callbacks_delivered(&self) {
        let mut changes = self.changes.subscribe();
        while !self.state().delivery.pending.is_empty() {
            let _ = changes.changed().await;
        }
    }

    /// Takes up callbacks that were under way when the process ended.
    pub(crate) fn resume_callbacks(self: &Arc<Self>) {
        for pending in self.state().delivery.pending.values() {
            self.runtime.spawn(deliver(Arc::clone(self), pending.clone()));
        }
    }

    /// Waits for a time of the sandbox's clock.
    pub(crate) async fn until(&self, due: DateTime<Utc>) {
        let mut changes = self.state().clock.changes();
        loop {
            let wait = self.state().clock.wait(due);
            match wait {
                Wait::Over => return,
                Wait::Forever => drop(changes.changed().await),
                Wait::For(left) => {
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        _ = changes.changed() => {}
                    }
                }
            }
        }
    }
}

/// Sends a callback until the response is anything but 5xx, with its copies after it.
pub(crate) async fn deliver(shared: Arc<Shared>, pending: Pending) {
    let Pending { notice, mut attempts, mut due } = pending;
    let (pause, copies) = {
        let state = shared.state();
        (state.delivery.retry_pause, state.delivery.copies)
    };
    while attempts.len() <= RETRIES {
        shared.until(due).await;
        let status = attempt_once(&shared, &notice).await;
        attempts.push(status);
        if status.is_some_and(|status| status < 500) {
            break;
        }
        due = shared.state().clock.after(pause);
        let wanted = shared.change(|state| {
            let pending = state.delivery.pending.get_mut(&notice.delivery)?;
            pending.attempts.clone_from(&attempts);
            pending.due = due;
            Some(())
        });
        if wanted.is_none() {
            // The sandbox was reset.
            return;
        }
    }
    for _ in 0..copies {
        attempts.push(attempt_once(&shared, &notice).await);
    }
    shared.change(|state| state.delivery.done(notice, attempts, None));
}

async fn attempt_once(shared: &Shared, notice: &Notice) -> Option<u16> {
    let method = Method::from_bytes(notice.method.as_bytes()).ok()?;
    let mut headers = vec![("event-delivery", notice.delivery.clone())];
    headers.extend(signature(shared, &method, &notice.url).map(|value| ("dintero-signature", value)));
    let request = Outgoing { method: &method, url: &notice.url, headers, body: notice.body.as_deref() };
    tokio::time::timeout(TIMEOUT, request.send()).await.ok()?.ok().map(|(status, _)| status)
}

/// Each attempt is signed again, for its own time: the system's, by which the merchant's server judges it, unless a
/// test wants the sandbox's.
pub(super) fn signature(shared: &Shared, method: &Method, url: &Url) -> Option<String> {
    let state = shared.state();
    let secret = state.delivery.secret.as_deref()?;
    let time = if state.delivery.signs_sandbox_time { state.clock.now() } else { Utc::now() };
    sign(secret, time.timestamp(), &state.config.account_id, method, url)
}
