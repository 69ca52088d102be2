//! What the tests of callbacks share: a clock that stands still.

use chrono::{DateTime, Utc};
use dintero::Clock;

/// A clock that stands still at so many seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At(pub(crate) i64);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).expect("a time")
    }
}
