//! JSON that fits a slice: seeded instances of what each operation may respond.
//!
//! [`responses`] makes them from the schemas alone, so that reading is tried on everything that the document allows and
//! not on what we think of: over the set, every optional field is there and is not there, every list and map is empty
//! and is not, what may be null is and is not, and every value of every enum and every way of a choice occurs at every
//! place. The first of each operation hold what they hold by chance; those after them are no larger than what has not
//! occurred yet asks for. The same seed gives the same set.
//!
//! - `node` is what a schema of the model asks of an instance, and the choices that it leaves;
//! - `make` makes a value of it;
//! - `choose` decides what occurs in it;
//! - `counts` keeps count of what has occurred;
//! - `damage` puts one value that does not fit into a copy;
//! - `text` makes texts of a format or a pattern.

mod choose;
mod counts;
mod damage;
mod make;
mod node;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use choose::Decides;
pub use counts::Counts;
use damage::Damage;
use make::{Examples, Maker};
use node::Nodes;

use crate::bindings::model::{Kind, Surface};
use crate::model::{Model, SchemaId};
use crate::slice;

/// JSON that an operation may respond.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The operation: `GET /transactions/{id}`.
    pub operation: String,
    /// The response.
    pub json: Value,
    /// Where values of enums stand in it, as JSON Pointers.
    pub enums: Vec<String>,
    /// Whether it is put together of the examples in the document, which need not fit their own schemas.
    pub documented: bool,
    /// A copy in which one value is another, and the JSON Pointer of its place.
    pub damaged: Option<(Value, String)>,
}

/// What to make.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Decides every value.
    pub seed: u64,
    /// At least so many by chance, beside the documented ones; others besides, until everything has occurred.
    pub least: usize,
    /// Only of these operations (`GET /transactions/{id}`); of all when empty.
    pub operations: BTreeSet<String>,
    /// Properties that are whole numbers although the document calls them plain numbers: sums in minor units.
    pub whole: BTreeSet<String>,
    /// What is generated of the document: its curation knows the form of ids, which the document does not, and which
    /// fields the service always sends although the document does not say so.
    pub surface: Surface,
}

/// The instances, and what occurs in them.
#[derive(Debug)]
pub struct Instances {
    /// One after the other, by operation.
    pub all: Vec<Instance>,
    /// What occurs in them.
    pub counts: Counts,
}

/// So many instances of each operation hold by chance what they may hold; those after them, what has not yet occurred.
const BY_CHANCE: usize = 24;

/// So many instances of one operation and still something that has not occurred: it cannot.
const MOST: usize = 2_000;

/// Instances of what every operation of `document` responds when it succeeds.
///
/// # Errors
/// When a schema cannot be made sense of, or asks for what cannot be made; names its place.
pub fn responses(document: &Value, wish: &Wish) -> Result<Instances> {
    let mut all = Vec::new();
    let counts = each(document, wish, |instance| {
        all.push(instance);
        Ok(())
    })?;
    Ok(Instances { all, counts })
}

/// As [`responses`], one at a time: together they take gigabytes.
///
/// # Errors
/// As [`responses`], and those of `take`.
pub fn each(document: &Value, wish: &Wish, mut take: impl FnMut(Instance) -> Result<()>) -> Result<Counts> {
    let model = Model::read("this", document)?;
    let found: Vec<(String, SchemaId)> = bodies(&model)
        .filter(|(title, _)| wish.operations.is_empty() || wish.operations.contains(*title))
        .map(|(title, schema)| (title.to_owned(), schema))
        .collect();
    if found.is_empty() {
        bail!("no operation responds JSON");
    }
    let share = wish.least.div_ceil(found.len());
    let mut counts = Counts::default();
    let mut nodes = Nodes::new(model);
    let roots: BTreeMap<String, Kind> = wish
        .surface
        .calls
        .iter()
        .map(|call| {
            let target = Kind::Type(call.response.target.clone());
            let kind = if call.response.list { Kind::List(Box::new(target)) } else { target };
            (slice::without_names(&format!("{} {}", call.method, call.path)), kind)
        })
        .collect();
    for (index, (operation, schema)) in found.iter().enumerate() {
        let seed = wish.seed.wrapping_add(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut maker = Maker::new(&mut nodes, wish, roots.get(&slice::without_names(operation)), seed);
        for examples in [Examples::Outermost, Examples::Innermost] {
            let json = maker.documented(*schema, examples).with_context(|| format!("{operation}, its examples"))?;
            take(Instance { operation: operation.clone(), json, enums: Vec::new(), documented: true, damaged: None })?;
        }
        let mut damage = Damage::new(seed);
        let mut made = 0;
        loop {
            let open = maker.choose.counts.open();
            let decides = match made < share.max(BY_CHANCE) {
                true => Decides::of_turn(made),
                false if open.is_empty() => break,
                false => Decides::Open(open),
            };
            if made == MOST {
                bail!("{operation}: {} never occurs", maker.choose.counts.missing().join(", "));
            }
            let (json, enums) = maker.make(*schema, decides).with_context(|| operation.clone())?;
            let damaged = damage.of(&json);
            take(Instance { operation: operation.clone(), json, enums, documented: false, damaged })?;
            made += 1;
        }
        counts.add(&maker.choose.counts, operation);
    }
    Ok(counts)
}

/// What a document says of its responses.
#[derive(Debug)]
pub struct Documented<'a>(Model<'a>);

impl<'a> Documented<'a> {
    /// Reads `document`.
    ///
    /// # Errors
    /// When its meaning cannot be told.
    pub fn of(document: &'a Value) -> Result<Self> {
        Ok(Self(Model::read("this", document)?))
    }

    /// Whether it says what stands at a place of a response: a JSON Pointer into an instance of an operation, which may
    /// name the parameters of its path otherwise.
    #[must_use]
    pub fn says(&self, operation: &str, pointer: &str) -> bool {
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let wanted = slice::without_names(operation);
        let mut bodies = bodies(&self.0).filter(|(title, _)| slice::without_names(title) == wanted);
        bodies.any(|(_, schema)| node::leads(&self.0, schema, &steps))
    }
}

/// The different JSON bodies of the success statuses, with the operations that they are of.
fn bodies<'m>(model: &'m Model<'_>) -> impl Iterator<Item = (&'m str, SchemaId)> {
    model.operations().values().flat_map(move |operation| {
        let mut seen = BTreeSet::new();
        let successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
        successes.filter_map(move |(_, response)| {
            let (_, media) = response.media.iter().find(|(name, _)| name.contains("json"))?;
            let schema = media.schema.as_ref()?.schema;
            seen.insert(model.class(schema)).then_some((operation.title.as_str(), schema))
        })
    })
}
