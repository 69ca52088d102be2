//! Finding out what became of a call.
//!
//! After a 202 the outcome is told by an event that names the accepted request. After an unknown outcome nothing
//! names the request but the caller's own reference: the transaction is read until an event with it tells.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::calls::Transactions;
use super::completion::{Move, newest};
use super::response::Response;
use crate::Operation;
use crate::error::{Error, Failure, Outcome, Result, Spent};
use crate::ids::TransactionId;
use crate::types::{Transaction, TransactionEvent, TransactionEventName};

/// How a transaction is read again and again.
#[derive(Clone, Debug)]
pub struct PollOptions {
    /// How long altogether. Default 60 s.
    pub timeout: Duration,
    /// How long before the second read; doubled after each, up to `longest_interval`. Default 0.5 s.
    pub interval: Duration,
    /// The longest wait between two reads. Default 5 s.
    pub longest_interval: Duration,
    /// For [`Transactions::resolve`]: how long no trace of the operation must be found before it counts as not
    /// having happened. A request that was lost on its way back may still be worked on, and one that hangs in a
    /// gateway may yet be passed on, so this is to be longer than those take. Default 10 s.
    pub settle: Duration,
    /// How long one read may take, instead of the client's [`timeout`](crate::ClientBuilder::timeout).
    pub read_timeout: Option<Duration>,
}

impl Default for PollOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            interval: Duration::from_millis(500),
            longest_interval: Duration::from_secs(5),
            settle: Duration::from_secs(10),
            read_timeout: None,
        }
    }
}

/// A call whose outcome is to be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// A capture, by its `capture_reference`.
    Capture {
        /// The reference. It must be of this attempt alone: nothing else tells two captures apart.
        reference: String,
    },
    /// A refund, by its `refund_reference`.
    Refund {
        /// The reference. It must be of this attempt alone: nothing else tells two refunds apart.
        reference: String,
    },
    /// A void. There is at most one, so it needs no reference.
    Void,
    /// A change of the authorization, by its `reference`.
    Authorization {
        /// The reference. It must be of this attempt alone.
        reference: String,
    },
}

