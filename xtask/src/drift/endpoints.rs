//! Comparing the operations of two documents: what they are called, their requests and responses.
//!
//! Bodies, parameters and headers hand their schemas on to [`super::schema`]; here each gets the place from which its
//! differences are reached.

use std::collections::{BTreeMap, BTreeSet};

use super::delta::Delta;
use super::rules::{Direction, Edit, Flag, Kind, Noun};
use super::schema::{Comparer, PairId, come, gone};
use crate::model::Model;
use crate::model::document::Place;
use crate::model::operation::{Body, Key, Listed, Media, Operation, Parameter, ParameterKey, Response, normalised};
use crate::model::schema::Below;

/// A place outside of schemas where the interface can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spot {
    /// The operation: an index into the titles.
    pub(crate) endpoint: usize,
    pub(crate) direction: Direction,
    pub(crate) noun: Noun,
    /// `query limit`, `body application/json`, `200 application/json`, `200 header event-request-id`, `200`, or nothing.
    pub(crate) place: String,
}

/// What comparing the operations found.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Titles of the operations, with path parameters as the newer document names them.
    pub(crate) titles: Vec<String>,
    /// The keys of the same operations: what does not depend on the names of path parameters.
    pub(crate) keys: Vec<String>,
    /// Where schemas are entered.
    pub(crate) roots: Vec<(Spot, PairId)>,
    /// Differences outside of schemas: an index into the deltas of the comparer.
    pub(crate) found: Vec<(Spot, usize)>,
}

/// Compares all operations.
pub(crate) fn compare(comparer: &mut Comparer<'_>) -> Reached {
    let (before, after) = (comparer.old.operations(), comparer.new.operations());
    let mut reached = Reached::default();
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let paths = |side: &BTreeMap<Key, Operation>| side.keys().map(|key| key.path.clone()).collect::<BTreeSet<_>>();
    let (old_paths, new_paths) = (paths(before), paths(after));
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        let title = new.or(old).map(|endpoint| endpoint.title.clone()).unwrap_or_default();
        let endpoint = reached.titles.len();
        reached.titles.push(title);
        reached.keys.push(format!("{} {}", key.method.to_uppercase(), key.path));
        let names = normalised(new.or(old).map_or("", |endpoint| endpoint.path.as_str())).1;
        let mut side = Side { comparer: &mut *comparer, reached: &mut reached, endpoint, names };
        match (old, new) {
            (Some(old), Some(new)) => side.endpoint(old, new),
            (old, new) => {
                let known = old_paths.contains(&key.path) && new_paths.contains(&key.path);
                let edit = if old.is_some() { Edit::Removed } else { Edit::Added };
                let kind = if known { Kind::Operation(edit) } else { Kind::Path(edit) };
                // Methods of a path that comes or goes share the path, so they are one change.
                let subject = if known { String::new() } else { key.path.clone() };
                let text = |endpoint: Option<&Operation>| endpoint.map(|endpoint| endpoint.title.clone());
                let place = |endpoint: Option<&Operation>| {
                    endpoint.map(|endpoint| endpoint.place).into_iter().collect::<Vec<_>>()
                };
                let delta = Delta::new(kind).about(subject).was(text(old), &place(old)).is(text(new), &place(new));
                side.add(Direction::Both, Noun::Endpoint, String::new(), delta);
            }
        }
    }
    reached
}

struct Side<'c, 'a> {
    comparer: &'c mut Comparer<'a>,
    reached: &'c mut Reached,
    endpoint: usize,
    /// The names of the path parameters, as the title has them.
    names: Vec<String>,
}

impl Side<'_, '_> {
    /// A parameter as a caller calls it: those of the path are compared by their position.
    fn label(&self, key: &ParameterKey) -> String {
        let position = key.name.trim_matches(['{', '}']).parse::<usize>().ok().filter(|_| key.location == "path");
        let name = position.and_then(|position| self.names.get(position.checked_sub(1)?));
        name.map_or_else(|| key.label(), |name| format!("path {name}"))
    }

    fn add(&mut self, direction: Direction, noun: Noun, place: String, delta: Delta) {
        let index = self.comparer.add(delta);
        self.reached.found.push((Spot { endpoint: self.endpoint, direction, noun, place }, index));
    }

