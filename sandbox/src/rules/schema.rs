//! From OpenAPI 3.0 schemas to JSON Schema (2020-12), so that a standard validator reads them.
//!
//! The two dialects differ in `nullable`, in the boolean `exclusiveMinimum`/`exclusiveMaximum`,
//! in integer formats, in `readOnly` properties that only responses must have, and in
//! discriminators, which JSON Schema does not know. Everything else is taken over as it stands.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::error::ValidationError;
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, Registry, RegistryBuilder, Validator};
use serde_json::{Map, Value, json};

/// Keyword for integers: JSON Schema lets `1.0` pass for one, a payments API should not.
const INTEGER_KEYWORD: &str = "x-written-as-integer";
const COMPONENTS: &str = "#/components/schemas/";
/// Ending of the component that holds a discriminated schema without the choice of its variants.
const BASE: &str = ".base";

/// Keywords whose meaning is the same in both dialects.
const SAME: [&str; 12] = [
    "type",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "multipleOf",
];

/// The name under which validators find the components. Nothing is ever fetched from it.
const DOCUMENT: &str = "urn:dintero:components";

/// All component schemas of a document, translated once. Every validator refers to them.
#[derive(Debug)]
pub(crate) struct Components(Registry<'static>);

impl Components {
    pub(crate) fn new(document: &Value) -> Result<Self, String> {
        let nothing = Map::new();
        let published = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&nothing);
        let mut schemas = Map::new();
        for (name, schema) in published {
            let bases = discriminated_ancestors(name, published);
            match variants(schema) {
                Some((property, mapping)) => {
                    schemas.insert(format!("{name}{BASE}"), translate(schema, &bases));
                    schemas.insert(name.clone(), choice(name, property, mapping));
                }
                None => {
                    schemas.insert(name.clone(), translate(schema, &bases));
                }
            }
        }
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(DOCUMENT, json!({ "components": { "schemas": schemas } }))
            .and_then(RegistryBuilder::prepare)
            .map_err(|error| error.to_string())?;
        Ok(Self(registry))
    }

    /// A schema of the document as JSON Schema.
    pub(crate) fn translate(schema: &Value) -> Value {
        let mut translated = translate(schema, &BTreeSet::new());
        away(&mut translated);
        translated
    }

    /// A validator for a schema made of what [`translate`](Self::translate) gives.
    pub(crate) fn compile(&self, schema: &Value) -> Result<Validator, String> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.0)
            .should_validate_formats(true)
            .with_format("uuid", |text: &str| uuid::Uuid::parse_str(text).is_ok())
            .with_format("iso4217-code", |text: &str| upper_case(text, 3..=3))
            .with_format("iso3166-alpha2", |text: &str| upper_case(text, 2..=2))
            .with_format("iso-3166-1", |text: &str| upper_case(text, 2..=3))
            .with_keyword(INTEGER_KEYWORD, |_, _, _: Location| Ok(Box::new(WrittenAsInteger)))
            .build(schema)
            .map_err(|error| error.to_string())
    }
}

/// References to components, seen from outside of their document.
fn away(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" && reference.starts_with('#') => {
                        reference.insert_str(0, DOCUMENT);
                    }
                    _ => away(value),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(away),
        _ => {}
    }
}

/// Where a value is wrong, as a JSON pointer, and in which way. Messages do not quote what the value holds.
pub(crate) fn problems(validator: &Validator, value: &Value) -> Vec<(String, String)> {
    let errors = validator.iter_errors(value);
    errors.map(|error| (error.instance_path().to_string(), error.masked().to_string())).collect()
}

/// Pointers to the fields of a valid value that no schema speaks of. Objects of which nothing is said hold what
/// they like.
pub(crate) fn unknown(validator: &Validator, value: &Value) -> Vec<String> {
    let evaluation = validator.evaluate(value);
    // JSON Schema's own record of what was evaluated: the names that `properties` and its like passed, by place.
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in evaluation.iter_annotations() {
        let by_name = ["/properties", "/additionalProperties"].iter().any(|word| entry.schema_location.ends_with(word));
        if let (true, Some(names)) = (by_name, entry.annotations.value().as_array()) {
            let place = known.entry(entry.instance_location.as_str()).or_default();
            place.extend(names.iter().filter_map(Value::as_str));
        }
    }
    let mut found = Vec::new();
    unnamed(value, String::new(), &known, &mut found);
    found
}

fn unnamed(value: &Value, at: String, known: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let Some(names) = known.get(at.as_str()) else {
                return;
            };
            for (name, value) in fields {
                let inner = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if names.contains(name.as_str()) {
                    unnamed(value, inner, known, found);
                } else {
                    found.push(inner);
                }
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                unnamed(element, format!("{at}/{position}"), known, found);
            }
        }
        _ => {}
    }
}

fn upper_case(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

struct WrittenAsInteger;

impl<'i> Keyword<'i> for WrittenAsInteger {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if <Self as Keyword<'i>>::is_valid(self, instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("a whole number is expected, without decimals or exponent"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance.as_number().is_none_or(|number| number.is_i64() || number.is_u64())
    }
}

