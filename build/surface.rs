//! From the document to the model: the only place, beside progenitor, that reads the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::{
    Call, Construct, Direction, Field, Kind, Paging, Param, Presence, Response, Shape, Surface, Type,
    Value as EnumValue, Variant,
};
use super::{names, rust};

/// Reads the model.
///
/// # Errors
/// Names the schema or the operation that has a form for which no code is made.
pub fn read(document: &Value) -> Result<Surface, String> {
    let calls: Vec<Call> = operations(document)
        .map(|(path, method, operation)| {
            let id = text(operation, "operationId");
            call(path, method, operation).map_err(|message| format!("operation `{id}`: {message}"))
        })
        .collect::<Result<_, _>>()?;
    let mut types = Vec::new();
    let reach = Reach::new(document);
    for (name, schema) in schemas(document) {
        if rust::IN_SCOPE.contains(&name.as_str()) {
            return Err(format!("schema `{name}` has the name of something else: give it an `x-name`"));
        }
        let direction = reach.direction(name);
        let shape =
            shape(document, name, schema, direction).map_err(|message| format!("schema `{name}`: {message}"))?;
        types.push(Type { name: name.clone(), doc: text(schema, "description").to_owned(), direction, shape });
    }
    types.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Surface { types, calls })
}

/// The named schemas.
pub fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
}

/// Every operation, with its path and its method.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The name that a reference ends in; one that stands alone in an `allOf` has a description beside it.
pub fn target(schema: &Value) -> Option<&str> {
    let only = || schema.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1)?.first()?.get("$ref");
    let target = schema.get("$ref").or_else(only)?.as_str()?;
    target.rsplit('/').next()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn kind(schema: &Value) -> Result<Kind, String> {
    if let Some(target) = target(schema) {
        return Ok(Kind::Type(target.to_owned()));
    }
    match schema.get("type").and_then(Value::as_str) {
        None => Ok(Kind::Json),
        Some("string") => Ok(match text(schema, "format") {
            "date-time" => Kind::Time,
            "date" => Kind::Date,
            _ => Kind::Text,
        }),
        Some("integer") => Ok(Kind::Integer),
        Some("boolean") => Ok(Kind::Boolean),
        Some("array") => schema.get("items").map_or(Ok(Kind::Json), kind).map(|items| Kind::List(Box::new(items))),
        Some("object") if schema.get("properties").is_none() => match schema.get("additionalProperties") {
            Some(values) if values.as_object().is_some_and(|values| !values.is_empty()) => {
                Ok(Kind::Map(Box::new(kind(values)?)))
            }
            _ => Ok(Kind::JsonObject),
        },
        Some(other) => Err(format!("no Rust type stands for a nameless `{other}`")),
    }
}

fn shape(document: &Value, name: &str, schema: &Value, direction: Direction) -> Result<Shape, String> {
    if let Some(path) = schema.get("x-replace").and_then(Value::as_str) {
        return Ok(Shape::Provided { path: path.to_owned() });
    }
    let mut taken = BTreeSet::from(["Unknown".to_owned()]);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let value = |value: &Value| {
            let json = value.as_str().ok_or_else(|| format!("a value is no text: {value}"))?.to_owned();
            Ok(EnumValue { rust: names::variant(&json, &mut taken), json })
        };
        return Ok(Shape::Enum { values: values.iter().map(value).collect::<Result<_, String>>()? });
    }
    if let Some(tagged) = schema.get("x-tagged") {
        let variants = tagged.get("variants").and_then(Value::as_object).into_iter().flatten();
        let variant = |(tag, object): (&String, &Value)| {
            let target = target(object).ok_or_else(|| format!("variant `{tag}` has no type"))?.to_owned();
            Ok(Variant { rust: names::variant(tag, &mut taken), tag: tag.clone(), target })
        };
        let property = text(tagged, "property").to_owned();
        if property.is_empty() {
            return Err("the choice names no property".to_owned());
        }
        return Ok(Shape::Choice { property, variants: variants.map(variant).collect::<Result<_, String>>()? });
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Err("it is no object, no enum, no choice, and no handwritten type stands for it".to_owned());
    };
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (json, property) in properties {
        let field = field(document, name, json, property, required.contains(&json.as_str()));
        fields.push(field.map_err(|message| format!("field `{json}`: {message}"))?);
    }
    let construct = construct(schema, &fields, direction)?;
    let taken = if let Construct::New { arguments } = &construct { arguments.as_slice() } else { &[] };
    for field in fields.iter_mut().filter(|field| direction.is_sent() && !taken.contains(&field.rust)) {
        let is_asked = field.presence == Presence::Required;
        field.setter = (!is_asked).then(|| names::setter(&field.rust));
    }
    let keeps_unknown = schema.get("additionalProperties").is_some_and(Value::is_object);
    let restates = schema.get("x-restates").and_then(Value::as_str).map(str::to_owned);
    Ok(Shape::Struct { fields, keeps_unknown, construct, restates })
}