    fn enter(&mut self, direction: Direction, noun: Noun, place: &str, old: Option<&Below>, new: Option<&Below>) {
        let (old, new) = (self.comparer.old.or_any(old), self.comparer.new.or_any(new));
        let pair = self.comparer.pair(old, new);
        let spot = Spot { endpoint: self.endpoint, direction, noun, place: place.to_owned() };
        self.reached.roots.push((spot, pair));
    }

    fn endpoint(&mut self, old: &Operation, new: &Operation) {
        let whole = String::new;
        if old.id != new.id {
            let edit = edit(old.id.is_some(), new.id.is_some());
            let delta =
                Delta::new(Kind::OperationId(edit)).was(old.id.clone(), &[old.place]).is(new.id.clone(), &[new.place]);
            self.add(Direction::Both, Noun::Endpoint, whole(), delta);
        }
        if old.deprecated != new.deprecated {
            let delta = flag(Kind::Flag(Flag::Deprecated, new.deprecated), old.deprecated, old.place, new.place);
            self.add(Direction::Both, Noun::Endpoint, whole(), delta);
        }
        self.security(&old.security, &new.security);
        self.servers(&old.servers, &new.servers);
        self.parameters(&old.parameters, &new.parameters);
        self.body(old.body.as_ref(), new.body.as_ref(), old.place, new.place);
        self.responses(old, new);
    }

    fn security(&mut self, old: &Listed, new: &Listed) {
        let (gone, come) = difference(old, new);
        if gone.is_empty() && come.is_empty() {
            return;
        }
        let whole = |side: &Listed| {
            (!side.facts.is_empty()).then(|| side.facts.keys().cloned().collect::<Vec<_>>().join(" or "))
        };
        let deltas = if old.facts.is_empty() || new.facts.is_empty() || (!gone.is_empty() && !come.is_empty()) {
            let edit = edit(!old.facts.is_empty(), !new.facts.is_empty());
            let by = |side: &Listed| side.by.iter().chain(side.facts.values().flatten()).copied().collect::<Vec<_>>();
            vec![Delta::new(Kind::Security(edit)).was(whole(old), &by(old)).is(whole(new), &by(new))]
        } else {
            let removed = gone.into_iter().map(|(text, by)| {
                Delta::new(Kind::SecurityAlternative(Edit::Removed)).about(&text).was(Some(text), &by)
            });
            let added = come
                .into_iter()
                .map(|(text, by)| Delta::new(Kind::SecurityAlternative(Edit::Added)).about(&text).is(Some(text), &by));
            removed.chain(added).collect()
        };
        for delta in deltas {
            self.add(Direction::Request, Noun::Endpoint, String::new(), delta);
        }
    }

    fn servers(&mut self, old: &Listed, new: &Listed) {
        let (gone, come) = difference(old, new);
        let (mut gone, mut come) = (gone.into_iter(), come.into_iter());
        loop {
            let (before, after) = (gone.next(), come.next());
            let edit = match (&before, &after) {
                (None, None) => return,
                (before, after) => edit(before.is_some(), after.is_some()),
            };
            let subject: Vec<&str> = [&before, &after].into_iter().flatten().map(|(text, _)| text.as_str()).collect();
            let mut delta = Delta::new(Kind::Server(edit)).about(subject.join(", "));
            if let Some((text, by)) = before {
                delta = delta.was(Some(text), &[&by[..], &old.by[..]].concat());
            }
            if let Some((text, by)) = after {
                delta = delta.is(Some(text), &[&by[..], &new.by[..]].concat());
            }
            self.add(Direction::Request, Noun::Endpoint, String::new(), delta);
        }
    }

    fn parameters(&mut self, old: &BTreeMap<ParameterKey, Parameter>, new: &BTreeMap<ParameterKey, Parameter>) {
        let mut gone: Vec<_> = old.iter().filter(|(key, _)| !new.contains_key(key)).collect();
        let mut come: Vec<_> = new.iter().filter(|(key, _)| !old.contains_key(key)).collect();
        // The same name in another place is a parameter that moved, if there is just one of it on each side.
        while let Some((left, right)) = moved(&gone, &come) {
            let ((from, ours), (to, theirs)) = (gone.remove(left), come.remove(right));
            let delta = Delta::new(Kind::Location)
                .about(format!("{}, {}", self.label(from), self.label(to)))
                .was(Some(from.location.clone()), &[ours.place])
                .is(Some(to.location.clone()), &[theirs.place]);
            self.add(Direction::Request, Noun::Parameter, self.label(to), delta);
        }
        for (key, parameter) in gone {
            let delta = self.member(Edit::Removed, parameter);
            self.add(Direction::Request, Noun::Parameter, self.label(key), delta);
        }
        for (key, parameter) in come {
            let delta = self.member(Edit::Added, parameter);
            self.add(Direction::Request, Noun::Parameter, self.label(key), delta);
        }
        for (key, ours) in old {
            if let Some(theirs) = new.get(key) {
                self.described(Direction::Request, Noun::Parameter, &self.label(key), ours, theirs);
            }
        }
    }

