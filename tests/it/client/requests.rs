//! What a call puts on the wire, and what is refused before anything is.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::support::{Reply, Seen, Server, credentials};
use dintero::types::{CaptureRequest, CreateSessionFromProfile, PayRequest, TransactionInclude, TransactionStatus};
use dintero::{
    Client, Credentials, ErrorKind, Outcome, PayToggle, SessionId, SessionToggle, SystemHeaders, TransactionId,
};
use serde_json::{Value, json};

/// Gives tokens and responds to every call with the same.
async fn server(reply: Reply) -> Server {
    Server::start(move |seen| if seen.is_token() { Reply::token("t0", 14_400) } else { reply.clone() }).await
}

fn transaction(events: Value) -> Value {
    json!({
        "id": "T12345678.abc", "amount": 30_000, "currency": "NOK", "payment_product": "payex",
        "payment_product_type": "payex.creditcard", "status": "CAPTURED", "events": events,
    })
}

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

fn profile_session() -> CreateSessionFromProfile {
    serde_json::from_value(json!({
        "profile_id": "default",
        "url": {"return_url": "https://example.com/return"},
        "order": {"amount": 29_990, "currency": "NOK", "merchant_reference": "order-1",
                  "items": [{"id": "chair", "line_id": "1", "amount": 29_990, "quantity": 1, "description": "A chair"}]},
    }))
    .unwrap()
}

fn last(server: &Server) -> Seen {
    server.calls().pop().unwrap()
}

