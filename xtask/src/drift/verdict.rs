//! What each rule means to a caller of the API: one table, read by the report and by the documentation of the rules.
//!
//! What a change does to this crate is in no table: it is measured, see [`super::measure`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::delta::Hint;
use super::rules::{Additional, Direction, Edit, Flag, Kind, Move, Rule};

/// What a change means to a program that calls the API and was written for the older revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Caller {
    /// It goes on working.
    Compatible,
    /// It goes on working unless it relies on more than the older revision promised.
    Risky,
    /// It stops working, or its meaning changes, somewhere.
    Breaking,
}

/// What a change does to the version of this crate once it is taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// Nothing of what is generated differs.
    Nothing,
    /// What requests are checked for, or documentation: no item.
    Patch,
    /// A new item, or a new variant of an enum that is open anyway.
    Minor,
    /// Code that uses an item no longer compiles, or means something else.
    Major,
    /// It was not measured, or one of the revisions cannot be generated from: the overlay has to be mended first.
    #[default]
    Unknown,
}

impl Caller {
    /// The word the reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Risky => "risky",
            Self::Breaking => "breaking",
        }
    }
}

impl Bump {
    /// The word the reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Unknown => "unknown",
        }
    }
}

/// The verdicts of a kind of change, for data that is sent and for data that is read.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// When the caller sends it.
    pub request: Caller,
    /// When the caller reads it.
    pub response: Caller,
}

const fn row(request: Caller, response: Caller) -> Row {
    Row { request, response }
}

