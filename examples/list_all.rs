//! Reads a list of 100,000 transactions to its end and prints what it took: `cargo run --example list_all`.
//!
//! One page is held at a time, so the peak does not grow with the list: compare it after a tenth of the rows and at
//! the end. It includes the sandbox, which runs in the same process and makes its rows as they are asked for.

use std::error::Error;
use std::time::Instant;

use dintero::{AccountId, Client, Credentials};
use dintero_sandbox::Sandbox;
use futures_util::TryStreamExt;

const ROWS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    sandbox.forget_requests();
    sandbox.seed_transactions(ROWS);
    let credentials =
        Credentials::new(AccountId::new(sandbox.account_id())?, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;

    let began = Instant::now();
    let mut rows = client.transactions().list().rows();
    let (mut count, mut sum) = (0_usize, 0_i64);
    while let Some(row) = rows.try_next().await? {
        count += 1;
        sum = sum.checked_add(row.amount).ok_or("the sum is too large")?;
        if count == ROWS / 10 || count == ROWS {
            println!("{count} rows, sum {sum}, {:.1?}, peak memory {}", began.elapsed(), peak());
        }
    }
    if count == ROWS { Ok(()) } else { Err(format!("{count} rows instead of {ROWS}").into()) }
}

/// The most memory that the process has had resident, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not told by this system".to_owned(), |peak| peak.trim().to_owned())
}