/// The discriminator's property and mapping, where a schema has both.
fn variants(schema: &Value) -> Option<(&str, &Map<String, Value>)> {
    let discriminator = schema.get("discriminator")?;
    Some((discriminator.get("propertyName")?.as_str()?, discriminator.get("mapping")?.as_object()?))
}

/// The schema that stands for a discriminated one: what all variants share, a known value of
/// the discriminator, and the variant that it names.
fn choice(name: &str, property: &str, mapping: &Map<String, Value>) -> Value {
    let values: Vec<&String> = mapping.keys().collect();
    let mut all = vec![
        json!({ "$ref": format!("{COMPONENTS}{name}{BASE}") }),
        json!({ "properties": { property: { "enum": values } } }),
    ];
    for (value, target) in mapping {
        // A mapping holds a reference or, by the same document format, a bare component name.
        let target = match target.as_str() {
            Some(reference) if reference.starts_with('#') => reference.to_owned(),
            Some(bare) => format!("{COMPONENTS}{bare}"),
            None => continue,
        };
        all.push(json!({
            "if": { "properties": { property: { "const": value } }, "required": [property] },
            "then": { "$ref": target },
        }));
    }
    json!({ "allOf": all })
}

/// The discriminated schemas that a component takes over by `allOf`. Inside it a reference to
/// one of them means its shared part: the choice would lead straight back to the component.
fn discriminated_ancestors(name: &str, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![name.to_owned()];
    while let Some(current) = waiting.pop() {
        let Some(schema) = schemas.get(&current) else {
            continue;
        };
        for parent in parents(schema) {
            if seen.insert(parent.clone()) {
                waiting.push(parent);
            }
        }
    }
    seen.retain(|parent| schemas.get(parent).and_then(variants).is_some());
    seen
}

fn parents(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        match component(part) {
            Some(name) => found.push(name.to_owned()),
            None => found.extend(parents(part)),
        }
    }
    found
}

/// The name of the component that a `$ref` leads to.
fn component(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(COMPONENTS)
}

/// One schema, with everything below it. `bases` are the discriminated schemas of which only
/// the shared part is meant where an `allOf` names them.
fn translate(schema: &Value, bases: &BTreeSet<String>) -> Value {
    let Some(schema) = schema.as_object() else {
        return json!({});
    };
    // Beside a reference every other key is without meaning in OpenAPI 3.0.
    if let Some(reference) = schema.get("$ref") {
        return json!({ "$ref": reference });
    }
    let nothing = BTreeSet::new();
    let mut out = Map::new();
    for (key, value) in schema {
        let translated = match key.as_str() {
            key if SAME.contains(&key) => value.clone(),
            "properties" => value.as_object().map_or(json!({}), |properties| {
                properties.iter().map(|(name, schema)| (name.clone(), translate(schema, &nothing))).collect()
            }),
            "items" | "not" => translate(value, &nothing),
            "additionalProperties" if value.is_object() => translate(value, &nothing),
            "additionalProperties" => value.clone(),
            "allOf" => parts(value, |part| inherit(part, bases)),
            "anyOf" | "oneOf" => parts(value, |part| translate(part, &nothing)),
            "required" => required(schema, value),
            _ => continue,
        };
        out.insert(key.clone(), translated);
    }
    bounds(schema, &mut out);
    if schema.get("type").and_then(Value::as_str) == Some("integer") {
        out.insert(INTEGER_KEYWORD.into(), Value::Bool(true));
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        return json!({ "anyOf": [out, { "type": "null" }] });
    }
    out.into()
}

fn parts(value: &Value, translate: impl Fn(&Value) -> Value) -> Value {
    value.as_array().into_iter().flatten().map(translate).collect()
}

fn inherit(part: &Value, bases: &BTreeSet<String>) -> Value {
    match component(part) {
        Some(name) if bases.contains(name) => {
            json!({ "$ref": format!("{COMPONENTS}{name}{BASE}") })
        }
        _ => translate(part, bases),
    }
}

/// A property that only responses carry cannot be asked of a request.
fn required(schema: &Map<String, Value>, names: &Value) -> Value {
    let read_only = |name: &Value| {
        name.as_str().and_then(|name| schema.get("properties")?.get(name)?.get("readOnly")) == Some(&Value::Bool(true))
    };
    names.as_array().into_iter().flatten().filter(|name| !read_only(name)).cloned().collect()
}

/// Minimum and maximum: the boolean exclusive forms, and what an integer format implies.
fn bounds(schema: &Map<String, Value>, out: &mut Map<String, Value>) {
    let mut implied = Map::new();
    match schema.get("format").and_then(Value::as_str) {
        Some("int32") => {
            implied.insert("minimum".into(), i32::MIN.into());
            implied.insert("maximum".into(), i32::MAX.into());
        }
        Some("int64") => {
            implied.insert("minimum".into(), i64::MIN.into());
            implied.insert("maximum".into(), i64::MAX.into());
        }
        _ => {}
    }
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        let Some(limit) = schema.get(bound) else {
            continue;
        };
        let keyword = if schema.get(exclusive) == Some(&Value::Bool(true)) { exclusive } else { bound };
        out.insert(keyword.into(), limit.clone());
    }
    if !implied.is_empty() {
        let mut all = match out.remove("allOf") {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        all.push(implied.into());
        out.insert("allOf".into(), all.into());
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
