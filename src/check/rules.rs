//! The rules of one node of a request, and how a value keeps or breaks them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Number, Value};

use crate::read::JsonPath;

/// What a value has to keep; the keywords are those of the interface document.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rules {
    required: Vec<String>,
    properties: BTreeMap<String, Rules>,
    items: Option<Box<Rules>>,
    additional_properties: Option<Box<Rules>>,
    tagged: Option<Tagged>,
    types: Option<Vec<String>>,
    read_only: bool,
    pattern: Option<Pattern>,
    format: Option<String>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    minimum: Option<Number>,
    maximum: Option<Number>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<Number>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    unique_items: bool,
    min_properties: Option<usize>,
    max_properties: Option<usize>,
}

/// The rules of a choice: those of the variant that the tag names.
#[derive(Debug, Deserialize)]
struct Tagged {
    property: String,
    variants: BTreeMap<String, Rules>,
}

/// A pattern, compiled when it is first needed.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    text: String,
    compiled: OnceLock<Option<regress::Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regress::Regex::new(&self.text).ok());
        // A pattern that does not compile cannot be kept or broken; `cargo xtask regen` refuses it.
        compiled.as_ref().is_none_or(|regex| regex.find(text).is_some())
    }
}

/// A rule that is broken.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) path: JsonPath,
    pub(super) rule: String,
}

impl Rules {
    /// Takes out the fields that only the service sets.
    pub(super) fn take_out_read_only(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, rules) in &self.properties {
                    if rules.read_only {
                        map.remove(name);
                    } else if let Some(child) = map.get_mut(name) {
                        rules.take_out_read_only(child);
                    }
                }
            }
            Value::Array(entries) => {
                if let Some(rules) = &self.items {
                    entries.iter_mut().for_each(|entry| rules.take_out_read_only(entry));
                }
            }
            _ => {}
        }
    }

    /// The first rule that `value` breaks, depth first in the order of the names.
    pub(super) fn check(&self, value: &Value, path: &JsonPath) -> Result<(), Broken> {
        self.check_kind(value, path)?;
        match value {
            Value::Object(map) => {
                for name in &self.required {
                    if map.get(name).is_none_or(Value::is_null) {
                        return broken(path.clone().field(name), "it is required");
                    }
                }
                within(map.len(), self.min_properties, self.max_properties, "entries", path)?;
                for (name, child) in map {
                    let rules = self.properties.get(name).or(self.additional_properties.as_deref());
                    if let Some(rules) = rules {
                        rules.check(child, &path.clone().field(name))?;
                    }
                }
                let variant = self
                    .tagged
                    .as_ref()
                    .and_then(|tagged| tagged.variants.get(map.get(&tagged.property).and_then(Value::as_str)?));
                variant.map_or(Ok(()), |rules| rules.check(value, path))
            }
            Value::Array(entries) => {
                within(entries.len(), self.min_items, self.max_items, "entries", path)?;
                if self.unique_items && has_twin(entries) {
                    return broken(path.clone(), "no entry may occur twice");
                }
                for (index, entry) in entries.iter().enumerate() {
                    if let Some(rules) = &self.items {
                        rules.check(entry, &path.clone().index(index))?;
                    }
                }
                Ok(())
            }
            Value::String(text) => self.check_string(text, path),
            Value::Number(number) => self.check_number(number, path),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// Checks a parameter, which is a text whatever its type.
    pub(super) fn check_text(&self, text: &str, path: &JsonPath) -> Result<(), Broken> {
        if self.minimum.is_some() || self.maximum.is_some() {
            return match text.parse::<Number>() {
                Ok(number) => self.check_number(&number, path),
                Err(_) => broken(path.clone(), "it has to be a number"),
            };
        }
        // A list parameter arrives entry by entry.
        self.items.as_deref().unwrap_or(self).check_string(text, path)
    }

    fn check_kind(&self, value: &Value, path: &JsonPath) -> Result<(), Broken> {
        let Some(types) = &self.types else { return Ok(()) };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = types.iter().any(|allowed| allowed == kind || (allowed == "integer" && value.is_i64()));
        if fits { Ok(()) } else { broken(path.clone(), &format!("it has to be one of: {}", types.join(", "))) }
    }

    fn check_string(&self, text: &str, path: &JsonPath) -> Result<(), Broken> {
        within(text.chars().count(), self.min_length, self.max_length, "characters", path)?;
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
            return broken(path.clone(), &format!("it has to match `{}`", pattern.text));
        }
        match self.format.as_deref() {
            Some("uri") if url::Url::parse(text).is_err() => broken(path.clone(), "it has to be an absolute URL"),
            Some("iso4217-code") if !is_capitals(text, 3) => {
                broken(path.clone(), "it has to be an ISO 4217 code, three capital letters")
            }
            Some("iso3166-alpha2") if !is_capitals(text, 2) => {
                broken(path.clone(), "it has to be an ISO 3166-1 country code, two capital letters")
            }
            Some("iso-3166-1") if !(is_capitals(text, 2) || is_capitals(text, 3)) => {
                broken(path.clone(), "it has to be an ISO 3166-1 country code, two or three capital letters")
            }
            _ => Ok(()),
        }
    }

    fn check_number(&self, number: &Number, path: &JsonPath) -> Result<(), Broken> {
        if let Some(least) = &self.minimum
            && (below(number, least) || (self.exclusive_minimum && !below(least, number)))
        {
            let word = if self.exclusive_minimum { "more than" } else { "at least" };
            return broken(path.clone(), &format!("it has to be {word} {least}"));
        }
        if let Some(most) = &self.maximum
            && (below(most, number) || (self.exclusive_maximum && !below(number, most)))
        {
            let word = if self.exclusive_maximum { "less than" } else { "at most" };
            return broken(path.clone(), &format!("it has to be {word} {most}"));
        }
        match (number.as_i64(), self.multiple_of.as_ref().and_then(Number::as_i64)) {
            (Some(number), Some(step)) if step > 0 && number % step != 0 => {
                broken(path.clone(), &format!("it has to be a multiple of {step}"))
            }
            _ => Ok(()),
        }
    }
}

fn has_twin(entries: &[Value]) -> bool {
    entries.iter().enumerate().any(|(at, entry)| entries.iter().take(at).any(|earlier| earlier == entry))
}

fn is_capitals(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// Integers are compared as integers: a float would round sums of money.
fn below(one: &Number, other: &Number) -> bool {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one < other,
        _ => one.as_f64() < other.as_f64(),
    }
}

fn within(count: usize, least: Option<usize>, most: Option<usize>, what: &str, path: &JsonPath) -> Result<(), Broken> {
    match (least, most) {
        (Some(least), _) if count < least => broken(path.clone(), &format!("it has to have at least {least} {what}")),
        (_, Some(most)) if count > most => broken(path.clone(), &format!("it may have at most {most} {what}")),
        _ => Ok(()),
    }
}

fn broken(path: JsonPath, rule: &str) -> Result<(), Broken> {
    Err(Broken { path, rule: rule.to_owned() })
}
