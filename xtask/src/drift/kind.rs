//! Every kind of change that is told apart, with the words for it in rule ids, and its mirror.
//!
//! Put together with a thing and a direction it is a rule: [`super::rules`].

use super::rules::Noun;
use crate::model::{Choice, Limit};

/// Whether something came, went, or became something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edit {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

impl Edit {
    pub(super) const ALL: [Self; 3] = [Self::Added, Self::Removed, Self::Changed];

    const fn mirror(self) -> Self {
        match self {
            Self::Added => Self::Removed,
            Self::Removed => Self::Added,
            Self::Changed => Self::Changed,
        }
    }

    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// How a bound moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// There was none.
    Set,
    /// There is none any more.
    Unset,
    /// It went up.
    Increased,
    /// It went down.
    Decreased,
}

impl Move {
    pub(super) const ALL: [Self; 4] = [Self::Set, Self::Unset, Self::Increased, Self::Decreased];

    const fn mirror(self) -> Self {
        match self {
            Self::Set => Self::Unset,
            Self::Unset => Self::Set,
            Self::Increased => Self::Decreased,
            Self::Decreased => Self::Increased,
        }
    }

    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Unset => "unset",
            Self::Increased => "increased",
            Self::Decreased => "decreased",
        }
    }
}

/// Flags of a schema that are on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `nullable`
    Nullable,
    /// `readOnly`
    ReadOnly,
    /// `writeOnly`
    WriteOnly,
    /// `uniqueItems`
    UniqueItems,
    /// `deprecated`, of a property, a parameter, a header or an operation
    Deprecated,
}

/// What a change is, apart from the thing it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The JSON type, alone or with everything that hangs on it.
    Type,
    /// `format`
    Format(Edit),
    /// `pattern`
    Pattern(Edit),
    /// A bound of a size or a value.
    Limit(Limit, Move),
    /// `multipleOf`
    MultipleOf(Edit),
    /// One value of an enum that both sides have.
    EnumValue(Edit),
    /// The whole enum.
    Enum(Edit),
    /// `default`
    Default(Edit),
    /// A flag that went on (`true`) or off.
    Flag(Flag, bool),
    /// Properties without a name of their own: forbidden, allowed, given a schema, or left without one.
    Additional(Additional),
    /// The schema of the elements of an array.
    Items(Edit),
    /// `not`
    Not(Edit),
    /// An alternative of `oneOf` or `anyOf`.
    Alternative(Choice, Edit),
    /// `oneOf` and `anyOf` took each other's place; this is the one it became.
    Became(Choice),
    /// The discriminator, or (changed) the property it reads.
    Discriminator(Edit),
    /// One value of the discriminator.
    Mapping(Edit),
    /// A property, parameter, header or body that came or went; `required` tells whether it was demanded.
    Member {
        /// Came or went.
        edit: Edit,
        /// Whether it is, or was, required.
        required: bool,
    },
    /// Something both sides have became required (`true`) or optional.
    Required(bool),
    /// How a parameter is written out.
    Style,
    /// Whether a parameter's parts are written out one by one.
    Explode,
    /// Whether a parameter may hold reserved characters.
    AllowReserved(bool),
    /// Whether a parameter may be empty.
    AllowEmptyValue(bool),
    /// A parameter moved, for example from the query to a header.
    Location,
    /// A media type of a body.
    MediaType(Edit),
    /// How the parts of a form are encoded.
    Encoding,
    /// A status of an operation.
    Status {
        /// Came or went.
        edit: Edit,
        /// Whether it stands for success.
        success: bool,
    },
    /// A path with all its operations.
    Path(Edit),
    /// One method of a path that both sides have.
    Operation(Edit),
    /// `operationId`
    OperationId(Edit),
    /// The whole security of an operation, or (changed) what it demands.
    Security(Edit),
    /// One way among several to satisfy the security of an operation.
    SecurityAlternative(Edit),
    /// A server of an operation.
    Server(Edit),
}

/// What became of the properties without a name of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Additional {
    /// They may no longer be there.
    Forbidden,
    /// They may be there again.
    Allowed,
    /// They got a schema.
    Typed,
    /// They lost their schema.
    Untyped,
}

