//! What an error says: enough to act on, with `?` from `main`, and nothing of a customer's.

use dintero::types::{
    Address, CaptureRequest, CreateSessionFromProfile, Currency, Order, SessionUrls, TransactionStatus,
};
use dintero::{Client, Error, ErrorKind, Outcome, TransactionId};
use serde_json::{Value, json};

use crate::support::{Reply, Server, credentials};

const PAGE: &[u8] = b"<!DOCTYPE html><html><body>Please log in, jane@example.com</body></html>";

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

/// A service that responds with `reply` to all but the token call.
async fn service(reply: Reply) -> Server {
    Server::start(move |seen| if seen.is_token() { Reply::token("t0", 14_400) } else { reply.clone() }).await
}

fn html(status: u16) -> Reply {
    Reply::Full(status, vec![("content-type", "text/html; charset=utf-8".into())], PAGE.to_vec())
}

async fn read(reply: Reply) -> Error {
    let server = service(reply).await;
    server.builder().build().unwrap().transactions().get(&id()).await.unwrap_err()
}

/// The error of a token call with this response, as a call has it.
async fn token(reply: Reply) -> Error {
    let server = Server::start(move |_| reply.clone()).await;
    server.builder().build().unwrap().transactions().get(&id()).await.unwrap_err()
}

#[tokio::test]
async fn a_400_shows_the_message_and_every_field_error_without_what_the_customer_typed() {
    let errors = json!([
        { "path": "body/order/amount", "message": "must be the sum of items 29990" },
        { "path": "body/order/shipping_address/first_name", "message": "kari is too short" },
        { "path": "body/customer/email", "message": "kari@example.com is not valid" },
    ]);
    let body = json!({ "error": { "code": "BAD_REQUEST", "message": "Validation failed for kari", "errors": errors } });
    let server = service(Reply::Json(400, body)).await;
    let address = Address::new().first_name("Kari").email("kari@example.com").country("NO");
    let order = Order::new(33_890, Currency::Nok, "order-1017").shipping_address(address);
    let request = CreateSessionFromProfile::new("default", order, SessionUrls::new("https://shop.example/thanks"));
    let client = server.builder().build().unwrap();
    let error = client.sessions().create_from_profile(request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "create_session_from_profile: the service responded with an error, status 400, code BAD_REQUEST: \
         Validation failed for ***; body/order/amount: must be the sum of items 29990; \
         body/order/shipping_address/first_name: *** is too short; body/customer/email: *** is not valid (rejected)"
    );
    // What `?` from `main` prints.
    let printed = format!("{error:?}");
    for part in ["Validation failed", "body/order/amount: must be", "body/customer/email: *** is not valid"] {
        assert!(printed.contains(part), "{printed}");
    }
    assert!(!printed.to_lowercase().contains("kari"), "{printed}");
    assert_eq!((error.message(), error.errors().len()), (Some("Validation failed for kari"), 3));
}

#[tokio::test]
async fn a_refused_token_says_what_to_check() {
    let refused = |status| Reply::Json(status, json!({ "error": { "message": "no" } }));
    for (status, parts) in [
        (401, ["no access token: the service refused the client id or the client secret", "sandbox environment"]),
        (403, ["refuses this API client the account T12345678", "check the account id"]),
        (404, ["does not know the account T12345678", "check the account id"]),
    ] {
        let error = token(refused(status)).await;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Token, Outcome::NotSent));
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)) && text.contains(&format!("status {status}")), "{text}");
    }
}

#[tokio::test]
async fn the_cause_of_a_missing_token_is_in_the_text() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = format!("http://127.0.0.1:{port}/v1");
    let client = Client::builder(credentials()).base_url(nowhere.clone()).auth_url(nowhere).build().unwrap();
    let error = client.transactions().capture(&id(), CaptureRequest::new(1)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no access token: no connection: ") && text.contains("refused"), "{text}");
    let text = token(Reply::Json(200, json!({}))).await.to_string();
    assert!(text.contains("no access token: ") && text.contains("access_token is missing"), "{text}");
}

