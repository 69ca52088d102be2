//! From OpenAPI 3.0 schemas to JSON Schema (draft 7), so that a standard validator reads them.
//!
//! The two dialects differ in `nullable`, in the boolean `exclusiveMinimum`/`exclusiveMaximum`,
//! in integer formats, in `readOnly` properties that only answers must have, and in
//! discriminators, which JSON Schema does not know. Everything else is taken over as it stands.

use std::collections::BTreeSet;

use jsonschema::{Keyword, Validator, error::ValidationError, paths::Location};
use serde_json::{Map, Value, json};

/// Keyword for integers: JSON Schema lets `1.0` pass for one, a payments API should not.
const INTEGER_KEYWORD: &str = "x-written-as-integer";
const COMPONENTS: &str = "#/components/schemas/";
/// Ending of the component that holds a discriminated schema without the choice of its variants.
const BASE: &str = ".base";

/// Keywords whose meaning is the same in both dialects.
const SAME: [&str; 11] = [
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
];

/// All component schemas of a document, translated; validators are compiled against them.
#[derive(Debug)]
pub(super) struct Components {
    schemas: Map<String, Value>,
}

impl Components {
    pub(super) fn new(document: &Value) -> Self {
        let mut schemas = Map::new();
        let Some(published) = document.pointer("/components/schemas").and_then(Value::as_object) else {
            return Self { schemas };
        };
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
        Self { schemas }
    }

    /// A validator for a schema of the document, which may refer to its components.
    pub(super) fn compile(&self, schema: &Value) -> Result<Validator, String> {
        let root = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "allOf": [translate(schema, &BTreeSet::new())],
            "components": { "schemas": self.schemas },
        });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .with_format("uuid", |text: &str| uuid::Uuid::parse_str(text).is_ok())
            .with_format("iso4217-code", |text: &str| upper_case(text, 3..=3))
            .with_format("iso3166-alpha2", |text: &str| upper_case(text, 2..=2))
            .with_format("iso-3166-1", |text: &str| upper_case(text, 2..=3))
            .with_keyword(INTEGER_KEYWORD, |_, _, _: Location| Ok(Box::new(WrittenAsInteger)))
            .build(&root)
            .map_err(|error| error.to_string())
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
pub(super) fn component(schema: &Value) -> Option<&str> {
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
            "multipleOf" => value.clone(),
            "properties" => value.as_object().map_or(json!({}), |properties| {
                properties
                    .iter()
                    .map(|(name, property)| (name.clone(), translate(property, &nothing)))
                    .collect::<Map<_, _>>()
                    .into()
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

/// A property that only answers carry cannot be asked of a request.
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
