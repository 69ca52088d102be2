//! Money calls that are safe to make again after anything: a crash, a dropped future, another process.
//!
//! What evidence proves is decided in [`crate::verdict`], and which step follows in [`crate::store::protocol`]; here
//! the steps are made. What a dead process left open is settled in [`recover`](super::recover).

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize as _;
use tokio::time::{Instant, sleep};

use super::Client;
use super::call::{CallFuture, in_runtime};
use super::calls::{CaptureTransactionCall, PaySessionCall, RefundTransactionCall, UpdateAuthorizationCall};
use crate::clock::deadline;
use crate::error::{Error, Outcome, Result, Spent};
use crate::raw_response::RawResponse;
use crate::store::protocol::{Next, on_granted, on_known, on_sent};
use crate::store::{Claim, Held, StoreError, Work};
use crate::verdict::{Attempt, Verdict};

/// The kind of work in the journal.
pub(super) const KIND: &str = "money";
/// The waits between two looks at what another process is doing.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A money call that is made once under its reference, however often it is asked for; `.await` makes it. Begun by
/// `once` of the requests of capture, refund, `update_authorization` and `pay`.
///
/// It reads first, and sends only what has left no trace. Before it sends, it notes the attempt in the journal, so that
/// whoever comes after a crash, a dropped future or a lost response finds out what became of it before anything is sent
/// again. A second call with the same reference returns what the first came to. `Ok` is a call that is completed or
/// under way.
///
/// The client's own journal is in memory ([`ClientBuilder::journal`](crate::ClientBuilder::journal)): it holds against
/// calls of the same process at the same moment, dropped futures and lost responses. In a store that outlives the
/// process it holds against crashes and other processes too, and [`Client::recover`](crate::Client::recover) settles
/// what a dead process left open. Without such a store, a request that was on its way when the process died is known
/// only by its trace: asked again before it arrives, it is sent again.
///
/// ```no_run
/// # async fn capture(client: dintero::Client, id: dintero::TransactionId) -> dintero::Result<()> {
/// use dintero::types::CaptureRequest;
///
/// let request = CaptureRequest::new(29_990).capture_reference("order-1017");
/// // In a callback, on the customer's return, in a job, after a restart: captured once.
/// let verdict = client.transactions().capture(&id, request).once().await?;
/// println!("{:?}", verdict.outcome());
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Once<C> {
    call: C,
    within: Option<Duration>,
    settle: Option<Duration>,
}

impl<C> Once<C> {
    /// Sets how long all of it may take: waiting for another process, the call, settling an unknown outcome. Default:
    /// until the call has settled.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// Sets how long after its end a call may still arrive, as [`PollOptions::settle`](crate::PollOptions::settle). It is
    /// noted with the attempt, so that [`Client::recover`](crate::Client::recover) goes by it as well.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }
}

impl<C> fmt::Debug for Once<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("within", &self.within).field("settle", &self.settle).finish_non_exhaustive()
    }
}

/// What the money calls with a reference have in common.
pub(crate) trait Referred: Clone + Send + Sync + 'static {
    /// The field of the reference.
    const FIELD: &'static str;

    fn client(&self) -> Client;

    fn limit(&self) -> Duration;

    fn reference(&self) -> Option<&str>;

    /// Makes the attempt that the call is then sent as.
    fn begin(&mut self, settle: Option<Duration>) -> Attempt;

    fn send(self) -> CallFuture<Verdict>;
}

macro_rules! once {
    ($($call:ident $field:literal |$of:ident| $reference:expr;)+) => {$(
        impl $call {
            #[doc = concat!(
                "Makes the call once under its `", $field, "`, which has to be given, and has to be of this call alone: see ",
                "[`Once`](crate::calls::Once).")]
            pub fn once(self) -> Once<Self> {
                Once { call: self, within: None, settle: None }
            }
        }

        impl Referred for $call {
            const FIELD: &'static str = $field;

            fn client(&self) -> Client {
                Client { core: self.context.core.clone() }
            }

            fn limit(&self) -> Duration {
                self.context.limit()
            }

            fn reference(&self) -> Option<&str> {
                let $of = self;
                $reference
            }

            fn begin(&mut self, settle: Option<Duration>) -> Attempt {
                let attempt = self.attempt().settling(settle);
                self.context.attempt = Some(Box::new(attempt.clone()));
                attempt
            }

            fn send(self) -> CallFuture<Verdict> {
                self.into_future()
            }
        }

        impl IntoFuture for Once<$call> {
            type Output = Result<Verdict>;
            type IntoFuture = Pin<Box<dyn Future<Output = Result<Verdict>> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.run())
            }
        }
    )+};
}

once! {
    CaptureTransactionCall "capture_reference" |call| call.request.capture_reference.as_deref();
    RefundTransactionCall "refund_reference" |call| call.request.refund_reference.as_deref();
    UpdateAuthorizationCall "reference" |call| call.request.reference.as_deref();
    PaySessionCall "merchant_reference" |call| {
        call.request.session.as_ref().map(|session| session.order.merchant_reference.as_str())
    };
}

/// What the last step showed.
enum Shown {
    Verdict(Box<Verdict>),
    Error(Error),
}

