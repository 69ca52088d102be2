//! A server that costs as little as possible: it reads a request to its end and writes what was made before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::{Failure, response};

/// How long a connection may wait for a request, in milliseconds, before it is closed.
#[derive(Clone, Debug, Default)]
pub struct Idle {
    /// For the first.
    pub unused: Option<Range<u64>>,
    /// For each other.
    pub used: Option<Range<u64>>,
}

/// What the server has, and how long it waits.
#[derive(Debug)]
pub struct Service {
    token: Vec<u8>,
    transaction: Vec<u8>,
    /// Where the reference of a capture stands in it.
    reference: usize,
    /// Pages of the list by the row they begin after.
    pages: HashMap<String, Vec<u8>>,
    idle: Idle,
}

impl Service {
    /// Makes a service with a list of so many rows.
    #[must_use]
    pub fn new(rows: usize, idle: Idle) -> Arc<Self> {
        let mut pages = HashMap::new();
        // One page of content under all ids would be a list that does not move on.
        let mut after = String::new();
        for _ in 0..rows.div_ceil(100) {
            let page = response::page(rows, (!after.is_empty()).then_some(after.as_str()));
            let last = page.rfind(".row").map(|at| page[at - response::ACCOUNT.len()..at + 13].to_owned());
            pages.insert(std::mem::replace(&mut after, last.unwrap_or_default()), whole(&page));
        }
        pages.insert(after, whole("[]"));
        let transaction = whole(&response::transaction());
        let place = |window: &[u8]| window == response::REFERENCE.as_bytes();
        let reference = transaction.windows(response::REFERENCE.len()).position(place).unwrap_or(0);
        Arc::new(Self { token: whole(&response::token()), transaction, reference, pages, idle })
    }

    fn respond(&self, request: &str) -> Cow<'_, [u8]> {
        let target = request.split(' ').nth(1).unwrap_or_default();
        if target.ends_with("/auth/token") {
            return Cow::Borrowed(&self.token);
        }
        if let Some((_, query)) = target.split_once("/transactions?") {
            let after = query.split('&').find_map(|pair| pair.strip_prefix("starting_after=")).unwrap_or_default();
            return Cow::Borrowed(self.pages.get(after).unwrap_or(&self.transaction));
        }
        let named = request.split_once("\"capture_reference\":\"").map(|(_, rest)| rest.as_bytes());
        let Some(name) = named.and_then(|rest| rest.get(..response::REFERENCE.len())) else {
            return Cow::Borrowed(&self.transaction);
        };
        let mut transaction = self.transaction.clone();
        transaction[self.reference..][..name.len()].copy_from_slice(name);
        Cow::Owned(transaction)
    }

    /// Serves one connection to its end.
    pub async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut buffer = Vec::with_capacity(8 * 1024);
        let mut patience = &self.idle.unused;
        loop {
            let read = request(&mut stream, &mut buffer);
            let head = match patience.clone() {
                Some(wait) => timeout(Duration::from_millis(fastrand::u64(wait)), read).await.ok().flatten(),
                None => read.await,
            };
            let Some(head) = head else { return };
            if stream.write_all(&self.respond(&head)).await.is_err() {
                return;
            }
            patience = &self.idle.used;
        }
    }

    /// Serves on a free port, on a thread and a runtime of its own.
    ///
    /// # Errors
    /// When there is no socket, thread or runtime.
    pub fn start(self: Arc<Self>) -> Result<SocketAddr, Failure> {
        on_thread(move |stream| {
            let service = self.clone();
            async move { service.serve(stream).await }
        })
    }
}

/// Serves connections on a free port, on a thread and a runtime of its own.
///
/// # Errors
/// When there is no socket, thread or runtime.
pub fn on_thread<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> Result<SocketAddr, Failure> {
    // Not of tokio: this may be called within a runtime.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream));
            }
        });
    })?;
    Ok(address)
}

/// The base URL of a server.
#[must_use]
pub fn base(address: SocketAddr) -> String {
    format!("http://{address}/v1")
}

fn whole(body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Reads a request to its end, and gives it; none at the end of the connection.
async fn request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<String> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let all = end + length.unwrap_or(0_usize);
    while buffer.len() < all {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    // The ids of rows are told by their case.
    let request = String::from_utf8_lossy(&buffer[..all]).into_owned();
    buffer.drain(..all);
    Some(request)
}
