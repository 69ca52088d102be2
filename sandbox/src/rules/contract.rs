//! What a request may carry, read from the published document: path, query and header
//! parameters and the body, as one validator for each call, compiled on first use and kept for the process.
//!
//! Two calls are published elsewhere (`POST /sessions`, `GET /sessions`): their parameters are
//! written down here, the body of the first is the document's `SessionOptions`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::schema::{Components, problems, unknown};
use crate::operation::Operation;

/// The slice of the published interface that the sandbox holds requests against. A link to the workspace's copy.
const DOCUMENT: &str = include_str!("../../spec/upstream.json");

/// One thing wrong with a request: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// `query.limit`, `header.Dintero-System-Name`, `body/order/amount`.
    pub(crate) path: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Parameters that passed: query values in order of arrival, header toggles split.
pub(crate) type Query = BTreeMap<String, Vec<String>>;

#[derive(Debug)]
struct Parameter {
    name: String,
    place: Place,
    required: bool,
    array: bool,
    scalar: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// What one call may carry.
#[derive(Debug)]
pub(crate) struct Contract {
    parameters: Vec<Parameter>,
    has_body: bool,
    needs_body: bool,
    /// For an object of `path`, `query`, `header` and `body`.
    validator: Validator,
}

/// What a request carries.
pub(crate) struct Carried<'c> {
    pub(crate) parameter: Option<&'c str>,
    pub(crate) query: &'c Query,
    pub(crate) headers: &'c [(String, String)],
    pub(crate) body: Option<&'c Value>,
}

/// What is wrong with a merchant's response to an express request, if anything.
pub(crate) fn express_problem(response: &Value) -> Option<String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        components()?.compile(&Components::translate(&json!({
            "type": "object",
            "required": ["shipping_options"],
            "properties": {
                "shipping_options": {
                    "type": "array", "items": { "$ref": "#/components/schemas/MultiShipmentShippingOption" },
                },
                "order": { "$ref": "#/components/schemas/SessionOrderUpdate" },
            },
        })))
    });
    match compiled {
        Ok(validator) => {
            let (path, message) = problems(validator, response).into_iter().next()?;
            Some(format!("body{path}: {message}"))
        }
        Err(error) => Some(error.clone()),
    }
}

/// Everything that the document says about a request, held against one: what is wrong, or the fields of a good
/// one that the document does not have.
pub(crate) fn check(operation: Operation, carried: &Carried<'_>) -> Result<Vec<String>, Vec<Problem>> {
    match contract(operation) {
        Ok(contract) => contract.check(carried),
        Err(error) => Err(vec![Problem::new("document", error)]),
    }
}

impl Contract {
    /// Holds a request against the contract: what is wrong, or the fields of a good one that the document does not
    /// have.
    pub(crate) fn check(&self, carried: &Carried<'_>) -> Result<Vec<String>, Vec<Problem>> {
        let mut found = Vec::new();
        let mut places = Map::new();
        for parameter in &self.parameters {
            let values = match parameter.place {
                Place::Path => carried.parameter.iter().map(|value| (*value).to_owned()).collect(),
                Place::Query => carried.query.get(&parameter.name).cloned().unwrap_or_default(),
                Place::Header => {
                    let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(&parameter.name);
                    header_values(parameter, carried.headers.iter().find(named).map(|(_, value)| value.clone()))
                }
            };
            if let Some(value) = parameter.read(&values, &mut found)
                && let Some(place) = places.entry(parameter.place.word()).or_insert_with(|| json!({})).as_object_mut()
            {
                place.insert(parameter.name.clone(), value);
            }
        }
        for name in carried.query.keys() {
            let known = |parameter: &Parameter| parameter.place == Place::Query && parameter.name == *name;
            if !self.parameters.iter().any(known) {
                found.push(Problem::new(format!("query.{name}"), "this call has no such parameter"));
            }
        }
        match carried.body {
            Some(body) if self.has_body => drop(places.insert("body".into(), body.clone())),
            None if self.needs_body => found.push(Problem::new("body", "a JSON body is required")),
            _ => {}
        }
        let request = places.into();
        let wrong = problems(&self.validator, &request).into_iter();
        found.extend(wrong.map(|(path, message)| Problem::new(place(&path), message)));
        if found.is_empty() {
            let unknown = unknown(&self.validator, &request).into_iter();
            Ok(unknown.filter(|path| path.starts_with("/body/")).map(|path| place(&path)).collect())
        } else {
            Err(found)
        }
    }
}

