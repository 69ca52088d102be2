//! Finds out what became of a money call.
//!
//! The evidence is read until it proves something or the deadline has passed; what it proves is decided in
//! [`crate::verdict`].

use std::pin::Pin;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep};

use super::Client;
use super::call::in_runtime;
use super::money::Evidence as _;
use super::response::Response;
use crate::error::{Error, ErrorKind, Outcome, Result, is_passing};
use crate::ids::{SessionId, TransactionId};
use crate::read::JsonPath;
use crate::types::Transaction;
use crate::verdict::{Attempt, Candidate, Finding, Source, Target, Verdict, judge, judge_cancellation, judge_payment};

/// How long is waited at least for what is under way.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many transactions with one merchant reference are looked at.
const MOST_CANDIDATES: usize = 50;

/// How [`Client::resolve`] polls.
#[derive(Clone, Debug)]
pub struct PollOptions {
    /// How long altogether; a last read is begun at the deadline. Default: until the attempt has settled, and 60 s at
    /// least.
    pub timeout: Option<Duration>,
    /// How long before the second read; doubled after each, up to `longest_interval`. Default 0.5 s.
    pub interval: Duration,
    /// The longest wait between two reads. Default 5 s.
    pub longest_interval: Duration,
    /// How long after [`Attempt::until`] the request may still arrive. Default: [`Attempt::settle`]. A shorter time risks that a request is called not received and then carried out.
    pub settle: Option<Duration>,
    /// How long one read may take, instead of the client's [`timeout`](crate::ClientBuilder::timeout).
    pub read_timeout: Option<Duration>,
}

impl Default for PollOptions {
    fn default() -> Self {
        Self {
            timeout: None,
            interval: Duration::from_millis(500),
            longest_interval: Duration::from_secs(5),
            settle: None,
            read_timeout: None,
        }
    }
}

/// A request of [`Client::resolve`]: reads when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct ResolveCall {
    client: Client,
    attempt: Attempt,
    options: PollOptions,
}

impl ResolveCall {
    /// Sets how long to read altogether; see [`PollOptions::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sets how long after the call a request may still arrive; see [`PollOptions::settle`].
    pub fn settle(mut self, settle: Duration) -> Self {
        self.options.settle = Some(settle);
        self
    }

    /// Sets all options at once.
    pub fn polling(mut self, options: PollOptions) -> Self {
        self.options = options;
        self
    }
}

impl IntoFuture for ResolveCall {
    type Output = Result<Verdict>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Verdict>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let found = match in_runtime() {
                Ok(()) => self.client.resolve_with(&self.attempt, self.options).await,
                Err(error) => Err(error),
            };
            // A failure to read says nothing about the call that is looked for.
            found.map_err(|mut error| {
                error.set_outcome(Outcome::Unknown);
                error.with_attempt(self.attempt)
            })
        })
    }
}

