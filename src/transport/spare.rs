//! Connections for calls that write: each is used for one request.
//!
//! Opening one costs two round trips or three. While calls follow one another, a connection for the next is opened ahead,
//! in the background; it is used once or, after a second, thrown away. A lone call opens no second connection.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::{Instant, sleep_until};

use super::connect::{BoxError, Connector};

/// How long an unused connection is kept, and how close calls have to follow one another for one to be opened ahead.
/// Servers wait longer than this for the first request of a connection.
const AGE: Duration = Duration::from_secs(1);
/// How many are opened ahead at most.
const MOST: usize = 32;

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
    ready: Vec<(Instant, Fresh)>,
    opening: usize,
    /// When the last call began.
    last: Option<Instant>,
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
        match spare {
            Some(spare) => Ok(spare),
            None => open(&self.connector, host).await,
        }
    }

    /// Opens a connection for a call to come, and throws it away when none comes. The client may be gone by then.
    async fn open_ahead(spares: Weak<Self>, connector: Connector, host: Uri) {
        let opened = open(&connector, host).await;
        let until = Instant::now() + AGE;
        let Some(of) = spares.upgrade() else { return };
        of.kept(|kept| kept.end(opened.ok().map(|fresh| (until, fresh))));
        drop(of);
        sleep_until(until).await;
        if let Some(of) = spares.upgrade() {
            of.kept(|kept| kept.expire(until));
        }
    }
}

impl Kept {
    /// The youngest of the connections that are still open.
    fn pop(&mut self, now: Instant) -> Option<Fresh> {
        while let Some((until, fresh)) = self.ready.pop() {
            if now < until && fresh.is_ready() {
                return Some(fresh);
            }
        }
        None
    }

    /// Notes a call, and says whether to open a connection for the next one.
    fn begin(&mut self, now: Instant) -> bool {
        let follows = self.last.replace(now).is_some_and(|last| now < last + AGE);
        let opens = follows && self.ready.len() + self.opening < MOST;
        self.opening += usize::from(opens);
        opens
    }

    /// Ends what `begin` asked for.
    fn end(&mut self, opened: Option<(Instant, Fresh)>) {
        self.opening -= 1;
        self.ready.extend(opened);
    }

    fn expire(&mut self, now: Instant) {
        self.ready.retain(|(until, _)| now < *until);
    }
}

async fn open(connector: &Connector, host: Uri) -> Result<Fresh, BoxError> {
    let stream = connector.connect(host).await?;
    let (fresh, connection) = http1::handshake(stream).await?;
    // Ends by itself: with its request, with the other side, or when `fresh` is dropped.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(fresh)
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

    fn kept(ready: Vec<(Instant, Fresh)>) -> Kept {
        Kept { ready, ..Kept::default() }
    }

    #[tokio::test]
    async fn a_spare_serves_until_its_time_and_not_at_it() {
        let until = Instant::now();
        for (now, serves) in [(until - Duration::from_nanos(1), true), (until, false), (until + AGE, false)] {
            let (spare, _connection, _far) = fresh().await;
            assert_eq!(kept(vec![(until, spare)]).pop(now).is_some(), serves);
        }
    }

    #[tokio::test]
    async fn a_spare_that_the_other_side_closed_is_passed_over() {
        let now = Instant::now();
        let ((open, _connection, _far), (closed, ended, far)) = (fresh().await, fresh().await);
        drop(far);
        let _ = ended.await;
        let mut kept = kept(vec![(now + AGE, open), (now + AGE, closed)]);
        assert!(kept.pop(now).is_some_and(|spare| spare.is_ready()));
        assert!(kept.ready.is_empty() && kept.pop(now).is_none());
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
            let (spare, connection, far) = fresh().await;
            assert!(kept.begin(now));
            kept.end(Some((now + AGE, spare)));
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

    #[tokio::test]
    async fn what_has_had_its_time_is_thrown_away_and_the_rest_kept() {
        let now = Instant::now();
        let later = now + Duration::from_nanos(1);
        let ((old, _a, _b), (due, _c, _d), (young, _e, _f)) = (fresh().await, fresh().await, fresh().await);
        let mut kept = kept(vec![(now - AGE, old), (now, due), (later, young)]);
        kept.expire(now);
        assert_eq!(kept.ready.iter().map(|(until, _)| *until).collect::<Vec<_>>(), [later]);
    }
}
