//! Stored cards: the session that stores one, the payment with it, and what is shown of tokens
//! and request headers.

use super::support::{Api, order, profile_session};
use dintero_sandbox::{CustomerPayment, Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

fn pay(reference: &str, token: &str) -> Value {
    let mut order = order();
    order["merchant_reference"] = json!(reference);
    json!({
        "session": { "order": order, "customer": { "tokens": { "payex.creditcard": { "payment_token": token } } } },
        "payment": { "payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase" },
    })
}

#[tokio::test]
async fn a_stored_card_is_charged_later() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let stored = json!({
        "session": { "url": { "return_url": "https://example.com/return" },
                     "order": { "currency": "NOK", "merchant_reference": "subscription" } },
        "token_provider": { "payment_product_type": "payex.creditcard", "token_types": ["payment_token"] },
    });
    let created = api.ok(Method::POST, "/sessions/payment-token", stored).await;
    let id = sandbox.customer_pays(created["id"].as_str().unwrap()).unwrap();
    let path = format!("/transactions/{id}");
    let plain = api.get(&path).await;
    assert_eq!((&plain["amount"], &plain["payment_operation"]), (&json!(0), &json!("generate_payment_token")));
    assert!(plain["card"].get("payment_token").is_none());
    let told = api.get(&format!("{path}?includes=card.payment_token&includes=card.recurrence_token")).await;
    let token = told["card"]["payment_token"].as_str().unwrap();
    assert!(told["card"]["recurrence_token"].is_string());

    let paid = api.ok(Method::POST, "/sessions/pay", pay("month-1", token)).await;
    assert_eq!((&paid["success"], &paid["status"]), (&json!(true), &json!("AUTHORIZED")));
    let session = api.get(&format!("/sessions/{}", paid["session_id"].as_str().unwrap())).await;
    assert_eq!(session["transaction_id"], paid["id"]);
    assert!(!session.to_string().contains(token), "a token is told once");
    assert_eq!(sandbox.executions_of("month-1")[0].amount, Some(33890));
}

#[tokio::test]
async fn a_decline_returns_200_with_its_retry_policy() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    sandbox.inject(Operation::PaySession, Fault::declined(&["RETRY_AFTER_DELAY"], Some("2026-01-01T00:00:00Z")));
    let declined = api.ok(Method::POST, "/sessions/pay", pay("a", "token")).await;
    assert_eq!((&declined["success"], &declined["status"]), (&json!(false), &json!("DECLINED")));
    let newest = declined["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["event"], &newest["success"]), (&json!("AUTHORIZE"), &json!(false)));
    let policy = &newest["error"]["retry_policy"];
    assert_eq!(policy["retry_codes"], json!(["RETRY_AFTER_DELAY"]));
    assert_eq!(policy["retry_after"], "2026-01-01T00:00:00Z");
    assert_eq!(sandbox.executions_of("a")[0].amount, None);
}

#[tokio::test]
async fn strict_references_keep_a_payment_from_running_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let send = async |reference: &str, toggle: &str| {
        let headers = [("dintero-feature-toggles", toggle)];
        api.send_with(Method::POST, "/sessions/pay", &pay(reference, "token"), &headers).await.0
    };
    sandbox.inject(Operation::PaySession, Fault::declined(&[], None));
    assert_eq!(send("a", "strict-merchant-reference").await, 200);
    // Declined, so that only the stricter of the two minds.
    assert_eq!(send("a", "strict-merchant-reference").await, 400);
    assert_eq!(send("a", "strict-success-merchant-reference").await, 200);
    assert_eq!(send("a", "strict-success-merchant-reference").await, 400);
    let plain = api.send_with(Method::POST, "/sessions/pay", &pay("a", "token"), &[]).await;
    assert_eq!(plain.0, 200);
}

#[tokio::test]
async fn a_payment_needs_a_token_of_its_product() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut body = pay("a", "token");
    body["payment"]["payment_product_type"] = json!("bambora.creditcard");
    let refused = api.refused(Method::POST, "/sessions/pay", body).await;
    assert!(refused.1["error"]["message"].as_str().unwrap().contains("tokens"));
    for part in ["session", "payment"] {
        let mut body = pay("a", "token");
        body.as_object_mut().unwrap().remove(part);
        assert_eq!(api.refused(Method::POST, "/sessions/pay", body).await.0, 400, "{part}");
    }
}

#[tokio::test]
async fn a_full_session_may_capture_by_itself_and_take_a_shipping_choice() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut body = profile_session();
    body.as_object_mut().unwrap().remove("profile_id");
    body["configuration"] = json!({ "auto_capture": true, "channel": "in_app" });
    body["express"] = json!({ "shipping_options": [
        { "id": "home", "line_id": "home", "amount": 9900, "title": "Home", "operator": "Bring" } ] });
    let refused = api.refused(Method::POST, "/sessions", body.clone()).await;
    assert!(refused.1["error"]["message"].as_str().unwrap().contains("shipping_option"));

    body["order"].as_object_mut().unwrap().remove("shipping_option");
    body["order"]["amount"] = json!(29990);
    let created = api.ok(Method::POST, "/sessions", body).await;
    let payment = CustomerPayment::new().choosing("home").email("kari@example.com");
    let id = sandbox.customer_pays_with(created["id"].as_str().unwrap(), payment).unwrap();
    let transaction = api.get(&format!("/transactions/{id}")).await;
    assert_eq!((&transaction["status"], &transaction["amount"]), (&json!("CAPTURED"), &json!(39890)));
    assert_eq!((&transaction["items"][1]["amount"], &transaction["channel"]), (&json!(9900), &json!("in_app")));
    assert_eq!(transaction["customer"]["email"], "kari@example.com");
}

#[tokio::test]
async fn headers_of_requests_are_kept_and_shown_on_demand() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let headers = [("dintero-system-name", "shop"), ("dintero-system-version", "7")];
    let created = api.send_with(Method::POST, "/sessions-profile", &profile_session(), &headers).await.1;
    let session = created["id"].as_str().unwrap();
    let path = format!("/sessions/{session}");
    let plain = api.get(&path).await;
    assert!(plain.get("initiating_system_request_headers").is_none());
    assert!(plain["events"][0].get("request_headers").is_none());
    let includes = "?includes=events.request_headers&includes=initiating_system_request_headers";
    let full = api.get(&format!("{path}{includes}")).await;
    assert_eq!(full["initiating_system_request_headers"]["dintero-system-name"], "shop");
    assert_eq!(full["events"][0]["request_headers"]["dintero-system-version"], "7");

    let id = sandbox.customer_pays(session).unwrap();
    let capture = format!("/transactions/{id}/capture{includes}");
    sandbox.inject(Operation::CaptureTransaction, Fault::fails_with_correction());
    api.ok(Method::POST, &capture, json!({ "amount": 1 })).await;
    let captured = api.send_with(Method::POST, &capture, &json!({ "amount": 1 }), &headers).await.1;
    let newest = captured["events"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["request_headers"]["dintero-system-name"], "shop");

    let successful = api.get(&format!("/transactions/{id}?includes=events.success.true")).await;
    assert_eq!(successful["events"].as_array().unwrap().len(), 3);
    let with_session = api.get(&format!("/transactions/{id}?includes=session.events.latest")).await;
    assert_eq!(with_session["session"]["id"], session);
    assert_eq!(with_session["session"]["events"].as_array().unwrap().len(), 1);
}
