//! A schema of the model as an instance is made of it: its rules, and the choices that it leaves open.
//!
//! How the parts of a schema add up is the model's to say. That what is made of it fits the document is checked by a
//! validator that does not know the model (`xtask/tests/timetravel/instances.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use anyhow::{Result, bail};
use serde_json::{Number, Value};

use crate::model::document::Place;
use crate::model::fact::{Bound, Fact, Keyword};
use crate::model::schema::{Choice, Group, Schema};
use crate::model::{Limit, Model, SchemaId, contradictions};

/// Everything that a value has to fit at once.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Option<String>,
    /// The values of an enum, each with its JSON, by which it is counted.
    pub(super) values: Option<Vec<(Value, String)>>,
    pub(super) properties: BTreeMap<String, Property>,
    pub(super) items: Option<SchemaId>,
    /// The schema of properties that are not listed.
    pub(super) others: Option<SchemaId>,
    /// Whether there may be none of them.
    pub(super) is_closed: bool,
    pub(super) examples: Vec<Value>,
    /// Choices: a value fits one of each.
    pub(super) choices: BTreeMap<ChoiceKey, Vec<SchemaId>>,
    /// The choice that a discriminator leaves: its property, and the variants by their tags.
    pub(super) tagged: Option<(String, BTreeMap<String, SchemaId>)>,
    /// Properties whose value a discriminator decides: this is one of its variants.
    pub(super) tags: BTreeMap<String, String>,
    pub(super) format: Option<String>,
    pub(super) patterns: Vec<String>,
    pub(super) least: Option<f64>,
    pub(super) most: Option<f64>,
    pub(super) shortest: usize,
    pub(super) longest: Option<usize>,
    pub(super) fewest: usize,
    pub(super) most_items: Option<usize>,
    pub(super) nullable: bool,
    /// Where an object is written down.
    pub(super) parts: Vec<Place>,
}

#[derive(Debug)]
pub(super) struct Property {
    /// None where the document demands it and says nothing of it.
    pub(super) schema: Option<SchemaId>,
    pub(super) required: bool,
}

/// What makes a choice the same one wherever it is left.
///
/// Alternatives are known by what they mean, or where nobody compared them, by their number.
pub(super) type ChoiceKey = (Choice, BTreeSet<std::result::Result<u32, SchemaId>>);

/// The schemas of one document.
#[derive(Debug)]
pub(super) struct Nodes<'a> {
    pub(super) model: Model<'a>,
    known: HashMap<SchemaId, Rc<Node>>,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(model: Model<'a>) -> Self {
        Self { model, known: HashMap::new() }
    }

    pub(super) fn get(&mut self, id: SchemaId) -> Result<Rc<Node>> {
        if let Some(node) = self.known.get(&id) {
            return Ok(Rc::clone(node));
        }
        let node = Rc::new(Node::of(&self.model, self.model.get(id))?);
        self.known.insert(id, Rc::clone(&node));
        Ok(node)
    }

    /// What a value has to fit when it is a schema and the way that was chosen.
    pub(super) fn with(&mut self, id: SchemaId, way: SchemaId) -> Result<SchemaId> {
        Ok(self.model.together(&[id, way])?)
    }
}

impl Node {
    fn of(model: &Model<'_>, schema: &Schema) -> Result<Self> {
        let mut node = Self::default();
        node.read_facts(schema)?;
        if let Some(values) = &schema.values {
            let types = schema.types();
            let fits = |value: &&String| types.is_none_or(|types| contradictions::of_type(value, types));
            let parsed = values.order.iter().filter(fits).map(|value| {
                let value: Value = serde_json::from_str(value)?;
                let name = value.to_string();
                Ok((value, name))
            });
            node.values = Some(parsed.collect::<Result<_>>()?);
        }
        for (name, property) in &schema.properties {
            let schema = property.described.as_ref().map(|below| below.schema);
            node.properties.insert(name.clone(), Property { schema, required: !property.required.is_empty() });
        }
        node.items = schema.items.as_ref().map(|below| below.schema);
        node.others = schema.additional.as_ref().map(|below| below.schema);
        let examples = schema.parts.iter().filter_map(|part| model.value(*part).get("example"));
        node.examples = examples.cloned().collect();
        for group in &schema.groups {
            node.choices.insert(key(model, group), group.alternatives.clone());
        }
        node.tagged = schema.discriminator.as_ref().filter(|found| !found.mapping.is_empty()).map(|found| {
            let variants = found.mapping.iter().map(|(tag, below)| (tag.clone(), below.schema));
            (found.property.clone(), variants.collect())
        });
        node.tags.clone_from(&schema.tags);
        if node.kind.is_none() {
            let implied = [("object", !node.properties.is_empty()), ("array", node.items.is_some())];
            node.kind = implied.iter().find(|(_, is_it)| *is_it).map(|(kind, _)| (*kind).to_owned());
        }
        if node.kind.as_deref() == Some("object") {
            node.parts.clone_from(&schema.parts);
        }
        Ok(node)
    }

