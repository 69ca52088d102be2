//! How one request leaves and its response begins.
//!
//! hyper retries requests on its own in one place: the pool of `hyper-util` sends again what met a pooled connection on
//! its way down. Only calls that read, and the token call, go through that pool. A call that writes goes over a
//! connection that no other request has used, so an idle connection that the server has just closed, the commonest
//! cause of an unknown outcome, cannot be met; and hyper itself says when it returns a request of which nothing was
//! written. Redirects are followed nowhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderValue, USER_AGENT};
use http::uri::{Parts, PathAndQuery};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use super::connect::{BoxError, Connector};
use super::reach::Reach;
use super::spare::{Fresh, Spares};
use super::tls::{Roots, Tls, Versions};
use crate::error::{Error, Result};
use crate::loopback::is_loopback;

/// A request as it goes out.
pub(crate) type Outgoing = Request<Full<Bytes>>;

/// Why no response began.
#[derive(Debug)]
pub(crate) enum SendError {
    /// Nothing of the request was written.
    NotSent(BoxError),
    /// Some of it may have been.
    Lost(BoxError),
}

/// What a host is reached with.
pub(crate) struct Settings<'a> {
    pub(crate) user_agent: &'a str,
    pub(crate) connect_timeout: Duration,
    /// The address of a proxy. None: that of the environment, where there is one.
    pub(crate) proxy: Option<&'a str>,
    pub(crate) roots: &'a Roots,
}

/// The way to one host.
#[derive(Clone)]
pub(crate) struct Wire {
    reads: Client<Connector, Full<Bytes>>,
    writes: Arc<Spares>,
    user_agent: HeaderValue,
}

impl Wire {
    /// The way to the host of `base`. TLS is set up only where `base` is https, and no proxy is used for this machine.
    pub(crate) fn build(base: &Url, settings: &Settings<'_>) -> Result<Self> {
        let user_agent = HeaderValue::from_str(settings.user_agent)
            .map_err(|cause| Error::configuration("the user agent is not printable ASCII").with_source(cause))?;
        let tls = |versions| match base.scheme() {
            "https" => Tls::new(settings.roots, versions),
            _ => Ok(Tls::none()),
        };
        let proxies = match settings.proxy {
            _ if is_loopback(base) => None,
            Some(address) => Some(through(address)?),
            None => Some(Matcher::from_system()),
        };
        let proxies = proxies.map(Arc::new);
        let connector =
            |versions| Ok::<_, Error>(Connector::new(tls(versions)?, proxies.clone(), settings.connect_timeout));
        let reads = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(90))
            .build(connector(Versions::Two)?);
        Ok(Self { reads, writes: Spares::new(connector(Versions::One)?), user_agent })
    }

    /// A request of the generated client as it goes out, but for its credentials.
    pub(crate) fn outgoing(&self, request: &reqwest::Request) -> Result<Outgoing> {
        let unusable = |cause: http::Error| Error::invalid("the request cannot be written").with_source(cause);
        let body = match request.body().map(reqwest::Body::as_bytes) {
            None => Bytes::new(),
            Some(Some(body)) => Bytes::copy_from_slice(body),
            // The generated client makes bodies of bytes only.
            Some(None) => return Err(Error::invalid("the body of the request is a stream")),
        };
        let builder = Request::builder().method(request.method()).uri(request.url().as_str());
        let mut outgoing = builder.body(Full::new(body)).map_err(unusable)?;
        let headers = outgoing.headers_mut();
        *headers = request.headers().clone();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        Ok(outgoing)
    }

    /// Sends a request that may be sent more than once.
    pub(crate) async fn read(&self, request: Outgoing) -> Result<Response<Incoming>, SendError> {
        self.reads.request(request).await.map_err(|cause| match cause.is_connect() {
            true => SendError::NotSent(cause.into()),
            false => SendError::Lost(cause.into()),
        })
    }

    /// Sends a request once, over a connection that no other request has used, and marks how far it gets.
    pub(crate) async fn write(&self, mut request: Outgoing, reach: &Reach) -> Result<Response<Incoming>, SendError> {
        let host = take_host(&mut request).map_err(|cause| SendError::NotSent(cause.into()))?;
        reach.connecting();
        let connection = self.writes.take(host).await.map_err(SendError::NotSent)?;
        reach.connected();
        send(connection, request).await
    }
}

/// hyper returns a request of which nothing was written, and only such a one.
async fn send(mut connection: Fresh, request: Outgoing) -> Result<Response<Incoming>, SendError> {
    connection.try_send_request(request).await.map_err(|mut failed| match failed.take_message() {
        Some(_) => SendError::NotSent(failed.into_error().into()),
        None => SendError::Lost(failed.into_error().into()),
    })
}

/// All goes through one proxy. An address that cannot be read must not be the same as none.
fn through(address: &str) -> Result<Matcher> {
    let matcher = Matcher::builder().all(address.to_owned()).build();
    match matcher.intercept(&Uri::from_static("https://service.invalid")) {
        Some(_) => Ok(matcher),
        None => Err(Error::configuration("the address of the proxy is not valid: `http://host:port` is expected")),
    }
}

/// Brings a request into the form of HTTP/1.1: the host as a header, the path alone as its target.
fn take_host(request: &mut Outgoing) -> Result<Uri, http::Error> {
    let Parts { scheme, authority, path_and_query, .. } = std::mem::take(request.uri_mut()).into_parts();
    // Without the port that the scheme implies: the address was a `Url`.
    if let Some(authority) = &authority {
        request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    }
    let target = path_and_query.unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);
    let mut host = Parts::default();
    (host.scheme, host.authority) = (scheme, authority);
    host.path_and_query = Some(PathAndQuery::from_static("/"));
    Ok(Uri::from_parts(host)?)
}

#[cfg(test)]
mod tests {
    use hyper::client::conn::http1::handshake;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    fn request(uri: &'static str) -> Outgoing {
        Request::post(Uri::from_static(uri)).body(Full::from("{}")).unwrap()
    }

    #[tokio::test]
    async fn a_request_is_unsent_only_where_none_of_it_was_written() {
        let (near, far) = duplex(1024);
        let (fresh, connection) = handshake(TokioIo::new(near)).await.unwrap();
        // The other side closes before the connection has taken the request.
        drop(far);
        let (sent, _) = tokio::join!(send(fresh, request("/")), connection);
        assert!(matches!(sent, Err(SendError::NotSent(_))), "{sent:?}");
        // It closes when it has one byte of the request.
        let (near, mut far) = duplex(1024);
        let (fresh, connection) = handshake(TokioIo::new(near)).await.unwrap();
        let closes = async move { far.read_u8().await.map(|_| drop(far)) };
        let (sent, _, read) = tokio::join!(send(fresh, request("/")), connection, closes);
        assert!(matches!(sent, Err(SendError::Lost(_))), "{sent:?}");
        read.unwrap();
    }

    #[test]
    fn the_host_becomes_a_header() {
        for (uri, host, target) in [
            ("https://a.example/v1/x?y=1", "a.example", "/v1/x?y=1"),
            ("https://a.example:8443", "a.example:8443", "/"),
            ("http://[::1]:80/v1", "[::1]:80", "/v1"),
        ] {
            let mut request = request(uri);
            let base = take_host(&mut request).unwrap();
            assert_eq!((request.headers()[HOST].to_str().unwrap(), request.uri().to_string().as_str()), (host, target));
            let uri = Uri::from_static(uri);
            assert_eq!((base.scheme(), base.authority(), base.path()), (uri.scheme(), uri.authority(), "/"));
        }
    }
}
