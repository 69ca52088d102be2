//! Reading answers leniently: one field that is not what we know costs that field, not the answer.
//!
//! The ordinary path is plain serde. Only when that fails is the JSON looked at as a tree: the field at the failing
//! path is repaired where nothing is lost by it, or set aside, and the tree is read again. What was set aside is
//! reported with its path and value. Sums of money and their currency are never set aside where they are required:
//! an answer with an unreadable `amount` is an error that names it.
//!
//! Sending is the opposite, see [`crate::check`].

mod path;
mod repair;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use path::JsonPath;

/// A value that was read, and what had to be left out of it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// Fields that are not of the type that this version of the crate knows. Empty for an ordinary answer.
    pub set_aside: Vec<SetAside>,
}

/// A field that an answer was read without.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SetAside {
    /// Where it stood.
    pub path: JsonPath,
    /// What stood there.
    pub value: Value,
    /// What was expected instead.
    pub expected: String,
}

/// An answer, or a row of one, that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("cannot read the JSON at {path}: {problem}")]
#[non_exhaustive]
pub struct Unreadable {
    /// Where reading stopped.
    pub path: JsonPath,
    /// What is wrong there. It holds names and types, and nothing of what the answer says.
    pub problem: String,
}

/// A list of which some rows could not be read.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Rows<T> {
    /// The rows that could be read, in their order; `path`s are those in the whole list.
    pub rows: Vec<Read<T>>,
    /// The rows that could not be read, with their JSON.
    pub unreadable: Vec<UnreadableRow>,
    /// How many rows the list had.
    pub total: usize,
}

/// A row that could not be read.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct UnreadableRow {
    /// Its place in the list, from 0.
    pub index: usize,
    /// Why.
    pub error: Unreadable,
    /// Its JSON.
    pub value: Value,
}

/// Reads a JSON text: the body of an answer, or of a callback.
///
/// # Errors
/// When it is not JSON, or misses something that the type is worthless without.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<Read<T>, Unreadable> {
    match serde_json::from_slice(json) {
        Ok(value) => Ok(Read { value, set_aside: Vec::new() }),
        Err(_) => repair::read(&mut parse(json)?, &JsonPath::root()),
    }
}

/// Reads a JSON tree.
///
/// # Errors
/// As [`from_slice`].
pub fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<Read<T>, Unreadable> {
    repair::read(&mut value, &JsonPath::root())
}

/// Reads a JSON list row by row: a row that cannot be read does not take the others with it.
///
/// # Errors
/// When it is not a JSON list.
pub fn list_from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<Rows<T>, Unreadable> {
    if let Ok(values) = serde_json::from_slice::<Vec<T>>(json) {
        let total = values.len();
        let rows = values.into_iter().map(|value| Read { value, set_aside: Vec::new() }).collect();
        return Ok(Rows { rows, unreadable: Vec::new(), total });
    }
    let Value::Array(values) = parse(json)? else {
        return Err(Unreadable { path: JsonPath::root(), problem: "a list was expected".to_owned() });
    };
    let mut out = Rows { rows: Vec::new(), unreadable: Vec::new(), total: values.len() };
    for (index, value) in values.into_iter().enumerate() {
        let path = JsonPath::root().index(index);
        match repair::read(&mut value.clone(), &path) {
            Ok(row) => out.rows.push(row),
            Err(error) => out.unreadable.push(UnreadableRow { index, error, value }),
        }
    }
    Ok(out)
}

fn parse(json: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(json).map_err(|error| Unreadable {
        path: JsonPath::root(),
        // Line and column, and not the error's text, which can quote the answer.
        problem: format!("it is not JSON, at line {} column {}", error.line(), error.column()),
    })
}

// What an answer says may be a customer's: debug output shows where, not what.

impl<T> fmt::Debug for Read<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").field("set_aside", &self.set_aside).finish_non_exhaustive()
    }
}

impl fmt::Debug for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SetAside");
        out.field("path", &self.path).field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Rows");
        out.field("rows", &self.rows).field("unreadable", &self.unreadable).field("total", &self.total).finish()
    }
}

impl fmt::Debug for UnreadableRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("UnreadableRow");
        out.field("index", &self.index).field("error", &self.error).finish_non_exhaustive()
    }
}
