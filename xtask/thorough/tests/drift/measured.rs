//! Seeded single edits over enums, fields, parameters and constraints: each is one change, and its verdict for this crate
//! is what the two generated codes show.
//!
//! The code is really generated for each edit; what its step does is worked out by [`crate::public`], which reads Rust.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::Value;
use xtask::drift::Side;
use xtask::drift::measure::{Made, measure};
use xtask::drift::verdict::Bump;
use xtask::overlay::Stale;
use xtask::regen::Spec;

use crate::edits;
use crate::mutations::Uses;
use crate::public::{Code, step};
use crate::recorded::revision;

/// Which kinds of edits are of a class, and which of their rules.
struct Class {
    name: &'static str,
    kinds: &'static [usize],
    is_of: fn(&str) -> bool,
}

const ENUM: Class = Class { name: "enum", kinds: &[11, 12], is_of: |rule| rule.contains("enum") };
const FIELD: Class = Class { name: "field", kinds: &[0, 1, 2, 3, 4, 5, 6, 14, 17, 18], is_of: |_| true };
const PARAMETER: Class = Class {
    name: "parameter",
    kinds: &[5, 6, 7, 9, 10, 11, 12, 13, 34, 35],
    is_of: |rule| rule.contains("-parameter-"),
};
const CONSTRAINT: Class = Class { name: "constraint", kinds: &[7, 8, 9, 10, 13, 15, 16, 23], is_of: |_| true };

/// What is generated before any edit.
struct Before {
    document: Value,
    generated: Value,
    made: Made,
    code: Code,
}

impl Before {
    fn new() -> Self {
        // A revision that stays, whatever is pinned.
        let document = revision("2026-05-07");
        let generated = Spec::here().generate(&document, Stale::Skip).expect("the revision can be generated from");
        let generated = generated.document;
        let made = made(&generated).expect("the revision can be generated from");
        let code = Code::of(&generated).expect("the revision can be generated from");
        Self { document, generated, made, code }
    }
}

/// Makes `count` edits of a class, seed after seed.
fn run(class: &Class, count: usize, before: &Before) {
    let Before { document, generated, made: before, code } = before;
    let spec = Spec::here();
    let uses = Uses::new(document);
    let side = Side::read("old", document).expect("the revision can be read");
    let mut verdicts: BTreeMap<Bump, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut seeds = 0_u64..;
    while verdicts.values().sum::<usize>() < count {
        let seed = seeds.next().expect("seeds do not end");
        let mut rng = Rng::with_seed(seed);
        let kind = *rng.choice(class.kinds).expect("there are kinds");
        let mut edited = document.clone();
        let Some((what, rule)) = edits::try_kind(kind, &mut edited, &uses, &mut rng) else { continue };
        if !(class.is_of)(&rule) {
            continue;
        }
        let name = format!("{}, seed {seed}: {rule} by {what}", class.name);
        let report = Side::read("new", &edited).and_then(|edited| side.compare(&edited));
        let mut report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        let after = spec.generate(&edited, Stale::Skip).map(|made| made.document);
        let expected = match &after {
            Ok(same) if same == generated => Bump::Nothing,
            Ok(other) => Code::of(other).map_or(Bump::Unknown, |other| step(code, &other)),
            Err(_) => Bump::Unknown,
        };
        measure(&mut report, Ok(before.clone()), after.and_then(|document| made(&document)));
        let [change] = &report.changes[..] else { panic!("{name}: {} changes", report.changes.len()) };
        if change.krate.bump != expected || report.krate.bump != expected {
            let found = (change.krate.bump, report.krate.bump);
            wrong.push(format!("{name}: {found:?}, the code says {expected:?}: {:?}", report.krate));
        }
        println!("{name}: {}", expected.word());
        *verdicts.entry(expected).or_default() += 1;
    }
    println!("{}: {verdicts:?}", class.name);
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let unknown = verdicts.get(&Bump::Unknown).copied().unwrap_or_default();
    assert!(unknown * 3 < count.max(12), "too many edits stop the generation: {unknown}");
}

fn made(document: &Value) -> anyhow::Result<Made> {
    Ok(Made { surface: xtask::generated::code(document)?.surface, left_out: Vec::new() })
}

/// Makes so many edits of each class, each class on a thread of its own.
fn each_class(count: usize) {
    let before = &Before::new();
    std::thread::scope(|threads| {
        for class in [&ENUM, &FIELD, &PARAMETER, &CONSTRAINT] {
            threads.spawn(move || run(class, count, before));
        }
    });
}

#[test]
fn verdicts_are_what_the_generated_code_shows() {
    each_class(3);
}

#[test]
#[ignore = "each of the three hundred edits has its code generated, for minutes: the job `long` runs it"]
fn verdicts_of_three_hundred_edits_are_what_the_generated_code_shows() {
    each_class(75);
}