impl Client {
    /// Finds out what became of a money call: one whose outcome is unknown, one that is under way, or one whose
    /// future was dropped.
    ///
    /// Reads the transaction, or the session, until the evidence proves something or the deadline has passed:
    ///
    /// - A capture, refund or change of the authorization is found by its reference, or by the id of the accepted
    ///   request. [`Outcome::Completed`] and [`Outcome::Rejected`] mean that its own event says so. **The reference has
    ///   to be of this call alone**; one that the crate generated is. Calls of one amount under one reference are one
    ///   call here: an earlier success counts for a later one, and what cannot be told apart is unknown.
    /// - A void is found by what it does: whoever voided the transaction, it is voided.
    /// - A payment with a stored token is found by its merchant reference, in the lists of transactions and sessions.
    ///   That proves less: nothing keeps two payments from having the same merchant reference, and the interface does
    ///   not say how soon a list shows a new transaction. Where it matters, pay with
    ///   [`PayToggle::StrictMerchantReference`](crate::PayToggle): then the service itself refuses a second
    ///   payment with the reference, and paying again is safe whatever became of the first.
    /// - The cancellation of a session is found by the session.
    ///
    /// # When nothing is found
    /// [`Outcome::NotReceived`] is said when a read that was **begun** after the settle time shows no trace, and
    /// nothing else that could be the call's, such as a successful event of the amount without a reference. The settle
    /// time runs from [`Attempt::until`], after which nothing of the request can leave this machine, and covers by
    /// default as much time again as the call had, and a minute at least. What no client can know is whether a gateway
    /// holds a request for longer than that and then passes it on, or whether the service has accepted one with 202 and
    /// shows no event of it for as long. No standard keeps them from it. If yours can, set [`PollOptions::settle`] to
    /// more than the longest time it does.
    ///
    /// [`Outcome::Unknown`] and [`Outcome::UnderWay`] mean that the deadline passed first. Do not make the call again; resolve
    /// it again later, or have somebody look at the transaction.
    ///
    /// ```no_run
    /// # async fn capture(client: dintero::Client, id: dintero::TransactionId) -> dintero::Result<()> {
    /// use dintero::{Outcome, types::CaptureRequest};
    ///
    /// let request = CaptureRequest::new(29_990);
    /// let verdict = match client.transactions().capture(&id, request).await {
    ///     Ok(response) => response.into_inner(),
    ///     Err(error) => match error.attempt().filter(|_| error.outcome() == Outcome::Unknown) {
    ///         Some(attempt) => client.resolve(attempt).await?,
    ///         None => return Err(error), // Not captured.
    ///     },
    /// };
    /// match verdict.outcome() {
    ///     Outcome::Completed => {} // Captured.
    ///     outcome if outcome.did_not_happen() => {} // Not captured: may be captured again, with a new reference.
    ///     _ => {} // Not known yet: resolve again later, and do not capture again.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When reading fails until the deadline, or cannot succeed. The [`outcome`](Error::outcome) of the error is
    /// [`Outcome::Unknown`], as before, and it carries the attempt.
    pub fn resolve(&self, attempt: &Attempt) -> ResolveCall {
        ResolveCall { client: self.clone(), attempt: attempt.clone(), options: PollOptions::default() }
    }

    async fn resolve_with(&self, attempt: &Attempt, options: PollOptions) -> Result<Verdict> {
        if !attempt.is_of(&self.core.account) {
            return Err(Error::invalid(format!("the attempt belongs to account {}", attempt.account())));
        }
        let settle = options.settle.unwrap_or_else(|| attempt.settle());
        let mut polls = Polls::begin(attempt, settle, &options);
        loop {
            polls.read();
            let source = Source::Read { begun_at: attempt.now(Utc::now()), settle };
            let found = self.look(attempt, source, options.read_timeout).await;
            match &found {
                Ok(verdict) if verdict.outcome.is_final() => return found,
                Err(error) if is_lasting(error) => return found,
                _ => {}
            }
            if !polls.pause(&options).await {
                return found;
            }
        }
    }

    /// Reads once and judges what is read.
    async fn look(&self, attempt: &Attempt, source: Source, time: Option<Duration>) -> Result<Verdict> {
        match &attempt.target {
            Target::Transaction(id) => {
                let read = self.reread(id, time).await?;
                let finding = judge(attempt, &read, read.skipped_fields(), source);
                Ok(read.into_boxed().into_verdict(attempt.clone(), finding))
            }
            Target::Session(id) => self.look_at_session(attempt, id, source, time).await,
            Target::Account(_) => self.look_for_payment(attempt, source, time).await,
        }
    }

    async fn look_at_session(
        &self,
        attempt: &Attempt,
        id: &SessionId,
        source: Source,
        time: Option<Duration>,
    ) -> Result<Verdict> {
        let mut request = self.sessions().get(id);
        if let Some(time) = time {
            request = request.timeout(time);
        }
        let session = request.await?;
        let transaction = match &session.transaction_id {
            Some(id) if session.cancelled_at.is_none() => Some(self.reread(id, time).await?),
            _ => None,
        };
        let candidate = transaction.as_ref().map(|read| (&**read, read.skipped_fields()));
        let finding = judge_cancellation(attempt, &session, session.skipped_fields(), candidate, source);
        let verdict = session.into_boxed().into_verdict(attempt.clone(), finding);
        Ok(Verdict { transaction: transaction.map(Response::into_boxed), ..verdict })
    }

