//! Captures a night's orders.
//!
//! ```text
//! cargo run --release --package dintero-example-nightly -- --rate 200
//! ```
//!
//! runs against the embedded sandbox, with no account and no network, on 10,000 orders that it makes first. Kill it
//! (`kill -9`) and run it again: it goes on where it was, and captures nothing twice. With `DINTERO_ACCOUNT_ID`,
//! `DINTERO_CLIENT_ID` and `DINTERO_CLIENT_SECRET` in the environment it captures the orders of `--list` at Dintero; a
//! live account (`P...`) is refused unless `--live` is given.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use dintero::{Client, Credentials, Environment, Pace};
use dintero_example_nightly::{Batch, Failure, Order, demo, journal};
use indicatif::{ProgressBar, ProgressStyle};

/// Captures a list of orders, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "nightly")]
struct Options {
    /// The orders: a line for each with the transaction's id, the amount in minor units, and the capture's reference.
    #[arg(long)]
    list: Option<PathBuf>,
    /// Where the journal is kept, and without an account the sandbox.
    #[arg(long, default_value = "target/nightly")]
    folder: PathBuf,
    /// Without an account: how many orders are made for it.
    #[arg(long, default_value_t = 10_000)]
    orders: usize,
    /// How many are captured at a time.
    #[arg(long, default_value_t = 20)]
    at_once: usize,
    /// The most requests a second; an order takes two or three. Without it, only the service's 429 sets the pace.
    #[arg(long)]
    rate: Option<u32>,
    /// How many seconds a call may take.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// How many seconds a lost request may still arrive; a minute or more unless set.
    #[arg(long)]
    settle: Option<u64>,
    /// Captures at a live account.
    #[arg(long)]
    live: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<bool, Failure> {
    std::fs::create_dir_all(&options.folder)?;
    let journal = journal(&options.folder.join("journal.sqlite")).await?;
    let pace = options.rate.map_or_else(Pace::unlimited, Pace::per_second);
    let timeout = Duration::from_secs(options.timeout);
    let paced = |credentials: Credentials| {
        Client::builder(credentials).timeout(timeout).pace(pace.clone()).journal(journal.clone())
    };
    let settle = options.settle.map(Duration::from_secs);

    if std::env::var_os("DINTERO_ACCOUNT_ID").is_some() {
        let client = paced(Credentials::from_env()?).build()?;
        if client.environment() == Environment::Live && !options.live {
            return Err("this account is live: captures there move money. Give --live if that is meant".into());
        }
        let list = options.list.as_deref().ok_or("name the orders with --list")?;
        let orders = Order::list(&std::fs::read_to_string(list)?)?;
        return capture(client, pace, &orders, &options, settle).await;
    }

    let sandbox = demo::service(&options.folder).await?;
    let credentials = demo::credentials(&sandbox)?;
    let client = paced(credentials.clone()).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;
    let list = options.folder.join("orders.csv");
    if !list.exists() {
        let bar = bar(options.orders, "paying")?;
        let customers =
            Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;
        let orders = demo::customers(&sandbox, &customers, options.orders, &bar).await?;
        bar.finish_and_clear();
        // Complete or not there, whenever this process dies.
        let unfinished = options.folder.join("orders.unfinished");
        std::fs::write(&unfinished, orders)?;
        std::fs::rename(unfinished, &list)?;
    }
    let orders = Order::list(&std::fs::read_to_string(list)?)?;
    // Nothing between here and the sandbox holds a request.
    let done = capture(client, pace, &orders, &options, settle.or(Some(Duration::from_secs(1)))).await?;
    let (once, twice, never) = demo::count(&sandbox, &orders);
    println!("at the sandbox: captured exactly once {once}, otherwise {twice}, not at all {never}");
    Ok(done && once == orders.len())
}

async fn capture(
    client: Client,
    pace: Pace,
    orders: &[Order],
    options: &Options,
    settle: Option<Duration>,
) -> Result<bool, Failure> {
    let mut batch = Batch::new(client, pace, options.at_once);
    if let Some(settle) = settle {
        batch = batch.settle(settle);
    }
    let bar = bar(orders.len(), "capturing")?;
    let summary = batch.run(orders, &bar).await?;
    bar.finish_and_clear();
    for (reference, why) in &summary.refused {
        println!("refused: {reference}: {why}");
    }
    for (reference, why) in &summary.left {
        println!("left for the next run: {reference}: {why}");
    }
    let (refused, left) = (summary.refused.len(), summary.left.len());
    println!("captured {}, ended before {}, refused {refused}, left {left}", summary.captured, summary.before);
    Ok(left == 0 && refused == 0)
}

fn bar(length: usize, what: &'static str) -> Result<ProgressBar, Failure> {
    let style = "{prefix} {wide_bar} {pos}/{len} {per_sec} {eta} {msg}";
    let bar =
        ProgressBar::new(u64::try_from(length)?).with_style(ProgressStyle::with_template(style)?).with_prefix(what);
    Ok(bar)
}