    fn member(&self, edit: Edit, parameter: &Parameter) -> Delta {
        let delta = Delta::new(Kind::Member { edit, required: parameter.required });
        let at = vec![parameter.place];
        let below = |model: &Model<'_>| Below { schema: model.or_any(parameter.schema.as_ref()), at };
        match edit {
            Edit::Removed => gone(delta, self.comparer.old, &below(self.comparer.old), parameter.required),
            _ => come(delta, self.comparer.new, &below(self.comparer.new), parameter.required),
        }
    }

    /// Compares what parameters and headers have in common.
    fn described(&mut self, direction: Direction, noun: Noun, place: &str, old: &Parameter, new: &Parameter) {
        let flags = [
            (Kind::Required(new.required), old.required, new.required),
            (Kind::Flag(Flag::Deprecated, new.deprecated), old.deprecated, new.deprecated),
            (Kind::AllowReserved(new.allow_reserved), old.allow_reserved, new.allow_reserved),
            (Kind::AllowEmptyValue(new.allow_empty), old.allow_empty, new.allow_empty),
        ];
        for (kind, before, after) in flags {
            if before != after {
                self.add(direction, noun, place.to_owned(), flag(kind, before, old.place, new.place));
            }
        }
        if old.style != new.style {
            let delta = Delta::new(Kind::Style)
                .was(Some(old.style.clone()), &[old.place])
                .is(Some(new.style.clone()), &[new.place]);
            self.add(direction, noun, place.to_owned(), delta);
        } else if old.explode != new.explode {
            // A new style brings its own way of writing parts out.
            self.add(direction, noun, place.to_owned(), flag(Kind::Explode, old.explode, old.place, new.place));
        }
        self.enter(direction, noun, place, old.schema.as_ref(), new.schema.as_ref());
    }

    fn body(&mut self, old: Option<&Body>, new: Option<&Body>, old_place: Place, new_place: Place) {
        let listed = |body: &Body| Some(body.media.keys().cloned().collect::<Vec<_>>().join(", "));
        let delta = match (old, new) {
            (None, None) => return,
            (None, Some(body)) => {
                let kind = Kind::Member { edit: Edit::Added, required: body.required };
                Delta::new(kind).was(None, &[old_place]).is(listed(body), &[body.place])
            }
            (Some(body), None) => {
                let kind = Kind::Member { edit: Edit::Removed, required: body.required };
                Delta::new(kind).was(listed(body), &[body.place]).is(None, &[new_place])
            }
            (Some(old), Some(new)) => {
                if old.required != new.required {
                    let delta = flag(Kind::Required(new.required), old.required, old.place, new.place);
                    self.add(Direction::Request, Noun::Body, "body".to_owned(), delta);
                }
                self.media(Direction::Request, "body", &old.media, &new.media, (old.place, new.place));
                return;
            }
        };
        self.add(Direction::Request, Noun::Body, "body".to_owned(), delta);
    }