#[test]
fn clients_are_shared_between_threads_and_their_futures_sent() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Future + Send>(_: &impl Fn(&'static Client) -> T) {}
    shared::<Client>();
    shared::<dintero::calls::Sessions>();
    shared::<dintero::calls::Transactions>();
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<dintero::Error>();
    assert!(size_of::<dintero::Error>() <= size_of::<usize>());

    sent(&|client| async { client.transactions().get(&id()).await });
    sent(&|client| async { client.transactions().list().await });
    sent(&|client| async { client.transactions().capture(&id(), CaptureRequest::new(1)).await });
    sent(&|client| async { client.transactions().void(&id()).await });
    sent(&|client| async { client.sessions().create_from_profile(profile_session()).await });
    sent(&|client| async { client.sessions().list().await });
}

#[tokio::test]
async fn every_request_names_the_client_and_its_system() {
    let server = server(Reply::Json(200, transaction(json!([])))).await;
    let system = SystemHeaders { name: Some("shop".into()), version: Some("1.2".into()), ..Default::default() };
    let client = server.builder().system(system).user_agent("shop/1.2").build().unwrap();
    client.transactions().get(&id()).await.unwrap();
    let seen = last(&server);
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.target, "/v1/transactions/T12345678.abc");
    assert_eq!(seen.header("authorization"), Some("Bearer t0"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("dintero-system-name"), Some("shop"));
    assert_eq!(seen.header("dintero-system-version"), Some("1.2"));
    assert_eq!(seen.header("dintero-system-plugin-name"), None);
    assert_eq!(seen.header("dintero-feature-toggles"), None);
    assert_eq!(seen.header("api-version"), None, "the generator's own header means nothing to the service");
    let agent = concat!("dintero-rust/", env!("CARGO_PKG_VERSION"), " shop/1.2");
    assert_eq!(seen.header("user-agent"), Some(agent));
    let token = server.seen().into_iter().find(Seen::is_token).unwrap();
    assert_eq!(token.header("user-agent"), Some(agent));

    let own = SystemHeaders { name: Some("other".into()), ..Default::default() };
    client.transactions().get(&id()).system(own).await.unwrap();
    assert_eq!(last(&server).header("dintero-system-name"), Some("other"));
    assert_eq!(last(&server).header("dintero-system-version"), Some("1.2"));
}

#[tokio::test]
async fn toggles_are_the_clients_unless_the_call_has_its_own() {
    let server = server(Reply::Json(200, json!({"id": "T12345678.s", "url": "https://example.com/pay"}))).await;
    let client = server
        .builder()
        .session_toggles([SessionToggle::StrictSessionAmounts])
        .pay_toggles([PayToggle::StrictMerchantReference])
        .build()
        .unwrap();
    let header = || last(&server).header("dintero-feature-toggles").map(str::to_owned);
    let created = client.sessions().create_from_profile(profile_session()).await.unwrap();
    assert_eq!(created.id, "T12345678.s");
    assert_eq!(last(&server).json(), serde_json::to_value(profile_session()).unwrap());
    assert_eq!(header().as_deref(), Some("strict-session-amounts"));
    let request = client.sessions().create_from_profile(profile_session());
    request.toggles([]).include_session(true).await.unwrap();
    assert_eq!(last(&server).target, "/v1/sessions-profile?include_session=true");
    assert_eq!(header(), None);
    client.sessions().cancel(&SessionId::new("T12345678.s").unwrap()).await.unwrap_err();
    assert_eq!(header(), None, "a call that takes no toggles sends none");
    let request = serde_json::from_value::<PayRequest>(json!({})).unwrap();
    drop(client.sessions().pay(request).toggles([PayToggle::StrictSuccessMerchantReference]).await);
    assert_eq!(header().as_deref(), Some("strict-success-merchant-reference"));
}

#[tokio::test]
async fn queries_send_lists_entry_by_entry_and_keep_their_dots() {
    let server = server(Reply::Json(200, json!([]))).await;
    let client = server.builder().build().unwrap();
    let request = client
        .transactions()
        .list()
        .amount_gte(100)
        .created_at_lte("2026-01-01T01:00:00+01:00".parse::<DateTime<Utc>>().unwrap())
        .limit(7)
        .status([TransactionStatus::Captured, TransactionStatus::Unknown("A_NEW_ONE".into())])
        .session_id(SessionId::new("T12345678.a").unwrap())
        .session_id([SessionId::new("T12345678.b").unwrap()]);
    assert!(request.await.unwrap().is_empty());
    let target = last(&server).target;
    let mut pairs: Vec<_> = target.split_once('?').unwrap().1.split('&').collect();
    pairs.sort_unstable();
    let expected = [
        "amount.gte=100",
        "created_at.lte=2026-01-01T00%3A00%3A00Z",
        "limit=7",
        "session_id=T12345678.a",
        "session_id=T12345678.b",
        "status=A_NEW_ONE",
        "status=CAPTURED",
    ];
    assert_eq!(pairs, expected);
    drop(client.transactions().get(&id()).include(TransactionInclude::Session).await);
    assert_eq!(last(&server).target, "/v1/transactions/T12345678.abc?includes=session");
    for limit in [0, 101, 255] {
        let error = client.transactions().list().limit(limit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.path().unwrap().to_string(), "$.limit");
    }
}

#[tokio::test]
async fn an_id_of_another_account_is_refused_before_anything_is_sent() {
    let server = server(Reply::Json(200, transaction(json!([])))).await;
    let client = server.builder().build().unwrap();
    for (other, word) in [("T00000000.x", "belongs to account"), ("P12345678.x", "live")] {
        let (transaction, session) = (TransactionId::new(other).unwrap(), SessionId::new(other).unwrap());
        let errors = [
            client.transactions().get(&transaction).await.unwrap_err(),
            client.transactions().capture(&transaction, CaptureRequest::new(1)).await.unwrap_err(),
            client.transactions().void(&transaction).await.unwrap_err(),
            client.sessions().get(&session).await.unwrap_err(),
            client.sessions().cancel(&session).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
            assert!(error.to_string().contains(word), "{error}");
        }
    }
    assert!(server.seen().is_empty(), "not even a token was asked for");
}

#[tokio::test]
async fn a_client_is_not_built_for_a_host_or_header_that_will_not_do() {
    let build = |base: &str| Client::builder(credentials()).base_url(base).build();
    for bad in ["http://checkout.dintero.com/v1", "https://user:pw@example.com", "checkout.dintero.com", ""] {
        let error = build(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("the base URL"), "{error}");
    }
    let error = Client::builder(credentials()).auth_url("http://api.dintero.com").build().unwrap_err();
    assert!(error.to_string().contains("the token URL"), "{error}");
    let system = SystemHeaders { plugin_version: Some("x".repeat(121)), ..Default::default() };
    let error = Client::builder(credentials()).system(system).build().unwrap_err();
    assert!(error.to_string().contains("dintero-system-plugin-version"), "{error}");
    for bad in ["a\nb", "b\u{f8}", "a\u{0}b"] {
        let error = Client::builder(credentials()).user_agent(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("the header user-agent"), "{error}");
    }
    assert!(Client::new(credentials()).is_ok(), "the defaults will do");
    let account = dintero::AccountId::new("P12345678").unwrap();
    let live = Client::new(Credentials::new(account, "a", "b")).unwrap();
    assert_eq!(live.environment(), dintero::Environment::Live);
}

#[tokio::test]
async fn a_capture_carries_a_reference_of_its_own_and_tells_it() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if seen.is_token() {
            return Reply::token("t0", 14_400);
        }
        let reference = seen.json()["capture_reference"].clone();
        let success = count.fetch_add(1, Ordering::SeqCst) < 2;
        let event = json!({"event": "CAPTURE", "success": success, "event_reference": reference, "amount": 100});
        Reply::Json(200, transaction(json!([event])))
    })
    .await;
    let client = server.builder().build().unwrap();
    let capture = async |request: CaptureRequest| client.transactions().capture(&id(), request).await;
    let sent = || last(&server).json()["capture_reference"].as_str().unwrap().to_owned();

    let first = capture(CaptureRequest::new(100)).await.unwrap();
    assert!(first.is_completed());
    assert_eq!(first.attempt().reference(), Some(sent().as_str()));
    let own = CaptureRequest::new(100).capture_reference("parcel-1");
    let second = capture(own).await.unwrap();
    assert_eq!((second.attempt().reference(), sent().as_str()), (Some("parcel-1"), "parcel-1"));
    let error = capture(CaptureRequest::new(100)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Failed, Outcome::Rejected));
    let attempt = error.attempt().unwrap();
    assert_eq!(attempt.reference(), Some(sent().as_str()));
    assert_ne!(first.attempt().reference(), attempt.reference(), "generated anew for each call");
    assert_eq!(error.failed_event().and_then(|event| event.amount), Some(100));
}

