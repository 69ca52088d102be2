//! The client of one revision, as far as it reads: the generated types, and the crate's own reader.

mod generated {
    #![allow(warnings, clippy::all)]

    pub mod types {
        include!("generated/types.rs");
    }
    // What is sent is not made here.
    pub mod construct {}
    pub mod enums {
        include!("generated/enums.rs");
    }
    pub mod choices {
        include!("generated/choices.rs");
    }
}
#[allow(dead_code)]
pub mod ids;
mod operations;
#[allow(dead_code)]
pub mod read;
#[allow(dead_code)]
pub mod types;

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

fn told(skipped_fields: Vec<read::SkippedField>) -> Vec<SkippedField> {
    skipped_fields.into_iter().map(|gone| (gone.path.to_string(), gone.value, gone.expected)).collect()
}

/// Reads one object, as a client does for a call that gives one.
fn one<T: DeserializeOwned + Serialize>(body: &[u8]) -> Back {
    let read = read::from_slice::<T>(body).map_err(|error| error.to_string())?;
    Ok((serde_json::to_value(&read.value).map_err(|error| error.to_string())?, told(read.skipped_fields)))
}

/// Reads a list, as a client does for a page.
fn list<T: DeserializeOwned + Serialize>(body: &[u8]) -> Back {
    let read = read::list_from_slice::<T>(body).map_err(|error| error.to_string())?;
    if let Some(row) = read.unreadable.first() {
        return Err(row.error.to_string());
    }
    let mut rows = Vec::new();
    let mut skipped_fields = Vec::new();
    for row in read.rows {
        rows.push(serde_json::to_value(&row.value).map_err(|error| error.to_string())?);
        skipped_fields.extend(told(row.skipped_fields));
    }
    Ok((Value::Array(rows), skipped_fields))
}