#[tokio::test]
async fn a_page_of_a_proxy_is_named_as_such() {
    let page = "a proxy or gateway, not the service, responded with an HTML page";
    for (error, status) in
        [(read(html(403)).await, "403"), (read(html(200)).await, "200"), (token(html(403)).await, "403")]
    {
        let text = format!("{error} {error:?}");
        assert!(text.contains(page) && text.contains(status) && !text.contains("jane"), "{text}");
    }
}

#[tokio::test]
async fn a_response_that_cannot_be_read_says_what_was_expected() {
    let transaction = |amount: Value| json!({ "id": "T12345678.abc", "amount": amount, "currency": "NOK" });
    let mut missing = transaction(json!(1));
    missing.as_object_mut().unwrap().remove("amount");
    let text = read(Reply::Json(200, missing)).await.to_string();
    assert!(text.contains("the response cannot be read: required field missing at $.amount"), "{text}");
    let text = read(Reply::Json(200, transaction(json!("12")))).await.to_string();
    assert!(text.contains("expected i64 at $.amount"), "{text}");
    let unreadable = dintero::read::from_slice::<dintero::types::Session>(br#"{"order": {"currency": "NOK"}}"#);
    assert_eq!(unreadable.unwrap_err().to_string(), "required field missing at $.order.amount");
}

#[tokio::test]
async fn the_outcome_of_a_call_that_only_reads_is_never_unknown() {
    for (reply, outcome, text) in [
        (Reply::error(500), Outcome::ReadOnly, "(read only"),
        (Reply::error(404), Outcome::Rejected, "(rejected"),
        (Reply::Json(200, json!([])), Outcome::ReadOnly, "(read only"),
        (html(200), Outcome::ReadOnly, "(read only"),
    ] {
        let error = read(reply).await;
        assert_eq!(error.outcome(), outcome, "{error}");
        assert!(error.outcome().did_not_happen() && error.to_string().contains(text), "{error}");
    }
    // What a read was to find out is as unknown as before.
    let server = service(Reply::error(404)).await;
    let client = server.builder().build().unwrap();
    let attempt = client.transactions().capture(&id(), CaptureRequest::new(1)).attempt();
    let error = client.resolve(&attempt).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.attempt().and_then(|known| known.reference()), attempt.reference());
}

#[test]
fn a_value_that_is_not_listed_is_refused_by_name_unless_it_is_made_as_unknown() {
    let error = "NKO".parse::<Currency>().unwrap_err();
    assert_eq!(error.to_string(), "\"NKO\" is not a listed value of Currency; Currency::Unknown sends it all the same");
    assert_eq!("NOK".parse(), Ok(Currency::Nok));
    assert_eq!(TransactionStatus::try_from("CAPTURED".to_owned()), Ok(TransactionStatus::Captured));
    assert!(TransactionStatus::try_from("captured").is_err());
    assert_eq!(Currency::Unknown("JPY".into()).as_str(), "JPY");
    let read: Currency = serde_json::from_value(json!("JPY")).unwrap();
    assert_eq!(read, Currency::Unknown("JPY".into()));
}

#[tokio::test]
async fn a_country_of_another_form_is_refused_by_name_before_sending() {
    let server = service(Reply::error(500)).await;
    let client = server.builder().build().unwrap();
    for (country, sent) in [("Norway", false), ("no", false), ("NO", true)] {
        let address = Address::new().country(country);
        let order = Order::new(1, Currency::Nok, "order-1").shipping_address(address);
        let request = CreateSessionFromProfile::new("default", order, SessionUrls::new("https://shop.example/thanks"));
        let error = client.sessions().create_from_profile(request).await.unwrap_err();
        assert_eq!(server.calls().is_empty(), !sent, "{error}");
        if !sent {
            let text = error.to_string();
            assert!(text.contains("ISO 3166-1") && text.contains("at $.order.shipping_address.country"), "{text}");
        }
    }
}