impl Attempt {
    /// The attempt that ended in this error, if it was a capture, refund, void or change of the authorization that
    /// went out with a reference.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        let reference = error.reference().map(str::to_owned);
        match error.operation()? {
            Operation::CaptureTransaction => Some(Self::Capture { reference: reference? }),
            Operation::RefundTransaction => Some(Self::Refund { reference: reference? }),
            Operation::VoidTransaction => Some(Self::Void),
            Operation::UpdateAuthorization => Some(Self::Authorization { reference: reference? }),
            _ => None,
        }
    }

    fn parts(&self) -> (Move, Option<&str>) {
        match self {
            Self::Capture { reference } => (Move::Capture, Some(reference)),
            Self::Refund { reference } => (Move::Refund, Some(reference)),
            Self::Void => (Move::Void, None),
            Self::Authorization { reference } => (Move::Authorization, Some(reference)),
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resolution {
    /// It was carried out.
    Happened {
        /// The transaction as it is now.
        transaction: Box<Transaction>,
        /// The event that shows it.
        event: Box<TransactionEvent>,
    },
    /// It was not: the service tried and failed, or never got it. It may be made again, with a new reference.
    DidNotHappen {
        /// The transaction as it is now.
        transaction: Box<Transaction>,
        /// The event with `success: false`, if it was tried.
        event: Option<Box<TransactionEvent>>,
    },
    /// Not decided when time ran out: under way, or what the service answers cannot be read well enough to tell. Do
    /// not make it again; ask later.
    Pending {
        /// The transaction as it is now.
        transaction: Box<Transaction>,
    },
}

/// The end of an operation that was accepted with a 202.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settled {
    /// The transaction as it is now.
    pub transaction: Box<Transaction>,
    /// The event that tells of the success.
    pub event: Box<TransactionEvent>,
}

impl Transactions {
    /// Waits until an operation that was accepted with a 202 is done: until the transaction has an event whose
    /// `correlation_request_id` is the accepted request's id.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) when the event says that it failed, with the event and its
    /// `correction`; [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when there is none in time, after which it
    /// may be waited for again; what reading the transaction may fail with.
    pub async fn wait_for(&self, id: &TransactionId, event_request_id: &str, options: PollOptions) -> Result<Settled> {
        let mut polls = Polls::begin(options);
        loop {
            let read = self.reread(id, &polls).await?;
            let accepted = |event: &&TransactionEvent| {
                event.correlation_request_id.as_deref() == Some(event_request_id) && !is_start(event)
            };
            let event = newest(read.events.iter().filter(accepted)).cloned().map(Box::new);
            match event {
                Some(event) if event.success == Some(true) => {
                    return Ok(Settled { transaction: read.into_boxed(), event });
                }
                Some(event) if event.success == Some(false) => {
                    let operation = operation_of(&event);
                    let (transaction, answer) = read.into_parts();
                    let failure = Failure { transaction, event: Some(event) };
                    return Err(Error::failed(answer, failure).in_call(operation, polls.spent()));
                }
                _ => {}
            }
            if !polls.pause().await {
                let error = Error::timeout(Outcome::Unknown);
                return Err(error.in_call(Operation::GetTransaction, polls.spent()));
            }
        }
    }

    /// Finds out whether an attempt with an unknown outcome happened, by the events of the transaction.
    ///
    /// ```no_run
    /// # async fn capture(client: dintero::Client, id: dintero::TransactionId) -> dintero::Result<()> {
    /// use dintero::{Attempt, Outcome, Resolution, types::CaptureRequest};
    ///
    /// let request = CaptureRequest::new(29_990);
    /// if let Err(error) = client.transactions().capture(&id, request).await {
    ///     let attempt = match Attempt::of(&error) {
    ///         Some(attempt) if error.outcome() == Outcome::Unknown => attempt,
    ///         _ => return Err(error),
    ///     };
    ///     match client.transactions().resolve(&id, &attempt, Default::default()).await? {
    ///         Resolution::Happened { .. } => {} // Captured: go on as after a success.
    ///         Resolution::DidNotHappen { .. } => {} // Not captured: may be captured again.
    ///         _ => {} // Not known yet: ask again later, and do not capture again.
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What reading the transaction may fail with. The outcome is as unknown as before.
    pub async fn resolve(&self, id: &TransactionId, attempt: &Attempt, options: PollOptions) -> Result<Resolution> {
        let mut polls = Polls::begin(options);
        loop {
            let read = self.reread(id, &polls).await?;
            match trace(&read, attempt) {
                Trace::Success(event) => {
                    return Ok(Resolution::Happened { transaction: read.into_boxed(), event });
                }
                Trace::Failure(event) => {
                    return Ok(Resolution::DidNotHappen { transaction: read.into_boxed(), event: Some(event) });
                }
                Trace::None(event) if polls.is_settled() => {
                    return Ok(Resolution::DidNotHappen { transaction: read.into_boxed(), event });
                }
                Trace::None(_) | Trace::Unclear => {}
            }
            if !polls.pause().await {
                return Ok(Resolution::Pending { transaction: read.into_boxed() });
            }
        }
    }

    async fn reread(&self, id: &TransactionId, polls: &Polls) -> Result<Response<Transaction>> {
        let mut read = self.get(id);
        read.context.timeout = polls.options.read_timeout;
        read.await
    }
}

/// What the events of a transaction show of an attempt.
enum Trace {
    Success(Box<TransactionEvent>),
    Failure(Box<TransactionEvent>),
    /// Under way, or not to be read.
    Unclear,
    /// Nothing; for a void the failure of one, which may have been an earlier one.
    None(Option<Box<TransactionEvent>>),
}

fn trace(read: &Response<Transaction>, attempt: &Attempt) -> Trace {
    let (what, reference) = attempt.parts();
    let is_ours = |event: &&TransactionEvent| reference.is_none() || event.event_reference.as_deref() == reference;
    let outcomes = || read.events.iter().filter(|event| what.is_outcome(event)).filter(is_ours);
    if let Some(event) = outcomes().find(|event| event.success == Some(true)) {
        return Trace::Success(Box::new(event.clone()));
    }
    let events = read.events.iter().filter(|event| what.is_outcome(event) || what.is_start(event));
    match newest(events.filter(is_ours)) {
        Some(event) if event.success == Some(false) && reference.is_some() => Trace::Failure(Box::new(event.clone())),
        Some(event) if event.success == Some(false) => Trace::None(Some(Box::new(event.clone()))),
        Some(_) => Trace::Unclear,
        // No transaction is without events, and an event that was not read whole may be ours.
        None if read.events.is_empty()
            || read.skipped_fields().iter().any(|part| part.path.to_string().starts_with("$.events")) =>
        {
            Trace::Unclear
        }
        None => Trace::None(None),
    }
}

fn is_start(event: &TransactionEvent) -> bool {
    [Move::Capture, Move::Refund, Move::Void].iter().any(|what| what.is_start(event))
}

fn operation_of(event: &TransactionEvent) -> Operation {
    match event.event {
        Some(TransactionEventName::Capture) => Operation::CaptureTransaction,
        Some(TransactionEventName::Refund) => Operation::RefundTransaction,
        Some(TransactionEventName::Void) => Operation::VoidTransaction,
        _ => Operation::GetTransaction,
    }
}

/// Reads at growing intervals until time is up.
struct Polls {
    options: PollOptions,
    began: Instant,
    interval: Duration,
    reads: u32,
}

impl Polls {
    fn begin(options: PollOptions) -> Self {
        let interval = options.interval;
        Self { options, began: Instant::now(), interval, reads: 1 }
    }

    fn is_settled(&self) -> bool {
        self.began.elapsed() >= self.options.settle
    }

    /// Waits for the next read; `false` when time is up.
    async fn pause(&mut self) -> bool {
        let left = self.options.timeout.saturating_sub(self.began.elapsed());
        if left.is_zero() {
            return false;
        }
        // The last read is made when time is up, not before.
        sleep(self.interval.min(left)).await;
        self.interval = self.interval.saturating_mul(2).min(self.options.longest_interval);
        self.reads = self.reads.saturating_add(1);
        true
    }

    fn spent(&self) -> Spent {
        Spent { attempts: self.reads, elapsed: self.began.elapsed() }
    }
}
