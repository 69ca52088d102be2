//! Sums and checks of money: what a transaction has captured and refunded, and whether an order adds up.
//!
//! All amounts are integers in minor units (33890 is 338.90 NOK) and all arithmetic is checked. Rules that concern
//! one field live in `check`.

mod order;
mod sums;

pub use order::{Line, OrderError};
pub use sums::SumError;
