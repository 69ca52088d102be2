//! What an error tells of a money call, and of an operation that the service carried out and that failed.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Error;
use crate::types::{CardRetryCode, Transaction, TransactionEvent, TransactionEventCorrection, TransactionEventError};
use crate::verdict::{Attempt, Verdict};

impl Error {
    /// The attempt, for a money call: what [`Client::resolve`](crate::Client::resolve) needs to find out about an
    /// [`Outcome::Unknown`](super::Outcome::Unknown), the reference included.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        let inner = &self.inner;
        inner.verdict.as_ref().map(|verdict| &verdict.attempt).or(inner.attempt.as_deref())
    }

    /// What the response to a money call was judged to mean, when it was a success that does not show one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.inner.verdict.as_deref()
    }

    /// The transaction that came with the response to a money call. Holds a customer's data.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        self.verdict()?.transaction()
    }

    /// The event with `success: false`.
    #[must_use]
    pub fn failed_event(&self) -> Option<&TransactionEvent> {
        self.verdict()?.failed_event()
    }

    /// Status and remaining sums as the service put them right after the failed operation.
    #[must_use]
    pub fn correction(&self) -> Option<&TransactionEventCorrection> {
        self.failed_event()?.correction.as_ref()
    }

    /// Why the event failed.
    #[must_use]
    pub fn event_error(&self) -> Option<&TransactionEventError> {
        self.failed_event()?.error.as_ref()
    }

    /// Whether and when a declined payment may be tried again with the same card. Empty when the service does
    /// not say.
    #[must_use]
    pub fn retry_codes(&self) -> &[CardRetryCode] {
        let policy = self.event_error().and_then(|error| error.retry_policy.as_ref());
        policy.map_or(&[], |policy| policy.retry_codes.as_slice())
    }
}

/// The wait that a declined payment asks for: a number of seconds, or a time (ISO 8601), which counts from
/// when the event was made.
pub(super) fn retry_after(event: &TransactionEvent) -> Option<Duration> {
    let text = event.error.as_ref()?.retry_policy.as_ref()?.retry_after.as_deref()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTime::parse_from_rfc3339(text).ok()?;
    let now = event.created_at.unwrap_or_else(Utc::now);
    Some((then.to_utc() - now).to_std().unwrap_or_default())
}
