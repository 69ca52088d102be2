//! The facts a resolved schema states about the values it allows, each comparable on its own.
//!
//! How they are collected from a document is in [`super::collect`].

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::Number;

use super::document::Place;

/// A fact that a schema states at most once after all its parts are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Keyword {
    Type,
    Format,
    Pattern,
    Limit(Limit),
    MultipleOf,
    UniqueItems,
    Default,
    Nullable,
    ReadOnly,
    WriteOnly,
    Deprecated,
    AdditionalProperties,
}

/// The keywords that bound a size or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// `maximum`, with or without `exclusiveMaximum`.
    Max,
    /// `minimum`, with or without `exclusiveMinimum`.
    Min,
    /// `maxLength`
    MaxLength,
    /// `minLength`
    MinLength,
    /// `maxItems`
    MaxItems,
    /// `minItems`
    MinItems,
    /// `maxProperties`
    MaxProperties,
    /// `minProperties`
    MinProperties,
}

impl Limit {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Max,
        Self::Min,
        Self::MaxLength,
        Self::MinLength,
        Self::MaxItems,
        Self::MinItems,
        Self::MaxProperties,
        Self::MinProperties,
    ];

    /// The keyword as the document spells it.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Max => "maximum",
            Self::Min => "minimum",
            Self::MaxLength => "maxLength",
            Self::MinLength => "minLength",
            Self::MaxItems => "maxItems",
            Self::MinItems => "minItems",
            Self::MaxProperties => "maxProperties",
            Self::MinProperties => "minProperties",
        }
    }

    /// The keyword as rule ids spell it.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Min => "min",
            Self::MaxLength => "max-length",
            Self::MinLength => "min-length",
            Self::MaxItems => "max-items",
            Self::MinItems => "min-items",
            Self::MaxProperties => "max-properties",
            Self::MinProperties => "min-properties",
        }
    }

    /// Whether a higher number allows more.
    #[must_use]
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::Max | Self::MaxLength | Self::MaxItems | Self::MaxProperties)
    }
}

/// A bound and whether the value itself is out.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) at: Number,
    pub(crate) exclusive: bool,
}

impl Bound {
    /// `Less` when `self` comes before `other` on the number line; an exclusive upper bound lies just below its number
    /// and an exclusive lower bound just above it.
    pub(crate) fn position(&self, other: &Self, upper: bool) -> Ordering {
        let (less, more) =
            if upper { (Ordering::Less, Ordering::Greater) } else { (Ordering::Greater, Ordering::Less) };
        compare_numbers(&self.at, &other.at).then(match (self.exclusive, other.exclusive) {
            (true, false) => less,
            (false, true) => more,
            _ => Ordering::Equal,
        })
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// What a keyword states.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// A flag that is on; a flag that is off is no fact.
    On,
    /// One text, or several where parts of an `allOf` each state their own and all hold.
    Texts(BTreeSet<String>),
    /// The JSON types that are allowed.
    Types(BTreeSet<String>),
    /// Types demanded by different parts that no value can have at once.
    Conflict(BTreeSet<String>),
    Bound(Bound),
}

impl Fact {
    pub(crate) fn same(&self, other: &Self, keyword: Keyword) -> bool {
        match (self, other) {
            (Self::On, Self::On) => true,
            (Self::Texts(a), Self::Texts(b))
            | (Self::Types(a), Self::Types(b))
            | (Self::Conflict(a), Self::Conflict(b)) => a == b,
            (Self::Bound(a), Self::Bound(b)) => {
                let upper = matches!(keyword, Keyword::Limit(limit) if limit.is_upper());
                a.position(b, upper) == Ordering::Equal
            }
            _ => false,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |set: &BTreeSet<String>, by: &str| set.iter().cloned().collect::<Vec<_>>().join(by);
        match self {
            Self::On => f.write_str("true"),
            Self::Texts(texts) => f.write_str(&joined(texts, " and ")),
            Self::Types(types) => f.write_str(&joined(types, " or ")),
            Self::Conflict(types) => f.write_str(&joined(types, " and at once ")),
            Self::Bound(Bound { at, exclusive }) => {
                write!(f, "{at}{}", if *exclusive { " (exclusive)" } else { "" })
            }
        }
    }
}

/// A fact with the places that state it: one edit there moves every use of the fact.
#[derive(Debug, Clone)]
pub(crate) struct Stated {
    pub(crate) fact: Fact,
    pub(crate) by: Vec<Place>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(at: i64, exclusive: bool) -> Bound {
        Bound { at: at.into(), exclusive }
    }

    #[test]
    fn an_exclusive_bound_is_the_tighter_one() {
        assert_eq!(bound(10, true).position(&bound(10, false), true), Ordering::Less);
        assert_eq!(bound(10, true).position(&bound(10, false), false), Ordering::Greater);
        assert_eq!(bound(9, false).position(&bound(10, true), true), Ordering::Less);
    }

    #[test]
    fn whole_numbers_beyond_a_float_are_told_apart() {
        assert_eq!(
            compare_numbers(&9_007_199_254_740_993_i64.into(), &9_007_199_254_740_992_i64.into()),
            Ordering::Greater
        );
    }
}
