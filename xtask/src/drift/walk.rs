//! From differences to the places where the interface reaches them.

use std::collections::BTreeSet;

use super::endpoints::{Reached, Spot};
use super::rules::Noun;
use super::schema::{Comparer, PairId};
use crate::model::document::Result;
use crate::model::{DEEPEST, ModelError, Step, TOO_DEEP};

/// A document that reaches its differences at more places than this is built to be expanded, not to be read.
const MOST_SITES: usize = 1_000_000;

/// One place where the interface reaches a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site {
    pub(crate) spot: usize,
    /// JSON path in the body or value, empty for what is outside of schemas.
    pub(crate) path: String,
    pub(crate) noun: Noun,
}

/// Sites of each delta, by the delta's index.
#[derive(Debug)]
pub(crate) struct Sites {
    pub(crate) spots: Vec<Spot>,
    pub(crate) of: Vec<Vec<Site>>,
}

/// Follows every way from the operations to a difference.
pub(crate) fn sites(comparer: &mut Comparer<'_>, reached: Reached) -> Result<Sites> {
    settle_mappings(comparer);
    let mut walk = Walk {
        comparer,
        sites: Sites { spots: Vec::new(), of: Vec::new() },
        path: String::new(),
        above: BTreeSet::new(),
        count: 0,
    };
    walk.sites.of.resize_with(walk.comparer.deltas.len(), Vec::new);
    for (spot, delta) in reached.found {
        let site = Site { spot: walk.sites.spots.len(), path: String::new(), noun: spot.noun };
        walk.sites.spots.push(spot);
        walk.put(delta, site)?;
    }
    for (spot, pair) in reached.roots {
        let index = walk.sites.spots.len();
        walk.path.clear();
        walk.path.push('$');
        let noun = spot.noun;
        walk.sites.spots.push(spot);
        walk.follow(pair, index, noun, 0)?;
    }
    Ok(walk.sites)
}

/// Where a discriminator's value came to stand for another schema, that is the change, not each way in which the two
/// schemas differ.
fn settle_mappings(comparer: &mut Comparer<'_>) {
    let differing: Vec<bool> = comparer.pairs.iter().map(|pair| pair.differs).collect();
    for pair in &mut comparer.pairs {
        let mut kept = Vec::with_capacity(pair.children.len());
        for mut child in std::mem::take(&mut pair.children) {
            let differs = differing.get(child.pair.0 as usize).copied().unwrap_or(false);
            match child.instead.take() {
                Some(delta) if differs => {
                    comparer.deltas.push(delta);
                    pair.deltas.push(comparer.deltas.len() - 1);
                }
                _ => kept.push(child),
            }
        }
        pair.children = kept;
    }
}

struct Walk<'c, 'a> {
    comparer: &'c Comparer<'a>,
    sites: Sites,
    path: String,
    above: BTreeSet<PairId>,
    count: usize,
}

impl Walk<'_, '_> {
    fn put(&mut self, delta: usize, site: Site) -> Result<()> {
        self.count += 1;
        if self.count > MOST_SITES {
            return Err(ModelError::new("new", "", format!("the differences are reached at over {MOST_SITES} places")));
        }
        if let Some(sites) = self.sites.of.get_mut(delta) {
            sites.push(site);
        }
        Ok(())
    }

    fn follow(&mut self, id: PairId, spot: usize, noun: Noun, depth: usize) -> Result<()> {
        let comparer = self.comparer;
        let Some(pair) = comparer.pairs.get(id.0 as usize) else { return Ok(()) };
        // A pair that contains itself shows its differences the first time round.
        if !pair.differs || !self.above.insert(id) {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(ModelError::new("new", "", format!("{TOO_DEEP}: {}", self.path)));
        }
        let length = self.path.len();
        let inner = if noun == Noun::Body { Noun::Property } else { noun };
        for index in &pair.deltas {
            let mut noun = noun;
            if let Some(step) = comparer.deltas.get(*index).and_then(|delta| delta.step.as_ref()) {
                step.push_to(&mut self.path);
                if matches!(step, Step::Property(_)) {
                    noun = inner;
                }
            }
            let site = Site { spot, path: self.path.clone(), noun };
            self.path.truncate(length);
            self.put(*index, site)?;
        }
        for child in &pair.children {
            child.step.push_to(&mut self.path);
            self.follow(child.pair, spot, inner, depth + 1)?;
            self.path.truncate(length);
        }
        self.above.remove(&id);
        Ok(())
    }
}
