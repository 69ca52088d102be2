//! The axum adapter over real sockets: it verifies first, sees what was signed, and no error of its own ends a
//! delivery.

use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::post;
use dintero::AccountId;
use dintero::callback::{
    AddressResponse, Callback, CallbackRejection, CallbackResponse, ExpressRequest, HandlerError, SIGNATURE_HEADER,
    Signed, SigningSecret, Verifier, VerifyError, WEBHOOK_SIGNATURE_HEADER, Webhook, WebhookSecret, WebhookVerifier,
    callbacks, sign,
};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const TIME: i64 = 1_778_148_672;

#[derive(Clone)]
struct State {
    verifier: Verifier,
    webhooks: WebhookVerifier,
}

impl FromRef<State> for Verifier {
    fn from_ref(state: &State) -> Self {
        state.verifier.clone()
    }
}

impl FromRef<State> for WebhookVerifier {
    fn from_ref(state: &State) -> Self {
        state.webhooks.clone()
    }
}

fn account() -> AccountId {
    "T12345678".parse().expect("an account")
}

fn secret() -> SigningSecret {
    SigningSecret::new("123").expect("a secret")
}

fn webhook_secret() -> WebhookSecret {
    WebhookSecret::new("456").expect("a secret")
}

/// Serves on a free port and gives it. A body has all the time that a busy machine needs.
async fn serve(router: Router<State>) -> u16 {
    serve_patiently(router, Duration::from_secs(60)).await
}