impl Shown {
    fn of(verdict: Verdict) -> Self {
        Self::Verdict(Box::new(verdict))
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Verdict(verdict) => verdict.outcome(),
            Self::Error(error) => error.outcome(),
        }
    }

    fn into_result(self) -> Result<Verdict> {
        match self {
            Self::Verdict(verdict) if matches!(verdict.outcome(), Outcome::Completed | Outcome::UnderWay) => {
                Ok(*verdict)
            }
            Self::Verdict(verdict) => {
                let operation = verdict.attempt().operation();
                let response = RawResponse { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() };
                Err(Error::judged(response, verdict).in_call(operation, Spent::default()))
            }
            Self::Error(error) => Err(error),
        }
    }
}

#[allow(private_bounds, reason = "the trait tells the four calls apart, and nobody else has it")]
impl<C: Referred> Once<C> {
    async fn run(self) -> Result<Verdict> {
        let reference = self.call.reference().map(str::trim).filter(|reference| !reference.is_empty());
        let Some(reference) = reference.map(str::to_owned) else {
            return Err(Error::invalid(format!("`{}` is needed to make a call once", C::FIELD)));
        };
        in_runtime()?;
        let first = self.fresh();
        let work = work(&first, &reference);
        let journal = self.call.client().journal().clone();
        let within = self.within.unwrap_or_else(|| self.call.limit().saturating_mul(2).saturating_add(first.settle()));
        let end = deadline(Instant::now(), within);
        let mut pause = PAUSE.0;
        loop {
            match journal.claim(&work).await.map_err(|cause| failed(cause, Outcome::NotSent))? {
                Claim::Granted(held) => {
                    if let Some(shown) = self.hold(held, &first, end).await? {
                        return shown.into_result();
                    }
                }
                Claim::InProgress => {}
                // What it came to is read again: the journal says that it ended, the service how.
                Claim::Done(noted) => {
                    let noted = noted.and_then(|noted| Attempt::deserialize(noted).ok());
                    let attempt = noted.unwrap_or_else(|| first.settled());
                    return Shown::of(self.resolve(&attempt, Duration::ZERO).await?).into_result();
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::timeout(Outcome::Unknown)
                    .in_call(first.operation(), Spent::default())
                    .with_attempt(first));
            }
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// The attempt of a call that begins now. Its reference is nobody else's.
    fn fresh(&self) -> Attempt {
        let mut attempt = self.call.clone().begin(self.settle);
        attempt.generated = true;
        attempt
    }

    async fn resolve(&self, attempt: &Attempt, timeout: Duration) -> Result<Verdict> {
        self.call.client().resolve(attempt).timeout(timeout).await
    }

    /// Does what is to be done by whoever holds the work. Nothing is returned when another holds it by now.
    async fn hold(&self, mut held: Held, first: &Attempt, end: Instant) -> Result<Option<Shown>> {
        let left = || end.saturating_duration_since(Instant::now());
        let mut attempt = match held.note().map(Attempt::deserialize) {
            // Whoever asks later may know that the gateway holds requests for longer, or not as long.
            Some(Ok(noted)) => noted.settling(self.settle),
            Some(Err(_)) => return Err(failed("its note cannot be read".into(), Outcome::Unknown)),
            None => first.settled(),
        };
        let mut shown = None;
        let mut next = on_granted(held.note().is_some());
        loop {
            next = match next {
                Next::Look | Next::Settle => {
                    let time = if next == Next::Look { Duration::ZERO } else { left() };
                    match held.during(self.resolve(&attempt, time)).await {
                        Ok(verdict) => on_known(shown.insert(Shown::of(verdict)).outcome()),
                        // What the call itself ended with is the one to tell.
                        Err(_) if shown.is_some() => Next::Leave,
                        Err(error) => return Err(error),
                    }
                }
                Next::Send if left().is_zero() => Next::Leave,
                Next::Send => {
                    let mut call = self.call.clone();
                    attempt = call.begin(self.settle);
                    attempt.generated = true;
                    let note =
                        serde_json::to_value(&attempt).map_err(|cause| failed(cause.into(), Outcome::NotSent))?;
                    if !held.keep_note(note).await.map_err(|cause| failed(cause, Outcome::NotSent))? {
                        return Ok(None);
                    }
                    let sent = match held.during(call.send()).await {
                        Ok(response) => Shown::Verdict(response.into_boxed()),
                        Err(error) => Shown::Error(error),
                    };
                    on_sent(shown.insert(sent).outcome())
                }
                Next::Complete | Next::Forget | Next::Leave => {
                    end_work(held, next, Some(&attempt)).await;
                    return Ok(shown);
                }
            };
        }
    }
}

/// Names the work of a money call.
fn work(attempt: &Attempt, reference: &str) -> Work {
    let mut parts = vec![("account", attempt.account()), ("call", attempt.operation().id())];
    parts.extend(attempt.transaction_id().map(|id| ("of", id.as_str())));
    parts.push(("reference", reference));
    Work::named(KIND, &parts)
}

/// Does the last of the steps.
pub(super) async fn end_work(held: Held, last: Next, attempt: Option<&Attempt>) {
    let ended = match last {
        Next::Complete => held.complete(attempt.and_then(|it| serde_json::to_value(it).ok())).await.map(drop),
        Next::Forget => held.forget().await,
        _ => held.release().await,
    };
    if let Err(cause) = ended {
        tracing::warn!(%cause, "what became of a money call could not be noted: the next call reads it");
    }
}

fn failed(cause: StoreError, outcome: Outcome) -> Error {
    Error::journal(cause, outcome)
}
