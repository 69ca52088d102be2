//! Choosing what occurs in an instance: by chance, or by what has not occurred in those before it.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::counts::Counts;

/// What decides whether that which may be in a value is in it.
#[derive(Debug)]
pub(super) enum Decides {
    /// Chance, this likely.
    Chance(f64),
    /// Whether it leads to one of these places, where something has not occurred.
    Open(BTreeSet<String>),
}

impl Decides {
    /// Of every four, the first holds everything, the second only what is required, the third nearly everything, so that
    /// what lies deep is left out in its turn, and the fourth about half.
    pub(super) fn of_turn(index: usize) -> Self {
        Self::Chance([1.0, 0.0, 0.95, 0.5][index % 4])
    }
}

/// Chooses, and keeps count of it.
#[derive(Debug)]
pub(super) struct Chooser {
    pub(super) rng: Rng,
    pub(super) decides: Decides,
    pub(super) counts: Counts,
}

impl Chooser {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), decides: Decides::Chance(1.0), counts: Counts::default() }
    }

    /// The value that has occurred least so far; which of several is left to chance.
    pub(super) fn rarest(&mut self, place: &str, values: &[&str]) -> usize {
        if !self.counts.values.contains_key(place) {
            let none = values.iter().map(|value| ((*value).to_owned(), 0)).collect();
            self.counts.values.insert(place.to_owned(), none);
        }
        let Some(counts) = self.counts.values.get_mut(place) else { return 0 };
        let count = |index: &usize| values.get(*index).and_then(|value| counts.get(*value)).copied().unwrap_or(0);
        let least = (0..values.len()).map(|index| count(&index)).min().unwrap_or(0);
        let rare: Vec<usize> = (0..values.len()).filter(|index| count(index) == least).collect();
        let chosen = rare[self.rng.usize(..rare.len())];
        *counts.entry(values[chosen].to_owned()).or_default() += 1;
        chosen
    }

    /// Whether that which may be at a place is to be there: what decides it does, and rather what has not yet occurred.
    /// What it holds stands at `below`.
    pub(super) fn wanted(&mut self, place: &str, below: &str) -> bool {
        let (there, not) = self.counts.optional.get(place).copied().unwrap_or_default();
        match &self.decides {
            Decides::Chance(likely) if *likely <= 0.0 || *likely >= 1.0 => *likely >= 1.0,
            _ if there == 0 => true,
            _ if not == 0 && self.rng.bool() => false,
            Decides::Chance(likely) => self.rng.f64() < *likely,
            Decides::Open(open) => {
                let mut near = open.range(below.to_owned()..).take_while(|place| place.starts_with(below));
                near.any(|place| matches!(place.as_bytes().get(below.len()), None | Some(b'.' | b'[' | b'|')))
            }
        }
    }

    /// Whether it is to be there, counted.
    pub(super) fn takes(&mut self, place: &str, below: &str) -> bool {
        let wanted = self.wanted(place, below);
        self.count(place, wanted);
        wanted
    }

    /// Counts that something was there, or was not.
    pub(super) fn count(&mut self, place: &str, there: bool) {
        let counts = self.counts.optional.entry(place.to_owned()).or_default();
        *(if there { &mut counts.0 } else { &mut counts.1 }) += 1;
    }

    /// Lists and maps are short: how many entries there are is nothing that reading depends on.
    pub(super) fn a_few(&mut self, wanted: bool) -> usize {
        if wanted { [1, 1, 1, 2][self.rng.usize(..4)] } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_turn_before_any_has_a_second() {
        let mut chooser = Chooser::new(7);
        for turn in 1..=20 {
            let chosen: BTreeSet<_> = (0..3).map(|_| chooser.rarest("here", &["a", "b", "c"])).collect();
            assert_eq!(chosen, BTreeSet::from([0, 1, 2]), "turn {turn}");
        }
    }
}
