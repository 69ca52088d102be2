//! A small program, for its size: reads a transaction with reqwest.

use serde::Deserialize;

#[derive(Deserialize)]
struct Transaction {
    amount: i64,
    status: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let token = std::env::var("TOKEN")?;
    let id = std::env::args().nth(1).ok_or("an id is expected")?;
    let address = format!("https://checkout.dintero.com/v1/transactions/{id}");
    let response = reqwest::Client::builder().build()?.get(address).bearer_auth(token).send().await?;
    let transaction: Transaction = response.error_for_status()?.json().await?;
    println!("{} {:?}", transaction.amount, transaction.status);
    Ok(())
}
