//! The sandbox's own time: the system's, shifted or stopped by a test.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    stopped_at: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let base = self.stopped_at.unwrap_or_else(Utc::now);
        base.checked_add_signed(self.ahead).unwrap_or(base)
    }

    pub(crate) fn stop_at(&mut self, time: DateTime<Utc>) {
        self.stopped_at = Some(time);
        self.ahead = TimeDelta::zero();
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.ahead = self.ahead.checked_add(&by).unwrap_or(self.ahead);
    }
}

/// A time as the API writes it.
pub(crate) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
