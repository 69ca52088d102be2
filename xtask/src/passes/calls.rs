//! Pass `calls`: the operations as the client makes them.
//!
//! Every 4xx, 5xx and `default` becomes the one error shape: the generator takes one error type per operation, and the
//! handwritten layer reads error bodies itself. Headers named in `x-client-headers` are dropped: the handwritten layer
//! sends them, with their limits. Operations marked `x-handwritten` are left out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::model::operation::{Key, Media, Operation, normalised};
use crate::model::{Model, SchemaId};
use crate::problems::Problems;

/// Where error bodies are described in the finished document.
pub const ERROR: &str = "ErrorBody";

/// The error body: all that the interface promises of it. The client keeps the rest of the body as it came.
#[must_use]
pub fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "The body of a response that is not a success.",
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
    /// The JSON response, and the statuses that come with it.
    pub response: Value,
    /// The success statuses with that response.
    pub statuses: Vec<String>,
    /// The values that `Dintero-Feature-Toggles` takes here.
    pub toggles: Option<Value>,
    /// Extensions of the overlay that go into the document as they are.
    pub extensions: Map<String, Value>,
    /// What a request has to keep, set by [`super::checks`].
    pub checks: Value,
    /// Our description, set by [`super::describe`].
    pub description: String,
}

/// Collects the calls of the curated slice.
///
/// # Errors
/// When an operation has no name of ours, or a shape that the client cannot make; all of them at once.
pub fn collect(model: &Model<'_>) -> Result<Vec<Call>> {
    let root = model.root();
    let ours = root.get("x-client-headers").and_then(Value::as_array).cloned().unwrap_or_default();
    let ours: Vec<String> = ours.iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let mut calls: BTreeMap<String, Call> = BTreeMap::new();
    let mut problems = Problems::default();
    for (key, operation) in model.operations() {
        let value = model.value(operation.place);
        if value.get("x-handwritten").is_some() {
            continue;
        }
        let Some(call) = problems.take(call(model, key, operation, &ours).with_context(|| operation.title.clone()))
        else {
            continue;
        };
        if let Some(other) = calls.get(&call.id) {
            bail!("{} and {} have one operation id, `{}`", operation.title, other.title(), other.id);
        }
        calls.insert(call.id.clone(), call);
    }
    problems.settle(calls.into_values().collect())
}

fn call(model: &Model<'_>, key: &Key, operation: &Operation, ours: &[String]) -> Result<Call> {
    let value = model.value(operation.place);
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let Some(id) = text("x-id") else {
        bail!("the operation has no name: name it under `operations` of the overlay");
    };
    let path = text("x-path").unwrap_or(&operation.path);
    let names = normalised(path).1;
    let mut parameters = Vec::new();
    let mut toggles = None;
    for (place, parameter) in &operation.parameters {
        let label = place.label();
        let below = parameter.schema.as_ref().with_context(|| format!("parameter `{label}` has no schema"))?;
        let tree = model.tree(below.schema).with_context(|| format!("parameter `{label}`"))?;
        let name = match place.location.as_str() {
            "header" => {
                if !ours.contains(&place.name) {
                    bail!(
                        "header `{}` is new: list it in `headers` of the overlay once the client sends it",
                        place.name
                    );
                }
                if place.name == "dintero-feature-toggles" {
                    toggles = Some(tree.get("items").cloned().context("the feature toggles are no list")?);
                }
                continue;
            }
            // Not on the wire, so the name is ours.
            "path" => {
                let position = place.name.trim_matches(['{', '}']).parse::<usize>().ok();
                let name = position.and_then(|position| names.get(position.checked_sub(1)?));
                name.with_context(|| format!("parameter `{label}` is not in the path"))?
            }
            _ => &place.name,
        };
        let mut out = json!({ "name": name, "in": place.location, "required": parameter.required, "schema": tree });
        let form = place.location == "query";
        if parameter.style != if form { "form" } else { "simple" } {
            out["style"] = json!(parameter.style);
        }
        if parameter.explode != form {
            out["explode"] = json!(parameter.explode);
        }
        if let Some(setter) = model.root().get("x-setters").and_then(|all| all.get(name)) {
            out["x-setter"] = setter.clone();
        }
        parameters.push(out);
    }
    let body = match &operation.body {
        None => None,
        Some(body) => {
            let schema = json_schema(&body.media).context("the body is not JSON")?;
            Some(model.tree(schema).context("the body")?)
        }
    };
    let (response, statuses) = response(model, operation)?;
    let keep = |key: &&String| key.starts_with("x-") && !matches!(key.as_str(), "x-id" | "x-handwritten" | "x-path");
    let extensions = value.as_object().into_iter().flatten();
    Ok(Call {
        path: path.to_owned(),
        method: key.method.to_owned(),
        id: id.to_owned(),
        parameters,
        body,
        response,
        statuses,
        toggles,
        extensions: extensions.filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
        checks: Value::Null,
        description: String::new(),
    })
}

/// The one success body and its statuses.
fn response(model: &Model<'_>, operation: &Operation) -> Result<(Value, Vec<String>)> {
    let mut found: Option<SchemaId> = None;
    let mut statuses = Vec::new();
    for (status, response) in operation.responses.iter().filter(|(status, _)| status.starts_with('2')) {
        let schema = json_schema(&response.media).with_context(|| format!("status {status} has no JSON body"))?;
        match found {
            Some(other) if model.class(other) != model.class(schema) => {
                bail!("status {status} returns something else than {}", statuses.join(", "))
            }
            _ => found = Some(schema),
        }
        statuses.push(status.clone());
    }
    Ok((model.tree(found.context("no success status is documented")?).context("the response")?, statuses))
}

fn json_schema(media: &BTreeMap<String, Media>) -> Option<SchemaId> {
    let json = media.iter().find(|(name, _)| name.split(';').next().is_some_and(|name| name == "application/json"));
    Some(json?.1.schema.as_ref()?.schema)
}

impl Call {
    /// What the call holds, by its address below the operation.
    pub fn places(&mut self) -> Vec<(String, &mut Value)> {
        let mut out = vec![("response".to_owned(), &mut self.response)];
        out.extend(self.body.as_mut().map(|body| ("request".to_owned(), body)));
        out.extend(self.toggles.as_mut().map(|toggles| ("toggles".to_owned(), toggles)));
        for parameter in &mut self.parameters {
            let [place, name] = ["in", "name"].map(|key| parameter[key].as_str().unwrap_or_default().to_owned());
            out.push((format!("{place}.{name}"), &mut parameter["schema"]));
        }
        out
    }

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
                (status.clone(), json!({ "description": "The call was carried out.", "content": json(&self.response) }))
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
