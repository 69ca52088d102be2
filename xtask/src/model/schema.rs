//! The resolved meaning of a schema: references followed, every `allOf` part put together, nothing left of how it was
//! written down.
//!
//! A [`Schema`] is one level deep; what lies below it is named by [`SchemaId`], so a schema that contains itself is no
//! errors. The keywords are read in [`super::collect`].
//!
//! # How parts are put together
//! A value must satisfy all parts: types are intersected (`integer` lies in `number`), the tightest bound holds,
//! patterns and formats add up, a property named in several parts must satisfy each. `readOnly`, `writeOnly` and
//! `deprecated` hold when one part says so, `default` is the outermost one. `nullable: true` beside an `allOf` covers the
//! whole of it; inside a part it counts only if no other typed part forbids null. `additionalProperties: false` of
//! a part closes the whole object. A `oneOf` or `anyOf` with a single alternative is that alternative.
//!
//! Enums are the exception: the values of all parts are united. Upstream forgets to add a value to every copy of a
//! list, and the service sends it all the same. That the parts disagree is a contradiction and kept as such.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Place;
use super::fact::{Fact, Keyword, Stated};

/// A resolved schema, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SchemaId(pub(super) u32);

/// A resolved schema, one level deep.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The places that are this schema together.
    pub(crate) roots: Vec<Place>,
    /// Every schema object that takes part.
    pub(crate) parts: Vec<Place>,
    pub(crate) facts: BTreeMap<Keyword, Stated>,
    pub(crate) values: Option<Values>,
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) items: Option<Below>,
    /// What every property without a name of its own must satisfy.
    pub(crate) additional: Option<Below>,
    /// Schemas of `not`: none of them may fit.
    pub(crate) excluded: Vec<Below>,
    pub(crate) groups: Vec<Group>,
    pub(crate) discriminator: Option<Discriminator>,
    /// Where it is itself a variant of what a discriminator tells apart: the property, and the value that stands for it.
    pub(crate) tags: BTreeMap<String, String>,
    /// What the document says twice and not alike.
    pub(crate) contradictions: Vec<String>,
}

impl Schema {
    /// The JSON types that it allows, where it says so and some value can be of them.
    pub(crate) fn types(&self) -> Option<&BTreeSet<String>> {
        match self.facts.get(&Keyword::Type).map(|stated| &stated.fact) {
            Some(Fact::Types(types)) => Some(types),
            _ => None,
        }
    }
}

/// A schema below another, and the places that put it there.
#[derive(Debug, Clone)]
pub(crate) struct Below {
    pub(crate) schema: SchemaId,
    pub(crate) at: Vec<Place>,
}

/// The values an enum leaves.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Every value as canonical JSON, with the parts that list it.
    pub(crate) allowed: BTreeMap<String, Vec<Place>>,
    /// The same in the order of the document.
    pub(crate) order: Vec<String>,
    pub(crate) by: Vec<Place>,
}

/// A property of an object: what it is and where it is demanded. One of the two can be missing.
#[derive(Debug, Default)]
pub(crate) struct Property {
    pub(crate) described: Option<Below>,
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
    pub(crate) alternatives: Vec<SchemaId>,
    pub(crate) by: Vec<Place>,
}

/// A discriminator and what each of its values stands for.
#[derive(Debug)]
pub(crate) struct Discriminator {
    pub(crate) property: String,
    pub(crate) mapping: BTreeMap<String, Below>,
    pub(crate) by: Vec<Place>,
}
