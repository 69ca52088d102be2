//! The money of one transaction as a pure state machine: a ledger and a step give the next
//! ledger or a refusal. Integer minor units, checked arithmetic, nothing else: no JSON, no clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The documented statuses of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Initiated,
    Authorized,
    AuthorizationVoided,
    Captured,
    PartiallyCaptured,
    PartiallyCapturedRefunded,
    Refunded,
    PartiallyRefunded,
    Declined,
    Failed,
    OnHold,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::Authorized => "AUTHORIZED",
            Self::AuthorizationVoided => "AUTHORIZATION_VOIDED",
            Self::Captured => "CAPTURED",
            Self::PartiallyCaptured => "PARTIALLY_CAPTURED",
            Self::PartiallyCapturedRefunded => "PARTIALLY_CAPTURED_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Declined => "DECLINED",
            Self::Failed => "FAILED",
            Self::OnHold => "ON_HOLD",
        }
    }
}

/// Where one transaction stands. All amounts in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) status: Status,
    pub(crate) authorized: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    /// Nothing more can be captured although the authorized sum is not used up: the last
    /// capture was called final, or the rest was voided.
    closed: bool,
    /// The authorization itself was called final.
    authorization_final: bool,
}

/// What may happen to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    Authorize(i64),
    Hold,
    Decline,
    Fail,
    /// For methods without an authorization: the money moves as the customer pays.
    CaptureAtOnce(i64),
    Capture {
        amount: i64,
        last: bool,
    },
    Refund(i64),
    Void,
    /// A new authorized sum, which becomes the transaction's amount; `None` keeps the sum.
    Reauthorize {
        amount: Option<i64>,
        last: bool,
    },
}

/// Behaviour that differs between payment products, or on which the documentation leaves room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) void_after_capture: bool,
    pub(crate) capture_after_refund: bool,
}

/// Why a step was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Status { action: &'static str, status: Status },
    TooMuch { action: &'static str, amount: i64, available: i64 },
    NotPositive { action: &'static str, amount: i64 },
    BelowCaptured { amount: i64, captured: i64 },
    AuthorizationFinal,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { action, status } => {
                write!(f, "cannot {action} a transaction in status {}", status.as_str())
            }
            Self::TooMuch { action, amount, available } => {
                write!(f, "cannot {action} {amount}: only {available} is left")
            }
            Self::NotPositive { action, amount } => {
                write!(f, "cannot {action} {amount}: the amount must be above zero")
            }
            Self::BelowCaptured { amount, captured } => {
                write!(f, "cannot authorize {amount}: {captured} has been captured already")
            }
            Self::AuthorizationFinal => f.write_str("the authorization was final"),
        }
    }
}

impl Ledger {
    pub(crate) const fn new() -> Self {
        Self {
            status: Status::Initiated,
            authorized: 0,
            captured: 0,
            refunded: 0,
            closed: false,
            authorization_final: false,
        }
    }

    pub(crate) const fn left_to_capture(&self) -> i64 {
        if self.closed { 0 } else { self.authorized.saturating_sub(self.captured) }
    }

    pub(crate) const fn left_to_refund(&self) -> i64 {
        self.captured.saturating_sub(self.refunded)
    }

    pub(crate) fn left_to_void(&self) -> i64 {
        if self.status == Status::Authorized { self.left_to_capture() } else { 0 }
    }

    /// The ledger after a step, or why the step is refused.
    pub(crate) fn after(&self, step: Step, rules: Rules) -> Result<Self, Refusal> {
        let mut next = *self;
        match step {
            Step::Authorize(amount) => {
                self.expect("authorize", &[Status::Initiated, Status::OnHold])?;
                next.authorized = amount;
                next.status = Status::Authorized;
            }
            Step::Hold => {
                self.expect("hold", &[Status::Initiated])?;
                next.status = Status::OnHold;
            }
            Step::Decline => {
                self.expect("decline", &[Status::Initiated])?;
                next.status = Status::Declined;
            }
            Step::Fail => {
                self.expect("fail", &[Status::Initiated, Status::OnHold])?;
                next.status = Status::Failed;
            }
            Step::CaptureAtOnce(amount) => {
                self.expect("capture", &[Status::Initiated])?;
                next.authorized = amount;
                next.captured = amount;
                next.status = Status::Captured;
            }
            Step::Capture { amount, last } => {
                self.expect("capture", self.capturable(rules))?;
                let left = self.left_to_capture();
                positive("capture", amount)?;
                next.captured = add("capture", self.captured, amount, left)?;
                next.closed = last;
                next.status = next.standing();
            }
            Step::Refund(amount) => {
                self.expect(
                    "refund",
                    &[
                        Status::Captured,
                        Status::PartiallyCaptured,
                        Status::PartiallyCapturedRefunded,
                        Status::PartiallyRefunded,
                    ],
                )?;
                positive("refund", amount)?;
                let left = self.left_to_refund();
                next.refunded = add("refund", self.refunded, amount, left)?;
                next.status = next.standing();
            }
            Step::Void => {
                if rules.void_after_capture && self.captured > 0 && self.left_to_capture() > 0 {
                    next.closed = true;
                    next.status = next.standing();
                } else {
                    self.expect("void", &[Status::Initiated, Status::Authorized, Status::OnHold])?;
                    next.closed = true;
                    next.status = Status::AuthorizationVoided;
                }
            }
            Step::Reauthorize { amount, last } => {
                self.expect("authorize again", &[Status::Authorized, Status::PartiallyCaptured])?;
                if self.authorization_final {
                    return Err(Refusal::AuthorizationFinal);
                }
                if let Some(amount) = amount {
                    positive("authorize", amount)?;
                    if amount < self.captured {
                        return Err(Refusal::BelowCaptured { amount, captured: self.captured });
                    }
                    next.authorized = amount;
                    if self.captured > 0 {
                        next.status = next.standing();
                    }
                }
                next.authorization_final = last;
            }
        }
        Ok(next)
    }

    const fn capturable(&self, rules: Rules) -> &'static [Status] {
        if rules.capture_after_refund {
            &[Status::Authorized, Status::PartiallyCaptured, Status::PartiallyCapturedRefunded]
        } else {
            &[Status::Authorized, Status::PartiallyCaptured]
        }
    }

    fn expect(&self, action: &'static str, allowed: &[Status]) -> Result<(), Refusal> {
        if allowed.contains(&self.status) { Ok(()) } else { Err(Refusal::Status { action, status: self.status }) }
    }

    /// The status that the sums imply once something has been captured.
    const fn standing(&self) -> Status {
        let more_to_capture = self.left_to_capture() > 0;
        if self.refunded == 0 {
            if more_to_capture { Status::PartiallyCaptured } else { Status::Captured }
        } else if more_to_capture {
            Status::PartiallyCapturedRefunded
        } else if self.left_to_refund() > 0 {
            Status::PartiallyRefunded
        } else {
            Status::Refunded
        }
    }
}

fn positive(action: &'static str, amount: i64) -> Result<(), Refusal> {
    if amount > 0 { Ok(()) } else { Err(Refusal::NotPositive { action, amount }) }
}

fn add(action: &'static str, sum: i64, amount: i64, available: i64) -> Result<i64, Refusal> {
    let too_much = Refusal::TooMuch { action, amount, available };
    if amount > available {
        return Err(too_much);
    }
    sum.checked_add(amount).ok_or(too_much)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
