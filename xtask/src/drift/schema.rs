//! Comparing resolved schemas, pair by pair.
//!
//! Each pair of an old and a new schema is compared once, whatever leads to it, and remembers the pairs below it; a
//! schema that contains itself leads back to a pair already known. Where the interface reaches the differences is found
//! in [`super::walk`].

use std::collections::{BTreeSet, HashMap};

use super::delta::{Delta, Step};
use super::document::{Place, Result};
use super::fact::{Keyword, Stated};
use super::facts::{by, shown};
use super::node::{NodeId, Resolver};
use super::rules::{Additional, Edit, Flag, Kind};
use super::{choices, shape};

/// An old and a new schema that stand at the same place, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PairId(pub(crate) u32);

/// A pair below another.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) step: Step,
    pub(crate) pair: PairId,
    /// Whether the place can be left out on both sides.
    pub(crate) optional: bool,
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
    pub(crate) old: Resolver<'a>,
    pub(crate) new: Resolver<'a>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) deltas: Vec<Delta>,
    ids: HashMap<(NodeId, NodeId), PairId>,
    todo: Vec<(PairId, NodeId, NodeId)>,
}

impl<'a> Comparer<'a> {
    pub(crate) fn new(old: &'a serde_json::Value, new: &'a serde_json::Value) -> Self {
        Self {
            old: Resolver::new("old", old),
            new: Resolver::new("new", new),
            pairs: Vec::new(),
            deltas: Vec::new(),
            ids: HashMap::new(),
            todo: Vec::new(),
        }
    }

    /// The pair of the schemas at these places.
    pub(crate) fn pair(&mut self, old: &[Place], new: &[Place]) -> Result<PairId> {
        let nodes = (self.old.node(old)?, self.new.node(new)?);
        Ok(self.pair_of(nodes.0, nodes.1))
    }

    pub(crate) fn pair_of(&mut self, old: NodeId, new: NodeId) -> PairId {
        *self.ids.entry((old, new)).or_insert_with(|| {
            let id = PairId(u32::try_from(self.pairs.len()).unwrap_or(u32::MAX));
            self.pairs.push(Pair::default());
            self.todo.push((id, old, new));
            id
        })
    }

    /// Compares every pair asked for and every pair below it, then works out which lead to a difference.
    pub(crate) fn finish(&mut self) -> Result<()> {
        while let Some((id, old, new)) = self.todo.pop() {
            let mut found = Found { deltas: Vec::new(), children: Vec::new() };
            self.compare(old, new, &mut found)?;
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
        Ok(())
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

    fn compare(&mut self, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
        let replaced = self.types(old, new, found)?;
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
            return Ok(());
        }
        self.flag(old, new, Keyword::UniqueItems, Flag::UniqueItems, found);
        self.texts(old, new, found);
        self.limits(old, new, found);
        self.values(old, new, found);
        self.properties(old, new, found)?;
        self.items(old, new, found)?;
        self.additional(old, new, found)?;
        choices::compare(self, old, new, found)
    }

    fn properties(&mut self, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
        let names: BTreeSet<String> =
            self.old.get(old).properties.keys().chain(self.new.get(new).properties.keys()).cloned().collect();
        for name in names {
            let take = |resolver: &Resolver<'_>, id: NodeId| {
                let property = resolver.get(id).properties.get(&name);
                property.map(|property| (property.described.clone(), property.required.clone())).unwrap_or_default()
            };
            let (described_before, required_before) = take(&self.old, old);
            let (described_after, required_after) = take(&self.new, new);
            let step = Step::Property(name);
            let (was_required, is_required) = (!required_before.is_empty(), !required_after.is_empty());
            match (described_before.is_empty(), described_after.is_empty()) {
                (true, false) => {
                    let (text, digest) = described(&mut self.new, &described_after, is_required)?;
                    let kind = Kind::Member { edit: Edit::Added, required: is_required };
                    found.deltas.push(Delta::new(kind).at(step).is(Some(text), &described_after).digest(digest));
                }
                (false, true) => {
                    let (text, digest) = described(&mut self.old, &described_before, was_required)?;
                    let kind = Kind::Member { edit: Edit::Removed, required: was_required };
                    found.deltas.push(Delta::new(kind).at(step).was(Some(text), &described_before).digest(digest));
                }
                (undescribed, _) => {
                    if was_required != is_required {
                        let text = |required: bool| Some(if required { "required" } else { "optional" }.to_owned());
                        found.deltas.push(
                            Delta::new(Kind::Required(is_required))
                                .at(step.clone())
                                .was(text(was_required), &required_before)
                                .is(text(is_required), &required_after),
                        );
                    }
                    if !undescribed {
                        let pair = self.pair(&described_before, &described_after)?;
                        let optional = !was_required && !is_required;
                        found.children.push(Child { step, pair, optional, instead: None });
                    }
                }
            }
        }
        Ok(())
    }

