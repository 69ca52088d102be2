//! Pass `describe`: our descriptions, from `spec/descriptions.yaml`, and the sentences that facts make.
//!
//! A text for something that does not exist is an error, so that a renamed field takes its text along. What is not
//! described is counted by `cargo xtask stats`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Interface;
use crate::moved;

/// What a text begins with that has still to be written.
pub const STUB: &str = "STUB:";

/// A text, unless it is a stub.
fn written(text: &String) -> Option<&String> {
    (!text.trim_start().starts_with(STUB)).then_some(text)
}

/// The texts of `spec/descriptions.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptions {
    /// By operation id.
    #[serde(default)]
    operations: BTreeMap<String, String>,
    /// By query or path parameter, for all operations that take it; `operation.parameter` for one of them.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// By type name.
    #[serde(default)]
    types: BTreeMap<String, TypeText>,
    /// By field name, for every type that says nothing of its own.
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeText {
    #[serde(default)]
    about: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

impl Descriptions {
    /// Parses the file.
    ///
    /// # Errors
    /// When it is not YAML of that form.
    pub fn parse(text: &str) -> Result<Self> {
        let value = crate::source::parse_yaml(text).context("the descriptions are not valid YAML")?;
        serde_json::from_value(value).context("the descriptions have a form that is not known")
    }

    /// The stubs that are left, by the way to each.
    #[must_use]
    pub fn stubs(&self) -> Vec<String> {
        let flat = |section: &str, texts: &BTreeMap<String, String>| {
            let left = texts.iter().filter(|(_, text)| written(text).is_none());
            left.map(|(name, _)| format!("{section}.{name}")).collect::<Vec<_>>()
        };
        let mut found =
            [flat("operations", &self.operations), flat("parameters", &self.parameters), flat("fields", &self.fields)]
                .concat();
        for (name, text) in &self.types {
            if written(&text.about).is_none() {
                found.push(format!("types.{name}"));
            }
            found.extend(flat(&format!("types.{name}"), &text.fields));
        }
        found
    }

    /// The stubs of what `document` does not have, by the way to the entry: upstream took it back before it was described.
    #[must_use]
    pub fn idle(&self, document: &Value) -> Vec<Vec<String>> {
        let blank = Self::default();
        let wanted = blank.missing(document);
        let is_idle = |entry: &Vec<String>| !wanted.contains(entry);
        let stubs = self.stubs_of();
        stubs.into_iter().filter(is_idle).collect()
    }

    /// The ways to all stubs, as they stand in the file.
    fn stubs_of(&self) -> Vec<Vec<String>> {
        let entry = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let is_stub = |(_, text): &(&String, &String)| written(text).is_none();
        let mut found = Vec::new();
        for (section, texts) in [("operations", &self.operations), ("parameters", &self.parameters)] {
            found.extend(texts.iter().filter(is_stub).map(|(name, _)| entry(&[section, name])));
        }
        for (name, text) in &self.types {
            if written(&text.about).is_none() {
                found.push(entry(&["types", name, "about"]));
            }
            let fields = text.fields.iter().filter(is_stub);
            found.extend(fields.map(|(field, _)| entry(&["types", name, "fields", field])));
        }
        found
    }

    /// What `document` has and no text describes, by the way to the entry that would.
    #[must_use]
    pub fn missing(&self, document: &Value) -> Vec<Vec<String>> {
        let entry = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut found = Vec::new();
        for operation in crate::schema::operations(document) {
            let id = operation.id();
            if !self.operations.contains_key(id) {
                found.push(entry(&["operations", id]));
            }
            for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                let own = format!("{id}.{name}");
                if !self.parameters.contains_key(&own) && !self.parameters.contains_key(name) {
                    found.push(entry(&["parameters", &own]));
                }
            }
        }
        for (name, tree) in crate::schema::components(document, "schemas") {
            // What stands for a handwritten type, and the error body, is described with it.
            if tree.get("x-replace").is_some() || name == super::calls::ERROR {
                continue;
            }
            let text = self.types.get(name);
            if text.is_none_or(|text| text.about.is_empty()) {
                found.push(entry(&["types", name, "about"]));
            }
            for (field, _) in tree.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let own = text.is_some_and(|text| text.fields.contains_key(field));
                if !own && !self.fields.contains_key(field) {
                    found.push(entry(&["types", name, "fields", field]));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Writes the descriptions into the interface; returns the texts that belong to nothing. A stub says nothing that could be
/// lost: [`Descriptions::idle`] names those.
pub fn describe(interface: &mut Interface, texts: &Descriptions) -> Vec<String> {
    let mut unused: Vec<String> = Vec::new();
    for call in &mut interface.calls {
        let text = texts.operations.get(&call.id).and_then(written);
        call.description = text.map(|text| text.trim().to_owned()).unwrap_or_default();
        for parameter in &mut call.parameters {
            let text = parameter["name"].as_str().and_then(|name| {
                let own = texts.parameters.get(&format!("{}.{name}", call.id));
                own.or_else(|| texts.parameters.get(name)).and_then(written)
            });
            let facts = take_facts(&mut parameter["schema"]);
            let text = sentences(text.map_or("", String::as_str), &facts);
            if !text.is_empty() {
                parameter["description"] = json!(text);
            }
        }
    }
    let known = |id: &String| interface.calls.iter().any(|call| &call.id == id);
    let said = |texts: &BTreeMap<String, String>| -> Vec<String> {
        texts.iter().filter(|(_, text)| written(text).is_some()).map(|(name, _)| name.clone()).collect()
    };
    unused.extend(said(&texts.operations).iter().filter(|id| !known(id)).map(|id| format!("operation {id}")));
    let takes = |name: &String| {
        interface.calls.iter().any(|call| {
            let own = name.strip_prefix(&call.id).and_then(|rest| rest.strip_prefix('.'));
            let is = |parameter: &Value| parameter["name"] == *name || own.is_some_and(|own| parameter["name"] == own);
            call.parameters.iter().any(is)
        })
    };
    unused.extend(said(&texts.parameters).iter().filter(|name| !takes(name)).map(|name| format!("parameter {name}")));
    for (name, text) in &texts.types {
        match interface.schemas.get(name) {
            None if said(&text.fields).is_empty() && written(&text.about).is_none() => {}
            None => {
                let fresh = interface.schemas.keys().filter(|known| !texts.types.contains_key(*known));
                unused.push(format!("type {name}{}", moved::hint(name, fresh.map(String::as_str))));
            }
            Some(tree) => {
                let fields = || tree.get("properties").and_then(Value::as_object).into_iter().flatten();
                let fresh = || fields().map(|(known, _)| known).filter(|known| !text.fields.contains_key(*known));
                for field in said(&text.fields).iter().filter(|field| !fields().any(|(known, _)| known == *field)) {
                    let hint = moved::hint(field, fresh().map(String::as_str));
                    unused.push(format!("field {name}.{field}{hint}"));
                }
            }
        }
    }
    let mut common: BTreeSet<String> = said(&texts.fields).into_iter().collect();
    for (name, tree) in &mut interface.schemas {
        let text = texts.types.get(name);
        if let Some(about) = text.and_then(|text| written(&text.about)).filter(|about| !about.is_empty()) {
            tree["description"] = json!(about.trim());
        }
        take_facts(tree);
        for (field, child) in tree.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let own =
                text.and_then(|text| text.fields.get(field)).or_else(|| texts.fields.get(field)).and_then(written);
            common.remove(field);
            describe_field(child, own.map_or("", String::as_str));
        }
        strip_facts(tree);
    }
    for call in &mut interface.calls {
        call.body.iter_mut().chain([&mut call.response]).for_each(strip_facts);
        call.parameters.iter_mut().for_each(strip_facts);
    }
    unused.extend(common.into_iter().map(|field| format!("field {field}")));
    unused.into_iter().map(|what| format!("a description of what does not exist: {what}")).collect()
}

fn describe_field(child: &mut Value, text: &str) {
    let mut facts = take_facts(child);
    if let Some(items) = child.get_mut("items") {
        facts.extend(
            take_facts(items).into_iter().filter(|(key, _)| matches!(key.as_str(), "money" | "maxLength" | "pattern")),
        );
    }
    let text = sentences(text, &facts);
    let map = child.as_object_mut();
    let Some(map) = map else { return };
    map.remove("description");
    if text.is_empty() {
        return;
    }
    // In OpenAPI 3.0 nothing beside a `$ref` counts: the description needs a node of its own.
    if let Some(target) = map.remove("$ref") {
        map.insert("allOf".to_owned(), json!([{ "$ref": target }]));
    }
    map.insert("description".to_owned(), json!(text));
}

fn take_facts(tree: &mut Value) -> Map<String, Value> {
    match tree.as_object_mut().and_then(|tree| tree.remove("x-facts")) {
        Some(Value::Object(facts)) => facts,
        _ => Map::new(),
    }
}

fn strip_facts(tree: &mut Value) {
    match tree {
        Value::Object(map) => {
            map.remove("x-facts");
            map.values_mut().for_each(strip_facts);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_facts),
        _ => {}
    }
}

/// `text`, and a sentence for each fact.
fn sentences(text: &str, facts: &Map<String, Value>) -> String {
    let mut out: Vec<String> = Vec::new();
    if !text.trim().is_empty() {
        out.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let mut say = |key: &str, words: &dyn Fn(&str) -> String| {
        if let Some(fact) = facts.get(key) {
            let fact = fact.as_str().map_or_else(|| fact.to_string(), str::to_owned);
            out.push(words(&fact));
        }
    };
    if !text.contains("inor unit") {
        say("money", &|_| "In minor units.".to_owned());
    }
    // Where our text already says which standard it goes by, the format would only say it again.
    if !["ISO ", " URI"].iter().any(|standard| text.contains(standard)) {
        say("format", &|format| match format {
            "uri" => "An absolute URL.".to_owned(),
            "uuid" => "A UUID.".to_owned(),
            "time" => "A time of day.".to_owned(),
            "iso4217-code" => "An ISO 4217 code of three letters.".to_owned(),
            "iso3166-alpha2" => "An ISO 3166-1 code of two letters.".to_owned(),
            "iso-3166-1" => "An ISO 3166-1 code.".to_owned(),
            "iso-18245" => "An ISO 18245 code of four digits.".to_owned(),
            other => format!("Of the form `{other}`."),
        });
    }
    say("minLength", &|limit| format!("At least {limit} characters."));
    say("maxLength", &|limit| format!("At most {limit} characters."));
    say("minItems", &|limit| format!("At least {limit} entries."));
    say("maxItems", &|limit| format!("At most {limit} entries."));
    say("minimum", &|limit| format!("At least {limit}."));
    say("maximum", &|limit| format!("At most {limit}."));
    say("pattern", &|pattern| format!("Has to match `{pattern}`."));
    say("default", &|default| format!("Left out, it counts as `{default}`."));
    if facts.get("readOnly") == Some(&json!(true)) {
        out.push("Set by Dintero: not sent.".to_owned());
    }
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::calls::Call;

    fn interface() -> Interface {
        let call = |id: &str| Call {
            path: format!("/{id}"),
            method: "get".to_owned(),
            id: id.to_owned(),
            parameters: vec![json!({ "name": "created_at.gte", "in": "query", "schema": { "type": "string" } })],
            body: None,
            response: json!({}),
            statuses: Vec::new(),
            toggles: None,
            extensions: Map::new(),
            checks: Value::Null,
            description: String::new(),
        };
        Interface { calls: vec![call("list_apples"), call("list_pears")], schemas: BTreeMap::new() }
    }

    /// A text for `operation.parameter` goes before the one that all operations share, even when the name has a dot.
    #[test]
    fn a_parameter_of_one_operation_has_a_text_of_its_own() -> Result<()> {
        let texts = "{parameters: {created_at.gte: Shared., list_pears.created_at.gte: Own.}}";
        let mut interface = interface();
        assert!(describe(&mut interface, &Descriptions::parse(texts)?).is_empty());
        let found: Vec<_> = interface.calls.iter().map(|call| &call.parameters[0]["description"]).collect();
        assert_eq!(found, ["Shared.", "Own."]);
        Ok(())
    }

    /// The limits and formats that a field keeps are told after our text, unless it told the standard itself.
    #[test]
    fn facts_become_sentences_that_restate_nothing() -> Result<()> {
        let facts = json!({ "format": "iso3166-alpha2", "maxLength": 2, "readOnly": true });
        let facts = facts.as_object().context("facts are an object")?;
        assert_eq!(
            sentences("Where it is.", facts),
            "Where it is. An ISO 3166-1 code of two letters. At most 2 characters. Set by Dintero: not sent."
        );
        assert_eq!(
            sentences("Where it is, by ISO 3166-1.", facts),
            "Where it is, by ISO 3166-1. At most 2 characters. Set by Dintero: not sent."
        );
        Ok(())
    }

    /// A text for a parameter that its operation does not take is named in the error, not left to rot.
    #[test]
    fn a_text_for_a_parameter_of_no_operation_is_refused() -> Result<()> {
        for stray in ["list_plums.created_at.gte", "list_pears.created_at", "created_at.lte"] {
            let texts = Descriptions::parse(&format!("{{parameters: {{{stray}: Stray.}}}}"))?;
            let unused = describe(&mut interface(), &texts);
            assert!(matches!(unused.as_slice(), [only] if only.contains(stray)), "{stray}: {unused:?}");
        }
        Ok(())
    }
}
