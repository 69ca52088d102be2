//! What has occurred where, over all instances of an operation.

use std::collections::{BTreeMap, BTreeSet};

/// What has occurred, by its place: `GET /sessions/{id} $.order.items[].vat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// What may be there or not (optional fields, entries of lists and maps, values that may be null): how often either.
    pub optional: BTreeMap<String, (usize, usize)>,
    /// Enums, and choices by the number of the way: how often each value.
    pub values: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Counts {
    /// The places where something has not occurred.
    #[must_use]
    pub fn open(&self) -> BTreeSet<String> {
        let values = self.values.iter().filter(|(_, values)| values.values().any(|count| *count == 0));
        self.one_way().chain(values.map(|(place, _)| place)).cloned().collect()
    }

    /// Where something was always there, or never.
    fn one_way(&self) -> impl Iterator<Item = &String> {
        self.optional.iter().filter(|(_, (there, not))| *there == 0 || *not == 0).map(|(place, _)| place)
    }

    /// What has not occurred.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let values = self.values.iter().flat_map(|(place, values)| {
            values.iter().filter(|(_, count)| **count == 0).map(move |(value, _)| format!("{place} = {value}"))
        });
        self.one_way().cloned().chain(values).collect()
    }

    /// How many values of enums and ways of choices there are, over all places.
    #[must_use]
    pub fn value_count(&self) -> usize {
        self.values.values().map(BTreeMap::len).sum()
    }

    pub(super) fn add(&mut self, other: &Self, operation: &str) {
        for (place, (there, not)) in &other.optional {
            let sum = self.optional.entry(format!("{operation} {place}")).or_default();
            *sum = (sum.0 + there, sum.1 + not);
        }
        for (place, values) in &other.values {
            let sums = self.values.entry(format!("{operation} {place}")).or_default();
            for (value, count) in values {
                *sums.entry(value.clone()).or_default() += count;
            }
        }
    }
}
