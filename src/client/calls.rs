//! The calls: a request type for each, and the groups of methods that begin them.
//!
//! A request is begun by a method of [`Sessions`] or [`Transactions`], told what may be left out by its own methods,
//! and sent when it is awaited. All of it is generated from the document of the interface: required values are
//! arguments, a parameter that a call does not take cannot be set.
//!
//! ```no_run
//! # async fn calls(client: dintero::Client, id: dintero::TransactionId) -> dintero::Result<()> {
//! use std::time::Duration;
//!
//! use dintero::types::{CaptureRequest, TransactionInclude};
//! use futures_util::TryStreamExt;
//!
//! let transaction = client.transactions().get(&id).include(TransactionInclude::CardPaymentToken).await?;
//! println!("{} of {:?}", transaction.amount, transaction.currency);
//!
//! client.transactions().capture(&id, CaptureRequest::new(29_990)).timeout(Duration::from_secs(20)).await?;
//!
//! let mut rows = client.transactions().list().store_id("oslo").rows();
//! while let Some(transaction) = rows.try_next().await? {
//!     println!("{:?}", transaction.status);
//! }
//! # Ok(())
//! # }
//! ```

use super::call::{self, CallFuture, Context, One, Reading, Request, Rows, Sent, call_span};
pub use super::once::Once;
use super::one_or_many::OneOrMany;
use super::paging::{self, CallStream, List};
use super::response::Response;
use super::{Core, toggles};
use crate::{Operation, generated};

include!(concat!(env!("OUT_DIR"), "/requests.rs"));
