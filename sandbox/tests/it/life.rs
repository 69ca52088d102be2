//! The sandbox over real sockets, with a plain HTTP client: the life of a session and of its
//! transaction, and what is refused on the way.

use super::support::{Api, order, profile_session};
use dintero_sandbox::{CustomerError, CustomerPayment, Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_checkout_runs_from_token_to_refund() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let created = api.ok(Method::POST, "/sessions-profile?include_session=true", profile_session()).await;
    let session_id = created["id"].as_str().unwrap();
    assert!(session_id.starts_with("T12345678."));
    assert!(created["url"].as_str().unwrap().contains(session_id));
    assert_eq!(created["session"]["order"]["amount"], 33890);

    let id = sandbox.customer_pays(session_id).unwrap();
    let session = api.get(&format!("/sessions/{session_id}")).await;
    assert_eq!(session["transaction_id"], id.as_str());

    let transaction = api.get(&format!("/transactions/{id}")).await;
    assert_eq!(transaction["status"], "AUTHORIZED");
    assert_eq!(transaction["session_id"], session_id);
    let lines: Vec<_> = transaction["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["line_id"].clone(), item["amount"].clone()))
        .collect();
    assert_eq!(lines, [(json!("1"), json!(29990)), (json!("pick-up"), json!(3900))]);

    let path = |call: &str| format!("/transactions/{id}/{call}");
    let chair = json!({ "amount": 29990, "capture_reference": "first",
                        "items": [{ "line_id": "1", "amount": 29990 }], "metadata": { "ext_a": "b" } });
    let captured = api.ok(Method::POST, &path("capture"), chair).await;
    assert_eq!(captured["status"], "PARTIALLY_CAPTURED");
    let shipping = json!({ "amount": 3900, "items": [{ "line_id": "pick-up", "amount": 3900 }] });
    let captured = api.ok(Method::POST, &path("capture"), shipping).await;
    assert_eq!(captured["status"], "CAPTURED");
    let refund = json!({ "amount": 10000, "refund_reference": "back", "reason": "scratched" });
    let refunded = api.ok(Method::POST, &path("refund"), refund).await;
    assert_eq!(refunded["status"], "PARTIALLY_REFUNDED");
    assert_eq!(refunded["amount"], 33890);

    let events = refunded["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["INITIALIZE", "AUTHORIZE", "CAPTURE", "CAPTURE", "REFUND"]);
    let first = &events[2];
    assert_eq!(first["event_reference"], "first");
    assert_eq!(first["transaction_status"], "PARTIALLY_CAPTURED");
    assert_eq!(first["amount"], 29990);
    assert_eq!(first["items"][0]["line_id"], "1");
    assert_eq!(first["metadata"]["ext_a"], "b");
    for field in ["id", "created_at", "request_id"] {
        assert!(first[field].is_string(), "{field}");
    }
    assert_eq!(sandbox.sums(&id), Some((33890, 10000)));
    assert_eq!(sandbox.executed(Operation::CaptureTransaction), 2);
    assert_eq!(sandbox.executions_of("back")[0].amount, Some(10000));
}

#[tokio::test]
async fn more_than_there_is_cannot_be_moved() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = |call: &str| format!("/transactions/{id}/{call}");

    let too_much = api.refused(Method::POST, &path("capture"), json!({ "amount": 33891 })).await;
    assert_eq!(too_much.0, 400);
    assert!(too_much.1["error"]["message"].as_str().unwrap().contains("33890"));
    let early = api.refused(Method::POST, &path("refund"), json!({ "amount": 1 })).await;
    assert!(early.1["error"]["message"].as_str().unwrap().contains("AUTHORIZED"));

    api.ok(Method::POST, &path("capture"), json!({ "amount": 100 })).await;
    for (call, body) in [
        ("void", Value::Null),
        ("refund", json!({ "amount": 101 })),
        ("capture", json!({ "amount": 0 })),
        ("capture", json!({ "amount": -1 })),
        ("capture", json!({ "amount": 1, "items": [{ "line_id": "unknown", "amount": 1 }] })),
    ] {
        let refused = api.refused(Method::POST, &path(call), body.clone()).await;
        assert_eq!(refused.0, 400, "{call} {body}");
    }
    assert_eq!(sandbox.sums(&id), Some((100, 0)));
    assert_eq!(sandbox.executions().iter().filter(|done| done.id == id).count(), 1);
}

#[tokio::test]
async fn a_void_ends_the_transaction() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/void");
    let voided = api.ok(Method::POST, &path, Value::Null).await;
    assert_eq!(voided["status"], "AUTHORIZATION_VOIDED");
    assert_eq!(api.refused(Method::POST, &path, Value::Null).await.0, 400);
}

