//! The error body of the service, read as leniently as it is written, and kept within bounds.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// How much of a message is kept, in bytes.
const KEPT_MESSAGE: usize = 4 * 1024;
/// The longest error code that is taken for one, in bytes: cut, it would be another.
const LONGEST_CODE: usize = 128;
/// The longest text of nested errors that is kept as values, in bytes: a value takes many times its text.
const KEPT_ERRORS: usize = 16 * 1024;

/// What an error body says. A gateway in between may respond with HTML or with nothing, so all of it is optional.
#[derive(Clone, Default)]
pub(crate) struct ApiBody {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) errors: Vec<Value>,
}

/// The members of an error body, as they are spelled.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

impl ApiBody {
    /// Reads `{"error": {"code", "message", "errors"}}`, and what stands in its place: the members at the
    /// top level, or `error` as a plain text. Anything else gives an empty body, never an error of its own.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Some(outer) = members(body) else { return Self::default() };
        match outer.error.map(RawValue::get) {
            Some(inner) if inner.starts_with('{') => members(inner.as_bytes()).map(Self::of).unwrap_or_default(),
            Some(text) if text.starts_with('"') => Self::of(Members { message: outer.error, ..outer }),
            _ => Self::of(outer),
        }
    }

    fn of(members: Members<'_>) -> Self {
        let errors = members.errors.map(RawValue::get).filter(|text| text.len() <= KEPT_ERRORS);
        let mut errors = match errors.and_then(|text| serde_json::from_str(text).ok()) {
            Some(Value::Array(errors)) => errors,
            None | Some(Value::Null) => Vec::new(),
            Some(other) => vec![other],
        };
        errors.shrink_to_fit();
        Self::new(members.code.and_then(text), members.message.and_then(text), errors)
    }

    pub(crate) fn new(code: Option<String>, message: Option<String>, errors: Vec<Value>) -> Self {
        let code = code.filter(|code| code.len() <= LONGEST_CODE);
        Self { code, message: message.map(|message| beginning(&message).to_owned()), errors }
    }
}

/// Reads an object. A list is none, though serde would read it as one by position.
fn members(json: &[u8]) -> Option<Members<'_>> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(json).ok()).flatten()
}

fn beginning(message: &str) -> &str {
    (0..=KEPT_MESSAGE).rev().find_map(|end| message.get(..end)).unwrap_or(message)
}

fn text(value: &RawValue) -> Option<String> {
    match value.get() {
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Some(number.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<String>, Option<String>, usize) {
        let body = ApiBody::read(body.as_bytes());
        (body.code, body.message, body.errors.len())
    }

    #[test]
    fn the_documented_form_and_its_relatives_are_read() {
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(read(r#"{"error":{"code":"E1","message":"no","errors":[1,{"a":2}]}}"#), (some("E1"), some("no"), 2));
        assert_eq!(read(r#"{"error":{"message":"no"}}"#), (None, some("no"), 0));
        assert_eq!(read(r#"{"error":{"code":17,"message":"no","errors":{"a":1}}}"#), (some("17"), some("no"), 1));
        assert_eq!(read(r#"{"error":{"code":-1,"message":null,"errors":null}}"#), (some("-1"), None, 0));
        assert_eq!(read(r#"{"error":"no","code":"E1","errors":["a"]}"#), (some("E1"), some("no"), 1));
        assert_eq!(read(r#"{"message":"Forbidden","code":true}"#), (None, some("Forbidden"), 0));
        assert_eq!(read(r#"{"error":5,"message":"no"}"#), (None, some("no"), 0), "a number is no message");
    }

    #[test]
    fn anything_else_is_an_empty_body() {
        for body in ["", "<html>", "null", "[]", "7", r#"{"error":null}"#, r#"{"error":[]}"#, r#"["no","no","no"]"#] {
            assert_eq!(read(body), (None, None, 0), "{body}");
        }
    }

    #[test]
    fn each_part_is_kept_within_its_bound() {
        let error = |code: usize, message: usize, errors: usize| {
            // Two bytes each, so that a bound in bytes falls into one.
            let (code, message) = ("c".repeat(code), format!("a{}", "ø".repeat(message)));
            let body = serde_json::json!({ "error": {
                "code": code, "message": message, "errors": ["e".repeat(errors)], "other": "o".repeat(1 << 20),
            } });
            let read = ApiBody::read(body.to_string().as_bytes());
            (read.code.map(|code| code.len()), read.message.map(|message| message.len()), read.errors.len())
        };
        assert_eq!(error(128, 2047, 16_380), (Some(128), Some(4095), 1));
        assert_eq!(error(129, 2048, 16_381), (None, Some(4095), 0));
        assert_eq!(error(1 << 20, 1 << 20, 1 << 20), (None, Some(4095), 0));
        let short = ApiBody::new(None, Some("a".repeat(4096)), Vec::new());
        assert_eq!(short.message.map(|message| message.len()), Some(4096));
    }
}
