//! Callbacks as a merchant's server receives them over a real socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::support::{Api, SECRET, profile_session, signature as expected};
use axum::body::Bytes;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use dintero_sandbox::{CustomerPayment, Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: HttpMethod,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A merchant's server: keeps what it gets and responds from a list of statuses, then 200.
#[derive(Clone)]
pub(crate) struct Merchant {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    pub(crate) responses: Arc<Mutex<Vec<u16>>>,
}

impl Merchant {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let merchant = Self {
            url: format!("http://{}/callback", listener.local_addr().unwrap()),
            received: Arc::default(),
            responses: Arc::default(),
        };
        let kept = merchant.clone();
        let handler = move |method: HttpMethod, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
            kept.received.lock().unwrap().push(Received { method, query, headers, body });
            let mut responses = kept.responses.lock().unwrap();
            let status = if responses.is_empty() { 200 } else { responses.remove(0) };
            StatusCode::from_u16(status).unwrap()
        };
        let router = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        merchant
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

pub(crate) async fn session(api: &Api, callback_url: &str) -> String {
    let mut body = profile_session();
    body["url"]["callback_url"] = json!(callback_url);
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_payment_is_told_once_signed_and_by_get() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    let session = session(&api, &format!("{}?own=a+b", merchant.url)).await;
    let id = sandbox.customer_pays(&session).unwrap();
    sandbox.callbacks_delivered().await;

    let received = merchant.received();
    let [callback] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((&callback.method, callback.body.len()), (&HttpMethod::GET, 0));
    assert_eq!(callback.query["transaction_id"], id);
    assert_eq!(callback.query["session_id"], session);
    assert_eq!(callback.query["merchant_reference"], "order-1");
    assert_eq!(callback.query["own"], "a b");
    assert!(chrono::DateTime::parse_from_rfc3339(&callback.query["time"]).is_ok());
    assert!(!callback.query.contains_key("error") && !callback.query.contains_key("event"));

    let told = &sandbox.callbacks()[0];
    assert_eq!((told.attempts.as_slice(), told.method.as_str()), ([Some(200)].as_slice(), "GET"));
    assert_eq!(callback.headers["event-delivery"], told.delivery.as_str());

    // Worked out here from the description, on a query whose parameters happen to need no more than sorting.
    let signature = callback.headers["dintero-signature"].to_str().unwrap();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&callback.query).finish();
    assert_eq!(sandbox.signature_secret().as_deref(), Some(SECRET));
    assert_eq!(signature, expected(signature, "GET", "/callback", &query));
}

#[tokio::test]
async fn a_post_carries_the_transaction_and_the_session_where_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    let options = "method=POST&includes=session&sid_parameter_name=sid";
    let session = session(&api, &format!("{}?{options}", merchant.url)).await;
    let id = sandbox.customer_pays(&session).unwrap();
    sandbox.callbacks_delivered().await;
    let callback = &merchant.received()[0];
    assert_eq!(callback.method, HttpMethod::POST);
    assert_eq!(callback.query["sid"], session);
    assert_eq!(callback.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&callback.body).unwrap();
    assert_eq!((&body["id"], &body["status"]), (&json!(id), &json!("AUTHORIZED")));
    assert_eq!(body["session"]["id"], session.as_str());
}