async fn serve_patiently(router: Router<State>, body_timeout: Duration) -> u16 {
    let verifier =
        Verifier::builder(account(), "https://shop.example").secret(secret()).clock(super::support::At(TIME));
    let verifier = verifier.body_timeout(body_timeout).build().expect("a verifier");
    let webhooks = WebhookVerifier::new(webhook_secret()).with_body_timeout(body_timeout);
    let router = router.with_state(State { verifier, webhooks });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Sends a request and gives status and body of the response.
async fn send(port: u16, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    send_some(port, method, target, headers, body.len(), body).await
}

/// Sends a request that announces a body of `length` bytes and brings `body` of it.
async fn send_some(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    length: usize,
    body: &[u8],
) -> (u16, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: internal:80\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
    // The server may respond without reading all of it.
    drop(socket.write_all(body).await);
    let mut response = Vec::new();
    drop(socket.read_to_end(&mut response).await);
    let response = String::from_utf8(response).expect("text");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}

/// Sends what the service would send for this path on the public host.
async fn callback(port: u16, method: &Method, target: &str, body: &[u8]) -> (u16, String) {
    send(port, method.as_str(), target, &[(SIGNATURE_HEADER, &signature(method, target))], body).await
}

fn signature(method: &Method, target: &str) -> String {
    let url = Url::parse(&format!("https://shop.example{target}")).expect("a URL");
    sign(&secret(), TIME.cast_unsigned(), &account(), method, &url)
}

async fn describe(callback: Callback) -> String {
    let body = callback.unverified_body().map(|body| body.bytes().len());
    format!("{} {} {body:?}", callback.method(), callback.path())
}

#[tokio::test]
async fn get_and_post_reach_one_handler_with_the_path_that_was_signed() {
    let inner = Router::new().route("/callback", callbacks(describe));
    let port = serve(Router::new().nest("/shop/{id}", inner).route("/", callbacks(describe))).await;
    let target = "/shop/7/callback?b=1&a=%20x";
    assert_eq!(callback(port, &Method::GET, target, b"").await, (200, "GET /shop/7/callback None".into()));
    assert_eq!(callback(port, &Method::POST, target, b"{}").await, (200, "POST /shop/7/callback Some(2)".into()));
    assert_eq!(callback(port, &Method::GET, "/?", b"").await, (200, "GET / None".into()));
}

#[tokio::test]
async fn a_body_that_is_too_large_costs_the_body_and_not_the_callback() {
    let port = serve(Router::new().route("/c", callbacks(describe))).await;
    let large = vec![b' '; 5 * 1024 * 1024];
    assert_eq!(callback(port, &Method::POST, "/c", &large).await, (200, "POST /c None".into()));
    // Above what axum's own extractors take, which would respond with 413.
    let fits = vec![b' '; 3 * 1024 * 1024];
    assert_eq!(callback(port, &Method::POST, "/c", &fits).await, (200, format!("POST /c Some({})", fits.len())));
}

/// Each of these requests announces a body that never comes, so that whoever waits for it waits for ever.
#[tokio::test]
async fn a_request_that_is_not_verified_gets_a_response_without_its_body() {
    let router = Router::new()
        .route("/c", callbacks(describe))
        .route("/signed", post(async |Signed(_): Signed<ExpressRequest>| "taken"))
        .route("/w", post(async |_: Webhook| "taken"));
    let port = serve_patiently(router, Duration::MAX).await;
    let forged = format!("t={TIME},v0-hmac-sha256={}", "0".repeat(64));
    let stale = forged.replace(&TIME.to_string(), "1");
    let elsewhere = signature(&Method::POST, "/c?transaction_id=T00000000.a");
    for target in ["/c", "/signed", "/c?transaction_id=T00000000.a"] {
        for (header, status) in [(&forged, 503), (&stale, 503), (&elsewhere, 503), (&"t=1".to_owned(), 400)] {
            let headers = [(SIGNATURE_HEADER, header.as_str())];
            let response = send_some(port, "POST", target, &headers, 1_000, b"{").await;
            assert_eq!(response, (status, String::new()), "{target} {header}");
        }
        assert_eq!(send_some(port, "POST", target, &[], 1_000, b"{").await.0, 503, "{target}");
    }
    assert_eq!(send_some(port, "POST", "/w", &[], 1_000, b"{").await.0, 503);
    assert_eq!(send_some(port, "POST", "/w", &[(WEBHOOK_SIGNATURE_HEADER, "00")], 1_000, b"{").await.0, 400);
}

#[tokio::test]
async fn a_signed_request_whose_body_stalls_gets_a_response_within_the_deadline() {
    let router = Router::new().route("/c", callbacks(describe)).route("/w", post(async |_: Webhook| "taken"));
    let port = serve_patiently(router, Duration::from_millis(50)).await;
    let header = signature(&Method::POST, "/c");
    // The proven part has arrived, so the callback is taken.
    let response = send_some(port, "POST", "/c", &[(SIGNATURE_HEADER, &header)], 1_000, b"{").await;
    assert_eq!(response, (200, "POST /c None".into()));
    // Of a webhook nothing is proven without its body.
    let well_formed = "0".repeat(40);
    let headers = [(WEBHOOK_SIGNATURE_HEADER, well_formed.as_str())];
    assert_eq!(send_some(port, "POST", "/w", &headers, 1_000, b"{").await.0, 503);
}

#[tokio::test]
async fn any_request_can_be_verified_before_another_extractor_reads_it() {
    let router = Router::new().route(
        "/a",
        post(async |Signed(express): Signed<ExpressRequest>| {
            express.session_id().map_or_else(String::new, ToString::to_string)
        }),
    );
    let port = serve(Router::new().nest("/shop", router)).await;
    let body = br#"{"id":"T12345678.s","order":{"amount":1,"currency":"NOK","merchant_reference":"r"}}"#;
    assert_eq!(callback(port, &Method::POST, "/shop/a?x=1", body).await, (200, "T12345678.s".into()));
    assert_eq!(send(port, "POST", "/shop/a?x=1", &[], body).await.0, 503);
    assert_eq!(callback(port, &Method::POST, "/shop/a?x=1", b"no session").await.0, 400);
}

#[tokio::test]
async fn a_handler_may_decide_on_rejections_itself() {
    async fn on_callback(callback: Result<Callback, CallbackRejection>) -> String {
        match callback {
            Ok(_) => "taken".to_owned(),
            Err(CallbackRejection(VerifyError::SignatureMissing)) => "unsigned".to_owned(),
            Err(other) => other.to_string(),
        }
    }
    let port = serve(Router::new().route("/c", callbacks(on_callback))).await;
    assert_eq!(callback(port, &Method::GET, "/c", b"").await, (200, "taken".into()));
    assert_eq!(send(port, "GET", "/c", &[], b"").await, (200, "unsigned".into()));
}

#[tokio::test]
async fn responses_and_errors_have_their_statuses() {
    async fn on_callback(callback: Callback) -> Result<CallbackResponse, HandlerError> {
        Ok(match callback.params().get("do") {
            Some("acknowledge") => CallbackResponse::Acknowledge,
            Some("retry") => CallbackResponse::RetryLater,
            Some("refuse") => CallbackResponse::Refuse,
            other => return Err(std::io::Error::other(other.unwrap_or_default().to_owned()).into()),
        })
    }
    let port = serve(Router::new().route("/c", callbacks(on_callback))).await;
    for (what, status) in [("acknowledge", 200), ("retry", 503), ("refuse", 400), ("fail", 503)] {
        let response = callback(port, &Method::GET, &format!("/c?do={what}"), b"").await;
        assert_eq!(response, (status, String::new()), "{what}: without a word of the error");
    }
}

#[tokio::test]
async fn webhooks_are_verified_by_their_own_verifier() {
    async fn on_webhook(webhook: Webhook) -> String {
        String::from_utf8_lossy(webhook.body()).into_owned()
    }
    let port = serve(Router::new().route("/w", post(on_webhook))).await;
    let body = br#"{"event":"x"}"#;
    let good = webhook_secret().sign(body);
    let name = WEBHOOK_SIGNATURE_HEADER;
    assert_eq!(send(port, "POST", "/w", &[(name, &good)], body).await, (200, r#"{"event":"x"}"#.into()));
    assert_eq!(send(port, "POST", "/w", &[(name, &good)], b"{}").await.0, 503);
    assert_eq!(send(port, "POST", "/w", &[], body).await.0, 503);
    assert_eq!(send(port, "POST", "/w", &[(name, "zz")], body).await.0, 400);
    // A callback's signature is of no use here.
    assert_eq!(callback(port, &Method::POST, "/w", body).await.0, 503);
    let large = vec![b'x'; 5 * 1024 * 1024];
    let signature = webhook_secret().sign(&large);
    assert_eq!(send(port, "POST", "/w", &[(name, &signature)], &large).await.0, 503, "not 413");
}

#[tokio::test]
async fn an_express_request_gets_a_response_in_json() {
    async fn on_address(request: ExpressRequest) -> Result<AddressResponse, HandlerError> {
        match request.chosen() {
            None => Ok(AddressResponse::nothing_ships()),
            Some(chosen) => Ok(AddressResponse::ships([chosen.clone()])?.keeping(chosen)?),
        }
    }
    let port = serve(Router::new().route("/address", post(on_address))).await;
    let session = |shipping: &str| {
        format!(r#"{{"id":"T12345678.s","order":{{"amount":1,"currency":"NOK","merchant_reference":"r"{shipping}}}}}"#)
    };
    let (status, body) = send(port, "POST", "/address", &[], session("").as_bytes()).await;
    assert_eq!((status, body.as_str()), (200, r#"{"shipping_options":[]}"#));
    let chosen = r#","shipping_option":{"id":"a","line_id":"l","amount":3900,"title":"Post","operator":"Bring"}"#;
    let (status, body) = send(port, "POST", "/address", &[], session(chosen).as_bytes()).await;
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["shipping_options"][0]["amount"]), (200, &3_900.into()));
    // An offer that may not be made is our own error.
    let nameless = chosen.replace("Post", "");
    assert_eq!(send(port, "POST", "/address", &[], session(&nameless).as_bytes()).await.0, 503);
    assert_eq!(send(port, "POST", "/address", &[], b"not a session").await.0, 400);
}
