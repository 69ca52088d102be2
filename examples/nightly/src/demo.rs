//! A service and its orders, where there is no account: the sandbox, whose state is in a file and outlives the process
//! as that of the service would.

use std::path::Path;

use dintero::types::{CreateSessionFromProfile, Currency, Order as Purchase, SessionUrls};
use dintero::{Client, Credentials};
use dintero_sandbox::Sandbox;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;

use crate::{Failure, Order};

/// Starts the service of a folder.
///
/// # Errors
/// When its file cannot be used.
pub async fn service(folder: &Path) -> Result<Sandbox, Failure> {
    Ok(Sandbox::builder().state_file(folder.join("sandbox.sqlite")).keep_requests(0).start().await?)
}

/// The credentials for it.
///
/// # Errors
/// Never, with the account of the sandbox.
pub fn credentials(sandbox: &Sandbox) -> Result<Credentials, Failure> {
    Ok(Credentials::new(sandbox.account_id().parse()?, sandbox.client_id(), sandbox.client_secret()))
}

/// Has customers pay for so many orders, and gives the list of what is to be captured.
///
/// # Errors
/// When a session cannot be made or paid.
pub async fn customers(sandbox: &Sandbox, client: &Client, count: usize, bar: &ProgressBar) -> Result<String, Failure> {
    let paid = stream::iter(0..count).map(|number| async move {
        let (reference, amount) = (format!("order-{number}"), 10_000 + i64::try_from(number)?);
        let urls = SessionUrls::new("https://shop.example/thanks");
        let purchase = Purchase::new(amount, Currency::Nok, &reference);
        let session =
            client.sessions().create_from_profile(CreateSessionFromProfile::new("default", purchase, urls)).await?;
        let id = sandbox.customer_pays(&session.id)?.parse()?;
        bar.inc(1);
        Ok::<_, Failure>(Order { id, amount, reference: format!("{reference}-capture") }.line())
    });
    Ok(paid.buffered(20).try_collect::<Vec<_>>().await?.concat())
}

/// How many orders were captured exactly once, more than that, and not at all, by what the service has.
#[must_use]
pub fn count(sandbox: &Sandbox, orders: &[Order]) -> (usize, usize, usize) {
    let captured = |order: &Order| sandbox.sums(order.id.as_str()).map_or(0, |(captured, _)| captured);
    let once = orders.iter().filter(|order| captured(order) == order.amount).count();
    let never = orders.iter().filter(|order| captured(order) == 0).count();
    (once, orders.len() - once - never, never)
}
