//! What of an error is printed, by `Display` and by `Debug`: much less than it holds.
//!
//! What the service itself wrote is made fit to print in `shown`.

use std::fmt;

use super::{CallId, Error};
use crate::read::JsonPath;

/// A text from outside, printed only if it has the form of a name or an id.
pub(crate) fn printable_id(text: &str) -> Option<&str> {
    let fits =
        (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:=/".contains(&b));
    fits.then_some(text)
}

/// An error code as it may be printed: a name. One that is all digits and as long as a card or phone
/// number is not.
fn printable_code(text: &str) -> Option<&str> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    printable_id(text).filter(|_| digits <= 6)
}

/// A JSON path without the names that stand in quotes, since a map's key can be anything.
pub(crate) fn printable_path(path: &JsonPath) -> String {
    let text = path.to_string();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, quoted)) = rest.split_once("['") {
        out.push_str(before);
        out.push_str("[*]");
        // A quote inside a name is escaped.
        let mut escaped = false;
        let end = quoted.find(|c: char| {
            let ends = c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = end.and_then(|end| quoted.get(end..)).and_then(|tail| tail.strip_prefix("']")).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        if let Some(call) = inner.call {
            write!(f, "{}: ", call.name())?;
        }
        f.write_str(&inner.detail)?;
        if let Some(path) = &inner.path {
            write!(f, " at {}", printable_path(path))?;
        }
        if let Some(status) = inner.status {
            write!(f, ", status {}", status.as_u16())?;
        }
        if let Some(code) = self.code().and_then(printable_code) {
            write!(f, ", code {code}")?;
        }
        if let Some(shown) = &inner.shown {
            write!(f, ": {shown}")?;
        }
        if inner.call.is_some() {
            write!(f, " ({}", inner.outcome)?;
            if inner.attempts > 1 {
                write!(f, ", {} attempts", inner.attempts)?;
            }
            if let Some(id) = self.request_id().and_then(printable_id) {
                write!(f, ", request {id}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("detail", &inner.detail)
            .field("operation", &inner.call.map(CallId::name))
            .field("status", &inner.status.map(|status| status.as_u16()))
            .field("code", &self.code().and_then(printable_code))
            .field("message", &inner.shown)
            .field("path", &inner.path.as_ref().map(printable_path))
            .field("outcome", &inner.outcome)
            .field("attempts", &inner.attempts)
            .field("elapsed", &inner.elapsed)
            .field("retry_after", &inner.retry_after)
            .field("request_id", &self.request_id().and_then(printable_id))
            .field("body_bytes", &inner.body.len())
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_id_has_the_form_of_one() {
        for id in ["r-1", "a:b=c/d_e.f", &"x".repeat(128)] {
            assert_eq!(printable_id(id), Some(id));
        }
        for id in ["", "a b", "jane@example.com", "\n", &"x".repeat(129)] {
            assert_eq!(printable_id(id), None, "{id}");
        }
    }

    #[test]
    fn a_printed_path_holds_identifiers_only() {
        let path = |names: &[&str]| names.iter().fold(JsonPath::root(), |path, name| path.field(*name));
        assert_eq!(printable_path(&path(&["events"]).index(2).field("amount")), "$.events[2].amount");
        assert_eq!(printable_path(&path(&["metadata", "jane@example.com", "x"])), "$.metadata[*].x");
        assert_eq!(printable_path(&path(&["4799999999"])), "$[*]");
        assert_eq!(printable_path(&path(&["a']['b@c", "d\\'e", "f"])), "$[*][*].f");
    }
}
