//! Requests of the sandbox to the merchant's server: plain HTTP/1, one connection each, to
//! loopback only. What is sent and why is not here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use chrono::Utc;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

/// Answers longer than this are not read on.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a str>,
}

/// The socket address behind a loopback URL; nothing is sent elsewhere.
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

impl Outgoing<'_> {
    /// Sends the request and waits for the status; the rest of the answer is not read.
    pub(super) async fn status(&self) -> io::Result<u16> {
        let mut socket = self.send("HTTP/1.1").await?;
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') && answer.len() < LONGEST_ANSWER {
            if socket.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        status(&answer)
    }

    /// Sends the request and waits for the status and the body.
    pub(super) async fn answer(&self) -> io::Result<(u16, Vec<u8>)> {
        // To an HTTP/1.0 request the body comes as it is and ends with the connection.
        let mut socket = self.send("HTTP/1.0").await?;
        let mut answer = Vec::new();
        while answer.len() < LONGEST_ANSWER && socket.read_buf(&mut answer).await? > 0 {}
        let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = status(&answer)?;
        Ok((status, answer.split_off(head.saturating_add(4))))
    }

    async fn send(&self, version: &str) -> io::Result<TcpStream> {
        let address = loopback(self.url).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut socket = TcpStream::connect(address).await?;
        let (url, body) = (self.url, self.body.unwrap_or_default());
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let mut head = format!(
            "{} {target} {version}\r\nhost: {}\r\nconnection: close\r\nuser-agent: dintero-sandbox\r\ndate: {}\r\n",
            self.method,
            url.authority().rsplit('@').next().unwrap_or_default(),
            httpdate::fmt_http_date(Utc::now().into()),
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.body.is_some() {
            head.push_str("content-type: application/json\r\n");
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        socket.write_all(head.as_bytes()).await?;
        Ok(socket)
    }
}

fn status(answer: &[u8]) -> io::Result<u16> {
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line)
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_loopback_in_plain_http_only() {
        let at = |url: &str| loopback(&Url::parse(url).unwrap()).map(|address| address.to_string());
        assert_eq!(at("http://127.0.0.1:8080/a").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(at("http://localhost/a").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(at("http://[::1]:81/").as_deref(), Some("[::1]:81"));
        for elsewhere in ["https://127.0.0.1/", "https://localhost/", "http://example.com/", "http://10.0.0.1/"] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }
}
