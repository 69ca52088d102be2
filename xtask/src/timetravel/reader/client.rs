//! What a client of a revision knows of the places of a response, by the surface that it was generated with.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::{self, Kind, Presence, Shape, Surface};

/// What was skipped: its place as a JSONPath, its value, and what was expected instead.
pub(crate) type SkippedField = (String, Value, String);

/// Reads a response: what it is written back as and what was skipped, or why it cannot be read.
pub(crate) type Read = fn(&str, &str) -> Result<(Value, Vec<SkippedField>), String>;

/// A client of one revision.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) read: Read,
    /// The place of a field below another, as the client names it.
    pub(crate) place: fn(&str) -> String,
    surface: Surface,
    /// What each operation gives.
    pub(crate) responses: HashMap<String, Kind>,
}

impl Client {
    pub(crate) fn new(name: &'static str, surface: &str, read: Read, place: fn(&str) -> String) -> Self {
        let surface: Surface = serde_json::from_str(surface).expect("the surface is JSON");
        let responses = surface.calls.iter().map(|call| {
            let target = Kind::Type(call.response.target.clone());
            let kind = if call.response.list { Kind::List(Box::new(target)) } else { target };
            (format!("{} {}", call.method, call.path), kind)
        });
        Self { name, read, place, responses: responses.collect(), surface }
    }

    /// The places on the way to one, from the root on: each as a JSONPath, and whether what is around it cannot do
    /// without it.
    pub(crate) fn way(&self, operation: &str, response: &Value, pointer: &str) -> Vec<(String, bool)> {
        let (mut path, mut value, mut kind) = ("$".to_owned(), response, self.responses.get(operation));
        let mut way = vec![(path.clone(), false)];
        for key in pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")) {
            let mut is_needed = false;
            let below = match value {
                Value::Array(items) => {
                    path.push_str(&format!("[{key}]"));
                    kind = kind.and_then(|kind| if let Kind::List(entry) = kind { Some(&**entry) } else { None });
                    key.parse().ok().and_then(|index: usize| items.get(index))
                }
                Value::Object(fields) => {
                    path.push_str(&(self.place)(&key));
                    kind = match self.field(kind, fields, &key) {
                        Field::Known(field, _) => {
                            is_needed = field.presence == Presence::Required;
                            Some(&field.kind)
                        }
                        Field::Entry(kind) => Some(kind),
                        Field::Unknown(_) | Field::Any => None,
                    };
                    fields.get(&key)
                }
                _ => None,
            };
            value = below.unwrap_or(&Value::Null);
            way.push((path.clone(), is_needed));
        }
        way
    }

    /// What a field of an object holds, and the type that it is a field of.
    pub(crate) fn field<'c>(&'c self, kind: Option<&'c Kind>, object: &Map<String, Value>, name: &str) -> Field<'c> {
        let Some(kind) = kind else { return Field::Any };
        let target = match kind {
            Kind::Type(target) => target,
            Kind::Map(values) => return Field::Entry(values),
            _ => return Field::Any,
        };
        match self.surface.find(target).map(|known| &known.shape) {
            Some(Shape::Struct { fields, keeps_unknown, .. }) => match fields.iter().find(|field| field.json == name) {
                Some(field) => Field::Known(field, target),
                None if *keeps_unknown => Field::Any,
                None => Field::Unknown(target),
            },
            Some(Shape::Choice { property, variants }) => {
                let tag = object.get(property).and_then(Value::as_str);
                match variants.iter().find(|variant| Some(variant.tag.as_str()) == tag) {
                    Some(_) if name == property => Field::Any,
                    Some(variant) => match self.surface.find(&variant.target).map(|known| &known.shape) {
                        Some(Shape::Struct { fields, keeps_unknown: false, .. }) => {
                            match fields.iter().find(|field| field.json == name) {
                                Some(field) => Field::Known(field, &variant.target),
                                None => Field::Unknown(&variant.target),
                            }
                        }
                        _ => Field::Any,
                    },
                    // A variant that is not known is kept whole.
                    None => Field::Any,
                }
            }
            _ => Field::Any,
        }
    }
}

/// What a client knows of a field of a response.
pub(crate) enum Field<'c> {
    /// This field, of that type.
    Known(&'c model::Field, &'c str),
    /// A value of a map.
    Entry(&'c Kind),
    /// Not a field of this type.
    Unknown(&'c str),
    /// Any JSON, kept as it is.
    Any,
}
