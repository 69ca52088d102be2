//! The types of requests and responses.
//!
//! Most of it is generated from `spec/dintero.json`; the types that stand for a rule of ours are here: [`Decimal`],
//! [`Currency`], [`Sensitive`], [`StringOrNumber`], [`RawObject`].
//!
//! - Sums of money are `i64` in minor units (33890 is 338.90 NOK).
//! - Enums are open: a new value is read, kept and written back. A text is converted by `parse`, which refuses a value
//!   that is not listed; `Unknown` sends it all the same.
//! - What is sent is made by `new`, which takes what the type requires, and by a method for each other field:
//!   `CaptureRequest::new(29_990).final_capture(true)`. A type that requires much has a builder, which takes it by name:
//!   `ShippingOption::builder()`.
//! - What only the service makes has no constructor. A test makes it of JSON, by `serde_json::from_value`.
//! - Ids and times have types of their own. One of an unknown form costs that field and is reported, as any field does
//!   that cannot be read.
//! - `Debug` shows which fields are there. Of texts, days and decimal numbers it shows the value only where the field is
//!   on a list of harmless ones, such as references and statuses; what may be about a person reads `[redacted]`.
//! - New fields are added in minor releases, so structs cannot be written as literals.

mod builder;
mod currency;
mod decimal;
mod open_enum;
mod raw;
pub(crate) mod redact;
mod sensitive;

pub use crate::generated::choices::*;
pub use crate::generated::construct::*;
pub use crate::generated::enums::*;
pub use crate::generated::types::*;
pub use crate::ids::{SessionId, TransactionId};
pub use builder::Missing;
pub(crate) use builder::builder;
pub use currency::Currency;
pub use decimal::{Decimal, DecimalError};
pub use open_enum::UnknownValue;
pub(crate) use open_enum::{open_enum, tagged_enum};
pub use raw::{RawObject, StringOrNumber};
pub(crate) use raw::{read_text, write_tagged};
pub use sensitive::Sensitive;
