//! One side of a comparison as addressed JSON: every object that is looked at has a JSON Pointer and a small id.
//!
//! Typed reads and references live here, so that an odd document ends in an error that names the side and the place.
//! What schemas mean is in [`super::node`].

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

/// Why a document cannot be compared: which side, where in it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftError {
    side: String,
    pointer: String,
    problem: String,
}

impl DriftError {
    pub(crate) fn new(side: &str, pointer: &str, problem: impl Into<String>) -> Self {
        Self { side: side.to_owned(), pointer: pointer.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever names the document holds.
        let line = format!("{} document, #{}: {}", self.side, self.pointer, self.problem);
        f.write_str(&super::text::clean(&line))
    }
}

impl std::error::Error for DriftError {}

/// The result of everything that reads a document.
pub(crate) type Result<T> = std::result::Result<T, DriftError>;

/// A place in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u32);

/// How many references may follow each other before the chain counts as endless.
const LONGEST_CHAIN: usize = 64;

/// A document and the places in it that were visited.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    side: &'static str,
    places: Vec<(String, &'a Value)>,
    ids: HashMap<String, Place>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(side: &'static str, root: &'a Value) -> Self {
        Self { side, places: vec![(String::new(), root)], ids: HashMap::from([(String::new(), Place(0))]) }
    }

    pub(crate) fn root() -> Place {
        Place(0)
    }

    fn entry(&self, place: Place) -> (&str, &'a Value) {
        // Ids are only made by `intern`, so the index always exists; the root stands in rather than a panic.
        self.places
            .get(place.0 as usize)
            .or_else(|| self.places.first())
            .map_or(("", &Value::Null), |(pointer, value)| (pointer.as_str(), *value))
    }

    pub(crate) fn value(&self, place: Place) -> &'a Value {
        self.entry(place).1
    }

    pub(crate) fn pointer(&self, place: Place) -> &str {
        self.entry(place).0
    }

    pub(crate) fn error(&self, place: Place, problem: impl Into<String>) -> DriftError {
        DriftError::new(self.side, self.pointer(place), problem)
    }

