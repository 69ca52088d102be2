//! The test's side of the handle: faults, changed responses, time, and what the server counted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Sandbox;
use crate::operation::Operation;
use crate::state::State;
use crate::state::fault::Fault;
use crate::state::log::{Execution, ReceivedRequest, UnknownField};
use crate::state::transaction::Includes;

/// Why a sandbox is not reset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ResetError(String);

/// Between two looks at something that the sandbox's own thread is about to do.
const MOMENT: Duration = Duration::from_millis(2);
/// Looks after which it is not worth waiting further.
const MOMENTS: usize = 500;

/// Faults.
impl Sandbox {
    /// Injects a fault into the next request to this call. Faults for one call strike in the order in which they were
    /// injected.
    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.inject_times(operation, 1, fault);
    }

    /// Injects a fault into the next `times` requests to this call.
    pub fn inject_times(&self, operation: Operation, times: u32, fault: Fault) {
        self.shared.state().plan.add(operation, Some(times), fault);
    }

    /// Injects a fault into every request to this call, until [`clear_faults`](Self::clear_faults).
    pub fn inject_always(&self, operation: Operation, fault: Fault) {
        self.shared.state().plan.add(operation, None, fault);
    }

    /// Asks for every request that no other fault is planned for whether it is to meet one. A
    /// fault chosen here comes after the request was read.
    pub fn inject_with(&self, chooser: impl FnMut(&ReceivedRequest) -> Option<Fault> + Send + 'static) {
        self.shared.state().plan.add_chooser(Arc::new(Mutex::new(chooser)));
    }

    /// Injects a fault into requests to this call, or to any call where none is named, at a rate between 0 and 1. With
    /// a [`seed`](crate::SandboxBuilder::seed), the same requests in the same order meet it.
    pub fn inject_at_rate(&self, operation: Option<Operation>, rate: f64, fault: Fault) {
        self.shared.state().plan.add_rate(operation, rate, fault);
    }

    /// Forgets all faults still to come.
    pub fn clear_faults(&self) {
        self.shared.state().plan.clear();
    }

    /// Shuts the port: open connections are reset, new ones refused. Returns when it is shut and
    /// clients in other tasks have had a moment to notice that their idle connections are gone.
    pub async fn refuse_connections(&self) {
        self.wanted.send_replace(false);
        let mut open = self.open.clone();
        let _ = open.wait_for(|open| !open).await;
        self.reset_connections();
        for _ in 0..MOMENTS {
            tokio::time::sleep(MOMENT).await;
            if !self.shared.lines.any_open() {
                break;
            }
        }
        tokio::time::sleep(MOMENT).await;
    }

    /// Opens the port again. Returns when it is open.
    pub async fn accept_connections(&self) {
        self.wanted.send_replace(true);
        let mut open = self.open.clone();
        let _ = open.wait_for(|open| *open).await;
    }

    /// Resets all open connections, idle ones in clients' pools among them.
    pub fn reset_connections(&self) {
        self.shared.lines.reset_all();
    }

    /// Responds with 401 to all tokens issued so far, from now on.
    pub fn revoke_tokens(&self) {
        self.shared.change(State::revoke_tokens);
    }

    /// Sets `expires_in` of the tokens issued from now on, in seconds.
    pub fn set_token_lifetime(&self, seconds: u64) {
        self.shared.change(|state| state.token_lifetime = seconds);
    }
}

/// Changed responses.
impl Sandbox {
    /// Applies a function to the body of every successful response of this call, until
    /// [`clear_patches`](Self::clear_patches).
    pub fn patch_response(&self, operation: Operation, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.shared.state().patches.add(operation, Arc::new(change));
    }

    /// Merges JSON (RFC 7396: `null` removes a field) into the body of every successful response
    /// of this call, until [`clear_patches`](Self::clear_patches).
    pub fn merge_into_response(&self, operation: Operation, patch: Value) {
        self.shared.change(|state| state.patches.merge(operation, patch));
    }

    /// Removes all changes to responses.
    pub fn clear_patches(&self) {
        self.shared.state().patches.clear();
    }
}

/// Time. It runs with the system's unless it is stopped. It tells when tokens and sessions end, what `created_at`
/// says, and when delayed responses, callbacks and their retries are due.
impl Sandbox {
    /// Stops the sandbox's clock at this time.
    pub fn stop_clock(&self, at: DateTime<Utc>) {
        self.shared.state().clock.stop_at(at);
    }

    /// Lets a stopped clock run again, from the time at which it stands.
    pub fn run_clock(&self) {
        self.shared.state().clock.run();
    }