fn field(document: &Value, owner: &str, json: &str, schema: &Value, required: bool) -> Result<Field, String> {
    let kind = kind(schema)?;
    let has_default = matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::JsonObject);
    let presence = match (required, is(schema, "nullable"), has_default) {
        (_, true, _) => Presence::Optional,
        (true, false, _) => Presence::Required,
        (false, false, true) => Presence::Defaulted,
        (false, false, false) => Presence::Optional,
    };
    let large = |target: &str| schemas(document).any(|(name, schema)| name == target && is(schema, "x-boxed"));
    let boxed = match &kind {
        Kind::Type(target) => presence == Presence::Optional && large(target) || holds(document, target, owner),
        _ => false,
    };
    let doc = text(schema, "description").to_owned();
    let printed = is(schema, "x-printed") || !may_be_personal(&kind);
    Ok(Field { json: json.to_owned(), rust: names::field(json), kind, presence, boxed, printed, setter: None, doc })
}

/// Whether a value may be about a person: a name, a birthday, where somebody lives. What types hold is told by them.
pub fn may_be_personal(kind: &Kind) -> bool {
    match kind {
        Kind::Text | Kind::Date | Kind::Json | Kind::JsonObject | Kind::Map(_) => true,
        Kind::Type(name) => name == "Decimal" || name == "StringOrNumber",
        Kind::List(items) => may_be_personal(items),
        Kind::Integer | Kind::Boolean | Kind::Time => false,
    }
}

/// Whether a type holds another one, directly or in what it holds, with no list between: then one has to be on the
/// heap.
fn holds(document: &Value, outer: &str, inner: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![outer];
    while let Some(name) = open.pop() {
        if name == inner {
            return true;
        }
        if seen.insert(name) {
            let schema = schemas(document).find(|(known, _)| *known == name).map(|(_, schema)| schema);
            let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
            open.extend(properties.into_iter().flatten().filter_map(|(_, property)| target(property)));
        }
    }
    false
}

/// The most arguments of a constructor.
const MOST_ARGUMENTS: usize = 3;

/// What a type requires, as a constructor takes it: one field by itself, several in the order that the document gives,
/// or else by name.
fn construct(schema: &Value, fields: &[Field], direction: Direction) -> Result<Construct, String> {
    if !direction.is_sent() {
        return Ok(Construct::None);
    }
    let required: Vec<&Field> = fields.iter().filter(|field| field.presence == Presence::Required).collect();
    let names = |fields: &[&Field]| fields.iter().map(|field| field.rust.clone()).collect();
    let order: Vec<&str> = list(schema, "x-arguments").filter_map(Value::as_str).collect();
    let arguments: Vec<&Field> =
        order.iter().filter_map(|json| required.iter().find(|field| field.json == *json).copied()).collect();
    // Where a revision requires something else than what is listed, the order is no longer anybody's decision.
    let is_listed = arguments.len() == required.len() && order.len() == required.len();
    if required.len() > 1 && !is_listed {
        return Ok(Construct::Builder { fields: names(&required) });
    }
    if required.len() > MOST_ARGUMENTS {
        return Err(format!("`x-arguments` lists more than {MOST_ARGUMENTS}: leave it to the builder"));
    }
    let mut neighbours = arguments.iter().zip(arguments.iter().skip(1));
    if let Some((one, other)) = neighbours.find(|(one, other)| rust::takes_the_same(&one.kind, &other.kind)) {
        return Err(format!(
            "`x-arguments`: `{}` and `{}` could be exchanged unnoticed: leave it to the builder",
            one.json, other.json
        ));
    }
    Ok(Construct::New { arguments: if is_listed { names(&arguments) } else { names(&required) } })
}

