//! A TLS server whose certificate no authority has signed, in front of a plain one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A name that no resolver knows: what reaches it went through a proxy.
pub(crate) const HOST: &str = "service.invalid";

/// What speaks TLS in these versions as `localhost` and as [`HOST`], and its certificate.
pub(crate) fn acceptor(versions: &[&'static SupportedProtocolVersion]) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned(), "localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// Speaks TLS as `localhost` and as [`HOST`].
pub(crate) struct TlsServer {
    pub(crate) port: u16,
    /// Its certificate.
    pub(crate) pem: String,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Passes on what it gets to `plain`.
    pub(crate) async fn before(plain: SocketAddr) -> Self {
        let (acceptor, pem) = acceptor(rustls::DEFAULT_VERSIONS);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut secured) = acceptor.accept(stream).await else { return };
                    let mut behind = TcpStream::connect(plain).await.unwrap();
                    let _ = copy_bidirectional(&mut secured, &mut behind).await;
                });
            }
        });
        Self { port, pem, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/v1", self.port)
    }

    /// How many connections were made to it since this was last asked.
    pub(crate) fn take_connections(&self) -> usize {
        self.connections.swap(0, Ordering::SeqCst)
    }
}
