#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod generated;
mod open_enum;
mod operation;
mod transport;
pub mod types;
