//! A signed callback, and a forged one, through each of the servers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use dintero::AccountId;
use dintero::callback::{Callback, Inbox, SIGNATURE_HEADER, SigningSecret, Verifier, sign};
use dintero::store::Journal;
use dintero_example_servers::{Callbacks, actix, hyper, lambda};
use http::Method;
use serde_json::{Value, json};
use tower_service::Service as _;
use url::Url;

const QUERY: &str = "transaction_id=T12345678.a&own=%C3%A6+b&time=2026-05-07T10:00:00Z";

/// What the handler was given: the transaction, a parameter, and the length of the body.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Handled>>>);

type Handled = (String, Option<String>, Option<usize>);

impl Seen {
    fn callbacks(&self) -> Callbacks {
        let secret = SigningSecret::new("123").expect("a secret");
        let builder = Verifier::builder(account(), "https://shop.example").secret(secret);
        let seen = self.0.clone();
        let inbox = Inbox::new(Journal::in_memory(), move |callback: Callback| {
            let id = callback.transaction_id().map(ToString::to_string).unwrap_or_default();
            let own = callback.params().get("own").map(str::to_owned);
            let body = callback.unverified_body().map(|body| body.bytes().len());
            seen.lock().expect("no panic").push((id, own, body));
            async { Ok(()) }
        });
        Callbacks { verifier: builder.build().expect("a verifier"), inbox }
    }

    #[track_caller]
    fn assert_handled(&self) {
        let own = Some("\u{e6} b".to_owned());
        let seen = self.0.lock().expect("no panic").clone();
        assert_eq!(seen, [("T12345678.a".into(), own, None), ("T12345678.b".into(), None, Some(20))]);
    }
}

fn account() -> AccountId {
    "T12345678".parse().expect("an account")
}

/// The value of the signature header.
fn signature(method: &Method, target: &str, secret: &str) -> String {
    let url = Url::parse(&format!("https://shop.example{target}")).expect("a URL");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let secret = SigningSecret::new(secret).expect("a secret");
    sign(&secret, now, &account(), method, &url)
}

/// What is sent to each server: method, query, secret and body; and the status of the response.
fn requests() -> [(Method, &'static str, &'static str, &'static str, u16); 3] {
    [
        (Method::GET, QUERY, "another", "", 503),
        (Method::GET, QUERY, "123", "", 200),
        (Method::POST, "transaction_id=T12345678.b", "123", r#"{"id":"T12345678.b"}"#, 200),
    ]
}

/// Sends the requests over sockets.
fn send_all(port: u16) {
    for (method, query, secret, body, expected) in requests() {
        let target = format!("/callback?{query}");
        let signature = signature(&method, &target, secret);
        let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        let length = body.len();
        let head = format!("{method} {target} HTTP/1.1\r\nhost: internal\r\nconnection: close");
        write!(socket, "{head}\r\ncontent-length: {length}\r\n{SIGNATURE_HEADER}: {signature}\r\n\r\n{body}")
            .expect("sent");
        let mut response = String::new();
        socket.read_to_string(&mut response).expect("a response");
        let status: u16 = response.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        assert_eq!(status, expected, "{method} {query}");
    }
}

#[test]
fn through_actix_web() {
    actix_web::rt::System::new().block_on(async {
        let seen = Seen::default();
        let callbacks = actix_web::web::Data::new(seen.callbacks());
        let app = move || {
            let route = actix_web::web::resource("/callback").to(actix::on_callback);
            actix_web::App::new().app_data(callbacks.clone()).service(route)
        };
        let server = actix_web::HttpServer::new(app).workers(1).bind(("127.0.0.1", 0)).expect("a port");
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        actix_web::rt::task::spawn_blocking(move || send_all(port)).await.expect("no panic");
        seen.assert_handled();
        handle.stop(false).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_hyper() {
    let seen = Seen::default();
    let callbacks = seen.callbacks();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let callbacks = callbacks.clone();
            let service = ::hyper::service::service_fn(move |request| hyper::on_callback(callbacks.clone(), request));
            let socket = hyper_util::rt::TokioIo::new(socket);
            tokio::spawn(::hyper::server::conn::http1::Builder::new().serve_connection(socket, service));
        }
    });
    tokio::task::spawn_blocking(move || send_all(port)).await.expect("no panic");
    seen.assert_handled();
}

/// An event as the gateway makes it of a request: version 2.0 of its format.
fn event(method: &Method, query: &str, secret: &str, body: &str) -> Value {
    let signature = signature(method, &format!("/callback?{query}"), secret);
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/callback", "rawQueryString": query,
        "headers": { "host": "abc.execute-api.eu-north-1.amazonaws.com", "dintero-signature": signature },
        "requestContext": {
            "accountId": "1", "apiId": "abc", "domainName": "abc.execute-api.eu-north-1.amazonaws.com",
            "domainPrefix": "abc", "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "07/May/2026:10:00:00 +0000", "timeEpoch": 1_778_148_000_000_i64,
            "http": { "method": method.as_str(), "path": "/callback", "protocol": "HTTP/1.1",
                      "sourceIp": "192.0.2.1", "userAgent": "callbacks" },
        },
        "body": (!body.is_empty()).then_some(body), "isBase64Encoded": false,
    })
}

#[tokio::test]
async fn through_lambda() {
    let seen = Seen::default();
    let callbacks = seen.callbacks();
    let handler = lambda_http::service_fn(|request| lambda::on_callback(&callbacks, request));
    let mut adapter = lambda_http::Adapter::from(handler);
    for (method, query, secret, body, expected) in requests() {
        let event: lambda_http::request::LambdaRequest =
            serde_json::from_value(event(&method, query, secret, body)).expect("an event");
        let event = lambda_http::LambdaEvent::new(event, lambda_http::Context::default());
        let response = serde_json::to_value(adapter.call(event).await.expect("a response")).expect("JSON");
        assert_eq!(response["statusCode"], json!(expected), "{method} {query}");
    }
    seen.assert_handled();
}
