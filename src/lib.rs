#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod callback;
mod generated;
mod ids;
mod open_enum;
mod operation;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod transport;
pub mod types;

pub use ids::{AccountId, Environment, IdError, SessionId, TransactionId};
