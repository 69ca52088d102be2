//! The control API as Node, Python or PHP use it, and its document.

use super::callbacks::{Merchant, session as session_with};
use super::support::{Api, http, profile_session};
use dintero_sandbox::{Operation, Sandbox};
use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

/// The control API and its document, against which every response is held.
struct Control {
    root: String,
    document: Value,
}

impl Control {
    async fn of(sandbox: &Sandbox) -> Self {
        let root = format!("{}/_sandbox", sandbox.base_url().trim_end_matches("/v1"));
        let document = http().get(format!("{root}/openapi.json")).send().await.unwrap().json().await.unwrap();
        Self { root, document }
    }

    /// The schema of a response, as JSON Schema: `nullable` is all that the dialects disagree on here.
    fn validator(&self, template: &str, method: &Method, status: u16) -> Validator {
        fn null(value: &mut Value) {
            if let Some(fields) = value.as_object_mut() {
                if fields.remove("nullable") == Some(json!(true)) {
                    let kind = fields["type"].clone();
                    fields.insert("type".into(), json!([kind, "null"]));
                }
                fields.values_mut().for_each(null);
            } else if let Some(elements) = value.as_array_mut() {
                elements.iter_mut().for_each(null);
            }
        }
        let call = &self.document["paths"][template][method.as_str().to_lowercase()];
        let schema = &call["responses"][status.to_string()]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {template} has no response {status} in the document");
        let mut root = json!({ "allOf": [schema], "components": self.document["components"] });
        null(&mut root);
        jsonschema::validator_for(&root).unwrap()
    }

    async fn send(&self, method: Method, template: &str, id: &str, body: Value) -> (u16, Value) {
        let path = template.replace("/_sandbox", "").replace("{id}", id).replace("{delivery}", id);
        let request = http().request(method.clone(), format!("{}{path}", self.root));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let (status, told) = (response.status().as_u16(), response.json().await.unwrap());
        if let Some(error) = self.validator(template, &method, status).iter_errors(&told).next() {
            panic!("{method} {template}: {error} at {} in {told}", error.instance_path());
        }
        (status, told)
    }

    async fn ok(&self, method: Method, template: &str, id: &str, body: Value) -> Value {
        let (status, told) = self.send(method, template, id, body).await;
        assert_eq!(status, 200, "{template}: {told}");
        told
    }

    async fn get(&self, template: &str, id: &str) -> Value {
        self.ok(Method::GET, template, id, Value::Null).await
    }

    async fn post(&self, template: &str, id: &str, body: Value) -> Value {
        self.ok(Method::POST, template, id, body).await
    }
}

async fn world() -> (Sandbox, Api, Control) {
    let sandbox = Sandbox::start().await.unwrap();
    let (api, control) = (Api::of(&sandbox).await, Control::of(&sandbox).await);
    (sandbox, api, control)
}

#[tokio::test]
async fn a_customer_is_played_over_http() {
    let (_sandbox, api, control) = world().await;
    for (outcome, status, error, standing) in [
        ("approved", "AUTHORIZED", None, "paid"),
        ("declined", "DECLINED", Some("authorization"), "declined"),
        ("failed", "FAILED", Some("failed"), "failed"),
        ("on_hold", "ON_HOLD", None, "on_hold"),
    ] {
        let id = api.session().await;
        let payment = json!({ "outcome": outcome, "payment_product_type": "vipps", "email": "kari@example.com" });
        let paid = control.post("/_sandbox/sessions/{id}/pay", &id, payment).await;
        assert_eq!(paid["status"], status);
        assert_eq!(control.get("/_sandbox/sessions", "").await[0]["state"], standing);
        let back = url::Url::parse(paid["return_url"].as_str().unwrap()).unwrap();
        let told = back.query_pairs().find(|(name, _)| name == "error").map(|(_, value)| value.into_owned());
        assert_eq!(told.as_deref(), error, "{outcome}");
        let (again, _) = control.send(Method::POST, "/_sandbox/sessions/{id}/pay", &id, Value::Null).await;
        assert_eq!(again, 409);
        if outcome == "on_hold" {
            let transaction = paid["transaction_id"].as_str().unwrap();
            let released =
                control.post("/_sandbox/transactions/{id}/release", transaction, json!({ "approved": true })).await;
            assert_eq!(released["transaction"]["status"], "AUTHORIZED");
        }
    }
    let id = api.session().await;
    control.post("/_sandbox/sessions/{id}/lock", &id, Value::Null).await;
    let rows = control.get("/_sandbox/sessions", "").await;
    assert_eq!((&rows[0]["id"], &rows[0]["state"]), (&json!(id), &json!("locked")));
    control.post("/_sandbox/sessions/{id}/unlock", &id, Value::Null).await;
    let left = control.post("/_sandbox/sessions/{id}/cancel", &id, Value::Null).await;
    assert!(left["return_url"].as_str().unwrap().ends_with("error=cancelled"));
    assert_eq!(control.get("/_sandbox/sessions", "").await[0]["state"], "left");
}

