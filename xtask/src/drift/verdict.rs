//! What each rule means: to a caller of the API, and to this crate. One table, read by the report and by the
//! documentation of the rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::delta::Hint;
use super::rules::{Additional, Direction, Edit, Flag, Kind, Move, Noun, Rule};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// Nothing that a user could notice.
    Nothing,
    /// Behaviour or documentation, no item.
    Patch,
    /// A new item, or a new variant of an enum that is open anyway.
    Minor,
    /// An item is gone or has another type, or calls go elsewhere.
    Major,
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
        }
    }
}

/// The verdicts of a kind of change, for data that is sent and for data that is read.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// To a caller, when the caller sends it.
    pub request: Caller,
    /// To a caller, when the caller reads it.
    pub response: Caller,
    /// To this crate, when it sends it.
    pub sent: Bump,
    /// To this crate, when it reads it.
    pub read: Bump,
}

const fn row(request: Caller, response: Caller, sent: Bump, read: Bump) -> Row {
    Row { request, response, sent, read }
}

/// The table.
#[must_use]
pub const fn of(kind: Kind) -> Row {
    use Bump::{Major, Minor, Nothing, Patch};
    use Caller::{Breaking, Compatible, Risky};
    // What is demanded of a caller breaks when it tightens; what a caller relies on breaks when it loosens.
    let tighter = row(Breaking, Compatible, Patch, Nothing);
    let looser = row(Compatible, Risky, Patch, Nothing);
    match kind {
        // Operations. The same for both columns: they have no direction.
        Kind::Path(Edit::Added) | Kind::Operation(Edit::Added) => row(Compatible, Compatible, Minor, Minor),
        Kind::Path(_) | Kind::Operation(_) => row(Breaking, Breaking, Major, Major),
        // An operation id is not on the wire, but the names of this crate's calls hang on it.
        Kind::OperationId(Edit::Added) => row(Compatible, Compatible, Patch, Patch),
        Kind::OperationId(_) => row(Compatible, Compatible, Major, Major),
        // Who may call, and where the calls go: never in silence.
        Kind::Security(_) | Kind::SecurityAlternative(Edit::Removed) => row(Breaking, Breaking, Major, Major),
        Kind::SecurityAlternative(_) => row(Risky, Risky, Patch, Patch),
        Kind::Server(Edit::Added) => row(Risky, Risky, Patch, Patch),
        Kind::Server(_) => row(Breaking, Breaking, Major, Major),
        Kind::Status { edit: Edit::Added, success: true } => row(Risky, Risky, Minor, Minor),
        Kind::Status { edit: Edit::Added, .. } => row(Compatible, Compatible, Nothing, Nothing),
        Kind::Status { success: true, .. } => row(Breaking, Breaking, Patch, Patch),
        Kind::Status { .. } => row(Compatible, Risky, Nothing, Nothing),
        Kind::MediaType(Edit::Added) => row(Compatible, Compatible, Nothing, Nothing),
        Kind::MediaType(_) => row(Breaking, Breaking, Major, Major),
        Kind::Encoding => row(Breaking, Risky, Major, Nothing),
        // Parameters, headers, properties, bodies.
        Kind::Member { edit: Edit::Added, required: true } => row(Breaking, Compatible, Major, Minor),
        Kind::Member { edit: Edit::Added, required: false } => row(Compatible, Compatible, Minor, Minor),
        Kind::Member { required: true, .. } => row(Risky, Breaking, Major, Major),
        Kind::Member { required: false, .. } => row(Risky, Risky, Major, Major),
        Kind::Required(true) => row(Breaking, Compatible, Major, Major),
        Kind::Required(false) => row(Compatible, Breaking, Major, Major),
        Kind::Style | Kind::Explode | Kind::Location => row(Breaking, Risky, Patch, Patch),
        Kind::AllowReserved(true) | Kind::AllowEmptyValue(true) => row(Compatible, Compatible, Nothing, Nothing),
        Kind::AllowReserved(_) | Kind::AllowEmptyValue(_) => row(Breaking, Compatible, Patch, Nothing),
        // Types and what they allow.
        Kind::Type => row(Breaking, Breaking, Major, Major),
        Kind::Format(Edit::Added) => row(Risky, Compatible, Patch, Nothing),
        Kind::Format(Edit::Removed) => row(Compatible, Risky, Patch, Nothing),
        Kind::Format(Edit::Changed) => row(Risky, Risky, Patch, Nothing),
        Kind::Pattern(Edit::Added) | Kind::MultipleOf(Edit::Added) | Kind::Not(Edit::Added) => tighter,
        Kind::Pattern(Edit::Removed) | Kind::MultipleOf(Edit::Removed) | Kind::Not(Edit::Removed) => looser,
        Kind::Pattern(Edit::Changed) | Kind::MultipleOf(Edit::Changed) | Kind::Not(Edit::Changed) => {
            row(Breaking, Risky, Patch, Nothing)
        }
        Kind::Limit(limit, moved) => match (moved, limit.is_upper()) {
            (Move::Set, _) | (Move::Decreased, true) | (Move::Increased, false) => tighter,
            _ => looser,
        },
        Kind::Flag(Flag::UniqueItems, true) => tighter,
        Kind::Flag(Flag::UniqueItems, false) => looser,
        // Open enums: a new value costs a variant, not a reader.
        Kind::EnumValue(Edit::Added) => row(Compatible, Risky, Minor, Minor),
        Kind::EnumValue(_) => row(Breaking, Compatible, Major, Major),
        Kind::Enum(Edit::Added) => row(Breaking, Compatible, Major, Major),
        Kind::Enum(_) => row(Compatible, Risky, Major, Major),
        Kind::Default(Edit::Added) => row(Compatible, Compatible, Patch, Nothing),
        Kind::Default(_) => row(Risky, Compatible, Patch, Nothing),
        Kind::Flag(Flag::Nullable, true) => row(Compatible, Breaking, Major, Major),
        Kind::Flag(Flag::Nullable, false) => row(Breaking, Compatible, Major, Major),
        Kind::Flag(Flag::ReadOnly, true) => row(Breaking, Compatible, Patch, Nothing),
        Kind::Flag(Flag::ReadOnly, false) => row(Compatible, Compatible, Patch, Nothing),
        Kind::Flag(Flag::WriteOnly, true) => row(Compatible, Breaking, Nothing, Patch),
        Kind::Flag(Flag::WriteOnly, false) => row(Compatible, Compatible, Nothing, Patch),
        Kind::Flag(Flag::Deprecated, _) => row(Compatible, Compatible, Patch, Patch),
        Kind::Additional(Additional::Forbidden) => tighter,
        Kind::Additional(Additional::Allowed) => looser,
        Kind::Additional(Additional::Typed) => row(Breaking, Compatible, Major, Major),
        Kind::Additional(Additional::Untyped) => row(Compatible, Breaking, Major, Major),
        Kind::Items(Edit::Removed) => row(Compatible, Breaking, Major, Major),
        Kind::Items(_) => row(Breaking, Compatible, Major, Major),
        Kind::Alternative(_, Edit::Added) => row(Compatible, Breaking, Major, Major),
        Kind::Alternative(_, Edit::Removed) => row(Breaking, Compatible, Major, Major),
        Kind::Alternative(..) => row(Breaking, Breaking, Major, Major),
        Kind::Became(crate::model::Choice::OneOf) => row(Risky, Compatible, Patch, Nothing),
        Kind::Became(crate::model::Choice::AnyOf) => row(Compatible, Risky, Patch, Nothing),
        Kind::Discriminator(_) => row(Breaking, Breaking, Major, Major),
        Kind::Mapping(Edit::Added) => row(Compatible, Risky, Minor, Minor),
        Kind::Mapping(Edit::Removed) => row(Breaking, Compatible, Major, Major),
        Kind::Mapping(Edit::Changed) => row(Breaking, Breaking, Major, Major),
    }
}

