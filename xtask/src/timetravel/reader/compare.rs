//! Comparing what came with what was written back, led by the surface that the client was generated with.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::client::{Client, Field, SkippedField};
use crate::model::Kind;

/// How many examples of a failure are kept.
const EXAMPLES: usize = 20;

/// What came of the responses of one revision in the client of one.
#[derive(Default, Serialize)]
pub(crate) struct Outcome {
    generated: usize,
    documented: usize,
    read: usize,
    /// Responses that could not be read, and rows of lists.
    failed: BTreeMap<String, usize>,
    /// By type and field, with what came there and what was expected, how often something was skipped.
    skipped_fields: BTreeMap<String, usize>,
    /// The same of documented examples, which need not fit their own schemas.
    examples_skipped: BTreeMap<String, usize>,
    /// Texts of enums that came back as they were.
    enums_kept: usize,
    /// Texts of enums in fields that this client does not know, or that were skipped.
    enums_beyond: usize,
    /// Texts of enums that came back otherwise, or not at all.
    enums_altered: Vec<String>,
    /// All values that came back as they were.
    values_kept: usize,
    /// Other values that came back otherwise, or not at all.
    values_altered: Vec<String>,
    /// By type and field, the operations and places of fields that this client does not know.
    unknown: BTreeMap<String, BTreeSet<String>>,
    /// Responses in which one value did not fit.
    damaged: usize,
    /// Those that were read all the same.
    damaged_read: usize,
    /// What a value that did not fit cost beside itself and what needs it.
    harmed: Vec<String>,
}

impl Outcome {
    pub(crate) fn take(
        &mut self,
        client: &Client,
        operation: &str,
        response: &Value,
        read: Result<(Value, Vec<SkippedField>), String>,
        enums: &[String],
        documented: bool,
    ) {
        *(if documented { &mut self.documented } else { &mut self.generated }) += 1;
        let (back, skipped_fields) = match read {
            Ok(found) => found,
            Err(problem) => {
                *self.failed.entry(format!("{operation}: {problem}")).or_default() += 1;
                return;
            }
        };
        self.read += 1;
        let mut walk = Walk {
            outcome: self,
            client,
            operation,
            documented,
            gone: skipped_fields.iter().map(|gone| (gone.0.as_str(), gone)).collect(),
            enums: enums.iter().map(String::as_str).collect(),
            pointer: String::new(),
            path: "$".to_owned(),
        };
        walk.value(response, Some(&back), client.responses.get(operation), &format!("{operation} $"));
        let missed = walk.gone.values();
        let missed: Vec<String> = missed
            .map(|(path, value, expected)| format!("{operation} {path}: {}, not {expected}", kind(value)))
            .collect();
        for place in missed {
            let counts = if documented { &mut self.examples_skipped } else { &mut self.skipped_fields };
            *counts.entry(place).or_default() += 1;
        }
    }
}

impl Outcome {
    /// Takes a response in which the value at `place` is another; `skipped` is what was skipped without that.
    pub(crate) fn take_damaged(
        &mut self,
        client: &Client,
        operation: &str,
        response: &Value,
        read: Result<(Value, Vec<SkippedField>), String>,
        place: &str,
        skipped: &BTreeSet<String>,
    ) {
        self.damaged += 1;
        let way = client.way(operation, response, place);
        let at = way.last().map(|(path, _)| path.clone()).unwrap_or_default();
        // Below it, where only a part of what stands there does not fit; around it, what cannot do without it.
        let around = way.iter().rev().take_while(|(_, is_needed)| *is_needed).count();
        let around = &way[way.len().saturating_sub(around + 1)..];
        let is_of_it = |path: &str| within(path, &at) || around.iter().any(|(around, _)| around == path);
        let mut harmed = Vec::new();
        match read {
            // A sum of money, or an essential field: the error names it, wherever it stands.
            Err(problem) if problem.rsplit_once(" at ").is_some_and(|(_, path)| is_of_it(path)) => {}
            Err(problem) => harmed.push(problem),
            Ok((back, gone)) => {
                self.damaged_read += 1;
                let others =
                    gone.iter().map(|(path, ..)| path).filter(|path| !skipped.contains(*path) && !is_of_it(path));
                harmed.extend(others.map(|path| format!("{path} is skipped")));
                let mut seen = Self::default();
                seen.take(client, operation, response, Ok((back, gone)), &[], false);
                harmed.extend(seen.values_altered);
            }
        }
        let shows = |problem: String| {
            format!("{operation} {at} is {}: {problem}", response.pointer(place).unwrap_or(&Value::Null))
        };
        for problem in harmed {
            self.harmed.push(shown(self.harmed.len(), || shows(problem)));
        }
    }
}

/// Whether a JSONPath is another, or leads to a place below it.
fn within(path: &str, around: &str) -> bool {
    path.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// One response under comparison, and where in it the comparison is.
struct Walk<'w> {
    outcome: &'w mut Outcome,
    client: &'w Client,
    operation: &'w str,
    documented: bool,
    /// What was skipped and has not been come across.
    gone: BTreeMap<&'w str, &'w SkippedField>,
    enums: HashSet<&'w str>,
    pointer: String,
    /// The same as a JSONPath, kept only while something is skipped.
    path: String,
}

