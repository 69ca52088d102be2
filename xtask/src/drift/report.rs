//! The report: what changed, once per change, with its verdicts and every place that it reaches.
//!
//! The JSON form is these types as they stand; `spec/drift-report.schema.json` describes it. How a report is shown is in
//! [`super::text`] and [`super::markdown`].

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::delta::Delta;
use super::rules::{Direction, Edit, Flag, Kind, Move, Noun, Rule};
use super::verdict::{Bump, Caller, verdict};
use super::walk::{Site, Sites};

/// The form of the JSON below; it grows by one when a reader of the older form could stumble.
pub const FORMAT: u32 = 2;

/// Everything that changed between two revisions of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this form.
    pub format: u32,
    /// The older revision.
    pub old: Revision,
    /// The newer revision.
    pub new: Revision,
    /// How many changes there are of each weight, accepted ones left out.
    pub summary: Summary,
    /// What the newer revision does to this crate.
    #[serde(rename = "crate")]
    pub krate: Measured,
    /// The changes, the weightiest first.
    pub changes: Vec<Change>,
}

/// The verdict for this crate: what differs between what is generated from the two revisions, with the curation as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// The part of the version that moves.
    pub bump: Bump,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What of the curation does not fit the older revision, and was left out.
    pub left_out_of_old: Vec<String>,
    /// What of the curation does not fit the newer revision, and was left out.
    pub left_out_of_new: Vec<String>,
    /// Why nothing could be generated from one of the revisions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unmeasured: Option<String>,
}

/// A difference of what is generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The Rust item.
    pub item: String,
    /// The part of the version that it moves.
    pub bump: Bump,
    /// Which part of the changelog it belongs to.
    pub section: Section,
    /// What became of the item.
    pub what: String,
    /// The fingerprints of the changes that it comes of; none where it only follows from how types are named.
    pub changes: Vec<String>,
}

/// A revision of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// Where it was read from.
    pub origin: String,
    /// The day of the revision (`YYYY-MM-DD`), where it is known.
    pub date: Option<String>,
    /// SHA-256 of what was compared, in lower-case hex: of the facts, not of the bytes read.
    pub sha256: String,
}

/// Counts over all changes that were not accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// All of them.
    pub changes: usize,
    /// Breaking for a caller of the API.
    pub breaking: usize,
    /// Risky for a caller of the API.
    pub risky: usize,
    /// Changes that take a major version of this crate.
    pub major: usize,
    /// Changes that take a minor version of this crate.
    pub minor: usize,
    /// Changes that an entry in the list of accepted ones covers.
    pub accepted: usize,
}

/// One change of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The rule it falls under, such as `request-property-became-required`.
    pub rule: String,
    /// Sixteen hex digits that name this change in every report that shows it.
    pub fingerprint: String,
    /// Which way the data goes.
    pub direction: Direction,
    /// Which part of the changelog it belongs to.
    pub section: Section,
    /// What it means for a caller of the API.
    pub caller: Caller,
    /// What it does to this crate.
    #[serde(rename = "crate")]
    pub krate: CrateVerdict,
    /// The first operation it reaches.
    pub operation: String,
    /// The part of the operation: `query limit`, `body application/json`, `200 application/json`; empty for the whole.
    pub place: String,
    /// The JSON path there: `[]` is any element, `.*` any property without a name of its own, `<x>` the alternative or
    /// discriminator value `x`. Empty for what is not part of a value.
    pub path: String,
    /// The value, alternative, status or server that came or went, where there can be several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// What held before.
    pub old: Option<String>,
    /// What holds now.
    pub new: Option<String>,
    /// Every operation it reaches.
    pub operations: Vec<String>,
    /// Every place it reaches.
    pub reaches: Vec<Reach>,
    /// The entry that accepts it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<Acceptance>,
}

/// What a change does to this crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrateVerdict {
    /// The part of the version that moves.
    pub bump: Bump,
    /// The Rust items concerned, where they are known.
    pub items: Vec<String>,
}

/// A place that a change reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// The operation.
    pub operation: String,
    /// Which way the data goes.
    pub direction: Direction,
    /// The part of the operation.
    pub place: String,
    /// The JSON path there.
    pub path: String,
    /// What held before, where it is not what the change says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old: Option<String>,
    /// What holds now, where it is not what the change says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new: Option<String>,
}

/// Why and until when a change is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// The reason given.
    pub reason: String,
    /// The last day on which the entry holds (`YYYY-MM-DD`).
    pub expires: String,
}

/// The parts of a changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Something is new.
    Added,
    /// Something is another one.
    Changed,
    /// Something is gone.
    Removed,
    /// Values of enums.
    Enums,
}

/// What decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// A change that breaks callers of the API or users of this crate.
    Breaking,
    /// Any change.
    Any,
    /// Nothing.
    None,
}

impl Change {
    /// Whether it breaks a caller of the API or a user of this crate, or may break one.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.caller == Caller::Breaking || self.krate.bump >= Bump::Major
    }
}

impl Report {
    /// Whether there is something to report at the level, accepted changes left out.
    #[must_use]
    pub fn fails(&self, level: FailOn) -> bool {
        let mut open = self.changes.iter().filter(|change| change.accepted.is_none());
        match level {
            FailOn::None => false,
            FailOn::Any => open.next().is_some(),
            FailOn::Breaking => {
                let mut loose = self.krate.differences.iter().filter(|difference| difference.changes.is_empty());
                open.any(Change::is_breaking) || loose.any(|difference| difference.bump >= Bump::Major)
            }
        }
    }

