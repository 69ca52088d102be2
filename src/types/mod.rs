//! What is sent to the interface and what it answers.
//!
//! Most of it is generated from `spec/dintero.json`; the types that stand for a rule of ours are here: [`Decimal`],
//! [`Currency`], [`Sensitive`], [`StringOrNumber`], [`RawObject`].
//!
//! - Sums of money are `i64` in minor units (33890 is 338.90 NOK).
//! - Enums are open: a new value is read, kept and written back.
//! - A type with required fields has `new`, which takes them; the rest is set by name:
//!   `CaptureRequest { final_capture: Some(true), ..CaptureRequest::new(29_990) }`. A type without has `Default`.
//! - New fields are added in minor releases: always end a struct literal with `..`.

mod currency;
mod decimal;
mod open_enum;
mod raw;
mod sensitive;

pub use crate::generated::choices::*;
pub use crate::generated::enums::*;
pub use crate::generated::types::*;
pub use crate::ids::{SessionId, TransactionId};
pub use currency::Currency;
pub use decimal::{Decimal, DecimalError};
pub(crate) use open_enum::{open_enum, tagged_enum};
pub use raw::{RawObject, StringOrNumber};
pub(crate) use raw::{read_text, write_tagged};
pub use sensitive::Sensitive;
