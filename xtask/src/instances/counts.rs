//! What has occurred where, over all instances of an operation.

use std::collections::BTreeMap;

/// What has occurred, by its place: `GET /sessions/{id} $.order.items[].vat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Optional fields: how often there, how often not.
    pub optional: BTreeMap<String, (usize, usize)>,
    /// Enums, and choices by the number of the way: how often each value.
    pub values: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Counts {
    /// Whether every optional field was there and was not, and every value occurred.
    #[must_use]
    pub fn complete(&self) -> bool {
        let all = self.optional.values().all(|(there, not)| *there > 0 && *not > 0);
        all && self.values.values().all(|values| values.values().all(|count| *count > 0))
    }

    /// What has not occurred.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let fields = self.optional.iter().filter(|(_, (there, not))| *there == 0 || *not == 0);
        let values = self.values.iter().flat_map(|(place, values)| {
            values.iter().filter(|(_, count)| **count == 0).map(move |(value, _)| format!("{place} = {value}"))
        });
        fields.map(|(place, _)| place.clone()).chain(values).collect()
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