    fn media(
        &mut self,
        direction: Direction,
        place: &str,
        old: &BTreeMap<String, Media>,
        new: &BTreeMap<String, Media>,
        holders: (Place, Place),
    ) {
        let mut gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
        let mut come = new.iter().filter(|(name, _)| !old.contains_key(*name));
        loop {
            let (before, after) = (gone.next(), come.next());
            if before.is_none() && after.is_none() {
                break;
            }
            let names: Vec<&str> = [before, after].into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let side = |entry: Option<(&String, &Media)>, holder: Place| {
                (entry.map(|(name, _)| name.clone()), vec![entry.map_or(holder, |(_, media)| media.place)])
            };
            let (was, is) = (side(before, holders.0), side(after, holders.1));
            let delta = Delta::new(Kind::MediaType(edit(before.is_some(), after.is_some())))
                .about(names.join(", "))
                .was(was.0, &was.1)
                .is(is.0, &is.1);
            self.add(direction, Noun::Body, place.to_owned(), delta);
        }
        for (name, ours) in old {
            let Some(theirs) = new.get(name) else { continue };
            let place = format!("{place} {name}");
            if ours.encoding != theirs.encoding {
                let delta = Delta::new(Kind::Encoding)
                    .was(ours.encoding.clone(), &[ours.place])
                    .is(theirs.encoding.clone(), &[theirs.place]);
                self.add(direction, Noun::Body, place.clone(), delta);
            }
            self.enter(direction, Noun::Body, &place, ours.schema.as_ref(), theirs.schema.as_ref());
        }
    }

    fn responses(&mut self, old: &Operation, new: &Operation) {
        let statuses: BTreeSet<&String> = old.responses.keys().chain(new.responses.keys()).collect();
        for status in statuses {
            let media = |response: &Response| {
                let names = response.media.keys().cloned().collect::<Vec<_>>().join(", ");
                Some(if names.is_empty() { "no body".to_owned() } else { names })
            };
            let success = status.starts_with('2');
            let delta = match (old.responses.get(status), new.responses.get(status)) {
                (Some(ours), Some(theirs)) => {
                    self.media(Direction::Response, status, &ours.media, &theirs.media, (ours.place, theirs.place));
                    self.headers(status, ours, theirs);
                    continue;
                }
                (Some(ours), None) => {
                    let kind = Kind::Status { edit: Edit::Removed, success };
                    Delta::new(kind).about(status).was(media(ours), &[ours.place])
                }
                (None, Some(theirs)) => {
                    let kind = Kind::Status { edit: Edit::Added, success };
                    Delta::new(kind).about(status).is(media(theirs), &[theirs.place])
                }
                (None, None) => continue,
            };
            self.add(Direction::Response, Noun::Endpoint, status.clone(), delta);
        }
    }

    fn headers(&mut self, status: &str, old: &Response, new: &Response) {
        let names: BTreeSet<&String> = old.headers.keys().chain(new.headers.keys()).collect();
        for name in names {
            let place = format!("{status} header {name}");
            let delta = match (old.headers.get(name), new.headers.get(name)) {
                (Some(ours), Some(theirs)) => {
                    self.described(Direction::Response, Noun::Header, &place, ours, theirs);
                    continue;
                }
                (Some(ours), None) => self.member(Edit::Removed, ours),
                (None, Some(theirs)) => self.member(Edit::Added, theirs),
                (None, None) => continue,
            };
            self.add(Direction::Response, Noun::Header, place, delta);
        }
    }
}

const fn edit(before: bool, after: bool) -> Edit {
    match (before, after) {
        (false, true) => Edit::Added,
        (true, false) => Edit::Removed,
        _ => Edit::Changed,
    }
}

fn flag(kind: Kind, before: bool, old: Place, new: Place) -> Delta {
    Delta::new(kind).was(Some(before.to_string()), &[old]).is(Some((!before).to_string()), &[new])
}

type Facts = Vec<(String, Vec<Place>)>;

fn difference(old: &Listed, new: &Listed) -> (Facts, Facts) {
    let only = |a: &Listed, b: &Listed| {
        let facts = a.facts.iter().filter(|(text, _)| !b.facts.contains_key(*text));
        facts.map(|(text, by)| (text.clone(), by.clone())).collect::<Vec<_>>()
    };
    (only(old, new), only(new, old))
}

type Entries<'p> = [(&'p ParameterKey, &'p Parameter)];

fn moved(gone: &Entries<'_>, come: &Entries<'_>) -> Option<(usize, usize)> {
    let same = |a: &ParameterKey, b: &ParameterKey| a.name.eq_ignore_ascii_case(&b.name);
    for (left, (key, _)) in gone.iter().enumerate() {
        let matches: Vec<usize> =
            come.iter().enumerate().filter(|(_, (other, _))| same(key, other)).map(|(index, _)| index).collect();
        let alone = gone.iter().filter(|(other, _)| same(key, other)).count() == 1;
        if let ([right], true) = (&matches[..], alone) {
            return Some((left, *right));
        }
    }
    None
}
