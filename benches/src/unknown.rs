//! How many of 10,000 captures end in an unknown outcome, where the server closes connections that wait just as the next
//! request leaves.

use std::time::Duration;

use dintero::Outcome;
use tokio::task::JoinSet;

use crate::bare::Bare;
use crate::calls::{Call, Caller};
use crate::server::{Idle, Service, base};
use crate::{Failure, Row, client, response};

/// How many captures are under way at a time.
const WORKERS: usize = 20;
/// The time between the captures of one worker, and the time after which a connection is closed, in milliseconds.
const PAUSE: std::ops::Range<u64> = 5..25;

/// Whether it is unknown what became of a capture.
async fn is_unknown(caller: &Caller) -> bool {
    let Err(error) = caller.make(Call::Capture).await else { return false };
    match error.downcast_ref::<reqwest::Error>() {
        // Only a connection that was not made is known not to have carried it.
        Some(error) => !error.is_connect(),
        None => error.downcast_ref::<dintero::Error>().is_none_or(|error| error.outcome() == Outcome::Unknown),
    }
}

/// How many of so many captures are, for each 10,000.
async fn unknown_of(caller: &Caller, count: usize) -> f64 {
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let caller = caller.clone();
        workers.spawn(async move {
            let mut unknown = 0_usize;
            for _ in 0..count.div_ceil(WORKERS) {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE))).await;
                unknown += usize::from(is_unknown(&caller).await);
            }
            unknown
        });
    }
    workers.join_all().await.into_iter().sum::<usize>() as f64 * 10_000.0 / count as f64
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
        let ours = unknown_of(&Caller::Ours(Box::new((ours, response::ID.parse()?))), count).await;
        for (is_pooled, against) in [(false, "reqwest, fresh connections"), (true, "reqwest, kept connections")] {
            let other = unknown_of(&Caller::Bare(Bare::new(&base, is_pooled, None)?), count).await;
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
