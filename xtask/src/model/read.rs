//! Reading every schema that the operations reach, each once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::collect::intersect;
use super::document::{Document, Place, Result};
use super::fact::{Keyword, Stated};
use super::schema::{Below, Discriminator, Property, Schema, SchemaId};
use super::{DEEPEST, TOO_DEEP};

/// Keys of a schema that say something about the wire. A schema with none of them allows everything.
const ON_THE_WIRE: [&str; 31] = [
    "type",
    "format",
    "pattern",
    "enum",
    "default",
    "nullable",
    "readOnly",
    "writeOnly",
    "deprecated",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "not",
    "oneOf",
    "anyOf",
    "discriminator",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "maxProperties",
    "minProperties",
    "multipleOf",
    "uniqueItems",
    "$ref",
    "allOf",
];

/// A document, and its schemas as far as they are known.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) document: Document<'a>,
    pub(super) schemas: Vec<Schema>,
    ids: HashMap<Vec<Place>, SchemaId>,
    todo: Vec<SchemaId>,
    /// The parts of each schema object, itself included.
    parts: HashMap<Place, Vec<Place>>,
    pub(super) nullable: HashMap<Place, Option<bool>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(side: &'static str, root: &'a Value) -> Self {
        Self {
            document: Document::new(side, root),
            schemas: Vec::new(),
            ids: HashMap::new(),
            todo: Vec::new(),
            parts: HashMap::new(),
            nullable: HashMap::new(),
        }
    }

    /// The schema that all of `places` are together; what it says is read by [`Reader::finish`].
    pub(super) fn schema(&mut self, places: &[Place]) -> Result<SchemaId> {
        let mut roots = Vec::with_capacity(places.len());
        for place in places {
            roots.push(self.document.resolve(*place)?);
        }
        roots.sort_unstable();
        roots.dedup();
        if let Some(id) = self.ids.get(&roots) {
            return Ok(*id);
        }
        let id = SchemaId(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX));
        self.schemas.push(Schema { roots: roots.clone(), ..Schema::default() });
        self.ids.insert(roots, id);
        self.todo.push(id);
        Ok(id)
    }

    pub(super) fn below(&mut self, at: Vec<Place>) -> Result<Option<Below>> {
        if at.is_empty() {
            return Ok(None);
        }
        Ok(Some(Below { schema: self.schema(&at)?, at }))
    }

    /// Reads every schema asked for, and every schema below it.
    pub(super) fn finish(&mut self) -> Result<()> {
        while let Some(id) = self.todo.pop() {
            let roots = self.schemas.get(id.0 as usize).map(|schema| schema.roots.clone()).unwrap_or_default();
            let schema = self.build(roots)?;
            if let Some(slot) = self.schemas.get_mut(id.0 as usize) {
                *slot = schema;
            }
        }
        Ok(())
    }

    /// A schema object, its `allOf` parts, and alternatives without an alternative.
    fn parts(&mut self, place: Place, above: &mut Vec<Place>) -> Result<Vec<Place>> {
        let place = self.document.resolve(place)?;
        if let Some(known) = self.parts.get(&place) {
            return Ok(known.clone());
        }
        if above.contains(&place) {
            return Err(self.document.error(place, "the schema contains itself through `allOf`"));
        }
        if above.len() > DEEPEST {
            return Err(self.document.error(place, TOO_DEEP));
        }
        above.push(place);
        let mut found = BTreeSet::from([place]);
        for part in self.conjuncts(place)? {
            found.extend(self.parts(part, above)?);
        }
        above.pop();
        let found: Vec<Place> = found.into_iter().collect();
        self.parts.insert(place, found.clone());
        Ok(found)
    }

    /// What a schema demands besides its own keywords.
    pub(super) fn conjuncts(&mut self, place: Place) -> Result<Vec<Place>> {
        let mut found = self.document.elements(place, "allOf")?;
        if !self.document.object(place)?.contains_key("discriminator") {
            for key in ["oneOf", "anyOf"] {
                if let [only] = self.document.elements(place, key)?[..] {
                    found.push(only);
                }
            }
        }
        Ok(found)
    }

    /// Whether the schema allows every value.
    pub(super) fn allows_all(&mut self, place: Place) -> Result<bool> {
        for part in self.parts(place, &mut Vec::new())? {
            let object = self.document.object(part)?;
            if object
                .iter()
                .any(|(key, value)| key != "allOf" && ON_THE_WIRE.contains(&key.as_str()) && !neutral(key, value))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn build(&mut self, roots: Vec<Place>) -> Result<Schema> {
        let mut parts = BTreeSet::new();
        for root in &roots {
            parts.extend(self.parts(*root, &mut Vec::new())?);
        }
        let mut schema = Schema { parts: parts.into_iter().collect(), ..Schema::default() };
        let mut types = Vec::new();
        let mut members = Members::default();
        for part in schema.parts.clone() {
            if let Some(stated) = self.types(part)? {
                types.push((part, stated));
            }
            self.texts(part, &mut schema, &mut members)?;
            self.limits(part, &mut schema)?;
            self.flags(part, &mut schema)?;
            self.values(part, &mut schema)?;
            self.object_keywords(part, &mut schema, &mut members)?;
            self.items_and_choices(part, &mut schema, &mut members)?;
        }
        if !types.is_empty() {
            let by = types.iter().map(|(part, _)| *part).collect();
            let fact = intersect(types.into_iter().map(|(_, types)| types).collect());
            schema.facts.insert(Keyword::Type, Stated { fact, by });
        }
        self.nullable_and_default(&roots, &mut schema)?;
        for (name, (described, required)) in members.properties {
            let described = self.below(described)?;
            schema.properties.insert(name, Property { described, required });
        }
        schema.items = self.below(members.items)?;
        schema.additional = self.below(members.additional)?;
        for place in members.excluded {
            schema.excluded.extend(self.below(vec![place])?);
        }
        schema.discriminator = self.discriminator(&schema.parts, &mut schema.tags)?;
        schema.roots = roots;
        super::contradictions::note(&self.document, &mut schema);
        Ok(schema)
    }

    /// The discriminator of some parts, with everything its values stand for.
    ///
    /// `tags` takes what a discriminator says of the schema as one of its own variants.
    fn discriminator(&mut self, parts: &[Place], tags: &mut BTreeMap<String, String>) -> Result<Option<Discriminator>> {
        let mut properties = BTreeSet::new();
        let mut mapping: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let mut by = Vec::new();
        for part in parts {
            let Some(place) = self.document.child(*part, "discriminator") else { continue };
            let Some(property) = self.document.text(place, "propertyName")? else {
                return Err(self.document.error(place, "the discriminator has no `propertyName`"));
            };
            let stated = self.mapping(*part, place)?;
            // A child that takes in its parent is one of the parent's variants, not the parent again.
            if let Some((value, _)) = stated.iter().find(|(_, target)| parts.contains(target)) {
                tags.insert(property.to_owned(), value.clone());
                continue;
            }
            properties.insert(property.to_owned());
            by.push(*part);
            for (value, target) in stated {
                mapping.entry(value).or_default().push(target);
            }
        }
        if by.is_empty() {
            return Ok(None);
        }
        let property = properties.into_iter().collect::<Vec<_>>().join(" and ");
        let mut known = BTreeMap::new();
        for (value, targets) in mapping {
            known.extend(self.below(targets)?.map(|below| (value, below)));
        }
        Ok(Some(Discriminator { property, mapping: known, by }))
    }

    fn mapping(&mut self, part: Place, place: Place) -> Result<BTreeMap<String, Place>> {
        let document = &mut self.document;
        let mut found = BTreeMap::new();
        for (value, entry) in document.members(place, "mapping")? {
            let target = match document.value(entry) {
                Value::String(target) if target.starts_with('#') => document.lookup(entry, target)?,
                // A bare name is a component's.
                Value::String(target) => match document.component("schemas", target) {
                    Some(found) => found,
                    None => return Err(document.error(entry, format!("`{target}` is no schema of this document"))),
                },
                other => {
                    let problem = format!("expected a reference, found {}", super::document::kind(other));
                    return Err(document.error(entry, problem));
                }
            };
            let target = document.resolve(target)?;
            found.insert(value, target);
        }
        let mut alternatives = document.elements(part, "oneOf")?;
        alternatives.extend(document.elements(part, "anyOf")?);
        if alternatives.is_empty() && found.is_empty() {
            alternatives = children_of(document, part)?;
        }
        for alternative in alternatives {
            let target = document.resolve(alternative)?;
            if found.values().any(|known| *known == target) {
                continue;
            }
            // Without a mapping the name itself is on the wire.
            let pointer = document.pointer(target);
            let name = pointer.rsplit('/').next().unwrap_or_default();
            let name = name.replace("~1", "/").replace("~0", "~");
            found.insert(name, target);
        }
        Ok(found)
    }
}

/// What the parts of a schema say of what lies below, before it is known what that is.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) properties: BTreeMap<String, (Vec<Place>, Vec<Place>)>,
    pub(super) items: Vec<Place>,
    pub(super) additional: Vec<Place>,
    pub(super) excluded: Vec<Place>,
}

/// Components that take `parent` in as a part: its children where a discriminator names none.
fn children_of(document: &mut Document<'_>, parent: Place) -> Result<Vec<Place>> {
    let Some(components) = document.child(Document::root(), "components") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (_, component) in document.members(components, "schemas")? {
        if !document.object(component)?.contains_key("allOf") {
            continue;
        }
        for part in document.elements(component, "allOf")? {
            if document.resolve(part)? == parent {
                found.push(component);
                break;
            }
        }
    }
    Ok(found)
}

/// Whether a keyword with this value says no more than its absence.
fn neutral(key: &str, value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on == (key == "additionalProperties"),
        Value::Array(items) => items.is_empty() && key != "enum",
        Value::Object(members) => members.is_empty() && matches!(key, "properties" | "items" | "additionalProperties"),
        Value::Number(number) => key.starts_with("min") && key != "minimum" && number.as_f64() == Some(0.0),
        _ => false,
    }
}
