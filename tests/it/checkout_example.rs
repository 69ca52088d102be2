//! The checkout example: that it runs to its end, what it sends, and what it refuses.

#[allow(dead_code, reason = "its main is run by hand")]
#[path = "../../examples/checkout.rs"]
mod checkout;

use dintero::{Client, Credentials};
use dintero_sandbox::{Operation, Sandbox};

#[tokio::test]
async fn it_runs_without_an_account_and_ends_with_the_sums() {
    let mut out = Vec::new();
    checkout::in_sandbox(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let amount_of = |what: &str| {
        let line = out.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("no {what} in\n{out}"));
        line.split_whitespace().rev().nth(1).unwrap().to_owned()
    };
    assert_eq!(amount_of("ordered"), "338.90");
    assert_eq!(amount_of("captured"), "338.90");
    assert_eq!(amount_of("refunded"), "100.00");
    assert_eq!(amount_of("left to capture"), "0.00");
    assert_eq!(amount_of("left to refund"), "238.90");
    let events: Vec<_> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for (event, times) in [("AUTHORIZE", 1), ("CAPTURE", 2), ("REFUND", 1)] {
        assert_eq!(events.iter().filter(|name| **name == event).count(), times, "{event}");
    }
}

fn client(sandbox: &Sandbox) -> Client {
    let credentials =
        Credentials::new(sandbox.account_id().parse().unwrap(), sandbox.client_id(), sandbox.client_secret());
    Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build().unwrap()
}

#[tokio::test]
async fn with_an_account_it_goes_up_to_the_payment() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    checkout::up_to_payment(&client(&sandbox), false, &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains("/view/T12345678."));
    assert_eq!(sandbox.executions().len(), 1);
}

#[tokio::test]
async fn a_live_account_is_refused_before_anything_is_sent_unless_it_is_meant() {
    let sandbox = Sandbox::builder().account_id("P12345678").start().await.unwrap();
    let client = client(&sandbox);
    let mut out = Vec::new();
    let refusal = checkout::up_to_payment(&client, false, &mut out).await.unwrap_err().to_string();
    assert!(refusal.contains("P12345678") && refusal.contains("--live"), "{refusal}");
    assert!(out.is_empty() && sandbox.requests().is_empty());
    checkout::up_to_payment(&client, true, &mut out).await.unwrap();
    assert!(!out.is_empty());
}

#[tokio::test]
async fn what_it_sends_is_all_in_the_published_interface() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    checkout::purchase(&client(&sandbox), &sandbox, &mut out).await.unwrap();
    assert_eq!(sandbox.unknown_fields(), []);
    let request = sandbox.last_request(Operation::CreateSessionFromProfile).unwrap();
    assert_eq!(request.header("dintero-feature-toggles"), Some("strict-session-amounts"));
    assert_eq!(sandbox.received(Operation::Token), 1);
    assert_eq!(sandbox.executed(Operation::CaptureTransaction), 2);
    assert_eq!(sandbox.executed(Operation::RefundTransaction), 1);
}
