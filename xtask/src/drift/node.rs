//! The resolved meaning of a schema: references followed, every `allOf` part put together, nothing left of how it was
//! written down.
//!
//! A [`Node`] is one level deep; what lies below it is named by places and resolved when the comparison gets there, so a
//! schema that contains itself is no trouble. The keywords are read in [`super::collect`],
//! nodes are compared in [`super::schema`].
//!
//! # How parts are put together
//! A value must satisfy all parts: types and enums are intersected (`integer` lies in `number`), the tightest bound
//! holds, patterns and formats add up, a property named in several parts must satisfy each. `readOnly`, `writeOnly` and
//! `deprecated` hold when one part says so, `default` is the outermost one. `nullable: true` beside an `allOf` covers the
//! whole of it; inside a part it counts only if no other typed part forbids null. `additionalProperties: false` of
//! a part closes the whole object. A `oneOf` or `anyOf` with a single alternative is that alternative.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::collect::intersect;
use super::document::{Document, Place, Result};
use super::fact::{Keyword, Stated};

/// Schemas nested deeper than this are refused rather than followed.
pub(crate) const DEEPEST: usize = 200;
pub(crate) const TOO_DEEP: &str = "schemas are nested too deeply here";

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

/// A resolved schema, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

/// A resolved schema, one level deep.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Every schema object that takes part.
    pub(crate) parts: Vec<Place>,
    pub(crate) facts: BTreeMap<Keyword, Stated>,
    pub(crate) values: Option<Values>,
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) items: Vec<Place>,
    /// Schemas that every property without a name of its own must satisfy.
    pub(crate) additional: Vec<Place>,
    /// Schemas of `not`: none of them may fit.
    pub(crate) excluded: Vec<Place>,
    pub(crate) groups: Vec<Group>,
    pub(crate) discriminator: Option<Discriminator>,
}

/// The values an enum leaves.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) allowed: BTreeMap<String, Vec<Place>>,
    pub(crate) by: Vec<Place>,
}

/// A property of an object: where it is described and where it is demanded. One of the two can be missing.
#[derive(Debug, Default)]
pub(crate) struct Property {
    pub(crate) described: Vec<Place>,
    pub(crate) required: Vec<Place>,
}

/// Which keyword lists alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// `oneOf`
    OneOf,
    /// `anyOf`
    AnyOf,
}

/// A `oneOf` or `anyOf` of at least two alternatives that no discriminator tells apart.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) choice: Choice,
    pub(crate) alternatives: Vec<Place>,
    pub(crate) by: Place,
}

/// A discriminator and what each of its values stands for.
#[derive(Debug)]
pub(crate) struct Discriminator {
    pub(crate) property: String,
    pub(crate) mapping: BTreeMap<String, Vec<Place>>,
    pub(crate) by: Vec<Place>,
}

/// A document whose schemas are resolved on demand, each once.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    pub(crate) document: Document<'a>,
    nodes: Vec<Node>,
    ids: HashMap<Vec<Place>, NodeId>,
    pub(super) nullable: HashMap<Place, Option<bool>>,
    /// Digests of shapes by node and depth; see [`super::shape`].
    pub(crate) shapes: HashMap<(NodeId, usize), String>,
}

static NOTHING: Node = Node {
    parts: Vec::new(),
    facts: BTreeMap::new(),
    values: None,
    properties: BTreeMap::new(),
    items: Vec::new(),
    additional: Vec::new(),
    excluded: Vec::new(),
    groups: Vec::new(),
    discriminator: None,
};

impl<'a> Resolver<'a> {
    pub(crate) fn new(side: &'static str, root: &'a Value) -> Self {
        Self {
            document: Document::new(side, root),
            nodes: Vec::new(),
            ids: HashMap::new(),
            nullable: HashMap::new(),
            shapes: HashMap::new(),
        }
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// The meaning of all of `places` together.
    pub(crate) fn node(&mut self, places: &[Place]) -> Result<NodeId> {
        let mut roots = Vec::with_capacity(places.len());
        for place in places {
            roots.push(self.document.resolve(*place)?);
        }
        roots.sort_unstable();
        roots.dedup();
        if let Some(id) = self.ids.get(&roots) {
            return Ok(*id);
        }
        let node = self.build(&roots)?;
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.ids.insert(roots, id);
        Ok(id)
    }

    /// The schemas that `places` consist of: themselves, their `allOf` parts, and alternatives without an alternative.
    fn parts(&mut self, places: &[Place]) -> Result<Vec<Place>> {
        let mut seen = BTreeSet::new();
        let mut todo = places.to_vec();
        while let Some(place) = todo.pop() {
            let place = self.document.resolve(place)?;
            if seen.insert(place) {
                todo.extend(self.conjuncts(place)?);
            }
        }
        Ok(seen.into_iter().collect())
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

    /// Whether the schemas allow every value.
    pub(super) fn allows_all(&mut self, places: &[Place]) -> Result<bool> {
        for part in self.parts(places)? {
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

    fn build(&mut self, roots: &[Place]) -> Result<Node> {
        let mut node = Node { parts: self.parts(roots)?, ..Node::default() };
        let mut types = Vec::new();
        for part in node.parts.clone() {
            let says = Says::of(self.document.object(part)?);
            if let Some(stated) = self.types(part)? {
                types.push((part, stated));
            }
            if says.texts {
                self.texts(part, &mut node)?;
            }
            if says.limits {
                self.limits(part, &mut node)?;
            }
            if says.flags {
                self.flags(part, &mut node)?;
            }
            self.values(part, &mut node)?;
            if says.members {
                self.object_keywords(part, &mut node)?;
                self.items_and_choices(part, &mut node)?;
            }
        }
        if !types.is_empty() {
            let by = types.iter().map(|(part, _)| *part).collect();
            let fact = intersect(types.into_iter().map(|(_, types)| types).collect());
            node.facts.insert(Keyword::Type, Stated { fact, by });
        }
        self.nullable_and_default(roots, &mut node)?;
        super::variants::discriminators(self, &mut node)?;
        Ok(node)
    }
}

/// Which groups of keywords a schema uses: most use few, and there are thousands of schemas.
#[derive(Default)]
struct Says {
    texts: bool,
    limits: bool,
    flags: bool,
    members: bool,
}

impl Says {
    fn of(object: &serde_json::Map<String, Value>) -> Self {
        let mut says = Self::default();
        for key in object.keys() {
            match key.as_str() {
                "format" | "pattern" | "multipleOf" | "not" => says.texts = true,
                "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => says.flags = true,
                "properties" | "required" | "additionalProperties" | "items" | "oneOf" | "anyOf" => says.members = true,
                key => says.limits |= key.starts_with("max") || key.starts_with("min"),
            }
        }
        says
    }
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
