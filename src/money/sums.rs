//! What has been captured and refunded, and what may follow.
//!
//! `amount` of a transaction is the order's, or the authorized one after an update of the authorization; the sums are
//! added up from its events.

use crate::types::{Transaction, TransactionEvent, TransactionEventName, TransactionStatus};
use crate::verdict::events::Events;

/// Why a sum cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SumError {
    /// The sum is beyond what 64 bits hold.
    #[error("the sum of the events is too large")]
    Overflow,
    /// A successful capture or refund without an amount.
    #[error("event {index} succeeded and has no amount")]
    NoAmount {
        /// Its place among the events, from 0.
        index: usize,
    },
}

impl Transaction {
    /// Returns what has been captured, in minor units: the sum of the successful captures. Those that a later
    /// `correction` names in its `event_ids` are not counted.
    ///
    /// # Errors
    /// When the sum cannot be told.
    pub fn captured(&self) -> Result<i64, SumError> {
        self.sum(0, &TransactionEventName::Capture)
    }

    /// Returns what has been refunded, in minor units; as [`captured`](Self::captured).
    ///
    /// # Errors
    /// When the sum cannot be told.
    pub fn refunded(&self) -> Result<i64, SumError> {
        self.sum(0, &TransactionEventName::Refund)
    }

    /// Returns what can still be captured, in minor units, never below zero.
    ///
    /// After a failed operation that is what its `correction` says, less what was captured since; otherwise, and
    /// once the authorization has been updated, the authorized amount less what was captured. Nothing is left in a
    /// status after which no capture follows: a final capture, a void.
    ///
    /// # Errors
    /// When the sum cannot be told.
    pub fn remaining_to_capture(&self) -> Result<i64, SumError> {
        use TransactionEventName::{Authorize, Capture, Refund, Void};
        use TransactionStatus as Status;
        let corrected = self.corrected(|correction| correction.remaining_capture_amount);
        // The status is older than the correction until something succeeds after it.
        let is_status_current =
            corrected.is_none_or(|(next, _)| self.happened(next, &[Authorize, Capture, Refund, Void]));
        let is_closed = matches!(
            self.status,
            Some(
                Status::Initiated
                    | Status::OnHold
                    | Status::AuthorizationVoided
                    | Status::Captured
                    | Status::PartiallyRefunded
                    | Status::Refunded
                    | Status::Declined
                    | Status::Failed,
            )
        );
        if is_status_current && is_closed {
            return Ok(0);
        }
        match corrected {
            Some((next, remaining)) if !self.happened(next, &[Authorize]) => left(remaining, self.sum(next, &Capture)?),
            // A status that we do not know takes nothing away from what the events say.
            _ => left(self.amount, self.captured()?),
        }
    }

    /// Returns what can still be refunded, in minor units, never below zero.
    ///
    /// After a failed operation that is what its `correction` says, with what was captured and refunded since;
    /// otherwise what was captured less what was refunded.
    ///
    /// # Errors
    /// When the sum cannot be told.
    pub fn remaining_to_refund(&self) -> Result<i64, SumError> {
        let corrected = self.corrected(|correction| correction.remaining_refund_amount);
        let (next, base) = corrected.unwrap_or((0, 0));
        let captured = self.sum(next, &TransactionEventName::Capture)?;
        let refunded = self.sum(next, &TransactionEventName::Refund)?;
        left(base.checked_add(captured).ok_or(SumError::Overflow)?, refunded)
    }

    /// Returns whether something can be captured: by the status, `AUTHORIZED` or `PARTIALLY_CAPTURED`, and the sums.
    /// `false` where the sums cannot be told.
    #[must_use]
    pub fn can_capture(&self) -> bool {
        use TransactionStatus::{Authorized, PartiallyCaptured};
        matches!(self.status, Some(Authorized | PartiallyCaptured)) && is_positive(self.remaining_to_capture())
    }

