//! A full run with every log level on: no secret, token, card token, e-mail or phone number in any `Debug`, any
//! `Display` or any log line.
//!
//! One test in a binary of its own, because it sets the logger of the process.

use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dintero::types::{CaptureRequest, CreateSessionFromProfile, PayRequest, TransactionInclude};
use dintero::{AccountId, Client, Credentials, Error, RetryPolicy, SystemHeaders, TransactionId};
use dintero_sandbox::{CustomerPayment, Fault, Operation, Sandbox};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "hunter2-secret";
const EMAIL: &str = "jane.doe@example.com";
const PHONE: &str = "+4798765432";
const CARD_TOKEN: &str = "card-token-7f3a91";
const SYSTEM: &str = "system-name-of-the-shop";

/// Everything that is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that is printed.
#[derive(Default)]
struct Printed(String);

impl Printed {
    fn debug(&mut self, value: &impl Debug) {
        write!(self.0, "{value:?}\n{value:#?}\n").unwrap();
    }

    /// An error, and its causes to the last.
    fn error(&mut self, error: &Error) {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(current) = cause {
            write!(self.0, "{current}\n{current:#}\n{current:?}\n{current:#?}\n").unwrap();
            cause = current.source();
        }
    }
}

fn session() -> CreateSessionFromProfile {
    let address = json!({"first_name": "Jane", "last_name": "Doe", "address_line": "Secret Street 1", "postal_code": "0001",
                         "postal_place": "Oslo", "country": "NO", "email": EMAIL, "phone_number": PHONE});
    serde_json::from_value(json!({
        "profile_id": "default",
        "url": {"return_url": "https://example.com/return"},
        "customer": {"email": EMAIL, "phone_number": PHONE},
        "order": {"amount": 100, "currency": "NOK", "merchant_reference": "m",
                  "shipping_address": address, "billing_address": address,
                  "items": [{"id": "x", "line_id": "1", "amount": 100, "quantity": 1, "vat": 25, "description": "A"}]},
    }))
    .unwrap()
}

/// Errors of every kind, each carrying a customer's data where it can.
fn faults() -> Vec<Fault> {
    let said = format!("{EMAIL} {PHONE} {CARD_TOKEN}");
    let body = |value: Value| value.to_string();
    vec![
        Fault::reset(),
        Fault::reset_unread(),
        Fault::truncated_body().after_executing(),
        Fault::wrong_length().after_executing(),
        Fault::garbage(),
        Fault::response(502, "text/html", format!("<html>{said}</html>")),
        Fault::response(
            400,
            "application/json",
            body(json!({"error": {"code": "E", "message": said, "errors": [said]}})),
        ),
        Fault::response(400, "application/json", body(json!({"error": {"code": said, "message": said}}))),
        Fault::response(403, "application/json", body(json!({"message": said})))
            .with_header("x-request-id", said.clone()),
        Fault::response(409, "application/json", body(json!({"error": said}))).with_header("x-customer", said.clone()),
        Fault::response(200, "application/json", body(json!({"amount": said, "currency": "NOK"}))),
        Fault::response(
            200,
            "application/json",
            body(json!({"amount": 1, "currency": "NOK", "events": [{"amount": said}]})),
        ),
        Fault::response(200, "application/json", body(json!([said]))),
        Fault::response(307, "text/plain", said.clone()).with_header("location", format!("/v1/{EMAIL}")),
        Fault::fails_with_correction(),
    ]
}

