//! Every name the sandbox generates, from one seed: the same calls in the same order get the same names.

use std::cell::Cell;

use fastrand::Rng;

/// Odd, and without a pattern in its bits: the counter passes through every number before one comes again.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Each name comes from a generator of its own, seeded by a counter, so that all there is to keep is a number.
#[derive(Debug)]
pub(crate) struct Ids(Cell<u64>);

impl Ids {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// What has to be kept, so that no name comes twice.
    pub(crate) const fn position(&self) -> u64 {
        self.0.get()
    }

    fn next(&self) -> Rng {
        let next = self.0.get().wrapping_add(STRIDE);
        self.0.set(next);
        Rng::with_seed(next)
    }

    pub(crate) fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.next().u128(..).to_be_bytes()).into_uuid().to_string()
    }

    /// A UUID without its dashes.
    pub(crate) fn hex(&self) -> String {
        uuid::Builder::from_random_bytes(self.next().u128(..).to_be_bytes()).into_uuid().simple().to_string()
    }

    /// 22 letters and digits.
    pub(crate) fn short(&self) -> String {
        let mut random = self.next();
        (0..22).map(|_| random.alphanumeric()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_names_again_and_no_name_twice() {
        let names = |seed| {
            let ids = Ids::new(seed);
            (0..1000).map(|_| ids.short()).collect::<Vec<_>>()
        };
        assert_eq!(names(7), names(7));
        let distinct: std::collections::BTreeSet<_> = names(7).into_iter().chain(names(8)).collect();
        assert_eq!(distinct.len(), 2000);
    }
}
