//! What each call pays for its token while there is a good one: 64 threads ask at once.

use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::server::{Idle, Service, base};
use crate::{Failure, Row, client, median};

const THREADS: usize = 64;
const EACH: usize = 20_000;

/// Measures it.
///
/// # Errors
/// When there is no token.
pub fn run() -> Result<(), Failure> {
    let address = Service::new(0, Idle::default()).start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let client = client(&base(address))?.build()?;
    runtime.block_on(client.check_credentials())?;
    let round = || {
        let barrier = Arc::new(Barrier::new(THREADS + 1));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (client, barrier, runtime) = (client.clone(), barrier.clone(), runtime.handle().clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    runtime.block_on(async {
                        for _ in 0..EACH {
                            assert!(client.check_credentials().await.is_ok())
                        }
                    });
                })
            })
            .collect();
        barrier.wait();
        let began = Instant::now();
        let joined = threads.into_iter().map(|thread| thread.join()).filter(Result::is_ok).count();
        // Of the processors, as many as there are threads to run on them.
        let busy = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let each = began.elapsed().as_secs_f64() * 1e6 * busy as f64 / (THREADS * EACH) as f64;
        (joined == THREADS).then_some(each)
    };
    let all: Vec<f64> = (0..5).filter_map(|_| round()).collect();
    Row {
        figure: format!("a token that is there, {THREADS} threads"),
        unit: "us",
        ours: median(all.into_iter()),
        other: None,
        against: "processor time of a call",
        ratio: None,
        goal: Some(1.0),
    }
    .print();
    Ok(())
}
