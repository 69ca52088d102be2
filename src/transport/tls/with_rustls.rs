//! TLS by rustls, with ring or aws-lc.

use std::sync::Arc;

use hyper_rustls::HttpsConnector;
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::{Roots, Versions, unusable};
use crate::error::{Error, Result};

/// A connector that speaks TLS where the address is https.
type Https<C> = HttpsConnector<C>;

/// TLS as it is set up for one client.
#[derive(Clone)]
pub(crate) struct Tls(Option<Arc<ClientConfig>>);

fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    return rustls::crypto::ring::default_provider();
}

impl Tls {
    pub(crate) fn new(roots: &Roots, versions: Versions) -> Result<Self> {
        // Given explicitly, so that what another crate has installed for the process changes nothing here.
        let provider = Arc::new(provider());
        let mut extra = vec![];
        for pem in roots {
            let before = extra.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                extra.push(certificate.map_err(unusable)?);
            }
            if extra.len() == before {
                return Err(unusable("it holds no certificate"));
            }
        }
        let verifier = Verifier::new_with_extra_roots(extra, provider.clone()).map_err(|cause| {
            Error::configuration("the certificates of the platform cannot be used").with_source(cause)
        })?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::configuration("TLS cannot be set up").with_source(cause))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = match versions {
            Versions::One => vec![b"http/1.1".to_vec()],
            Versions::Two => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Self(Some(Arc::new(config))))
    }

    /// For plain connections only: no certificate is loaded.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn around<C>(&self, connector: C) -> Option<Https<C>> {
        Some((connector, self.0.clone()?).into())
    }
}
