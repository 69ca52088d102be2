//! What a call costs, beside the same call by reqwest and serde: one server, one process, in turn.

use std::time::Instant;

use dintero::types::CaptureRequest;
use dintero::{Client, TransactionId};
use futures_util::future::try_join_all;

use crate::bare::Bare;
use crate::server::{Idle, Service, base};
use crate::{Failure, Row, client, micros_each, response};

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Reads the transaction, on a connection that is kept.
    Get,
    /// Captures it, on a connection of its own.
    Capture,
}

/// Who makes it.
#[derive(Clone, Debug)]
pub enum Caller {
    /// This crate.
    Ours(Box<(Client, TransactionId)>),
    /// reqwest and serde.
    Bare(Bare),
}

impl Caller {
    /// This crate.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn ours(base: &str, root: Option<&str>) -> Result<Self, Failure> {
        let mut builder = client(base)?;
        if let Some(pem) = root {
            builder = builder.root_certificates(pem);
        }
        Ok(Self::Ours(Box::new((builder.build()?, response::ID.parse()?))))
    }

    /// Makes a call.
    ///
    /// # Errors
    /// The call's.
    pub async fn make(&self, call: Call) -> Result<(), Failure> {
        match (self, call) {
            (Self::Ours(ours), Call::Get) => drop(ours.0.transactions().get(&ours.1).await?),
            (Self::Ours(ours), Call::Capture) => {
                // Its reference is generated.
                let request = CaptureRequest::new(response::AMOUNT);
                drop(ours.0.transactions().capture(&ours.1, request).await?);
            }
            (Self::Bare(bare), Call::Get) => drop(bare.get().await?),
            (Self::Bare(bare), Call::Capture) => drop(bare.capture().await?),
        }
        Ok(())
    }

    /// Makes `count` calls, so many at a time, and gives the seconds they took.
    ///
    /// # Errors
    /// The first call's that fails.
    pub async fn make_all(&self, call: Call, count: usize, at_once: usize) -> Result<f64, Failure> {
        let began = Instant::now();
        if at_once <= 1 {
            for _ in 0..count {
                self.make(call).await?;
            }
            return Ok(began.elapsed().as_secs_f64());
        }
        let workers = (0..at_once).map(|_| {
            let caller = self.clone();
            tokio::spawn(async move {
                for _ in 0..count.div_ceil(at_once) {
                    caller.make(call).await?;
                }
                Ok::<_, Failure>(())
            })
        });
        try_join_all(workers).await?.into_iter().collect::<Result<(), _>>()?;
        Ok(began.elapsed().as_secs_f64())
    }
}

/// Two callers of one server: ours, and reqwest that opens connections as ours does for this call.
///
/// # Errors
/// When one cannot be set up, or makes no call.
async fn pair(base: &str, call: Call) -> Result<(Caller, Caller), Failure> {
    let pair = (Caller::ours(base, None)?, Caller::Bare(Bare::new(base, call == Call::Get, None)?));
    pair.0.make(call).await?;
    pair.1.make(call).await?;
    Ok(pair)
}

/// Measures calls one after another and 64 at once.
///
/// # Errors
/// When a call fails.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let base = base(Service::new(0, Idle::default()).start()?);
    let rounds = if quick { 5 } else { 21 };
    for (call, what, count) in
        [(Call::Get, "`get` of 25 KB, kept connection", 640), (Call::Capture, "`capture`, fresh connection", 320)]
    {
        let (ours, bare) = pair(&base, call).await?;
        // Rounds of a tenth of a second or two: of shorter ones, their beginning and end are much.
        for (at_once, count, how) in [(1, count, "one after another"), (64, 4 * count, "64 at once")] {
            let mut all = Vec::new();
            // The first round warms up.
            for round in 0..=rounds {
                let (mine, theirs) =
                    (ours.make_all(call, count, at_once).await?, bare.make_all(call, count, at_once).await?);
                if round > 0 {
                    all.push((mine * 1e6 / count as f64, theirs * 1e6 / count as f64));
                }
            }
            Row::of(format!("{what}, {how}"), "us", "bare reqwest", &all).goal(1.05).print();
        }
    }
    Ok(())
}

/// Prints the latency of `get`, ours and bare, for numbers of calls in flight: a line `in flight,ours,bare` in
/// microseconds for each.
///
/// # Errors
/// When a call fails.
pub async fn curve(quick: bool) -> Result<(), Failure> {
    let base = base(Service::new(0, Idle::default()).start()?);
    let (ours, bare) = pair(&base, Call::Get).await?;
    for at_once in [1, 2, 4, 8, 16, 32, 64, 128] {
        let mut all = Vec::new();
        for round in 0..=if quick { 3 } else { 9 } {
            let count = 1280;
            let (mine, theirs) =
                (ours.make_all(Call::Get, count, at_once).await?, bare.make_all(Call::Get, count, at_once).await?);
            if round > 0 {
                let latency = |seconds: f64| seconds * 1e6 * at_once as f64 / count as f64;
                all.push((latency(mine), latency(theirs)));
            }
        }
        let ours = crate::median(all.iter().map(|(ours, _)| *ours));
        println!("{at_once},{ours:.1},{:.1}", crate::median(all.iter().map(|(_, bare)| *bare)));
    }
    Ok(())
}

/// Makes calls to a server that runs elsewhere, for whoever counts the instructions of this process.
///
/// # Errors
/// When a call fails.
pub async fn client_alone(is_ours: bool, call: Call, count: usize, at_once: usize, base: &str) -> Result<f64, Failure> {
    let caller =
        if is_ours { Caller::ours(base, None)? } else { Caller::Bare(Bare::new(base, call == Call::Get, None)?) };
    let began = Instant::now();
    caller.make_all(call, count, at_once).await?;
    Ok(micros_each(began.elapsed(), count))
}