    fn intern(&mut self, pointer: String, value: &'a Value) -> Place {
        if let Some(place) = self.ids.get(&pointer) {
            return *place;
        }
        let place = Place(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        self.ids.insert(pointer.clone(), place);
        self.places.push((pointer, value));
        place
    }

    /// The member `key` of an object, or the element of an array at that index.
    pub(crate) fn child(&mut self, place: Place, key: &str) -> Option<Place> {
        let (pointer, value) = self.entry(place);
        let found = match value {
            Value::Object(map) => map.get(key)?,
            Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
        let pointer = format!("{pointer}/{}", crate::schema::escape(key));
        Some(self.intern(pointer, found))
    }

    /// The members of the object at `key`, empty when there is no such key.
    pub(crate) fn members(&mut self, place: Place, key: &str) -> Result<Vec<(String, Place)>> {
        let Some(place) = self.child(place, key) else { return Ok(Vec::new()) };
        let names: Vec<String> = self.object(place)?.keys().cloned().collect();
        Ok(names.into_iter().filter_map(|name| self.child(place, &name).map(|child| (name, child))).collect())
    }

    /// The elements of the array at `key`, empty when there is no such key.
    pub(crate) fn elements(&mut self, place: Place, key: &str) -> Result<Vec<Place>> {
        let Some(place) = self.child(place, key) else { return Ok(Vec::new()) };
        let Value::Array(items) = self.value(place) else {
            return Err(self.error(place, format!("expected an array, found {}", kind(self.value(place)))));
        };
        Ok((0..items.len()).filter_map(|index| self.child(place, &index.to_string())).collect())
    }

    pub(crate) fn object(&self, place: Place) -> Result<&'a Map<String, Value>> {
        match self.value(place) {
            Value::Object(map) => Ok(map),
            other => Err(self.error(place, format!("expected an object, found {}", kind(other)))),
        }
    }

    /// The text at `key`.
    pub(crate) fn text(&self, place: Place, key: &str) -> Result<Option<&'a str>> {
        match self.object(place)?.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.error(place, format!("`{key}` is {}, not a string", kind(other)))),
        }
    }

    /// The flag at `key`; a flag that is not there is off.
    pub(crate) fn flag(&self, place: Place, key: &str) -> Result<bool> {
        Ok(self.flag_if_given(place, key)?.unwrap_or(false))
    }

    pub(crate) fn flag_if_given(&self, place: Place, key: &str) -> Result<Option<bool>> {
        match self.object(place)?.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.error(place, format!("`{key}` is {}, not true or false", kind(other)))),
        }
    }

    /// Follows `$ref` to the object it stands for. Keys beside a `$ref` mean nothing in OpenAPI 3.0.
    pub(crate) fn resolve(&mut self, place: Place) -> Result<Place> {
        let mut current = place;
        for _ in 0..LONGEST_CHAIN {
            if !self.object(current)?.contains_key("$ref") {
                return Ok(current);
            }
            let target = self.text(current, "$ref")?.unwrap_or_default();
            current = self.lookup(current, target)?;
        }
        Err(self.error(place, "the reference leads in a circle"))
    }

    /// What a reference at `place` names: `#/components/...`.
    pub(crate) fn lookup(&mut self, place: Place, target: &str) -> Result<Place> {
        let Some(fragment) = target.strip_prefix('#') else {
            return Err(self.error(place, format!("`{target}` leads out of the document: bundle it first")));
        };
        let mut current = Self::root();
        if fragment.is_empty() {
            return Ok(current);
        }
        let dangling = || format!("`{target}` leads nowhere");
        let Some(path) = fragment.strip_prefix('/') else { return Err(self.error(place, dangling())) };
        for token in path.split('/') {
            let key = percent_decoded(token).replace("~1", "/").replace("~0", "~");
            current = self.child(current, &key).ok_or_else(|| self.error(place, dangling()))?;
        }
        Ok(current)
    }

    /// The component `name` of a kind, when there is one.
    pub(crate) fn component(&mut self, kind: &str, name: &str) -> Option<Place> {
        let components = self.child(Self::root(), "components")?;
        let kind = self.child(components, kind)?;
        self.child(kind, name)
    }
}

fn percent_decoded(token: &str) -> String {
    let bytes = token.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let decoded = (*byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(decoded.unwrap_or(*byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| token.to_owned())
}

/// How an error names a JSON value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value as text that does not depend on the order of keys or on how a whole number is written.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, child)| format!("{}:{}", Value::String(key.clone()), canonical(child)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Number(number) => {
            let text = number.to_string();
            // `100.0` and `100` are one number in JSON.
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_decode_pointer_and_percent_escapes() {
        let value = json!({ "paths": { "/a/{b}": { "x": 1 } } });
        let mut document = Document::new("old", &value);
        let found = document.lookup(Document::root(), "#/paths/~1a~1%7Bb%7D/x").map(|place| document.value(place));
        assert_eq!(found, Ok(&json!(1)));
    }

    #[test]
    fn circular_and_foreign_references_are_errors_that_name_the_place() {
        let value = json!({ "a": { "$ref": "#/b" }, "b": { "$ref": "#/a" }, "c": { "$ref": "other.yaml#/x" } });
        let mut document = Document::new("new", &value);
        let a = document.child(Document::root(), "a").map(|place| document.resolve(place));
        assert!(matches!(a, Some(Err(error)) if error.to_string().contains("in a circle")));
        let c = document.child(Document::root(), "c").map(|place| document.resolve(place));
        assert!(
            matches!(c, Some(Err(error)) if error.to_string() == "new document, #/c: `other.yaml#/x` leads out of the document: bundle it first")
        );
    }

    #[test]
    fn canonical_text_ignores_key_order_and_trailing_zero() {
        assert_eq!(canonical(&json!({ "b": 100.0, "a": [1] })), canonical(&json!({ "a": [1], "b": 100 })));
        assert_ne!(canonical(&json!("100")), canonical(&json!(100)));
    }
}