    /// Returns whether something can be refunded: by the status, captured in part or whole and not refunded in whole,
    /// and the sums. `false` where the sums cannot be told.
    #[must_use]
    pub fn can_refund(&self) -> bool {
        use TransactionStatus::{Captured, PartiallyCaptured, PartiallyCapturedRefunded, PartiallyRefunded};
        let by_status =
            matches!(self.status, Some(Captured | PartiallyCaptured | PartiallyCapturedRefunded | PartiallyRefunded));
        by_status && is_positive(self.remaining_to_refund())
    }

    /// Returns whether the authorization can be voided: `AUTHORIZED` and nothing captured. Some payment products allow
    /// it after a partial capture as well; that only the service knows.
    #[must_use]
    pub fn can_void(&self) -> bool {
        self.status == Some(TransactionStatus::Authorized) && self.captured() == Ok(0)
    }

    /// The sum of successful events of a name, from a place among the events on.
    fn sum(&self, from: usize, name: &TransactionEventName) -> Result<i64, SumError> {
        let meaning = Events::of(&self.events);
        let events = self.events.iter().enumerate().skip(from);
        let counted = events.filter(|(_, event)| event.event.as_ref() == Some(name) && meaning.counts(event));
        counted
            .map(|(index, event)| event.amount.ok_or(SumError::NoAmount { index }))
            .try_fold(0_i64, |sum, amount| sum.checked_add(amount?).ok_or(SumError::Overflow))
    }

    /// Whether one of these succeeded, from a place among the events on.
    fn happened(&self, from: usize, names: &[TransactionEventName]) -> bool {
        let is_one = |event: &TransactionEvent| event.event.as_ref().is_some_and(|name| names.contains(name));
        let meaning = Events::of(&self.events);
        self.events.iter().skip(from).any(|event| is_one(event) && meaning.counts(event))
    }

    /// A remaining amount as the newest correction has it, and where the events after it begin.
    fn corrected(
        &self,
        amount: impl Fn(&crate::types::TransactionEventCorrection) -> Option<i64>,
    ) -> Option<(usize, i64)> {
        let mut newest_first = self.events.iter().enumerate().rev();
        newest_first.find_map(|(index, event)| Some((index.saturating_add(1), amount(event.correction.as_ref()?)?)))
    }
}

fn left(total: i64, taken: i64) -> Result<i64, SumError> {
    Ok(total.checked_sub(taken).ok_or(SumError::Overflow)?.max(0))
}

