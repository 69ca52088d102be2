//! What an error says about a money call, and of an operation that the service carried out and that failed.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Error;
use crate::types::{CardRetryCode, Transaction, TransactionEvent, TransactionEventCorrection, TransactionEventError};
use crate::verdict::{Attempt, Verdict};

impl Error {
    /// Returns the attempt, for a money call: what [`Client::resolve`](crate::Client::resolve) needs to find out about
    /// an [`Outcome::Unknown`](super::Outcome::Unknown), the reference included.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        let inner = &self.inner;
        inner.verdict.as_ref().map(|verdict| &verdict.attempt).or(inner.attempt.as_deref())
    }

    /// Returns what the response to a money call was judged to mean, when it was a success that does not show one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.inner.verdict.as_deref()
    }

    /// Returns the transaction that came with the response to a money call. Holds a customer's data.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        self.verdict()?.transaction()
    }

    /// Returns the event with `success: false`.
    #[must_use]
    pub fn failed_event(&self) -> Option<&TransactionEvent> {
        self.verdict()?.failed_event()
    }

    /// Returns status and remaining sums as the service put them right after the failed operation.
    #[must_use]
    pub fn correction(&self) -> Option<&TransactionEventCorrection> {
        self.failed_event()?.correction.as_ref()
    }

    /// Returns why the event failed.
    #[must_use]
    pub fn event_error(&self) -> Option<&TransactionEventError> {
        self.failed_event()?.error.as_ref()
    }

    /// Returns whether and when a declined payment may be tried again with the same card. Empty when the service does
    /// not say.
    #[must_use]
    pub fn retry_codes(&self) -> &[CardRetryCode] {
        let policy = self.event_error().and_then(|error| error.retry_policy.as_ref());
        policy.map_or(&[], |policy| policy.retry_codes.as_slice())
    }
}

/// The wait that a declined payment asks for: a number of seconds, a duration (ISO 8601, as `P1D`), or a time, which
/// counts from when the event was made.
pub(super) fn retry_after(event: &TransactionEvent) -> Option<Duration> {
    let text = event.error.as_ref()?.retry_policy.as_ref()?.retry_after.as_deref()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    if let Some(duration) = duration(text) {
        return Some(duration);
    }
    let then = DateTime::parse_from_rfc3339(text).ok()?;
    let now = event.created_at.unwrap_or_else(Utc::now);
    Some((then.to_utc() - now).to_std().unwrap_or_default())
}

/// A duration of ISO 8601 in whole weeks, days, hours, minutes and seconds. Months and years have no fixed length.
fn duration(text: &str) -> Option<Duration> {
    let (days, time) = text.strip_prefix('P')?.split_once('T').unwrap_or((text.strip_prefix('P')?, ""));
    let mut parts = 0;
    let mut sum = |text: &str, units: &[(char, u64)]| {
        let (mut seconds, mut rest, mut left) = (0_u64, text, units);
        while !rest.is_empty() {
            let end = rest.find(|character: char| !character.is_ascii_digit())?;
            let unit = rest[end..].chars().next()?;
            // Each unit once, the largest first.
            let at = left.iter().position(|(name, _)| *name == unit)?;
            let amount: u64 = rest[..end].parse().ok()?;
            seconds = seconds.checked_add(amount.checked_mul(left[at].1)?)?;
            (rest, left) = (&rest[end + unit.len_utf8()..], &left[at + 1..]);
            parts += 1;
        }
        Some(seconds)
    };
    let seconds = sum(days, &[('W', 604_800), ('D', 86_400)])?;
    let seconds = seconds.checked_add(sum(time, &[('H', 3_600), ('M', 60), ('S', 1)])?)?;
    (parts > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_units_of_a_fixed_length() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        for (text, expected) in
            [("P1D", 86_400), ("P2W", 1_209_600), ("PT36H", 129_600), ("P1DT2H3M4S", 93_784), ("PT0S", 0)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1M",
            "P1Y",
            "1D",
            "PD",
            "P1H",
            "PT1D",
            "P1D1D",
            "PT1S1M",
            "P-1D",
            "P1.5D",
            "P99999999999999999999D",
            "PT18446744073709551615H",
            "P1Dé",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
