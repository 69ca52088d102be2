//! A model of the service, and what must never be said about it.
//!
//! A history is what really happened: operations of ours and of other parties, each with the moment it arrives and
//! ends, and what the service records of it. A reader sees the records up to a moment, perhaps late, without references
//! or ids, perhaps damaged, by a clock of its own. The verdict must never contradict the history; and where nothing is
//! lost or damaged, it must be the truth.
//!
//! Every judge has histories of its own: `transaction`, `payment` and `cancellation`. `DINTERO_HISTORIES` sets how many
//! there are in all, `DINTERO_HISTORIES_SEED` the seed.

mod cancellation;
mod history;
mod payment;
mod transaction;

use std::time::Duration;

use fastrand::Rng;

use super::moment;
use crate::read::{JsonPath, SkippedField};
use crate::types::Transaction;
use crate::verdict::attempt::{Anchor, Attempt, Kind, Target};
use crate::verdict::{Outcome, Source};

const ID: &str = "T12345678.abc";
const OWN: &str = "own";
/// The time of our call and the time to settle, in seconds.
const TIMEOUT: i64 = 30;
const SETTLE: i64 = 60;
const DAY: i64 = 86_400;
/// How many histories show that something else than what there is, is noticed.
const SAMPLE: u64 = 4_000;

/// What is different in this world, for tests of the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum World {
    #[default]
    AsAssumed,
    /// A gateway holds requests for longer than the settle time.
    HoldsLonger,
    /// The clocks are further apart than a day.
    ClocksFurtherApart,
    /// An operation that fails moves the money all the same.
    FailuresMove,
    /// What a correction takes back stays.
    CorrectionsLie,
    /// The service gives another call's reference to our event.
    ReferencesLie,
    /// A list shows a new transaction only a while after it was made.
    ListsLate,
    /// A gateway that sends a payment twice passes on the second response only.
    HidesTheFirst,
}

/// What is wrong with the judge, for tests of the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Judge {
    #[default]
    AsWritten,
    /// Time counts from the end of a read.
    CountsFromTheEnd,
    ForgetsCorrections,
    ForgetsWhatWasSkipped,
    TakesReferencesForUnique,
    ForgetsWhoseTransaction,
    /// It takes what has no reference for somebody else's.
    OverlooksPossible,
    ForgetsThe202,
    ForgetsReferences,
    ForgetsAmounts,
    /// It believes a status that the events contradict.
    TrustsTheStatus,
    /// It takes a voided transaction for a cancelled session.
    TakesAVoidForIt,
    /// It looks at the session alone.
    ForgetsTheTransaction,
}

/// One history of a seed, read several times. Gives what contradicts it.
type Contradiction = fn(u64, World, Judge) -> Option<String>;

/// The judges of the verdict, each with the worlds and the mistakes that its histories have to notice.
const FAMILIES: [(&str, Contradiction, &[World], &[Judge]); 3] = [
    (
        "transaction",
        transaction::contradiction,
        &[
            World::HoldsLonger,
            World::ClocksFurtherApart,
            World::FailuresMove,
            World::CorrectionsLie,
            World::ReferencesLie,
        ],
        &[
            Judge::CountsFromTheEnd,
            Judge::ForgetsCorrections,
            Judge::ForgetsWhatWasSkipped,
            Judge::TakesReferencesForUnique,
            Judge::ForgetsWhoseTransaction,
            Judge::OverlooksPossible,
            Judge::ForgetsThe202,
        ],
    ),
    (
        "payment",
        payment::contradiction,
        &[
            World::HoldsLonger,
            World::ClocksFurtherApart,
            World::FailuresMove,
            World::ReferencesLie,
            World::ListsLate,
            World::HidesTheFirst,
        ],
        &[
            Judge::CountsFromTheEnd,
            Judge::ForgetsWhoseTransaction,
            Judge::OverlooksPossible,
            Judge::ForgetsReferences,
            Judge::ForgetsAmounts,
            Judge::TrustsTheStatus,
        ],
    ),
    (
        "cancellation",
        cancellation::contradiction,
        &[World::HoldsLonger, World::FailuresMove],
        &[
            Judge::CountsFromTheEnd,
            Judge::ForgetsWhatWasSkipped,
            Judge::ForgetsWhoseTransaction,
            Judge::TakesAVoidForIt,
            Judge::ForgetsTheTransaction,
        ],
    ),
];

