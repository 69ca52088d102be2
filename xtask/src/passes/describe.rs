//! Pass `describe`: our descriptions, from `spec/descriptions.yaml`, and the sentences that facts make.
//!
//! A text for something that does not exist is an error, so that a renamed field takes its text along. What is not
//! described is counted by `cargo xtask stats`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Interface;

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
}

/// Writes the descriptions into the interface.
///
/// # Errors
/// When a text belongs to nothing, unless `skip` allows it; those are returned.
pub fn describe(interface: &mut Interface, texts: &Descriptions, skip: bool) -> Result<Vec<String>> {
    let mut unused: Vec<String> = Vec::new();
    for call in &mut interface.calls {
        call.description = texts.operations.get(&call.id).map(|text| text.trim().to_owned()).unwrap_or_default();
        for parameter in &mut call.parameters {
            let text = parameter["name"].as_str().and_then(|name| {
                let own = texts.parameters.get(&format!("{}.{name}", call.id));
                own.or_else(|| texts.parameters.get(name))
            });
            let facts = take_facts(&mut parameter["schema"]);
            let text = sentences(text.map_or("", String::as_str), &facts);
            if !text.is_empty() {
                parameter["description"] = json!(text);
            }
        }
    }
    let known = |id: &String| interface.calls.iter().any(|call| &call.id == id);
    unused.extend(texts.operations.keys().filter(|id| !known(id)).map(|id| format!("operation {id}")));
    let takes = |name: &String| {
        interface.calls.iter().any(|call| {
            let own = name.strip_prefix(&call.id).and_then(|rest| rest.strip_prefix('.'));
            let is = |parameter: &Value| parameter["name"] == *name || own.is_some_and(|own| parameter["name"] == own);
            call.parameters.iter().any(is)
        })
    };
    unused.extend(texts.parameters.keys().filter(|name| !takes(name)).map(|name| format!("parameter {name}")));
    for (name, text) in &texts.types {
        match interface.schemas.get(name) {
            None => unused.push(format!("type {name}")),
            Some(tree) => {
                let has = |field: &&String| tree.get("properties").is_some_and(|all| all.get(field.as_str()).is_some());
                unused.extend(
                    text.fields.keys().filter(|field| !has(field)).map(|field| format!("field {name}.{field}")),
                );
            }
        }
    }
    let mut common = texts.fields.clone();
    for (name, tree) in &mut interface.schemas {
        let text = texts.types.get(name);
        if let Some(text) = text {
            tree["description"] = json!(text.about.trim());
        }
        take_facts(tree);
        for (field, child) in tree.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let own = text.and_then(|text| text.fields.get(field)).or_else(|| texts.fields.get(field));
            common.remove(field);
            describe_field(child, own.map_or("", String::as_str));
        }
        strip_facts(tree);
    }
    for call in &mut interface.calls {
        call.body.iter_mut().chain([&mut call.answer]).for_each(strip_facts);
        call.parameters.iter_mut().for_each(strip_facts);
    }
    unused.extend(common.into_keys().map(|field| format!("field {field}")));
    if !unused.is_empty() && !skip {
        bail!("descriptions of what does not exist: {}", unused.join(", "));
    }
    Ok(unused)
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
            answer: json!({}),
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
        describe(&mut interface, &Descriptions::parse(texts)?, false)?;
        let found: Vec<_> = interface.calls.iter().map(|call| &call.parameters[0]["description"]).collect();
        assert_eq!(found, ["Shared.", "Own."]);
        Ok(())
    }

    /// The limits and formats that a field keeps are told after our text, unless it told the standard itself.
    #[test]
    fn facts_become_sentences_that_repeat_nothing() -> Result<()> {
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
            let refused = describe(&mut interface(), &texts, false).map_err(|error| error.to_string());
            assert!(refused.as_ref().is_err_and(|message| message.contains(stray)), "{stray}: {refused:?}");
        }
        Ok(())
    }
}
