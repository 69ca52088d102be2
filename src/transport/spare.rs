//! Connections for calls that write: each is used for one request.
//!
//! Opening one costs two round trips or three. While calls follow one another, a connection for the next is opened ahead,
//! in the background; it is used once or, after a second, thrown away. A lone call opens no second connection.
//!
//! A request that meets the end of a connection is one of which nobody knows what became. So a connection is used only at
//! an age at which others were seen to live on for long, and where the other side ends one that waits, none is opened
//! ahead for a minute.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::{Instant, timeout_at};

use super::connect::{BoxError, Connector, Stream};

/// How long an unused connection is kept, and how close calls have to follow one another for one to be opened ahead.
/// A server that has been seen to wait for so long waits for the first request of any connection.
const AGE: Duration = Duration::from_secs(1);
/// How many times as old as the one that is used another has to have been, until one has lived for [`AGE`].
const MARGIN: u32 = 5;
/// How long none is opened ahead after the other side has ended one.
const REST: Duration = Duration::from_secs(60);
/// How many are opened ahead at most. One is under way for as long as two or three calls: enough for forty at a time.
const MOST: usize = 128;

/// A connection that no request has used.
pub(super) type Fresh = SendRequest<Full<Bytes>>;

/// Opens connections, some of them ahead.
pub(super) struct Spares {
    connector: Connector,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The oldest first.
    ready: Vec<Spare>,
    opening: usize,
    /// When the last call began.
    last: Option<Instant>,
    /// How long one has been seen to wait, at most, since the other side last ended one.
    lives: Duration,
    /// When connections are opened ahead again.
    rests_until: Option<Instant>,
}

struct Spare {
    opened: Instant,
    fresh: Fresh,
}

impl Spare {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opened)
    }
}

impl Spares {
    pub(super) fn new(connector: Connector) -> Arc<Self> {
        Arc::new(Self { connector, kept: Mutex::default() })
    }

    fn kept<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection that no request has used, opened ahead or now.
    pub(super) async fn take(self: &Arc<Self>, host: Uri) -> Result<Fresh, BoxError> {
        let now = Instant::now();
        let (spare, opens) = self.kept(|kept| (kept.pop(now), kept.begin(now)));
        if opens {
            tokio::spawn(Self::open_ahead(Arc::downgrade(self), self.connector.clone(), host.clone()));
        }
        if let Some(spare) = spare {
            return Ok(spare);
        }
        let (fresh, connection) = open(&self.connector, host).await?;
        tokio::spawn(connection.map(drop));
        Ok(fresh)
    }

    /// Opens a connection for a call to come, and runs it to its end: that of its call, or after a second when none
    /// came. The client may be gone by then.
    async fn open_ahead(spares: Weak<Self>, connector: Connector, host: Uri) {
        let opened = open(&connector, host).await;
        let now = Instant::now();
        let Some(of) = spares.upgrade() else { return };
        let Ok((fresh, connection)) = opened else { return of.kept(|kept| kept.end(None)) };
        of.kept(|kept| kept.end(Some(Spare { opened: now, fresh })));
        drop(of);
        let mut connection = pin!(connection);
        // The end of one that was taken is the end of its call.
        let ended = timeout_at(now + AGE, &mut connection).await;
        if let Some(of) = spares.upgrade() {
            of.kept(|kept| kept.sift(Instant::now()));
        }
        // A call may take longer than that.
        if ended.is_err() {
            let _ = connection.await;
        }
    }
}

impl Kept {
    /// The youngest connection, where it is not too old.
    fn pop(&mut self, now: Instant) -> Option<Fresh> {
        self.sift(now);
        let age = self.ready.last()?.age(now);
        let is_proven = self.lives >= AGE || age * MARGIN <= self.lives;
        if is_proven { self.ready.pop().map(|spare| spare.fresh) } else { None }
    }

    /// Notes how long those that are still open have lived, and throws away what has had its time; everything, when the
    /// other side has ended one before.
    fn sift(&mut self, now: Instant) {
        let mut lives = self.lives;
        for spare in &self.ready {
            match (spare.fresh.is_closed(), spare.age(now)) {
                (false, age) => lives = lives.max(age),
                (true, age) if age >= AGE => {}
                (true, _) => {
                    self.ready.clear();
                    self.lives = Duration::ZERO;
                    self.rests_until = Some(now + REST);
                    return;
                }
            }
        }
        self.lives = lives;
        self.ready.retain(|spare| spare.age(now) < AGE);
    }

    /// Notes a call, and says whether to open a connection for the next one.
    fn begin(&mut self, now: Instant) -> bool {
        let follows = self.last.replace(now).is_some_and(|last| now < last + AGE);
        let rests = self.rests_until.is_some_and(|until| now < until);
        let opens = follows && !rests && self.ready.len() + self.opening < MOST;
        self.opening += usize::from(opens);
        opens
    }

    /// Ends what `begin` asked for.
    fn end(&mut self, opened: Option<Spare>) {
        self.opening -= 1;
        self.ready.extend(opened);
    }
}

