//! The sandbox's own responses, held against the published interface: what it generates should be
//! what the documents say. Only on demand, since it costs as much as the calls themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::contract::{Problem, components, document, resolve};
use super::schema::{Components, problems, unknown};
use crate::operation::Operation;

type Compiled = HashMap<(Operation, u16), Result<Arc<Validator>, String>>;

/// What is wrong with a response, and which of its fields are in no document.
pub(crate) fn check(operation: Operation, status: u16, body: &Value) -> Vec<Problem> {
    static COMPILED: OnceLock<Mutex<Compiled>> = OnceLock::new();
    let validator = COMPILED
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry((operation, status))
        .or_insert_with(|| compile(operation, status).map(Arc::new))
        .clone();
    let validator = match validator {
        Ok(validator) => validator,
        Err(error) => return vec![Problem::new("document", error)],
    };
    // The documents list what payment products put into metadata; what merchants do is their business.
    let unknown = unknown(&validator, body).into_iter().filter(|path| !path.contains("/metadata/"));
    let unknown = unknown.map(|path| (path, "the documents have no such field".to_owned()));
    let found = problems(&validator, body).into_iter().chain(unknown);
    found.map(|(path, message)| Problem::new(format!("body{path}"), message)).collect()
}

fn compile(operation: Operation, status: u16) -> Result<Validator, String> {
    let schema = match (operation, status) {
        (Operation::CreateSession, _) => published(Operation::CreateSessionFromProfile, status)?,
        (Operation::ListSessions, 200) => json!({ "type": "array", "items": published(Operation::GetSession, 200)? }),
        (Operation::ListSessions, _) => published(Operation::GetSession, status)?,
        _ => published(operation, status)?,
    };
    components()?.compile(&Components::translate(&schema))
}

fn published(operation: Operation, status: u16) -> Result<Value, String> {
    let document = document()?;
    let responses = document
        .get("paths")
        .and_then(|paths| paths.get(operation.path()))
        .and_then(|path| path.get(operation.method().to_ascii_lowercase()))
        .and_then(|operation| operation.get("responses"));
    responses
        .and_then(|responses| responses.get(status.to_string()).or_else(|| responses.get("default")))
        .map(|response| resolve(document, response))
        .and_then(|response| response.pointer("/content/application~1json/schema"))
        .cloned()
        .ok_or_else(|| format!("{operation} has no response {status}"))
}
