//! One process of the shop, which may abort at a named point: before or after any step of its store.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use dintero::callback::{SigningSecret, Verifier};
use dintero::store::protocol::Content;
use dintero::store::{Change, Changed, Journal, Record, Store, StoreFuture};
use dintero::{AccountId, Client, Credentials};

use crate::shop::{self, Shop};
use crate::{Failure, support};

/// How long the work of a dead worker stays with it.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// The sandbox carries a request out as it comes, however busy the machine is.
const SETTLE: Duration = Duration::from_secs(15);

pub(crate) async fn run() -> Result<(), Failure> {
    let value = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let points = Points {
        store: support::store_at(&value("STORE")?, &value("STORE_ADDRESS")?).await,
        rate: value("POINTS")?.parse()?,
        file: value("POINTS_FILE")?,
    };
    let account: AccountId = value("ACCOUNT")?.parse()?;
    let credentials = Credentials::new(account.clone(), value("CLIENT_ID")?, value("CLIENT_SECRET")?);
    let client = Client::builder(credentials)
        .base_url(value("BASE_URL")?)
        .auth_url(value("AUTH_URL")?)
        .user_agent(format!("worker-{}", value("SLOT")?))
        .timeout(Duration::from_secs(2))
        .journal(Journal::new(points).lease(LEASE))
        .build()?;
    let secret = SigningSecret::new(value("SIGNATURE_SECRET")?)?;
    let verifier = Verifier::builder(account, "http://127.0.0.1").secret(secret).build()?;
    let shop = Shop::new(client, verifier, SETTLE);
    // The port is free as soon as the kernel has noticed that the last worker is dead.
    let listener = loop {
        match tokio::net::TcpListener::bind(("127.0.0.1", value("PORT")?.parse()?)).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    // From now on it may be killed.
    println!();
    tokio::spawn(shop.inbox().recover_every(Duration::from_millis(500)));
    Ok(axum::serve(listener, shop::router(shop)).await?)
}

/// A store at whose steps the process may abort, before or after they are made.
struct Points {
    store: Arc<dyn Store>,
    rate: f64,
    file: String,
}

impl Points {
    fn point(&self, name: &str, when: &str) {
        if fastrand::f64() < self.rate {
            let kind = name.split('/').next().unwrap_or_default();
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.file);
            drop(file.and_then(|mut file| file.write_all(format!("{kind} {when}\n").as_bytes())));
            std::process::abort();
        }
    }
}

impl Store for Points {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.store.load(name)
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        let (before, after) = match (change.done, change.lasts.is_zero(), Content::read(change.data).note) {
            (true, _, _) => ("before the note", "after the note"),
            (false, true, _) => ("before the release", "after the release"),
            (false, false, Some(_)) => ("before the attempt", "before the send"),
            (false, false, None) => ("before the claim", "after the claim"),
        };
        Box::pin(async move {
            self.point(change.name, before);
            let changed = self.store.change(change).await;
            self.point(change.name, after);
            changed
        })
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        self.store.remove(name, fence)
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        self.store.left_open(prefix, limit)
    }
}
