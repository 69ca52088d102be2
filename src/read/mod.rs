//! Reading responses leniently: one field that is not what we know costs that field, not the response.
//!
//! The ordinary path reads the text straight into the type. Only when that fails is the JSON read again, once: a field,
//! an entry of a list or of a map that cannot be read is left out where the type can do without it, and reported with
//! its path and value. Sums of money and their currency are never left out where they are required: a
//! response with an unreadable `amount` is an error that names it. Which fields a type can do without, the generated
//! types say themselves, see `object` and `field`; how they are read, see `reader`.
//!
//! Sending is the opposite: a request that breaks a rule of the interface is refused.

mod field;
mod notes;
pub(crate) mod object;
mod path;
mod reader;

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use notes::Notes;
pub use path::JsonPath;
use path::Step;
pub(crate) use path::is_identifier;
use reader::Reader;

/// A value that was read, and what had to be left out of it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// Fields that are not of the type that this version of the crate knows. Empty for an ordinary response.
    pub skipped_fields: Vec<SkippedField>,
}

impl<T> Read<T> {
    /// A value that was read as it is.
    fn whole(value: T) -> Self {
        Self { value, skipped_fields: Vec::new() }
    }
}

/// A field that a response was read without.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SkippedField {
    /// Where it stood.
    pub path: JsonPath,
    /// What stood there.
    pub value: Value,
    /// What was expected instead.
    pub expected: String,
}

/// A response, or a row of one, that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{problem} at {path}")]
#[non_exhaustive]
pub struct Unreadable {
    /// Where reading stopped.
    pub path: JsonPath,
    /// What is wrong there. It holds names and types, and nothing of what the response says.
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

/// A row that is read as it is, where it stays: rows are large, and moving them takes as long as reading some fields.
struct Row<T>(Read<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Row<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Read::whole(value)))
    }
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

/// Reads a JSON text: the body of a response, or of a callback.
///
/// What can be left out of a type of this crate is left out and reported; a type of your own is read as it says. It cannot
/// hold a [`RawValue`](serde_json::value::RawValue), since that is known to the deserializer of `serde_json` alone.
///
/// # Errors
/// When it is not JSON in UTF-8, or lacks a field that the type requires.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<Read<T>, Unreadable> {
    let text = utf8(json)?;
    match from_text(text) {
        Some(value) => Ok(Read::whole(value)),
        None => lenient(&to_text(&parse(text)?)?, &JsonPath::root()),
    }
}

/// Reads a JSON tree.
///
/// # Errors
/// As [`from_slice`].
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<Read<T>, Unreadable> {
    read_value(&value, &JsonPath::root())
}

/// Reads a JSON list row by row: a row that cannot be read does not take the others with it.
///
/// # Errors
/// When it is not a JSON list.
pub fn list_from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<Rows<T>, Unreadable> {
    let text = utf8(json)?;
    if let Some(rows) = from_text::<Vec<Row<T>>>(text) {
        let total = rows.len();
        return Ok(Rows { rows: rows.into_iter().map(|row| row.0).collect(), unreadable: Vec::new(), total });
    }
    let Value::Array(values) = parse(text)? else {
        return Err(Unreadable { path: JsonPath::root(), problem: "a list was expected".to_owned() });
    };
    let mut out = Rows { rows: Vec::new(), unreadable: Vec::new(), total: values.len() };
    for (index, value) in values.into_iter().enumerate() {
        match read_value(&value, &JsonPath::root().index(index)) {
            Ok(row) => out.rows.push(row),
            Err(error) => out.unreadable.push(UnreadableRow { index, error, value }),
        }
    }
    Ok(out)
}

/// Reads a part of a response that is read whole or kept as it came.
pub(crate) fn whole<T: DeserializeOwned>(object: &serde_json::Map<String, Value>) -> Option<T> {
    from_text(&serde_json::to_string(object).ok()?)
}

/// Reads a text in which nothing is to be left out.
fn from_text<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let mut text = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(Reader::new(&mut text, &Notes::default())).ok()?;
    text.end().ok()?;
    Some(value)
}

fn read_value<T: DeserializeOwned>(value: &Value, base: &JsonPath) -> Result<Read<T>, Unreadable> {
    let text = to_text(value)?;
    match from_text(&text) {
        Some(value) => Ok(Read::whole(value)),
        None => lenient(&text, base),
    }
}

/// Writes the text that a lenient reading reads: every name of an object stands once in it, however the response was.
fn to_text(value: &Value) -> Result<String, Unreadable> {
    let problem = |_| Unreadable { path: JsonPath::root(), problem: "it cannot be written as JSON".to_owned() };
    serde_json::to_string(value).map_err(problem)
}

/// Reads a text in one go, and notes what is left out. Paths are reported below `base`.
fn lenient<T: DeserializeOwned>(text: &str, base: &JsonPath) -> Result<Read<T>, Unreadable> {
    let notes = Notes::lenient();
    match T::deserialize(Reader::new(&mut serde_json::Deserializer::from_str(text), &notes)) {
        Ok(value) => {
            let skipped = notes.into_skipped().into_iter().filter_map(|part| {
                // `null` in a map says that there is nothing: that is what leaving the entry out says too.
                let is_absent = part.value.is_null() && matches!(part.path.last(), Some(Step::Field(_)));
                let path = base.below(&part.path);
                (!is_absent).then_some(SkippedField { path, value: part.value, expected: part.expected })
            });
            Ok(Read { value, skipped_fields: skipped.collect() })
        }
        Err(error) => {
            let (path, problem) = notes.into_failure(&error);
            Err(Unreadable { path: base.below(&path), problem })
        }
    }
}

/// Checks once that a text is one; string by string, that would be a tenth of the reading.
fn utf8(json: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(json).map_err(|error| Unreadable {
        path: JsonPath::root(),
        problem: format!("it is not UTF-8, at byte {}", error.valid_up_to()),
    })
}

fn parse(json: &str) -> Result<Value, Unreadable> {
    serde_json::from_str(json).map_err(|error| Unreadable {
        path: JsonPath::root(),
        // Line and column, and not the error's text, which can quote the response.
        problem: format!("it is not JSON, at line {} column {}", error.line(), error.column()),
    })
}

// What a response says may be a customer's: debug output shows where, not what.

impl<T> fmt::Debug for Read<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").field("skipped_fields", &self.skipped_fields).finish_non_exhaustive()
    }
}

impl fmt::Debug for SkippedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SkippedField");
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

#[cfg(test)]
mod tests;
