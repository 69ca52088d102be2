//! All places of a response, found by walking through an instance and the document side by side.
//!
//! The tests of reading go through these places, so that a field that a new revision adds is tested without a word.

use serde_json::{Map, Value, json};

/// The document that the types are generated from.
pub(crate) struct Document(Value);

/// A step to a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Field(String),
    Entry(usize),
}

/// A place in a response.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) steps: Vec<Step>,
    /// What the document says of it, references followed.
    pub(crate) schema: Value,
    /// `OrderItem.vat`: what it is, wherever the type occurs. None for the whole, for entries of lists and of maps.
    pub(crate) field: Option<String>,
    /// Whether the object around it is worthless without it.
    pub(crate) required: bool,
    /// Whether a choice between tagged objects is around it: such an object is kept whole when it cannot be read.
    pub(crate) in_choice: bool,
}

impl Document {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/dintero.json");
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// The schema of a type.
    pub(crate) fn of_type(&self, name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// An instance of a type with every field that it can have.
    pub(crate) fn full(&self, name: &str) -> Value {
        self.make(&self.of_type(name), &[]).unwrap()
    }

    /// A full value; none for a type inside itself.
    fn make(&self, schema: &Value, inside: &[String]) -> Option<Value> {
        let (schema, name) = self.resolve(schema);
        if name.as_ref().is_some_and(|name| inside.contains(name)) {
            return None;
        }
        let inside: Vec<String> = inside.iter().cloned().chain(name).collect();
        if let Some(tagged) = schema.get("x-tagged") {
            let (tag, variant) = tagged["variants"].as_object().unwrap().iter().next().unwrap();
            let mut value = self.make(variant, &inside)?;
            value[tagged["property"].as_str().unwrap()] = json!(tag);
            return Some(value);
        }
        if let Some(value) = schema.get("enum").and_then(|values| values.get(0)).or(schema.get("example")) {
            return Some(value.clone());
        }
        Some(match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("object"), _) => {
                let properties = schema["properties"].as_object().into_iter().flatten();
                let known = properties.filter_map(|(key, schema)| Some((key.clone(), self.make(schema, &inside)?)));
                let any = schema.get("additionalProperties").and_then(|values| self.make(values, &inside));
                Value::Object(known.chain(any.map(|value| ("any_key".to_owned(), value))).collect())
            }
            (Some("array"), _) => Value::Array(self.make(&schema["items"], &inside).into_iter().collect()),
            (Some("string"), Some("date-time")) => json!("2026-01-02T03:04:05.678Z"),
            (Some("string"), Some("date")) => json!("2026-01-02"),
            (Some("string"), _) => json!("a text"),
            (Some("integer"), _) => json!(29_990),
            (Some("number"), _) => json!(12.5),
            (Some("boolean"), _) => json!(true),
            _ => json!({ "any": [1, "thing"] }),
        })
    }

    /// The names of all fields that a type holds, directly or in other types.
    pub(crate) fn fields(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![name.to_owned()];
        let mut seen = Vec::new();
        while let Some(name) = open.pop() {
            if seen.contains(&name) {
                continue;
            }
            let schema = &self.0["components"]["schemas"][&name];
            let properties = schema["properties"].as_object();
            found.extend(properties.into_iter().flatten().map(|(field, _)| format!("{name}.{field}")));
            references(schema, &mut open);
            seen.push(name);
        }
        found
    }

    /// The schema behind references, with the name of the type that it is.
    fn resolve(&self, schema: &Value) -> (Value, Option<String>) {
        let only_part = schema.get("allOf").and_then(|parts| parts.get(0));
        match schema.get("$ref").or_else(|| only_part.and_then(|part| part.get("$ref"))).and_then(Value::as_str) {
            Some(target) => {
                let name = target.rsplit('/').next().unwrap().to_owned();
                (self.0["components"]["schemas"][&name].clone(), Some(name))
            }
            None => (schema.clone(), None),
        }
    }

    /// As [`Document::resolve`], and the variant that a choice has come to, with the name of that.
    fn resolve_for(&self, schema: &Value, value: &Value) -> (Value, Option<String>, bool) {
        let (schema, name) = self.resolve(schema);
        let Some(tagged) = schema.get("x-tagged") else { return (schema, name, false) };
        let tag = tagged["property"].as_str().and_then(|property| value.get(property)?.as_str());
        match tag.and_then(|tag| tagged["variants"].get(tag)) {
            Some(variant) => {
                let (schema, name) = self.resolve(variant);
                (schema, name, true)
            }
            None => (schema, name, true),
        }
    }

    /// All places of `instance`, an instance of `schema`.
    pub(crate) fn places(&self, schema: &Value, instance: &Value) -> Vec<Place> {
        let mut out = Vec::new();
        let whole = Place { steps: Vec::new(), schema: Value::Null, field: None, required: true, in_choice: false };
        self.walk(schema, instance, whole, &mut out);
        out
    }

    fn walk(&self, schema: &Value, value: &Value, mut place: Place, out: &mut Vec<Place>) {
        let (schema, name, is_choice) = self.resolve_for(schema, value);
        place.schema = schema.clone();
        out.push(place.clone());
        let below = |step: Step, field: Option<String>, required: bool| Place {
            steps: place.steps.iter().cloned().chain([step]).collect(),
            schema: Value::Null,
            field,
            required,
            in_choice: place.in_choice || is_choice,
        };
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let step = Step::Field(key.clone());
                    if let Some(known) = schema["properties"].get(key) {
                        let field = name.as_ref().map(|name| format!("{name}.{key}"));
                        self.walk(known, value, below(step, field, is_required(&schema, key)), out);
                    } else if let Some(values) = schema.get("additionalProperties") {
                        self.walk(values, value, below(step, None, false), out);
                    }
                }
            }
            Value::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.walk(&schema["items"], entry, below(Step::Entry(index), None, false), out);
                }
            }
            _ => {}
        }
    }

    /// What is left of `value` when only the way to a place is kept, with what is required and the plain values on
    /// the way: small enough to be read for every place. Lists keep the entry on the way, as their first.
    pub(crate) fn along(&self, schema: &Value, value: &Value, steps: &[Step]) -> Value {
        let (schema, _, _) = self.resolve_for(schema, value);
        match (value, steps.first()) {
            (Value::Object(fields), next) => {
                let mut out = Map::new();
                for (key, value) in fields {
                    let is_next = next == Some(&Step::Field(key.clone()));
                    let is_plain = !value.is_object() && !value.is_array();
                    if is_next || is_plain || is_required(&schema, key) {
                        let known = schema["properties"].get(key).or(schema.get("additionalProperties"));
                        let rest = if is_next { &steps[1..] } else { &[] };
                        out.insert(key.clone(), self.along(known.unwrap_or(&Value::Null), value, rest));
                    }
                }
                Value::Object(out)
            }
            (Value::Array(entries), Some(Step::Entry(index))) => {
                json!([self.along(&schema["items"], &entries[*index], &steps[1..])])
            }
            (Value::Array(_), _) => json!([]),
            (plain, _) => plain.clone(),
        }
    }
}

