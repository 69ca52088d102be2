//! The customer's side of the handle.

use serde_json::Value;

use super::Sandbox;
use crate::rules::customer::{self, CustomerError, CustomerPayment};
use crate::rules::express::Given;
use crate::rules::transactions;
use crate::state::State;
use crate::wire::express;

impl Sandbox {
    /// Pays as the customer, by card, and returns the transaction's id.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn customer_pays(&self, session_id: impl AsRef<str>) -> Result<String, CustomerError> {
        self.customer_pays_with(session_id, CustomerPayment::new())
    }

    /// Pays as the customer, in the given way, and returns the transaction's id, also of a payment that was declined,
    /// failed or is on hold.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired, or does not offer what the
    /// customer wants.
    pub fn customer_pays_with(
        &self,
        session_id: impl AsRef<str>,
        payment: CustomerPayment,
    ) -> Result<String, CustomerError> {
        self.told(|state| customer::pays(state, session_id.as_ref(), payment))
    }

    /// Locks the session, as when the customer opens the payment page and begins to pay, as `PUT /sessions/{id}`
    /// without `update_without_lock` wants it.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn lock_session(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        self.told(|state| customer::locks(state, session_id.as_ref(), true))
    }

    /// Unlocks the session, as when the customer goes back.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn unlock_session(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        self.told(|state| customer::locks(state, session_id.as_ref(), false))
    }

    /// Leaves the payment page as the customer, without paying: there is no transaction, and a callback only with
    /// `report_error`.
    ///
    /// # Errors
    ///
    /// When the session is not there, paid, cancelled or expired.
    pub fn customer_cancels(&self, session_id: impl AsRef<str>) -> Result<(), CustomerError> {
        self.told(|state| customer::cancels(state, session_id.as_ref()))
    }

    /// Ends the review of a transaction in status `ON_HOLD`: `AUTHORIZED` when approved,
    /// otherwise `FAILED`.
    ///
    /// # Errors
    ///
    /// When there is no such transaction, or it is not on hold.
    pub fn release_hold(&self, transaction_id: impl AsRef<str>, approved: bool) -> Result<(), CustomerError> {
        self.told(|state| customer::release_hold(state, transaction_id.as_ref(), approved))
    }

    /// Settles everything that got a 202, as the faults said it would end.
    pub fn settle_accepted(&self) {
        self.shared.act(transactions::settle_all);
    }

    /// Sets a shipping address as the customer (JSON as in `order.shipping_address`). Where the session has an
    /// `express.shipping_address_callback_url`, the merchant is asked what ships there, once, and the response becomes
    /// part of the session.
    ///
    /// # Errors
    /// When the session cannot be paid, or the merchant does not respond with 200 and what the
    /// interface has for it.
    pub async fn customer_sets_address(
        &self,
        session_id: impl AsRef<str>,
        address: Value,
    ) -> Result<(), CustomerError> {
        let done = express::ask(&self.shared, session_id.as_ref(), Given::Address(address)).await;
        self.shared.kept().and(done)
    }

    /// Enters discount codes as the customer. Where the session has an `express.discount_codes.callback_url`, the
    /// merchant is asked what they are worth, once, and the response becomes part of the session.
    ///
    /// # Errors
    /// When the session cannot be paid, or the merchant does not respond with 200 and what the
    /// interface has for it.
    pub async fn customer_enters_discount_codes(
        &self,
        session_id: impl AsRef<str>,
        codes: &[&str],
    ) -> Result<(), CustomerError> {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        let done = express::ask(&self.shared, session_id.as_ref(), Given::DiscountCodes(codes)).await;
        self.shared.kept().and(done)
    }

    /// Changes the state, and tells of it where it was written down.
    fn told<T>(&self, change: impl FnOnce(&mut State) -> Result<T, CustomerError>) -> Result<T, CustomerError> {
        let done = self.shared.act(change);
        // Also before an error: it may come from what is not kept.
        self.shared.kept().and(done)
    }
}