    /// Puts the changes in order, the weightiest first, and counts them.
    pub(crate) fn settle(&mut self) {
        self.changes.sort_by(|a, b| {
            let weight = |change: &Change| (change.caller, change.krate.bump);
            weight(b).cmp(&weight(a)).then_with(|| {
                let place = |change: &Change| (change.operation.clone(), change.place.clone(), change.path.clone());
                (place(a), &a.rule, &a.subject).cmp(&(place(b), &b.rule, &b.subject))
            })
        });
        self.count();
    }

    /// Counts anew, after changes were accepted.
    pub(crate) fn count(&mut self) {
        let mut summary = Summary::default();
        for change in &self.changes {
            if change.accepted.is_some() {
                summary.accepted += 1;
                continue;
            }
            summary.changes += 1;
            summary.breaking += usize::from(change.caller == Caller::Breaking);
            summary.risky += usize::from(change.caller == Caller::Risky);
            summary.major += usize::from(change.krate.bump == Bump::Major);
            summary.minor += usize::from(change.krate.bump == Bump::Minor);
        }
        self.summary = summary;
    }
}

/// The names of operations: as the newer document writes them, and without the names of path parameters.
pub(crate) struct Names<'n> {
    pub(crate) titles: &'n [String],
    pub(crate) keys: &'n [String],
}

/// Puts a group of differences together into the change that they are, unless no operation reaches them.
pub(crate) fn change(group: &[usize], deltas: &[Delta], sites: &Sites, names: &Names<'_>) -> Option<Change> {
    let mut uses: Vec<Use<'_>> = Vec::new();
    for index in group {
        let (Some(delta), Some(places)) = (deltas.get(*index), sites.of.get(*index)) else { continue };
        for site in places {
            let Some(spot) = sites.spots.get(site.spot) else { continue };
            let name = |list: &[String]| list.get(spot.endpoint).cloned().unwrap_or_default();
            let reach = Reach {
                operation: name(names.titles),
                direction: spot.direction,
                place: spot.place.clone(),
                path: site.path.clone(),
                old: delta.old.clone(),
                new: delta.new.clone(),
            };
            uses.push(Use { key: name(names.keys), reach, site, delta });
        }
    }
    uses.sort_by(|a, b| (&a.key, &a.reach).cmp(&(&b.key, &b.reach)));
    uses.dedup_by(|a, b| a.key == b.key && a.reach == b.reach);
    // The place that a caller knows best gives the change its name.
    let first = uses.iter().min_by_key(|each| each.rank())?;

    let directions: BTreeSet<Direction> = uses.iter().map(|each| each.reach.direction).collect();
    let direction = match directions.iter().next() {
        Some(only) if directions.len() == 1 => *only,
        _ => Direction::Both,
    };
    // Property before body before parameter: the name that fits the most uses.
    let noun = uses.iter().map(|each| each.site.noun).min().unwrap_or(Noun::Endpoint);
    let rule = Rule { kind: first.delta.kind, noun, direction };
    let caller = verdict(rule, first.delta.hint);
    let id = rule.id();
    let facts = [
        &id,
        &first.key,
        &format!("{:?}", first.reach.direction),
        &first.reach.place,
        &first.reach.path,
        &first.delta.subject,
        &format!("{:?}", first.delta.old),
        &format!("{:?}", first.delta.new),
        &first.delta.digest,
    ];
    let fingerprint = facts.map(String::as_str).join("\n");
    let fingerprint = hex::encode(Sha256::digest(fingerprint)).chars().take(16).collect();
    let (old, new) = (first.delta.old.clone(), first.delta.new.clone());
    let operations: BTreeSet<&String> = uses.iter().map(|each| &each.reach.operation).collect();
    let operations = operations.into_iter().cloned().collect();
    let (operation, place, path) = (first.reach.operation.clone(), first.reach.place.clone(), first.reach.path.clone());
    let subject = (!first.delta.subject.is_empty()).then(|| first.delta.subject.clone());
    let kind = first.delta.kind;
    let reaches = uses
        .into_iter()
        .map(|each| {
            let mut reach = each.reach;
            // Only what differs from the change itself is worth saying again.
            if reach.old == old && reach.new == new {
                (reach.old, reach.new) = (None, None);
            }
            reach
        })
        .collect();
    Some(Change {
        rule: id,
        fingerprint,
        direction,
        section: section(kind),
        caller,
        krate: CrateVerdict { bump: Bump::Unknown, items: Vec::new() },
        operation,
        place,
        path,
        subject,
        old,
        new,
        operations,
        reaches,
        accepted: None,
    })
}

struct Use<'d> {
    key: String,
    reach: Reach,
    site: &'d Site,
    delta: &'d Delta,
}

impl Use<'_> {
    /// How well a caller knows the place, the best first: what is sent before what is read, and what is near the top
    /// before copies of it further down, such as those in an audit trail.
    fn rank(&self) -> (bool, usize, &str, &Reach) {
        let depth = self.reach.path.matches(['.', '[', '<']).count();
        (self.reach.direction == Direction::Response, depth, &self.key, &self.reach)
    }
}

const fn section(kind: Kind) -> Section {
    match kind {
        Kind::EnumValue(_) => Section::Enums,
        Kind::Member { edit, .. }
        | Kind::Status { edit, .. }
        | Kind::MediaType(edit)
        | Kind::Path(edit)
        | Kind::Operation(edit)
        | Kind::OperationId(edit)
        | Kind::Security(edit)
        | Kind::SecurityAlternative(edit)
        | Kind::Server(edit)
        | Kind::Mapping(edit)
        | Kind::Alternative(_, edit) => match edit {
            Edit::Added => Section::Added,
            Edit::Removed => Section::Removed,
            Edit::Changed => Section::Changed,
        },
        Kind::Flag(Flag::Deprecated, _) | Kind::Limit(_, Move::Set | Move::Unset) => Section::Changed,
        _ => Section::Changed,
    }
}