impl Place {
    /// The steps in an instance that [`Document::along`] has cut down.
    pub(crate) fn cut_down(&self) -> Vec<Step> {
        let first = |step: &Step| if let Step::Entry(_) = step { Step::Entry(0) } else { step.clone() };
        self.steps.iter().map(first).collect()
    }

    /// Values that are not of its type; none where anything goes.
    pub(crate) fn wrong(&self) -> Vec<Value> {
        let schema = &self.schema;
        if schema["x-replace"] == "crate::types::StringOrNumber" || schema.get("type").is_none() {
            return Vec::new();
        }
        let fits = |value: &Value| match schema["type"].as_str() {
            Some("string") => value.is_string() && schema.get("format").is_none(),
            Some("boolean") => value.is_boolean(),
            // Of the entries only, if at all.
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            // A decimal: an integer takes no fraction.
            Some("number") => value.is_number(),
            _ => false,
        };
        let all = [
            json!(true),
            json!(7.5),
            json!("no such thing"),
            json!([]),
            json!([[]]),
            json!(["a"]),
            json!({ "a": [1] }),
        ];
        all.into_iter().filter(|value| !fits(value)).collect()
    }
}

/// What stands at a place.
pub(crate) fn at<'a>(value: &'a mut Value, steps: &[Step]) -> &'a mut Value {
    steps.iter().fold(value, |value, step| match step {
        Step::Field(name) => value.get_mut(name).unwrap(),
        Step::Entry(index) => value.get_mut(index).unwrap(),
    })
}

/// Takes away what stands at a place.
pub(crate) fn remove(value: &mut Value, steps: &[Step]) {
    let (last, parents) = steps.split_last().unwrap();
    match (at(value, parents), last) {
        (Value::Object(fields), Step::Field(name)) => drop(fields.remove(name)),
        (Value::Array(entries), Step::Entry(index)) => drop(entries.remove(*index)),
        _ => panic!("nothing stands at {steps:?}"),
    }
}

/// The place as the reader reports it.
pub(crate) fn path(steps: &[Step]) -> String {
    let path = steps.iter().fold(dintero::read::JsonPath::root(), |path, step| match step {
        Step::Field(name) => path.field(name),
        Step::Entry(index) => path.index(*index),
    });
    path.to_string()
}

pub(crate) fn is_required(schema: &Value, field: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == field))
}

fn references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                match child {
                    Value::String(target) if key == "$ref" => out.extend(target.rsplit('/').next().map(str::to_owned)),
                    _ => references(child, out),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, out)),
        _ => {}
    }
}
