#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod generated;
mod open_enum;
mod operation;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod transport;
pub mod types;
