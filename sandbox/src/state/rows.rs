//! Rows by their place. Those that were not touched lately are kept as the text of their JSON, which takes a third of
//! the memory.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// So many rows stay as they are: those that were added, or changed again, last.
const MOST_OPEN: usize = 256;

enum Row<T> {
    Open(T),
    /// Its JSON.
    Packed(Box<[u8]>),
}

pub(super) struct Rows<T> {
    rows: Vec<Row<T>>,
    /// Places of the rows that are not packed, in the order in which they were opened.
    open: VecDeque<usize>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), open: VecDeque::new() }
    }
}

impl<T> Rows<T> {
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Rows<T> {
    pub(super) fn push(&mut self, row: T) {
        self.rows.push(Row::Open(row));
        self.opened(self.rows.len() - 1);
    }

    pub(super) fn get(&self, place: usize) -> Option<Cow<'_, T>> {
        read(self.rows.get(place)?)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        if let Row::Packed(json) = self.rows.get(place)? {
            let row = serde_json::from_slice(json).ok()?;
            *self.rows.get_mut(place)? = Row::Open(row);
            self.opened(place);
        }
        match self.rows.get_mut(place)? {
            Row::Open(row) => Some(row),
            Row::Packed(_) => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Cow<'_, T>> {
        self.rows.iter().filter_map(read)
    }

    /// Notes that the row at a place is open, and packs the one that has been open longest.
    fn opened(&mut self, place: usize) {
        self.open.push_back(place);
        if self.open.len() > MOST_OPEN
            && let Some(oldest) = self.open.pop_front().and_then(|place| self.rows.get_mut(place))
            && let Row::Open(row) = oldest
            && let Ok(json) = serde_json::to_vec(row)
        {
            *oldest = Row::Packed(json.into());
        }
    }
}

fn read<T: Clone + DeserializeOwned>(row: &Row<T>) -> Option<Cow<'_, T>> {
    match row {
        Row::Open(row) => Some(Cow::Borrowed(row)),
        Row::Packed(json) => serde_json::from_slice(json).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that were touched long ago are packed, and come back as they were, and as they were changed since.
    #[test]
    fn packed_rows_come_back_as_they_were() {
        let mut rows = Rows::default();
        let name = |number: usize| format!("row {number}");
        (0..3 * MOST_OPEN).for_each(|number| rows.push(name(number)));
        let packed = |rows: &Rows<String>| rows.rows.iter().filter(|row| matches!(row, Row::Packed(_))).count();
        assert_eq!(packed(&rows), 2 * MOST_OPEN);
        for number in 0..rows.len() {
            assert_eq!(rows.get(number).unwrap().as_str(), name(number));
            rows.get_mut(number).unwrap().push('!');
        }
        assert_eq!(packed(&rows), 2 * MOST_OPEN);
        let all: Vec<String> = rows.iter().map(Cow::into_owned).collect();
        assert_eq!(all, (0..3 * MOST_OPEN).map(|number| name(number) + "!").collect::<Vec<_>>());
        assert!(rows.get(rows.len()).is_none() && rows.get_mut(3 * MOST_OPEN).is_none());
    }
}
