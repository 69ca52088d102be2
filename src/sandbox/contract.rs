//! What a request may carry, read from the published document: path, query and header
//! parameters and the body, each compiled to a validator on first use and kept for the process.
//!
//! Two calls are published elsewhere (`POST /sessions`, `GET /sessions`): their parameters are
//! written down here, the body of the first is the document's `SessionOptions`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::operation::{Operation, Route};
use super::schema::Components;
use super::unknown;

/// The slice of the published interface that the sandbox holds requests against.
const DOCUMENT: &str = include_str!("../../spec/upstream.json");

/// One thing wrong with a request: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// `query.limit`, `header.Dintero-System-Name`, `body/order/amount`.
    pub(super) path: String,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Parameters that passed: query values in order of arrival, header toggles split.
pub(super) type Query = BTreeMap<String, Vec<String>>;

#[derive(Debug)]
struct Parameter {
    name: String,
    place: Place,
    required: bool,
    array: bool,
    scalar: String,
    validator: Validator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

#[derive(Debug)]
struct Contract {
    parameters: Vec<Parameter>,
    body: Option<BodyContract>,
}

#[derive(Debug)]
struct BodyContract {
    schema: Value,
    validator: Validator,
    required: bool,
}

/// Fields of a body that the document does not have, `body/order/...`.
pub(super) fn unknown_fields(operation: Operation, body: &Value) -> Vec<String> {
    match (document(), contract(operation)) {
        (Ok(document), Ok(Contract { body: Some(contract), .. })) => unknown::fields(document, &contract.schema, body),
        _ => Vec::new(),
    }
}

/// What is wrong with a merchant's answer to an express request, if anything.
pub(super) fn express_problem(answer: &Value) -> Option<String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        components()?.compile(&json!({
            "type": "object",
            "required": ["shipping_options"],
            "properties": {
                "shipping_options": {
                    "type": "array", "items": { "$ref": "#/components/schemas/MultiShipmentShippingOption" },
                },
                "order": { "$ref": "#/components/schemas/SessionOrderUpdate" },
            },
        }))
    });
    match compiled {
        Ok(validator) => {
            let error = validator.iter_errors(answer).next()?;
            Some(format!("body{}: {}", error.instance_path(), error.masked()))
        }
        Err(error) => Some(error.clone()),
    }
}

/// Everything that the document says about a request, held against one.
pub(super) fn check(
    route: &Route,
    query: &Query,
    header: impl Fn(&str) -> Option<String>,
    body: Option<&Value>,
) -> Vec<Problem> {
    let contract = match contract(route.operation) {
        Ok(contract) => contract,
        Err(error) => return vec![Problem::new("document", error)],
    };
    let mut problems = Vec::new();
    for parameter in &contract.parameters {
        let values = match parameter.place {
            Place::Path => route.path_parameter.iter().map(|(_, value)| value.clone()).collect(),
            Place::Query => query.get(&parameter.name).cloned().unwrap_or_default(),
            Place::Header => header_values(parameter, header(&parameter.name)),
        };
        parameter.check(&values, &mut problems);
    }
    for name in query.keys() {
        let known =
            contract.parameters.iter().any(|parameter| parameter.place == Place::Query && parameter.name == *name);
        if !known {
            problems.push(Problem::new(format!("query.{name}"), "this call has no such parameter"));
        }
    }
    match (&contract.body, body) {
        (Some(BodyContract { validator, .. }), Some(body)) => {
            problems.extend(
                validator
                    .iter_errors(body)
                    .map(|error| Problem::new(format!("body{}", error.instance_path()), error.masked().to_string())),
            );
        }
        (Some(BodyContract { required: true, .. }), None) => {
            problems.push(Problem::new("body", "a JSON body is required"))
        }
        _ => {}
    }
    problems
}

fn header_values(parameter: &Parameter, value: Option<String>) -> Vec<String> {
    match value {
        None => Vec::new(),
        // Style `simple`, the only one for headers: values separated by commas.
        Some(value) if parameter.array => {
            value.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        }
        Some(value) => vec![value],
    }
}

impl Parameter {
    fn check(&self, values: &[String], problems: &mut Vec<Problem>) {
        let path = || {
            let place = match self.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Header => "header",
            };
            format!("{place}.{}", self.name)
        };
        if values.is_empty() {
            if self.required {
                problems.push(Problem::new(path(), "this parameter is required"));
            }
            return;
        }
        let mut values: Vec<Value> = values.iter().map(|text| self.read(text)).collect();
        let instance = if self.array {
            Value::Array(values)
        } else {
            let last = values.pop();
            if !values.is_empty() {
                problems.push(Problem::new(path(), "this parameter is given once only"));
            }
            last.unwrap_or_default()
        };
        for error in self.validator.iter_errors(&instance) {
            problems.push(Problem::new(path(), error.masked().to_string()));
        }
    }

    /// A parameter arrives as text: what it spells is taken for the declared type, and left as
    /// text, for the validator to refuse, when it spells nothing of the kind.
    fn read(&self, text: &str) -> Value {
        let spelled = match self.scalar.as_str() {
            "integer" => text.parse::<i64>().ok().map(Value::from),
            "number" => text.parse::<serde_json::Number>().ok().map(Value::Number),
            "boolean" => text.parse::<bool>().ok().map(Value::Bool),
            _ => None,
        };
        spelled.unwrap_or_else(|| text.into())
    }
}