#[tokio::test]
async fn a_202_is_a_capture_under_way() {
    let headers = vec![("event-request-id", "05c91a5b".to_owned()), ("content-type", "application/json".to_owned())];
    let body = transaction(json!([])).to_string().into_bytes();
    let server = server(Reply::Full(202, headers, body)).await;
    let client = server.builder().build().unwrap();
    let response = client.transactions().capture(&id(), CaptureRequest::new(1)).await.unwrap();
    assert_eq!(response.outcome(), Outcome::UnderWay);
    assert_eq!(response.attempt().event_request_id(), Some("05c91a5b"));
}

#[tokio::test]
async fn a_gateway_page_keeps_its_status_and_prints_nothing_of_itself() {
    let page = b"<html>502 for jane@example.com</html>".to_vec();
    let headers = vec![("content-type", "text/html".into()), ("x-request-id", "req-17".into())];
    let server = server(Reply::Full(502, headers, page.clone())).await;
    let client = server.builder().build().unwrap();
    let error = client.transactions().void(&id()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(502));
    assert_eq!((error.code(), error.message()), (None, None));
    assert_eq!(error.body(), page);
    assert_eq!(error.request_id(), Some("req-17"));
    assert_eq!(error.outcome(), Outcome::Unknown);
    let printed = format!("{error} {error:?}");
    assert!(printed.contains("502") && printed.contains("req-17"), "{printed}");
    assert!(!printed.contains("jane"), "{printed}");
}

