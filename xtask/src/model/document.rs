//! A document as addressed JSON: every object that is looked at has a JSON Pointer and a small id.
//!
//! Typed reads and references live here, so that an odd document ends in an error that names the document and the
//! place. What schemas mean is in [`super::schema`].

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

/// Why the meaning of a document cannot be told: which document, where in it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError {
    side: String,
    pointer: String,
    problem: String,
}

impl ModelError {
    pub(crate) fn new(side: &str, pointer: &str, problem: impl Into<String>) -> Self {
        Self { side: side.to_owned(), pointer: pointer.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever names the document holds.
        let line = format!("{} document, #{}: {}", self.side, self.pointer, self.problem);
        f.write_str(&crate::drift::text::clean(&line))
    }
}

impl std::error::Error for ModelError {}

/// The result of everything that reads a document.
pub(crate) type Result<T> = std::result::Result<T, ModelError>;

/// A place in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u32);

/// How many references may follow each other before the chain counts as endless.
const LONGEST_CHAIN: usize = 64;

/// A document and the places in it that were visited.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    side: &'static str,
    places: Vec<Entry<'a>>,
    /// By address: each value of a document has its own, and it stays where it is while it is borrowed.
    ids: HashMap<usize, Place>,
}

/// A value, and how it is reached from the one that holds it.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    holder: Place,
    key: Key<'a>,
    value: &'a Value,
}

#[derive(Debug, Clone, Copy)]
enum Key<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> Document<'a> {
    pub(crate) fn new(side: &'static str, root: &'a Value) -> Self {
        let mut document = Self { side, places: Vec::new(), ids: HashMap::new() };
        document.intern(Entry { holder: Self::root(), key: Key::Root, value: root });
        document
    }

    pub(crate) fn root() -> Place {
        Place(0)
    }

    fn entry(&self, place: Place) -> Entry<'a> {
        // Ids are only made by `intern`, so the entry always exists; nothing at all stands in rather than a panic.
        let nothing = Entry { holder: Self::root(), key: Key::Root, value: &Value::Null };
        self.places.get(place.0 as usize).copied().unwrap_or(nothing)
    }

    pub(crate) fn value(&self, place: Place) -> &'a Value {
        self.entry(place).value
    }

    /// The JSON Pointer of a place.
    pub(crate) fn pointer(&self, place: Place) -> String {
        let mut keys = Vec::new();
        let mut entry = self.entry(place);
        loop {
            match entry.key {
                Key::Root => break,
                Key::Name(name) => keys.push(crate::schema::escape(name)),
                Key::Index(index) => keys.push(index.to_string().into()),
            }
            entry = self.entry(entry.holder);
        }
        keys.iter().rev().fold(String::new(), |pointer, key| pointer + "/" + key)
    }

    pub(crate) fn error(&self, place: Place, problem: impl Into<String>) -> ModelError {
        ModelError::new(self.side, &self.pointer(place), problem)
    }

    fn intern(&mut self, entry: Entry<'a>) -> Place {
        let next = Place(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        let place = *self.ids.entry(std::ptr::from_ref(entry.value).addr()).or_insert(next);
        if place == next {
            self.places.push(entry);
        }
        place
    }

    /// The member `key` of an object, or the element of an array at that index.
    pub(crate) fn child(&mut self, place: Place, key: &str) -> Option<Place> {
        let (key, value) = match self.value(place) {
            Value::Object(map) => map.get_key_value(key).map(|(name, value)| (Key::Name(name), value))?,
            Value::Array(items) => {
                let index = key.parse::<usize>().ok()?;
                (Key::Index(index), items.get(index)?)
            }
            _ => return None,
        };
        Some(self.intern(Entry { holder: place, key, value }))
    }

    /// The members of the object at `key`, empty when there is no such key.
    pub(crate) fn members(&mut self, place: Place, key: &str) -> Result<Vec<(String, Place)>> {
        let Some(holder) = self.child(place, key) else { return Ok(Vec::new()) };
        let members = self.object(holder)?.iter();
        Ok(members
            .map(|(name, value)| (name.clone(), self.intern(Entry { holder, key: Key::Name(name), value })))
            .collect())
    }

    /// The elements of the array at `key`, empty when there is no such key.
    pub(crate) fn elements(&mut self, place: Place, key: &str) -> Result<Vec<Place>> {
        let Some(holder) = self.child(place, key) else { return Ok(Vec::new()) };
        let Value::Array(items) = self.value(holder) else {
            return Err(self.error(holder, format!("expected an array, found {}", kind(self.value(holder)))));
        };
        let items = items.iter().enumerate();
        Ok(items.map(|(index, value)| self.intern(Entry { holder, key: Key::Index(index), value })).collect())
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
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, child)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(key, text);
                text.push(':');
                write_canonical(child, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, child) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(child, text);
            }
            text.push(']');
        }
        Value::Number(number) => {
            let number = number.to_string();
            // `100.0` and `100` are one number in JSON.
            text.push_str(number.strip_suffix(".0").unwrap_or(&number));
        }
        Value::String(string) => write_string(string, text),
        Value::Bool(_) | Value::Null => text.push_str(&value.to_string()),
    }
}

/// A string as JSON writes it.
fn write_string(string: &str, text: &mut String) {
    let plain = |c: char| c >= ' ' && c != '"' && c != '\\';
    if string.chars().all(plain) {
        text.push('"');
        text.push_str(string);
        text.push('"');
    } else {
        text.push_str(&Value::String(string.to_owned()).to_string());
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
