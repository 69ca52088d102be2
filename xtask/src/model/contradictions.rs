//! What a document says twice and not alike.
//!
//! None of it keeps the document from being used: each is settled by a rule of `schema`. But what is settled is
//! guessed, so all of it is listed in `spec/contradictions.txt`, where a new one is seen.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Model;
use super::document::{Document, Place, canonical};
use super::fact::{Fact, Keyword, Limit};
use super::schema::{Schema, Values};

/// Notes the contradictions of a schema whose parts were just read, and settles the order of its enum.
pub(super) fn note(document: &Document<'_>, schema: &mut Schema) {
    let mut found = Vec::new();
    if let Some(values) = &mut schema.values {
        order(document, values);
        let partial: Vec<&str> = values
            .order
            .iter()
            .filter(|value| values.allowed.get(*value).is_some_and(|by| by.len() < values.by.len()))
            .map(String::as_str)
            .collect();
        if !partial.is_empty() {
            found.push(format!("only some of its enums list {}", partial.join(", ")));
        }
    }
    let texts = |keyword: Keyword| match schema.facts.get(&keyword).map(|stated| &stated.fact) {
        Some(Fact::Texts(texts)) => texts.clone(),
        _ => BTreeSet::new(),
    };
    let types = match schema.facts.get(&Keyword::Type).map(|stated| &stated.fact) {
        Some(fact @ Fact::Conflict(_)) => {
            found.push(format!("type {fact}"));
            None
        }
        Some(Fact::Types(types)) => Some(types),
        _ => None,
    };
    for (keyword, word) in
        [(Keyword::Format, "formats"), (Keyword::Pattern, "patterns"), (Keyword::Default, "defaults")]
    {
        let several = texts(keyword);
        if several.len() > 1 {
            found.push(format!("{word} {}", several.into_iter().collect::<Vec<_>>().join(" and ")));
        }
    }
    let fits = |text: &str| types.is_none_or(|types| of_type(text, types));
    let listed = |text: &str| schema.values.as_ref().is_none_or(|values| values.allowed.contains_key(text));
    for default in texts(Keyword::Default) {
        if !fits(&default) && default != "null" {
            found.push(format!("default {default} is not of its type"));
        } else if !listed(&default) {
            found.push(format!("default {default} is not in its enum"));
        }
    }
    for value in schema.values.iter().flat_map(|values| &values.order) {
        if !fits(value) && value != "null" {
            found.push(format!("enum value {value} is not of its type"));
        }
    }
    for (least, most) in [
        (Limit::Min, Limit::Max),
        (Limit::MinLength, Limit::MaxLength),
        (Limit::MinItems, Limit::MaxItems),
        (Limit::MinProperties, Limit::MaxProperties),
    ] {
        let bound = |limit| match schema.facts.get(&Keyword::Limit(limit)).map(|stated| &stated.fact) {
            Some(Fact::Bound(bound)) => bound.at.as_f64(),
            _ => None,
        };
        if let (Some(low), Some(high)) = (bound(least), bound(most))
            && low > high
        {
            found.push(format!("{} {low} is above {} {high}", least.keyword(), most.keyword()));
        }
    }
    let undescribed = schema.properties.iter().filter(|(_, property)| property.described.is_none());
    for (name, _) in undescribed {
        found.push(format!("required `{name}` is not described"));
    }
    schema.contradictions = found;
}

/// The values of every part in the document's order, the longest list first: whatever the order of the parts.
fn order(document: &Document<'_>, values: &mut Values) {
    let list = |part: &Place| -> Vec<String> {
        document.value(*part).get("enum").and_then(Value::as_array).into_iter().flatten().map(canonical).collect()
    };
    let mut lists: Vec<Vec<String>> = values.by.iter().map(list).collect();
    lists.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    let mut seen = BTreeSet::new();
    values.order = lists.into_iter().flatten().filter(|value| seen.insert(value.clone())).collect();
}

/// Whether a value in canonical JSON is of one of the types.
pub(crate) fn of_type(text: &str, types: &BTreeSet<String>) -> bool {
    let own = match text.chars().next() {
        Some('"') => "string",
        Some('{') => "object",
        Some('[') => "array",
        Some('t' | 'f') => "boolean",
        Some('n') => "null",
        _ if text.contains(['.', 'e', 'E']) => "number",
        _ => "integer",
    };
    types.contains(own) || (own == "integer" && types.contains("number"))
}

/// Every contradiction of a document in a line, with the shortest way to a place that has it.
#[must_use]
pub fn list(model: &Model<'_>) -> Vec<String> {
    let all = model.places().into_iter();
    let lines = all.flat_map(|(id, place)| {
        model.get(id).contradictions.iter().map(move |contradiction| format!("{place}: {contradiction}"))
    });
    lines.collect::<BTreeSet<_>>().into_iter().collect()
}
