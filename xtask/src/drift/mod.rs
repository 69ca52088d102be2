//! Drift: what changed between two revisions of the interface, what it means, and what it does to this crate.
//!
//! Two documents (slices of the upstream interface, OpenAPI 3.0) are compared by what they mean, not by how they are
//! written. [`compare`] does it in these steps:
//!
//! 1. [`crate::model`] resolves both.
//! 2. `endpoints`: how the operations of both sides differ outside of schemas.
//! 3. `schema`, `facts`, `choices`, `variants`: pairs of resolved schemas and how they differ.
//! 4. `walk`: every operation, direction and JSON path that reaches a difference.
//! 5. `group`: differences that one edit made are one change.
//! 6. [`rules`], [`verdict`]: which rule a change falls under and what it means to a caller.
//!
//! What a change does to this crate is [measured](measure) on what is generated from both revisions: `surface`.
//!
//! [`report`] is the result, [`text`] and [`markdown`] show it, [`changelog`] writes it down, [`accepted`] holds what was
//! decided about changes, [`cli`] is the command. Reading documents is in [`crate::source`], cutting them in [`crate::slice`].

pub mod accepted;
pub mod changelog;
mod choices;
pub mod cli;
mod delta;
mod endpoints;
mod facts;
mod family;
mod group;
mod kind;
pub mod markdown;
pub mod measure;
pub mod report;
pub mod rules;
mod schema;
mod surface;
pub mod text;
mod variants;
pub mod verdict;
mod walk;

pub use report::{Change, Report, Revision};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::document::canonical;
use crate::model::{Model, ModelError};

/// Compares two documents and reports every change of meaning from `old` to `new`.
///
/// What they do to this crate is left unknown: see [`measure::measure`].
///
/// # Errors
/// When a document is not what OpenAPI 3.0 allows in a way that leaves its meaning open: a reference to nothing, to
/// another file or in a circle, a key of the wrong type, nesting without end.
pub fn compare(old: &Value, new: &Value) -> Result<Report, ModelError> {
    Side::read("old", old)?.compare(&Side::read("new", new)?)
}

/// A document that was read to be compared, as often as is wanted.
#[derive(Debug)]
pub struct Side<'d> {
    model: Model<'d>,
    revision: Revision,
}

impl<'d> Side<'d> {
    /// Reads a document; errors call it `name`.
    ///
    /// # Errors
    /// As [`compare`].
    pub fn read(name: &'static str, document: &'d Value) -> Result<Self, ModelError> {
        Ok(Self { model: Model::read(name, document)?, revision: revision(document) })
    }

    /// What [`compare`] reports from this side to the newer one.
    ///
    /// # Errors
    /// As [`compare`].
    pub fn compare(&self, new: &Side<'_>) -> Result<Report, ModelError> {
        let mut comparer = schema::Comparer::new(&self.model, &new.model);
        let reached = endpoints::compare(&mut comparer);
        comparer.finish();
        let (titles, keys) = (reached.titles.clone(), reached.keys.clone());
        let sites = walk::sites(&mut comparer, reached)?;
        let names = report::Names { titles: &titles, keys: &keys };
        let changes = group::groups(&comparer.deltas)
            .iter()
            .filter_map(|group| report::change(group, &comparer.deltas, &sites, &names))
            .collect();
        let mut report = Report {
            format: report::FORMAT,
            old: self.revision.clone(),
            new: new.revision.clone(),
            summary: report::Summary::default(),
            krate: report::Measured::default(),
            changes,
        };
        report.settle();
        Ok(report)
    }
}

/// A revision known by its content alone.
fn revision(document: &Value) -> Revision {
    let date = document.pointer("/info/version").and_then(Value::as_str).filter(|version| *version != "LATEST");
    Revision {
        origin: String::new(),
        date: date.map(str::to_owned),
        sha256: hex::encode(Sha256::digest(canonical(document))),
    }
}
