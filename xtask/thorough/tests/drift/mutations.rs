//! Five hundred random single edits of the pinned slice, seeded: each is reported exactly once, under the right rule.
//!
//! Which rule is right is worked out from the edit and from a walk over the document that shares nothing with the
//! comparison: for every schema object the walk knows in which directions it is used, and together with which others.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};
use xtask::drift::Side;

use crate::agreement::verify;
use crate::edits;
use crate::oracle::Flattened;
use crate::recorded::revision;

/// A use of a schema object: the objects that hold together with it, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) parts: BTreeSet<String>,
    pub(crate) direction: &'static str,
    /// 0 is a property, 1 a body, 2 a parameter, 3 a header: the order in which they name a change.
    pub(crate) noun: u8,
}

/// Uses of every schema object by JSON Pointer.
pub(crate) struct Uses<'d> {
    document: &'d Value,
    pub(crate) of: BTreeMap<String, BTreeSet<Use>>,
    seen: BTreeSet<Use>,
}

impl<'d> Uses<'d> {
    pub(crate) fn new(document: &'d Value) -> Self {
        let mut uses = Self { document, of: BTreeMap::new(), seen: BTreeSet::new() };
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("path item") {
                let at = format!("/paths/{}/{method}", escape(path));
                for index in 0..operation["parameters"].as_array().map_or(0, Vec::len) {
                    let parameter = uses.target(&format!("{at}/parameters/{index}"));
                    uses.visit(&[format!("{parameter}/schema")], "request-", 2);
                }
                uses.content(&format!("{at}/requestBody"), "request-");
                for status in operation["responses"].as_object().expect("responses").keys() {
                    let response = uses.target(&format!("{at}/responses/{status}"));
                    uses.content(&response, "response-");
                    let headers = document.pointer(&format!("{response}/headers")).and_then(Value::as_object);
                    for name in headers.into_iter().flatten().map(|(name, _)| name) {
                        let header = uses.target(&format!("{response}/headers/{}", escape(name)));
                        uses.visit(&[format!("{header}/schema")], "response-", 3);
                    }
                }
            }
        }
        uses
    }

    pub(crate) fn get(&self, pointer: &str) -> &'d Value {
        self.document.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Where a reference at a place leads, or the place itself.
    pub(crate) fn target(&self, pointer: &str) -> String {
        match self.get(pointer)["$ref"].as_str() {
            Some(target) => self.target(target.trim_start_matches('#')),
            None => pointer.to_owned(),
        }
    }

    fn content(&mut self, holder: &str, direction: &'static str) {
        let media = self.get(holder)["content"].as_object();
        for name in media.into_iter().flatten().map(|(name, _)| name) {
            self.visit(&[format!("{holder}/content/{}/schema", escape(name))], direction, 1);
        }
    }

    fn visit(&mut self, schemas: &[String], direction: &'static str, noun: u8) {
        let mut parts = BTreeSet::new();
        let mut todo = schemas.to_vec();
        while let Some(schema) = todo.pop() {
            let schema = self.target(&schema);
            for index in 0..self.get(&schema)["allOf"].as_array().map_or(0, Vec::len) {
                todo.push(format!("{schema}/allOf/{index}"));
            }
            parts.insert(schema);
        }
        let this = Use { parts: parts.clone(), direction, noun };
        if !self.seen.insert(this.clone()) {
            return;
        }
        let below = if noun == 1 { 0 } else { noun };
        let mut properties: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut items = Vec::new();
        let mut rest = Vec::new();
        let mut variants = Vec::new();
        for part in &parts {
            self.of.entry(part.clone()).or_default().insert(this.clone());
            let schema = self.get(part);
            for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                properties.entry(name.clone()).or_default().push(format!("{part}/properties/{}", escape(name)));
            }
            if schema["items"].is_object() {
                items.push(format!("{part}/items"));
            }
            if schema["additionalProperties"].is_object() {
                rest.push(format!("{part}/additionalProperties"));
            }
            for index in 0..schema["oneOf"].as_array().map_or(0, Vec::len) {
                variants.push(format!("{part}/oneOf/{index}"));
            }
            let mapping = schema["discriminator"]["mapping"].as_object();
            let targets: Vec<String> = mapping
                .into_iter()
                .flatten()
                .filter_map(|(_, target)| Some(target.as_str()?.trim_start_matches('#').to_owned()))
                .collect();
            if !targets.iter().any(|target| parts.contains(target)) {
                variants.extend(targets);
            }
        }
        for schemas in properties.into_values().chain([items, rest]).filter(|schemas| !schemas.is_empty()) {
            self.visit(&schemas, direction, below);
        }
        for variant in variants {
            self.visit(&[variant], direction, below);
        }
    }

    /// Whether no schema that holds together with this one anywhere says anything under the key.
    pub(crate) fn alone(&self, pointer: &str, key: &str) -> bool {
        let uses = self.of.get(pointer).into_iter().flatten();
        uses.flat_map(|each| &each.parts).all(|part| part == pointer || self.get(part).get(key).is_none())
    }

    /// The id of a rule that ends so, for a change at this schema; `property` when it is about one of its properties.
    pub(crate) fn rule(&self, pointer: &str, suffix: &str, property: bool) -> String {
        let uses = &self.of[pointer];
        let directions: BTreeSet<&str> = uses.iter().map(|each| each.direction).collect();
        let noun = uses.iter().map(|each| if property && each.noun == 1 { 0 } else { each.noun }).min().unwrap_or(0);
        let noun = ["property", "body", "parameter", "header"][usize::from(noun)];
        let prefix = if directions.len() == 1 { directions.first().copied().unwrap_or_default() } else { "" };
        match suffix.split_once(' ') {
            // `optional added` wraps the thing: `optional-property-added`.
            Some((before, after)) => format!("{prefix}{before}-{noun}-{after}"),
            None => format!("{prefix}{noun}-{suffix}"),
        }
    }
}

pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn run(seed: u64, count: usize) {
    let document = revision("2026-05-07");
    let uses = Uses::new(&document);
    let facts = Flattened::of(&document);
    let side = Side::read("old", &document).expect("the slice can be read");
    let mut rng = Rng::with_seed(seed);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut done = 0;
    while done < count {
        let mut edited = document.clone();
        let Some((what, expected)) = edits::random(&mut edited, &uses, &mut rng) else { continue };
        assert_ne!(edited, document, "{what} changed nothing");
        let after = Side::read("new", &edited).unwrap_or_else(|error| panic!("{what}: {error}"));
        let report = side.compare(&after).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found: Vec<&str> = report.changes.iter().map(|change| change.rule.as_str()).collect();
        assert_eq!(found, [expected.as_str()], "{what}");
        // The slow reckoning looks at one in twenty-five, and so does the way back.
        if done % 25 == 0 {
            verify(&facts, &Flattened::of(&edited), &report).unwrap_or_else(|problems| panic!("{what}: {problems}"));
            let back = after.compare(&side).unwrap_or_else(|error| panic!("{what}, back: {error}"));
            assert_eq!(back.changes.len(), 1, "{what}, back");
        }
        *kinds.entry(expected).or_default() += 1;
        done += 1;
    }
    println!("{} rules over {done} edits: {kinds:#?}", kinds.len());
    assert!(kinds.len() > count / 5, "the edits are too much alike: {kinds:?}");
}

#[test]
fn edits_are_reported_once_under_the_right_rule_1() {
    run(1, 125);
}

#[test]
fn edits_are_reported_once_under_the_right_rule_2() {
    run(2, 125);
}

#[test]
fn edits_are_reported_once_under_the_right_rule_3() {
    run(3, 125);
}

#[test]
fn edits_are_reported_once_under_the_right_rule_4() {
    run(4, 125);
}

/// Proves that no edit of the list is left out by the seeds above: each kind is tried until it applies.
#[test]
fn every_kind_of_edit_applies_somewhere() {
    let document = revision("2026-05-07");
    let uses = Uses::new(&document);
    for kind in 0..edits::KINDS {
        let mut rng = Rng::with_seed(kind as u64);
        let applied = (0..20_000).any(|_| edits::try_kind(kind, &mut document.clone(), &uses, &mut rng).is_some());
        assert!(applied, "edit {kind} never applies: {}", json!(kind));
    }
}
