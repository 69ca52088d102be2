#![forbid(unsafe_code)]
// The README's links lead to docs.rs; here they lead to the items themselves, since the first definition of a link
// counts.
//! [g-first]: crate::guide::first_payment
//! [g-callbacks]: crate::guide::callbacks
//! [g-unknown]: crate::guide::unknown_outcomes
//! [g-sandbox]: crate::guide::testing
//! [g-live]: crate::guide::going_live
//! [g-machines]: crate::guide::many_machines
//! [g-revision]: crate::guide::new_revision
//! [create_from_profile]: crate::calls::Sessions::create_from_profile
//! [create]: crate::calls::Sessions::create
//! [update]: crate::calls::Sessions::update
//! [get_session]: crate::calls::Sessions::get
//! [cancel]: crate::calls::Sessions::cancel
//! [list_sessions]: crate::calls::Sessions::list
//! [create_payment_token]: crate::calls::Sessions::create_payment_token
//! [pay]: crate::calls::Sessions::pay
//! [get_transaction]: crate::calls::Transactions::get
//! [captured]: crate::types::Transaction::captured
//! [refunded]: crate::types::Transaction::refunded
//! [from_lines]: crate::types::Order::from_lines
//! [part]: crate::types::OrderItem::part
//! [testing]: crate::testing
//! [capture]: crate::calls::Transactions::capture
//! [refund]: crate::calls::Transactions::refund
//! [void]: crate::calls::Transactions::void
//! [update_authorization]: crate::calls::Transactions::update_authorization
//! [update_transaction]: crate::calls::Transactions::update
//! [list_transactions]: crate::calls::Transactions::list
//! [once]: crate::calls::Once
//! [resolve]: crate::Client::resolve
//! [callback]: crate::callback
//! [pace]: crate::ClientBuilder::pace
//! [outcome]: crate::Error::outcome
//! [verdict]: crate::Verdict
//!
#![doc = include_str!("../README.md")]

mod auth;
pub mod callback;
mod check;
mod client;
mod clock;
mod error;
mod generated;
// Only for readers: a program is built without it.
#[cfg(any(doc, doctest))]
pub mod guide;
mod ids;
mod loopback;
pub mod money;
mod pace;
mod raw_response;
pub mod read;
mod retry;
pub mod store;
pub mod testing;
mod transport;
pub mod types;
mod verdict;

/// The crates whose types stand in this one's: with these, a program needs no dependency of its own that fits.
#[doc(no_inline)]
pub use {bytes, chrono, futures_core, http, http_body, rust_decimal, secrecy, serde, serde_json, url};

#[cfg(feature = "axum")]
#[doc(no_inline)]
pub use axum;
#[cfg(feature = "schemars")]
#[doc(no_inline)]
pub use schemars;

pub use auth::Credentials;
pub use client::{
    CallFuture, CallStream, Client, ClientBuilder, OneOrMany, PollOptions, RecoveredCalls, ResolveCall, Response,
    SystemHeaders, calls,
};
pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorKind, Result};
pub use generated::operations::Operation;
pub use ids::{AccountId, Environment, IdError, SessionId, TransactionId};
pub use pace::Pace;
pub use retry::RetryPolicy;
pub use types::{PayToggle, SessionToggle};
pub use verdict::{Attempt, Outcome, Verdict};
