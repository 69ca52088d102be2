//! What the caller's Rust code notices between two generated surfaces: every difference, and the version it takes.
//!
//! This is the whole verdict for this crate. It knows the two surfaces and how Rust code uses them: structs are
//! `#[non_exhaustive]` and made by constructors, builders and setters, enums are open. It knows nothing of the documents,
//! and of no rule. Which change of the interface a difference comes from is worked out in [`super::measure`].

use std::collections::{BTreeMap, BTreeSet};

use crate::bindings::model::{Call, Construct, Field, Param, Presence, Shape, Surface, Type};
use crate::bindings::{names, rust};

use super::report::Section;
use super::verdict::Bump;

mod checks;

/// What a difference is about: a type or a call, and a field, value, variant or parameter of it.
///
/// A type is called as in the surface, a call by its id after [`CALL`], a member as on the wire; the thing itself has no
/// member.
pub(crate) type Thing = (String, String);

/// Stands before the id of a call, which no type's name can begin with.
pub(crate) const CALL: &str = "call ";

/// What became of an item that only says something else about itself.
pub(crate) const DOCUMENTATION: &str = "documentation";

/// A difference of two surfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) thing: Thing,
    /// As Rust calls it: `types::Card::eci`, `Transactions::list(limit)`.
    pub(crate) item: String,
    pub(crate) bump: Bump,
    pub(crate) section: Section,
    /// What became of it: `Option<String> -> Option<Eci>`.
    pub(crate) what: String,
}

/// Every difference, by item.
pub(crate) fn differences(old: &Surface, new: &Surface) -> Vec<Found> {
    let mut differ = Differ { found: Vec::new() };
    for (before, after) in pairs(&old.types, &new.types, |known| known.name.clone()) {
        match (before, after) {
            (Some(before), Some(after)) => differ.types(before, after),
            (Some(gone), None) => differ.whole(gone, false),
            (None, Some(come)) => differ.whole(come, true),
            (None, None) => {}
        }
    }
    for (before, after) in pairs(&old.calls, &new.calls, |call| call.id.clone()) {
        match (before, after) {
            (Some(before), Some(after)) => differ.calls(before, after),
            (Some(gone), None) => differ.call(gone, false),
            (None, Some(come)) => differ.call(come, true),
            (None, None) => {}
        }
    }
    checks::compare(&mut differ, old, new);
    let mut found = differ.found;
    found.sort_by(|a, b| (&a.item, &a.what, &a.thing).cmp(&(&b.item, &b.what, &b.thing)));
    // A type that several calls send is checked alike in each.
    found.dedup();
    found
}

/// The item that stands for a thing in a surface.
pub(crate) fn item(surface: &Surface, thing: &Thing) -> Option<String> {
    let (owner, member) = thing;
    if let Some(id) = owner.strip_prefix(CALL) {
        let call = surface.calls.iter().find(|call| call.id == id)?;
        let mut params = call.path_params.iter().chain(&call.query);
        return Some(params.find(|param| param.name == *member).map_or_else(|| call_item(call), |it| param(call, it)));
    }
    let known = surface.find(owner)?;
    let inner = match &known.shape {
        Shape::Struct { fields, .. } => fields.iter().find(|it| it.json == *member).map(|it| &it.rust),
        Shape::Enum { values } => values.iter().find(|it| it.json == *member).map(|it| &it.rust),
        Shape::Choice { variants, .. } => variants.iter().find(|it| it.tag == *member).map(|it| &it.rust),
        Shape::Provided { .. } => None,
    };
    Some(inner.map_or_else(|| type_item(owner), |inner| inner_item(owner, inner)))
}

fn type_item(name: &str) -> String {
    format!("types::{name}")
}

fn inner_item(owner: &str, inner: &str) -> String {
    format!("types::{owner}::{inner}")
}

fn call_item(call: &Call) -> String {
    format!("{}::{}", names::variant_of_id(&call.group), call.name)
}

fn param(call: &Call, param: &Param) -> String {
    format!("{}({})", call_item(call), param.rust)
}

/// Both sides of everything, by a name.
fn pairs<'a, T, K: Ord>(old: &'a [T], new: &'a [T], key: impl Fn(&T) -> K) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut all: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    old.iter().for_each(|one| all.entry(key(one)).or_default().0 = Some(one));
    new.iter().for_each(|one| all.entry(key(one)).or_default().1 = Some(one));
    all.into_values().collect()
}

fn described(known: &Type) -> String {
    match &known.shape {
        Shape::Struct { fields, .. } => format!("a struct of {}", super::text::counted(fields.len(), "field")),
        Shape::Enum { values } => format!("an enum of {}", super::text::counted(values.len(), "value")),
        Shape::Choice { variants, .. } => format!("a choice of {}", super::text::counted(variants.len(), "variant")),
        Shape::Provided { path } => path.clone(),
    }
}

