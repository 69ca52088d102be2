//! Takes the callbacks of a payment and captures it exactly once, although they come several times and together with
//! the customer's return.
//!
//! `cargo run -p dintero-stores --example callback_server` needs no account: the embedded sandbox plays the service and
//! its customer.

mod shop;

use std::time::Duration;

use dintero::callback::{CallbackUrl, SigningSecret, Verifier};
use dintero::store::Journal;
use dintero::{AccountId, Client, Credentials};
use dintero_sandbox::{Operation, Sandbox};
use dintero_stores::SqliteStore;
use serde_json::json;
use shop::Shop;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    // The service, which delivers every callback three times.
    let sandbox = Sandbox::start().await?;
    sandbox.duplicate_callbacks(2);

    // The shop.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let account: AccountId = sandbox.account_id().parse()?;
    let credentials = Credentials::new(account.clone(), sandbox.client_id(), sandbox.client_secret());
    let file = std::env::temp_dir().join(format!("callback-server-{}.sqlite", std::process::id()));
    let store = SqliteStore::new(deadpool_sqlite::Config::new(&file).create_pool(deadpool_sqlite::Runtime::Tokio1)?);
    // Safe at every start, by all processes of the shop.
    store.migrate().await.map_err(|error| error.to_string())?;
    let client = Client::builder(credentials)
        .base_url(sandbox.base_url())
        .auth_url(sandbox.auth_url())
        .journal(Journal::new(store))
        .build()?;
    let secret = sandbox.signature_secret().ok_or("the sandbox signs with a secret")?;
    let verifier = Verifier::builder(account, &base_url).secret(SigningSecret::new(secret)?).build()?;
    let shop = Shop::new(client.clone(), verifier, Duration::from_secs(45));
    // What an earlier process left unfinished, now and every so often.
    tokio::spawn(shop.inbox().recover_every(Duration::from_secs(10)));
    let router = shop::router(shop);
    tokio::spawn(async move { axum::serve(listener, router).await });

    // An order, whose callbacks are GETs, and of captures too.
    let callback_url = CallbackUrl::new(format!("{base_url}/callback?order=42"))
        .allow_loopback_http()
        .report_error()
        .report_event(dintero::callback::ReportedEvent::Capture)
        .build()?;
    let request = serde_json::from_value(json!({
        "profile_id": "default",
        "url": { "return_url": format!("{base_url}/return"), "callback_url": callback_url.as_str() },
        "order": {
            "amount": 29_990, "currency": "NOK", "merchant_reference": "order-42",
            "items": [{ "id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": 29_990 }],
        },
    }))?;
    let session = client.sessions().create_from_profile(request).await?;
    let session_id = &session.id;

    // The customer pays and is sent back while the callbacks arrive.
    let transaction = sandbox.customer_pays(session_id)?;
    let return_url = sandbox.return_url(session_id).ok_or("there is a return URL")?;
    // The customer's browser; it never uses TLS here, but cannot be made without.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "a provider was there before")?;
    let page = reqwest::get(return_url).await?.text().await?;
    sandbox.callbacks_delivered().await;
    println!("the customer reads: {page}");
    for callback in sandbox.callbacks() {
        let event = callback.url.query_pairs().find(|(name, _)| name == "event");
        let what = event.map_or_else(|| "payment".to_owned(), |(_, event)| event.into_owned());
        println!("{what}: responded with {:?}", callback.attempts.iter().flatten().collect::<Vec<_>>());
    }
    let captures = sandbox.executed(Operation::CaptureTransaction);
    let (captured, _) = sandbox.sums(&transaction).ok_or("there is a transaction")?;
    println!("{captures} capture, {captured} minor units");
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    if captures == 1 { Ok(()) } else { Err("captured more or less than once".into()) }
}
