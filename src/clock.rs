//! Where the crate reads the time of day from, and when a time is over.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// Thirty years, in place of a time that the timer cannot count.
const FOR_EVER: Duration = Duration::from_secs(946_080_000);

/// The moment at which a time is over.
pub(crate) fn deadline(began: Instant, limit: Duration) -> Instant {
    began.checked_add(limit).unwrap_or_else(|| began + FOR_EVER)
}

/// The time of day, replaceable for tests.
///
/// What expires by agreement with the service (tokens, signatures) is measured with this. Timeouts and waits
/// are measured with Tokio's timer, which its test utilities can pause.
///
/// The wall clock is used on purpose: a monotonic clock stands still while a machine sleeps, and a token
/// does not.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
