//! Captures a list of orders: so many at a time, as fast as the service allows, each exactly once, however often the
//! process dies.
//!
//! The journal does two things. A money call made `once` is noted before it is sent, so that after a `kill -9` it is
//! looked for and not sent again. The order as a whole is work of the journal too: one that has ended costs the next run
//! a look into the file, and no request.

pub mod demo;

use std::path::Path;
use std::time::Duration;

use dintero::store::{Journal, Once, OnceError, Work};
use dintero::types::CaptureRequest;
use dintero::{Client, Error, ErrorKind, Outcome, Pace, TransactionId};
use dintero_stores::SqliteStore;
use futures_util::{StreamExt as _, stream};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use tokio::time::{interval, sleep};

/// Any failure of the program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long the orders of a dead process stay with it.
const LEASE: Duration = Duration::from_secs(3);
/// How often an order that ended in a transient error, or that nothing is known of yet, is tried in one run.
const TRIES: u32 = 5;
/// The wait before it is tried again, unless the service asks for another.
const PAUSE: Duration = Duration::from_secs(2);

/// An order to be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The transaction that pays for it.
    pub id: TransactionId,
    /// The amount, in minor units.
    pub amount: i64,
    /// The reference of the capture: of this capture alone, and the same in every run.
    pub reference: String,
}

impl Order {
    /// Reads a list: a line for each order, with the transaction's id, the amount and the reference.
    ///
    /// # Errors
    /// When a line is not of this form. Nothing is captured of a list that cannot be read to its end.
    pub fn list(text: &str) -> Result<Vec<Self>, Failure> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(at, line)| Self::read(line).map_err(|what| format!("line {}: {what}", at + 1).into())).collect()
    }

    fn read(line: &str) -> Result<Self, Failure> {
        let mut fields = line.splitn(3, ',').map(str::trim);
        let mut field = || fields.next().filter(|field| !field.is_empty()).ok_or("id,amount,reference is expected");
        let (id, amount, reference) = (field()?.parse()?, field()?.parse()?, field()?.to_owned());
        Ok(Self { id, amount, reference })
    }

    /// The order as a line of a list.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{},{},{}\n", self.id, self.amount, self.reference)
    }
}

/// How an order ended. Kept in the journal, so that a later run knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It is captured.
    Captured,
    /// It is not, and the service will not: the reason.
    Refused(String),
}

/// Why an order has not ended: it is asked for again.
#[derive(Debug)]
enum Open {
    Error(Error),
    /// Accepted, and not finished when its time was up.
    UnderWay,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Captured in this run, or found captured.
    pub captured: usize,
    /// Ended in an earlier run.
    pub before: usize,
    /// Refused in this run or an earlier one, with the reasons.
    pub refused: Vec<(String, String)>,
    /// Neither: the next run goes on with these.
    pub left: Vec<(String, Failure)>,
}

/// A batch of captures.
#[derive(Debug)]
pub struct Batch {
    client: Client,
    pace: Pace,
    at_once: usize,
    settle: Option<Duration>,
}

/// Opens the journal in a file, and makes it where there is none.
///
/// # Errors
/// When the file cannot be used.
pub async fn journal(file: &Path) -> Result<Journal, Failure> {
    let pool = deadpool_sqlite::Config::new(file).create_pool(deadpool_sqlite::Runtime::Tokio1)?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(Journal::new(store).lease(LEASE))
}

impl Batch {
    /// Makes a batch over a client, which has the journal and the pace.
    #[must_use]
    pub fn new(client: Client, pace: Pace, at_once: usize) -> Self {
        Self { client, pace, at_once: at_once.max(1), settle: None }
    }

