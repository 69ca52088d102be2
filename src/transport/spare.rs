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
        let (spare, opens) = self.kept(|kept| {
            let follows = kept.last.replace(now).is_some_and(|last| now < last + AGE);
            let spare = kept.pop(now);
            let opens = follows && kept.ready.len() + kept.opening < MOST;
            kept.opening += usize::from(opens);
            (spare, opens)
        });
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
        let is_open = of.kept(|kept| {
            kept.opening -= 1;
            opened.map(|fresh| kept.ready.push((until, fresh))).is_ok()
        });
        drop(of);
        if is_open {
            sleep_until(until).await;
            if let Some(of) = spares.upgrade() {
                of.kept(|kept| kept.ready.retain(|(end, _)| *end > until));
            }
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
