//! The sandbox's own time: the system's, shifted or stopped by a test. Whatever waits here waits for this clock.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use tokio::sync::watch;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    stopped_at: Option<DateTime<Utc>>,
    ahead: TimeDelta,
    changes: watch::Sender<()>,
}

/// How long something has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Over,
    For(Duration),
    /// The clock stands: only a change of it ends the wait.
    Forever,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let base = self.stopped_at.unwrap_or_else(Utc::now);
        base.checked_add_signed(self.ahead).unwrap_or(base)
    }

    pub(crate) const fn is_stopped(&self) -> bool {
        self.stopped_at.is_some()
    }

    pub(crate) fn stop_at(&mut self, time: DateTime<Utc>) {
        self.stopped_at = Some(time);
        self.ahead = TimeDelta::zero();
        self.changes.send_replace(());
    }

    /// Lets the clock run again, from the time at which it stands.
    pub(crate) fn run(&mut self) {
        let now = self.now();
        self.stopped_at = None;
        self.ahead = now.signed_duration_since(Utc::now());
        self.changes.send_replace(());
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.ahead = self.ahead.checked_add(&by).unwrap_or(self.ahead);
        self.changes.send_replace(());
    }

    /// Is told of every change that a wait depends on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(crate) fn after(&self, by: Duration) -> DateTime<Utc> {
        let now = self.now();
        TimeDelta::from_std(by).ok().and_then(|by| now.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub(crate) fn wait(&self, until: DateTime<Utc>) -> Wait {
        match until.signed_duration_since(self.now()).to_std() {
            Err(_) | Ok(Duration::ZERO) => Wait::Over,
            Ok(_) if self.is_stopped() => Wait::Forever,
            Ok(left) => Wait::For(left),
        }
    }
}

/// A time as the API writes it.
pub(crate) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time with its zone or, without one, in UTC.
pub(crate) fn read(written: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(written).ok().map(|time| time.with_timezone(&Utc));
    zoned.or_else(|| Some(NaiveDateTime::parse_from_str(written, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc()))
}

/// Microseconds since 1970, counted up to the next whole one.
pub(crate) fn microseconds(time: DateTime<Utc>) -> i64 {
    let rest = i64::from(!time.timestamp_subsec_nanos().is_multiple_of(1000));
    time.timestamp_micros().saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_by_hand_only_and_runs_on_from_there() {
        let mut clock = Clock::default();
        clock.stop_at("2026-01-01T00:00:00Z".parse().unwrap());
        let due = clock.after(Duration::from_secs(60));
        assert_eq!(clock.wait(due), Wait::Forever);
        clock.advance(Duration::from_secs(59));
        assert_eq!(clock.wait(due), Wait::Forever);
        clock.run();
        assert!(matches!(clock.wait(due), Wait::For(left) if left <= Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.wait(due), Wait::Over);
    }

    #[test]
    fn times_beyond_the_calendar_are_its_end() {
        let mut clock = Clock::default();
        assert_eq!(clock.after(Duration::MAX), DateTime::<Utc>::MAX_UTC);
        clock.advance(Duration::MAX);
        assert!(clock.now() > Utc::now() - TimeDelta::seconds(1));
    }
}
