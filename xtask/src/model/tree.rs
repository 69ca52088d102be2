//! A schema written out as JSON, without references and `allOf`: what the passes work on.
//!
//! The same meaning gives the same tree, however the document writes it. Marks beside the keywords of OpenAPI:
//! `x-class` (on what is an object: its class, see [`super::classes`]), `x-recursive` (the class that it stands inside
//! of), and `x-tagged` (a choice between objects: the property that tells them apart, and the variants by its values).

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::fact::{Bound, Fact, Keyword, Limit};
use super::schema::{Choice, Schema, SchemaId};
use super::{Model, contradictions};

/// Trees of more nodes than this are built to be expanded, not to be read.
const MOST_NODES: usize = 1_000_000;

impl Model<'_> {
    /// The tree of a schema.
    ///
    /// # Errors
    /// When no value fits it, or one keyword cannot say what it asks for; names the way to it.
    pub(crate) fn tree(&self, id: SchemaId) -> Result<Value> {
        let mut writer = Writer { model: self, above: Vec::new(), nodes: 0 };
        writer.schema(id, "$")
    }
}

struct Writer<'m, 'a> {
    model: &'m Model<'a>,
    above: Vec<u32>,
    nodes: usize,
}

impl Writer<'_, '_> {
    fn schema(&mut self, id: SchemaId, at: &str) -> Result<Value> {
        let class = self.model.class(id);
        if self.above.contains(&class) {
            return Ok(json!({ "x-recursive": class }));
        }
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            bail!("a schema written out has more than {MOST_NODES} nodes");
        }
        if self.above.len() > super::DEEPEST {
            bail!("{}: {at}", super::TOO_DEEP);
        }
        self.above.push(class);
        let tree = self.written(id, at);
        self.above.pop();
        tree
    }

    fn written(&mut self, id: SchemaId, at: &str) -> Result<Value> {
        let schema = self.model.get(id);
        if let Some(tagged) = self.tagged(id, at)? {
            return Ok(tagged);
        }
        let mut out = Map::new();
        facts(schema, at, &mut out)?;
        if let Some(values) = &schema.values {
            // What is not of the type is no value of it.
            let types = schema.types();
            let fits =
                |value: &&String| *value == "null" || types.is_none_or(|types| contradictions::of_type(value, types));
            let values: Vec<Value> = values.order.iter().filter(fits).map(|value| parsed(value)).collect();
            out.insert("enum".to_owned(), json!(values));
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, property) in &schema.properties {
            let Some(below) = &property.described else { continue };
            properties.insert(name.clone(), self.schema(below.schema, &format!("{at}.{name}"))?);
            if !property.required.is_empty() {
                required.push(json!(name));
            }
        }
        if !properties.is_empty() {
            out.insert("properties".to_owned(), Value::Object(properties));
            out.insert("x-class".to_owned(), json!(self.model.class(id)));
        }
        if !required.is_empty() {
            out.insert("required".to_owned(), Value::Array(required));
        }
        if let Some(below) = &schema.items {
            out.insert("items".to_owned(), self.schema(below.schema, &format!("{at}[]"))?);
        }
        if let Some(below) = &schema.additional {
            out.insert("additionalProperties".to_owned(), self.schema(below.schema, &format!("{at}.*"))?);
        }
        match schema.groups.as_slice() {
            [] => {}
            [group] => {
                let key = if group.choice == Choice::OneOf { "oneOf" } else { "anyOf" };
                let ways = group.alternatives.iter().map(|id| self.schema(*id, at)).collect::<Result<Vec<_>>>()?;
                out.insert(key.to_owned(), Value::Array(ways));
            }
            _ => bail!("{at}: a value has to fit several choices at once"),
        }
        Ok(Value::Object(out))
    }

    /// What a discriminator tells apart is the choice between the variants that its mapping names.
    fn tagged(&mut self, id: SchemaId, at: &str) -> Result<Option<Value>> {
        let Some(found) = &self.model.get(id).discriminator else { return Ok(None) };
        if found.mapping.is_empty() {
            return Ok(None);
        }
        let mut variants = Map::new();
        for (tag, below) in &found.mapping {
            let mut variant = self.schema(below.schema, &format!("{at}<{tag}>"))?;
            // The tag is written by the choice, not by whoever fills in the variant.
            if let Some(properties) = variant.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove(&found.property);
            }
            if let Some(required) = variant.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|name| *name != found.property);
            }
            variants.insert(tag.clone(), variant);
        }
        Ok(Some(json!({
            "x-tagged": { "property": found.property, "variants": variants },
            "x-class": self.model.class(id),
        })))
    }
}

fn facts(schema: &Schema, at: &str, out: &mut Map<String, Value>) -> Result<()> {
    let types = schema.types();
    for (keyword, stated) in &schema.facts {
        let (key, value) = match (keyword, &stated.fact) {
            (Keyword::Type, Fact::Types(types)) => match types.iter().next() {
                Some(only) if types.len() == 1 => ("type", json!(only)),
                _ => continue,
            },
            (Keyword::Type, Fact::Conflict(types)) => {
                let names: Vec<&str> = types.iter().map(String::as_str).collect();
                bail!("{at}: it is {} at once", names.join(" and "));
            }
            (Keyword::Pattern, Fact::Texts(texts)) => match texts.iter().next() {
                Some(only) if texts.len() == 1 => ("pattern", json!(only)),
                _ => bail!("{at}: two patterns for one value: {}", stated.fact),
            },
            (Keyword::Format, Fact::Texts(texts)) => ("format", json!(texts.iter().next())),
            (Keyword::MultipleOf, Fact::Texts(texts)) => match texts.iter().next() {
                Some(only) => ("multipleOf", parsed(only)),
                None => continue,
            },
            (Keyword::Default, Fact::Texts(texts)) => {
                let fits = |text: &&String| {
                    types.is_none_or(|types| contradictions::of_type(text, types))
                        && schema.values.as_ref().is_none_or(|values| values.allowed.contains_key(*text))
                };
                match texts.iter().find(fits) {
                    Some(default) => ("default", parsed(default)),
                    None => continue,
                }
            }
            (Keyword::AdditionalProperties, Fact::Texts(texts)) if texts.contains("none") => {
                ("additionalProperties", json!(false))
            }
            (Keyword::Limit(limit), Fact::Bound(Bound { at, exclusive })) => {
                if *exclusive {
                    let key = if *limit == Limit::Max { "exclusiveMaximum" } else { "exclusiveMinimum" };
                    out.insert(key.to_owned(), json!(true));
                }
                (limit.keyword(), Value::Number(at.clone()))
            }
            (Keyword::UniqueItems, Fact::On) => ("uniqueItems", json!(true)),
            (Keyword::Nullable, Fact::On) => ("nullable", json!(true)),
            (Keyword::ReadOnly, Fact::On) => ("readOnly", json!(true)),
            (Keyword::WriteOnly, Fact::On) => ("writeOnly", json!(true)),
            (Keyword::Deprecated, Fact::On) => ("deprecated", json!(true)),
            _ => continue,
        };
        out.insert(key.to_owned(), value);
    }
    Ok(())
}

/// A value that is kept as canonical JSON.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
