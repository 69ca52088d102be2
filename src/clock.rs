//! Where the crate reads the time of day from.

use chrono::{DateTime, Utc};

/// The time of day, replaceable for tests.
///
/// What expires by agreement with the service (tokens, signatures) is measured with this. Timeouts and waits
/// are measured with Tokio's timer, which its test utilities can pause.
///
/// The wall clock is used on purpose: a monotonic clock stands still while a machine sleeps, and a token
/// does not.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// The time now.
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
