//! Errors that are collected, so that whoever repairs something sees the whole work at once.

use anyhow::{Error, Result, bail};

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<String>,
}

impl Problems {
    /// The value, or nothing and a problem more.
    pub fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(&error)).ok()
    }

    /// Adds a problem, its causes behind it.
    pub fn add(&mut self, error: &Error) {
        self.found.push(format!("{error:#}"));
    }

    /// Adds several.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = String>) {
        self.found.extend(problems);
    }

    /// `value` when there is no problem, and otherwise all of them in one error, a line each.
    ///
    /// # Errors
    /// When there is a problem.
    pub fn settle<T>(self, value: T) -> Result<T> {
        match self.found.as_slice() {
            [] => Ok(value),
            [only] => bail!("{only}"),
            several => bail!("{} problems\n  {}", several.len(), several.join("\n  ")),
        }
    }
}