fn call(path: &str, method: &str, operation: &Value) -> Result<Call, String> {
    let id = text(operation, "operationId").to_owned();
    let reads_only = match text(operation, "x-retry") {
        "read" => true,
        "never" => false,
        other => return Err(format!("`x-retry` has to be `read` or `never`, not {other:?}")),
    };
    let mut path_params = Vec::new();
    let mut query = Vec::new();
    for parameter in list(operation, "parameters") {
        let name = text(parameter, "name");
        let schema = parameter.get("schema").ok_or_else(|| format!("parameter `{name}` has no schema"))?;
        let kind = kind(schema).map_err(|message| format!("parameter `{name}`: {message}"))?;
        let param = Param {
            name: name.to_owned(),
            rust: names::field(name),
            setter: match text(parameter, "x-setter") {
                "" => names::setter(&names::field(name)),
                setter => setter.to_owned(),
            },
            kind,
            required: is(parameter, "required"),
            doc: text(parameter, "description").to_owned(),
        };
        match text(parameter, "in") {
            "path" => path_params.push(param),
            "query" => query.push(param),
            other => return Err(format!("parameter `{name}` is in {other:?}")),
        }
    }
    path_params.sort_by_key(|param| path.find(&format!("{{{}}}", param.name)));
    query.sort_by(|one, other| one.name.cmp(&other.name));
    let body = operation
        .get("requestBody")
        .map(|body| json(body).and_then(target).map(str::to_owned).ok_or("the body has no named type".to_owned()));
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let success = responses.into_iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
    let schema = success.and_then(|response| json(response)).ok_or("no success has a body")?;
    let (row, is_list) = schema.get("items").map_or((schema, false), |items| (items, true));
    let Some((group, name)) = text(operation, "x-method").split_once('.') else {
        return Err("`x-method` has to name a group and a method, such as `sessions.get`".to_owned());
    };
    let (policy, result) = (is(operation, "x-policy"), operation.get("x-result").and_then(Value::as_str));
    if result.is_some() && !policy {
        return Err("`x-result` needs an `x-policy` that makes it".to_owned());
    }
    Ok(Call {
        variant: names::variant_of_id(&id),
        method: method.to_uppercase(),
        path: path.to_owned(),
        reads_only,
        name: name.to_owned(),
        group: group.to_owned(),
        doc: text(operation, "description").to_owned(),
        example: text(operation, "x-example").to_owned(),
        path_params,
        query,
        request: body.transpose()?,
        response: Response { target: target(row).ok_or("the response has no named type")?.to_owned(), list: is_list },
        toggles: operation.get("x-toggles").and_then(target).map(str::to_owned),
        checks: operation.get("x-checks").cloned(),
        policy,
        result: result.map(str::to_owned),
        paging: operation.get("x-paging").map(|paging| self::paging(operation, paging)).transpose()?,
        id,
    })
}

/// The rows of a page where the document names no longest one, as older revisions do: what the service gives unasked.
const PAGE: i64 = 10;

fn paging(operation: &Value, paging: &Value) -> Result<Paging, String> {
    let limit = text(paging, "limit");
    let checks = operation.get("x-checks").and_then(|checks| checks.get("parameters")?.get(limit));
    let longest = checks.and_then(|checks| checks.get("maximum")?.as_i64());
    Ok(Paging {
        cursor: text(paging, "cursor").to_owned(),
        limit: limit.to_owned(),
        row_id: text(paging, "row_id").to_owned(),
        longest: longest.unwrap_or(PAGE),
    })
}

fn json(holder: &Value) -> Option<&Value> {
    holder.get("content")?.get("application/json")?.get("schema")
}

/// Which schemas requests and responses hold.
struct Reach<'a> {
    sent: BTreeSet<&'a str>,
    received: BTreeSet<&'a str>,
}

impl<'a> Reach<'a> {
    fn new(document: &'a Value) -> Self {
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for (_, _, operation) in operations(document) {
            sent.extend(["requestBody", "parameters", "x-toggles"].iter().filter_map(|key| operation.get(key)));
            received.extend(operation.get("responses"));
        }
        Self { sent: reached(document, sent), received: reached(document, received) }
    }

    /// What nothing holds is only there for a user to read.
    fn direction(&self, name: &str) -> Direction {
        match (self.sent.contains(name), self.received.contains(name)) {
            (true, true) => Direction::Both,
            (true, false) => Direction::Request,
            (false, _) => Direction::Response,
        }
    }
}

/// The names of all schemas that some parts of the document hold, directly or through each other.
pub fn reached<'a>(document: &'a Value, parts: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    let all: BTreeMap<&str, &Value> = schemas(document).map(|(name, schema)| (name.as_str(), schema)).collect();
    let mut open: Vec<&Value> = parts.into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        match next {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(|_| target(next))
                    && found.insert(name)
                {
                    open.extend(all.get(name));
                }
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
