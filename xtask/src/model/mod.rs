//! One revision of the interface by what it means: its operations, and every schema they reach, resolved once.
//!
//! This is the only place where references are followed and `allOf` is put together. The passes, the overlay, drift,
//! the instances and the guards read it here.
//!
//! - `document`: the document as addressed JSON, with typed reads;
//! - `operation`: operations with parameters, bodies, responses, headers, media types, security and servers;
//! - `schema`, `fact`: what a resolved schema is, and the rules by which parts add up;
//! - `read`, `collect`: reading them;
//! - [`contradictions`]: what the document says twice and not alike;
//! - `shape`: digests and summaries; `tree`: a schema written out as JSON, for the passes; [`step`]: ways through a value.

mod classes;
mod collect;
pub mod contradictions;
pub(crate) mod document;
pub(crate) mod fact;
pub(crate) mod operation;
mod read;
pub(crate) mod schema;
mod shape;
pub mod step;
mod tree;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

pub use document::ModelError;
pub use fact::Limit;
pub use schema::Choice;
pub use step::Step;

use document::Place;
use operation::{Key, Operation};
use read::Reader;
pub(crate) use schema::{Schema, SchemaId};

/// Schemas nested deeper than this are refused rather than followed.
pub(crate) const DEEPEST: usize = 200;
pub(crate) const TOO_DEEP: &str = "schemas are nested too deeply here";

/// A revision of the interface, resolved.
#[derive(Debug)]
pub struct Model<'a> {
    reader: Reader<'a>,
    operations: BTreeMap<Key, Operation>,
    /// The schema that says nothing.
    any: SchemaId,
    /// Schemas that mean the same are of one class, wherever and however they are written.
    classes: Vec<u32>,
    digests: RefCell<HashMap<(u32, usize), String>>,
}

/// Where an operation holds a schema.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `GET /transactions/{}`: the operation without the names of path parameters.
    pub(crate) operation: String,
    /// `query limit`, `body application/json`, `200 application/json`, `200 header event-request-id`.
    pub(crate) place: String,
    pub(crate) schema: SchemaId,
}

static NOTHING: Schema = Schema {
    roots: Vec::new(),
    parts: Vec::new(),
    facts: BTreeMap::new(),
    values: None,
    properties: BTreeMap::new(),
    items: None,
    additional: None,
    excluded: Vec::new(),
    groups: Vec::new(),
    discriminator: None,
    tags: BTreeMap::new(),
    contradictions: Vec::new(),
};

impl<'a> Model<'a> {
    /// Reads `document`, which errors call the `side` document.
    ///
    /// # Errors
    /// When the document is not what OpenAPI 3.0 allows in a way that leaves its meaning open: a reference to nothing, to
    /// another file or in a circle, a schema that is a part of itself, a key of the wrong type, nesting without end.
    pub fn read(side: &'static str, document: &'a Value) -> Result<Self, ModelError> {
        let mut reader = Reader::new(side, document);
        let any = reader.schema(&[])?;
        let operations = operation::read(&mut reader)?;
        reader.finish()?;
        let mut model = Self { reader, operations, any, classes: Vec::new(), digests: RefCell::default() };
        model.classes = classes::of(&model);
        model.join_groups();
        Ok(model)
    }

    /// A choice that several parts leave alike is one choice.
    fn join_groups(&mut self) {
        let classes = &self.classes;
        let class = |id: &SchemaId| classes.get(id.0 as usize).copied().unwrap_or(u32::MAX);
        for schema in self.reader.schemas.iter_mut().filter(|schema| schema.groups.len() > 1) {
            let mut joined: BTreeMap<(Choice, BTreeSet<u32>), schema::Group> = BTreeMap::new();
            for group in std::mem::take(&mut schema.groups) {
                let key = (group.choice, group.alternatives.iter().map(class).collect());
                match joined.get_mut(&key) {
                    Some(known) => known.by.extend(group.by),
                    None => {
                        joined.insert(key, group);
                    }
                }
            }
            schema.groups = joined.into_values().collect();
        }
    }

    /// The operations by what makes them the same in every revision: method, and path without names of parameters.
    pub(crate) const fn operations(&self) -> &BTreeMap<Key, Operation> {
        &self.operations
    }

