//! Comparing resolved schemas, pair by pair.
//!
//! Each pair of an old and a new schema is compared once, whatever leads to it, and remembers the pairs below it; a
//! schema that contains itself leads back to a pair already known. Where the interface reaches the differences is found
//! in [`super::walk`].

use std::collections::{BTreeSet, HashMap};

use super::choices;
use super::delta::Delta;
use super::facts::{by, shown};
use super::rules::{Additional, Edit, Flag, Kind};
use crate::model::fact::{Keyword, Stated};
use crate::model::schema::{Below, Property};
use crate::model::{Model, SchemaId, Step};

/// An old and a new schema that stand at the same place, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PairId(pub(crate) u32);

/// A pair below another.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) step: Step,
    pub(crate) pair: PairId,
    /// Says it better than the differences of the pair, when there are any.
    pub(crate) instead: Option<Delta>,
}

/// What a comparison of two schemas found.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) deltas: Vec<usize>,
    pub(crate) children: Vec<Child>,
    /// Whether there is a difference here or anywhere below.
    pub(crate) differs: bool,
}

/// Both documents and everything compared so far.
#[derive(Debug)]
pub(crate) struct Comparer<'a> {
    pub(crate) old: &'a Model<'a>,
    pub(crate) new: &'a Model<'a>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) deltas: Vec<Delta>,
    ids: HashMap<(SchemaId, SchemaId), PairId>,
    todo: Vec<(PairId, SchemaId, SchemaId)>,
}

impl<'a> Comparer<'a> {
    pub(crate) fn new(old: &'a Model<'a>, new: &'a Model<'a>) -> Self {
        Self { old, new, pairs: Vec::new(), deltas: Vec::new(), ids: HashMap::new(), todo: Vec::new() }
    }

    /// The pair of two schemas that stand at the same place.
    pub(crate) fn pair(&mut self, old: SchemaId, new: SchemaId) -> PairId {
        *self.ids.entry((old, new)).or_insert_with(|| {
            let id = PairId(u32::try_from(self.pairs.len()).unwrap_or(u32::MAX));
            self.pairs.push(Pair::default());
            self.todo.push((id, old, new));
            id
        })
    }

    /// Compares every pair asked for and every pair below it, then works out which lead to a difference.
    pub(crate) fn finish(&mut self) {
        while let Some((id, old, new)) = self.todo.pop() {
            let mut found = Found { deltas: Vec::new(), children: Vec::new() };
            self.compare(old, new, &mut found);
            let (old_parts, new_parts) = (self.old.get(old).parts.clone(), self.new.get(new).parts.clone());
            let mut indices = Vec::with_capacity(found.deltas.len());
            for mut delta in found.deltas {
                delta.old_parts.clone_from(&old_parts);
                delta.new_parts.clone_from(&new_parts);
                indices.push(self.add(delta));
            }
            for child in &mut found.children {
                if let Some(delta) = &mut child.instead {
                    delta.old_parts.clone_from(&old_parts);
                    delta.new_parts.clone_from(&new_parts);
                }
            }
            if let Some(pair) = self.pairs.get_mut(id.0 as usize) {
                *pair = Pair { differs: !indices.is_empty(), deltas: indices, children: found.children };
            }
        }
        self.spread();
    }

    pub(crate) fn add(&mut self, delta: Delta) -> usize {
        self.deltas.push(delta);
        self.deltas.len() - 1
    }

    /// Marks every pair above a difference.
    fn spread(&mut self) {
        let mut above: HashMap<PairId, Vec<usize>> = HashMap::new();
        for (index, pair) in self.pairs.iter().enumerate() {
            for child in &pair.children {
                above.entry(child.pair).or_default().push(index);
            }
        }
        let mut todo: Vec<usize> = (0..self.pairs.len()).filter(|index| self.differs(*index)).collect();
        while let Some(index) = todo.pop() {
            for parent in above.get(&PairId(u32::try_from(index).unwrap_or(u32::MAX))).into_iter().flatten() {
                if let Some(pair) = self.pairs.get_mut(*parent)
                    && !pair.differs
                {
                    pair.differs = true;
                    todo.push(*parent);
                }
            }
        }
    }

    fn differs(&self, index: usize) -> bool {
        self.pairs.get(index).is_some_and(|pair| pair.differs)
    }

    fn compare(&mut self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let replaced = self.types(old, new, found);
        for (keyword, flag) in [
            (Keyword::Nullable, Flag::Nullable),
            (Keyword::ReadOnly, Flag::ReadOnly),
            (Keyword::WriteOnly, Flag::WriteOnly),
            (Keyword::Deprecated, Flag::Deprecated),
        ] {
            self.flag(old, new, keyword, flag, found);
        }
        // Values of another type cannot be compared fact by fact: the new type says it all.
        if replaced {
            return;
        }
        self.flag(old, new, Keyword::UniqueItems, Flag::UniqueItems, found);
        self.texts(old, new, found);
        self.limits(old, new, found);
        self.values(old, new, found);
        self.properties(old, new, found);
        self.items(old, new, found);
        self.additional(old, new, found);
        choices::compare(self, old, new, found);
    }