impl Walk<'_> {
    /// `place` is the type and field that the value stands in.
    fn value(&mut self, input: &Value, back: Option<&Value>, known: Option<&Kind>, place: &str) {
        if let Some((_, value, expected)) = self.gone.remove(self.path.as_str()) {
            let outcome = &mut *self.outcome;
            let counts = if self.documented { &mut outcome.examples_skipped } else { &mut outcome.skipped_fields };
            *counts.entry(format!("{place}: {}, not {expected}", kind(value))).or_default() += 1;
            self.outcome.enums_beyond += self.count_enums();
            return;
        }
        match (input, back) {
            // That there is nothing may be said by saying nothing.
            (Value::Null, None | Some(Value::Null)) => self.outcome.values_kept += 1,
            (Value::Array(items), None) if items.is_empty() => self.outcome.values_kept += 1,
            (Value::Object(fields), None) if fields.is_empty() => self.outcome.values_kept += 1,
            // A list of which nothing is left is left out.
            (Value::Array(items), None) => self.list(items, &[], known, place),
            (Value::Array(items), Some(Value::Array(kept))) => self.list(items, kept, known, place),
            (Value::Object(fields), Some(Value::Object(kept))) => {
                for (name, value) in fields {
                    self.field(fields, name, value, kept.get(name), known);
                }
            }
            _ => self.leaf(input, back, known),
        }
    }

    fn field(
        &mut self,
        object: &Map<String, Value>,
        name: &str,
        value: &Value,
        back: Option<&Value>,
        known: Option<&Kind>,
    ) {
        let lengths = (self.pointer.len(), self.path.len());
        self.pointer.push('/');
        self.pointer.push_str(&escape(name));
        if !self.gone.is_empty() {
            self.path.push_str(&(self.client.place)(name));
        }
        match (self.client.field(known, object, name), back) {
            (Field::Known(field, owner), back) => {
                self.value(value, back, Some(&field.kind), &format!("{owner}.{name}"))
            }
            (Field::Entry(kind), back) => self.value(value, back, Some(kind), "the values of a map"),
            (Field::Any, back) => self.value(value, back, None, "any JSON"),
            // A choice that cannot be read as what it says it is comes back whole.
            (Field::Unknown(_), Some(back)) => self.value(value, Some(back), None, "any JSON"),
            (Field::Unknown(owner), None) => {
                let place = format!("{}\t{}", self.operation, self.pointer);
                self.outcome.unknown.entry(format!("{owner}.{name}")).or_default().insert(place);
                self.outcome.enums_beyond += self.count_enums();
            }
        }
        self.pointer.truncate(lengths.0);
        self.path.truncate(lengths.1);
    }

    fn list(&mut self, items: &[Value], kept: &[Value], known: Option<&Kind>, place: &str) {
        let known = match known {
            Some(Kind::List(entry)) => Some(&**entry),
            _ => None,
        };
        let place = format!("{place}[]");
        let mut kept = kept.iter();
        for (index, value) in items.iter().enumerate() {
            let lengths = (self.pointer.len(), self.path.len());
            self.pointer.push_str(&format!("/{index}"));
            if !self.gone.is_empty() {
                self.path.push_str(&format!("[{index}]"));
            }
            // What was skipped is not among what came back.
            let back = if self.gone.contains_key(self.path.as_str()) { None } else { kept.next() };
            self.value(value, back, known, &place);
            self.pointer.truncate(lengths.0);
            self.path.truncate(lengths.1);
        }
        if kept.next().is_some() {
            self.outcome.values_altered.push(format!("{place} has more entries than came"));
        }
    }

    fn leaf(&mut self, input: &Value, back: Option<&Value>, known: Option<&Kind>) {
        let is_enum = self.enums.contains(self.pointer.as_str());
        let outcome = &mut *self.outcome;
        if back.is_some_and(|back| same(input, back, known.filter(|_| !is_enum))) {
            outcome.enums_kept += usize::from(is_enum);
            outcome.values_kept += 1;
            return;
        }
        let list = if is_enum { &mut outcome.enums_altered } else { &mut outcome.values_altered };
        let back = back.map_or_else(|| "nothing".to_owned(), Value::to_string);
        let at = format!("{} {}", self.operation, self.pointer);
        list.push(shown(list.len(), || format!("{at}: {input} became {back}")));
    }

    /// How many texts of enums stand at or below this place.
    fn count_enums(&self) -> usize {
        let below = |found: &&&str| {
            found.strip_prefix(self.pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.enums.iter().filter(below).count()
    }
}

/// All are counted; the first are shown.
fn shown(before: usize, text: impl FnOnce() -> String) -> String {
    if before < EXAMPLES { text() } else { String::new() }
}

fn same(input: &Value, back: &Value, known: Option<&Kind>) -> bool {
    if input == back {
        return true;
    }
    match (input, back) {
        // A decimal may come as a text.
        (Value::String(text), Value::Number(number)) if matches!(known, Some(Kind::Type(name)) if name == "Decimal") => {
            text.parse().ok() == number.as_f64()
        }
        // 100.0 and 100 are one number.
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::String(one), Value::String(other)) if matches!(known, Some(Kind::Time | Kind::Date)) => {
            let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
            instant(one).is_some() && instant(one) == instant(other)
        }
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
