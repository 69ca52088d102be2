//! From a request to what is true: `fetch` reads from the service, whatever the request claims.

use dintero::callback::{
    Callback, CallbackResponse, ExpressRequest, FetchError, SIGNATURE_HEADER, SigningSecret, UnsignedReturn, Verifier,
    sign,
};
use dintero::types::TransactionStatus;
use dintero::{AccountId, Client, Credentials, ErrorKind};
use dintero_sandbox::{Operation, Sandbox};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use url::Url;

async fn world() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let account = sandbox.account_id().parse().expect("an account");
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build();
    (sandbox, client.expect("a client"))
}

/// A verified callback of an account.
fn callback(account: &AccountId, query: &str) -> Callback {
    let secret = SigningSecret::new("123").expect("a secret");
    let url = Url::parse(&format!("https://shop.example/c?{query}")).expect("a URL");
    let value = sign(&secret, 0, account, &Method::POST, &url);
    let headers: HeaderMap =
        [(SIGNATURE_HEADER.parse().expect("a name"), HeaderValue::from_str(&value).expect("a value"))]
            .into_iter()
            .collect();
    let verifier =
        Verifier::builder(account.clone(), "https://shop.example").secret(secret).clock(super::support::At(0));
    verifier.build().expect("a verifier").verify_target(&Method::POST, url.as_str(), &headers).expect("verified")
}

#[tokio::test]
async fn a_callback_is_fetched_and_its_body_is_not_believed() {
    let (sandbox, client) = world().await;
    let request = serde_json::from_value(json!({
        "profile_id": "default",
        "url": { "return_url": "https://shop.example/return" },
        "order": {
            "amount": 29_990, "currency": "NOK", "merchant_reference": "r",
            "items": [{ "id": "a", "line_id": "1", "description": "Chair", "quantity": 1, "amount": 29_990 }],
        },
    }));
    let session = client.sessions().create_from_profile(request.expect("a request")).await;
    let session = session.expect("a session").id.clone();
    let id = sandbox.customer_pays(&session).expect("paid");

    let forged = json!({ "id": id, "amount": 1, "currency": "NOK", "status": "CAPTURED" }).to_string();
    let callback = callback(client.account(), &format!("transaction_id={id}&session_id={session}"))
        .with_unverified_body(forged.clone());
    let transaction = callback.fetch(&client).await.expect("a transaction");
    assert_eq!((transaction.amount, &transaction.status), (29_990, &Some(TransactionStatus::Authorized)));
    let read = callback.fetch_session(&client).await.expect("a session");
    assert_eq!(read.transaction_id.as_ref().map(AsRef::as_ref), Some(id.as_str()));

    let back = UnsignedReturn::from_url(&format!("/return?transaction_id={id}&merchant_reference=another"));
    assert_eq!(back.fetch(&client).await.expect("a transaction").merchant_reference.as_deref(), Some("r"));

    let body = json!({ "id": session, "order": { "amount": 1, "currency": "NOK", "merchant_reference": "r" } });
    let express = ExpressRequest::read(body.to_string()).expect("a request");
    assert_eq!(express.fetch(&client).await.expect("a session").order.amount, 29_990);
}

#[tokio::test]
async fn without_an_id_or_with_anothers_nothing_is_asked() {
    let (sandbox, client) = world().await;
    let none = callback(client.account(), "error=cancelled&merchant_reference=r");
    let error = none.fetch(&client).await.expect_err("no transaction");
    assert!(matches!(error, FetchError::NoTransaction));
    assert_eq!(error.response(), CallbackResponse::RetryLater);
    assert!(matches!(none.fetch_session(&client).await, Err(FetchError::NoSession)));
    assert!(matches!(UnsignedReturn::from_query("").fetch(&client).await, Err(FetchError::NoTransaction)));
    // A customer can write any id into a return URL; one of another account is not even asked for.
    let foreign = UnsignedReturn::from_query("transaction_id=P99999999.abc").fetch(&client).await;
    match foreign {
        Err(FetchError::Call(error)) => assert_eq!(error.kind(), ErrorKind::InvalidRequest),
        other => panic!("{:?}", other.map(|_| ())),
    }
    assert_eq!(sandbox.received(Operation::GetTransaction), 0);
}
