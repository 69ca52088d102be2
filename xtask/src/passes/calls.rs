//! Pass `calls`: the operations as the client makes them.
//!
//! Every 4xx, 5xx and `default` becomes the one error shape: the generator takes one error type per operation, and the
//! handwritten layer reads error bodies itself. Headers named in `x-client-headers` are dropped: the handwritten layer
//! sends them, with their limits. Operations marked `x-handwritten` are left out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::checks;
use super::expand::Expander;
use crate::schema::{self, Operation};

/// Where error bodies are described in the finished document.
pub const ERROR: &str = "ErrorBody";

/// The error body: all that the interface promises of it. The client keeps the rest of the body as it came.
#[must_use]
pub fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "The body of an answer that is not a success.",
        "properties": { "error": { "description": "The error as the service words it." } },
    })
}

/// One operation, with schemas as trees before [`super::name`] and as references after it.
#[derive(Debug)]
pub struct Call {
    /// The path template.
    pub path: String,
    /// The method in lower case.
    pub method: String,
    /// Our operation id.
    pub id: String,
    /// Path and query parameters: the parameter object, its schema expanded.
    pub parameters: Vec<Value>,
    /// The JSON body.
    pub body: Option<Value>,
    /// The JSON answer, and the statuses that come with it.
    pub answer: Value,
    /// The success statuses with that answer.
    pub statuses: Vec<String>,
    /// The values that `Dintero-Feature-Toggles` takes here.
    pub toggles: Option<Value>,
    /// Extensions of the overlay that go into the document as they are.
    pub extensions: Map<String, Value>,
    /// What a request has to keep; see [`checks`].
    pub checks: Value,
    /// Our description, set by [`super::describe`].
    pub description: String,
}

/// Collects the calls of the curated slice.
///
/// # Errors
/// When an operation has no name of ours, or a shape that the client cannot make.
pub fn collect(curated: &Value) -> Result<Vec<Call>> {
    let ours = curated.get("x-client-headers").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut calls = BTreeMap::new();
    for operation in schema::operations(curated) {
        if operation.value.get("x-handwritten").is_some() {
            continue;
        }
        let call = call(curated, &operation, &ours).with_context(|| operation.title())?;
        let title = operation.title();
        if let Some(other) = calls.insert(call.id.clone(), call) {
            bail!("{title} and {} {} have one operation id, `{}`", other.method, other.path, other.id);
        }
    }
    Ok(calls.into_values().collect())
}

fn call(document: &Value, operation: &Operation<'_>, ours: &[Value]) -> Result<Call> {
    let expander = Expander::new(document);
    let Some(id) = operation.value.get("x-id").and_then(Value::as_str) else {
        bail!("the operation has no `x-id`: name it in the overlay");
    };
    let mut parameters = Vec::new();
    let mut toggles = None;
    let declared = operation.value.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for parameter in operation.shared_parameters.iter().chain(declared) {
        let mut parameter = schema::deref(document, parameter)?.clone();
        let name = parameter.get("name").and_then(Value::as_str).context("a parameter has no name")?.to_owned();
        let schema = parameter.get("schema").with_context(|| format!("parameter `{name}` has no schema"))?;
        let tree = expander.expand(schema).with_context(|| format!("parameter `{name}`"))?;
        if parameter["in"] == "header" {
            if !ours.iter().any(|header| header == &name) {
                bail!("header `{name}` is new: list it in `x-client-headers` once the client sends it");
            }
            if name == "Dintero-Feature-Toggles" {
                toggles = Some(tree.get("items").cloned().context("the feature toggles are no list")?);
            }
            continue;
        }
        parameter["schema"] = tree;
        parameters.push(parameter);
    }
    let body = match operation.value.get("requestBody") {
        None => None,
        Some(body) => {
            let body = schema::deref(document, body)?;
            Some(expander.expand(json_schema(body).context("the body is not JSON")?).context("the body")?)
        }
    };
    let (answer, statuses) = answer(document, operation, &expander)?;
    let keep = |key: &&String| key.starts_with("x-") && !matches!(key.as_str(), "x-id" | "x-handwritten");
    let extensions = operation.value.as_object().into_iter().flatten();
    let checks = checks::of_request(body.as_ref(), &parameters);
    Ok(Call {
        path: operation.path.to_owned(),
        method: operation.method.to_owned(),
        id: id.to_owned(),
        parameters,
        body,
        answer,
        statuses,
        toggles,
        extensions: extensions.filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
        checks,
        description: String::new(),
    })
}

/// The one success body and its statuses.
fn answer(document: &Value, operation: &Operation<'_>, expander: &Expander<'_>) -> Result<(Value, Vec<String>)> {
    let mut found: Option<Value> = None;
    let mut statuses = Vec::new();
    for (status, response) in operation.value.get("responses").and_then(Value::as_object).into_iter().flatten() {
        if !status.starts_with('2') {
            continue;
        }
        let response = schema::deref(document, response)?;
        let schema = json_schema(response).with_context(|| format!("status {status} has no JSON body"))?;
        let tree = expander.expand(schema).with_context(|| format!("status {status}"))?;
        match &found {
            Some(other) if other != &tree => {
                bail!("status {status} answers something else than {}", statuses.join(", "))
            }
            _ => found = Some(tree),
        }
        statuses.push(status.clone());
    }
    Ok((found.context("no success status is documented")?, statuses))
}

fn json_schema(holder: &Value) -> Option<&Value> {
    let content = holder.get("content")?.as_object()?;
    let json = content
        .iter()
        .find(|(media, _)| media.split(';').next().is_some_and(|media| media.trim() == "application/json"));
    json?.1.get("schema")
}

impl Call {
    /// `POST /sessions/{session_id}/cancel`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// The operation object of the finished document.
    #[must_use]
    pub fn to_operation(&self) -> Value {
        let json = |schema: &Value| json!({ "application/json": { "schema": schema } });
        let error = json(&json!({ "$ref": format!("#/components/schemas/{ERROR}") }));
        let mut responses: Map<String, Value> = self
            .statuses
            .iter()
            .map(|status| {
                (status.clone(), json!({ "description": "The call was carried out.", "content": json(&self.answer) }))
            })
            .collect();
        for range in ["4XX", "5XX"] {
            responses.insert(
                range.to_owned(),
                json!({ "description": "The call was refused or failed.", "content": error }),
            );
        }
        let mut out = json!({
            "operationId": self.id,
            "description": self.description,
            "parameters": self.parameters,
            "responses": responses,
        });
        if let Some(body) = &self.body {
            out["requestBody"] = json!({ "required": true, "content": json(body) });
        }
        if let Some(toggles) = &self.toggles {
            out["x-toggles"] = toggles.clone();
        }
        if !self.checks.is_null() {
            out["x-checks"] = self.checks.clone();
        }
        for (key, value) in &self.extensions {
            out[key] = value.clone();
        }
        out
    }
}
