#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod auth;
pub mod callback;
mod check;
mod client;
mod clock;
mod error;
mod generated;
mod ids;
mod loopback;
pub mod money;
mod raw_response;
pub mod read;
mod retry;
pub mod store;
mod transport;
pub mod types;
mod verdict;

pub use auth::Credentials;
pub use client::{
    CallFuture, CallStream, Client, ClientBuilder, OneOrMany, PollOptions, RecoveredCalls, ResolveCall, Response,
    SystemHeaders, calls,
};
pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorKind, Result};
pub use generated::operations::Operation;
pub use ids::{AccountId, Environment, IdError, SessionId, TransactionId};
pub use retry::RetryPolicy;
pub use types::{PayToggle, SessionToggle};
pub use verdict::{Attempt, Outcome, Verdict};
