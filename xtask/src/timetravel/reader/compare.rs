//! Comparing what came with what was written back, led by the document that the client was made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::read::{JsonPath, SetAside};

/// How many examples of a trouble are kept.
const EXAMPLES: usize = 20;

/// What the comparisons found.
#[derive(Default, Serialize)]
pub(crate) struct Comparison {
    /// Texts of enums that came back as they were.
    enums_kept: usize,
    /// Texts of enums in fields that this client does not know, or that were set aside.
    enums_beyond: usize,
    /// Texts of enums that came back otherwise, or not at all.
    enums_altered: Vec<String>,
    /// All values that came back as they were.
    values_kept: usize,
    /// Other values that came back otherwise, or not at all.
    values_altered: Vec<String>,
    /// By place, fields that this client does not know.
    unknown: BTreeMap<String, usize>,
}

/// What the document knows of a place.
#[derive(Clone, Copy)]
pub(crate) enum Known<'a> {
    /// A schema.
    Schema(&'a Value, &'a Value),
    /// Any JSON, kept as it is.
    Raw,
}

impl<'a> Known<'a> {
    pub(crate) fn of_answer(document: &'a Value, operation: &str) -> Self {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        let responses = &document["paths"][path][method.to_lowercase()]["responses"];
        let success = responses.as_object().into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let (_, response) = success.expect("a success status");
        Known::Schema(document, &response["content"]["application/json"]["schema"]).resolved()
    }

    /// References followed, and the node around a described reference.
    fn resolved(self) -> Self {
        let Known::Schema(document, mut schema) = self else { return self };
        loop {
            let only_part = schema.get("allOf").and_then(|parts| parts.get(0));
            match schema.get("$ref").or_else(|| only_part.and_then(|part| part.get("$ref"))) {
                Some(target) => {
                    let pointer = target.as_str().and_then(|target| target.strip_prefix('#')).expect("a reference");
                    schema = document.pointer(pointer).expect("a reference leads somewhere");
                }
                None => return Known::Schema(document, schema),
            }
        }
    }

    /// What is known of a field; none when nothing is.
    fn field(self, object: &Value, name: &str) -> Option<Self> {
        let Known::Schema(document, schema) = self else { return Some(Known::Raw) };
        let below = |schema| Known::Schema(document, schema).resolved();
        if let Some(tagged) = schema.get("x-tagged") {
            let property = tagged["property"].as_str().unwrap_or_default();
            let variant = object.get(property).and_then(Value::as_str).and_then(|tag| tagged["variants"].get(tag));
            return match variant {
                Some(_) if name == property => Some(Known::Raw),
                Some(variant) => below(variant).field(object, name),
                // An unknown variant is kept whole.
                None => Some(Known::Raw),
            };
        }
        match (schema.get("properties").and_then(|all| all.get(name)), schema.get("additionalProperties")) {
            (Some(known), _) => Some(below(known)),
            (None, Some(others)) if others.is_object() => Some(below(others)),
            (None, None | Some(Value::Bool(_))) if schema.get("properties").is_some() => None,
            _ => Some(Known::Raw),
        }
    }

    fn entry(self) -> Self {
        match self {
            Known::Schema(document, schema) => match schema.get("items") {
                Some(items) => Known::Schema(document, items).resolved(),
                None => Known::Raw,
            },
            Known::Raw => Known::Raw,
        }
    }

    fn is_time(self) -> bool {
        matches!(self, Known::Schema(_, schema) if schema["format"] == "date-time" || schema["format"] == "date")
    }
}

/// A place with list indexes left out, as reports name it.
pub(crate) fn place(path: &JsonPath) -> String {
    let text = path.to_string();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let inside = after.split(']').next().unwrap_or_default();
        match inside.parse::<usize>() {
            Ok(_) => {
                out.push_str("[]");
                rest = &after[inside.len() + 1..];
            }
            Err(_) => {
                out.push('[');
                rest = after;
            }
        }
    }
    out + rest
}

/// One answer under comparison.
struct Answer<'a> {
    gone: BTreeSet<&'a JsonPath>,
    enums: BTreeSet<&'a str>,
}

