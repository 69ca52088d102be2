//! How many of 10,000 captures end in an unknown outcome, where the server closes connections that wait just as the next
//! request leaves.

use std::time::Duration;

use dintero::types::CaptureRequest;
use dintero::{Outcome, TransactionId};
use tokio::task::JoinSet;

use crate::bare::Bare;
use crate::server::{Idle, Service, base};
use crate::{Failure, Row, client, response};

/// How many captures are under way at a time.
const WORKERS: usize = 20;
/// The time between the captures of one worker, and the time after which a connection is closed, in milliseconds.
const PAUSE: std::ops::Range<u64> = 5..25;

#[derive(Clone)]
enum Who {
    Ours(Box<(dintero::Client, TransactionId)>),
    Bare(Bare),
}

impl Who {
    /// Whether it is unknown what became of a capture.
    async fn is_unknown(&self) -> bool {
        match self {
            Self::Ours(ours) => {
                let request = CaptureRequest::new(response::AMOUNT);
                let made = ours.0.transactions().capture(&ours.1, request).await;
                made.is_err_and(|error| error.outcome() == Outcome::Unknown)
            }
            // Only a connection that was not made is known not to have carried it.
            Self::Bare(bare) => bare.capture().await.is_err_and(|error| !error.is_connect()),
        }
    }

    async fn unknown_of(&self, count: usize) -> f64 {
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let who = self.clone();
            workers.spawn(async move {
                let mut unknown = 0_usize;
                for _ in 0..count.div_ceil(WORKERS) {
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE))).await;
                    unknown += usize::from(who.is_unknown().await);
                }
                unknown
            });
        }
        workers.join_all().await.into_iter().sum::<usize>() as f64 * 10_000.0 / count as f64
    }
}

/// Counts them: for connections that were used before, and for those that were not.
///
/// # Errors
/// When a client cannot be set up.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let count = if quick { 1_000 } else { 10_000 };
    for (what, idle) in [
        ("used connections closed after 5 to 25 ms", Idle { used: Some(PAUSE), unused: None }),
        ("unused ones closed so, too", Idle { used: Some(PAUSE), unused: Some(PAUSE) }),
    ] {
        let base = base(Service::new(0, idle).start()?);
        let ours = client(&base)?.build()?;
        ours.check_credentials().await?;
        let ours = Who::Ours(Box::new((ours, response::ID.parse()?))).unknown_of(count).await;
        for (is_pooled, against) in [(false, "reqwest, fresh connections"), (true, "reqwest, kept connections")] {
            let other = Who::Bare(Bare::new(&base, is_pooled, None)?).unknown_of(count).await;
            Row {
                figure: format!("unknown outcomes of 10,000 captures, {what}"),
                unit: "",
                ours,
                other: Some(other),
                against,
                ratio: None,
                goal: (!is_pooled).then_some(other),
            }
            .print();
        }
    }
    Ok(())
}