/// How a type is made, as its callers write it: the name of the function and what it takes.
fn constructor(fields: &[Field], construct: &Construct) -> Option<String> {
    let taken = |names: &[String]| {
        let one = |name: &String| {
            let kind = fields.iter().find(|field| field.rust == *name).map(|field| rust::text(&field.kind));
            format!("{name}: {}", kind.unwrap_or_default())
        };
        names.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    match construct {
        Construct::None => None,
        Construct::New { arguments } => Some(format!("new({})", taken(arguments))),
        Construct::Builder { fields } => Some(format!("builder({})", taken(fields))),
    }
}

struct Differ {
    found: Vec<Found>,
}

impl Differ {
    fn push(&mut self, thing: (&str, &str), item: String, bump: Bump, section: Section, what: String) {
        let thing = (thing.0.to_owned(), thing.1.to_owned());
        self.found.push(Found { thing, item, bump, section, what });
    }

    /// Something that came or went as a whole.
    fn present(&mut self, thing: (&str, &str), item: String, came: bool, what: String) {
        let (bump, section) = if came { (Bump::Minor, Section::Added) } else { (Bump::Major, Section::Removed) };
        self.push(thing, item, bump, section, what);
    }

    /// Something that code may use only where it is there.
    fn optional(&mut self, thing: (&str, &str), item: &str, old: Option<String>, new: Option<String>) {
        match (old, new) {
            (None, Some(new)) => self.present(thing, item.to_owned(), true, new),
            (Some(old), None) => self.present(thing, item.to_owned(), false, old),
            (old, new) => self.changed(thing, item, old.as_deref(), new.as_deref()),
        }
    }

    /// Something that code relies on as it is.
    fn changed(&mut self, thing: (&str, &str), item: &str, old: Option<&str>, new: Option<&str>) {
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            self.push(thing, item.to_owned(), Bump::Major, Section::Changed, format!("{old} -> {new}"));
        }
    }

    /// What no code is written against.
    fn behaviour(&mut self, thing: (&str, &str), item: &str, old: &str, new: &str) {
        if old != new {
            self.push(thing, item.to_owned(), Bump::Patch, Section::Changed, format!("{old} -> {new}"));
        }
    }

    fn doc(&mut self, thing: (&str, &str), item: &str, old: &str, new: &str) {
        if old != new {
            self.push(thing, item.to_owned(), Bump::Patch, Section::Changed, DOCUMENTATION.to_owned());
        }
    }

    fn whole(&mut self, known: &Type, came: bool) {
        self.present((&known.name, ""), type_item(&known.name), came, described(known));
    }

    fn types(&mut self, old: &Type, new: &Type) {
        let name = old.name.as_str();
        let (whole, item) = ((name, ""), type_item(name));
        // A handwritten type says itself what it is.
        if !matches!(new.shape, Shape::Provided { .. }) {
            self.doc(whole, &item, &old.doc, &new.doc);
        }
        match (&old.shape, &new.shape) {
            (
                Shape::Struct { fields: before, keeps_unknown: kept, construct: was, restates: from },
                Shape::Struct { fields: after, keeps_unknown: keeps, construct: is, restates: to },
            ) => {
                for (before, after) in pairs(before, after, |field| field.json.clone()) {
                    self.fields(name, before, after);
                }
                let extra = |kept: bool| kept.then(|| "keeps unknown fields".to_owned());
                self.optional(whole, &format!("{item}::extra"), extra(*kept), extra(*keeps));
                let own = |fields, construct| constructor(fields, construct);
                self.optional(whole, &item, own(before, was), own(after, is));
                let empty = |known: &Type, fields: &[Field]| {
                    let is_empty = fields.iter().all(|field| field.presence != Presence::Required);
                    (known.direction.is_sent() && is_empty).then(|| "implements Default".to_owned())
                };
                self.optional(whole, &item, empty(old, before), empty(new, after));
                let restated = |of: &Option<String>| of.iter().map(|of| format!("implements From<{of}>")).next();
                match (restated(from), restated(to)) {
                    (one, other) if one == other => {}
                    (gone, come) => {
                        self.optional(whole, &item, gone, None);
                        self.optional(whole, &item, None, come);
                    }
                }
            }
            (Shape::Enum { values: before }, Shape::Enum { values: after }) => {
                for (before, after) in pairs(before, after, |value| value.json.clone()) {
                    let one = before.or(after);
                    let (json, rust) = one.map(|one| (one.json.as_str(), one.rust.as_str())).unwrap_or_default();
                    let inner = inner_item(name, rust);
                    match (before, after) {
                        (Some(before), Some(after)) => {
                            self.changed((name, json), &inner, Some(&before.rust), Some(&after.rust));
                        }
                        (before, _) => {
                            let bump = if before.is_some() { Bump::Major } else { Bump::Minor };
                            let word = if before.is_some() { "removed" } else { "added" };
                            self.push((name, json), inner, bump, Section::Enums, format!("{word} {json:?}"));
                        }
                    }
                }
            }
            (Shape::Choice { property: was, variants: before }, Shape::Choice { property: is, variants: after }) => {
                self.behaviour(whole, &item, &format!("told by `{was}`"), &format!("told by `{is}`"));
                for (before, after) in pairs(before, after, |variant| variant.tag.clone()) {
                    let one = before.or(after);
                    let (tag, rust) = one.map(|one| (one.tag.as_str(), one.rust.as_str())).unwrap_or_default();
                    let shown = |one: Option<&crate::bindings::model::Variant>| {
                        one.map(|one| format!("{}({})", one.rust, one.target))
                    };
                    self.optional((name, tag), &inner_item(name, rust), shown(before), shown(after));
                }
            }
            (before, after) => {
                if before != after {
                    self.changed(whole, &item, Some(&described(old)), Some(&described(new)));
                }
            }
        }
    }

    fn fields(&mut self, owner: &str, before: Option<&Field>, after: Option<&Field>) {
        let Some(field) = before.or(after) else { return };
        let (thing, item) = ((owner, field.json.as_str()), inner_item(owner, &field.rust));
        let (Some(before), Some(after)) = (before, after) else {
            return self.optional(thing, &item, before.map(rust::field_text), after.map(rust::field_text));
        };
        self.changed(thing, &item, Some(&before.rust), Some(&after.rust));
        self.changed(thing, &item, Some(&rust::field_text(before)), Some(&rust::field_text(after)));
        let setter = |field: &Field| field.setter.as_ref().map(|setter| format!("set by {setter}()"));
        self.optional(thing, &item, setter(before), setter(after));
        self.doc(thing, &item, &before.doc, &after.doc);
    }

    fn call(&mut self, call: &Call, came: bool) {
        let what = format!("{} {}", call.method, call.path);
        self.present((&format!("{CALL}{}", call.id), ""), call_item(call), came, what);
    }

    fn calls(&mut self, old: &Call, new: &Call) {
        let (owner, item) = (format!("{CALL}{}", old.id), call_item(old));
        let whole = (owner.as_str(), "");
        self.changed(whole, &item, Some(&item), Some(&call_item(new)));
        let route = |call: &Call| format!("{} {}", call.method, call.path);
        self.behaviour(whole, &item, &route(old), &route(new));
        let retry = |call: &Call| if call.reads_only { "only reads" } else { "acts" };
        self.behaviour(whole, &item, retry(old), retry(new));
        self.doc(whole, &item, &old.doc, &new.doc);
        self.changed(whole, &item, Some(&taken(old)), Some(&taken(new)));
        let result = |call: &Call| match &call.result {
            Some(result) => result.clone(),
            None if call.response.list => format!("Vec<{}>", call.response.target),
            None => call.response.target.clone(),
        };
        self.changed(whole, &item, Some(&format!("gives {}", result(old))), Some(&format!("gives {}", result(new))));
        let toggles = |call: &Call| call.toggles.as_ref().map(|toggles| format!("toggles of {toggles}"));
        self.optional(whole, &item, toggles(old), toggles(new));
        let paging = |call: &Call| call.paging.as_ref().map(|_| "pages and rows".to_owned());
        self.optional(whole, &item, paging(old), paging(new));
        if old.paging.is_some() && new.paging.is_some() && old.paging != new.paging {
            self.behaviour(whole, &item, "pages", "pages of another form");
        }
        for (before, after) in pairs(&old.query, &new.query, |param| param.name.clone()) {
            let Some(one) = before.or(after) else { continue };
            let (thing, item) = ((owner.as_str(), one.name.as_str()), param(old, one));
            // What is required is an argument of the call, compared above.
            let setter = |param: Option<&Param>| {
                let param = param.filter(|param| !param.required)?;
                Some(format!("{}({})", param.setter, rust::text(&param.kind)))
            };
            self.optional(thing, &item, setter(before), setter(after));
            // Only a setter says what its parameter means.
            if let (Some(before), Some(after)) = (before.filter(|it| !it.required), after.filter(|it| !it.required)) {
                self.doc(thing, &item, &before.doc, &after.doc);
            }
        }
    }
}

