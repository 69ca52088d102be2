//! A schema as the sum of all that it says: `$ref` followed, the parts of `allOf` added up.
//!
//! This is a second reading of the document, on purpose not the one of the passes: an instance made of a mistake of
//! theirs would agree with the mistake.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::schema;

/// Everything that a value has to fit at once.
#[derive(Debug, Default, Clone)]
pub(super) struct Node<'a> {
    pub(super) kind: Option<&'a str>,
    pub(super) values: Option<Vec<&'a Value>>,
    pub(super) properties: BTreeMap<&'a str, Vec<&'a Value>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) items: Vec<&'a Value>,
    /// The schema of properties that are not listed.
    pub(super) others: Vec<&'a Value>,
    pub(super) examples: Vec<&'a Value>,
    /// Choices still to be made: a value fits one of each.
    pub(super) choices: Vec<&'a [Value]>,
    /// Discriminators still to be decided.
    pub(super) tagged: Vec<Tagged<'a>>,
    /// Properties whose value a discriminator has decided.
    pub(super) tags: BTreeMap<&'a str, &'a str>,
    pub(super) format: Option<&'a str>,
    pub(super) patterns: Vec<&'a str>,
    pub(super) least: Option<f64>,
    pub(super) most: Option<f64>,
    pub(super) shortest: usize,
    pub(super) longest: Option<usize>,
    pub(super) fewest: usize,
    pub(super) most_items: Option<usize>,
    /// Whether some part allows null, and whether some part with a type does not.
    nullable: bool,
    not_null: bool,
    /// The components it went through.
    pub(super) components: Vec<&'a str>,
    bases: BTreeSet<&'a str>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Tagged<'a> {
    pub(super) property: &'a str,
    pub(super) mapping: &'a serde_json::Map<String, Value>,
}

impl<'a> Node<'a> {
    pub(super) fn of(document: &'a Value, parts: &[&'a Value]) -> Result<Self> {
        let mut node = Self::default();
        for part in parts {
            node.add(document, part)?;
        }
        Ok(node)
    }

    /// Adds what `tree` says.
    pub(super) fn add(&mut self, document: &'a Value, tree: &'a Value) -> Result<()> {
        self.walk(document, tree, &mut Vec::new())
    }

    /// Whether a choice has still to be made.
    pub(super) fn is_open(&self) -> bool {
        !self.choices.is_empty() || !self.tagged.is_empty()
    }

    pub(super) fn nullable(&self) -> bool {
        self.nullable && !self.not_null
    }

    fn walk(&mut self, document: &'a Value, tree: &'a Value, through: &mut Vec<&'a str>) -> Result<()> {
        if let Some(target) = tree.get("$ref").and_then(Value::as_str) {
            if through.contains(&target) {
                bail!("{target} is a part of itself");
            }
            through.push(target);
            self.components.push(target);
            let outcome = self.walk(document, schema::resolve(document, target)?, through);
            through.pop();
            return outcome.with_context(|| target.to_owned());
        }
        self.read_type(tree)?;
        self.read_limits(tree);
        let schemas = |key: &str| tree.get(key).and_then(Value::as_object).into_iter().flatten();
        for (name, child) in schemas("properties") {
            self.properties.entry(name).or_default().push(child);
        }
        self.required
            .extend(tree.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
        self.items.extend(tree.get("items"));
        self.others.extend(tree.get("additionalProperties").filter(|others| others.is_object()));
        self.examples.extend(tree.get("example"));
        for key in ["oneOf", "anyOf"] {
            let ways = tree.get(key).and_then(Value::as_array).map(Vec::as_slice);
            // Two parts that leave the same choice are decided at once: apart they could contradict each other.
            self.choices.extend(ways.filter(|ways| !self.choices.contains(ways)));
        }
        if let Some(discriminator) = tree.get("discriminator") {
            self.read_discriminator(discriminator, through)?;
        }
        for part in tree.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.walk(document, part, through)?;
        }
        Ok(())
    }

    fn read_type(&mut self, tree: &'a Value) -> Result<()> {
        let implied = [("properties", "object"), ("items", "array")].iter().find(|(key, _)| tree.get(key).is_some());
        let kind = tree.get("type").and_then(Value::as_str).or(implied.map(|(_, kind)| *kind));
        self.kind = match (self.kind, kind) {
            (Some("number"), Some("integer")) | (Some("integer"), Some("number")) => Some("integer"),
            (Some(one), Some(other)) if one != other => bail!("nothing is both {one} and {other}"),
            (one, other) => one.or(other),
        };
        self.nullable |= tree.get("nullable") == Some(&Value::Bool(true));
        self.not_null |= kind.is_some() && tree.get("nullable") != Some(&Value::Bool(true));
        if let Some(values) = tree.get("enum").and_then(Value::as_array) {
            // The lists of several parts are one: what any of them has, the service may send.
            let known = self.values.get_or_insert_default();
            known.extend(values.iter().filter(|value| !known.contains(value)).collect::<Vec<_>>());
        }
        // A quirk of upstream: an enum of booleans in a text. What no value can be is no value of the enum.
        if let (Some(kind), Some(values)) = (self.kind, &mut self.values) {
            values.retain(|value| is_of_type(value, kind));
        }
        Ok(())
    }

    fn read_limits(&mut self, tree: &'a Value) {
        let number = |key: &str| tree.get(key).and_then(Value::as_f64);
        // An exclusive limit is kept by staying a whole step away from it.
        let step = |key: &str| if tree.get(key) == Some(&Value::Bool(true)) { 1.0 } else { 0.0 };
        let count = |key: &str| tree.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        let larger = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::max);
        let smaller = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::min);
        self.least = larger(self.least, number("minimum").map(|least| least + step("exclusiveMinimum")));
        self.most = smaller(self.most, number("maximum").map(|most| most - step("exclusiveMaximum")));
        if tree.get("format").is_some_and(|format| format == "int32") {
            self.least = larger(self.least, Some(f64::from(i32::MIN)));
            self.most = smaller(self.most, Some(f64::from(i32::MAX)));
        }
        self.format = self.format.or(tree.get("format").and_then(Value::as_str));
        self.patterns.extend(tree.get("pattern").and_then(Value::as_str));
        self.shortest = self.shortest.max(count("minLength").unwrap_or(0));
        self.longest = self.longest.into_iter().chain(count("maxLength")).min();
        self.fewest = self.fewest.max(count("minItems").unwrap_or(0));
        self.most_items = self.most_items.into_iter().chain(count("maxItems")).min();
    }

    /// A base with a discriminator leaves the choice open, except inside one of its own variants.
    fn read_discriminator(&mut self, discriminator: &'a Value, through: &[&'a str]) -> Result<()> {
        let property = discriminator.get("propertyName").and_then(Value::as_str);
        let property = property.context("a discriminator has no propertyName")?;
        let Some(mapping) = discriminator.get("mapping").and_then(Value::as_object).filter(|map| !map.is_empty())
        else {
            return Ok(());
        };
        let base = through.last().copied().unwrap_or_default();
        if !self.bases.insert(base) {
            return Ok(());
        }
        let own = mapping.iter().find(|(_, target)| target.as_str().is_some_and(|target| through.contains(&target)));
        match own {
            Some((tag, _)) => {
                self.tags.insert(property, tag);
            }
            None => self.tagged.push(Tagged { property, mapping }),
        }
        Ok(())
    }
}

