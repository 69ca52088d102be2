//! The same calls with reqwest and serde, and nothing else: what a shop would write that has no client.

use std::time::Duration;

use dintero::types::Transaction;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::json;

use crate::{Failure, response};

/// reqwest, with a token that it was given.
#[derive(Clone, Debug)]
pub struct Bare {
    http: Client,
    base: String,
    token: HeaderValue,
}

impl Bare {
    /// Makes one that keeps its connections or opens one for each call, and trusts this certificate if there is one.
    ///
    /// # Errors
    /// When reqwest cannot be set up.
    pub fn new(base: &str, is_pooled: bool, root: Option<&str>) -> Result<Self, Failure> {
        // A second time it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut http = Client::builder().no_proxy().tcp_nodelay(true).user_agent("bench");
        // Those of this crate: a call that moves money is not left to wait for ever.
        http = http.timeout(Duration::from_secs(30)).connect_timeout(Duration::from_secs(10));
        // Without one of its own it would read those of the platform, which is no part of a call.
        http = http.tls_certs_only(match root {
            Some(pem) => vec![reqwest::Certificate::from_pem(pem.as_bytes())?],
            None => vec![],
        });
        if !is_pooled {
            http = http.pool_max_idle_per_host(0);
        }
        let token = HeaderValue::from_str(&format!("Bearer {}", "t".repeat(900)))?;
        Ok(Self { http: http.build()?, base: base.to_owned(), token })
    }

    /// Reads the transaction.
    ///
    /// # Errors
    /// reqwest's, and serde's.
    pub async fn get(&self) -> Result<Transaction, Failure> {
        let request = self.http.get(format!("{}/transactions/{}", self.base, response::ID));
        let response = request.header(AUTHORIZATION, self.token.clone()).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&response.bytes().await?)?)
    }

    /// Captures it.
    ///
    /// # Errors
    /// reqwest's, and serde's.
    pub async fn capture(&self) -> Result<Transaction, reqwest::Error> {
        let request = self.http.post(format!("{}/transactions/{}/capture", self.base, response::ID));
        let body = json!({ "amount": response::AMOUNT, "capture_reference": response::REFERENCE });
        let request = request.header(AUTHORIZATION, self.token.clone()).json(&body);
        request.send().await?.error_for_status()?.json().await
    }
}