    pub(crate) fn get(&self, id: SchemaId) -> &Schema {
        self.reader.schemas.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// The schema that an operation holds, or the one that says nothing where it holds none.
    pub(crate) fn or_any(&self, held: Option<&schema::Below>) -> SchemaId {
        held.map_or(self.any, |below| below.schema)
    }

    /// The schema that several are at once: of a value that fits them all.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub(crate) fn together(&mut self, ids: &[SchemaId]) -> Result<SchemaId, ModelError> {
        let roots: Vec<Place> = ids.iter().flat_map(|id| self.get(*id).roots.clone()).collect();
        let id = self.reader.schema(&roots)?;
        self.reader.finish()?;
        Ok(id)
    }

    /// How many schemas there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.reader.schemas.len()
    }

    /// Whether no operation holds a schema.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.reader.schemas.is_empty()
    }

    /// What schemas of one meaning have in common.
    pub(crate) fn class(&self, id: SchemaId) -> u32 {
        self.classes.get(id.0 as usize).copied().unwrap_or(u32::MAX)
    }

    /// The JSON Pointer of a place.
    pub(crate) fn pointer(&self, place: Place) -> String {
        self.reader.document.pointer(place)
    }

    /// Whether the document has something at a JSON Pointer.
    pub(crate) fn has(&self, pointer: &str) -> bool {
        self.root().pointer(pointer).is_some()
    }

    /// The whole document.
    pub(crate) fn root(&self) -> &'a Value {
        self.reader.document.value(document::Document::root())
    }

    pub(crate) fn value(&self, place: Place) -> &'a Value {
        self.reader.document.value(place)
    }

    /// Every place where an operation holds a schema.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        for (key, of) in &self.operations {
            let operation = format!("{} {}", key.method.to_uppercase(), key.path);
            let mut add = |place: String, schema: &Option<schema::Below>| {
                let below = schema.as_ref();
                found.extend(below.map(|below| Entry { operation: operation.clone(), place, schema: below.schema }));
            };
            for (key, parameter) in &of.parameters {
                add(key.label(), &parameter.schema);
            }
            for (name, media) in of.body.iter().flat_map(|body| &body.media) {
                add(format!("body {name}"), &media.schema);
            }
            for (status, response) in &of.responses {
                for (name, media) in &response.media {
                    add(format!("{status} {name}"), &media.schema);
                }
                for (name, header) in &response.headers {
                    add(format!("{status} header {name}"), &header.schema);
                }
            }
        }
        found
    }

    /// What lies right below a schema.
    pub(crate) fn children(&self, id: SchemaId) -> Vec<(Step, SchemaId)> {
        let schema = self.get(id);
        let mut found = Vec::new();
        for (name, property) in &schema.properties {
            found.extend(property.described.as_ref().map(|below| (Step::Property(name.clone()), below.schema)));
        }
        found.extend(schema.items.as_ref().map(|below| (Step::Items, below.schema)));
        found.extend(schema.additional.as_ref().map(|below| (Step::Additional, below.schema)));
        for group in &schema.groups {
            found.extend(group.alternatives.iter().map(|id| (Step::Variant(self.label(*id)), *id)));
        }
        for (value, below) in schema.discriminator.iter().flat_map(|found| &found.mapping) {
            found.push((Step::Variant(value.clone()), below.schema));
        }
        found
    }

    /// Each schema that means something of its own, with the shortest way to it.
    pub(crate) fn places(&self) -> Vec<(SchemaId, String)> {
        let mut level: Vec<(String, SchemaId)> = Vec::new();
        for entry in self.entries() {
            level.push((format!("{}, {}, $", entry.operation, entry.place), entry.schema));
        }
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        while !level.is_empty() {
            level.sort();
            let mut next = Vec::new();
            for (path, id) in level {
                if !seen.insert(self.class(id)) {
                    continue;
                }
                for (step, child) in self.children(id) {
                    let mut below = path.clone();
                    step.push_to(&mut below);
                    next.push((below, child));
                }
                out.push((id, path));
            }
            level = next;
        }
        out
    }

    /// How an alternative is called: by its type, since names of components are not on the wire.
    pub(crate) fn label(&self, id: SchemaId) -> String {
        let schema = self.get(id);
        match schema.facts.get(&fact::Keyword::Type).map(|stated| &stated.fact) {
            Some(fact::Fact::Types(types)) => types.iter().cloned().collect::<Vec<_>>().join("|"),
            Some(_) => "never".to_owned(),
            None if !schema.properties.is_empty() => "object".to_owned(),
            None => "any".to_owned(),
        }
    }
}