    fn read_facts(&mut self, schema: &Schema) -> Result<()> {
        for (keyword, stated) in &schema.facts {
            match (keyword, &stated.fact) {
                (Keyword::Type, Fact::Types(types)) => self.kind = types.iter().next().cloned(),
                (Keyword::Type, fact @ Fact::Conflict(_)) => bail!("nothing is {fact}"),
                (Keyword::Format, Fact::Texts(formats)) => {
                    if formats.contains("int32") {
                        self.least = Some(self.least.unwrap_or(f64::MIN).max(f64::from(i32::MIN)));
                        self.most = Some(self.most.unwrap_or(f64::MAX).min(f64::from(i32::MAX)));
                    }
                    self.format = formats.iter().next().cloned();
                }
                (Keyword::Pattern, Fact::Texts(patterns)) => self.patterns = patterns.iter().cloned().collect(),
                (Keyword::Nullable, Fact::On) => self.nullable = true,
                (Keyword::AdditionalProperties, Fact::Texts(texts)) => self.is_closed = texts.contains("none"),
                (Keyword::Limit(limit), Fact::Bound(bound)) => self.read_limit(*limit, bound),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_limit(&mut self, limit: Limit, Bound { at, exclusive }: &Bound) {
        let number = Number::as_f64(at).unwrap_or_default();
        let count = at.as_u64().and_then(|count| usize::try_from(count).ok());
        // An exclusive limit is kept by staying a whole step away from it.
        let step = if *exclusive { 1.0 } else { 0.0 };
        match limit {
            Limit::Min => self.least = Some(self.least.unwrap_or(f64::MIN).max(number + step)),
            Limit::Max => self.most = Some(self.most.unwrap_or(f64::MAX).min(number - step)),
            Limit::MinLength => self.shortest = count.unwrap_or_default(),
            Limit::MaxLength => self.longest = count,
            Limit::MinItems => self.fewest = count.unwrap_or_default(),
            Limit::MaxItems => self.most_items = count,
            Limit::MinProperties | Limit::MaxProperties => {}
        }
    }
}

fn key(model: &Model<'_>, group: &Group) -> ChoiceKey {
    let of = |id: &SchemaId| match model.class(*id) {
        u32::MAX => Err(*id),
        class => Ok(class),
    };
    (group.choice, group.alternatives.iter().map(of).collect())
}

/// Whether the steps lead somewhere from a schema, in any of the ways that it leaves open.
pub(super) fn leads(model: &Model<'_>, from: SchemaId, steps: &[String]) -> bool {
    let mut here = ways(model, vec![from]);
    for step in steps {
        let below = here.iter().filter_map(|id| {
            let schema = model.get(*id);
            match schema.properties.get(step) {
                Some(property) => property.described.as_ref(),
                None => schema.items.as_ref().or(schema.additional.as_ref()),
            }
        });
        here = ways(model, below.map(|below| below.schema).collect());
    }
    !here.is_empty()
}

/// Schemas with all that they leave open.
fn ways(model: &Model<'_>, mut open: Vec<SchemaId>) -> BTreeSet<SchemaId> {
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            let schema = model.get(id);
            open.extend(schema.groups.iter().flat_map(|group| &group.alternatives));
            open.extend(schema.discriminator.iter().flat_map(|found| found.mapping.values()).map(|below| below.schema));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(tree: &Value) -> Value {
        json!({
            "openapi": "3.0.3", "info": { "title": "t", "version": "1" },
            "paths": { "/things": { "get": { "responses": { "200": {
                "description": "", "content": { "application/json": { "schema": tree } },
            } } } } },
            "components": { "schemas": {
                "Id": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } },
                "Pet": {
                    "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } },
                    "discriminator": { "propertyName": "kind", "mapping": { "cat": "#/components/schemas/Cat" } },
                },
                "Cat": { "allOf": [
                    { "$ref": "#/components/schemas/Pet" },
                    { "type": "object", "properties": { "id": { "maxLength": 3 } } },
                ] },
            } },
        })
    }

    fn read<T>(tree: &Value, take: impl FnOnce(&mut Nodes<'_>, SchemaId) -> T) -> T {
        let document = document(tree);
        let mut nodes = Nodes::new(Model::read("this", &document).unwrap());
        let root = nodes.model.entries()[0].schema;
        take(&mut nodes, root)
    }

    #[test]
    fn the_parts_of_a_schema_add_up() {
        let tree = json!({ "allOf": [{ "$ref": "#/components/schemas/Id" }, { "$ref": "#/components/schemas/Cat" }] });
        read(&tree, |nodes, root| {
            let node = nodes.get(root).unwrap();
            let id = nodes.get(node.properties["id"].schema.unwrap()).unwrap();
            assert_eq!((id.kind.as_deref(), id.longest), (Some("string"), Some(3)));
            assert!(node.properties["id"].required && node.properties["kind"].required);
            assert_eq!(node.tags["kind"], "cat", "the variant decides the discriminator");
            assert!(node.tagged.is_none());
        });
    }

    #[test]
    fn a_base_leaves_its_discriminator_open_and_a_variant_decides_it() {
        read(&json!({ "$ref": "#/components/schemas/Pet" }), |nodes, root| {
            let node = nodes.get(root).unwrap();
            assert!(node.tags.is_empty());
            let (property, variants) = node.tagged.as_ref().unwrap();
            assert_eq!(property, "kind");
            let decided = nodes.with(root, variants["cat"]).unwrap();
            let decided = nodes.get(decided).unwrap();
            assert!(decided.tagged.is_none() && decided.properties.contains_key("id"));
            let steps = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
            assert!(leads(&nodes.model, root, &steps("id")), "in the variant that it leaves open");
            assert!(!leads(&nodes.model, root, &steps("name")) && !leads(&nodes.model, root, &steps("id/0")));
        });
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        let tree = json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] });
        read(&tree, |nodes, root| assert!(nodes.get(root).is_err()));
    }
}
