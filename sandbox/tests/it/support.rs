//! A plain HTTP client, and requests to send with it: the sandbox is judged by what stands on the wire.

use dintero_sandbox::{CustomerPayment, Sandbox};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) fn http() -> Client {
    // TLS is never used on loopback, but a reqwest that the workspace builds with TLS wants a provider for it. An error
    // means that another test was here first. Proxies of the machine are not asked.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A client with a token.
pub(crate) struct Api {
    pub http: Client,
    pub base: String,
    pub token: String,
}

impl Api {
    pub(crate) async fn of(sandbox: &Sandbox) -> Self {
        let http = http();
        let account = sandbox.account_id();
        let response: Value = http
            .post(format!("{}/accounts/{account}/auth/token", sandbox.auth_url()))
            .basic_auth(sandbox.client_id(), Some(sandbox.client_secret()))
            .json(&json!({
                "grant_type": "client_credentials",
                "audience": format!("https://api.dintero.com/v1/accounts/{account}"),
            }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        Self { http, base: sandbox.base_url(), token: response["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if body.is_null() { request } else { request.json(body) }
    }

    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let mut request = self.request(method, path, body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    #[track_caller]
    pub(crate) fn ok(&self, method: Method, path: &str, body: Value) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let (status, response) = self.send_with(method, path, &body, &[]).await;
            assert_eq!(status, 200, "{at}: {response}");
            response
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, response) = self.send_with(method, path, &body, &[]).await;
        assert!(status >= 400, "accepted: {response}");
        assert!(response["error"]["message"].is_string(), "{response}");
        (status, response)
    }

    /// A new session's id.
    pub(crate) async fn session(&self) -> String {
        let created = self.ok(Method::POST, "/sessions-profile", profile_session()).await;
        created["id"].as_str().unwrap().to_owned()
    }

    /// A new transaction's id, paid with this product.
    pub(crate) async fn paid_with(&self, sandbox: &Sandbox, product_type: &str) -> String {
        let payment = CustomerPayment::new().with(product_type);
        sandbox.customer_pays_with(self.session().await, payment).unwrap()
    }

    /// A new authorized transaction's id.
    pub(crate) async fn paid(&self, sandbox: &Sandbox) -> String {
        sandbox.customer_pays(self.session().await).unwrap()
    }
}

/// A chair for 299.90 NOK and its pick-up for 39.00 NOK.
pub(crate) fn order() -> Value {
    json!({
        "amount": 33890,
        "currency": "NOK",
        "merchant_reference": "order-1",
        "items": [{ "line_id": "1", "id": "chair", "description": "Chair", "quantity": 1,
                    "amount": 29990, "vat": 25, "vat_amount": 5998 }],
        "shipping_option": { "id": "pick-up-1", "line_id": "pick-up", "amount": 3900,
                             "title": "Pick up", "operator": "Bring" },
    })
}

pub(crate) fn profile_session() -> Value {
    json!({
        "profile_id": "default",
        "url": { "return_url": "https://example.com/return" },
        "order": order(),
    })
}

/// The signature that a request of the service has to carry, worked out from the description of the scheme.
pub(crate) fn signature(given: &str, method: &str, path: &str, sorted_query: &str) -> String {
    let seconds = given.strip_prefix("t=").unwrap().split(',').next().unwrap();
    let signed = format!("{seconds}\nT12345678\n{method}\n127.0.0.1\n{path}\n{sorted_query}");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("t={seconds},v0-hmac-sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// What the sandbox signs with unless told otherwise.
pub(crate) const SECRET: &str = "sandbox-signature-secret";