impl Comparison {
    pub(crate) fn compare(
        &mut self,
        input: &Value,
        back: &Value,
        known: &Known<'_>,
        set_aside: &[SetAside],
        enums: &[String],
    ) {
        let answer = Answer {
            gone: set_aside.iter().map(|gone| &gone.path).collect(),
            enums: enums.iter().map(String::as_str).collect(),
        };
        self.value(&answer, input, Some(back), *known, super::root(), "");
    }

    fn value(
        &mut self,
        answer: &Answer<'_>,
        input: &Value,
        back: Option<&Value>,
        known: Known<'_>,
        path: JsonPath,
        pointer: &str,
    ) {
        if answer.gone.contains(&path) {
            self.enums_beyond += count_enums(answer, pointer);
            return;
        }
        match (input, back) {
            // That there is nothing may be said by saying nothing.
            (Value::Null, None | Some(Value::Null)) => self.values_kept += 1,
            (Value::Array(items), None) if items.is_empty() => self.values_kept += 1,
            (Value::Object(fields), None) if fields.is_empty() => self.values_kept += 1,
            // A list of which nothing is left is left out.
            (Value::Array(_), None) => self.list(answer, input, &[], known, &path, pointer),
            (Value::Object(fields), Some(Value::Object(kept))) => {
                for (name, value) in fields {
                    let (path, pointer) = (path.clone().field(name), format!("{pointer}/{}", escape(name)));
                    match known.field(input, name) {
                        Some(known) => self.value(answer, value, kept.get(name), known, path, &pointer),
                        None => {
                            *self.unknown.entry(place(&path)).or_default() += 1;
                            self.enums_beyond += count_enums(answer, &pointer);
                        }
                    }
                }
            }
            (Value::Array(_), Some(Value::Array(kept))) => self.list(answer, input, kept, known, &path, pointer),
            _ => self.leaf(answer, input, back, known, &path, pointer),
        }
    }

    fn list(
        &mut self,
        answer: &Answer<'_>,
        input: &Value,
        kept: &[Value],
        known: Known<'_>,
        path: &JsonPath,
        pointer: &str,
    ) {
        let mut kept = kept.iter();
        for (index, value) in input.as_array().into_iter().flatten().enumerate() {
            let path = path.clone().index(index);
            // What was set aside is not among what came back.
            let back = if answer.gone.contains(&path) { None } else { kept.next() };
            self.value(answer, value, back, known.entry(), path, &format!("{pointer}/{index}"));
        }
        if kept.next().is_some() {
            self.values_altered.push(format!("{} has more entries than came", place(path)));
        }
    }

    fn leaf(
        &mut self,
        answer: &Answer<'_>,
        input: &Value,
        back: Option<&Value>,
        known: Known<'_>,
        path: &JsonPath,
        pointer: &str,
    ) {
        let is_enum = answer.enums.contains(pointer);
        let same = back.is_some_and(|back| same(input, back, known.is_time() && !is_enum));
        match (is_enum, same) {
            (true, true) => {
                self.enums_kept += 1;
                self.values_kept += 1;
            }
            (false, true) => self.values_kept += 1,
            (is_enum, false) => {
                let list = if is_enum { &mut self.enums_altered } else { &mut self.values_altered };
                let shown = back.map_or_else(|| "nothing".to_owned(), Value::to_string);
                // All are counted; the first are shown.
                list.push(if list.len() < EXAMPLES {
                    format!("{path}: {input} became {shown}")
                } else {
                    String::new()
                });
            }
        }
    }
}

fn same(input: &Value, back: &Value, is_time: bool) -> bool {
    if input == back {
        return true;
    }
    match (input, back) {
        // 100.0 and 100 are one number.
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::String(one), Value::String(other)) if is_time => {
            let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
            instant(one).is_some() && instant(one) == instant(other)
        }
        _ => false,
    }
}

/// How many texts of enums stand at or below a place.
fn count_enums(answer: &Answer<'_>, pointer: &str) -> usize {
    let below = format!("{pointer}/");
    answer.enums.iter().filter(|found| **found == pointer || found.starts_with(&below)).count()
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