pub(super) fn suffix(kind: Kind) -> String {
    let edited = |what: &str, edit: Edit| format!("{what}-{}", edit.slug());
    match kind {
        Kind::Type => "type-changed".to_owned(),
        Kind::Format(edit) => edited("format", edit),
        Kind::Pattern(edit) => edited("pattern", edit),
        Kind::Limit(limit, moved) => format!("{}-{}", limit.slug(), moved.slug()),
        Kind::MultipleOf(edit) => edited("multiple-of", edit),
        Kind::EnumValue(edit) => edited("enum-value", edit),
        Kind::Enum(Edit::Removed) => "became-not-enum".to_owned(),
        Kind::Enum(_) => "became-enum".to_owned(),
        Kind::Default(edit) => edited("default-value", edit),
        Kind::Flag(flag, on) => match (flag, on) {
            (Flag::Nullable, true) => "became-nullable",
            (Flag::Nullable, false) => "became-not-nullable",
            (Flag::ReadOnly, true) => "became-read-only",
            (Flag::ReadOnly, false) => "became-not-read-only",
            (Flag::WriteOnly, true) => "became-write-only",
            (Flag::WriteOnly, false) => "became-not-write-only",
            (Flag::UniqueItems, true) => "unique-items-set",
            (Flag::UniqueItems, false) => "unique-items-unset",
            (Flag::Deprecated, true) => "deprecated",
            (Flag::Deprecated, false) => "reactivated",
        }
        .to_owned(),
        Kind::Additional(additional) => match additional {
            Additional::Forbidden => "additional-properties-forbidden",
            Additional::Allowed => "additional-properties-allowed",
            Additional::Typed => "additional-properties-typed",
            Additional::Untyped => "additional-properties-untyped",
        }
        .to_owned(),
        Kind::Items(edit) => edited("items", edit),
        Kind::Not(edit) => edited("not", edit),
        Kind::Alternative(Choice::OneOf, edit) => edited("one-of", edit),
        Kind::Alternative(Choice::AnyOf, edit) => edited("any-of", edit),
        Kind::Became(Choice::OneOf) => "any-of-became-one-of".to_owned(),
        Kind::Became(Choice::AnyOf) => "one-of-became-any-of".to_owned(),
        Kind::Discriminator(edit) => edited("discriminator", edit),
        Kind::Mapping(edit) => edited("discriminator-mapping", edit),
        Kind::Required(true) => "became-required".to_owned(),
        Kind::Required(false) => "became-optional".to_owned(),
        Kind::Style => "style-changed".to_owned(),
        Kind::Explode => "explode-changed".to_owned(),
        Kind::AllowReserved(true) => "allow-reserved-set".to_owned(),
        Kind::AllowReserved(false) => "allow-reserved-unset".to_owned(),
        Kind::AllowEmptyValue(true) => "allow-empty-value-set".to_owned(),
        Kind::AllowEmptyValue(false) => "allow-empty-value-unset".to_owned(),
        Kind::Location => "location-changed".to_owned(),
        Kind::MediaType(edit) => edited("media-type", edit),
        Kind::Encoding => "encoding-changed".to_owned(),
        // The others have ids of their own form.
        Kind::Member { edit, .. }
        | Kind::Status { edit, .. }
        | Kind::Path(edit)
        | Kind::Operation(edit)
        | Kind::OperationId(edit)
        | Kind::Security(edit)
        | Kind::SecurityAlternative(edit)
        | Kind::Server(edit) => edit.slug().to_owned(),
    }
}

