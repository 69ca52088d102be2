//! Rows in order of arrival with access by id, over an optional block of older rows that are made
//! only when somebody asks for them: a hundred thousand rows cost nothing until they are read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::clock::{self, microseconds};
use super::index::{Index, Keys, Query, Terms};
use super::rows::Rows;

/// Something with an id of the account.
pub(crate) trait Row: Clone + Serialize + DeserializeOwned + 'static {
    fn id(&self) -> &str;

    /// Texts that lists can be filtered by, each under the name of its filter.
    const TEXTS: &'static [Named<Read<Self>>] = &[];
    /// Times, as the row has them.
    const TIMES: &'static [Named<ReadAll<Self>>] = &[];
    /// Amounts in minor units.
    const AMOUNTS: &'static [Named<ReadAmount<Self>>] = &[];
    /// What `search` looks into.
    const WORDS: &'static [Read<Self>] = &[];

    /// What the row is found by.
    fn terms(&self) -> Terms<'_> {
        let times = Self::TIMES.iter().flat_map(|(name, read)| {
            read(self).into_iter().filter_map(|time| Some((*name, microseconds(clock::read(time)?))))
        });
        let amounts = Self::AMOUNTS.iter().filter_map(|(name, read)| Some((*name, read(self)?)));
        Terms {
            texts: Self::TEXTS.iter().filter_map(|(name, read)| Some((*name, read(self)?))).collect(),
            numbers: times.chain(amounts).collect(),
            words: Self::WORDS.iter().filter_map(|read| read(self)).collect(),
        }
    }
}

/// Something with the name of its filter.
pub(crate) type Named<R> = (&'static str, R);

/// Reads a text of a row.
pub(crate) type Read<T> = fn(&T) -> Option<&str>;

/// Reads all texts of a kind.
pub(crate) type ReadAll<T> = fn(&T) -> Vec<&str>;

/// Reads an amount in minor units.
pub(crate) type ReadAmount<T> = fn(&T) -> Option<i64>;

/// Makes the seeded row with the given number; must give the same row each time.
type Make<T> = Arc<dyn Fn(usize) -> T + Send + Sync>;

struct Seeds<T> {
    count: usize,
    /// What stands before the number in the ids.
    prefix: String,
    make: Make<T>,
}

pub(crate) struct Store<T> {
    rows: Rows<T>,
    places: HashMap<String, usize>,
    seeds: Option<Seeds<T>>,
    /// Seeded rows that were changed since.
    changed: HashMap<usize, T>,
    /// Places of rows that were added or changed since they were last kept, where they are kept at all.
    unkept: Option<BTreeSet<usize>>,
    /// Made when a list is first filtered. Seeded rows have the first places in it.
    index: Option<Index>,
    /// Places of rows that may have changed since they were indexed, with what they were indexed by.
    unindexed: BTreeMap<usize, Keys>,
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeded = self.seeds.as_ref().map_or(0, |seeds| seeds.count);
        f.debug_struct("Store").field("rows", &self.rows.len()).field("seeded", &seeded).finish()
    }
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            places: HashMap::new(),
            seeds: None,
            changed: HashMap::new(),
            unkept: None,
            index: None,
            unindexed: BTreeMap::new(),
        }
    }
}

/// The cursor names no row of this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownCursor;

impl<T: Row> Store<T> {
    pub(crate) fn insert(&mut self, row: T) {
        self.places.insert(row.id().to_owned(), self.rows.len());
        self.unkept.iter_mut().for_each(|places| _ = places.insert(self.rows.len()));
        if self.index.is_some() {
            self.unindexed.insert(self.seed_count() + self.rows.len(), Keys::default());
        }
        self.rows.push(row);
    }

    /// Puts `count` older rows under the others, in place of those seeded before. Row `n` must
    /// have the id that [`seed_id`] makes of the prefix and `n`.
    pub(crate) fn seed(&mut self, count: usize, prefix: String, make: impl Fn(usize) -> T + Send + Sync + 'static) {
        self.changed.clear();
        self.index = None;
        self.unindexed.clear();
        self.seeds = Some(Seeds { count, prefix, make: Arc::new(make) });
    }

