//! Requests of the sandbox to the merchant's server: plain HTTP/1, one connection each, to loopback only unless a
//! host is allowed. What is sent and why is not here.

use std::io;

use bytes::Bytes;
use chrono::Utc;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Host, Url};

/// Responses longer than this are not read on.
const LONGEST_RESPONSE: usize = 16 * 1024 * 1024;

pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<&'a str>,
}

/// Why nothing is sent to a URL, if nothing is.
pub(crate) fn refusal(url: &Url, allowed: &[String]) -> Option<String> {
    if url.scheme() != "http" {
        return Some(format!("the sandbox sends plain http only, the address is {}", url.scheme()));
    }
    let near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => is_localhost(name),
        None => false,
    };
    let host = url.host_str().unwrap_or_default();
    if near || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        return None;
    }
    Some(format!("the host {host} is neither on this machine nor allowed"))
}

/// RFC 6761: `localhost` and every name below it.
fn is_localhost(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

async fn connect(url: &Url) -> io::Result<TcpStream> {
    let port = url.port_or_known_default().unwrap_or(80);
    match url.host() {
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        // Not left to the resolver, which may know another `localhost`. Servers listen on either family.
        Some(Host::Domain(name)) if is_localhost(name) => match TcpStream::connect(("127.0.0.1", port)).await {
            Err(_) => TcpStream::connect(("::1", port)).await,
            connected => connected,
        },
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        None => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

impl Outgoing<'_> {
    /// Sends the request and waits for the status and the body. Whether it may be sent is for [`refusal`].
    pub(crate) async fn send(&self) -> io::Result<(u16, Bytes)> {
        let stream = connect(self.url).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let exchange = async {
            let response = sender.send_request(self.request()?).await.map_err(io::Error::other)?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LONGEST_RESPONSE).collect().await;
            Ok((status, body.map_err(io::Error::other)?.to_bytes()))
        };
        tokio::pin!(exchange);
        tokio::select! {
            done = &mut exchange => done,
            _ = connection => exchange.await,
        }
    }

    fn request(&self) -> io::Result<Request<Full<Bytes>>> {
        let target =
            self.url.query().map_or_else(|| self.url.path().into(), |query| format!("{}?{query}", self.url.path()));
        let authority = self.url.authority().rsplit('@').next().unwrap_or_default();
        let mut request = Request::builder()
            .method(self.method)
            .uri(target)
            .header(header::HOST, authority)
            .header(header::CONNECTION, "close")
            .header(header::USER_AGENT, "dintero-sandbox")
            .header(header::DATE, httpdate::fmt_http_date(Utc::now().into()));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(Full::from(self.body.unwrap_or_default().to_owned())).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_loopback_and_to_allowed_hosts_in_plain_http_only() {
        let refused =
            |url: &str| refusal(&Url::parse(url).unwrap(), &["shop.test".into(), "10.0.0.2".into()]).is_some();
        for near in [
            "http://127.0.0.1:8080/a",
            "http://localhost/a",
            "http://shop.localhost/",
            "http://[::1]:81/",
            "http://127.8.8.8/",
        ] {
            assert!(!refused(near), "{near}");
        }
        assert!(!refused("http://SHOP.test:3000/") && !refused("http://10.0.0.2/"));
        for elsewhere in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "ftp://[::1]/",
        ] {
            assert!(refused(elsewhere), "{elsewhere}");
        }
    }
}
