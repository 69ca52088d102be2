//! Whether a report and the facts written out say the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use xtask::drift::{Change, Report};

use crate::oracle::{Flattened, Line, difference};

/// Holds a report against both sides written out: every line that only one side has belongs to exactly one change, and
/// every place a change names has such a line. Returns how many lines differ.
pub(crate) fn verify(old: &Flattened, new: &Flattened, report: &Report) -> Result<usize, String> {
    let changed = difference(old, new);
    let replaced = replaced(&changed);
    let mut by_operation: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_place: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let mut by_path: HashMap<(&str, &str, &str), Vec<usize>> = HashMap::new();
    for (index, (line, _)) in changed.iter().enumerate() {
        by_operation.entry(&line.operation).or_default().push(index);
        by_place.entry((&line.operation, &line.place)).or_default().push(index);
        by_path.entry((&line.operation, &line.place, &line.path)).or_default().push(index);
    }
    let mut covered = vec![0_usize; changed.len()];
    let mut problems = Vec::new();
    for change in &report.changes {
        let mut mine = BTreeSet::new();
        let cover = Cover::of(change);
        for reach in &change.reaches {
            let direction = serde_json::to_value(reach.direction).unwrap_or_default();
            let direction = direction.as_str().unwrap_or_default();
            let (operation, place, path) = (reach.operation.as_str(), reach.place.as_str(), reach.path.as_str());
            let whole = replaced.contains(&(operation, direction, place, path));
            let nearby = match &cover {
                Cover::Facts(_) => by_path.get(&(operation, place, path)),
                Cover::Type if !whole => by_path.get(&(operation, place, path)),
                Cover::Operation(_) | Cover::Places(_) | Cover::PlaceAndBelow => by_operation.get(operation),
                _ => by_place.get(&(operation, place)),
            };
            let found = nearby.into_iter().flatten().copied().filter(|index| {
                let line = &changed[*index].0;
                (direction == line.direction || direction == "both") && cover.takes_in(place, path, whole, line)
            });
            let found: Vec<usize> = found.collect();
            if found.is_empty() {
                problems.push(format!("extra: {} at {operation} {place} {path}", change.rule));
            }
            mine.extend(found);
        }
        for index in mine {
            covered[index] += 1;
        }
    }
    for ((line, newer), count) in changed.iter().zip(&covered) {
        if *count != 1 {
            problems.push(format!("in {count} changes: {} {line:?}", if *newer { "new" } else { "old" }));
        }
    }
    if problems.is_empty() {
        Ok(changed.len())
    } else {
        Err(format!("{} problems, first:\n{}", problems.len(), problems[..problems.len().min(12)].join("\n")))
    }
}

type Spot<'l> = (&'l str, &'l str, &'l str, &'l str);

/// Where the type became quite another one, or a choice of types: nothing else can be compared there.
fn replaced(changed: &[(Line, bool)]) -> BTreeSet<Spot<'_>> {
    let mut types: BTreeMap<Spot<'_>, [BTreeSet<&str>; 2]> = BTreeMap::new();
    let mut choices: BTreeSet<Spot<'_>> = BTreeSet::new();
    for (line, newer) in changed {
        let spot = (line.operation.as_str(), line.direction, line.place.as_str(), line.path.as_str());
        if let Some(name) = line.fact.strip_prefix("type=") {
            types.entry(spot).or_default()[usize::from(*newer)].insert(if name == "integer" { "number" } else { name });
        }
        if line.fact.starts_with("choice=") {
            choices.insert(spot);
        }
    }
    let replaced = types
        .into_iter()
        .filter(|(spot, [a, b])| (!a.is_empty() && !b.is_empty() && a.is_disjoint(b)) || choices.contains(spot));
    replaced.map(|(spot, _)| spot).collect()
}

/// Whether a line is at a path or below it.
fn within(line: &Line, path: &str) -> bool {
    line.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '<']))
}