    /// Sets how long a lost request may still arrive, see [`PollOptions::settle`](dintero::PollOptions::settle).
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }

    /// Captures the orders.
    ///
    /// # Errors
    /// What would stop every order alike: credentials that are refused, a journal that cannot be written.
    pub async fn run(&self, orders: &[Order], bar: &ProgressBar) -> Result<Summary, Failure> {
        let mut summary = Summary::default();
        let one = |order: &Order| {
            let order = order.clone();
            async move { (order.reference.clone(), self.one(&order).await) }
        };
        let mut all = stream::iter(orders).map(one).buffer_unordered(self.at_once);
        let mut tick = interval(Duration::from_millis(250));
        loop {
            let (reference, ended) = tokio::select! {
                next = all.next() => match next {
                    Some(ended) => ended,
                    None => return Ok(summary),
                },
                _ = tick.tick() => {
                    let pause = self.pace.paused_for().map(|left| format!("paused for {} s by the service", left.as_secs()));
                    bar.set_message(pause.unwrap_or_default());
                    continue;
                }
            };
            bar.inc(1);
            match ended {
                Ok(Once::Done(Ended::Captured)) => summary.captured += 1,
                Ok(Once::Already(Ended::Captured)) => summary.before += 1,
                Ok(Once::Done(Ended::Refused(why)) | Once::Already(Ended::Refused(why))) => {
                    summary.refused.push((reference, why));
                }
                Ok(_) => summary.left.push((reference, "another process has it".into())),
                Err(OnceError::Work(Open::Error(error))) if is_of_all(&error) => return Err(error.into()),
                Err(OnceError::Work(Open::Error(error))) => summary.left.push((reference, error.into())),
                Err(OnceError::Work(Open::UnderWay)) => summary.left.push((reference, "it is under way".into())),
                Err(OnceError::Store(cause) | OnceError::NotNoted(cause)) => return Err(cause),
                Err(_) => return Err("the journal failed".into()),
            }
        }
    }

    /// Captures one order, unless it has ended before.
    async fn one(&self, order: &Order) -> Result<Once<Ended>, OnceError<Open>> {
        let work = Work::action(&format!("capture {}", order.reference), &order.id);
        let mut tries = 0;
        loop {
            let ended = self.client.journal().once(&work, self.capture(order)).await;
            tries += 1;
            match &ended {
                // A process that died a moment ago has it until its lease is over.
                Ok(Once::InProgress) if tries < TRIES => sleep(LEASE).await,
                Err(OnceError::Work(Open::Error(error))) if tries < TRIES && may_pass(error) => {
                    sleep(error.retry_after().unwrap_or(PAUSE)).await;
                }
                Err(OnceError::Work(Open::UnderWay)) if tries < TRIES => sleep(PAUSE).await,
                _ => return ended,
            }
        }
    }

    async fn capture(&self, order: &Order) -> Result<Ended, Open> {
        let request = CaptureRequest::new(order.amount).capture_reference(&order.reference);
        let mut call = self.client.transactions().capture(&order.id, request).once();
        if let Some(settle) = self.settle {
            call = call.settle(settle);
        }
        match call.await {
            Ok(verdict) if verdict.outcome() == Outcome::Completed => Ok(Ended::Captured),
            Ok(_) => Err(Open::UnderWay),
            // The service has looked at the order and said no.
            Err(error) if error.outcome() == Outcome::Rejected && !is_of_all(&error) => {
                Ok(Ended::Refused(error.to_string()))
            }
            Err(error) => Err(Open::Error(error)),
        }
    }
}

/// An error that every other order would meet too.
fn is_of_all(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Token | ErrorKind::Certificate)
        || error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403))
}

/// One that may be gone in a moment. A call made once is safe to be asked for again whatever became of it.
fn may_pass(error: &Error) -> bool {
    error.is_retryable() || matches!(error.outcome(), Outcome::Unknown | Outcome::NotReceived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_is_written_and_a_bad_line_is_named() {
        let order = Order { id: "T12345678.a".parse().unwrap(), amount: 29_990, reference: "order-1, part 2".into() };
        assert_eq!(Order::list(&(order.line() + "\n" + &order.line())).unwrap(), [order.clone(), order.clone()]);
        for bad in ["T12345678.a,1", "T12345678.a,1.5,a", "hello,1,a", "T12345678.a,1,"] {
            let error = Order::list(&format!("{}{bad}", order.line())).unwrap_err().to_string();
            assert!(error.starts_with("line 2: "), "{error}");
        }
    }
}