/// What a change is about beyond its rule, as far as the verdict depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    pub(crate) hint: Hint,
    /// Only request headers are concerned: the handwritten layer sends those.
    pub(crate) headers_only: bool,
    /// Every property concerned can be left out anyway, so its Rust type is an `Option` already.
    pub(crate) optional: bool,
}

/// The two verdicts on a change.
pub(crate) fn verdict(rule: Rule, circumstances: Circumstances) -> (Caller, Bump) {
    let mut row = of(rule.kind);
    match (rule.kind, circumstances.hint) {
        (Kind::Type, Hint::Wider) => row.request = Caller::Compatible,
        (Kind::Type, Hint::Narrower) => row.response = Caller::Compatible,
        (Kind::Format(_), Hint::RustType) => (row.sent, row.read) = (Bump::Major, Bump::Major),
        (Kind::MediaType(_), Hint::OtherMedia) => (row.sent, row.read) = (Bump::Nothing, Bump::Nothing),
        (Kind::Flag(Flag::Nullable, _), _) if circumstances.optional => {
            (row.sent, row.read) = (Bump::Patch, Bump::Nothing);
        }
        _ => {}
    }
    // No generated item comes from a header.
    if circumstances.headers_only || rule.noun == Noun::Header {
        (row.sent, row.read) = (row.sent.min(Bump::Patch), row.read.min(Bump::Patch));
    }
    match rule.direction {
        Direction::Request => (row.request, row.sent),
        Direction::Response => (row.response, row.read),
        Direction::Both => (row.request.max(row.response), row.sent.max(row.read)),
    }
}
