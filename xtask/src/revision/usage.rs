//! Uses what the scripted revision adds, over a real socket.

#[allow(dead_code, unused_imports)]
#[path = "it/support/mod.rs"]
mod support;

use dintero::types::{CaptureRequest, HoldRequest, SessionToggle, TransactionStatus};
use dintero::{Operation, TransactionId};
use serde_json::json;
use support::{Reply, Server};

#[tokio::test]
async fn all_that_was_added_can_be_used() {
    let server = Server::start(|seen| {
        let one = json!({
            "id": "T12345678.abc", "amount": 1, "currency": "NOK", "status": "FROZEN", "settled_by": "till 7",
        });
        match seen.target.as_str() {
            token if token.ends_with("/auth/token") => Reply::token("t0", 14_400),
            list if list.starts_with("/v1/transactions?") => Reply::Json(200, json!([one])),
            _ => Reply::Json(200, one),
        }
    })
    .await;
    let client = server.builder().session_toggles([SessionToggle::StrictShipping]).build().unwrap();
    let transactions = client.transactions();
    let id = TransactionId::new("T12345678.abc").unwrap();
    let last = || server.calls().pop().unwrap();

    let page = transactions.list().terminal_id(["a", "b"]).await.unwrap();
    assert_eq!(last().target, "/v1/transactions?terminal_id=a&terminal_id=b");
    let row = page[0].as_ref().unwrap();
    assert_eq!((row.status.as_ref(), row.settled_by.as_deref()), (Some(&TransactionStatus::Frozen), Some("till 7")));

    let mut capture = CaptureRequest::new(1);
    capture.parcel_id = Some("p-1".into());
    drop(transactions.capture(&id, capture).await);
    assert_eq!(last().json()["parcel_id"], "p-1");

    let hold: HoldRequest = serde_json::from_value(json!({ "reason": "stock" })).unwrap();
    let held = transactions.hold(&id, hold).await.unwrap();
    assert_eq!(held.settled_by.as_deref(), Some("till 7"));
    let seen = last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1/transactions/T12345678.abc/hold"));
    assert_eq!(seen.json(), json!({ "reason": "stock" }));
    assert_eq!(Operation::from_id("hold_transaction"), Some(Operation::HoldTransaction));
    assert!(!Operation::HoldTransaction.only_reads());
    assert!(Operation::CreateSessionFromProfile.toggles().contains(&"strict-shipping"));
}
