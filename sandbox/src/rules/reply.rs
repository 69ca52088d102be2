//! What a call comes to: a response with a status and a body, or an error in the API's shape.

use serde_json::{Value, json};

use super::contract::Problem;
use crate::state::ledger::Refusal;

/// A response before it becomes bytes.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) const fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refusal: `{"error": {"code", "message", "errors"}}`.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: u16,
    code: &'static str,
    message: String,
    errors: Vec<Value>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: Vec::new() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequestParameter", message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "Unauthorized", message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "NotFound", format!("no such {what}"))
    }

    /// A request that breaks the published interface; the message names the first offence.
    pub(crate) fn invalid(problems: &[Problem]) -> Self {
        let message = match problems.first() {
            Some(first) => format!("{}: {}", first.path, first.message),
            None => "invalid request".to_owned(),
        };
        Self {
            errors: problems
                .iter()
                .map(|problem| json!({ "path": problem.path, "message": problem.message }))
                .collect(),
            ..Self::bad_request(message)
        }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut error = json!({ "code": self.code, "message": self.message });
        if !self.errors.is_empty()
            && let Some(error) = error.as_object_mut()
        {
            error.insert("errors".into(), self.errors.into());
        }
        Reply { status: self.status, headers: Vec::new(), body: json!({ "error": error }) }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AuthorizationFinal => Self::new(409, "Conflict", refusal.to_string()),
            _ => Self::new(400, "InvalidOperation", refusal.to_string()),
        }
    }
}