    /// Puts the sandbox's clock forward. What becomes due is done at once.
    pub fn advance(&self, by: Duration) {
        self.shared.state().clock.advance(by);
    }
}

/// What the server counted.
impl Sandbox {
    /// Returns the number of requests to this call that were read to their end, whatever became of them.
    #[must_use]
    pub fn received(&self, operation: Operation) -> u64 {
        self.shared.state().log.received(operation)
    }

    /// Returns how often this call was carried out; for calls that write. A payment that was declined counts, a capture
    /// or refund that failed does not, one that was accepted counts when it is settled.
    #[must_use]
    pub fn executed(&self, operation: Operation) -> u64 {
        self.shared.state().log.executed(operation)
    }

    /// Returns all that was carried out, in order.
    #[must_use]
    pub fn executions(&self) -> Vec<Execution> {
        self.shared.state().log.executions.clone()
    }

    /// Returns what was carried out under this reference: see [`Execution::reference`].
    #[must_use]
    pub fn executions_of(&self, reference: &str) -> Vec<Execution> {
        self.shared.state().log.executions_of(reference)
    }

    /// Returns all requests that were read to their end, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.state().log.requests.iter().cloned().collect()
    }

    /// Returns the newest request to this call.
    #[must_use]
    pub fn last_request(&self, operation: Operation) -> Option<ReceivedRequest> {
        self.shared.state().log.requests.iter().rfind(|request| request.operation == Some(operation)).cloned()
    }

    /// Returns the number of requests whose connection was reset before they were read.
    #[must_use]
    pub fn reset_unread(&self) -> u64 {
        self.shared.state().log.reset_unread
    }

    /// Returns fields of the requests so far that the published interface does not have. They were ignored, as the
    /// service would; a client that only says what it means has none.
    #[must_use]
    pub fn unknown_fields(&self) -> Vec<UnknownField> {
        self.shared.state().log.unknown_fields.iter().cloned().collect()
    }

    /// Returns what is wrong with the sandbox's own responses so far, by the published interface; always empty without
    /// [`check_responses`](super::SandboxBuilder::check_responses). Responses that a test generated or changed are not
    /// looked at.
    #[must_use]
    pub fn response_problems(&self) -> Vec<String> {
        self.shared.state().log.response_problems.clone()
    }

    /// Keeps counts only, and no requests, from now on: for runs of many thousand calls.
    pub fn forget_requests(&self) {
        self.shared.state().log.keep(0);
    }

    /// Returns a transaction as the service would return it, tokens and all; `None` when there is none.
    #[must_use]
    pub fn transaction(&self, id: impl AsRef<str>) -> Option<Value> {
        let state = self.shared.state();
        let transaction = state.transactions.get(id.as_ref())?;
        Some(transaction.view(&Includes::EVERYTHING, None))
    }

    /// Puts `count` authorized transactions, a minute apart and older than all others, into the
    /// sandbox; gives the ids' common start, to which nine digits are added. Row `n` has the
    /// amount `1000 + n`. Rows exist only while they are read, until they are changed.
    pub fn seed_transactions(&self, count: usize) -> String {
        self.shared.state().seed_transactions(count)
    }

    /// Puts `count` unpaid sessions, a minute apart and older than all others, into the sandbox;
    /// gives the ids' common start, to which nine digits are added.
    pub fn seed_sessions(&self, count: usize) -> String {
        self.shared.state().seed_sessions(count)
    }

    /// Returns a session as the service would return it; `None` when there is none.
    #[must_use]
    pub fn session(&self, id: impl AsRef<str>) -> Option<Value> {
        let state = self.shared.state();
        let session = state.sessions.get(id.as_ref())?;
        Some(session.view(true, true))
    }

    /// Forgets everything but the settings and the tokens issued; with a seed, the names begin from the start.
    ///
    /// # Errors
    ///
    /// When the sandbox keeps its state in a file.
    pub fn reset(&self) -> Result<(), ResetError> {
        self.shared.change(State::reset).map_err(ResetError)
    }

    /// Returns what is left of a transaction to capture and to refund, in minor units.
    #[must_use]
    pub fn remaining(&self, id: impl AsRef<str>) -> Option<(i64, i64)> {
        let state = self.shared.state();
        let ledger = state.transactions.get(id.as_ref())?.ledger;
        Some((ledger.left_to_capture(), ledger.left_to_refund()))
    }

    /// Returns the captured and the refunded sum of a transaction, in minor units.
    #[must_use]
    pub fn sums(&self, id: impl AsRef<str>) -> Option<(i64, i64)> {
        let state = self.shared.state();
        let ledger = state.transactions.get(id.as_ref())?.ledger;
        Some((ledger.captured, ledger.refunded))
    }
}