/// The arguments of a call, by their types: names of arguments are nobody's.
fn taken(call: &Call) -> String {
    let required = call.query.iter().filter(|param| param.required);
    let params = call.path_params.iter().chain(required).map(|param| rust::text(&param.kind));
    let all: Vec<String> = params.chain(call.request.clone()).collect();
    format!("takes ({})", all.join(", "))
}

/// The types that a type leads to, with itself.
pub(crate) fn below<'s>(surface: &'s Surface, name: &'s str) -> BTreeSet<&'s str> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        let Some(known) = surface.find(next).filter(|known| found.insert(known.name.as_str())) else { continue };
        match &known.shape {
            Shape::Struct { fields, .. } => open.extend(fields.iter().filter_map(|field| held(&field.kind))),
            Shape::Choice { variants, .. } => open.extend(variants.iter().map(|variant| variant.target.as_str())),
            Shape::Enum { .. } | Shape::Provided { .. } => {}
        }
    }
    found
}

/// The type that a kind holds, through lists and maps.
pub(crate) fn held(kind: &crate::bindings::model::Kind) -> Option<&str> {
    use crate::bindings::model::Kind;
    match kind {
        Kind::List(inner) | Kind::Map(inner) => held(inner),
        Kind::Type(name) => Some(name),
        _ => None,
    }
}
