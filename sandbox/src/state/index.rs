//! What the lists select by, kept in order: a filter finds its rows without looking at the others.
//!
//! An index only narrows: what it finds is held against the query once more, by the same terms.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::RangeInclusive;

/// Characters of a gram: what is searched for in parts this long.
const GRAM: usize = 3;

/// What a row can be found by, each under the name of its filter.
#[derive(Debug, Default)]
pub(crate) struct Terms<'r> {
    pub(crate) texts: Vec<(&'static str, &'r str)>,
    /// Amounts in minor units, times in microseconds.
    pub(crate) numbers: Vec<(&'static str, i64)>,
    /// What `search` looks into.
    pub(crate) words: Vec<&'r str>,
}

/// What a list is to hold: rows that all parts fit.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// One of the values.
    pub(crate) texts: Vec<(&'static str, Vec<String>)>,
    pub(crate) numbers: Vec<(&'static str, RangeInclusive<i64>)>,
    /// A part of one of the words, in lower case.
    pub(crate) search: Option<String>,
}

impl Query {
    pub(crate) const fn is_open(&self) -> bool {
        self.texts.is_empty() && self.numbers.is_empty() && self.search.is_none()
    }

    pub(crate) fn fits(&self, row: &Terms<'_>) -> bool {
        let text = |(name, wanted): &(&str, Vec<String>)| {
            row.texts.iter().any(|(given, value)| given == name && wanted.iter().any(|wanted| wanted == value))
        };
        let number = |(name, wanted): &(&str, RangeInclusive<i64>)| {
            row.numbers.iter().any(|(given, value)| given == name && wanted.contains(value))
        };
        let search = |wanted: &String| row.words.iter().any(|word| word.to_lowercase().contains(wanted.as_str()));
        self.texts.iter().all(text) && self.numbers.iter().all(number) && self.search.iter().all(search)
    }
}

/// What stands in the index for a row.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Hashes of texts and of grams, each once.
    hashes: Vec<u64>,
    numbers: Vec<(&'static str, i64)>,
}

/// Places of rows by what they are found by; places are in ascending order everywhere.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_hash: HashMap<u64, Vec<usize>>,
    by_number: HashMap<&'static str, BTreeMap<i64, Vec<usize>>>,
    /// Whether words are in it: they take the most room, and few ask for them.
    grams: bool,
}

impl Index {
    pub(crate) fn new(grams: bool) -> Self {
        Self { grams, ..Self::default() }
    }

    /// Whether the index has what the query asks for.
    pub(crate) const fn serves(&self, query: &Query) -> bool {
        self.grams || query.search.is_none()
    }

    pub(crate) fn keys(&self, terms: &Terms<'_>) -> Keys {
        let mut hashes: Vec<u64> = terms.texts.iter().map(|(name, value)| hash(name, value)).collect();
        if self.grams {
            hashes.extend(terms.words.iter().flat_map(|word| grams(&word.to_lowercase())));
        }
        hashes.sort_unstable();
        hashes.dedup();
        let mut numbers = terms.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        Keys { hashes, numbers }
    }

    /// Puts a row in, or moves it from what it was found by before.
    pub(crate) fn place(&mut self, place: usize, before: &Keys, keys: &Keys) {
        for gone in before.hashes.iter().filter(|hash| keys.hashes.binary_search(hash).is_err()) {
            self.by_hash.entry(*gone).and_modify(|places| take(places, place));
        }
        for new in keys.hashes.iter().filter(|hash| before.hashes.binary_search(hash).is_err()) {
            put(self.by_hash.entry(*new).or_default(), place);
        }
        for (name, number) in before.numbers.iter().filter(|number| keys.numbers.binary_search(number).is_err()) {
            let places = self.by_number.entry(name).or_default();
            places.entry(*number).and_modify(|places| take(places, place));
        }
        for (name, number) in keys.numbers.iter().filter(|number| before.numbers.binary_search(number).is_err()) {
            put(self.by_number.entry(name).or_default().entry(*number).or_default(), place);
        }
    }

    /// The places that can fit, in ascending order; `None` where the query has nothing that the index knows.
    pub(crate) fn find(&self, query: &Query) -> Option<Vec<usize>> {
        let mut found: Vec<Cow<'_, [usize]>> =
            query.texts.iter().map(|(name, wanted)| self.any(name, wanted)).collect();
        for gram in query.search.iter().flat_map(|wanted| grams(wanted)) {
            found.push(Cow::Borrowed(self.by_hash.get(&gram).map_or(&[], Vec::as_slice)));
        }
        found.sort_unstable_by_key(|places| places.len());
        let mut fewest = found.first().map(|places| places.len());
        let mut ranged = None;
        for (name, wanted) in &query.numbers {
            let count = self.within(name, wanted).map(<[usize]>::len).sum();
            if fewest.is_none_or(|fewest| count < fewest) {
                fewest = Some(count);
                ranged = Some((name, wanted));
            }
        }
        if let Some((name, wanted)) = ranged {
            found.insert(0, Cow::Owned(sorted(self.within(name, wanted).flatten().copied().collect())));
        }
        let (base, others) = found.split_first()?;
        let fits = |place: &&usize| others.iter().all(|places| places.binary_search(place).is_ok());
        Some(base.iter().filter(fits).copied().collect())
    }

    fn within(&self, name: &str, wanted: &RangeInclusive<i64>) -> impl Iterator<Item = &[usize]> {
        // The map has no ranges that end before they begin.
        let places = self.by_number.get(name).filter(|_| !wanted.is_empty());
        places.into_iter().flat_map(|places| places.range(wanted.clone())).map(|(_, places)| places.as_slice())
    }

    fn any(&self, name: &str, wanted: &[String]) -> Cow<'_, [usize]> {
        let places = |value: &String| self.by_hash.get(&hash(name, value)).map_or(&[][..], Vec::as_slice);
        match wanted {
            [one] => Cow::Borrowed(places(one)),
            _ => Cow::Owned(sorted(wanted.iter().flat_map(places).copied().collect())),
        }
    }
}

fn sorted(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}

fn put(places: &mut Vec<usize>, place: usize) {
    if let Err(at) = places.binary_search(&place) {
        places.insert(at, place);
    }
}

fn take(places: &mut Vec<usize>, place: usize) {
    if let Ok(at) = places.binary_search(&place) {
        places.remove(at);
    }
}

/// Two that share a hash are told apart by the query itself.
fn hash(name: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, value).hash(&mut hasher);
    hasher.finish()
}

/// Every part of a word; a word that is shorter has none.
fn grams(word: &str) -> Vec<u64> {
    let ends = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect::<Vec<_>>();
    let part = |ends: &[usize]| Some(hash("search", word.get(*ends.first()?..*ends.last()?)?));
    ends.windows(GRAM + 1).filter_map(part).collect()
}
