//! When to retry, and how long to wait.
//!
//! Which calls may be retried at all is not decided here: that is the retry policy of each operation,
//! which the vendored document carries. Here live the numbers.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// How calls that only read are retried, and any call whose connection was refused before a byte of it
/// left. Calls that move money or create something are never sent again otherwise.
///
/// The wait before retry `n` (from 0) is a random time between zero and `base * 2^n`, at most `cap` ("full
/// jitter"). Where the service asks for a time by `Retry-After`, that time is waited instead; if it asks for
/// more than `longest_wait`, or for more than is left of the call's own time, the call ends with the error,
/// and [`Error::retry_after`](crate::Error::retry_after) tells the time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many attempts follow the first. Default 2.
    pub retries: u32,
    /// The most that is waited before the first retry. Default 0.5 s.
    pub base: Duration,
    /// The most that is waited before any retry. Default 8 s.
    pub cap: Duration,
    /// The longest `Retry-After` that is waited for. Default 60 s.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries.
    #[must_use]
    pub fn never() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// The wait before retry `n`, counted from 0; `None` when the retries are used up or the service asks
    /// for more patience than we have.
    pub(crate) fn wait(&self, n: u32, asked: Option<Duration>) -> Option<Duration> {
        if n >= self.retries {
            return None;
        }
        match asked {
            Some(asked) => (asked <= self.longest_wait).then_some(asked),
            None => Some(jitter(self.ceiling(n))),
        }
    }

    fn ceiling(&self, n: u32) -> Duration {
        let factor = 1u32.checked_shl(n).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

fn jitter(most: Duration) -> Duration {
    let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::u64(0..=nanos))
}

/// `Retry-After` in seconds or as a date. A date counts from the response's own `Date` where it has one, so
/// that a clock that is wrong here does no harm; one in the past is no wait at all.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = httpdate::parse_http_date(text).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now);
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn waits_double_up_to_the_cap_and_end() {
        let policy = RetryPolicy { retries: 40, ..RetryPolicy::default() };
        for (n, most) in [(0, 500), (1, 1000), (2, 2000), (4, 8000), (5, 8000), (39, 8000)] {
            let most = Duration::from_millis(most);
            assert_eq!(policy.ceiling(n), most, "{n}");
            assert!((0..100).all(|_| policy.wait(n, None).unwrap() <= most));
        }
        assert_eq!(policy.wait(40, None), None);
        assert_eq!(RetryPolicy::never().wait(0, None), None);
    }

    #[test]
    fn the_jitter_is_full() {
        let waits: Vec<_> = (0..200).map(|_| RetryPolicy::default().wait(0, None).unwrap()).collect();
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(125)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(375)));
    }

    #[test]
    fn what_the_service_asks_for_is_kept_to_up_to_a_minute() {
        let policy = RetryPolicy::default();
        let secs = Duration::from_secs;
        assert_eq!(policy.wait(0, Some(secs(60))), Some(secs(60)));
        assert_eq!(policy.wait(0, Some(secs(61))), None);
        assert_eq!(policy.wait(1, Some(secs(0))), Some(secs(0)));
        assert_eq!(policy.wait(2, Some(secs(1))), None);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let at = |text: &str| retry_after(&headers(&[(RETRY_AFTER, text)]));
        assert_eq!(at("7"), Some(Duration::from_secs(7)));
        assert_eq!(at(" 0 "), Some(Duration::ZERO));
        assert_eq!(at("soon"), None);
        assert_eq!(at("-1"), None);
        assert_eq!(at("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let both = headers(&[(RETRY_AFTER, "Wed, 21 Oct 2015 07:28:00 GMT"), (DATE, "Wed, 21 Oct 2015 07:27:50 GMT")]);
        assert_eq!(retry_after(&both), Some(Duration::from_secs(10)));
    }
}