    pub(crate) fn get(&self, id: &str) -> Option<Cow<'_, T>> {
        if let Some(place) = self.places.get(id) {
            return self.rows.get(*place);
        }
        self.seeded(self.seed_number(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        if let Some(place) = self.places.get(id).copied() {
            self.unkept.iter_mut().for_each(|places| _ = places.insert(place));
            self.unindex(self.seed_count() + place);
            return self.rows.get_mut(place);
        }
        let number = self.seed_number(id)?;
        self.unindex(number);
        let seeds = self.seeds.as_ref()?;
        Some(self.changed.entry(number).or_insert_with(|| (seeds.make)(number)))
    }

    fn seed_count(&self) -> usize {
        self.seeds.as_ref().map_or(0, |seeds| seeds.count)
    }

    /// The row with this place in the index.
    fn at(&self, place: usize) -> Option<Cow<'_, T>> {
        match place.checked_sub(self.seed_count()) {
            Some(place) => self.rows.get(place),
            None => self.seeded(place),
        }
    }

    /// Keeps what a row is indexed by, before it changes.
    fn unindex(&mut self, place: usize) {
        if let Some(index) = &self.index
            && !self.unindexed.contains_key(&place)
            && let Some(row) = self.at(place)
        {
            let keys = index.keys(&row.terms());
            self.unindexed.insert(place, keys);
        }
    }

    /// Brings the index up to date, or makes one.
    fn indexed(&mut self, query: &Query) -> Index {
        let (mut index, stale) = match self.index.take().filter(|index| index.serves(query)) {
            Some(index) => (index, std::mem::take(&mut self.unindexed)),
            None => {
                self.unindexed.clear();
                let all = (0..self.seed_count() + self.rows.len()).map(|place| (place, Keys::default()));
                (Index::new(query.search.is_some()), all.collect())
            }
        };
        for (place, before) in stale {
            if let Some(row) = self.at(place) {
                let keys = index.keys(&row.terms());
                index.place(place, &before, &keys);
            }
        }
        index
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
    pub(crate) fn take_unkept(&mut self) -> Vec<(usize, Cow<'_, T>)> {
        let places = self.unkept.as_mut().map(std::mem::take).unwrap_or_default();
        places.into_iter().filter_map(|place| Some((place, self.rows.get(place)?))).collect()
    }

    /// All rows that were not generated on reading, seeded ones last.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Cow<'_, T>> {
        self.rows.iter().chain(self.changed.values().map(Cow::Borrowed))
    }

    /// Up to `limit` rows that fit the query, newest first, from behind the row with the id `after`.
    pub(crate) fn page(
        &mut self,
        after: Option<&str>,
        limit: usize,
        query: &Query,
    ) -> Result<Vec<Cow<'_, T>>, UnknownCursor> {
        let end = match after {
            None => self.seed_count() + self.rows.len(),
            Some(id) => match self.places.get(id) {
                Some(place) => self.seed_count() + place,
                None => self.seed_number(id).ok_or(UnknownCursor)?,
            },
        };
        let found = if query.is_open() {
            None
        } else {
            let index = self.indexed(query);
            let found = index.find(query);
            self.index = Some(index);
            found
        };
        let fits = |row: &Cow<'_, T>| query.is_open() || query.fits(&row.terms());
        Ok(match found {
            Some(places) => {
                let older = places.partition_point(|place| *place < end);
                let rows = places.into_iter().take(older).rev().filter_map(|place| self.at(place));
                rows.filter(fits).take(limit).collect()
            }
            None => (0..end).rev().filter_map(|place| self.at(place)).filter(fits).take(limit).collect(),
        })
    }

    /// Up to `limit` rows, newest first.
    pub(crate) fn newest(&self, limit: usize) -> impl Iterator<Item = Cow<'_, T>> {
        (0..self.seed_count() + self.rows.len()).rev().take(limit).filter_map(|place| self.at(place))
    }
}

