//! JSON that fits a slice: seeded instances of what each operation may answer.
//!
//! [`answers`] makes them from the schemas alone, so that reading is tried on everything that the document allows and
//! not on what we think of: over the set, every optional field is there and is not there, and every value of every
//! enum and every way of a choice occurs at every place. The same seed gives the same set.
//!
//! - `node` reads a schema, with `$ref`, `allOf`, choices and discriminators, independently of the passes;
//! - `make` makes a value of it, and keeps count of what has occurred;
//! - `text` makes texts of a format or a pattern.

mod make;
mod node;
mod text;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub use make::Counts;
use make::{Examples, Maker};
use node::Node;

use crate::schema::{self, Operation};

/// JSON that an operation may answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The operation: `GET /transactions/{id}`.
    pub operation: String,
    /// The answer.
    pub json: Value,
    /// Where values of enums stand in it, as JSON Pointers.
    pub enums: Vec<String>,
    /// Whether it is put together of the examples in the document, which need not fit their own schemas.
    pub documented: bool,
}

/// What to make.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Decides every value.
    pub seed: u64,
    /// At least so many, beside the documented ones; more, where that is needed to let everything occur.
    pub least: usize,
    /// Only of these operations (`GET /transactions/{id}`); of all when empty.
    pub operations: BTreeSet<String>,
    /// Properties that are whole numbers although the document calls them plain numbers: sums in minor units.
    pub whole: BTreeSet<String>,
}

/// The instances, and what occurs in them.
#[derive(Debug)]
pub struct Instances {
    /// One after the other, by operation.
    pub all: Vec<Instance>,
    /// What occurs in them.
    pub counts: Counts,
}

/// So many instances of one operation and still something that has not occurred: it cannot.
const MOST: usize = 2_000;

/// Instances of what every operation of `document` answers when it succeeds.
///
/// # Errors
/// When a schema cannot be made sense of, or asks for what cannot be made; names its place.
pub fn answers(document: &Value, wish: &Wish) -> Result<Instances> {
    let mut all = Vec::new();
    let counts = each(document, wish, |instance| {
        all.push(instance);
        Ok(())
    })?;
    Ok(Instances { all, counts })
}

/// As [`answers`], one at a time: together they take gigabytes.
///
/// # Errors
/// As [`answers`], and those of `take`.
pub fn each(document: &Value, wish: &Wish, mut take: impl FnMut(Instance) -> Result<()>) -> Result<Counts> {
    let operations = schema::operations(document);
    let mut found = Vec::new();
    let wanted = |title: &String| wish.operations.is_empty() || wish.operations.contains(title);
    for operation in operations.iter().filter(|operation| wanted(&operation.title())) {
        for tree in success_schemas(document, operation).with_context(|| operation.title())? {
            found.push((operation.title(), tree));
        }
    }
    if found.is_empty() {
        bail!("no operation answers JSON");
    }
    let share = wish.least.div_ceil(found.len());
    let mut counts = Counts::default();
    for (index, (operation, tree)) in found.iter().enumerate() {
        let seed = wish.seed.wrapping_add(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut maker = Maker::new(document, &wish.whole, seed);
        for examples in [Examples::Outermost, Examples::Innermost] {
            let json = maker.documented(tree, examples).with_context(|| format!("{operation}, its examples"))?;
            take(Instance { operation: operation.clone(), json, enums: Vec::new(), documented: true })?;
        }
        let mut made = 0;
        while made < share || !maker.counts.complete() {
            if made == MOST {
                bail!("{operation}: {} never occurs", maker.counts.missing().join(", "));
            }
            let (json, enums) = maker.make(tree, made).with_context(|| operation.clone())?;
            take(Instance { operation: operation.clone(), json, enums, documented: false })?;
            made += 1;
        }
        counts.add(&maker.counts, operation);
    }
    Ok(counts)
}

/// Whether `document` says what stands at a place of a response: a JSON Pointer into one of its instances.
///
/// # Errors
/// As [`answers`].
pub fn is_documented(document: &Value, operation: &Operation<'_>, pointer: &str) -> Result<bool> {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    for tree in success_schemas(document, operation)? {
        if node::leads(document, Node::of(document, &[tree])?, &steps)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One instance of a schema of `document` that holds everything it can, for tests of what reading does to each field.
///
/// # Errors
/// As [`answers`].
pub fn full(document: &Value, tree: &Value, seed: u64) -> Result<Value> {
    Ok(Maker::new(document, &BTreeSet::new(), seed).make(tree, 0)?.0)
}

/// The different JSON bodies of the success statuses.
fn success_schemas<'a>(document: &'a Value, operation: &Operation<'a>) -> Result<Vec<&'a Value>> {
    let mut out: Vec<&Value> = Vec::new();
    for (status, response) in operation.value.get("responses").and_then(Value::as_object).into_iter().flatten() {
        if !status.starts_with('2') {
            continue;
        }
        let content = schema::deref(document, response)?.get("content").and_then(Value::as_object);
        let json = content.into_iter().flatten().find(|(media, _)| media.contains("json"));
        let Some(tree) = json.and_then(|(_, media)| media.get("schema")) else { continue };
        if !out.contains(&tree) {
            out.push(tree);
        }
    }
    Ok(out)
}
