//! One clock for everything that waits, and one seed for everything that is generated.

use std::time::Duration;

use super::callbacks::{Merchant, session};
use super::support::{Api, profile_session};
use dintero_sandbox::{Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

/// Lets what is due happen, without a word about how long it may take.
async fn eventually(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Attempts that are over, of callbacks under way and done with.
fn attempts(sandbox: &Sandbox) -> usize {
    let pending = sandbox.callbacks_under_way();
    pending.iter().chain(&sandbox.callbacks()).map(|callback| callback.attempts.len()).sum()
}

#[tokio::test]
async fn delays_and_retries_of_callbacks_wait_for_the_sandboxs_clock() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.stop_clock("2026-01-01T00:00:00Z".parse().unwrap());
    sandbox.set_callback_retry_pause(Duration::from_secs(3600));
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    *merchant.responses.lock().unwrap() = vec![500, 503, 200];
    let id = session(&api, &format!("{}?delay_callback=60", merchant.url)).await;
    sandbox.customer_pays(&id).unwrap();
    for (seconds, received) in [(60, 1), (3600, 2), (3600, 3)] {
        assert_eq!(merchant.received().len(), received - 1);
        sandbox.advance(Duration::from_secs(seconds));
        eventually(|| merchant.received().len() == received).await;
        // The pause begins when the attempt has ended, which is noted before the next one can be due.
        eventually(|| attempts(&sandbox) == received).await;
    }
    assert_eq!(sandbox.callbacks()[0].attempts, [Some(500), Some(503), Some(200)]);
}

#[tokio::test]
async fn a_delayed_response_waits_for_the_sandboxs_clock() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.stop_clock("2026-01-01T00:00:00Z".parse().unwrap());
    let api = Api::of(&sandbox).await;
    sandbox.inject(Operation::ListTransactions, Fault::delay(Duration::from_secs(3600)));
    let request = tokio::spawn(api.request(Method::GET, "/transactions", &Value::Null).send());
    eventually(|| sandbox.received(Operation::ListTransactions) == 1).await;
    assert!(!request.is_finished());
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn signatures_carry_the_systems_time_unless_told_otherwise() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let merchant = Merchant::open().await;
    let start = chrono::Utc::now().timestamp();
    sandbox.advance(Duration::from_secs(400));
    let signed_at = async || {
        let id = session(&api, &merchant.url).await;
        sandbox.customer_pays(&id).unwrap();
        sandbox.callbacks_delivered().await;
        let newest = merchant.received().pop().unwrap();
        let header = newest.headers["dintero-signature"].to_str().unwrap().to_owned();
        header.strip_prefix("t=").unwrap().split(',').next().unwrap().parse::<i64>().unwrap()
    };
    let plain = signed_at().await;
    assert!((start..=chrono::Utc::now().timestamp()).contains(&plain));
    sandbox.sign_with_sandbox_time(true);
    assert!(signed_at().await >= start + 400);
}

#[tokio::test]
async fn a_session_expires_by_the_sandboxs_clock() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut body = profile_session();
    body["expires_at"] = json!((chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339());
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    sandbox.advance(Duration::from_secs(3601));
    assert!(sandbox.customer_pays(created["id"].as_str().unwrap()).is_err());
}

/// One run: its ids, its faults, its callbacks, its token.
async fn run(seed: u64) -> Vec<String> {
    let sandbox = Sandbox::builder().seed(seed).start().await.unwrap();
    sandbox.stop_clock("2026-01-01T00:00:00Z".parse().unwrap());
    sandbox.inject_at_rate(Some(Operation::CaptureTransaction), 0.5, Fault::status(500));
    let api = Api::of(&sandbox).await;
    let mut seen = vec![api.token.clone()];
    let mut body = profile_session();
    body["url"]["callback_url"] = json!("https://shop.example/callback");
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    seen.push(created["id"].as_str().unwrap().to_owned());
    let id = sandbox.customer_pays(&seen[1]).unwrap();
    for _ in 0..20 {
        let path = format!("/transactions/{id}/capture");
        seen.push(api.send_with(Method::POST, &path, &json!({ "amount": 1 }), &[]).await.0.to_string());
    }
    seen.push(sandbox.transaction(&id).unwrap().to_string());
    seen.extend(sandbox.callbacks().iter().map(|callback| format!("{} {}", callback.delivery, callback.url)));
    seen
}

#[tokio::test]
async fn a_seed_brings_the_same_ids_faults_and_callbacks_again() {
    let first = run(7).await;
    assert!(first.contains(&"200".to_owned()) && first.contains(&"500".to_owned()));
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
}
