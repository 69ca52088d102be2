//! A client of one revision, reading answers of later ones: `cargo xtask timetravel` copies this file beside the types
//! that `build.rs` makes of the revision, and beside the reader of the crate, and builds the lot.
//!
//! On stdin, two lines for each answer: what it is (`Header`), and its JSON. On stdout, in the end, what came of them.
//! An answer is read as the crate does it, written back, and compared value by value with what came: only what the
//! revision's document does not know, and what was reported as set aside, may be missing.

mod compare;
mod generated {
    #![allow(warnings, clippy::all)]

    pub mod types {
        include!("generated/types.rs");
    }
    pub mod construct {
        use std::collections::BTreeMap;

        use chrono::{DateTime, NaiveDate, Utc};
        use serde_json::Map;

        use crate::types::*;

        include!("generated/construct.rs");
        include!("generated/builders.rs");
    }
    pub mod enums {
        include!("generated/enums.rs");
    }
    pub mod choices {
        include!("generated/choices.rs");
    }
}
#[allow(dead_code)]
mod ids;
#[path = "operations.rs"]
mod operations;
#[allow(dead_code)]
pub mod read;
#[allow(dead_code)]
pub mod types;

use std::collections::BTreeMap;
use std::io::BufRead as _;

use compare::{Comparison, Known};
use read::{JsonPath, SetAside};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Header {
    operation: String,
    enums: Vec<String>,
    /// Whether it is put together of documented examples.
    documented: bool,
}

/// What came of all answers.
#[derive(Default, Serialize)]
struct Outcome {
    read: usize,
    /// Answers that could not be read, and rows of lists.
    failed: Vec<String>,
    /// By place, with what came there and what was expected, how often something was set aside.
    set_aside: BTreeMap<String, usize>,
    /// The same of documented examples, which need not fit their own schemas.
    examples_set_aside: BTreeMap<String, usize>,
    #[serde(flatten)]
    comparison: Comparison,
}

/// An answer that was read: written back, and what was set aside.
pub(crate) type Back = Result<(Value, Vec<SetAside>), String>;

fn main() {
    let document: Value = serde_json::from_str(include_str!("dintero.json")).expect("the document is JSON");
    let mut lines = std::io::stdin().lock().lines();
    let mut outcome = Outcome::default();
    while let (Some(header), Some(body)) = (lines.next(), lines.next()) {
        let header: Header = serde_json::from_str(&header.expect("stdin can be read")).expect("a header");
        let body = body.expect("stdin can be read");
        take(&document, &header, &body, &mut outcome);
    }
    println!("{}", serde_json::to_string(&outcome).expect("the outcome can be written"));
}

fn take(document: &Value, header: &Header, body: &str, outcome: &mut Outcome) {
    let (back, set_aside) = match operations::read(&header.operation, body.as_bytes()) {
        Ok(found) => found,
        Err(problem) => {
            outcome.failed.push(format!("{}: {problem}", header.operation));
            return;
        }
    };
    outcome.read += 1;
    for gone in &set_aside {
        let counts = if header.documented { &mut outcome.examples_set_aside } else { &mut outcome.set_aside };
        let what = format!("{}: {}, not {}", compare::place(&gone.path), kind(&gone.value), gone.expected);
        *counts.entry(what).or_default() += 1;
    }
    let input: Value = serde_json::from_str(body).expect("an answer is JSON");
    let known = Known::of_answer(document, &header.operation);
    outcome.comparison.compare(&input, &back, &known, &set_aside, &header.enums);
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Reads one object, as a client does for a call that answers one.
pub(crate) fn one<T: DeserializeOwned + Serialize>(body: &[u8]) -> Back {
    let read = read::from_slice::<T>(body).map_err(|error| error.to_string())?;
    Ok((serde_json::to_value(&read.value).map_err(|error| error.to_string())?, read.set_aside))
}

/// Reads a list, as a client does for a page.
pub(crate) fn list<T: DeserializeOwned + Serialize>(body: &[u8]) -> Back {
    let read = read::list_from_slice::<T>(body).map_err(|error| error.to_string())?;
    if let Some(row) = read.unreadable.first() {
        return Err(row.error.to_string());
    }
    let mut rows = Vec::new();
    let mut set_aside = Vec::new();
    for row in read.rows {
        rows.push(serde_json::to_value(&row.value).map_err(|error| error.to_string())?);
        set_aside.extend(row.set_aside);
    }
    Ok((json!(rows), set_aside))
}

/// The place of the whole answer.
pub(crate) fn root() -> JsonPath {
    JsonPath::root()
}
