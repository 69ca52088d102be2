//! Why a payment failed, as callbacks and return URLs put it.

use crate::types::open_enum;

open_enum! {
    /// The `error` of a callback or a return URL.
    pub enum PaymentFailure {
        /// The customer cancelled.
        Cancelled = "cancelled",
        /// The payment was not authorized, or was declined.
        Authorization = "authorization",
        /// Something failed at the service or beyond.
        Failed = "failed",
    }
}