pub(super) fn document() -> Result<&'static Value, String> {
    static PARSED: OnceLock<Result<Value, String>> = OnceLock::new();
    PARSED
        .get_or_init(|| serde_json::from_str(DOCUMENT).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

pub(super) fn components() -> Result<&'static Components, String> {
    static TRANSLATED: OnceLock<Result<Components, String>> = OnceLock::new();
    TRANSLATED.get_or_init(|| document().map(Components::new)).as_ref().map_err(Clone::clone)
}

fn contract(operation: Operation) -> Result<&'static Contract, String> {
    static COMPILED: [OnceLock<Result<Contract, String>>; Operation::ALL.len()] =
        [const { OnceLock::new() }; Operation::ALL.len()];
    let slot = Operation::ALL
        .iter()
        .position(|known| *known == operation)
        .and_then(|position| COMPILED.get(position))
        .ok_or_else(|| format!("{operation} is not in the table of calls"))?;
    slot.get_or_init(|| compile(operation)).as_ref().map_err(Clone::clone)
}

fn compile(operation: Operation) -> Result<Contract, String> {
    let (document, components) = (document()?, components()?);
    let published = match operation {
        Operation::CreateSession => create_session(),
        Operation::ListSessions => list_sessions(),
        _ => document
            .get("paths")
            .and_then(|paths| paths.get(operation.path()))
            .and_then(|path| path.get(operation.method().to_ascii_lowercase()))
            .cloned()
            .ok_or_else(|| format!("{operation} is not in the published document"))?,
    };
    let mut parameters = Vec::new();
    for parameter in array(&published, "parameters") {
        let parameter = resolve(document, parameter);
        let schema = resolve(document, parameter.get("schema").unwrap_or(&Value::Null));
        let array = schema.get("type").and_then(Value::as_str) == Some("array");
        let scalar = if array { schema.get("items") } else { Some(schema) }
            .map(|schema| resolve(document, schema))
            .and_then(|schema| schema.get("type"));
        parameters.push(Parameter {
            name: text(parameter.get("name")),
            place: match parameter.get("in").and_then(Value::as_str) {
                Some("path") => Place::Path,
                Some("header") => Place::Header,
                _ => Place::Query,
            },
            required: parameter.get("required") == Some(&Value::Bool(true)),
            array,
            scalar: text(scalar),
            validator: components.compile(schema)?,
        });
    }
    let body = published.get("requestBody").map(|body| resolve(document, body));
    let body = match body.and_then(|body| body.pointer("/content/application~1json/schema")) {
        None => None,
        Some(schema) => {
            let required = body.and_then(|body| body.get("required")) == Some(&Value::Bool(true));
            let validator = components.compile(schema)?;
            Some(BodyContract { schema: schema.clone(), validator, required })
        }
    };
    Ok(Contract { parameters, body })
}

fn array<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a reference leads to, or the value itself.
pub(super) fn resolve<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

fn create_session() -> Value {
    json!({
        "parameters": [
            { "name": "include_session", "in": "query", "schema": { "type": "boolean" } },
            { "$ref": "#/components/parameters/DinteroSystemName" },
            { "$ref": "#/components/parameters/DinteroSystemVersion" },
            { "$ref": "#/components/parameters/DinteroSystemPluginName" },
            { "$ref": "#/components/parameters/DinteroSystemPluginVersion" },
        ],
        "requestBody": { "required": true, "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/SessionOptions" },
        } } },
    })
}

fn list_sessions() -> Value {
    let one = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let many = |name: &str| {
        json!({ "name": name, "in": "query",
                "schema": { "type": "array", "items": { "type": "string" } } })
    };
    let mut limit = Map::new();
    limit.insert("type".into(), "integer".into());
    limit.insert("minimum".into(), 1.into());
    limit.insert("maximum".into(), 100.into());
    json!({ "parameters": [
        { "name": "limit", "in": "query", "schema": limit },
        one("starting_after"), one("search"), one("created_at.gte"), one("created_at.lte"),
        many("id"), many("transaction_id"), many("store_id"),
    ] })
}

#[cfg(test)]
#[path = "contract_tests.rs"]
mod tests;
