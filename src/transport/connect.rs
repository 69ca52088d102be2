//! How a connection comes about: address, proxy, TLS, and the time that all of it may take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::time::timeout;
use tower_service::Service;

use super::tls::Tls;

/// A failure of a connection to come about.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Makes connections, each within its time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    route: Route,
    tls: Tls,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(tls: Tls, proxies: Option<Arc<Matcher>>, limit: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        // A connection whose other side is gone is noticed within the time of a call.
        http.set_keepalive(Some(Duration::from_secs(15)));
        http.set_keepalive_interval(Some(Duration::from_secs(15)));
        http.set_keepalive_retries(Some(3));
        #[cfg(target_os = "linux")]
        http.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        Self { route: Route { http, tls: tls.clone(), proxies }, tls, limit }
    }

    /// Makes a connection: TCP, proxy and TLS.
    pub(crate) async fn connect(&self, to: Uri) -> Result<Stream, BoxError> {
        let connecting = async {
            let is_tls = to.scheme() == Some(&Scheme::HTTPS);
            match self.tls.around(self.route.clone()) {
                Some(mut tls) => Ok(Stream::new(tls.call(to).await?)),
                None if is_tls => Err("the client was built without TLS for this address".into()),
                None => Ok(Stream::new(self.route.clone().call(to).await?)),
            }
        };
        match timeout(self.limit, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(to).await })
    }
}

/// The way to a host, without the TLS of that host: directly, or through a tunnel of the proxy that its address asks for.
#[derive(Clone)]
struct Route {
    http: HttpConnector,
    tls: Tls,
    proxies: Option<Arc<Matcher>>,
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut http = self.http.clone();
        let Some(proxy) = self.proxies.as_ref().and_then(|proxies| proxies.intercept(&to)) else {
            return Box::pin(async move { Ok(Stream::new(http.call(to).await?)) });
        };
        let uri = proxy.uri().clone();
        let auth = proxy.basic_auth().cloned();
        match (uri.scheme_str(), self.tls.around(http.clone())) {
            (Some("http"), _) => Box::pin(tunnel(uri, auth, http, to)),
            (Some("https"), Some(https)) => Box::pin(tunnel(uri, auth, https, to)),
            // Going round it would show a host to those whom the proxy keeps it from.
            _ => Box::pin(async { Err("a proxy must have an http or https address".into()) }),
        }
    }
}

/// A connection through a proxy that does not see what goes over it.
async fn tunnel<C>(proxy: Uri, auth: Option<http::HeaderValue>, connector: C, to: Uri) -> Result<Stream, BoxError>
where
    C: Service<Uri>,
    C::Response: Io,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut tunnel = Tunnel::new(proxy, connector);
    if let Some(auth) = auth {
        tunnel = tunnel.with_auth(auth);
    }
    Ok(Stream::new(tunnel.call(to).await?))
}

/// What a connection can do.
pub(crate) trait Io: Read + Write + Connection + Send + Unpin + 'static {}

impl<T: Read + Write + Connection + Send + Unpin + 'static> Io for T {}

/// A connection, whatever it goes through.
pub(crate) struct Stream(Box<dyn Io>);

impl Stream {
    fn new(io: impl Io) -> Self {
        Self(Box::new(io))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_asks_for_tls_never_goes_without() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connector = Connector::new(Tls::none(), None, Duration::from_secs(60));
        let to = |scheme: &str| format!("{scheme}://{address}").parse().unwrap();
        assert!(connector.connect(to("http")).await.is_ok());
        let error = connector.connect(to("https")).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("without TLS"), "{error}");
    }
}