/// Whether the steps lead somewhere from a schema, in any of the ways that it leaves open.
pub(super) fn leads<'a>(document: &'a Value, mut node: Node<'a>, steps: &[String]) -> Result<bool> {
    let mut ways: Option<Vec<&'a Value>> = node.choices.pop().map(|ways| ways.iter().collect());
    if ways.is_none()
        && let Some(tagged) = node.tagged.pop()
    {
        let targets = tagged.mapping.values().filter_map(Value::as_str);
        ways = Some(targets.map(|target| schema::mapped(document, target)).collect::<Result<_>>()?);
    }
    if let Some(ways) = ways {
        for way in ways {
            let mut node = node.clone();
            // A way that contradicts the rest is none.
            if node.add(document, way).is_ok() && leads(document, node, steps)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let Some((step, rest)) = steps.split_first() else { return Ok(true) };
    let below = match node.properties.get(step.as_str()) {
        Some(parts) => parts,
        None if !node.items.is_empty() => &node.items,
        None => &node.others,
    };
    if below.is_empty() {
        return Ok(false);
    }
    leads(document, Node::of(document, below)?, rest)
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({ "components": { "schemas": {
            "Id": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } },
            "Pet": {
                "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } },
                "discriminator": { "propertyName": "kind", "mapping": { "cat": "#/components/schemas/Cat" } },
            },
            "Cat": { "allOf": [{ "$ref": "#/components/schemas/Pet" }, { "type": "object", "properties": { "id": { "maxLength": 3 } } }] },
        } } })
    }

    #[test]
    fn the_parts_of_a_schema_add_up() {
        let document = document();
        let tree = json!({ "allOf": [{ "$ref": "#/components/schemas/Id" }, { "$ref": "#/components/schemas/Cat" }] });
        let node = Node::of(&document, &[&tree]).unwrap();
        assert_eq!(node.properties["id"].len(), 2);
        assert_eq!(node.required, BTreeSet::from(["id", "kind"]));
        assert_eq!(node.tags["kind"], "cat", "the variant decides the discriminator");
        assert!(node.tagged.is_empty());
    }

    #[test]
    fn a_base_leaves_its_discriminator_open() {
        let document = document();
        let tree = json!({ "$ref": "#/components/schemas/Pet" });
        let node = Node::of(&document, &[&tree]).unwrap();
        assert_eq!(node.tagged.len(), 1);
        assert!(node.tags.is_empty());
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        let document = document();
        let tree = json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] });
        assert!(Node::of(&document, &[&tree]).is_err());
    }
}