#[tokio::test]
async fn faults_clock_tokens_and_responses_are_set_over_http() {
    let (_sandbox, api, control) = world().await;
    let id = api.session().await;
    let paid = control.post("/_sandbox/sessions/{id}/pay", &id, json!({})).await;
    let transaction = paid["transaction_id"].as_str().unwrap();
    let capture = async || {
        let path = format!("/transactions/{transaction}/capture");
        api.send_with(Method::POST, &path, &json!({ "amount": 100, "capture_reference": "mine" }), &[]).await.0
    };
    let inject = async |fault: Value, more: Value| {
        let mut body = json!({ "operation": "capture_transaction", "fault": fault });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        control.post("/_sandbox/faults", "", body).await;
    };
    inject(json!({ "kind": "status", "status": 503 }), json!({ "times": 2 })).await;
    inject(json!({ "kind": "too_many_requests", "retry_after_seconds": 3, "after_executing": true }), json!({})).await;
    inject(json!({ "kind": "accepted", "reads": null }), json!({})).await;
    let planned = control.get("/_sandbox/faults", "").await;
    let words: Vec<_> = planned.as_array().unwrap().iter().map(|fault| fault["fault"].as_str().unwrap()).collect();
    let expected = [
        "503 in place of the response, without executing",
        "429 in place of the response, after executing",
        "202, and done later",
    ];
    assert_eq!(words, expected);
    assert_eq!([capture().await, capture().await, capture().await, capture().await], [503, 503, 429, 202]);
    control.post("/_sandbox/settle", "", Value::Null).await;
    let told = control.get("/_sandbox/transactions/{id}", transaction).await;
    assert_eq!((&told["captured"], &told["left_to_capture"]), (&json!(200), &json!(33_690)));
    assert_eq!(control.get("/_sandbox/executions", "").await.as_array().unwrap().len(), 3);

    inject(json!({ "kind": "status", "status": 500 }), json!({ "rate": 1.0 })).await;
    assert_eq!(capture().await, 500);
    control.ok(Method::DELETE, "/_sandbox/faults", "", Value::Null).await;
    assert_eq!(capture().await, 200);

    let patch = json!({ "operation": "get_transaction", "merge": { "status": "NEWER" } });
    control.post("/_sandbox/patches", "", patch).await;
    assert_eq!(api.get(&format!("/transactions/{transaction}")).await["status"], "NEWER");
    control.ok(Method::DELETE, "/_sandbox/patches", "", Value::Null).await;

    let clock = json!({ "stop_at": "2026-01-01T00:00:00Z", "advance_seconds": 90 });
    let told = control.ok(Method::PUT, "/_sandbox/clock", "", clock).await;
    assert_eq!(told, json!({ "now": "2026-01-01T00:01:30.000Z", "stopped": true }));
    control.ok(Method::PUT, "/_sandbox/tokens", "", json!({ "lifetime_seconds": 60 })).await;
    control.ok(Method::DELETE, "/_sandbox/tokens", "", Value::Null).await;
    assert_eq!(capture().await, 401);
    let requests = control.get("/_sandbox/requests", "").await;
    assert_eq!((&requests[0]["status"], &requests[0]["refusal"]), (&json!(401), &json!("the token has expired")));
    assert_eq!(requests[0]["body"]["capture_reference"], "mine");
}

