//! What the service calls on the merchant's side: verified, typed, answered right.
//!
//! A [`Verifier`] makes a [`Callback`] out of a request, or says why it is none. What the callback's
//! query says is proven; a body is not signed and is only to be had as [`Unverified`]. An [`Answer`]
//! is named by what it does to the delivery, and [`once`] does a piece of work once although
//! callbacks come at least once, in no order, and together with the customer's redirect.
//!
//! The account-wide webhooks are a separate system with a separate secret and verifier.
//!
//! ```
//! use dintero::callback::{Answer, Verifier};
//!
//! /// Answers a callback in any framework: `target` is path and query as they came.
//! async fn answer(
//!     verifier: &Verifier,
//!     client: &dintero::Client,
//!     method: &http::Method,
//!     target: &str,
//!     headers: &http::HeaderMap,
//! ) -> Answer {
//!     let callback = match verifier.verify(method, target, headers) {
//!         Ok(callback) => callback,
//!         Err(error) => return error.answer(),
//!     };
//!     if callback.transaction_id().is_none() {
//!         return Answer::Acknowledge; // It came to nothing; `callback.error()` says why.
//!     }
//!     match callback.fetch(client).await {
//!         Ok(transaction) => {
//!             println!("{:?} is {:?}", transaction.id, transaction.status);
//!             Answer::Acknowledge
//!         }
//!         Err(error) => error.answer(), // It will come again.
//!     }
//! }
//! ```
//!
//! With feature `axum`, [`Callback`], [`Webhook`] and [`ExpressRequest`] are extractors, and answers are responses.

mod answer;
mod body;
mod callback_url;
mod canonical;
mod dedupe;
mod express;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod fetch;
mod memory;
mod notice;
mod params;
mod return_url;
mod signature;
mod verifier;
mod webhook;

pub use answer::{Answer, Trouble};
pub use body::{Unverified, UnverifiedBody};
pub use callback_url::{CallbackUrl, CallbackUrlError, ReportedEvent};
pub use dedupe::{Claim, Dedupe, DedupeKey, Once, OnceError, once};
pub use express::{
    AddressAnswer, AddressOrder, DiscountAnswer, DiscountOrder, ExpressAnswer, ExpressError, ExpressOrder,
    ExpressRequest,
};
#[cfg(feature = "axum")]
pub use extract::{CallbackRejection, ExpressRejection, WebhookRejection, callbacks};
pub use failure::PaymentFailure;
pub use fetch::FetchError;
pub use memory::{MemoryDedupe, MemoryLease};
pub use notice::{Callback, DELIVERY_HEADER};
pub use params::Params;
pub use return_url::UnsignedReturn;
pub use signature::{SIGNATURE_HEADER, SecretError, SigningSecret, sign};
pub use verifier::{DEFAULT_TOLERANCE, Verifier, VerifierBuilder, VerifierError, VerifyError};
pub use webhook::{WEBHOOK_SIGNATURE_HEADER, Webhook, WebhookError, WebhookSecret, WebhookVerifier};