fn is_positive(amount: Result<i64, SumError>) -> bool {
    amount.is_ok_and(|amount| amount > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn transaction(status: &str, events: Value) -> Transaction {
        serde_json::from_value(json!({
            "id": "T12345678.a", "amount": 1000, "currency": "NOK", "payment_product": "payex",
            "payment_product_type": "payex.creditcard", "status": status, "events": events,
        }))
        .unwrap()
    }

    fn event(name: &str, amount: i64, success: bool) -> Value {
        json!({"event": name, "amount": amount, "success": success})
    }

    fn sums(of: &Transaction) -> [i64; 4] {
        [of.captured(), of.refunded(), of.remaining_to_capture(), of.remaining_to_refund()].map(Result::unwrap)
    }

    #[test]
    fn only_successful_events_count() {
        let events = json!([
            event("AUTHORIZE", 1000, true), event("CAPTURE", 300, true), event("CAPTURE", 300, false),
            event("REFUND", 100, true), event("REFUND", 50, false), event("INITIATE_CAPTURE", 400, true),
            {"event": "CAPTURE", "amount": 7},
        ]);
        let of = transaction("PARTIALLY_CAPTURED_REFUNDED", events);
        assert_eq!(sums(&of), [300, 100, 700, 200]);
        assert!(!of.can_capture() && of.can_refund() && !of.can_void());
    }

    #[test]
    fn the_status_decides_with_the_sums() {
        let capture = |amount| json!([event("CAPTURE", amount, true)]);
        let can = |of: Transaction| [of.can_capture(), of.can_refund(), of.can_void()];
        assert_eq!(can(transaction("AUTHORIZED", json!([]))), [true, false, true]);
        assert_eq!(can(transaction("PARTIALLY_CAPTURED", capture(400))), [true, true, false]);
        assert_eq!(can(transaction("CAPTURED", capture(1000))), [false, true, false]);
        assert_eq!(can(transaction("PARTIALLY_CAPTURED", capture(1000))), [false, true, false], "nothing is left");
        assert_eq!(can(transaction("PARTIALLY_CAPTURED", json!([]))), [true, false, false], "nothing to refund");
        assert_eq!(can(transaction("ON_HOLD", json!([]))), [false; 3]);
        assert_eq!(can(transaction("A_NEW_ONE", json!([]))), [false; 3]);
        assert_eq!(can(transaction("AUTHORIZATION_VOIDED", json!([]))), [false; 3]);
        // A final capture leaves nothing, whatever the sums.
        assert_eq!(transaction("CAPTURED", capture(400)).remaining_to_capture(), Ok(0));
        // More captured than authorized is not a debt.
        assert_eq!(transaction("PARTIALLY_CAPTURED", capture(1200)).remaining_to_capture(), Ok(0));
    }

    #[test]
    fn a_correction_puts_the_sums_right() {
        let correction = json!({
            "status": "PARTIALLY_CAPTURED", "remaining_capture_amount": 600, "remaining_refund_amount": 400,
            "remaining_void_amount": 0, "event_ids": ["e2"],
        });
        let events = json!([
            {"id": "e1", "event": "CAPTURE", "amount": 400, "success": true},
            {"id": "e2", "event": "CAPTURE", "amount": 500, "success": true},
            {"id": "e3", "event": "CAPTURE", "amount": 500, "success": false, "correction": correction},
            {"id": "e4", "event": "CAPTURE", "amount": 100, "success": true},
            {"id": "e5", "event": "REFUND", "amount": 50, "success": true},
        ]);
        let of = transaction("PARTIALLY_CAPTURED_REFUNDED", events);
        assert_eq!(sums(&of), [500, 50, 500, 450]);
    }

    #[test]
    fn a_correction_holds_until_something_later_says_otherwise() {
        let correction = json!({
            "status": "AUTHORIZED", "remaining_capture_amount": 1000, "remaining_refund_amount": 0,
            "remaining_void_amount": 1000,
        });
        let failed = json!({"event": "CAPTURE", "amount": 500, "success": false, "correction": correction});
        let left = |status: &str, amount: i64, later: Value| {
            let mut of = transaction(status, json!([failed, later]));
            of.amount = amount;
            of.remaining_to_capture().unwrap()
        };
        // The status has not caught up with the correction.
        assert_eq!(left("CAPTURED", 1000, event("REFUND", 1, false)), 1000);
        assert_eq!(left("AUTHORIZATION_VOIDED", 1000, event("VOID", 1000, true)), 0);
        // A final capture of less than there was.
        assert_eq!(left("CAPTURED", 1000, event("CAPTURE", 400, true)), 0);
        assert_eq!(left("AUTHORIZED", 1500, event("AUTHORIZE", 1500, true)), 1500);
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let of = transaction("CAPTURED", json!([{"event": "CAPTURE", "success": true}]));
        assert_eq!(of.captured(), Err(SumError::NoAmount { index: 0 }));
        assert!(!of.can_refund());
        let huge = json!([event("CAPTURE", i64::MAX, true), event("CAPTURE", 1, true)]);
        assert_eq!(transaction("CAPTURED", huge).captured(), Err(SumError::Overflow));
    }

    /// The example of the public documentation.
    #[test]
    fn two_captures_of_an_order_make_its_amount() {
        let mut of = transaction("CAPTURED", json!([event("CAPTURE", 59_700, true), event("CAPTURE", 8_600, true)]));
        of.amount = 72_200;
        assert_eq!(sums(&of), [68_300, 0, 0, 68_300]);
    }
}