#[tokio::test]
async fn an_authorization_is_updated_until_it_is_final() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/authorization");
    let to = |amount: i64| json!({ "amount": amount, "items": [{ "line_id": "1", "amount": amount }] });
    let mut raised = to(40000);
    raised["reference"] = json!("more");
    raised["final_authorization"] = json!(true);
    let updated = api.ok(Method::POST, &path, raised).await;
    assert_eq!((&updated["amount"], &updated["status"]), (&json!(40000), &json!("AUTHORIZED")));
    assert_eq!(updated["events"][2]["event_reference"], "more");
    assert_eq!(api.refused(Method::POST, &path, to(50000)).await.0, 409);
    let renamed =
        api.ok(Method::PUT, &format!("/transactions/{id}"), json!({ "merchant_reference_2": "second" })).await;
    assert_eq!(renamed["merchant_reference_2"], "second");
}

#[tokio::test]
async fn the_token_call_checks_who_asks_for_what() {
    let sandbox = Sandbox::start().await.unwrap();
    let http = super::support::http();
    let url = format!("{}/accounts/{}/auth/token", sandbox.auth_url(), sandbox.account_id());
    let audience = "https://api.dintero.com/v1/accounts/T12345678";
    let ask =
        |secret: String, body: Value| http.post(&url).basic_auth(sandbox.client_id(), Some(secret)).json(&body).send();
    let good = json!({ "grant_type": "client_credentials", "audience": audience });
    let token: Value = ask(sandbox.client_secret(), good.clone()).await.unwrap().json().await.unwrap();
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(14400)));

    assert_eq!(ask("wrong".into(), good.clone()).await.unwrap().status(), 401);
    for bad in [
        json!({ "grant_type": "client_credentials", "audience": "https://example.com" }),
        json!({ "grant_type": "client_credentials" }),
        json!({ "grant_type": "password", "audience": audience }),
    ] {
        assert_eq!(ask(sandbox.client_secret(), bad).await.unwrap().status(), 400);
    }
    assert_eq!(sandbox.received(Operation::Token), 5);
}

#[tokio::test]
async fn a_token_ends_when_it_says_and_not_before() {
    let sandbox = Sandbox::builder().token_lifetime(60).start().await.unwrap();
    sandbox.stop_clock("2026-01-01T00:00:00Z".parse().unwrap());
    let api = Api::of(&sandbox).await;
    sandbox.advance(std::time::Duration::from_secs(59));
    api.get("/transactions").await;
    sandbox.advance(std::time::Duration::from_secs(1));
    assert_eq!(api.refused(Method::GET, "/transactions", Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_call_without_a_known_token_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/transactions", sandbox.base_url());
    assert_eq!(super::support::http().get(&url).send().await.unwrap().status(), 401);
    let made_up = super::support::http().get(&url).bearer_auth("made-up").send().await.unwrap();
    assert_eq!(made_up.status(), 401);
    let body: Value = made_up.json().await.unwrap();
    assert!(body["error"]["message"].is_string());

    let api = Api::of(&sandbox).await;
    sandbox.revoke_tokens();
    assert_eq!(api.refused(Method::GET, "/transactions", Value::Null).await.0, 401);
}

#[tokio::test]
async fn strict_amounts_count_the_shipping_and_say_what_is_wrong() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let strict = [("dintero-feature-toggles", "strict-session-amounts")];
    let mut body = profile_session();
    assert_eq!(api.send_with(Method::POST, "/sessions-profile", &body, &strict).await.0, 200);
    body["order"]["amount"] = json!(29990);
    assert_eq!(api.send_with(Method::POST, "/sessions-profile", &body, &[]).await.0, 200);
    let (status, response) = api.send_with(Method::POST, "/sessions-profile", &body, &strict).await;
    assert_eq!(status, 400);
    let message = response["error"]["message"].as_str().unwrap();
    assert!(message.contains("33890") && message.contains("3900"), "{message}");
    assert_eq!(response["error"]["errors"][0]["path"], "order.amount");
}

#[tokio::test]
async fn a_session_is_updated_only_while_locked_unless_asked_otherwise() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.session().await;
    let path = format!("/sessions/{id}");
    let mut restated = order();
    restated.as_object_mut().unwrap().remove("merchant_reference");
    restated["amount"] = json!(1);
    let body = json!({ "order": restated });

    assert_eq!(api.refused(Method::PUT, &path, body.clone()).await.0, 400);
    sandbox.lock_session(&id).unwrap();
    let updated = api.ok(Method::PUT, &path, body.clone()).await;
    assert_eq!(updated["order"]["amount"], 1);
    assert_eq!(updated["order"]["merchant_reference"], "order-1");
    // The update took the lock away, so the next one needs another.
    assert_eq!(api.refused(Method::PUT, &path, body.clone()).await.0, 400);
    api.ok(Method::PUT, &format!("{path}?update_without_lock=true"), body.clone()).await;

    sandbox.customer_pays(&id).unwrap();
    let late = format!("{path}?update_without_lock=true");
    assert_eq!(api.refused(Method::PUT, &late, body).await.0, 400);
}