/// What only the service makes, with nothing in it.
fn empty<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_value(serde_json::json!({})).unwrap()
}

fn base() -> Transaction {
    thread_local! {
        static BASE: Transaction = serde_json::from_value(serde_json::json!({
            "id": ID, "amount": 1000, "currency": "NOK", "payment_product": "payex",
            "payment_product_type": "payex.creditcard", "events": [],
        }))
        .unwrap();
    }
    BASE.with(Clone::clone)
}

fn attempt(operation: Kind, target: Target, skew: i64) -> Attempt {
    Attempt::begun(operation, target, moment(skew), Duration::from_secs(TIMEOUT.unsigned_abs()), Anchor::default())
}

/// A read, by when it looked at what there is, and when it was begun.
type Look = (Source, i64, i64);

/// Four reads at random moments, which take their time.
fn looks(rng: &mut Rng, skew: i64, judge: Judge) -> [Look; 4] {
    std::array::from_fn(|_| {
        let begun = if rng.bool() { rng.i64(0..TIMEOUT + SETTLE + 5) } else { rng.i64(0..400) };
        let looked = if rng.bool() { begun } else { begun + rng.i64(0..60) };
        let ended = looked + rng.i64(0..60);
        let counted = if judge == Judge::CountsFromTheEnd { ended } else { begun };
        let settle = Duration::from_secs(SETTLE.unsigned_abs());
        (Source::Read { begun_at: moment(counted + skew), settle }, looked, begun)
    })
}

fn skipped(path: JsonPath) -> SkippedField {
    SkippedField { path, value: serde_json::Value::Null, expected: "something else".to_owned() }
}

/// Whether an outcome is: against what happened, against what a simple course has to come to, or anything but unknown
/// about what is somebody else's.
fn is_wrong(outcome: Outcome, is_foreign: bool, is_contradicted: bool, expected: Option<Outcome>) -> bool {
    match is_foreign {
        true => outcome != Outcome::Unknown,
        false => is_contradicted || expected.is_some_and(|expected| expected != outcome),
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_verdict_contradicts_what_happened() {
    let histories = setting("DINTERO_HISTORIES", 10_000);
    let seed = setting("DINTERO_HISTORIES_SEED", fastrand::u64(..));
    println!("{histories} histories from seed {seed}");
    let began = std::time::Instant::now();
    for number in 0..histories {
        // Half of them are of captures and their like, of which there are four.
        let (name, contradiction, ..) = FAMILIES[[0, 1, 0, 2][number as usize % 4]];
        if let Some(told) = contradiction(seed.wrapping_add(number), World::AsAssumed, Judge::AsWritten) {
            panic!("{name} {number} from DINTERO_HISTORIES_SEED={seed}: {told}");
        }
    }
    println!("no contradiction in {:.1?}", began.elapsed());
}

/// How many of some histories are contradicted: none, where world and judge are as they are.
fn contradictions(contradiction: Contradiction, world: World, judge: Judge) -> usize {
    (0..SAMPLE).filter(|seed| contradiction(*seed, world, judge).is_some()).count()
}

#[test]
fn a_world_and_a_judge_as_they_are_agree() {
    for (name, contradiction, ..) in FAMILIES {
        assert_eq!(contradictions(contradiction, World::AsAssumed, Judge::AsWritten), 0, "{name}");
    }
}

#[test]
fn a_world_that_is_otherwise_is_noticed() {
    for (name, contradiction, worlds, _) in FAMILIES {
        for world in worlds {
            let found = contradictions(contradiction, *world, Judge::AsWritten);
            println!("{name}, {world:?}: {found} of {SAMPLE} histories contradicted");
            assert!(found > 0, "{name}, {world:?}");
        }
    }
}

#[test]
fn a_judge_that_forgets_something_is_noticed() {
    for (name, contradiction, _, judges) in FAMILIES {
        for judge in judges {
            let found = contradictions(contradiction, World::AsAssumed, *judge);
            println!("{name}, {judge:?}: {found} of {SAMPLE} histories contradicted");
            assert!(found > 0, "{name}, {judge:?}");
        }
    }
}
