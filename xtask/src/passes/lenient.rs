//! Pass `lenient`: types that a person would choose, and that no response fails on.
//!
//! Money is `int64` in minor units, whatever upstream calls the number; other fractional numbers are decimals; the
//! only formats left are times. Limits, defaults and read-only marks move into `x-facts`, from which
//! [`super::describe`] makes sentences; requests keep them through [`super::checks`]. What is only read requires
//! nothing but what it is worthless without.
//!
//! Which properties are money and which hold personal data or secrets is curation: the overlay lists their names.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Interface;
use super::calls::Call;
use crate::overlay::Traits;
use crate::schema::LIMITS;

/// Schemas that stand for handwritten types: name, Rust path, plain schema, description.
pub const PROVIDED: [(&str, &str, &str, &str); 6] = [
    ("Currency", "crate::types::Currency", "string", "A currency by its ISO 4217 code."),
    ("Decimal", "crate::types::Decimal", "number", "A decimal number, kept exactly."),
    ("Sensitive", "crate::types::Sensitive", "string", "A text about a person, or a secret: left out of debug output."),
    ("SessionId", "crate::types::SessionId", "string", "The id of a session, with the account in it."),
    ("TransactionId", "crate::types::TransactionId", "string", "The id of a transaction, with the account in it."),
    ("StringOrNumber", "crate::types::StringOrNumber", "string", "A text or a number."),
];

/// Whether a schema that stands for a handwritten type is that of an id.
#[must_use]
pub fn is_id(name: &str) -> bool {
    name.ends_with("Id") && PROVIDED.iter().any(|(provided, ..)| *provided == name)
}

/// An id of the form that the provided ids have.
const EXAMPLE_ID: &str = "P00000000.465U8CUzaPVpneu1wt8Wei";

/// Facts beside the limits that are not part of the type.
const FACTS: [&str; 4] = ["default", "example", "readOnly", "writeOnly"];

/// The property names that the overlay lists.
#[derive(Debug)]
pub struct Lists {
    money: BTreeSet<String>,
    sensitive: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Lists {
    /// Reads `x-money` and `x-sensitive` of the curated slice.
    #[must_use]
    pub fn new(curated: &Value) -> Self {
        let list = |key: &str| {
            let names = curated.get(key).and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self { money: list("x-money"), sensitive: list("x-sensitive"), seen: BTreeSet::new() }
    }

    /// Names that are listed and that no property has: a renamed field must not quietly lose its type.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let all = self.money.union(&self.sensitive).filter(|name| !self.seen.contains(*name));
        all.map(|name| format!("`money` or `sensitive` lists `{name}`, which no property is called")).collect()
    }

    fn is_money(&mut self, property: &str) -> bool {
        self.money.contains(property) && self.seen.insert(property.to_owned()) | true
    }

    fn is_sensitive(&mut self, property: &str) -> bool {
        self.sensitive.contains(property) && self.seen.insert(property.to_owned()) | true
    }
}

/// Types every tree of a call.
pub fn type_call(call: &mut Call, lists: &mut Lists) {
    type_tree(&mut call.response, "", lists);
    call.body.iter_mut().for_each(|body| type_tree(body, "", lists));
    for parameter in &mut call.parameters {
        // `amount.gte` is an amount too.
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let property = name.split('.').next().unwrap_or_default().to_owned();
        type_tree(&mut parameter["schema"], &property, lists);
        if parameter["schema"].get("$ref").is_some_and(|name| name == "#/components/schemas/Sensitive") {
            parameter["schema"] = json!({ "type": "string" });
        }
    }
}

fn type_tree(tree: &mut Value, property: &str, lists: &mut Lists) {
    let Some(map) = tree.as_object_mut() else { return };
    let mut facts = Map::new();
    for key in FACTS.into_iter().chain(LIMITS) {
        if let Some(fact) = map.remove(key) {
            facts.insert(key.to_owned(), fact);
        }
    }
    for key in ["not", "deprecated"] {
        map.remove(key);
    }
    if let Some(choices) = map.remove("oneOf").or_else(|| map.remove("anyOf")) {
        map.remove("type");
        if choices
            .as_array()
            .is_some_and(|all| all.iter().all(|choice| choice["type"] == "string" || choice["type"] == "number"))
        {
            map.insert("$ref".to_owned(), json!("#/components/schemas/StringOrNumber"));
        }
    }
    let format = map.remove("format");
    match map.get("type").and_then(Value::as_str) {
        Some("number" | "integer") if lists.is_money(property) => {
            map.insert("type".to_owned(), json!("integer"));
            map.insert("format".to_owned(), json!("int64"));
            facts.insert("money".to_owned(), json!(true));
        }
        Some("integer") => {
            map.insert("format".to_owned(), json!("int64"));
        }
        Some("number") => {
            map.remove("type");
            map.insert("$ref".to_owned(), json!("#/components/schemas/Decimal"));
        }
        Some("string") if map.get("enum").is_none() => {
            if property == "currency" || format.as_ref().is_some_and(|format| format == "iso4217-code") {
                map.remove("type");
                map.insert("$ref".to_owned(), json!("#/components/schemas/Currency"));
            } else if lists.is_sensitive(property) {
                map.remove("type");
                map.insert("$ref".to_owned(), json!("#/components/schemas/Sensitive"));
            } else if let Some(format) = format {
                let is_time = format == "date-time" || format == "date";
                (if is_time { &mut *map } else { &mut facts }).insert("format".to_owned(), format);
            }
        }
        Some("string" | "boolean" | "object" | "array") => {}
        // A type that OpenAPI 3.0 does not have: read as any JSON.
        Some(_) => {
            map.remove("type");
        }
        None if map.contains_key("properties") => {
            map.insert("type".to_owned(), json!("object"));
        }
        None => {}
    }
    type_enum(map);
    if !facts.is_empty() {
        map.insert("x-facts".to_owned(), Value::Object(facts));
    }
    type_children(map, property, lists);
}

/// Only enums of strings become types; a null among the values says that the value may be absent.
fn type_enum(map: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.to_string()));
        if values.is_empty() || !values.iter().all(Value::is_string) {
            map.remove("enum");
        }
    }
    if map.contains_key("enum") {
        map.insert("type".to_owned(), json!("string"));
    }
}

