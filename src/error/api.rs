//! The error body of the service, read as leniently as it is written.

use serde_json::Value;

/// What an error body says. Gateways in between answer with HTML or nothing, so all of it is optional.
#[derive(Clone, Default)]
pub(crate) struct ApiBody {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) errors: Vec<Value>,
}

impl ApiBody {
    /// Reads `{"error": {"code", "message", "errors"}}`, and what stands in its place: the members at the
    /// top level, or `error` as a plain text. Anything else gives an empty body, never an error of its own.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        match value.get("error") {
            Some(Value::String(message)) => Self { message: Some(message.clone()), ..Self::members(&value) },
            Some(inner @ Value::Object(_)) => Self::members(inner),
            _ => Self::members(&value),
        }
    }

    fn members(value: &Value) -> Self {
        Self {
            code: value.get("code").and_then(text),
            message: value.get("message").and_then(text),
            errors: match value.get("errors") {
                Some(Value::Array(errors)) => errors.clone(),
                None | Some(Value::Null) => Vec::new(),
                Some(other) => vec![other.clone()],
            },
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
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
        assert_eq!(read(r#"{"error":"no"}"#), (None, some("no"), 0));
        assert_eq!(read(r#"{"message":"Forbidden"}"#), (None, some("Forbidden"), 0));
    }

    #[test]
    fn anything_else_is_an_empty_body() {
        for body in ["", "<html>", "null", "[]", "7", r#"{"error":null}"#, r#"{"error":[]}"#] {
            assert_eq!(read(body), (None, None, 0), "{body}");
        }
    }
}
