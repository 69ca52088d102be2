//! How fast requests go out, and the pause that the service asks for.
//!
//! Which requests are made again is decided in the transport; here is only when one may leave.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep_until};

use crate::clock::deadline;
use crate::retry::retry_after;

/// The pause after a 429 that names none.
const UNSAID: Duration = Duration::from_secs(1);
/// The longest pause: a header that is wrong must not stop a client until it is restarted.
const LONGEST: Duration = Duration::from_secs(3600);

/// A limit on how fast the requests of a client go out, and one pause for all of them when the service asks for it.
///
/// Given to [`ClientBuilder::pace`](crate::ClientBuilder::pace); without one, requests go out as they come. Clones share
/// one pace, so several clients can keep to it together. It holds within this process: other processes have their own.
///
/// Requests go out in turn, `interval` apart and never in a burst: each counts, those that only read and retries
/// included, those for a token not. After a response of 429, or of 503 with `Retry-After`, **no** request goes out until
/// the time that the header names is over, one second after a 429 without it, and an hour at most. What was sent before
/// is not affected.
///
/// Waiting is part of the time of a call. One whose turn would come after its time fails at once: its
/// [`outcome`](crate::Error::outcome) is that of its requests so far, [`NotSent`](crate::Outcome::NotSent) if there are
/// none, and [`retry_after`](crate::Error::retry_after) says when its turn would have come.
///
/// ```
/// # fn client(credentials: dintero::Credentials) -> dintero::Result<()> {
/// use dintero::{Client, Pace};
///
/// // At most 20 requests a second, from all clones of the client.
/// let client = Client::builder(credentials).pace(Pace::per_second(20)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pace {
    interval: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The first turn that nobody has.
    next: Option<Instant>,
    /// The end of the newest pause.
    until: Option<Instant>,
    /// How many pauses there were: whoever waits begins anew after one.
    pauses: u64,
}

impl Pace {
    /// Creates a pace without a limit: only the service's pauses hold requests back.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Creates a pace of so many requests a second. Zero counts as one.
    #[must_use]
    pub fn per_second(requests: u32) -> Self {
        Self::every(Duration::from_secs(1) / requests.max(1))
    }

