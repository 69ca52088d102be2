//! A gateway that holds a request for longer than the client waits, and then passes it on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Gateway {
    base_url: String,
    /// When the last request was passed on and responded to.
    passed_on: Arc<Mutex<Option<Instant>>>,
    /// How many requests are held.
    held: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Gateway {
    pub(super) async fn start(upstream: String, held: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = upstream.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
        let passed_on = Arc::new(Mutex::new(None));
        let noted = passed_on.clone();
        let count = Arc::new(AtomicUsize::new(0));
        let holding = count.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, noted, count) = (upstream.clone(), noted.clone(), count.clone());
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    pass_on(stream, upstream, held, noted).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { base_url: format!("http://{address}/v1"), passed_on, held: holding, accepting }
    }

    pub(super) fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// Waits until no request is held.
    pub(super) async fn idle(&self) {
        while self.held.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether a request was passed on by then.
    pub(super) fn had_passed_on(&self, by: Instant) -> bool {
        self.passed_on.lock().unwrap().is_some_and(|at| at <= by)
    }

    /// When the request that was held last had been passed on and responded to.
    pub(super) fn take_passed_on(&self) -> Option<Instant> {
        self.passed_on.lock().unwrap().take()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass_on(mut client: TcpStream, upstream: String, held: Duration, noted: Arc<Mutex<Option<Instant>>>) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        match client.read_buf(&mut request).await {
            Ok(read) if read > 0 => {}
            // Nothing is passed on of half a request.
            _ => return,
        }
    }
    tokio::time::sleep(held).await;
    let mut server = TcpStream::connect(upstream).await.unwrap();
    server.write_all(&request).await.unwrap();
    // By the first byte of the response the request has been carried out.
    let mut response = vec![0; 65_536];
    let read = server.read(&mut response).await.unwrap();
    *noted.lock().unwrap() = Some(Instant::now());
    // The client is long gone.
    let _ = client.write_all(&response[..read]).await;
}

/// Whether a request has come to its end.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= end + 4 + length.unwrap_or(0)
}
