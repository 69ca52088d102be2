//! What tasks write to standard output.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _, stdout};

use anyhow::{Context as _, Result};

/// Prints what a task reports.
///
/// # Errors
/// When it cannot be written. That the reader has had enough is no error: the status still tells.
pub fn print(text: impl Display) -> Result<()> {
    match write!(stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the report"),
    }
}

/// Prints a line of what a task reports.
///
/// # Errors
/// As [`print()`].
pub fn print_line(text: impl Display) -> Result<()> {
    print(format_args!("{text}\n"))
}
