//! The sandbox's own answers, held against the published interface: what it makes up should be
//! what the documents say. Only on demand, since it costs as much as the calls themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::contract::{Problem, components, document, resolve};
use super::operation::Operation;
use super::unknown;

struct Answer {
    schema: Value,
    validator: Validator,
}

type Compiled = HashMap<(Operation, u16), Result<Arc<Answer>, String>>;

/// What is wrong with an answer, and which of its fields are in no document.
pub(super) fn check(operation: Operation, status: u16, body: &Value) -> Vec<Problem> {
    static COMPILED: OnceLock<Mutex<Compiled>> = OnceLock::new();
    let answer = COMPILED
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry((operation, status))
        .or_insert_with(|| compile(operation, status).map(Arc::new))
        .clone();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![Problem::new("document", error)],
    };
    let mut problems: Vec<Problem> = answer
        .validator
        .iter_errors(body)
        .map(|error| Problem::new(format!("body{}", error.instance_path()), error.to_string()))
        .collect();
    if let Ok(document) = document() {
        let unknown = unknown::fields(document, &answer.schema, body).into_iter();
        // The documents list what payment products put there; what merchants do is their business.
        let unknown = unknown.filter(|path| !path.contains("/metadata/"));
        problems.extend(unknown.map(|path| Problem::new(path, "the documents have no such field")));
    }
    problems
}

fn compile(operation: Operation, status: u16) -> Result<Answer, String> {
    let schema = match (operation, status) {
        (Operation::CreateSession, _) => published(Operation::CreateSessionFromProfile, status)?,
        (Operation::ListSessions, 200) => json!({ "type": "array", "items": published(Operation::GetSession, 200)? }),
        (Operation::ListSessions, _) => published(Operation::GetSession, status)?,
        _ => published(operation, status)?,
    };
    let validator = components()?.compile(&schema)?;
    Ok(Answer { schema, validator })
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
        .ok_or_else(|| format!("{operation} does not answer {status}"))
}
