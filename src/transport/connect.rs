//! How the HTTP clients are built, and what is switched off in them.
//!
//! reqwest and hyper repeat requests on their own in three places, all of which are closed here:
//! redirects are not followed; reqwest's own retries (a stream refused or a connection closed by an HTTP/2
//! server) are off; and hyper's repetition of a request that met a pooled connection on its way down cannot
//! happen to a client without a pool. TLS early data, which a network can replay, is off by default in
//! rustls and stays so.
//!
//! Calls that write go through a client without a pool, on HTTP/1.1: a connection of its own for each
//! costs a round trip or two, and an idle connection that the other side has just given up, the commonest
//! cause of an unknown outcome, cannot be met.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;

use super::reach::Watch;
use crate::error::{Error, Result};

/// The clients of one [`Client`](crate::Client).
#[derive(Clone)]
pub(crate) struct Http {
    /// For calls that only read, and for tokens.
    pub(crate) reads: reqwest::Client,
    /// For calls that write: no pool, HTTP/1.1.
    pub(crate) writes: reqwest::Client,
}

pub(crate) struct Settings<'a> {
    pub(crate) user_agent: &'a str,
    pub(crate) connect_timeout: Duration,
    /// Whether the proxies of the environment are used. They never are for plain http, which stays on this
    /// machine.
    pub(crate) proxies: bool,
}

impl Http {
    pub(crate) fn build(settings: &Settings<'_>) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let reads = common(settings, tls(&provider, &[b"h2", b"http/1.1"])?);
        let writes = common(settings, tls(&provider, &[b"http/1.1"])?)
            .http1_only()
            .pool_max_idle_per_host(0)
            .connector_layer(Watch);
        Ok(Self { reads: reads.build().map_err(unbuildable)?, writes: writes.build().map_err(unbuildable)? })
    }
}

fn unbuildable(cause: reqwest::Error) -> Error {
    Error::configuration("the HTTP client cannot be built").with_source(cause)
}

fn common(settings: &Settings<'_>, tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(settings.user_agent)
        .connect_timeout(settings.connect_timeout);
    if settings.proxies { builder } else { builder.no_proxy() }
}

/// rustls with ring and the certificates of the platform. Given explicitly, so that what another crate
/// has installed for the process changes nothing here.
fn tls(provider: &Arc<CryptoProvider>, alpn: &[&[u8]]) -> Result<rustls::ClientConfig> {
    let verifier = Verifier::new(provider.clone())
        .map_err(|cause| Error::configuration("the certificates of the platform cannot be used").with_source(cause))?;
    let mut config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::configuration("TLS cannot be set up").with_source(cause))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}