    fn items(&mut self, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
        let (before, after) = (self.old.get(old).items.clone(), self.new.get(new).items.clone());
        match (before.is_empty(), after.is_empty()) {
            (true, true) => {}
            (true, false) => {
                let (text, digest) = described(&mut self.new, &after, false)?;
                found
                    .deltas
                    .push(Delta::new(Kind::Items(Edit::Added)).at(Step::Items).is(Some(text), &after).digest(digest));
            }
            (false, true) => {
                let (text, digest) = described(&mut self.old, &before, false)?;
                let delta = Delta::new(Kind::Items(Edit::Removed)).at(Step::Items);
                found.deltas.push(delta.was(Some(text), &before).digest(digest));
            }
            (false, false) => {
                let pair = self.pair(&before, &after)?;
                found.children.push(Child { step: Step::Items, pair, optional: false, instead: None });
            }
        }
        Ok(())
    }

    fn additional(&mut self, old: NodeId, new: NodeId, found: &mut Found) -> Result<()> {
        let stated = self.stated(old, new, Keyword::AdditionalProperties);
        if stated.0.is_none() && stated.1.is_none() {
            return Ok(());
        }
        let (stated_before, stated_after) = (stated.0.cloned(), stated.1.cloned());
        let (before, after) = (self.old.get(old).additional.clone(), self.new.get(new).additional.clone());
        let what = |stated: Option<&Stated>| shown(stated).unwrap_or_else(|| "any".to_owned());
        let (was, is) = (what(stated_before.as_ref()), what(stated_after.as_ref()));
        let kind = match (was.as_str(), is.as_str()) {
            (a, b) if a == b => {
                if is == "typed" {
                    let pair = self.pair(&before, &after)?;
                    found.children.push(Child { step: Step::Additional, pair, optional: true, instead: None });
                }
                return Ok(());
            }
            (_, "none") => Additional::Forbidden,
            ("none", _) => Additional::Allowed,
            (_, "typed") => Additional::Typed,
            _ => Additional::Untyped,
        };
        let mut facts = Vec::new();
        for (resolver, text, places) in [(&mut self.old, was, before), (&mut self.new, is, after)] {
            let fact = if text == "typed" { described(resolver, &places, false)? } else { (text, String::new()) };
            facts.push(fact);
        }
        let digest = facts.iter().map(|(_, digest)| digest.as_str()).collect::<Vec<_>>().join(" ");
        let mut texts = facts.into_iter().map(|(text, _)| text);
        found.deltas.push(
            Delta::new(Kind::Additional(kind))
                .at(Step::Additional)
                .was(texts.next(), &by(stated_before.as_ref()))
                .is(texts.next(), &by(stated_after.as_ref()))
                .digest(digest),
        );
        Ok(())
    }
}

/// Deltas and pairs below, collected while a pair is compared.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) deltas: Vec<Delta>,
    pub(crate) children: Vec<Child>,
}

/// A line and a digest for schemas that hold together.
pub(crate) fn described(resolver: &mut Resolver<'_>, places: &[Place], required: bool) -> Result<(String, String)> {
    let node = resolver.node(places)?;
    let text = shape::summary(resolver, node)?;
    let text = if required { format!("{text}, required") } else { text };
    Ok((text, shape::digest(resolver, node)?))
}
