//! The sockets: a listener that can be shut so that connections are really refused, and
//! connections that can be reset before or after a request was read.
//!
//! HTTP is not here; all this layer reads is the first line of a request.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// No request line of this API comes near it.
const LONGEST_LINE: usize = 64 * 1024;

/// Decides, from the first line of a request, whether its connection is reset unread.
pub(crate) type ResetsUnread = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What the rest of the server holds of a connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    reset: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Line {
    /// The connection ends with a TCP reset; nothing more is sent on it.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
        let waker = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn is_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }
}

/// The connections that are open, so that all of them can be reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Weak<Line>>>>);

impl Lines {
    fn open(&self) -> Arc<Line> {
        let line = Arc::new(Line::default());
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line));
        line
    }

    pub(crate) fn any_open(&self) -> bool {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().any(|line| line.strong_count() > 0)
    }

    pub(crate) fn reset_all(&self) {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter().filter_map(Weak::upgrade) {
            line.reset();
        }
    }
}

/// Connections that may wait to be taken: more than any test opens at once. The system may allow fewer.
const BACKLOG: u32 = 4096;

/// Takes connections at an address, also at one that was in use a moment ago.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A listener that opens and shuts as it is told.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) listener: Option<TcpListener>,
    /// Whether connections are wanted.
    pub(crate) wanted: watch::Receiver<bool>,
    /// Whether they are taken.
    pub(crate) open: watch::Sender<bool>,
    pub(crate) lines: Lines,
    pub(crate) resets_unread: ResetsUnread,
}

impl Gate {
    async fn change(&mut self) {
        if self.wanted.changed().await.is_err() {
            // Nobody is left who could ask for a change.
            std::future::pending::<()>().await;
        }
    }
}

impl Listener for Gate {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            if !*self.wanted.borrow_and_update() {
                self.listener = None;
                self.open.send_replace(false);
                self.change().await;
                continue;
            }
            let Some(listener) = &self.listener else {
                match listen(self.address) {
                    Ok(listener) => self.listener = Some(listener),
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
                continue;
            };
            self.open.send_replace(true);
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                    continue;
                }
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Responses are small and waited for.
                    let _ = stream.set_nodelay(true);
                    let connection = Connection {
                        stream,
                        line: self.lines.open(),
                        head: Vec::new(),
                        given: 0,
                        at_request: true,
                        resets_unread: Arc::clone(&self.resets_unread),
                    };
                    return (connection, peer);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// One accepted connection.
pub(crate) struct Connection {
    stream: TcpStream,
    line: Arc<Line>,
    /// Bytes read ahead to see the request line, of which `given` were handed on.
    head: Vec<u8>,
    given: usize,
    /// The next bytes begin a request.
    at_request: bool,
    resets_unread: ResetsUnread,
}

/// Handed to each request of a connection.
#[derive(Clone, Debug)]
pub(crate) struct OnLine(pub(crate) Arc<Line>);

impl Connected<IncomingStream<'_, Gate>> for OnLine {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        Self(Arc::clone(&stream.io().line))
    }
}

impl Connection {
    fn end(&self) -> io::Error {
        // Closing a socket without lingering sends RST in place of FIN.
        let _ = self.stream.set_zero_linger();
        io::ErrorKind::ConnectionReset.into()
    }

    /// Reads on until the request line is complete, and lets it decide.
    fn poll_request_line(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.given > 0 {
            self.head.clear();
            self.given = 0;
        }
        let mut bytes = [0_u8; 4096];
        loop {
            let mut chunk = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
            let ended = chunk.filled().is_empty();
            self.head.extend_from_slice(chunk.filled());
            let line = self.head.iter().position(|byte| *byte == b'\n');
            if line.is_none() && !ended && self.head.len() < LONGEST_LINE {
                continue;
            }
            self.at_request = false;
            let line = line.and_then(|end| self.head.get(..end)).and_then(|line| std::str::from_utf8(line).ok());
            if line.is_some_and(|line| (self.resets_unread)(line)) {
                self.line.reset();
                return Poll::Ready(Err(self.end()));
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        *this.line.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        if this.line.is_reset() {
            return Poll::Ready(Err(this.end()));
        }
        if this.at_request {
            ready!(this.poll_request_line(cx))?;
        }
        let waiting = this.head.get(this.given..).unwrap_or_default();
        if waiting.is_empty() {
            this.head.clear();
            this.given = 0;
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let length = waiting.len().min(buf.remaining());
        if let Some(part) = waiting.get(..length) {
            buf.put_slice(part);
            this.given = this.given.saturating_add(length);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.line.is_reset() {
            return Poll::Ready(Err(this.end()));
        }
        if this.given >= this.head.len() {
            this.at_request = true;
        }
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.line.is_reset() {
            return Poll::Ready(Err(this.end()));
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
