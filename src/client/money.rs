//! The policy for calls that move money, in one place: each has an attempt, and each result is judged.
//!
//! What evidence proves is decided in [`crate::verdict`]; what a call is, in the document.

use std::time::Duration;

use chrono::Utc;

use super::response::Response;
use crate::error::{Error, Outcome, Result, Spent, request_id};
use crate::ids::{AccountId, SessionId, TransactionId};
use crate::types::{AuthorizationRequest, CaptureRequest, PayRequest, RefundRequest, Session, Transaction};
use crate::verdict::attempt::Anchor;
use crate::verdict::{
    Attempt, Finding, Kind, Source, Target, Verdict, failed_part, judge, judge_cancellation, judge_payment,
};

impl Attempt {
    fn new(operation: Kind, target: Target, timeout: Duration) -> Self {
        let anchor = Anchor(Some(tokio::time::Instant::now()));
        Self::begun(operation, target, Utc::now(), timeout, anchor)
    }

    /// Takes the caller's reference, or one that nobody else uses.
    fn referring(mut self, given: Option<&str>) -> Self {
        let given = given.map(str::trim).filter(|given| !given.is_empty());
        self.generated = given.is_none();
        self.reference = Some(given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned));
        self
    }

    /// Makes an attempt at a capture that takes at most `timeout`. A `capture_reference` is generated where the
    /// request has none.
    pub(super) fn capture(id: &TransactionId, request: &CaptureRequest, timeout: Duration) -> Self {
        let attempt = Self::new(Kind::Capture, Target::Transaction(id.clone()), timeout);
        Self { amount: Some(request.amount), ..attempt.referring(request.capture_reference.as_deref()) }
    }

    /// Makes an attempt at a refund that takes at most `timeout`. A `refund_reference` is generated where the request
    /// has none.
    pub(super) fn refund(id: &TransactionId, request: &RefundRequest, timeout: Duration) -> Self {
        let attempt = Self::new(Kind::Refund, Target::Transaction(id.clone()), timeout);
        Self { amount: Some(request.amount), ..attempt.referring(request.refund_reference.as_deref()) }
    }

    /// Makes an attempt at a void that takes at most `timeout`.
    pub(super) fn void(id: &TransactionId, timeout: Duration) -> Self {
        Self::new(Kind::Void, Target::Transaction(id.clone()), timeout)
    }

    /// Makes an attempt at a change of the authorization that takes at most `timeout`. A `reference` is generated
    /// where the request has none.
    pub(super) fn authorization(id: &TransactionId, request: &AuthorizationRequest, timeout: Duration) -> Self {
        let attempt = Self::new(Kind::Authorization, Target::Transaction(id.clone()), timeout);
        Self { amount: request.amount, ..attempt.referring(request.reference.as_deref()) }
    }

    /// Makes an attempt at a payment with a stored token that takes at most `timeout`. It is found by its
    /// `merchant_reference`.
    pub(super) fn pay(account: &AccountId, request: &PayRequest, timeout: Duration) -> Self {
        let order = request.session.as_ref().map(|session| &session.order);
        Self {
            reference: order.map(|order| order.merchant_reference.clone()),
            amount: order.map(|order| order.amount),
            ..Self::new(Kind::Pay, Target::Account(account.as_str().to_owned()), timeout)
        }
    }

    /// Makes an attempt at a cancellation of a session that takes at most `timeout`.
    pub(super) fn cancel(id: &SessionId, timeout: Duration) -> Self {
        Self::new(Kind::Cancel, Target::Session(id.clone()), timeout)
    }
}

/// A money call that is about to be sent.
pub(crate) struct Started {
    attempt: Attempt,
    left: Duration,
}

impl Started {
    /// Begins a money call.
    ///
    /// # Errors
    /// When the time of the attempt is up.
    pub(super) fn begin(attempt: Attempt) -> Result<Self> {
        let left = (attempt.until - attempt.now(Utc::now())).to_std().unwrap_or_default();
        if left.is_zero() {
            let error = Error::timeout(Outcome::NotSent).in_call(attempt.operation(), Spent::default());
            return Err(error.with_attempt(attempt));
        }
        Ok(Self { attempt, left })
    }

    /// A money call whose response is there.
    pub(crate) fn of(attempt: Attempt) -> Self {
        Self { attempt, left: Duration::ZERO }
    }

    /// How long the call may take.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// What the result of the call means.
    pub(crate) fn end(self, result: Result<Response<Transaction>>) -> Result<Response<Verdict>> {
        self.judged(result, |attempt, response| {
            let source = Source::Response(response.status());
            match attempt.operation {
                Kind::Pay => judge_payment(attempt, &[(response, response.skipped_fields())], source),
                _ => judge(attempt, response, response.skipped_fields(), source),
            }
        })
    }

    /// What the result of a cancellation means.
    pub(crate) fn end_session(self, result: Result<Response<Session>>) -> Result<Response<Verdict>> {
        self.judged(result, |attempt, response| {
            judge_cancellation(attempt, response, response.skipped_fields(), None, Source::Response(response.status()))
        })
    }

    fn judged<T: Evidence>(
        mut self,
        result: Result<Response<T>>,
        judge: impl FnOnce(&Attempt, &Response<T>) -> Finding,
    ) -> Result<Response<Verdict>> {
        let attempt = &mut self.attempt;
        // Nothing more of it leaves us.
        attempt.until = attempt.until.min(attempt.now(Utc::now()));
        let response = match result {
            Ok(response) => response,
            Err(error) => {
                if let Some(status) = error.status() {
                    attempt.responded(status, error.headers(), error.request_id());
                }
                return Err(error.with_attempt(self.attempt));
            }
        };
        attempt.responded(response.status(), response.headers(), request_id(response.headers()));
        let finding = judge(attempt, &response);
        let call = response.call();
        let response = response.map(|value, _| Box::new(value.into_verdict(self.attempt, finding)));
        match finding.outcome {
            Outcome::Completed | Outcome::UnderWay => Ok(response),
            _ => {
                let (verdict, raw) = response.into_parts();
                Err(Error::judged(raw, verdict).in_call(call.operation, call.spent))
            }
        }
    }
}

/// What a verdict is made of.
pub(super) trait Evidence {
    fn into_verdict(self: Box<Self>, attempt: Attempt, finding: Finding) -> Verdict;
}

impl Evidence for Transaction {
    fn into_verdict(self: Box<Self>, attempt: Attempt, finding: Finding) -> Verdict {
        // For a payment the finding's place is the transaction's, and the newest failure is worth telling always.
        let (event, failed) = match (attempt.operation, finding.outcome) {
            (Kind::Pay, _) => (None, failed_part(&self)),
            (_, Outcome::Rejected) => (finding.place, finding.place),
            _ => (finding.place, None),
        };
        let Finding { outcome, why, .. } = finding;
        Verdict { outcome, why, attempt, transaction: Some(self), session: None, event: event.or(failed), failed }
    }
}

impl Evidence for Session {
    fn into_verdict(self: Box<Self>, attempt: Attempt, finding: Finding) -> Verdict {
        let Finding { outcome, why, .. } = finding;
        Verdict { outcome, why, attempt, transaction: None, session: Some(self), event: None, failed: None }
    }
}