/// `/body/order/amount` as `body/order/amount`, `/query/limit` as `query.limit`.
fn place(pointer: &str) -> String {
    let mut parts = pointer.trim_start_matches('/').splitn(3, '/');
    match (parts.next(), parts.next()) {
        (Some(place), Some(name)) if place != "body" => format!("{place}.{name}"),
        _ => pointer.trim_start_matches('/').to_owned(),
    }
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
    /// The value of the parameter as the validator expects it.
    fn read(&self, values: &[String], found: &mut Vec<Problem>) -> Option<Value> {
        let path = || format!("{}.{}", self.place.word(), self.name);
        if values.is_empty() && self.required {
            found.push(Problem::new(path(), "this parameter is required"));
        }
        let mut values: Vec<Value> = values.iter().map(|text| self.spelled(text)).collect();
        if self.array {
            return (!values.is_empty()).then(|| values.into());
        }
        let last = values.pop()?;
        if !values.is_empty() {
            found.push(Problem::new(path(), "this parameter is given once only"));
        }
        Some(last)
    }

    /// A parameter arrives as text: what it spells is taken for the declared type, and left as
    /// text, for the validator to refuse, when it spells nothing of the kind.
    fn spelled(&self, text: &str) -> Value {
        let spelled = match self.scalar.as_str() {
            "integer" => text.parse::<i64>().ok().map(Value::from),
            "number" => text.parse::<serde_json::Number>().ok().map(Value::Number),
            "boolean" => text.parse::<bool>().ok().map(Value::Bool),
            _ => None,
        };
        spelled.unwrap_or_else(|| text.into())
    }
}

pub(crate) fn document() -> Result<&'static Value, String> {
    static PARSED: OnceLock<Result<Value, String>> = OnceLock::new();
    PARSED
        .get_or_init(|| serde_json::from_str(DOCUMENT).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

pub(crate) fn components() -> Result<&'static Components, String> {
    static TRANSLATED: OnceLock<Result<Components, String>> = OnceLock::new();
    TRANSLATED.get_or_init(|| document().and_then(Components::new)).as_ref().map_err(Clone::clone)
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
    compile_published(document, components, &published)
}

/// The contract of a call as a document publishes it.
pub(crate) fn compile_published(
    document: &Value,
    components: &Components,
    published: &Value,
) -> Result<Contract, String> {
    let mut parameters = Vec::new();
    let mut places = Map::new();
    for parameter in array(published, "parameters") {
        let parameter = resolve(document, parameter);
        let schema = resolve(document, parameter.get("schema").unwrap_or(&Value::Null));
        let array = schema.get("type").and_then(Value::as_str) == Some("array");
        let scalar = if array { schema.get("items") } else { Some(schema) }
            .map(|schema| resolve(document, schema))
            .and_then(|schema| schema.get("type"));
        let place = match parameter.get("in").and_then(Value::as_str) {
            Some("path") => Place::Path,
            Some("header") => Place::Header,
            _ => Place::Query,
        };
        let name = text(parameter.get("name"));
        let schemas = places.entry(place.word()).or_insert_with(|| json!({ "properties": {} }));
        if let Some(schemas) = schemas.get_mut("properties").and_then(Value::as_object_mut) {
            schemas.insert(name.clone(), Components::translate(schema));
        }
        let required = parameter.get("required") == Some(&Value::Bool(true));
        parameters.push(Parameter { name, place, required, array, scalar: text(scalar) });
    }
    let body = published.get("requestBody").map(|body| resolve(document, body));
    let schema = body.and_then(|body| body.pointer("/content/application~1json/schema"));
    if let Some(schema) = schema {
        places.insert("body".into(), Components::translate(schema));
    }
    Ok(Contract {
        parameters,
        has_body: schema.is_some(),
        needs_body: body.and_then(|body| body.get("required")) == Some(&Value::Bool(true)),
        validator: components.compile(&json!({ "properties": places }))?,
    })
}

fn array<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a reference leads to, or the value itself.
pub(crate) fn resolve<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
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
