//! The client of one revision, as far as it reads: the generated types, and the crate's own reader.
//!
//! The modules are private, so that nothing but what reading uses is compiled to machine code.

mod generated {
    #![allow(warnings, clippy::all)]

    pub mod types {
        include!("generated/types.rs");
    }
    // What is sent is not made here.
    pub mod construct {}
    mod reading {
        use crate::types::*;

        include!("generated/reading.rs");
    }
    mod debug {
        use crate::types::*;

        include!("generated/debug.rs");
    }
    pub mod enums {
        include!("generated/enums.rs");
    }
    pub mod choices {
        include!("generated/choices.rs");
    }
}
#[allow(dead_code, unused_imports)]
mod ids;
mod operations;
#[allow(dead_code, unused_imports)]
mod read;
#[allow(dead_code, unused_imports)]
mod types;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use operations::read;

/// What is generated of the revision.
pub const SURFACE: &str = include_str!("generated/surface.json");

/// What was skipped: its place as a JSONPath, its value, and what was expected instead.
pub type SkippedField = (String, Value, String);

/// A response that was read: written back, and what was skipped.
pub type Back = Result<(Value, Vec<SkippedField>), String>;

/// The place of a field below another, as [`SkippedField`] names it.
pub fn field(name: &str) -> String {
    read::JsonPath::root().field(name).to_string()[1..].to_owned()
}

/// Reads one object, as a client does for a call that gives one.
fn one<T: DeserializeOwned + Serialize>(body: &str) -> Back {
    back(read::from_slice::<T>(body.as_bytes()).map_err(|error| error.to_string())?)
}

/// Reads a list row by row, as a client does for a page.
fn list<T: DeserializeOwned + Serialize>(body: &str) -> Back {
    let read = read::list_from_slice::<T>(body.as_bytes()).map_err(|error| error.to_string())?;
    if let Some(row) = read.unreadable.first() {
        return Err(row.error.to_string());
    }
    let rows: Result<Vec<_>, String> = read.rows.into_iter().map(back).collect();
    let (rows, skipped): (Vec<_>, Vec<_>) = rows?.into_iter().unzip();
    Ok((Value::Array(rows), skipped.concat()))
}

fn back<T: Serialize>(read: read::Read<T>) -> Back {
    let value = serde_json::to_value(&read.value).map_err(|error| error.to_string())?;
    let told = |gone: read::SkippedField| (gone.path.to_string(), gone.value, gone.expected);
    Ok((value, read.skipped_fields.into_iter().map(told).collect()))
}