/// Whether a fact is one of a name, with or without a value.
fn is(fact: &str, name: &str) -> bool {
    fact.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Which lines a rule speaks of, at each of the places a change reaches.
enum Cover {
    /// Facts of the operation itself that start so; all of the operation for the empty text.
    Operation(Vec<String>),
    /// Everything at these places.
    Places(Vec<String>),
    /// Everything at the place and what belongs to it.
    PlaceAndBelow,
    /// These facts, at the very path.
    Facts(Vec<String>),
    /// The path and everything below.
    Below,
    /// The type, and everything that hangs on it where it became quite another one.
    Type,
    /// A discriminator and everything behind it.
    Discriminator,
    /// The alternatives with these labels, and which keyword lists them.
    Alternatives(Vec<String>),
}

impl Cover {
    fn of(change: &Change) -> Self {
        let rule = change.rule.as_str();
        let subject = change.subject.as_deref().unwrap_or_default();
        let subjects = || subject.split(", ").map(str::to_owned).collect::<Vec<_>>();
        let facts = |names: &[&str]| Self::Facts(names.iter().map(|name| (*name).to_owned()).collect());
        if rule.starts_with("api-path-") || matches!(rule, "api-operation-added" | "api-operation-removed") {
            return Self::Operation(vec![String::new()]);
        }
        for (prefix, fact) in [("api-operation-id-", "operationId="), ("api-security-", "security=")] {
            if rule.starts_with(prefix) {
                return Self::Operation(vec![fact.to_owned()]);
            }
        }
        if rule.starts_with("api-server-") {
            return Self::Operation(subjects().iter().map(|url| format!("server={url}")).collect());
        }
        if rule.contains("-status-") {
            return Self::PlaceAndBelow;
        }
        if rule.contains("-media-type-") {
            return Self::Places(subjects().iter().map(|name| format!("{} {name}", change.place)).collect());
        }
        if rule.ends_with("-location-changed") {
            return Self::Places(subjects());
        }
        let (thing, suffix) = ["property-", "body-", "parameter-", "header-", "endpoint-"]
            .iter()
            .filter_map(|noun| rule.find(noun).map(|at| (at, *noun)))
            .min()
            .map_or(("", rule), |(at, noun)| (noun, &rule[at + noun.len()..]));
        match suffix {
            "added" | "removed" if thing == "property-" => Self::Below,
            "added" | "removed" => Self::PlaceAndBelow,
            "type-changed" => Self::Type,
            "became-required" | "became-optional" => facts(&["required"]),
            "became-nullable" | "became-not-nullable" => facts(&["nullable"]),
            "became-read-only" | "became-not-read-only" => facts(&["readOnly"]),
            "became-write-only" | "became-not-write-only" => facts(&["writeOnly"]),
            "deprecated" | "reactivated" => facts(&["deprecated"]),
            "became-enum" | "became-not-enum" => facts(&["enum"]),
            "enum-value-added" | "enum-value-removed" => Self::Facts(vec![format!("enum={subject}")]),
            "style-changed" => facts(&["style", "explode"]),
            "explode-changed" => facts(&["explode"]),
            "encoding-changed" => facts(&["encoding"]),
            "one-of-became-any-of" | "any-of-became-one-of" => facts(&["choice"]),
            "discriminator-changed" => facts(&["discriminator"]),
            suffix => Self::of_keyword(suffix).unwrap_or_else(|| match suffix {
                suffix if suffix.starts_with("items-") => Self::Below,
                suffix if suffix.starts_with("additional-properties-") => Self::Below,
                suffix if suffix.starts_with("discriminator-mapping-") => Self::Below,
                suffix if suffix.starts_with("discriminator-") => Self::Discriminator,
                suffix if suffix.starts_with("one-of-") || suffix.starts_with("any-of-") => {
                    Self::Alternatives(subjects())
                }
                _ => panic!("no line is known for rule {rule}"),
            }),
        }
    }

    fn of_keyword(suffix: &str) -> Option<Self> {
        let keyed = [
            ("format-", "format"),
            ("pattern-", "pattern"),
            ("default-value-", "default"),
            ("multiple-of-", "multipleOf"),
            ("unique-items-", "uniqueItems"),
            ("not-", "not"),
            ("allow-reserved-", "allowReserved"),
            ("allow-empty-value-", "allowEmptyValue"),
            ("max-length-", "maxLength"),
            ("min-length-", "minLength"),
            ("max-items-", "maxItems"),
            ("min-items-", "minItems"),
            ("max-properties-", "maxProperties"),
            ("min-properties-", "minProperties"),
            ("max-", "maximum"),
            ("min-", "minimum"),
        ];
        let found = keyed.iter().find(|(prefix, _)| suffix.starts_with(prefix));
        found.map(|(_, keyword)| Self::Facts(vec![(*keyword).to_owned()]))
    }

    fn takes_in(&self, place: &str, path: &str, whole: bool, line: &Line) -> bool {
        match self {
            Self::Operation(starts) => starts.iter().any(|start| line.fact.starts_with(start.as_str())),
            Self::Places(places) => places.contains(&line.place),
            Self::PlaceAndBelow => {
                line.place.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }
            Self::Facts(names) => line.path == path && names.iter().any(|name| is(&line.fact, name)),
            Self::Below => within(line, path),
            Self::Type if whole => {
                let apart = ["nullable", "readOnly", "writeOnly", "deprecated", "required", "described"];
                within(line, path) && !(line.path == path && apart.contains(&line.fact.as_str()))
            }
            Self::Type => line.path == path && (is(&line.fact, "type") || is(&line.fact, "format")),
            Self::Discriminator => {
                let below = line.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('<'));
                below || (line.path == path && (is(&line.fact, "discriminator") || is(&line.fact, "choice")))
            }
            Self::Alternatives(labels) => {
                (line.path == path && is(&line.fact, "choice"))
                    || labels.iter().any(|label| within(line, &format!("{path}<{label}>")))
            }
        }
    }
}