/// The id of the seeded row with this number.
pub(crate) fn seed_id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Serialize, serde::Deserialize)]
    struct Text(String);

    impl Row for Text {
        fn id(&self) -> &str {
            &self.0
        }

        const TEXTS: &'static [Named<Read<Self>>] = &[("first", |row| row.0.get(..1))];
        const AMOUNTS: &'static [Named<ReadAmount<Self>>] = &[("sum", |row| Some(row.0.bytes().map(i64::from).sum()))];
        const WORDS: &'static [Read<Self>] = &[|row| Some(&row.0)];
    }

    fn found(store: &mut Store<Text>, query: &Query) -> Vec<String> {
        let page = store.page(None, usize::MAX, query).unwrap();
        page.into_iter().map(|row| row.0.clone()).collect()
    }

    fn ids(store: &mut Store<Text>, after: Option<&str>, limit: usize) -> Vec<String> {
        let page = store.page(after, limit, &Query::default()).unwrap();
        page.into_iter().map(|row| row.0.clone()).collect()
    }

    #[test]
    fn pages_run_from_the_newest_row_into_the_seeded_ones() {
        let mut store = Store::default();
        store.seed(3, "s".into(), |number| Text(seed_id("s", number)));
        store.insert(Text("a".into()));
        store.insert(Text("b".into()));
        assert_eq!(ids(&mut store, None, 3), ["b", "a", "s000000002"]);
        assert_eq!(ids(&mut store, Some("s000000002"), 3), ["s000000001", "s000000000"]);
        assert_eq!(ids(&mut store, Some("b"), 1), ["a"]);
        assert_eq!(ids(&mut store, Some("s000000000"), 3), [""; 0]);
        assert!(store.page(Some("s000000003"), 1, &Query::default()).is_err());
        assert!(store.page(Some("s2"), 1, &Query::default()).is_err());
    }

    #[test]
    fn a_changed_seed_stays_changed() {
        let mut store = Store::default();
        store.seed(2, "s".into(), |number| Text(seed_id("s", number)));
        store.get_mut("s000000001").unwrap().0 = "other".into();
        assert_eq!(store.get("s000000001").unwrap().0, "other");
        assert_eq!(ids(&mut store, None, 2), ["other", "s000000000"]);
    }

    /// What a scan finds, the index finds: before and after rows are added and changed, also seeded ones.
    #[test]
    fn the_index_finds_what_a_scan_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut store = Store::default();
        store.seed(40, "ab".into(), |number| Text(seed_id("ab", number)));
        for step in 0..400_u32 {
            let name: String = (0..random.usize(1..6)).map(|_| random.char('a'..='d')).collect();
            match random.u8(0..3) {
                0 => store.insert(Text(format!("{name}{step}"))),
                1 => store.get_mut(&seed_id("ab", random.usize(0..40))).unwrap().0 = name,
                _ => {
                    let place = random.usize(0..=store.rows.len());
                    let id = store.places.iter().find(|(_, known)| **known == place).map(|(id, _)| id.clone());
                    id.into_iter().for_each(|id| store.get_mut(&id).unwrap().0.clone_from(&name));
                }
            }
            let mut query = Query::default();
            if random.bool() {
                query.texts.push(("first", vec!["a".into(), "c".into()]));
            }
            if random.bool() {
                let from = random.i64(90..600);
                query.numbers.push(("sum", from..=from + 200));
            }
            if random.bool() {
                query.search = Some(["a", "ab", "abc", "000", "dbd"][random.usize(0..5)].into());
            }
            let scanned: Vec<String> =
                store.newest(usize::MAX).filter(|row| query.fits(&row.terms())).map(|row| row.0.clone()).collect();
            assert_eq!(found(&mut store, &query), scanned, "{query:?}");
        }
    }

    #[test]
    fn a_filter_looks_at_no_row_that_does_not_fit() {
        let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut store = Store::default();
        let counted = Arc::clone(&made);
        store.seed(1000, "s".into(), move |number| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Text(seed_id("s", number))
        });
        let query = Query { search: Some("000000777".into()), ..Query::default() };
        assert_eq!(found(&mut store, &query), ["s000000777"]);
        let before = made.swap(0, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(before, 1001, "the index is made once");
        assert_eq!(found(&mut store, &query), ["s000000777"]);
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}
