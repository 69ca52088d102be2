//! A small program, for its size: reads a transaction with the client.

use dintero::{Client, Credentials, TransactionId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(Credentials::from_env()?)?;
    let id: TransactionId = std::env::args().nth(1).ok_or("an id is expected")?.parse()?;
    let transaction = client.transactions().get(&id).await?;
    println!("{} {:?}", transaction.amount, transaction.status);
    Ok(())
}
