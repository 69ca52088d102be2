//! The two lists: filters, cursors, pages, and a hundred thousand rows.

use std::time::Duration;

use super::support::{Api, profile_session};
use dintero_sandbox::{CustomerPayment, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    page.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn session(api: &Api, reference: &str, amount: i64, extra: Value) -> String {
    let mut body = profile_session();
    body["order"]["merchant_reference"] = json!(reference);
    body["order"]["amount"] = json!(amount);
    for (name, value) in extra.as_object().unwrap() {
        body["order"][name] = value.clone();
    }
    body["customer"] = json!({ "customer_id": format!("customer-{reference}"), "email": "kari@example.com" });
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    created["id"].as_str().unwrap().to_owned()
}

/// Every filter takes what it is for and leaves the rest.
#[tokio::test]
async fn each_filter_of_transactions_finds_its_rows() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.stop_clock("2026-03-01T10:00:00Z".parse().unwrap());
    let api = Api::of(&sandbox).await;
    let session_a = session(&api, "a", 100, json!({ "store": { "id": "oslo" }, "payout_destination_id": "p1" })).await;
    let a = sandbox.customer_pays(&session_a).unwrap();
    sandbox.advance(Duration::from_secs(3600));
    let session_b = session(&api, "b", 200, json!({ "currency": "SEK", "merchant_reference_2": "b2" })).await;
    let b = sandbox.customer_pays_with(&session_b, CustomerPayment::new().with("vipps")).unwrap();
    sandbox.advance(Duration::from_secs(3600));
    api.ok(Method::POST, &format!("/transactions/{a}/capture"), json!({ "amount": 100 })).await;
    sandbox.advance(Duration::from_secs(3600));
    api.ok(Method::POST, &format!("/transactions/{a}/refund"), json!({ "amount": 100 })).await;
    let token_id = sandbox.transaction(&a).unwrap()["card"]["payment_token_id"].as_str().unwrap().to_owned();

    let only_a = [
        format!("id={a}"),
        "status=REFUNDED".into(),
        "payment_product=dintero_psp".into(),
        "payment_product_type=dintero_psp.creditcard".into(),
        "card_brand=Visa".into(),
        "merchant_reference=a".into(),
        format!("session_id={session_a}"),
        "store_id=oslo".into(),
        "currency=NOK".into(),
        "amount=100".into(),
        "amount.lte=199".into(),
        "created_at.lte=2026-03-01T10:30:00Z".into(),
        "captured_at.gte=2026-03-01T12:00:00Z".into(),
        "captured_at.lte=2026-03-01".into(),
        "refunded_at.gte=2026-03-01T12:30:00Z&refunded_at.lte=2026-03-01T13:30:00Z".into(),
        "customer_id=customer-a".into(),
        "payout_destination_id=p1".into(),
        format!("token_id={token_id}"),
    ];
    for query in only_a {
        assert_eq!(ids(&api.get(&format!("/transactions?{query}")).await), [a.as_str()], "{query}");
    }
    for query in [
        "status=AUTHORIZED&status=CAPTURED",
        "amount.gte=101",
        "merchant_reference_2=b2",
        "payment_product=vipps",
        "created_at.gte=2026-03-01T10:30:00%2B00:00",
    ] {
        assert_eq!(ids(&api.get(&format!("/transactions?{query}")).await), [b.as_str()], "{query}");
    }
    for query in ["search=KARI", "currency=NOK&currency=SEK", "limit=2", ""] {
        let found = ids(&api.get(&format!("/transactions?{query}")).await);
        assert_eq!(found, [b.as_str(), a.as_str()], "{query}");
    }
    // A bare date is a whole day where it ends a range, and its first moment where it begins one.
    for (query, found) in [
        ("created_at.lte=2026-03-01", 2),
        ("created_at.lte=2026-02-28", 0),
        ("created_at.gte=2026-03-01", 2),
        ("created_at.gte=2026-03-02", 0),
        ("created_at.gte=2026-03-01T11:00:00", 1),
        ("created_at.lte=2026-03-01T10:59:59.999", 1),
    ] {
        assert_eq!(ids(&api.get(&format!("/transactions?{query}")).await).len(), found, "{query}");
    }
    for query in ["payment_operation=unscheduled_purchase", "payout_correlation_id=x", "amount=1&currency=NOK"] {
        assert_eq!(ids(&api.get(&format!("/transactions?{query}")).await), [""; 0], "{query}");
    }
    for query in ["created_at.gte=yesterday", "starting_after=T12345678.x", "limit=0", "status=PAID"] {
        let refused = api.refused(Method::GET, &format!("/transactions?{query}"), Value::Null).await;
        assert_eq!(refused.0, 400, "{query}");
    }
}