    fn properties(&mut self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let (before, after) = (&self.old.get(old).properties, &self.new.get(new).properties);
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (ours, theirs) = (before.get(name), after.get(name));
            let described = |property: Option<&'a Property>| property.and_then(|property| property.described.as_ref());
            let required = |property: Option<&'a Property>| property.map_or(&[][..], |property| &property.required);
            let (was, is) = (!required(ours).is_empty(), !required(theirs).is_empty());
            let step = Step::Property(name.clone());
            match (described(ours), described(theirs)) {
                (None, Some(theirs)) => {
                    let kind = Kind::Member { edit: Edit::Added, required: is };
                    found.deltas.push(come(Delta::new(kind).at(step), self.new, theirs, is));
                }
                (Some(ours), None) => {
                    let kind = Kind::Member { edit: Edit::Removed, required: was };
                    found.deltas.push(gone(Delta::new(kind).at(step), self.old, ours, was));
                }
                (left, right) => {
                    if was != is {
                        let text = |required: bool| Some(if required { "required" } else { "optional" }.to_owned());
                        found.deltas.push(
                            Delta::new(Kind::Required(is))
                                .at(step.clone())
                                .was(text(was), required(ours))
                                .is(text(is), required(theirs)),
                        );
                    }
                    if let (Some(left), Some(right)) = (left, right) {
                        let pair = self.pair(left.schema, right.schema);
                        found.children.push(Child { step, pair, instead: None });
                    }
                }
            }
        }
    }

    fn items(&mut self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let step = Step::Items;
        match (&self.old.get(old).items, &self.new.get(new).items) {
            (None, None) => {}
            (None, Some(theirs)) => {
                found.deltas.push(come(Delta::new(Kind::Items(Edit::Added)).at(step), self.new, theirs, false));
            }
            (Some(ours), None) => {
                found.deltas.push(gone(Delta::new(Kind::Items(Edit::Removed)).at(step), self.old, ours, false));
            }
            (Some(ours), Some(theirs)) => {
                let pair = self.pair(ours.schema, theirs.schema);
                found.children.push(Child { step, pair, instead: None });
            }
        }
    }

    fn additional(&mut self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let (stated_before, stated_after) = self.stated(old, new, Keyword::AdditionalProperties);
        if stated_before.is_none() && stated_after.is_none() {
            return;
        }
        let (before, after) = (&self.old.get(old).additional, &self.new.get(new).additional);
        let what = |stated: Option<&Stated>| shown(stated).unwrap_or_else(|| "any".to_owned());
        let (was, is) = (what(stated_before), what(stated_after));
        let kind = match (was.as_str(), is.as_str()) {
            (a, b) if a == b => {
                if let (Some(ours), Some(theirs)) = (before, after) {
                    let pair = self.pair(ours.schema, theirs.schema);
                    found.children.push(Child { step: Step::Additional, pair, instead: None });
                }
                return;
            }
            (_, "none") => Additional::Forbidden,
            ("none", _) => Additional::Allowed,
            (_, "typed") => Additional::Typed,
            _ => Additional::Untyped,
        };
        let fact = |model: &Model<'_>, text: String, below: &Option<Below>| match below {
            Some(below) if text == "typed" => described(model, below, false),
            _ => (text, String::new()),
        };
        let (was, is) = (fact(self.old, was, before), fact(self.new, is, after));
        found.deltas.push(
            Delta::new(Kind::Additional(kind))
                .at(Step::Additional)
                .was(Some(was.0), &by(stated_before))
                .is(Some(is.0), &by(stated_after))
                .digest(format!("{} {}", was.1, is.1)),
        );
    }
}

/// Deltas and pairs below, collected while a pair is compared.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) deltas: Vec<Delta>,
    pub(crate) children: Vec<Child>,
}

/// A line and a digest for what lies below a schema.
pub(crate) fn described(model: &Model<'_>, below: &Below, required: bool) -> (String, String) {
    let text = model.summary(below.schema);
    let text = if required { format!("{text}, required") } else { text };
    (text, model.digest(below.schema))
}

/// The delta of something that came, with what it is.
pub(crate) fn come(delta: Delta, model: &Model<'_>, below: &Below, required: bool) -> Delta {
    let (text, digest) = described(model, below, required);
    delta.is(Some(text), &below.at).digest(digest)
}

/// The delta of something that went, with what it was.
pub(crate) fn gone(delta: Delta, model: &Model<'_>, below: &Below, required: bool) -> Delta {
    let (text, digest) = described(model, below, required);
    delta.was(Some(text), &below.at).digest(digest)
}