#[tokio::test]
async fn a_cancelled_session_voids_its_transaction() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let session = api.session().await;
    let transaction = sandbox.customer_pays(&session).unwrap();
    let cancelled = api.ok(Method::POST, &format!("/sessions/{session}/cancel"), Value::Null).await;
    assert!(cancelled["cancelled_at"].is_string());
    let voided = api.get(&format!("/transactions/{transaction}")).await;
    assert_eq!(voided["status"], "AUTHORIZATION_VOIDED");

    let session = api.session().await;
    let transaction = sandbox.customer_pays(&session).unwrap();
    api.ok(Method::POST, &format!("/transactions/{transaction}/capture"), json!({ "amount": 1 })).await;
    let late = api.refused(Method::POST, &format!("/sessions/{session}/cancel"), Value::Null).await;
    assert_eq!(late.0, 400);
}

#[tokio::test]
async fn a_payment_ends_as_the_customer_has_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for (payment, status) in [
        (CustomerPayment::new().declined(), "DECLINED"),
        (CustomerPayment::new().failed(), "FAILED"),
        (CustomerPayment::new().on_hold(), "ON_HOLD"),
        (CustomerPayment::new().with("swish.swish"), "CAPTURED"),
        (CustomerPayment::new().with("vipps"), "AUTHORIZED"),
    ] {
        let session = api.session().await;
        let id = sandbox.customer_pays_with(&session, payment).unwrap();
        let transaction = api.get(&format!("/transactions/{id}")).await;
        assert_eq!(transaction["status"], status);
        assert_eq!(sandbox.customer_pays(&session), Err(CustomerError::Paid));
    }
}

#[tokio::test]
async fn a_hold_is_released_either_way() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for (approved, status) in [(true, "AUTHORIZED"), (false, "FAILED")] {
        let session = api.session().await;
        let id = sandbox.customer_pays_with(&session, CustomerPayment::new().on_hold()).unwrap();
        sandbox.release_hold(&id, approved).unwrap();
        assert_eq!(api.get(&format!("/transactions/{id}")).await["status"], status);
        assert!(sandbox.release_hold(&id, approved).is_err());
    }
}

#[tokio::test]
async fn ids_are_looked_up_only_when_they_are_of_the_account() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for (id, status) in [("T12345678.unknown", 404), ("T00000000.x", 403), ("nonsense", 400)] {
        for path in [format!("/transactions/{id}"), format!("/sessions/{id}")] {
            assert_eq!(api.refused(Method::GET, &path, Value::Null).await.0, status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_outside_the_published_interface_is_refused_by_path() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut body = profile_session();
    body["order"]["amount"] = json!("33890");
    let (status, response) = api.send_with(Method::POST, "/sessions-profile", &body, &[]).await;
    assert_eq!(status, 400);
    assert_eq!(response["error"]["errors"][0]["path"], "body/order/amount");
    assert_eq!(api.refused(Method::GET, "/nothing", Value::Null).await.0, 404);
    assert_eq!(api.refused(Method::DELETE, "/transactions", Value::Null).await.0, 405);
}

#[tokio::test]
async fn fields_that_the_interface_does_not_have_are_ignored_and_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    assert_eq!(sandbox.unknown_fields(), []);
    let body = json!({ "amount": 1, "capture_ref": "x", "items": [{ "line_id": "1", "amount": 1, "qty": 1 }] });
    api.ok(Method::POST, &format!("/transactions/{id}/capture"), body).await;
    let told = sandbox.unknown_fields();
    assert!(told.iter().all(|field| field.operation == Operation::CaptureTransaction));
    let paths: Vec<_> = told.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["body/capture_ref", "body/items/0/qty"]);
}

/// A test may share a sandbox between tasks and look at it from within a fault's chooser.
#[tokio::test]
async fn the_handle_is_shared_and_may_be_asked_from_anywhere() {
    fn shared<T: Send + Sync + 'static>(value: T) -> std::sync::Arc<T> {
        std::sync::Arc::new(value)
    }
    let sandbox = shared(Sandbox::start().await.unwrap());
    let api = Api::of(&sandbox).await;
    let asked = std::sync::Arc::downgrade(&sandbox);
    sandbox.inject_with(move |_| {
        let received = asked.upgrade()?.received(Operation::ListTransactions);
        (received == 2).then(|| Fault::status(500))
    });
    api.get("/transactions").await;
    assert_eq!(api.refused(Method::GET, "/transactions", Value::Null).await.0, 500);
    api.get("/transactions").await;
}

#[tokio::test]
async fn the_port_is_free_again_after_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/transactions", sandbox.base_url());
    let http = super::support::http();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    drop(sandbox);
    for _ in 0..200 {
        match http.get(&url).send().await {
            Err(error) if error.is_connect() => return,
            _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    panic!("the sandbox still responds");
}
