//! The rules that the published pages state in prose: by payment product, by form of address, by time.

use super::support::{Api, http, profile_session};
use dintero_sandbox::{CustomerPayment, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

async fn world() -> (Sandbox, Api) {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    (sandbox, api)
}

/// The status of a call on a transaction, with the status of the transaction where there is one.
async fn status(api: &Api, id: &str, call: &str, body: Value) -> (u16, String) {
    let (status, response) = api.send_with(Method::POST, &format!("/transactions/{id}/{call}"), &body, &[]).await;
    (status, response["status"].as_str().unwrap_or_default().to_owned())
}

fn line(amount: i64) -> Value {
    json!([{ "line_id": "1", "amount": amount }])
}

#[tokio::test]
async fn a_new_amount_comes_with_the_items_that_sum_up_to_it() {
    let (sandbox, api) = world().await;
    let id = api.paid(&sandbox).await;
    let higher = json!({ "amount": 40_000, "items": line(40_000) });
    for (body, expected) in [
        (json!({ "amount": 40_000 }), 400),
        (json!({ "amount": 40_000, "items": [] }), 400),
        (json!({ "amount": 40_000, "items": line(39_999) }), 400),
        (json!({ "amount": 40_000.5, "items": line(40_000) }), 400),
        (higher, 200),
    ] {
        assert_eq!(status(&api, &id, "authorization", body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(sandbox.transaction(&id).unwrap()["amount"], 40_000);

    // A transaction without items needs none.
    let mut bare = profile_session();
    bare["order"] = json!({ "amount": 100, "currency": "NOK", "merchant_reference": "bare" });
    let created = api.ok(Method::POST, "/sessions-profile", bare).await;
    let bare = sandbox.customer_pays(created["id"].as_str().unwrap()).unwrap();
    assert_eq!(status(&api, &bare, "authorization", json!({ "amount": 200 })).await.0, 200);
}

#[tokio::test]
async fn the_amount_of_a_preauthorization_rises_until_it_is_final() {
    let (sandbox, api) = world().await;
    let id = api.paid(&sandbox).await;
    let to = |amount: i64, last: Value| json!({ "amount": amount, "items": line(amount), "final_authorization": last });
    for (body, expected) in [
        (to(30_000, json!(false)), 400),
        (to(33_890, json!(false)), 400),
        (json!({ "amount": 30_000, "items": line(30_000) }), 400),
        (to(35_000, json!(false)), 200),
        (to(30_000, json!(true)), 200),
        (to(40_000, json!(false)), 409),
    ] {
        assert_eq!(status(&api, &id, "authorization", body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(sandbox.transaction(&id).unwrap()["amount"], 30_000);
}

#[tokio::test]
async fn products_take_the_updates_that_they_know() {
    let (sandbox, api) = world().await;
    let lower = json!({ "amount": 30_000, "items": line(30_000) });
    for (product, expected) in
        [("klarna.klarna", 200), ("klarna.billie", 200), ("vipps", 400), ("payex.creditcard", 400)]
    {
        let id = api.paid_with(&sandbox, product).await;
        assert_eq!(status(&api, &id, "authorization", lower.clone()).await.0, expected, "{product}");
        let extended = status(&api, &id, "authorization", json!({ "reason": "later", "reference": "r" })).await;
        assert_eq!(extended, (200, "AUTHORIZED".into()), "{product}");
    }
}

#[tokio::test]
async fn a_hold_of_an_external_payment_is_released_by_the_merchant() {
    let (sandbox, api) = world().await;
    let release = json!({ "reason": "release" });
    for (product, expected) in [("dintero.external", (200, "AUTHORIZED")), ("dintero_psp.creditcard", (400, ""))] {
        let payment = CustomerPayment::new().with(product).on_hold();
        let id = sandbox.customer_pays_with(api.session().await, payment).unwrap();
        let (code, after) = status(&api, &id, "authorization", release.clone()).await;
        assert_eq!((code, after.as_str()), expected, "{product}");
    }
    let authorized = api.paid_with(&sandbox, "dintero.external").await;
    assert_eq!(status(&api, &authorized, "authorization", release).await.0, 400);
}

#[tokio::test]
async fn the_rest_after_a_part_capture_is_voided_for_the_products_that_can() {
    let (sandbox, api) = world().await;
    for (product, expected) in [
        ("payex.creditcard", 200),
        ("payex.mobilepay", 200),
        ("payex.vipps", 200),
        ("payex.applepay", 200),
        ("payex.clicktopay", 200),
        ("payex.googlepay", 200),
        ("vipps", 200),
        ("klarna.klarna", 200),
        ("klarna.billie", 200),
        ("dintero_psp.creditcard", 400),
        ("dintero_psp.vipps", 400),
        ("bambora.creditcard", 400),
        ("two.invoice_b2b", 400),
    ] {
        let id = api.paid_with(&sandbox, product).await;
        api.ok(Method::POST, &format!("/transactions/{id}/capture"), json!({ "amount": 890 })).await;
        let (code, after) = status(&api, &id, "void", Value::Null).await;
        assert_eq!(code, expected, "{product}");
        if code == 200 {
            assert_eq!(after, "CAPTURED");
            assert_eq!(sandbox.remaining(&id), Some((0, 890)), "{product}");
        }
    }
}

#[tokio::test]
async fn final_capture_is_a_word_of_one_provider() {
    let (sandbox, api) = world().await;
    for (product, after_first, second) in
        [("vipps", "PARTIALLY_CAPTURED", 200), ("dintero_psp.creditcard", "CAPTURED", 400)]
    {
        let id = api.paid_with(&sandbox, product).await;
        let first = status(&api, &id, "capture", json!({ "amount": 890, "final_capture": true })).await;
        assert_eq!(first, (200, after_first.into()), "{product}");
        assert_eq!(status(&api, &id, "capture", json!({ "amount": 1 })).await.0, second, "{product}");
    }
}

#[tokio::test]
async fn invoices_are_captured_and_refunded_by_lines() {
    let (sandbox, api) = world().await;
    let whole = json!([{ "line_id": "1", "quantity": 1, "amount": 29_990 }]);
    let id = api.paid_with(&sandbox, "instabank.invoice").await;
    for call in ["capture", "refund"] {
        for (body, expected) in [
            (json!({ "amount": 29_990 }), 400),
            (json!({ "amount": 29_990, "items": [] }), 400),
            (json!({ "amount": 29_990, "items": [{ "line_id": "1", "amount": 29_990 }] }), 400),
            (json!({ "amount": 29_990, "items": whole }), 200),
        ] {
            assert_eq!(status(&api, &id, call, body.clone()).await.0, expected, "{call} {body}");
        }
    }
    let id = api.paid_with(&sandbox, "collector.invoice").await;
    let part = json!({ "amount": 100, "items": line(100) });
    assert_eq!(status(&api, &id, "capture", part).await.0, 400);
    assert_eq!(status(&api, &id, "capture", json!({ "amount": 29_990, "items": whole })).await.0, 200);
}

#[tokio::test]
async fn metadata_of_captures_and_refunds_has_keys_of_its_own() {
    let (sandbox, api) = world().await;
    let id = api.paid(&sandbox).await;
    for call in ["capture", "refund"] {
        for (metadata, expected) in [
            (json!({ "note": "x" }), 400),
            (json!({ "ext_": 1 }), 400),
            (json!({ format!("ext_{}", "k".repeat(125)): "x" }), 400),
            (json!({ "ext_note": "x".repeat(257) }), 400),
            (json!({ format!("ext_{}", "k".repeat(124)): "\u{e6}".repeat(256) }), 200),
        ] {
            let body = json!({ "amount": 100, "metadata": metadata });
            assert_eq!(status(&api, &id, call, body.clone()).await.0, expected, "{call} {body}");
        }
    }
    assert_eq!(sandbox.sums(&id), Some((100, 100)));
}

#[tokio::test]
async fn both_forms_of_address_serve_this_account_and_no_other() {
    let (sandbox, api) = world().await;
    let id = api.paid(&sandbox).await;
    let get = async |account: &str, path: &str| {
        let path = format!("/accounts/{account}/payments{path}");
        api.send_with(Method::GET, &path, &Value::Null, &[]).await.0
    };
    assert_eq!(get("T12345678", &format!("/transactions/{id}")).await, 200);
    assert_eq!(get("T12345678", "/transactions").await, 200);
    assert_eq!(get("T12345678", "/sessions").await, 405, "listing sessions exists at the classic host only");
    for other in ["T87654321", "nonsense"] {
        assert_eq!(get(other, &format!("/transactions/{id}")).await, 403, "{other}");
        assert_eq!(get(other, "/transactions").await, 403, "{other}");
    }
}

#[tokio::test]
async fn the_audience_may_have_any_base_and_only_this_account() {
    let (sandbox, _) = world().await;
    let url = format!("{}/accounts/{}/auth/token", sandbox.auth_url(), sandbox.account_id());
    for (audience, expected) in [
        ("https://api.dintero.com/v1/accounts/T12345678".to_owned(), 200),
        (format!("{}/accounts/T12345678", sandbox.base_url()), 200),
        ("https://other.example/deep/v1/accounts/T12345678".to_owned(), 200),
        ("https://api.dintero.com/v1/accounts/T87654321".to_owned(), 400),
        ("https://api.dintero.com/v1/accounts/T12345678/".to_owned(), 400),
        ("/v1/accounts/T12345678".to_owned(), 400),
        ("T12345678".to_owned(), 400),
    ] {
        let request = http().post(&url).basic_auth(sandbox.client_id(), Some(sandbox.client_secret()));
        let body = json!({ "grant_type": "client_credentials", "audience": audience });
        assert_eq!(request.json(&body).send().await.unwrap().status(), expected, "{audience}");
    }
}

#[tokio::test]
async fn a_payment_that_is_refused_says_that_it_did_not_succeed() {
    let (sandbox, api) = world().await;
    for body in [json!({}), json!({ "session": {}, "payment": { "payment_product_type": "payex.creditcard" } })] {
        let (status, response) = api.refused(Method::POST, "/sessions/pay", body).await;
        assert_eq!((status, &response["success"]), (400, &json!(false)));
    }
    sandbox.revoke_tokens();
    let (status, response) = api.refused(Method::POST, "/sessions/pay", json!({})).await;
    assert_eq!((status, response.get("success")), (401, None));
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_told_with_those_that_are() {
    let (_sandbox, api) = world().await;
    for (method, path, allow) in [
        (Method::DELETE, "/sessions", "POST, GET"),
        (Method::GET, "/sessions-profile", "POST"),
        (Method::POST, "/transactions", "GET"),
    ] {
        let response = api.request(method, path, &Value::Null).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, allow), "{path}");
    }
}

#[tokio::test]
async fn the_return_address_knows_how_the_payment_ended() {
    let (sandbox, api) = world().await;
    let control = format!("{}/_sandbox/sessions", sandbox.base_url().trim_end_matches("/v1"));
    let ending = async |call: &str, body: Value| {
        let id = api.session().await;
        let told: Value =
            http().post(format!("{control}/{id}/{call}")).json(&body).send().await.unwrap().json().await.unwrap();
        let url = url::Url::parse(told["return_url"].as_str().unwrap()).unwrap();
        assert_eq!(sandbox.return_url(&id), Some(url.clone()));
        let pairs: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["merchant_reference"], "order-1");
        (pairs.get("error").cloned(), pairs.contains_key("transaction_id"))
    };
    for (outcome, error) in
        [("approved", None), ("on_hold", None), ("declined", Some("authorization")), ("failed", Some("failed"))]
    {
        let told = ending("pay", json!({ "outcome": outcome })).await;
        assert_eq!(told, (error.map(str::to_owned), true), "{outcome}");
    }
    assert_eq!(ending("cancel", json!({})).await, (Some("cancelled".into()), false));
}
