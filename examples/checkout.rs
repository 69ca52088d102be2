//! A purchase from end to end: token, session, payment, two captures, a refund, and the account of it.
//!
//! ```text
//! cargo run --example checkout
//! ```
//!
//! runs in the embedded sandbox, with no account and no network. With `DINTERO_ACCOUNT_ID`,
//! `DINTERO_CLIENT_ID` and `DINTERO_CLIENT_SECRET` in the environment it makes the session at Dintero
//! itself and ends with the address where the customer would pay; a live account (`P...`) is refused
//! unless `--live` is given.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use dintero::types::{
    CaptureRequest, CreateSessionFromProfile, Currency, Order, OrderItem, RefundRequest, SessionUrls, ShippingOption,
    Transaction,
};
use dintero::{Client, Credentials, Environment, SessionId, SessionToggle, TransactionId, Verdict};
use dintero_sandbox::Sandbox;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Amounts are in minor units: 299.90 NOK and 39.00 NOK.
const CHAIR: i64 = 29_990;
const PICK_UP: i64 = 3_900;
/// What the customer gets back for the scratch.
const SCRATCH: i64 = 10_000;

/// Any of these says that the environment is meant to be used.
const VARIABLES: [&str; 3] = ["DINTERO_ACCOUNT_ID", "DINTERO_CLIENT_ID", "DINTERO_CLIENT_SECRET"];

#[tokio::main]
async fn main() -> ExitCode {
    let live = std::env::args().any(|argument| argument == "--live");
    let given = VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
    let mut out = std::io::stdout();
    let outcome = if given { at_dintero(live, &mut out).await } else { in_sandbox(&mut out).await };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
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

async fn at_dintero(live: bool, out: &mut impl Write) -> Outcome<()> {
    let client = Client::builder(Credentials::from_env()?).build()?;
    up_to_payment(&client, live, out).await
}

/// As far as a program gets without a customer.
pub(crate) async fn up_to_payment(client: &Client, live: bool, out: &mut impl Write) -> Outcome<()> {
    if client.environment() == Environment::Live && !live {
        return Err(format!("{} is a live account: give --live to use it all the same", client.account()).into());
    }
    let (_, url) = create_session(client).await?;
    writeln!(out, "the customer pays at {url}")?;
    Ok(())
}

/// In the embedded sandbox, where the program plays the customer.
pub(crate) async fn in_sandbox(out: &mut impl Write) -> Outcome<()> {
    let sandbox = Sandbox::start().await?;
    let credentials = Credentials::new(sandbox.account_id().parse()?, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;
    purchase(&client, &sandbox, out).await
}

/// The whole of it.
pub(crate) async fn purchase(client: &Client, sandbox: &Sandbox, out: &mut impl Write) -> Outcome<()> {
    let (session, url) = create_session(client).await?;
    writeln!(out, "session     {session}\npayment at  {url}")?;
    let transaction: TransactionId = sandbox.customer_pays(session.as_str())?.parse()?;
    writeln!(out, "transaction {transaction}\n")?;

    // The chair leaves the shop first; its pick-up is captured as it is picked up. The shipping option is a
    // line of the transaction like the others, and forgotten as easily.
    capture(client, &transaction, "chair-1", "1", CHAIR).await?;
    capture(client, &transaction, "pick-up-1", "pick-up", PICK_UP).await?;

    let refund =
        RefundRequest::new(SCRATCH).refund_reference("scratch-1").reason("a scratch").items([line("1", SCRATCH)]);
    let refunded = client.transactions().refund(&transaction, refund).await?;
    completed(&refunded)?;

    let transaction = client.transactions().get(&transaction).await?;
    account(&transaction, out)
}

/// A chair and its pick-up; gives the session's id and the address where the customer pays.
async fn create_session(client: &Client) -> Outcome<(SessionId, String)> {
    let chair = line("1", CHAIR).id("chair").description("Chair").quantity(1).vat(25).vat_amount(5_998);
    let pick_up = ShippingOption::builder()
        .id("bring-pick-up")
        .line_id("pick-up")
        .amount(PICK_UP)
        .title("Pick-up at your post office")
        .operator("Bring")
        .build()
        .vat(25)
        .vat_amount(780);
    let order = Order::new(CHAIR + PICK_UP, Currency::Nok, "order-1001").items([chair]).shipping_option(pick_up);
    let urls = SessionUrls::new("https://example.com/thanks");
    let request = CreateSessionFromProfile::new("default", order, urls);
    // With this toggle the service refuses an order whose amount is not the sum of its lines and its shipping.
    let request = client.sessions().create_from_profile(request).toggles([SessionToggle::StrictSessionAmounts]);
    let created = request.await?.into_inner();
    Ok((created.id, created.url))
}

async fn capture(client: &Client, id: &TransactionId, reference: &str, line_id: &str, amount: i64) -> Outcome<()> {
    let request = CaptureRequest::new(amount).capture_reference(reference).items([line(line_id, amount)]);
    let captured = client.transactions().capture(id, request).await?;
    completed(&captured)
}

/// A capture or refund may be done or still under way. Under way is no failure, and never a reason to send it
/// again; the sandbox has it done, unless it is told otherwise.
fn completed(verdict: &Verdict) -> Outcome<()> {
    if verdict.is_completed() { Ok(()) } else { Err("the operation is still under way".into()) }
}

fn line(line_id: &str, amount: i64) -> OrderItem {
    OrderItem::new().line_id(line_id).amount(amount)
}

/// What happened to a transaction, and what it comes to.
fn account(transaction: &Transaction, out: &mut impl Write) -> Outcome<()> {
    let currency = transaction.currency.as_str();
    writeln!(out, "{:<12} {:<22} {:>12} {currency}  reference", "event", "status after it", "amount")?;
    for event in &transaction.events {
        let name = event.event.as_ref().map_or("?", |name| name.as_str());
        let status = event.transaction_status.as_ref().map_or("?", |status| status.as_str());
        let amount = event.amount.map_or_else(String::new, money);
        let reference = event.event_reference.as_deref().unwrap_or_default();
        let failed = if event.success == Some(false) { " (failed)" } else { "" };
        writeln!(out, "{name:<12} {status:<22} {amount:>12} {currency}  {reference}{failed}")?;
    }
    writeln!(out)?;
    // `amount` of a transaction is always what was ordered: what moved is told by its events.
    for (what, amount) in [
        ("ordered", transaction.amount),
        ("captured", transaction.captured()?),
        ("refunded", transaction.refunded()?),
        ("left to capture", transaction.remaining_to_capture()?),
        ("left to refund", transaction.remaining_to_refund()?),
    ] {
        writeln!(out, "{what:<16} {:>12} {currency}", money(amount))?;
    }
    Ok(())
}

/// Minor units in a currency with two decimals.
fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}