#[tokio::test]
async fn callbacks_are_held_told_and_sent_again_over_http() {
    let (_sandbox, api, control) = world().await;
    let merchant = Merchant::open().await;
    control.ok(Method::PUT, "/_sandbox/callbacks", "", json!({ "copies": 0, "retry_pause_milliseconds": 0 })).await;
    control.post("/_sandbox/callbacks/hold", "", Value::Null).await;
    for url in [merchant.url.as_str(), "http://shop.example/callback"] {
        let id = session_with(&api, url).await;
        control.post("/_sandbox/sessions/{id}/pay", &id, json!({})).await;
    }
    let held = control.get("/_sandbox/callbacks", "").await;
    assert_eq!((held[0]["state"].as_str(), held[1]["state"].as_str()), (Some("held"), Some("held")));
    *merchant.responses.lock().unwrap() = vec![500];
    control.post("/_sandbox/callbacks/release", "", json!({})).await;
    let told = control.get("/_sandbox/callbacks", "").await;
    assert_eq!((&told[0]["state"], &told[0]["attempts"]), (&json!("done"), &json!([500, 200])));
    assert_eq!(told[1]["state"], "not_sent");
    assert!(told[1]["not_sent"].as_str().unwrap().contains("shop.example"));

    let delivery = told[0]["delivery"].as_str().unwrap();
    control.post("/_sandbox/callbacks/{delivery}/send", delivery, Value::Null).await;
    while merchant.received().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(merchant.received()[2].headers["event-delivery"], delivery);
    let (status, _) = control.send(Method::POST, "/_sandbox/callbacks/{delivery}/send", "x", Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_reset_leaves_settings_and_tokens_and_begins_the_names_anew() {
    let sandbox = Sandbox::builder().seed(5).start().await.unwrap();
    let (api, control) = (Api::of(&sandbox).await, Control::of(&sandbox).await);
    control.post("/_sandbox/reset", "", Value::Null).await;
    let first = api.session().await;
    control.post("/_sandbox/seed", "", json!({ "transactions": 3 })).await;
    assert_eq!(control.get("/_sandbox/transactions", "").await.as_array().unwrap().len(), 3);
    control.post("/_sandbox/reset", "", Value::Null).await;
    assert_eq!(control.get("/_sandbox/transactions", "").await, json!([]));
    assert_eq!(control.get("/_sandbox/requests", "").await, json!([]));
    assert_eq!(api.session().await, first);
}

#[tokio::test]
async fn what_the_document_does_not_have_is_refused_by_place() {
    let (_sandbox, api, control) = world().await;
    let id = api.session().await;
    for (template, id, body, place) in [
        ("/_sandbox/sessions/{id}/pay", id.as_str(), json!({ "outcome": "lost" }), "body/outcome"),
        ("/_sandbox/sessions/{id}/pay", &id, json!({ "result": "lost" }), "body"),
        ("/_sandbox/sessions/{id}/pay", &id, json!({ "shipping_option_id": "none" }), "shipping option"),
        ("/_sandbox/faults", "", json!({ "fault": { "kind": "reset" } }), "body/operation"),
        (
            "/_sandbox/faults",
            "",
            json!({ "operation": "capture_transaction", "fault": { "kind": "status" } }),
            "body/fault/status",
        ),
        ("/_sandbox/faults", "", json!({ "operation": "capture", "fault": { "kind": "reset" } }), "body/operation"),
    ] {
        let (status, told) = control.send(Method::POST, template, id, body.clone()).await;
        let message = told["error"]["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(place), "{body}: {status} {message}");
    }
    let (status, _) = control.send(Method::GET, "/_sandbox/sessions/{id}", "T12345678.none", Value::Null).await;
    assert_eq!(status, 404);
}

/// The document describes what is there, and nothing else.
#[tokio::test]
async fn every_call_of_the_document_is_there() {
    let (_sandbox, _, control) = world().await;
    let named = &control.document["components"]["schemas"]["Operation"]["enum"];
    assert_eq!(named, &json!(Operation::ALL.map(Operation::id)));
    for (template, methods) in control.document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            if ["changes", "reset_connections"].contains(&call["operationId"].as_str().unwrap()) {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let (status, told) = control.send(method.clone(), template, "x", Value::Null).await;
            assert!([200, 400, 404].contains(&status), "{method} {template}: {status} {told}");
        }
    }
}

#[tokio::test]
async fn the_pages_are_there_and_the_lock_is_for_sessions_only() {
    let (sandbox, api, control) = world().await;
    let root = sandbox.base_url().trim_end_matches("/v1").to_owned();
    let id = api.session().await;
    let get = async |path: &str| {
        let response = http().get(format!("{root}{path}")).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for path in ["/".to_owned(), format!("/v1/view/{id}")] {
        let (status, page) = get(&path).await;
        assert!(status == 200 && page.starts_with("<!doctype html>"), "{path}");
        for elsewhere in ["http://", "https://", "src=", "@import"] {
            assert!(!page.contains(elsewhere), "{path} wants something from elsewhere");
        }
    }
    assert_eq!(get("/v1/view/T12345678.none").await.0, 404);
    assert_eq!(get("/v1/view/T12345678.none/session/lock").await.0, 404);
    let restated = json!({ "order": profile_session()["order"] });
    assert_eq!(api.refused(Method::PUT, &format!("/sessions/{id}"), restated.clone()).await.0, 400);
    assert_eq!(get(&format!("/v1/view/{id}/session/lock")).await.0, 200);
    api.ok(Method::PUT, &format!("/sessions/{id}"), restated).await;
    control.post("/_sandbox/sessions/{id}/pay", &id, json!({})).await;
    assert_eq!(get(&format!("/v1/view/{id}/session/lock")).await.0, 409);
}