#[tokio::test]
async fn an_unreadable_response_names_the_path_and_not_the_value() {
    let body = json!({"id": "T12345678.abc", "currency": "NOK", "amount": "jane@example.com"});
    let server = server(Reply::Json(200, body)).await;
    let client = server.builder().build().unwrap();
    let error = client.transactions().get(&id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert_eq!(error.path().unwrap().to_string(), "$.amount");
    assert!(error.body().starts_with(b"{"));
    let printed = format!("{error} {error:?}");
    assert!(printed.contains("amount") && !printed.contains("jane"), "{printed}");
}

#[tokio::test]
async fn dropping_a_call_ends_it() {
    let server = server(Reply::Hang).await;
    let client = server.builder().build().unwrap();
    let call = client.transactions().void(&id());
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_response_tells_its_request_and_its_attempts() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| match (seen.is_token(), count.fetch_add(1, Ordering::SeqCst)) {
        (true, _) => Reply::token("t0", 14_400),
        (false, 1) => Reply::error(503),
        _ => Reply::Full(200, vec![("x-request-id", "r-1".into())], transaction(json!([])).to_string().into_bytes()),
    })
    .await;
    let mut retry = dintero::RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    let client = server.builder().retry(retry).build().unwrap();
    for attempts in [2, 1] {
        let read = client.transactions().get(&id()).await.unwrap();
        assert_eq!((read.request_id(), read.attempts()), (Some("r-1"), attempts));
    }
    // A session is created and updated by calls of their own.
    let session = json!({"id": "T12345678.s", "url": "https://checkout.dintero.com/v1/view/T12345678.s",
                         "order": {"amount": 100, "currency": "NOK", "merchant_reference": "r"}});
    let server = self::server(Reply::Json(200, session)).await;
    let client = server.builder().build().unwrap();
    let created = client.sessions().create(
        serde_json::from_value(json!({
            "url": {"return_url": "https://example.com/return"}, "configuration": {},
            "order": {"amount": 100, "currency": "NOK", "merchant_reference": "r"},
        }))
        .unwrap(),
    );
    assert_eq!(created.await.unwrap().id.as_str(), "T12345678.s");
    let session = dintero::SessionId::new("T12345678.s").unwrap();
    let update = serde_json::from_value(json!({"order": {"amount": 100, "currency": "NOK"}})).unwrap();
    let updated = client.sessions().update(&session, update).await.unwrap();
    assert_eq!(updated.order.merchant_reference, "r");
    assert_eq!(server.calls().len(), 2);
}

/// All that an error of the service tells, and what of it is printed.
#[tokio::test]
async fn an_error_of_the_service_is_told_whole_and_printed_in_part() {
    let body = json!({"error": {"code": "E1", "message": "no", "errors": [{"field": "amount"}]}});
    let server = server(Reply::Json(400, body)).await;
    let client = server.builder().build().unwrap();
    let error = client.transactions().void(&id()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("E1"), Some("no")));
    assert_eq!(error.errors(), [json!({"field": "amount"})]);
    assert!(!error.is_body_truncated() && !error.is_retryable());
    let printed = error.to_string();
    assert!(printed.starts_with("void_transaction: ") && printed.ends_with(" (rejected)"), "{printed}");
    assert!(printed.contains(", status 400, code E1"), "{printed}");

    let server = self::server(Reply::error(503)).await;
    let mut retry = dintero::RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    let client = server.builder().retry(retry).build().unwrap();
    let error = client.transactions().get(&id()).await.unwrap_err();
    assert!(error.to_string().ends_with(", 3 attempts)"), "{error}");
    assert!(error.is_retryable());
}
