//! Which schemas mean the same: however they are written, named, cut into parts, or unrolled.
//!
//! Two schemas are of one class when they state the same facts and what lies below them is of one class. That is worked
//! out from below. Schemas that contain themselves make it a circle: all of those that state the same start as one
//! class, which is split until nothing below tells its members apart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::schema::{Schema, SchemaId};
use super::{Model, Step};

/// Rounds of splitting after which the schemas that are still together count as different: no harm, only less shared.
const MOST_ROUNDS: usize = 200;

/// What makes a schema the same as another: the class it starts in, and the classes of what lies below it.
type Key<'m> = (u32, Vec<(&'m Step, u32)>, Vec<u32>);

/// The class of every schema.
pub(super) fn of(model: &Model<'_>) -> Vec<u32> {
    let ids: Vec<SchemaId> = (0..u32::try_from(model.len()).unwrap_or(u32::MAX)).map(SchemaId).collect();
    let children: Vec<Vec<(Step, SchemaId)>> = ids.iter().map(|id| model.children(*id)).collect();
    let excluded: Vec<Vec<SchemaId>> =
        ids.iter().map(|id| model.get(*id).excluded.iter().map(|below| below.schema).collect()).collect();
    let mut numbers = Numbers::default();
    let start: Vec<u32> = ids.iter().map(|id| numbers.of_text(own(model.get(*id)))).collect();
    let key = |index: usize, classes: &[u32]| -> Key<'_> {
        let class = |id: &SchemaId| classes.get(id.0 as usize).copied().unwrap_or(u32::MAX);
        let mut below: Vec<_> = children[index].iter().map(|(step, child)| (step, class(child))).collect();
        below.sort_unstable();
        below.dedup();
        let mut not: Vec<u32> = excluded[index].iter().map(class).collect();
        not.sort_unstable();
        (start[index], below, not)
    };
    let mut classes = start.clone();
    // From below, as far as no circle is in the way.
    let all_below = |index: usize| children[index].iter().map(|(_, child)| child).chain(&excluded[index]);
    let mut open: Vec<usize> = (0..ids.len()).map(|index| all_below(index).count()).collect();
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    for index in 0..ids.len() {
        all_below(index).for_each(|child| above[child.0 as usize].push(index));
    }
    let mut ready: Vec<usize> = (0..ids.len()).filter(|index| open[*index] == 0).collect();
    let mut known: HashMap<Key<'_>, u32> = HashMap::new();
    while let Some(index) = ready.pop() {
        classes[index] = *known.entry(key(index, &classes)).or_insert_with(|| numbers.next());
        for holder in &above[index] {
            open[*holder] -= 1;
            if open[*holder] == 0 {
                ready.push(*holder);
            }
        }
    }
    // What a circle is below of starts together and is split.
    let circular: Vec<usize> = (0..ids.len()).filter(|index| open[*index] > 0).collect();
    let mut count = circular.iter().map(|index| classes[*index]).collect::<HashSet<_>>().len();
    for _ in 0..MOST_ROUNDS {
        let mut known: HashMap<Key<'_>, u32> = HashMap::new();
        let next: Vec<u32> = circular
            .iter()
            .map(|index| *known.entry(key(*index, &classes)).or_insert_with(|| numbers.next()))
            .collect();
        let found = known.len();
        circular.iter().zip(next).for_each(|(index, class)| classes[*index] = class);
        if found == count {
            return classes;
        }
        count = found;
    }
    circular.iter().for_each(|index| classes[*index] = numbers.next());
    classes
}

/// Numbers for classes.
#[derive(Debug, Default)]
struct Numbers {
    last: u32,
    texts: HashMap<String, u32>,
}

impl Numbers {
    fn next(&mut self) -> u32 {
        self.last = self.last.saturating_add(1);
        self.last
    }

    fn of_text(&mut self, text: String) -> u32 {
        if let Some(known) = self.texts.get(&text) {
            return *known;
        }
        let number = self.next();
        self.texts.insert(text, number);
        number
    }
}

/// What a schema states on its own.
fn own(schema: &Schema) -> String {
    let mut out = String::new();
    for (keyword, stated) in &schema.facts {
        let _ = writeln!(out, "{keyword:?}={}", stated.fact);
    }
    if let Some(values) = &schema.values {
        let _ = writeln!(out, "enum {:?}", values.allowed.keys());
    }
    for (name, property) in &schema.properties {
        let _ = writeln!(out, "{name:?} {} {}", property.described.is_some(), !property.required.is_empty());
    }
    // The same choice twice is one.
    let groups: BTreeSet<_> = schema.groups.iter().map(|group| (group.choice, group.alternatives.len())).collect();
    let _ = writeln!(out, "{groups:?}");
    if let Some(discriminator) = &schema.discriminator {
        let _ = writeln!(out, "by {:?}", discriminator.property);
    }
    // So that each place that contradicts itself is found, also where another one says the same without.
    let _ = writeln!(out, "{:?}", schema.contradictions);
    out
}