/// The table.
#[must_use]
pub const fn of(kind: Kind) -> Row {
    use Caller::{Breaking, Compatible, Risky};
    // What is demanded of a caller breaks when it tightens; what a caller relies on breaks when it loosens.
    let tighter = row(Breaking, Compatible);
    let looser = row(Compatible, Risky);
    match kind {
        // Operations. The same for both columns: they have no direction.
        Kind::Path(Edit::Added) | Kind::Operation(Edit::Added) => row(Compatible, Compatible),
        Kind::Path(_) | Kind::Operation(_) => row(Breaking, Breaking),
        // Not on the wire.
        Kind::OperationId(_) => row(Compatible, Compatible),
        // Who may call, and where the calls go: never in silence.
        Kind::Security(_) | Kind::SecurityAlternative(Edit::Removed) => row(Breaking, Breaking),
        Kind::SecurityAlternative(_) => row(Risky, Risky),
        Kind::Server(Edit::Added) => row(Risky, Risky),
        Kind::Server(_) => row(Breaking, Breaking),
        Kind::Status { edit: Edit::Added, success: true } => row(Risky, Risky),
        Kind::Status { edit: Edit::Added, .. } => row(Compatible, Compatible),
        Kind::Status { success: true, .. } => row(Breaking, Breaking),
        Kind::Status { .. } => row(Compatible, Risky),
        Kind::MediaType(Edit::Added) => row(Compatible, Compatible),
        Kind::MediaType(_) => row(Breaking, Breaking),
        Kind::Encoding => row(Breaking, Risky),
        // Parameters, headers, properties, bodies.
        Kind::Member { edit: Edit::Added, required: true } => row(Breaking, Compatible),
        Kind::Member { edit: Edit::Added, required: false } => row(Compatible, Compatible),
        Kind::Member { required: true, .. } => row(Risky, Breaking),
        Kind::Member { required: false, .. } => row(Risky, Risky),
        Kind::Required(true) => row(Breaking, Compatible),
        Kind::Required(false) => row(Compatible, Breaking),
        Kind::Style | Kind::Explode | Kind::Location => row(Breaking, Risky),
        Kind::AllowReserved(true) | Kind::AllowEmptyValue(true) => row(Compatible, Compatible),
        Kind::AllowReserved(_) | Kind::AllowEmptyValue(_) => row(Breaking, Compatible),
        // Types and what they allow.
        Kind::Type => row(Breaking, Breaking),
        Kind::Format(Edit::Added) => row(Risky, Compatible),
        Kind::Format(Edit::Removed) => row(Compatible, Risky),
        Kind::Format(Edit::Changed) => row(Risky, Risky),
        Kind::Pattern(Edit::Added) | Kind::MultipleOf(Edit::Added) | Kind::Not(Edit::Added) => tighter,
        Kind::Pattern(Edit::Removed) | Kind::MultipleOf(Edit::Removed) | Kind::Not(Edit::Removed) => looser,
        Kind::Pattern(Edit::Changed) | Kind::MultipleOf(Edit::Changed) | Kind::Not(Edit::Changed) => {
            row(Breaking, Risky)
        }
        Kind::Limit(limit, moved) => match (moved, limit.is_upper()) {
            (Move::Set, _) | (Move::Decreased, true) | (Move::Increased, false) => tighter,
            _ => looser,
        },
        Kind::Flag(Flag::UniqueItems, true) => tighter,
        Kind::Flag(Flag::UniqueItems, false) => looser,
        // Open enums: a new value costs a variant, not a reader.
        Kind::EnumValue(Edit::Added) => row(Compatible, Risky),
        Kind::EnumValue(_) => row(Breaking, Compatible),
        Kind::Enum(Edit::Added) => row(Breaking, Compatible),
        Kind::Enum(_) => row(Compatible, Risky),
        Kind::Default(Edit::Added) => row(Compatible, Compatible),
        Kind::Default(_) => row(Risky, Compatible),
        Kind::Flag(Flag::Nullable, true) => row(Compatible, Breaking),
        Kind::Flag(Flag::Nullable, false) => row(Breaking, Compatible),
        Kind::Flag(Flag::ReadOnly, true) => row(Breaking, Compatible),
        Kind::Flag(Flag::ReadOnly, false) => row(Compatible, Compatible),
        Kind::Flag(Flag::WriteOnly, true) => row(Compatible, Breaking),
        Kind::Flag(Flag::WriteOnly, false) => row(Compatible, Compatible),
        Kind::Flag(Flag::Deprecated, _) => row(Compatible, Compatible),
        Kind::Additional(Additional::Forbidden) => tighter,
        Kind::Additional(Additional::Allowed) => looser,
        Kind::Additional(Additional::Typed) => row(Breaking, Compatible),
        Kind::Additional(Additional::Untyped) => row(Compatible, Breaking),
        Kind::Items(Edit::Removed) => row(Compatible, Breaking),
        Kind::Items(_) => row(Breaking, Compatible),
        Kind::Alternative(_, Edit::Added) => row(Compatible, Breaking),
        Kind::Alternative(_, Edit::Removed) => row(Breaking, Compatible),
        Kind::Alternative(..) => row(Breaking, Breaking),
        Kind::Became(crate::model::Choice::OneOf) => row(Risky, Compatible),
        Kind::Became(crate::model::Choice::AnyOf) => row(Compatible, Risky),
        Kind::Discriminator(_) => row(Breaking, Breaking),
        Kind::Mapping(Edit::Added) => row(Compatible, Risky),
        Kind::Mapping(Edit::Removed) => row(Breaking, Compatible),
        Kind::Mapping(Edit::Changed) => row(Breaking, Breaking),
    }
}

/// The verdict on a change; `hint` is what it is about beyond its rule.
pub(crate) fn verdict(rule: Rule, hint: Hint) -> Caller {
    let mut row = of(rule.kind);
    match (rule.kind, hint) {
        (Kind::Type, Hint::Wider) => row.request = Caller::Compatible,
        (Kind::Type, Hint::Narrower) => row.response = Caller::Compatible,
        _ => {}
    }
    match rule.direction {
        Direction::Request => row.request,
        Direction::Response => row.response,
        Direction::Both => row.request.max(row.response),
    }
}