    /// Creates a pace of one request in each interval.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self { interval, ..Self::default() }
    }

    /// Returns how long requests are still held back because the service asked for it; `None` when they are not.
    #[must_use]
    pub fn paused_for(&self) -> Option<Duration> {
        let left = self.state(|state| state.until)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long until it comes, at once, when that is not before `by`.
    pub(crate) async fn turn(&self, by: Instant) -> Result<(), Duration> {
        loop {
            let now = Instant::now();
            let (turn, pauses) = self.state(|state| {
                let turn = [state.next, state.until].into_iter().flatten().fold(now, Instant::max);
                if turn < by || turn == now {
                    state.next = Some(deadline(turn, self.interval));
                    Ok((turn, state.pauses))
                } else {
                    Err(turn - now)
                }
            })?;
            if turn > now {
                sleep_until(turn).await;
            }
            if self.state(|state| state.pauses == pauses) {
                return Ok(());
            }
        }
    }

    /// Begins a pause where a response asks for one.
    pub(crate) fn heed(&self, status: Option<StatusCode>, headers: &HeaderMap) {
        let pause = match status {
            Some(StatusCode::TOO_MANY_REQUESTS) => retry_after(headers).unwrap_or(UNSAID),
            Some(StatusCode::SERVICE_UNAVAILABLE) => retry_after(headers).unwrap_or_default(),
            _ => return,
        };
        let until = Instant::now() + pause.min(LONGEST);
        self.state(|state| {
            if !pause.is_zero() && state.until.is_none_or(|end| end < until) {
                state.until = Some(until);
                // Turns that were given out before are taken back: nobody has one now.
                state.next = None;
                state.pauses += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use http::header::RETRY_AFTER;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn asked(time: &str) -> HeaderMap {
        [(RETRY_AFTER, time.parse().unwrap())].into_iter().collect()
    }

    /// When each of several that begin now has its turn.
    async fn turns(pace: &Pace, count: usize) -> Vec<Duration> {
        let began = Instant::now();
        let turn = || async {
            pace.turn(began + seconds(86_400)).await.unwrap();
            began.elapsed()
        };
        let mut turns = join_all((0..count).map(|_| turn())).await;
        turns.sort();
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_an_interval_apart_and_are_not_saved_up() {
        let pace = Pace::every(seconds(2));
        assert_eq!(turns(&pace, 3).await, [seconds(0), seconds(2), seconds(4)]);
        tokio::time::advance(seconds(60)).await;
        assert_eq!(turns(&pace.clone(), 2).await, [seconds(0), seconds(2)]);
        assert_eq!(Pace::per_second(20).interval, Duration::from_millis(50));
        assert_eq!(Pace::per_second(0).interval, seconds(1));
        assert_eq!(turns(&Pace::unlimited(), 100).await.last(), Some(&seconds(0)));
        let (once, now) = (Pace::every(Duration::MAX), Instant::now());
        assert_eq!(once.turn(now).await, Ok(()));
        assert!(once.turn(now + seconds(86_400)).await.is_err(), "the longest interval is no missing one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everyone_back_and_then_the_interval_counts_again() {
        let pace = Pace::every(seconds(2));
        let all = tokio::spawn({
            let pace = pace.clone();
            async move { turns(&pace, 5).await }
        });
        // Two have had their turn, three wait, one of them for a turn after the end of the pause.
        tokio::time::sleep(seconds(3)).await;
        pace.heed(Some(StatusCode::TOO_MANY_REQUESTS), &asked("4"));
        assert_eq!(pace.paused_for(), Some(seconds(4)));
        let later = turns(&pace, 1).await;
        assert_eq!(all.await.unwrap(), [0, 2, 9, 11, 13].map(seconds));
        // It came after the pause began: its turn is at 7 s, the first that nobody has.
        assert_eq!((later, pace.paused_for()), (vec![seconds(4)], None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_would_come_too_late_is_not_waited_for_and_not_taken() {
        let pace = Pace::every(seconds(2));
        let now = Instant::now();
        assert_eq!(pace.turn(now).await, Ok(()), "a free turn is never late");
        assert_eq!(pace.turn(now + seconds(2)).await, Err(seconds(2)));
        assert_eq!(pace.turn(now + seconds(2)).await, Err(seconds(2)));
        assert_eq!(now.elapsed(), Duration::ZERO);
        assert_eq!(pace.turn(now + seconds(3)).await, Ok(()));
        assert_eq!(now.elapsed(), seconds(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_response_asks_for() {
        let (many, unavailable) = (StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE);
        for (status, headers, pause) in [
            (Some(many), asked("7"), Some(seconds(7))),
            (Some(many), HeaderMap::new(), Some(UNSAID)),
            (Some(many), asked("0"), None),
            (Some(many), asked(&u64::MAX.to_string()), Some(LONGEST)),
            (Some(unavailable), asked("7"), Some(seconds(7))),
            (Some(unavailable), HeaderMap::new(), None),
            (Some(StatusCode::BAD_GATEWAY), asked("7"), None),
            (Some(StatusCode::OK), asked("7"), None),
            (None, asked("7"), None),
        ] {
            let pace = Pace::unlimited();
            pace.heed(status, &headers);
            assert_eq!(pace.paused_for(), pause, "{status:?} {headers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_no_time_gives_no_turn_away() {
        let pace = Pace::every(seconds(2));
        let now = Instant::now();
        assert_eq!(pace.turn(now).await, Ok(()));
        pace.heed(Some(StatusCode::TOO_MANY_REQUESTS), &asked("0"));
        assert_eq!(pace.turn(now + seconds(2)).await, Err(seconds(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_does_not_end_a_longer_one() {
        let pace = Pace::unlimited();
        for time in ["5", "1", "6"] {
            pace.heed(Some(StatusCode::TOO_MANY_REQUESTS), &asked(time));
        }
        assert_eq!(pace.paused_for(), Some(seconds(6)));
    }
}
