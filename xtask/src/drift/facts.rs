//! Comparing what two schemas say on their own: types, flags, bounds, texts, enums.
//!
//! What lies below them is compared in [`super::schema`].

use std::collections::BTreeSet;

use super::delta::{Delta, Hint};
use super::rules::{Edit, Flag, Kind, Move};
use super::schema::{Comparer, Found};
use crate::model::document::Place;
use crate::model::fact::{Fact, Keyword, Limit, Stated};
use crate::model::schema::Values;
use crate::model::{Model, SchemaId};

/// A rule that comes, goes or changes with its text.
type TextRule = (Keyword, fn(Edit) -> Kind);

impl Comparer<'_> {
    /// What both sides state under a keyword.
    pub(super) fn stated(&self, old: SchemaId, new: SchemaId, keyword: Keyword) -> (Option<&Stated>, Option<&Stated>) {
        (self.old.get(old).facts.get(&keyword), self.new.get(new).facts.get(&keyword))
    }

    /// Compares the types; true when what hangs on them cannot be compared.
    pub(super) fn types(&self, old: SchemaId, new: SchemaId, found: &mut Found) -> bool {
        let (before, after) = self.stated(old, new, Keyword::Type);
        let same = match (before, after) {
            (None, None) => true,
            (Some(a), Some(b)) => a.fact.same(&b.fact, Keyword::Type),
            _ => false,
        };
        if same {
            return false;
        }
        let (width, disjoint) = relation(before, after);
        let one_sided = self.old.get(old).groups.is_empty() != self.new.get(new).groups.is_empty();
        let replaced = disjoint || one_sided;
        let mut delta = Delta::new(Kind::Type).hint(if one_sided { Hint::None } else { width });
        if replaced {
            let texts = (self.old.summary(old), self.new.summary(new));
            let digests = (self.old.digest(old), self.new.digest(new));
            delta = delta
                .was(Some(texts.0), &by(before))
                .is(Some(texts.1), &by(after))
                .digest(format!("{} {}", digests.0, digests.1));
        } else {
            let formats = self.stated(old, new, Keyword::Format);
            let text = |stated: Option<&Stated>, format: Option<&Stated>| {
                let name = stated.map_or_else(|| "any".to_owned(), |stated| stated.fact.to_string());
                Some(format.map_or(name.clone(), |format| format!("{name} ({})", format.fact)))
            };
            delta = delta.was(text(before, formats.0), &by(before)).is(text(after, formats.1), &by(after));
        }
        found.deltas.push(delta);
        replaced
    }

    pub(super) fn flag(&self, old: SchemaId, new: SchemaId, keyword: Keyword, flag: Flag, found: &mut Found) {
        let (before, after) = self.stated(old, new, keyword);
        if before.is_some() != after.is_some() {
            let text = |on: bool| Some(on.to_string());
            found.deltas.push(
                Delta::new(Kind::Flag(flag, after.is_some()))
                    .was(text(before.is_some()), &by(before))
                    .is(text(after.is_some()), &by(after)),
            );
        }
    }

    pub(super) fn texts(&self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let (type_before, type_after) = self.stated(old, new, Keyword::Type);
        let same_type = match (type_before, type_after) {
            (Some(a), Some(b)) => a.fact.same(&b.fact, Keyword::Type),
            (None, None) => true,
            _ => false,
        };
        let kinds: [TextRule; 4] = [
            (Keyword::Format, Kind::Format),
            (Keyword::Pattern, Kind::Pattern),
            (Keyword::MultipleOf, Kind::MultipleOf),
            (Keyword::Default, Kind::Default),
        ];
        for (keyword, kind) in kinds {
            // A format changes along with its type.
            if keyword == Keyword::Format && !same_type {
                continue;
            }
            let (before, after) = self.stated(old, new, keyword);
            let edit = match (before, after) {
                (None, Some(_)) => Edit::Added,
                (Some(_), None) => Edit::Removed,
                (Some(a), Some(b)) if !a.fact.same(&b.fact, keyword) => Edit::Changed,
                _ => continue,
            };
            found.deltas.push(Delta::new(kind(edit)).was(shown(before), &by(before)).is(shown(after), &by(after)));
        }
    }

    pub(super) fn limits(&self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let bounded = |resolver: &Model<'_>, id| {
            resolver.get(id).facts.keys().any(|keyword| matches!(keyword, Keyword::Limit(_)))
        };
        if !bounded(self.old, old) && !bounded(self.new, new) {
            return;
        }
        for limit in Limit::ALL {
            let (before, after) = self.stated(old, new, Keyword::Limit(limit));
            let moved = match (before.map(|stated| &stated.fact), after.map(|stated| &stated.fact)) {
                (None, Some(_)) => Move::Set,
                (Some(_), None) => Move::Unset,
                (Some(Fact::Bound(a)), Some(Fact::Bound(b))) => match a.position(b, limit.is_upper()) {
                    std::cmp::Ordering::Less => Move::Increased,
                    std::cmp::Ordering::Greater => Move::Decreased,
                    std::cmp::Ordering::Equal => continue,
                },
                _ => continue,
            };
            found.deltas.push(
                Delta::new(Kind::Limit(limit, moved)).was(shown(before), &by(before)).is(shown(after), &by(after)),
            );
        }
    }

    pub(super) fn values(&self, old: SchemaId, new: SchemaId, found: &mut Found) {
        let (before, after) = (&self.old.get(old).values, &self.new.get(new).values);
        let all = |values: &Values| Some(values.allowed.keys().cloned().collect::<Vec<_>>().join(", "));
        match (before, after) {
            (None, None) => {}
            (None, Some(after)) => {
                found.deltas.push(Delta::new(Kind::Enum(Edit::Added)).is(all(after), &after.by));
            }
            (Some(before), None) => {
                found.deltas.push(Delta::new(Kind::Enum(Edit::Removed)).was(all(before), &before.by));
            }
            (Some(before), Some(after)) => {
                for (value, by) in &before.allowed {
                    if !after.allowed.contains_key(value) {
                        let delta = Delta::new(Kind::EnumValue(Edit::Removed)).about(value);
                        found.deltas.push(delta.was(Some(value.clone()), by));
                    }
                }
                for (value, by) in &after.allowed {
                    if !before.allowed.contains_key(value) {
                        let delta = Delta::new(Kind::EnumValue(Edit::Added)).about(value);
                        found.deltas.push(delta.is(Some(value.clone()), by));
                    }
                }
            }
        }
    }
}

