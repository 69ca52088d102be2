//! Sums and checks of money: what a transaction has captured and refunded, whether an order adds up, what its lines make,
//! and what a part of a line is.
//!
//! All amounts are integers in minor units (33890 is 338.90 NOK) and all arithmetic is checked. Rules that concern
//! one field live in `check`.

mod lines;
mod order;
mod part;
mod sums;

pub use order::{Line, OrderError};
pub use part::PartError;
pub use sums::SumError;
