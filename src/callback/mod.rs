//! What the service calls on the merchant's side: verified, typed, and responded to.
//!
//! A [`Verifier`] makes a [`Callback`] out of a request, or says why it is none. What the callback's
//! query says is proven; a body is not signed and is only available as [`Unverified`]. A [`CallbackResponse`]
//! is named by what it does to the delivery, and an [`Inbox`] handles each callback once although they
//! come at least once, in no order, and to processes that may die.
//!
//! The account-wide webhooks are a separate system with a separate secret and verifier.
//!
//! ```
//! use dintero::callback::{CallbackResponse, Verifier};
//!
//! /// Responds to a callback in any server whose requests are `http::Request`: hyper, axum, AWS Lambda.
//! async fn respond<B>(verifier: &Verifier, client: &dintero::Client, request: http::Request<B>) -> CallbackResponse {
//!     let callback = match verifier.verify(&request) {
//!         Ok(callback) => callback,
//!         Err(error) => return error.response(),
//!     };
//!     if callback.transaction_id().is_none() {
//!         return CallbackResponse::Acknowledge; // The payment failed; `callback.error()` says why.
//!     }
//!     match callback.fetch(client).await {
//!         Ok(transaction) => {
//!             println!("{:?} is {:?}", transaction.id, transaction.status);
//!             CallbackResponse::Acknowledge
//!         }
//!         Err(error) => error.response(), // It will come again.
//!     }
//! }
//! ```
//!
//! # Behind a proxy
//!
//! The signature covers the public host and path, so a [`Verifier`] is told both, and the request's `Host` is not
//! looked at. A proxy may change the scheme, host and port at will, add headers, and send a header twice. Where it
//! changes the path, [`VerifierBuilder::map_path`] says how. It must not decode, normalize or shorten path and
//! query, and it must not take off `Dintero-Signature`.
//!
//! # What untrusted requests cost
//!
//! A request without a valid signature costs a bounded amount of computing: its body is not read, nothing is
//! fetched, no store is asked. The one exception is [`ExpressRequest`], which is not verified on its own.
//!
//! With feature `axum`, [`Callback`], [`Webhook`] and [`ExpressRequest`] are extractors, and their responses implement
//! `IntoResponse`.

mod body;
mod callback_url;
mod canonical;
mod express;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod fetch;
mod inbox;
mod params;
mod public;
mod receive;
mod response;
mod return_url;
mod signature;
mod verified;
mod verifier;
mod webhook;

pub use body::{Unverified, UnverifiedBody};
pub use callback_url::{CallbackUrl, CallbackUrlError, ReportedEvent};
pub use express::{
    AddressOrder, AddressResponse, DiscountOrder, DiscountResponse, ExpressError, ExpressOrder, ExpressRequest,
    ExpressResponse, SignedExpressError,
};
#[cfg(feature = "axum")]
pub use extract::{CallbackRejection, ExpressRejection, Signed, WebhookRejection, callbacks};
pub use failure::PaymentFailure;
pub use fetch::FetchError;
pub use inbox::{Inbox, Recovered};
pub use params::Params;
pub use receive::ExpressReadError;
pub use response::{CallbackResponse, HandlerError};
pub use return_url::UnsignedReturn;
pub use signature::{SIGNATURE_HEADER, SecretError, SigningSecret, sign};
pub use verified::{Callback, DELIVERY_HEADER};
pub use verifier::{DEFAULT_BODY_TIMEOUT, DEFAULT_TOLERANCE, Verifier, VerifierBuilder, VerifierError, VerifyError};
pub use webhook::{WEBHOOK_SIGNATURE_HEADER, Webhook, WebhookError, WebhookSecret, WebhookVerifier};
