//! TLS: which library speaks it, and how it is set up.
//!
//! The library is chosen by a feature of this crate and held by this crate alone: it changes nothing in the reqwest, or
//! in the process-wide defaults, of the program. TLS early data, which a network can replay, is off by default and
//! stays so.

use crate::error::{Error, Result};

/// Certificates to trust beside those of the platform, in PEM.
pub(crate) type Roots = Vec<Vec<u8>>;

/// Which versions of HTTP are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/1.1 alone.
    One,
    /// HTTP/2 before HTTP/1.1.
    Two,
}

#[cfg(any(feature = "__rustls", feature = "native-tls"))]
fn unusable(cause: impl std::fmt::Display) -> Error {
    Error::configuration(format!("a root certificate cannot be read as PEM: {cause}"))
}

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
mod library {
    use hyper_tls::HttpsConnector;
    use native_tls::{Certificate, TlsConnector};

    use super::*;

    /// A connector that speaks TLS where the address is https.
    type Https<C> = HttpsConnector<C>;

    /// TLS as it is set up for one client.
    #[derive(Clone)]
    pub(crate) struct Tls(Option<TlsConnector>);

    impl Tls {
        pub(crate) fn new(roots: &Roots, versions: Versions) -> Result<Self> {
            let mut builder = TlsConnector::builder();
            builder.request_alpns(match versions {
                Versions::One => &["http/1.1"],
                Versions::Two => &["h2", "http/1.1"],
            });
            for pem in roots {
                builder.add_root_certificate(Certificate::from_pem(pem).map_err(unusable)?);
            }
            let connector =
                builder.build().map_err(|cause| Error::configuration("TLS cannot be set up").with_source(cause))?;
            Ok(Self(Some(connector)))
        }

        /// For plain connections only.
        pub(crate) fn none() -> Self {
            Self(None)
        }

        pub(crate) fn around<C>(&self, connector: C) -> Option<Https<C>> {
            Some((connector, self.0.clone()?.into()).into())
        }
    }
}

#[cfg(feature = "__rustls")]
mod library {
    use std::sync::Arc;

    use hyper_rustls::HttpsConnector;
    use rustls::ClientConfig;
    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls_platform_verifier::Verifier;

    use super::*;

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
}

#[cfg(not(any(feature = "__rustls", feature = "native-tls")))]
mod library {
    use super::*;

    /// No TLS: never made.
    type Https<C> = C;

    /// TLS as it is set up for one client: not at all.
    #[derive(Clone)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_: &Roots, _: Versions) -> Result<Self> {
            Err(Error::configuration(
                "https needs TLS, and the crate was built without: enable its feature `rustls`, `aws-lc-rs` or `native-tls`",
            ))
        }

        /// For plain connections only.
        pub(crate) fn none() -> Self {
            Self
        }

        pub(crate) fn around<C>(&self, _: C) -> Option<Https<C>> {
            None
        }
    }
}

pub(crate) use library::Tls;