impl Kind {
    /// What the exchanged documents show.
    #[must_use]
    pub const fn mirror(self) -> Self {
        match self {
            Self::Format(edit) => Self::Format(edit.mirror()),
            Self::Pattern(edit) => Self::Pattern(edit.mirror()),
            Self::Limit(limit, moved) => Self::Limit(limit, moved.mirror()),
            Self::MultipleOf(edit) => Self::MultipleOf(edit.mirror()),
            Self::EnumValue(edit) => Self::EnumValue(edit.mirror()),
            Self::Enum(edit) => Self::Enum(edit.mirror()),
            Self::Default(edit) => Self::Default(edit.mirror()),
            Self::Flag(flag, on) => Self::Flag(flag, !on),
            Self::Additional(additional) => Self::Additional(match additional {
                Additional::Forbidden => Additional::Allowed,
                Additional::Allowed => Additional::Forbidden,
                Additional::Typed => Additional::Untyped,
                Additional::Untyped => Additional::Typed,
            }),
            Self::Items(edit) => Self::Items(edit.mirror()),
            Self::Not(edit) => Self::Not(edit.mirror()),
            Self::Alternative(choice, edit) => Self::Alternative(choice, edit.mirror()),
            Self::Became(Choice::OneOf) => Self::Became(Choice::AnyOf),
            Self::Became(Choice::AnyOf) => Self::Became(Choice::OneOf),
            Self::Discriminator(edit) => Self::Discriminator(edit.mirror()),
            Self::Mapping(edit) => Self::Mapping(edit.mirror()),
            Self::Member { edit, required } => Self::Member { edit: edit.mirror(), required },
            Self::Required(required) => Self::Required(!required),
            Self::AllowReserved(on) => Self::AllowReserved(!on),
            Self::AllowEmptyValue(on) => Self::AllowEmptyValue(!on),
            Self::MediaType(edit) => Self::MediaType(edit.mirror()),
            Self::Status { edit, success } => Self::Status { edit: edit.mirror(), success },
            Self::Path(edit) => Self::Path(edit.mirror()),
            Self::Operation(edit) => Self::Operation(edit.mirror()),
            Self::OperationId(edit) => Self::OperationId(edit.mirror()),
            Self::Security(edit) => Self::Security(edit.mirror()),
            Self::SecurityAlternative(edit) => Self::SecurityAlternative(edit.mirror()),
            Self::Server(edit) => Self::Server(edit.mirror()),
            Self::Type | Self::Style | Self::Explode | Self::Location | Self::Encoding => self,
        }
    }

    /// Every kind there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        const PRESENCE: [Edit; 2] = [Edit::Added, Edit::Removed];
        let mut all = vec![Self::Path(Edit::Added), Self::Path(Edit::Removed)];
        all.extend(PRESENCE.map(Self::Operation));
        all.extend(Edit::ALL.map(Self::OperationId));
        all.extend(Edit::ALL.map(Self::Security));
        all.extend(PRESENCE.map(Self::SecurityAlternative));
        all.extend(Edit::ALL.map(Self::Server));
        for success in [true, false] {
            all.extend(PRESENCE.map(|edit| Self::Status { edit, success }));
        }
        all.extend(Edit::ALL.map(Self::MediaType));
        for required in [true, false] {
            all.extend(PRESENCE.map(|edit| Self::Member { edit, required }));
        }
        for on in [true, false] {
            all.push(Self::Required(on));
            let flags = [Flag::Nullable, Flag::ReadOnly, Flag::WriteOnly, Flag::UniqueItems, Flag::Deprecated];
            all.extend(flags.map(|flag| Self::Flag(flag, on)));
            all.push(Self::AllowReserved(on));
            all.push(Self::AllowEmptyValue(on));
        }
        all.push(Self::Type);
        for edit in Edit::ALL {
            all.extend([Self::Format(edit), Self::Pattern(edit), Self::MultipleOf(edit), Self::Default(edit)]);
            all.extend([Choice::OneOf, Choice::AnyOf].map(|choice| Self::Alternative(choice, edit)));
            all.extend([Self::Not(edit), Self::Discriminator(edit), Self::Mapping(edit)]);
        }
        for edit in PRESENCE {
            all.extend([Self::EnumValue(edit), Self::Enum(edit), Self::Items(edit)]);
        }
        for limit in Limit::ALL {
            all.extend(Move::ALL.map(|moved| Self::Limit(limit, moved)));
        }
        all.extend(
            [Additional::Forbidden, Additional::Allowed, Additional::Typed, Additional::Untyped].map(Self::Additional),
        );
        all.extend([Choice::OneOf, Choice::AnyOf].map(Self::Became));
        all.extend([Self::Style, Self::Explode, Self::Location, Self::Encoding]);
        all
    }

    /// Whether a change of this kind can happen to such a thing.
    #[must_use]
    pub const fn happens_to(self, noun: Noun) -> bool {
        match self {
            Self::Path(_)
            | Self::Operation(_)
            | Self::OperationId(_)
            | Self::Security(_)
            | Self::SecurityAlternative(_)
            | Self::Server(_)
            | Self::Status { .. } => matches!(noun, Noun::Endpoint),
            Self::MediaType(_) => matches!(noun, Noun::Body),
            Self::Encoding => matches!(noun, Noun::Body),
            Self::Style | Self::Explode => matches!(noun, Noun::Parameter | Noun::Header),
            Self::AllowReserved(_) | Self::AllowEmptyValue(_) | Self::Location => matches!(noun, Noun::Parameter),
            Self::Flag(Flag::Deprecated, _) => true,
            _ => !matches!(noun, Noun::Endpoint),
        }
    }
}
