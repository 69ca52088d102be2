//! The client of one revision, as far as it reads: the generated types, and the crate's own reader.
//!
//! The modules are private, so that nothing but what reading uses is compiled to machine code. A response is read as a
//! tree: that the crate reads a text in the same way is for its own tests to show, and would double the code.

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

fn told(skipped_fields: Vec<read::SkippedField>) -> Vec<SkippedField> {
    skipped_fields.into_iter().map(|gone| (gone.path.to_string(), gone.value, gone.expected)).collect()
}

/// Reads one object, as a client does for a call that gives one.
fn one<T: DeserializeOwned + Serialize>(body: &Value) -> Back {
    let read = read::from_value::<T>(body.clone()).map_err(|error| error.to_string())?;
    Ok((serde_json::to_value(&read.value).map_err(|error| error.to_string())?, told(read.skipped_fields)))
}

/// Reads a list row by row, as a client does for a page.
fn list<T: DeserializeOwned + Serialize>(body: &Value) -> Back {
    let Value::Array(values) = body else { return Err("a list was expected".to_owned()) };
    let mut rows = Vec::new();
    let mut skipped_fields = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let (row, gone) = one::<T>(value)?;
        rows.push(row);
        // Told from the row; in the list it stands below the place of the row.
        let below = gone.into_iter().map(|(path, value, expected)| (format!("$[{index}]{}", &path[1..]), value, expected));
        skipped_fields.extend(below);
    }
    Ok((Value::Array(rows), skipped_fields))
}