    async fn look_for_payment(&self, attempt: &Attempt, source: Source, time: Option<Duration>) -> Result<Verdict> {
        let Some(reference) = attempt.reference() else {
            return Err(Error::invalid("the payment has no merchant reference to be found by"));
        };
        let mut found = Vec::new();
        for id in self.payments(reference, time).await? {
            found.push(self.reread(&id, time).await?);
        }
        let candidates: Vec<Candidate<'_>> = found.iter().map(|read| (&**read, read.skipped_fields())).collect();
        let finding = match candidates.len() {
            0..=MOST_CANDIDATES => judge_payment(attempt, &candidates, source),
            _ => Finding { outcome: Outcome::Unknown, why: "too many transactions with the reference", place: None },
        };
        let shown = finding.place.or(candidates.len().checked_sub(1));
        Ok(match shown.and_then(|place| found.into_iter().nth(place)) {
            Some(read) => read.into_boxed().into_verdict(attempt.clone(), finding),
            None => Verdict {
                outcome: finding.outcome,
                why: finding.why,
                attempt: attempt.clone(),
                transaction: None,
                session: None,
                event: None,
                failed: None,
            },
        })
    }

    /// The transactions with a merchant reference: those that are listed with it, or else those of the sessions that
    /// are.
    async fn payments(&self, reference: &str, time: Option<Duration>) -> Result<Vec<TransactionId>> {
        let mut request = self.transactions().list().merchant_reference(reference);
        if let Some(time) = time {
            request = request.timeout(time);
        }
        let mut ids = Vec::new();
        let mut rows = request.rows();
        while let Some(row) = rows.next().await {
            let row = row?;
            if row.merchant_reference.as_deref().is_none_or(|theirs| theirs.trim() == reference.trim()) {
                // One that cannot be looked at may be the payment.
                ids.push(row.id.ok_or_else(|| Error::stuck("a transaction with the reference has no id"))?);
            }
            if ids.len() > MOST_CANDIDATES {
                break;
            }
        }
        if ids.is_empty() {
            let mut request = self.sessions().list().search(reference);
            if let Some(time) = time {
                request = request.timeout(time);
            }
            let mut pages = request.pages();
            while let Some(page) = pages.next().await {
                let page = match page {
                    // Sessions are listed at the classic host only. Without a transaction there is no payment, so
                    // they add to the list of transactions and are not needed for it.
                    Err(error) if matches!(error.status().map(|status| status.as_u16()), Some(403..=405 | 501)) => {
                        break;
                    }
                    page => page?,
                };
                let unreadable: Vec<_> = page.skipped_fields().iter().map(|part| part.path.clone()).collect();
                for (place, row) in page.into_inner().into_iter().enumerate() {
                    let row = row?;
                    if row.order.merchant_reference.trim() != reference.trim() {
                        continue;
                    }
                    if unreadable.contains(&JsonPath::root().index(place).field("transaction_id")) {
                        return Err(Error::stuck(
                            "a session with the reference has a transaction id that cannot be read",
                        ));
                    }
                    ids.extend(row.transaction_id);
                }
            }
        }
        Ok(ids)
    }

    async fn reread(&self, id: &TransactionId, time: Option<Duration>) -> Result<Response<Transaction>> {
        let request = self.transactions().get(id);
        match time {
            Some(time) => request.timeout(time).await,
            None => request.await,
        }
    }
}

/// Whether reading again will fail as well.
fn is_lasting(error: &Error) -> bool {
    match (error.kind(), error.status()) {
        (ErrorKind::Configuration | ErrorKind::InvalidRequest, _) => true,
        (_, Some(status)) => status.is_client_error() && !is_passing(status),
        _ => false,
    }
}

/// Reads at growing intervals until the deadline.
struct Polls {
    end: Option<Instant>,
    last: Instant,
    interval: Duration,
}

impl Polls {
    fn begin(attempt: &Attempt, settle: Duration, options: &PollOptions) -> Self {
        let began = Instant::now();
        let open = (attempt.until - attempt.now(Utc::now())).to_std().unwrap_or_default();
        let settled = open.saturating_add(settle).saturating_add(Duration::from_millis(1));
        let timeout = options.timeout.unwrap_or_else(|| PATIENCE.max(settled));
        Self { end: began.checked_add(timeout), last: began, interval: options.interval }
    }

    /// Notes that a read begins.
    fn read(&mut self) {
        self.last = Instant::now();
    }

    /// Waits for the next read; `false` when the last one was begun after time was up.
    async fn pause(&mut self, options: &PollOptions) -> bool {
        if self.end.is_some_and(|end| self.last >= end) {
            return false;
        }
        let wake =
            self.end.map_or(self.interval, |end| self.interval.min(end.saturating_duration_since(Instant::now())));
        sleep(wake).await;
        self.interval = self.interval.saturating_mul(2).min(options.longest_interval);
        true
    }
}
