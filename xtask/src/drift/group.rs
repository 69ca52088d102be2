//! One edit, one change: differences that come from the same place of a document belong together, however many
//! operations reach them.
//!
//! Two differences of the same kind and subject are one change when a place in either document states both. Where that
//! place is written out once per use on one side (a component that was split or put in line), the other side still
//! shares it: then the same facts, in schemas that share a part, are one change as well.

use std::collections::HashMap;

use super::delta::Delta;
use super::rules::Kind;
use crate::model::Step;
use crate::model::document::Place;

/// Indices of deltas that belong together, each group and the groups themselves in order of index.
pub(crate) fn groups(deltas: &[Delta]) -> Vec<Vec<usize>> {
    let mut sets = Sets { parent: (0..deltas.len()).collect() };
    let mut by_place: HashMap<(bool, Place, Kind, &str), usize> = HashMap::new();
    let mut by_path: HashMap<(Kind, &str), usize> = HashMap::new();
    let mut by_part: HashMap<(bool, Place, FactKey<'_>), usize> = HashMap::new();
    for (index, delta) in deltas.iter().enumerate() {
        for (new, places) in [(false, &delta.old_by), (true, &delta.new_by)] {
            for place in places {
                let first = *by_place.entry((new, *place, delta.kind, name(delta))).or_insert(index);
                sets.join(first, index);
            }
        }
        for (new, places) in [(false, &delta.old_parts), (true, &delta.new_parts)] {
            for place in places {
                let first = *by_part.entry((new, *place, FactKey::of(delta))).or_insert(index);
                sets.join(first, index);
            }
        }
        if matches!(delta.kind, Kind::Path(_)) {
            let first = *by_path.entry((delta.kind, delta.subject.as_str())).or_insert(index);
            sets.join(first, index);
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); deltas.len()];
    for index in 0..deltas.len() {
        let root = sets.root(index);
        if let Some(group) = groups.get_mut(root) {
            group.push(index);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// What tells two differences at one place apart: the property, or the subject.
fn name(delta: &Delta) -> &str {
    match &delta.step {
        Some(Step::Property(name)) => name,
        _ => &delta.subject,
    }
}

#[derive(PartialEq, Eq, Hash)]
struct FactKey<'d> {
    kind: Kind,
    name: &'d str,
    old: Option<&'d str>,
    new: Option<&'d str>,
    digest: &'d str,
}

impl<'d> FactKey<'d> {
    fn of(delta: &'d Delta) -> Self {
        Self {
            kind: delta.kind,
            name: name(delta),
            old: delta.old.as_deref(),
            new: delta.new.as_deref(),
            digest: &delta.digest,
        }
    }
}

struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn root(&mut self, mut index: usize) -> usize {
        loop {
            match self.parent.get(index).copied() {
                Some(parent) if parent != index => {
                    let above = self.parent.get(parent).copied().unwrap_or(parent);
                    if let Some(entry) = self.parent.get_mut(index) {
                        *entry = above;
                    }
                    index = above;
                }
                _ => return index,
            }
        }
    }

    /// The lower index leads the joined group, so that groups do not depend on the order of joining.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(entry) = self.parent.get_mut(a.max(b)) {
            *entry = a.min(b);
        }
    }
}