/// Opens a connection, and gives what has to run for it to work: that ends with its request, with the other side, or when
/// the first is dropped.
async fn open(connector: &Connector, host: Uri) -> Result<(Fresh, http1::Connection<Stream, Full<Bytes>>), BoxError> {
    let stream = connector.connect(host).await?;
    Ok(http1::handshake(stream).await?)
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// A connection, what runs it, and its other side.
    async fn fresh() -> (Fresh, http1::Connection<TokioIo<DuplexStream>, Full<Bytes>>, DuplexStream) {
        let (near, far) = duplex(1024);
        let (mut fresh, mut connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        // Runs until the connection wants a request.
        tokio::select! {
            biased;
            ended = &mut connection => ended.unwrap(),
            ready = fresh.ready() => ready.unwrap(),
        }
        (fresh, connection, far)
    }

    /// What is kept of connections that were opened so long ago.
    fn kept(now: Instant, lives: Duration, ages: Vec<(Duration, Fresh)>) -> Kept {
        let ready = ages.into_iter().map(|(age, fresh)| Spare { opened: now - age, fresh }).collect();
        Kept { ready, lives, ..Kept::default() }
    }

    #[tokio::test]
    async fn a_connection_is_used_only_at_an_age_at_which_others_lived_on() {
        const NS: Duration = Duration::from_nanos(1);
        let now = Instant::now() + AGE * 2;
        for (lives, age, serves) in [
            (Duration::ZERO, Duration::ZERO, true),
            (Duration::ZERO, NS, false),
            (AGE - NS, AGE / MARGIN - NS, true),
            (AGE - NS, AGE / MARGIN, false),
            (AGE, AGE - NS, true),
            (AGE, AGE, false),
        ] {
            let (spare, _connection, _far) = fresh().await;
            assert_eq!(kept(now, lives, vec![(age, spare)]).pop(now).is_some(), serves, "{lives:?} {age:?}");
        }
        // An older one beside it is what shows that.
        let ((old, _a, _b), (young, _c, _d)) = (fresh().await, fresh().await);
        let mut kept = kept(now, Duration::ZERO, vec![(NS * MARGIN, old), (NS, young)]);
        assert!(kept.pop(now).is_some());
        assert!(kept.pop(now).is_none());
    }

    #[tokio::test]
    async fn one_that_has_had_its_time_goes_and_the_rest_stays() {
        let now = Instant::now() + AGE * 2;
        let young = AGE - Duration::from_nanos(1);
        let ((old, ended, far), (due, _c, _d), (last, _e, _f)) = (fresh().await, fresh().await, fresh().await);
        drop(far);
        let _ = ended.await;
        let mut kept = kept(now, Duration::ZERO, vec![(AGE, old), (AGE, due), (young, last)]);
        kept.sift(now);
        assert_eq!(kept.ready.iter().map(|spare| spare.age(now)).collect::<Vec<_>>(), [young]);
        // The end of the old one says nothing: nobody has to wait for longer. The other has lived for all its time.
        assert_eq!((kept.rests_until, kept.lives), (None, AGE));
    }

    #[tokio::test]
    async fn where_the_other_side_ends_one_none_is_used_or_opened_ahead_for_a_minute() {
        let now = Instant::now() + AGE * 2;
        let ((closed, ended, far), (open, _connection, _far)) = (fresh().await, fresh().await);
        drop(far);
        let _ = ended.await;
        let mut kept = kept(now, AGE, vec![(AGE / 2, closed), (Duration::ZERO, open)]);
        assert!(kept.pop(now).is_none());
        assert_eq!(kept.lives, Duration::ZERO, "what was seen before counts no longer");
        for (after, opens) in [(Duration::ZERO, false), (REST - Duration::from_nanos(1), false), (REST, true)] {
            kept.last = Some(now + after);
            assert_eq!(kept.begin(now + after), opens, "{after:?}");
        }
    }

    #[tokio::test]
    async fn one_is_opened_ahead_for_each_call_that_follows_another_up_to_the_most() {
        let first = Instant::now();
        let mut kept = Kept::default();
        assert!(!kept.begin(first), "a lone call");
        assert!(!kept.begin(first + AGE), "a second one, too late");
        let now = first + AGE * 2 - Duration::from_nanos(1);
        assert!(kept.begin(now));
        kept.end(None);
        // Those that are there count, and those that are being opened.
        let mut others = vec![];
        for _ in 0..2 {
            let (fresh, connection, far) = fresh().await;
            assert!(kept.begin(now));
            kept.end(Some(Spare { opened: now, fresh }));
            others.push((connection, far));
        }
        for _ in 2..MOST {
            assert!(kept.begin(now));
        }
        assert!(!kept.begin(now));
        kept.end(None);
        assert!(kept.begin(now) && !kept.begin(now));
        assert!(kept.pop(now).is_some() && kept.begin(now) && !kept.begin(now));
    }
}
