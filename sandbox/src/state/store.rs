//! Rows in order of arrival with access by id, over an optional block of older rows that are made
//! only when somebody asks for them: a hundred thousand rows cost nothing until they are read.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Something with an id of the account.
pub(crate) trait Row: Clone {
    fn id(&self) -> &str;
}

/// Makes the seeded row with the given number; must give the same row each time.
type Make<T> = Arc<dyn Fn(usize) -> T + Send + Sync>;

struct Seeds<T> {
    count: usize,
    /// What stands before the number in the ids.
    prefix: String,
    make: Make<T>,
}

pub(crate) struct Store<T> {
    rows: Vec<T>,
    places: HashMap<String, usize>,
    seeds: Option<Seeds<T>>,
    /// Seeded rows that were changed since.
    changed: HashMap<usize, T>,
    /// Places of rows that were added or changed since they were last kept, where they are kept at all.
    unkept: Option<BTreeSet<usize>>,
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeded = self.seeds.as_ref().map_or(0, |seeds| seeds.count);
        f.debug_struct("Store").field("rows", &self.rows.len()).field("seeded", &seeded).finish()
    }
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new(), seeds: None, changed: HashMap::new(), unkept: None }
    }
}

/// The cursor names no row of this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownCursor;

impl<T: Row> Store<T> {
    pub(crate) fn insert(&mut self, row: T) {
        self.places.insert(row.id().to_owned(), self.rows.len());
        self.unkept.iter_mut().for_each(|places| _ = places.insert(self.rows.len()));
        self.rows.push(row);
    }

    /// Puts `count` older rows under the others, in place of those seeded before. Row `n` must
    /// have the id that [`seed_id`] makes of the prefix and `n`.
    pub(crate) fn seed(&mut self, count: usize, prefix: String, make: impl Fn(usize) -> T + Send + Sync + 'static) {
        self.changed.clear();
        self.seeds = Some(Seeds { count, prefix, make: Arc::new(make) });
    }

    pub(crate) fn get(&self, id: &str) -> Option<Cow<'_, T>> {
        if let Some(place) = self.places.get(id) {
            return self.rows.get(*place).map(Cow::Borrowed);
        }
        self.seeded(self.seed_number(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        if let Some(place) = self.places.get(id) {
            self.unkept.iter_mut().for_each(|places| _ = places.insert(*place));
            return self.rows.get_mut(*place);
        }
        let number = self.seed_number(id)?;
        let seeds = self.seeds.as_ref()?;
        Some(self.changed.entry(number).or_insert_with(|| (seeds.make)(number)))
    }

    fn seed_number(&self, id: &str) -> Option<usize> {
        let seeds = self.seeds.as_ref()?;
        let number = id.strip_prefix(&seeds.prefix)?.parse().ok()?;
        (number < seeds.count && seed_id(&seeds.prefix, number) == id).then_some(number)
    }

    fn seeded(&self, number: usize) -> Option<Cow<'_, T>> {
        if let Some(row) = self.changed.get(&number) {
            return Some(Cow::Borrowed(row));
        }
        let seeds = self.seeds.as_ref()?;
        Some(Cow::Owned((seeds.make)(number)))
    }

    #[cfg_attr(not(feature = "program"), allow(dead_code, reason = "only a state file wants to know"))]
    /// From now on tells which rows have changed.
    pub(crate) fn track(&mut self) {
        self.unkept.get_or_insert_default();
    }

    /// The rows that have changed since the last time, each with its place in the order of arrival.
    pub(crate) fn take_unkept(&mut self) -> Vec<(usize, &T)> {
        let places = self.unkept.as_mut().map(std::mem::take).unwrap_or_default();
        places.into_iter().filter_map(|place| Some((place, self.rows.get(place)?))).collect()
    }

    /// All rows but the seeded ones, oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }

    /// All rows that were not made up on reading, seeded ones last.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().chain(self.changed.values())
    }

    /// Up to `limit` rows, newest first, from behind the row with the id `after`.
    pub(crate) fn page(
        &self,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&T) -> bool,
    ) -> Result<Vec<Cow<'_, T>>, UnknownCursor> {
        let seeds = self.seeds.as_ref().map_or(0, |seeds| seeds.count);
        let (rows, seeds) = match after {
            None => (self.rows.len(), seeds),
            Some(id) => match self.places.get(id) {
                Some(place) => (*place, seeds),
                None => (0, self.seed_number(id).ok_or(UnknownCursor)?),
            },
        };
        let newer = self.rows.iter().take(rows).rev().map(Cow::Borrowed);
        let older = (0..seeds).rev().filter_map(|number| self.seeded(number));
        Ok(newer.chain(older).filter(|row| keep(row)).take(limit).collect())
    }
}

/// The id of the seeded row with this number.
pub(crate) fn seed_id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Named(String);

    impl Row for Named {
        fn id(&self) -> &str {
            &self.0
        }
    }

    fn ids(store: &Store<Named>, after: Option<&str>, limit: usize) -> Vec<String> {
        let page = store.page(after, limit, |_| true).unwrap();
        page.into_iter().map(|row| row.0.clone()).collect()
    }

    #[test]
    fn pages_run_from_the_newest_row_into_the_seeded_ones() {
        let mut store = Store::default();
        store.seed(3, "s".into(), |number| Named(seed_id("s", number)));
        store.insert(Named("a".into()));
        store.insert(Named("b".into()));
        assert_eq!(ids(&store, None, 3), ["b", "a", "s000000002"]);
        assert_eq!(ids(&store, Some("s000000002"), 3), ["s000000001", "s000000000"]);
        assert_eq!(ids(&store, Some("b"), 1), ["a"]);
        assert_eq!(ids(&store, Some("s000000000"), 3), [""; 0]);
        assert!(store.page(Some("s000000003"), 1, |_| true).is_err());
        assert!(store.page(Some("s2"), 1, |_| true).is_err());
    }

    #[test]
    fn a_changed_seed_stays_changed() {
        let mut store = Store::default();
        store.seed(2, "s".into(), |number| Named(seed_id("s", number)));
        store.get_mut("s000000001").unwrap().0 = "other".into();
        assert_eq!(store.get("s000000001").unwrap().0, "other");
        assert_eq!(ids(&store, None, 2), ["other", "s000000000"]);
    }
}
