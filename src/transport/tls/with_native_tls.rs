//! TLS by the library of the platform.

use hyper_tls::HttpsConnector;
use native_tls::{Certificate, TlsConnector};

use super::{Roots, Versions, unusable};
use crate::error::{Error, Result};

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
