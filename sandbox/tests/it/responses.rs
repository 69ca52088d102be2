//! The sandbox's own responses against the published interface: every call, every way it ends.

use super::support::{Api, profile_session};
use dintero_sandbox::{CustomerPayment, Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

/// Where the documents are at odds with themselves, by words of the problem.
const EXCUSES: [&[&str]; 4] = [
    // One payment product's part of a transaction lacks a status that the transaction itself has.
    &["transaction_status", "is not one of"],
    // Inside a transaction a session is documented without what a read session has in addition.
    &["body/session/configuration/merchant", "no such field"],
    &["body/session/metadata", "no such field"],
    // A session always has a return address, but a payment with a stored token cannot give one.
    &["list_sessions", "\"url\" is a required property"],
];

#[tokio::test]
async fn every_response_is_one_that_the_documents_have() {
    let sandbox = Sandbox::builder().check_responses().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let send = async |method: Method, path: &str, body: Value| {
        let headers = [("dintero-system-name", "shop"), ("user-agent", "test")];
        api.send_with(method, path, &body, &headers).await
    };
    let includes = "includes=events.request_headers&includes=initiating_system_request_headers";

    let mut body = profile_session();
    body["express"] = json!({ "shipping_options": [
        { "id": "home", "line_id": "home", "amount": 9900, "title": "Home", "operator": "Bring" },
        { "id": "pick-up-1", "line_id": "pick-up", "amount": 3900, "title": "Pick up", "operator": "Bring" } ] });
    body["metadata"] = json!({ "a": "b", "n": 1 });
    body["customer"] = json!({ "customer_id": "c", "email": "kari@example.com", "phone_number": "+4799999999" });
    body["order"]["shipping_address"] = json!({ "first_name": "Kari", "country": "NO" });
    let (_, created) = send(Method::POST, "/sessions-profile?include_session=true", body.clone()).await;
    let session = created["id"].as_str().unwrap().to_owned();
    let mut full = body.clone();
    full.as_object_mut().unwrap().remove("profile_id");
    full["configuration"] = json!({ "auto_capture": true });
    let (_, created) = send(Method::POST, "/sessions?include_session=true", full).await;
    sandbox.customer_pays(created["id"].as_str().unwrap()).unwrap();

    sandbox.lock_session(&session).unwrap();
    let update = json!({ "order": { "amount": 29990, "items": body["order"]["items"] } });
    send(Method::PUT, &format!("/sessions/{session}"), update.clone()).await;
    send(Method::PUT, &format!("/sessions/{session}"), update).await;
    let id = sandbox.customer_pays_with(&session, CustomerPayment::new().choosing("home")).unwrap();
    send(Method::GET, &format!("/sessions/{session}?{includes}"), Value::Null).await;
    send(Method::GET, "/sessions", Value::Null).await;

    let everything = format!("{includes}&includes=session&includes=card.payment_token&includes=card.recurrence_token");
    let path = format!("/transactions/{id}");
    send(Method::GET, &format!("{path}?{everything}"), Value::Null).await;
    send(Method::PUT, &path, json!({ "merchant_reference_2": "second" })).await;
    let more = json!({ "amount": 50000, "reference": "more", "items": [{ "line_id": "1", "amount": 50000 }] });
    send(Method::POST, &format!("{path}/authorization"), more).await;
    for fault in [
        Fault::accepted(),
        Fault::accepted().failing(),
        Fault::fails_with_correction(),
        Fault::delay(std::time::Duration::ZERO),
    ] {
        sandbox.inject(Operation::CaptureTransaction, fault);
        let capture = json!({ "amount": 100, "capture_reference": "c", "metadata": { "ext_a": "b" },
                              "items": [{ "line_id": "1", "amount": 100 }] });
        send(Method::POST, &format!("{path}/capture?{includes}"), capture).await;
        for _ in 0..2 {
            send(Method::GET, &path, Value::Null).await;
        }
    }
    let refund = json!({ "amount": 50, "reason": "r", "refund_reference": "r" });
    send(Method::POST, &format!("{path}/refund?{includes}"), refund).await;
    send(Method::POST, &format!("{path}/void"), Value::Null).await;
    for payment in
        [CustomerPayment::new().declined(), CustomerPayment::new().failed(), CustomerPayment::new().on_hold()]
    {
        let session = api.session().await;
        let id = sandbox.customer_pays_with(&session, payment).unwrap();
        send(Method::GET, &format!("/transactions/{id}"), Value::Null).await;
    }
    let voided = api.session().await;
    sandbox.customer_pays(&voided).unwrap();
    send(Method::POST, &format!("/sessions/{voided}/cancel"), Value::Null).await;

    let token = json!({
        "session": { "url": { "return_url": "https://example.com/return" },
                     "order": { "currency": "NOK", "merchant_reference": "subscription" } },
        "token_provider": { "payment_product_type": "payex.creditcard", "token_types": ["payment_token"] },
    });
    let (_, created) = send(Method::POST, "/sessions/payment-token?include_session=true", token).await;
    sandbox.customer_pays(created["id"].as_str().unwrap()).unwrap();
    for declined in [false, true] {
        if declined {
            sandbox
                .inject(Operation::PaySession, Fault::declined(&["RETRY_AFTER_DELAY"], Some("2026-01-01T00:00:00Z")));
        }
        let mut order = super::support::order();
        order["merchant_reference"] = json!("again");
        let pay = json!({
            "session": { "order": order, "customer": { "tokens": { "payex.creditcard": { "payment_token": "t" } } } },
            "payment": { "payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase" },
        });
        send(Method::POST, "/sessions/pay", pay).await;
    }
    sandbox.seed_transactions(3);
    sandbox.seed_sessions(3);
    let (_, page) = send(Method::GET, "/transactions?limit=100", Value::Null).await;
    assert!(page.as_array().unwrap().len() > 8);
    send(Method::GET, "/sessions?limit=100", Value::Null).await;
    for (method, path) in [
        (Method::GET, "/transactions?limit=0"),
        (Method::GET, "/transactions/T12345678.x"),
        (Method::POST, "/sessions-profile"),
    ] {
        send(method, path, Value::Null).await;
    }
    sandbox.revoke_tokens();
    assert_eq!(send(Method::GET, "/transactions", Value::Null).await.0, 401);

    for operation in Operation::ALL {
        assert!(sandbox.received(operation) > 0, "{operation} was not called");
    }
    let problems = sandbox.response_problems();
    let excused = |problem: &str, excuse: &[&str]| excuse.iter().all(|part| problem.contains(part));
    let found: Vec<_> =
        problems.iter().filter(|problem| !EXCUSES.iter().any(|excuse| excused(problem, excuse))).collect();
    assert!(found.is_empty(), "{found:#?}");
    for excuse in EXCUSES {
        assert!(problems.iter().any(|problem| excused(problem, excuse)), "no need to excuse {excuse:?}");
    }
}
