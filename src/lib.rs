#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod callback;
pub mod check;
mod generated;
mod ids;
mod open_enum;
mod operation;
pub mod read;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod transport;
pub mod types;

pub use ids::{AccountId, Environment, IdError, SessionId, TransactionId};