#[tokio::test]
async fn each_filter_of_sessions_finds_its_rows() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.stop_clock("2026-03-01T10:00:00Z".parse().unwrap());
    let api = Api::of(&sandbox).await;
    let a = session(&api, "a", 100, json!({ "store": { "id": "oslo" } })).await;
    let transaction = sandbox.customer_pays(&a).unwrap();
    sandbox.advance(Duration::from_secs(3600));
    let b = session(&api, "b", 100, json!({})).await;
    for query in [
        format!("id={a}"),
        format!("transaction_id={transaction}"),
        "store_id=oslo".into(),
        "created_at.lte=2026-03-01T10:30:00Z".into(),
        format!("search={transaction}"),
        format!("starting_after={b}"),
    ] {
        assert_eq!(ids(&api.get(&format!("/sessions?{query}")).await), [a.as_str()], "{query}");
    }
    let both = ids(&api.get(&format!("/sessions?id={a}&id={b}")).await);
    assert_eq!(both, [b.as_str(), a.as_str()]);
    assert_eq!(ids(&api.get("/sessions?created_at.gte=2026-03-01T10:30:00Z&limit=1").await), [b]);
}

#[tokio::test]
async fn pages_hold_ten_rows_unless_told_and_end_short() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    sandbox.seed_transactions(25);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut lengths = Vec::new();
    loop {
        let page = ids(&api.get(&format!("/transactions{cursor}")).await);
        lengths.push(page.len());
        cursor = format!("?starting_after={}", page.last().unwrap());
        let done = page.len() < 10;
        seen.extend(page);
        if done {
            break;
        }
    }
    assert_eq!(lengths, [10, 10, 5]);
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), 25);
}

#[tokio::test]
async fn a_seeded_row_is_a_transaction_like_any_other() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let prefix = sandbox.seed_transactions(100_000);
    let id = format!("{prefix}000000007");
    let row = api.get(&format!("/transactions/{id}")).await;
    assert_eq!((&row["amount"], &row["status"]), (&json!(1007), &json!("AUTHORIZED")));
    api.ok(Method::POST, &format!("/transactions/{id}/capture"), json!({ "amount": 1007 })).await;
    let page = api.get(&format!("/transactions?starting_after={prefix}000000009&limit=5")).await;
    let found = ids(&page);
    assert_eq!(found[0], format!("{prefix}000000008"));
    assert_eq!((&page[1]["id"], &page[1]["status"]), (&json!(id), &json!("CAPTURED")));
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_paged_from_first_to_last() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.forget_requests();
    let api = Api::of(&sandbox).await;
    sandbox.seed_sessions(100_000);
    let (mut count, mut cursor, mut amounts) = (0_usize, String::new(), 0_i64);
    loop {
        let page = api.get(&format!("/sessions?limit=100{cursor}")).await;
        let rows = page.as_array().unwrap();
        count += rows.len();
        amounts += rows.iter().map(|row| row["order"]["amount"].as_i64().unwrap()).sum::<i64>();
        let Some(last) = rows.last() else { break };
        cursor = format!("&starting_after={}", last["id"].as_str().unwrap());
    }
    assert_eq!(count, 100_000);
    assert_eq!(amounts, (0..100_000).map(|number| 1000 + number).sum::<i64>());
    assert!(sandbox.requests().is_empty());
}
