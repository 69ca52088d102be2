//! What may be given with a call beside what it requires, one struct per call, all with defaults.

use super::call::CallOptions;
use crate::types::{Currency, SessionInclude, TransactionInclude, TransactionListInclude, TransactionStatus};
use crate::types::{PayToggle, SessionToggle};

/// Options of [`Sessions::create_from_profile`](super::Sessions::create_from_profile).
#[derive(Clone, Debug, Default)]
pub struct ProfileSessionOptions {
    /// Whether the answer holds the session itself, not only its id and address.
    pub include_session: Option<bool>,
    /// Feature toggles in place of the client's.
    pub toggles: Option<Vec<SessionToggle>>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of [`Sessions::create`](super::Sessions::create) and
/// [`Sessions::create_payment_token`](super::Sessions::create_payment_token).
#[derive(Clone, Debug, Default)]
pub struct CreateSessionOptions {
    /// Whether the answer holds the session itself, not only its id and address.
    pub include_session: Option<bool>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of [`Sessions::get`](super::Sessions::get).
#[derive(Clone, Debug, Default)]
pub struct GetSessionOptions {
    /// What the answer is to hold in addition.
    pub includes: Vec<SessionInclude>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of [`Sessions::update`](super::Sessions::update).
#[derive(Clone, Debug, Default)]
pub struct UpdateSessionOptions {
    /// Whether the service is to ask the express shipping callback again even if the address is the same.
    pub force_shipping_address_callback: Option<bool>,
    /// Whether a session that is not locked may be updated. The customer may be paying it meanwhile.
    pub update_without_lock: Option<bool>,
    /// Feature toggles in place of the client's.
    pub toggles: Option<Vec<SessionToggle>>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of [`Sessions::pay`](super::Sessions::pay).
#[derive(Clone, Debug, Default)]
pub struct PaySessionOptions {
    /// Feature toggles in place of the client's.
    pub toggles: Option<Vec<PayToggle>>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of [`Transactions::get`](super::Transactions::get).
#[derive(Clone, Debug, Default)]
pub struct GetTransactionOptions {
    /// What the answer is to hold in addition, the tokens of a card for example.
    pub includes: Vec<TransactionInclude>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// Options of capture, refund and void.
#[derive(Clone, Debug, Default)]
pub struct OperationOptions {
    /// What the answer is to hold in addition.
    pub includes: Vec<TransactionInclude>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// The query of [`Sessions::list`](super::Sessions::list): filters, all of which must fit, and the page.
#[derive(Clone, Debug, Default)]
pub struct ListSessions {
    /// Created at this time (ISO 8601) or later.
    pub created_at_gte: Option<String>,
    /// Created at this time (ISO 8601) or earlier.
    pub created_at_lte: Option<String>,
    /// Any of these ids.
    pub id: Vec<String>,
    /// Rows of a page, 1 to 100; 10 unless set.
    pub limit: Option<u8>,
    /// A text to search for.
    pub search: Option<String>,
    /// The last id of the page before.
    pub starting_after: Option<String>,
    /// Any of these stores.
    pub store_id: Vec<String>,
    /// With any of these transactions.
    pub transaction_id: Vec<String>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// The query of [`Transactions::list`](super::Transactions::list): filters, all of which must fit, and the
/// page. Amounts are in minor units, times ISO 8601.
#[derive(Clone, Debug, Default)]
pub struct ListTransactions {
    /// Of exactly this amount.
    pub amount: Option<i64>,
    /// Of this amount or more.
    pub amount_gte: Option<i64>,
    /// Of this amount or less.
    pub amount_lte: Option<i64>,
    /// Captured at this time or later.
    pub captured_at_gte: Option<String>,
    /// Captured at this time or earlier.
    pub captured_at_lte: Option<String>,
    /// Any of these card brands.
    pub card_brand: Vec<String>,
    /// Created at this time or later.
    pub created_at_gte: Option<String>,
    /// Created at this time or earlier.
    pub created_at_lte: Option<String>,
    /// Any of these currencies, three letters.
    pub currency: Vec<Currency>,
    /// Of this customer.
    pub customer_id: Option<String>,
    /// Any of these ids.
    pub id: Vec<String>,
    /// What the rows are to hold in addition.
    pub includes: Vec<TransactionListInclude>,
    /// Rows of a page, 1 to 100; 10 unless set.
    pub limit: Option<u8>,
    /// With this reference of the merchant.
    pub merchant_reference: Option<String>,
    /// With this second reference of the merchant.
    pub merchant_reference_2: Option<String>,
    /// Of this operation, `unscheduled_purchase` for example.
    pub payment_operation: Option<String>,
    /// Any of these payment products.
    pub payment_product: Vec<String>,
    /// Any of these payment product types.
    pub payment_product_type: Vec<String>,
    /// Any of these payouts.
    pub payout_correlation_id: Vec<String>,
    /// Paid out there.
    pub payout_destination_id: Option<String>,
    /// Refunded at this time or later.
    pub refunded_at_gte: Option<String>,
    /// Refunded at this time or earlier.
    pub refunded_at_lte: Option<String>,
    /// A text to search for.
    pub search: Option<String>,
    /// Of any of these sessions.
    pub session_id: Vec<String>,
    /// The last id of the page before.
    pub starting_after: Option<String>,
    /// In any of these statuses.
    pub status: Vec<TransactionStatus>,
    /// Any of these stores.
    pub store_id: Vec<String>,
    /// Paid with any of these tokens.
    pub token_id: Vec<String>,
    /// What can be set for any call.
    pub call: CallOptions,
}

/// An argument of the generated client for a list that may be empty, which then is left out.
pub(super) fn some<T>(values: &Vec<T>) -> Option<&Vec<T>> {
    (!values.is_empty()).then_some(values)
}

/// [`some`] for texts.
pub(super) fn list(values: &Vec<String>) -> Option<&Vec<String>> {
    some(values)
}