fn type_children(map: &mut Map<String, Value>, property: &str, lists: &mut Lists) {
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        for (name, child) in properties {
            type_tree(child, name, lists);
        }
    }
    if let Some(items) = map.get_mut("items") {
        type_tree(items, property, lists);
    }
    match map.get_mut("additionalProperties") {
        Some(Value::Bool(_)) => {
            map.remove("additionalProperties");
        }
        Some(values) => type_tree(values, "", lists),
        None => {}
    }
    if let Some(Value::Object(variants)) = map.get_mut("x-tagged").and_then(|tagged| tagged.get_mut("variants")) {
        for variant in variants.values_mut() {
            type_tree(variant, "", lists);
        }
    }
}

/// Lets what is only read go without everything but the essential, gives types their traits, and adds the provided
/// schemas; returns the traits of what does not exist.
pub(crate) fn relax(interface: &mut Interface, traits: &Traits) -> Vec<String> {
    let sent = interface.reach(interface.calls.iter().filter_map(|call| call.body.as_ref()));
    let mut stale = Vec::new();
    for (name, fields) in &traits.essential {
        let properties = interface.schemas.get(name).and_then(|tree| tree.get("properties"));
        let missing = fields.keys().filter(|field| properties.is_none_or(|all| all.get(field.as_str()).is_none()));
        stale.extend(missing.map(|field| format!("essential: there is no {name}.{field}")));
        if sent.contains(name) {
            stale.push(format!("essential: {name} is sent too, so the interface alone says what it requires"));
        }
    }
    for (name, tree) in &mut interface.schemas {
        if sent.contains(name) {
            continue;
        }
        let has = |field: &&String| tree.get("properties").is_some_and(|all| all.get(field.as_str()).is_some());
        let fields = traits.essential.get(name).into_iter().flat_map(|fields| fields.keys());
        let kept: Vec<&String> = fields.filter(has).collect();
        if !kept.is_empty() || tree.get("required").is_some() {
            tree["required"] = json!(kept);
        }
    }
    for name in &traits.boxed {
        match interface.schemas.get_mut(name) {
            Some(tree) => tree["x-boxed"] = json!(true),
            None => stale.push(format!("boxed: there is no type {name}")),
        }
    }
    let known = |name: &&String| interface.schemas.contains_key(*name);
    stale.extend(
        traits
            .keep_unknown
            .iter()
            .filter(|name| !known(name))
            .map(|name| format!("keep-unknown: there is no type {name}")),
    );
    let keeping: BTreeSet<String> = traits.keep_unknown.iter().filter(known).cloned().collect();
    let below = interface.reach(keeping.iter().filter_map(|name| interface.schemas.get(name)));
    for name in keeping.union(&below) {
        let tree = interface.schemas.get_mut(name);
        if let Some(tree) = tree.filter(|tree| keeping.contains(name) || tree.get("properties").is_some()) {
            tree["additionalProperties"] = json!({});
        }
    }
    for (name, path, kind, description) in PROVIDED {
        let mut tree = json!({ "type": kind, "description": description, "x-replace": path });
        if is_id(name) {
            tree["example"] = json!(EXAMPLE_ID);
        }
        interface.schemas.insert(name.to_owned(), tree);
    }
    stale
}
