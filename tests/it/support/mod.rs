//! A small HTTP/1.1 server over real sockets that responds as a test says and remembers what it saw.
//!
//! It knows nothing of the service: what a test wants to prove about bytes, connections and counts is proven
//! against it, what it wants to prove about payments against the sandbox.

mod events;
pub(crate) mod nobody;
pub(crate) mod tls;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dintero::{AccountId, Client, ClientBuilder, Clock, Credentials};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub(crate) use events::{Events, Fields, ask_again, asked_again};

pub(crate) const ACCOUNT: &str = "T12345678";
pub(crate) const SECRET: &str = "s3cr3t-hunter2";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn is_token(&self) -> bool {
        self.target.ends_with("/auth/token")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes as they are, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes as they are, then nothing, with the connection kept open.
    Begin(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// No response ever, with the connection kept open.
    Hang,
    After(Duration, Box<Reply>),
    /// Once the gate is opened.
    When(Arc<Notify>, Box<Reply>),
}

impl Reply {
    pub(crate) fn token(name: &str, expires_in: u64) -> Self {
        Self::Json(200, json!({"access_token": name, "token_type": "Bearer", "expires_in": expires_in}))
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Self::After(wait, Box::new(self))
    }

    pub(crate) fn error(status: u16) -> Self {
        Self::Json(status, json!({"error": {"message": "no"}}))
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let all = seen.clone();
        let accepting = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, number, handler.clone(), all.clone()));
                number += 1;
            }
        });
        Self { address, seen, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many token requests came.
    pub(crate) fn tokens(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token()).count()
    }

    /// The requests other than for tokens.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_token()).collect()
    }

    /// A client whose calls and tokens all go here.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(credentials()).base_url(self.url()).auth_url(self.url())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn credentials() -> Credentials {
    let account = AccountId::new(ACCOUNT).expect("an account id");
    Credentials::new(account, "the-client", SECRET)
}

async fn serve(mut stream: TcpStream, connection: usize, handler: Arc<Handler>, all: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer, connection).await {
        // Remembered before the response, so that a client that has its response finds it here.
        all.lock().unwrap().push(seen.clone());
        let mut reply = handler(&seen);
        let reply = loop {
            reply = match reply {
                Reply::After(wait, then) => {
                    tokio::time::sleep(wait).await;
                    *then
                }
                Reply::When(gate, then) => {
                    gate.notified().await;
                    *then
                }
                ready => break ready,
            };
        };
        let written = match reply {
            Reply::Json(status, body) => {
                let body = body.to_string().into_bytes();
                let headers = vec![("content-type", "application/json".to_owned())];
                stream.write_all(&response(status, &headers, &body)).await
            }
            Reply::Full(status, headers, body) => stream.write_all(&response(status, &headers, &body)).await,
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Reply::Begin(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return std::future::pending().await;
            }
            Reply::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Reply::Hang => return std::future::pending().await,
            Reply::After(..) | Reply::When(..) => unreachable!("unwrapped above"),
        };
        if written.is_err() {
            return;
        }
    }
}

fn response(status: u16, headers: &[(&'static str, String)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(Ok(0), |text| text.parse()).ok()?;
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { method, target, headers, body: buffer.drain(..length).collect(), connection })
}

/// A clock that only a test moves.
#[derive(Clone, Debug)]
pub(crate) struct HandClock(Arc<Mutex<DateTime<Utc>>>);

impl HandClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(DateTime::UNIX_EPOCH)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
