//! Two reckonings of the same money: the sandbox's ledger and the client's sums of events, after
//! every step of many random lives of a transaction.

use dintero::types::{AuthorizationRequest, CaptureRequest, CreateSessionFromProfile, RefundRequest, Transaction};
use dintero::{Client, Credentials, TransactionId};
use dintero_sandbox::{CustomerPayment, Fault, Operation, Sandbox};
use serde_json::json;

const CAPTURE: Operation = Operation::CaptureTransaction;
const REFUND: Operation = Operation::RefundTransaction;

async fn pay(client: &Client, sandbox: &Sandbox, payment: CustomerPayment) -> TransactionId {
    let request: CreateSessionFromProfile = serde_json::from_value(json!({
        "profile_id": "default",
        "url": { "return_url": "https://example.com/return" },
        "order": { "amount": 1000, "currency": "NOK", "merchant_reference": "r" },
    }))
    .unwrap();
    let created = client.sessions().create_from_profile(request).await.unwrap();
    sandbox.customer_pays_with(&created.id, payment).unwrap().parse().unwrap()
}

/// One random step; whether it is refused is no matter here.
async fn step(client: &Client, sandbox: &Sandbox, id: &TransactionId, random: &mut fastrand::Rng) -> &'static str {
    let calls = client.transactions();
    let amount = random.i64(1..600);
    let fault = match random.u8(0..6) {
        0 => Some(Fault::fails_with_correction()),
        1 => Some(Fault::accepted()),
        2 => Some(Fault::accepted().failing()),
        _ => None,
    };
    match random.u8(0..10) {
        0..5 => {
            fault.into_iter().for_each(|fault| sandbox.inject(CAPTURE, fault));
            let last = random.u8(0..8) == 0;
            let request = CaptureRequest::new(amount).final_capture(last);
            let _ = calls.capture(id, request).await;
            "capture"
        }
        5..8 => {
            fault.into_iter().for_each(|fault| sandbox.inject(REFUND, fault));
            let _ = calls.refund(id, RefundRequest::new(amount)).await;
            "refund"
        }
        8 => {
            let _ = calls.void(id).await;
            "void"
        }
        _ => {
            let request = AuthorizationRequest::new().amount(amount + 600);
            let _ = calls.update_authorization(id, request).await;
            "authorization"
        }
    }
}

#[tokio::test]
async fn the_client_and_the_sandbox_come_to_the_same_sums() {
    let sandbox = Sandbox::start().await.unwrap();
    let credentials =
        Credentials::new(sandbox.account_id().parse().unwrap(), sandbox.client_id(), sandbox.client_secret());
    let client =
        Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build().unwrap();
    let mut moved = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let payment = match random.u8(0..8) {
            0 => CustomerPayment::new().declined(),
            1 => CustomerPayment::new().on_hold(),
            2 => CustomerPayment::new().with("swish.swish"),
            _ => CustomerPayment::new(),
        };
        let id = pay(&client, &sandbox, payment).await;
        let mut life = Vec::new();
        for _ in 0..8 {
            life.push(step(&client, &sandbox, &id, &mut random).await);
            sandbox.clear_faults();
            sandbox.settle_accepted();
            let read: Transaction = client.transactions().get(&id).await.unwrap().into_inner();
            let sums = (read.captured().unwrap(), read.refunded().unwrap());
            let left = (read.remaining_to_capture().unwrap(), read.remaining_to_refund().unwrap());
            let at = || format!("seed {seed} {:?} after {life:?}", read.status);
            assert_eq!(Some(sums), sandbox.sums(id.as_str()), "{}", at());
            assert_eq!(Some(left), sandbox.remaining(id.as_str()), "{}", at());
            moved += i32::from(sums.0 > 0) + i32::from(sums.1 > 0);
        }
    }
    assert!(moved > 200, "too little happened to prove anything: {moved}");
}