pub(super) fn by(stated: Option<&Stated>) -> Vec<Place> {
    stated.map(|stated| stated.by.clone()).unwrap_or_default()
}

pub(super) fn shown(stated: Option<&Stated>) -> Option<String> {
    stated.map(|stated| stated.fact.to_string())
}

/// Which of two types takes in the other, and whether they have no value in common.
fn relation(before: Option<&Stated>, after: Option<&Stated>) -> (Hint, bool) {
    let types = |stated: Option<&Stated>| match stated.map(|stated| &stated.fact) {
        Some(Fact::Types(types)) => Some(types.clone()),
        Some(_) => Some(BTreeSet::new()),
        None => None,
    };
    let within = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.iter().all(|name| b.contains(name) || (name == "integer" && b.contains("number")))
    };
    match (types(before), types(after)) {
        (None, _) => (Hint::Narrower, false),
        (_, None) => (Hint::Wider, false),
        (Some(a), Some(b)) if a.is_empty() || b.is_empty() => (Hint::None, false),
        (Some(a), Some(b)) if within(&a, &b) => (Hint::Wider, false),
        (Some(a), Some(b)) if within(&b, &a) => (Hint::Narrower, false),
        (Some(a), Some(b)) => {
            let meets = a.iter().any(|name| {
                b.contains(name)
                    || (name == "integer" && b.contains("number"))
                    || (name == "number" && b.contains("integer"))
            });
            (Hint::None, !meets)
        }
    }
}