#[tokio::test]
async fn nothing_secret_is_printed_or_logged() {
    let lines = Lines::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).with_ansi(false).init();
    let mut printed = Printed::default();

    let sandbox = Sandbox::builder().credentials("the-client", SECRET).start().await.unwrap();
    let account = AccountId::new(sandbox.account_id()).unwrap();
    let credentials = Credentials::new(account.clone(), "the-client", SECRET);
    printed.debug(&credentials);
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    let builder = Client::builder(credentials)
        .base_url(sandbox.base_url())
        .auth_url(sandbox.auth_url())
        .system(SystemHeaders { name: Some(SYSTEM.into()), ..Default::default() })
        .retry(retry);
    printed.debug(&builder);
    let client = builder.build().unwrap();
    printed.debug(&client);
    printed.debug(&(client.sessions(), client.transactions()));
    let (sessions, transactions) = (client.sessions(), client.transactions());

    let request = session();
    printed.debug(&request);
    printed.debug(&sessions.create_from_profile(request.clone()));
    let created = sessions.create_from_profile(request.clone()).await.unwrap();
    let session_id = created.id.clone();
    printed.debug(&created);
    printed.debug(&*created);
    let payment = CustomerPayment::new().email(EMAIL).phone_number(PHONE);
    let id = TransactionId::new(sandbox.customer_pays_with(&session_id, payment).unwrap()).unwrap();
    let read = sessions.get(&session_id).await.unwrap();
    assert!(read.body().windows(EMAIL.len()).any(|part| part == EMAIL.as_bytes()), "the responses do hold the data");
    printed.debug(&read);
    printed.debug(&*read);

    sandbox.merge_into_response(
        Operation::GetTransaction,
        json!({"card": {"payment_token": CARD_TOKEN, "recurrence_token": CARD_TOKEN},
               "customer": {"email": EMAIL, "phone_number": PHONE}, "phone_number": PHONE}),
    );
    let read = transactions.get(&id).include(TransactionInclude::CardPaymentToken).await.unwrap();
    let card = read.card.clone().unwrap();
    assert_eq!(card.payment_token.as_deref(), Some(CARD_TOKEN));
    printed.debug(&read);
    printed.debug(&*read);
    let captured = transactions.capture(&id, CaptureRequest::new(10)).await.unwrap();
    printed.debug(&captured);
    printed.debug(&*captured);
    let list = || transactions.list().search(EMAIL);
    printed.debug(&list());
    printed.debug(&list().await.unwrap());

    let pay: PayRequest = serde_json::from_value(json!({
        "session": {"order": serde_json::to_value(&request.order).unwrap(),
                    "customer": {"email": EMAIL, "tokens": {"payex.creditcard": {"payment_token": CARD_TOKEN}}}},
        "payment": {"payment_product_type": "payex.creditcard", "operation": "unscheduled_purchase"},
    }))
    .unwrap();
    printed.debug(&pay);
    printed.debug(&*sessions.pay(pay.clone()).await.unwrap());

    for fault in faults() {
        sandbox.inject_times(Operation::CaptureTransaction, 1, fault.clone());
        sandbox.inject_times(Operation::GetTransaction, 3, fault.clone());
        sandbox.inject_times(Operation::ListTransactions, 3, fault.clone());
        sandbox.inject_times(Operation::PaySession, 1, fault);
        let mut failed = 0;
        let mut note = |error: Option<Error>| {
            if let Some(error) = error {
                failed += 1;
                printed.error(&error);
            }
        };
        note(transactions.capture(&id, CaptureRequest::new(1)).await.err());
        note(transactions.get(&id).await.err());
        note(list().await.err());
        note(sessions.pay(pay.clone()).await.err());
        assert!(failed > 0);
        sandbox.clear_faults();
    }
    // What is refused before sending, and wrong credentials.
    let bad = session();
    let mut value = serde_json::to_value(&bad).unwrap();
    value["order"]["shipping_address"]["phone_number"] = json!(EMAIL);
    let bad: CreateSessionFromProfile = serde_json::from_value(value).unwrap();
    printed.error(&sessions.create_from_profile(bad).await.unwrap_err());
    let wrong = Credentials::new(account, "the-client", format!("{SECRET}-wrong"));
    let wrong = Client::builder(wrong).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build().unwrap();
    printed.error(&wrong.transactions().get(&id).await.unwrap_err());

    let bearers: Vec<String> = sandbox
        .requests()
        .iter()
        .filter_map(|request| request.header("authorization")?.strip_prefix("Bearer ").map(str::to_owned))
        .collect();
    assert!(!bearers.is_empty());
    let basic = sandbox
        .requests()
        .iter()
        .find_map(|request| request.header("authorization")?.strip_prefix("Basic ").map(str::to_owned));
    let mut needles: Vec<String> = [SECRET, EMAIL, PHONE, &PHONE[1..], CARD_TOKEN, "jane.doe", "Secret Street"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    needles.extend(bearers);
    needles.extend(basic);
    // As it stands in a query, and as a list of bytes.
    needles.push("jane.doe%40example.com".into());
    needles.push(format!("{:?}", EMAIL.as_bytes()).trim_matches(['[', ']']).to_owned());
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for word in ["capture_transaction", "attempt ended", "TRACE", "DEBUG"] {
        assert!(logged.contains(word), "the log is on: {word}");
    }
    assert!(!logged.contains(SYSTEM), "no header values in the log");
    assert!(printed.0.contains("502") && printed.0.len() > 10_000, "something was printed");
    for needle in needles {
        for (place, text) in [("printed", &printed.0), ("logged", &logged)] {
            if let Some(at) = text.find(&needle) {
                let around: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{place}, after: {around}");
            }
        }
    }
}
