//! Delivering callbacks: over plain HTTP, to loopback only, signed, again and again until they
//! are answered, in the order and number that a test asks for.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::notify::Notice;
use super::server::Shared;
use crate::AccountId;
use crate::callback::{SigningSecret, sign};

/// Attempts after the first.
const RETRIES: u32 = 20;
/// How long a merchant may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How callbacks are delivered, and what has become of them.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) secret: Option<String>,
    /// Additional times that each callback is sent although it was answered well.
    pub(super) copies: u32,
    /// Pause before each first attempt, on top of what the address asks for.
    pub(super) delay: Duration,
    /// Pause before each further attempt.
    pub(super) retry_pause: Duration,
    /// Callbacks wait here until they are released.
    pub(super) held: Option<VecDeque<Notice>>,
    pub(super) delivered: Vec<DeliveredCallback>,
    /// Deliveries under way.
    pub(super) running: usize,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            secret: Some("sandbox-signature-secret".into()),
            copies: 0,
            delay: Duration::ZERO,
            retry_pause: Duration::from_millis(20),
            held: None,
            delivered: Vec::new(),
            running: 0,
        }
    }
}

/// What became of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveredCallback {
    /// The value of the `event-delivery` header, the same at each attempt and in each copy.
    pub delivery: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Where it went, with everything that was added to the merchant's address.
    pub url: Url,
    /// The status of each attempt in order; `None` where there was no answer.
    pub attempts: Vec<Option<u16>>,
}

/// Sends a callback until it is answered with anything but 5xx, with its copies after it.
pub(super) async fn deliver(shared: Arc<Shared>, notice: Notice) {
    let (delay, pause, copies) = {
        let state = shared.state();
        let asked = Duration::from_secs(notice.delay);
        (asked.saturating_add(state.delivery.delay), state.delivery.retry_pause, state.delivery.copies)
    };
    tokio::time::sleep(delay).await;
    let mut attempts = Vec::new();
    for attempt in 0..=RETRIES {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
        }
        let status = attempt_once(&shared, &notice).await;
        attempts.push(status);
        if status.is_some_and(|status| status < 500) {
            break;
        }
    }
    for _ in 0..copies {
        attempts.push(attempt_once(&shared, &notice).await);
    }
    let mut state = shared.state();
    state.delivery.running = state.delivery.running.saturating_sub(1);
    state.delivery.delivered.push(DeliveredCallback {
        delivery: notice.delivery,
        method: notice.method.to_string(),
        url: notice.url,
        attempts,
    });
}

async fn attempt_once(shared: &Shared, notice: &Notice) -> Option<u16> {
    let signature = signature(shared, notice);
    tokio::time::timeout(TIMEOUT, send(notice, signature)).await.ok()?.ok()
}

/// Each attempt is signed anew, for its own time.
fn signature(shared: &Shared, notice: &Notice) -> Option<String> {
    let state = shared.state();
    let secret = SigningSecret::new(SecretString::from(state.delivery.secret.clone()?)).ok()?;
    let account: AccountId = state.config.account_id.parse().ok()?;
    let seconds = u64::try_from(state.clock.now().timestamp()).unwrap_or_default();
    Some(sign(&secret, seconds, &account, &notice.method, &notice.url))
}

/// The socket address behind a loopback URL; callbacks go nowhere else.
pub(super) fn loopback(url: &Url) -> Option<SocketAddr> {
    let address = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
        Host::Domain(name) if name.eq_ignore_ascii_case("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Domain(_) => return None,
    };
    let plain = url.scheme() == "http" && address.is_loopback();
    plain.then_some(SocketAddr::new(address, url.port_or_known_default()?))
}

async fn send(notice: &Notice, signature: Option<String>) -> io::Result<u16> {
    let address = loopback(&notice.url).ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut socket = TcpStream::connect(address).await?;
    let url = &notice.url;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let body = notice.body.as_deref().unwrap_or_default();
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nuser-agent: dintero-sandbox\r\n\
         date: {}\r\nevent-delivery: {}\r\n",
        notice.method,
        url.authority().rsplit('@').next().unwrap_or_default(),
        httpdate::fmt_http_date(Utc::now().into()),
        notice.delivery,
    );
    if let Some(signature) = signature {
        head.push_str(&format!("dintero-signature: {signature}\r\n"));
    }
    if notice.body.is_some() {
        head.push_str("content-type: application/json\r\n");
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    socket.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    // A status line is all that matters; a merchant who answers more is not read to the end.
    while !answer.contains(&b'\n') {
        if socket.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&answer)
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_go_to_loopback_in_plain_http_only() {
        let at = |url: &str| loopback(&Url::parse(url).unwrap()).map(|address| address.to_string());
        assert_eq!(at("http://127.0.0.1:8080/a").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(at("http://localhost/a").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(at("http://[::1]:81/").as_deref(), Some("[::1]:81"));
        for elsewhere in ["https://127.0.0.1/", "https://localhost/", "http://example.com/", "http://10.0.0.1/"] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }
}