#[tokio::test]
async fn events_and_errors_are_told_to_those_who_ask() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let (silent, asking) = (Merchant::open().await, Merchant::open().await);
    let options = "report_error=true&report_event=CAPTURE&report_event=VOID";
    for url in [silent.url.clone(), format!("{}?{options}", asking.url)] {
        let declined = session(&api, &url).await;
        sandbox.customer_pays_with(&declined, CustomerPayment::new().declined()).unwrap();
        sandbox.callbacks_delivered().await;
        let left = session(&api, &url).await;
        sandbox.customer_cancels(&left).unwrap();
        sandbox.callbacks_delivered().await;

        let paid = session(&api, &url).await;
        let id = sandbox.customer_pays(&paid).unwrap();
        sandbox.callbacks_delivered().await;
        sandbox.inject(Operation::CaptureTransaction, Fault::accepted().settled_after_reads(None));
        let path = format!("/transactions/{id}/capture");
        api.send_with(Method::POST, &path, &json!({ "amount": 1 }), &[]).await;
        sandbox.settle_accepted();
        sandbox.callbacks_delivered().await;
        api.ok(Method::POST, &format!("/transactions/{id}/refund"), json!({ "amount": 1 })).await;
        let voided = session(&api, &url).await;
        sandbox.customer_pays(&voided).unwrap();
        sandbox.callbacks_delivered().await;
        api.ok(Method::POST, &format!("/sessions/{voided}/cancel"), Value::Null).await;
        sandbox.callbacks_delivered().await;
    }
    let told = |merchant: &Merchant| -> Vec<String> {
        let told = |callback: &Received| {
            let field = |name: &str| callback.query.get(name).cloned();
            let what = field("event").or(field("error")).unwrap_or_else(|| "paid".into());
            let absent = if field("transaction_id").is_none() { " without transaction" } else { "" };
            assert_eq!(field("event").is_some(), field("event_id").is_some());
            format!("{what}{absent}")
        };
        merchant.received().iter().map(told).collect()
    };
    assert_eq!(told(&silent), ["paid", "paid"]);
    let expected = ["authorization", "cancelled without transaction", "paid", "CAPTURE", "paid", "VOID"];
    assert_eq!(told(&asking), expected);
}

#[tokio::test]
async fn server_errors_are_tried_again_and_any_4xx_ends_it() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set_callback_retry_pause(Duration::ZERO);
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    for (responses, attempts) in [
        (vec![500, 503, 204], vec![Some(500), Some(503), Some(204)]),
        (vec![500, 410], vec![Some(500), Some(410)]),
        (vec![500; 30], vec![Some(500); 21]),
    ] {
        *merchant.responses.lock().unwrap() = responses;
        let session = session(&api, &merchant.url).await;
        sandbox.customer_pays(&session).unwrap();
        sandbox.callbacks_delivered().await;
        assert_eq!(sandbox.callbacks().last().unwrap().attempts, attempts);
    }
    let ids: Vec<_> =
        merchant.received().iter().take(3).map(|callback| callback.headers["event-delivery"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "an attempt repeats its delivery id");
}

#[tokio::test]
async fn callbacks_can_be_duplicated_delayed_and_turned_around() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    sandbox.duplicate_callbacks(2);
    sandbox.hold_callbacks();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let session = session(&api, &merchant.url).await;
        sandbox.customer_pays(&session).unwrap();
        sessions.push(session);
    }
    assert!(merchant.received().is_empty());
    sandbox.release_callbacks(true).await;
    let order: Vec<_> = merchant.received().iter().map(|callback| callback.query["session_id"].clone()).collect();
    let [first, second] = sessions.as_slice() else { unreachable!() };
    assert_eq!(order.iter().collect::<Vec<_>>(), [second, second, second, first, first, first]);

    let delay = Duration::from_millis(100);
    sandbox.delay_callbacks(delay);
    sandbox.duplicate_callbacks(0);
    let session = session(&api, &merchant.url).await;
    let start = Instant::now();
    sandbox.customer_pays(&session).unwrap();
    sandbox.callbacks_delivered().await;
    assert!(start.elapsed() >= delay);
    assert_eq!(merchant.received().len(), 7);
}

#[tokio::test]
async fn nothing_is_sent_beyond_loopback_or_signed_without_a_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let outside = session(&api, "https://shop.example/callback").await;
    sandbox.customer_pays(&outside).unwrap();
    sandbox.callbacks_delivered().await;
    let [dropped] = sandbox.callbacks().try_into().unwrap();
    assert_eq!(dropped.attempts, []);
    assert!(dropped.not_sent.unwrap().contains("https"));

    let merchant = Merchant::open().await;
    sandbox.set_signature_secret(None);
    let inside = session(&api, &merchant.url).await;
    sandbox.customer_pays(&inside).unwrap();
    sandbox.callbacks_delivered().await;
    assert!(!merchant.received()[0].headers.contains_key("dintero-signature"));
    let back = sandbox.return_url(&inside).unwrap();
    assert!(back.query().unwrap().contains("transaction_id=T12345678."));
}
