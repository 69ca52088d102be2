//! Making values of a schema, and keeping count of what has occurred where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use serde_json::{Map, Number, Value, json};

use super::node::{Node, Tagged};
use super::text;
use crate::schema;

/// A component inside itself more often than this is left out.
const NESTED: usize = 2;

/// What has occurred, by its place: `GET /sessions/{id} $.order.items[].vat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Optional fields: how often there, how often not.
    pub optional: BTreeMap<String, (usize, usize)>,
    /// Enums, and choices by the number of the way: how often each value.
    pub values: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Counts {
    /// Whether every optional field was there and was not, and every value occurred.
    #[must_use]
    pub fn complete(&self) -> bool {
        let all = self.optional.values().all(|(there, not)| *there > 0 && *not > 0);
        all && self.values.values().all(|values| values.values().all(|count| *count > 0))
    }

    /// What has not occurred.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let fields = self.optional.iter().filter(|(_, (there, not))| *there == 0 || *not == 0);
        let values = self.values.iter().flat_map(|(place, values)| {
            values.iter().filter(|(_, count)| **count == 0).map(move |(value, _)| format!("{place} = {value}"))
        });
        fields.map(|(place, _)| place.clone()).chain(values).collect()
    }

    /// How many values of enums and ways of choices there are, over all places.
    #[must_use]
    pub fn value_count(&self) -> usize {
        self.values.values().map(BTreeMap::len).sum()
    }

    pub(super) fn add(&mut self, other: &Self, operation: &str) {
        for (place, (there, not)) in &other.optional {
            let sum = self.optional.entry(format!("{operation} {place}")).or_default();
            *sum = (sum.0 + there, sum.1 + not);
        }
        for (place, values) in &other.values {
            let sums = self.values.entry(format!("{operation} {place}")).or_default();
            for (value, count) in values {
                *sums.entry(value.clone()).or_default() += count;
            }
        }
    }
}

/// Makes values of the schemas of one document.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    document: &'a Value,
    whole: &'a BTreeSet<String>,
    rng: Rng,
    pub(super) counts: Counts,
    /// How likely an optional field is there in the value that is being made.
    likely: f64,
    enums: Vec<String>,
    examples: Option<Examples>,
    /// What schemas say, by the places of their parts in the document: most are met again and again.
    known: HashMap<Vec<*const Value>, Rc<Node<'a>>>,
}

/// Which examples of the document a value is put together of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Examples {
    /// Of an object or list that has one, its own.
    Outermost,
    /// Those of its fields.
    Innermost,
}

/// Where a value stands: in the value, and in the schema.
#[derive(Debug, Clone)]
struct Place<'a> {
    pointer: String,
    path: String,
    /// The property it is, or is an entry of.
    property: &'a str,
    /// The components around it.
    inside: Vec<&'a str>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(document: &'a Value, whole: &'a BTreeSet<String>, seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self {
            document,
            whole,
            rng,
            counts: Counts::default(),
            likely: 1.0,
            enums: Vec::new(),
            examples: None,
            known: HashMap::new(),
        }
    }

    /// A value and the pointers of its enums. Of every four, the first holds everything, the second only what is
    /// required, and the third nearly everything, so that what lies deep is left out in its turn.
    pub(super) fn make(&mut self, tree: &'a Value, index: usize) -> Result<(Value, Vec<String>)> {
        self.likely = match index % 4 {
            0 => 1.0,
            1 => 0.0,
            2 => 0.95,
            _ => self.rng.f64(),
        };
        let value = self.root(tree)?;
        Ok((value, std::mem::take(&mut self.enums)))
    }

    /// The answer as the document shows it: its examples, and values of ours only where it has none.
    pub(super) fn documented(&mut self, tree: &'a Value, examples: Examples) -> Result<Value> {
        (self.likely, self.examples) = (1.0, Some(examples));
        let kept = std::mem::take(&mut self.counts);
        let value = self.root(tree);
        (self.examples, self.counts) = (None, kept);
        self.enums.clear();
        value
    }

    fn root(&mut self, tree: &'a Value) -> Result<Value> {
        let place = Place { pointer: String::new(), path: "$".to_owned(), property: "", inside: Vec::new() };
        self.value(&[tree], &place)?.context("it is nothing but itself")
    }

    /// A value that fits all `parts`; none where a component would hold itself without an end.
    fn value(&mut self, parts: &[&'a Value], place: &Place<'a>) -> Result<Option<Value>> {
        let key = parts.iter().map(|part| std::ptr::from_ref(*part)).collect();
        let mut node = match self.known.get(&key) {
            Some(node) => Rc::clone(node),
            None => {
                let node = Rc::new(Node::of(self.document, parts).with_context(|| place.path.clone())?);
                self.known.insert(key, Rc::clone(&node));
                node
            }
        };
        let too_deep = |name: &&str| place.inside.iter().filter(|around| around == &name).count() > NESTED;
        if node.components.iter().any(too_deep) {
            return Ok(None);
        }
        let is_whole = node.properties.is_empty() && node.items.is_empty();
        if let (Some(examples), Some(example)) = (self.examples, node.examples.first())
            && (is_whole || examples == Examples::Outermost)
        {
            return Ok(Some((*example).clone()));
        }
        if node.is_open() {
            self.decide(Rc::make_mut(&mut node), &place.path)?;
        }
        if node.nullable() && self.rng.u8(..8) == 0 {
            return Ok(Some(Value::Null));
        }
        if let Some(values) = &node.values {
            return self.one_of(values, place).map(Some);
        }
        let inside = place.inside.iter().chain(&node.components).copied().collect();
        let place = Place { inside, ..place.clone() };
        Ok(Some(match node.kind {
            Some("object") => self.object(&node, &place)?,
            Some("array") => self.list(&node, &place)?,
            Some("string") => self.text(&node).with_context(|| place.path.clone())?,
            Some("boolean") => json!(self.rng.bool()),
            Some("integer") => self.number(&node, true),
            Some("number") => self.number(&node, self.whole.contains(place.property)),
            Some(other) => bail!("{}: `{other}` is no type", place.path),
            None => [json!({ "any": [1, "thing"] }), json!("any"), json!(7.25), json!([])][self.rng.usize(..4)].clone(),
        }))
    }

    /// Makes the choices that the schema leaves open.
    fn decide(&mut self, node: &mut Node<'a>, path: &str) -> Result<()> {
        loop {
            if let Some(ways) = node.choices.pop() {
                let names: Vec<String> = (0..ways.len()).map(|index| format!("way {index}")).collect();
                let chosen = self.rarest(&format!("{path}|{}", node.choices.len()), &names);
                let way = ways.get(chosen).with_context(|| format!("{path}: a choice without a way"))?;
                node.add(self.document, way).with_context(|| path.to_owned())?;
            } else if let Some(Tagged { property, mapping }) = node.tagged.pop() {
                let tags: Vec<String> = mapping.keys().cloned().collect();
                let chosen = self.rarest(&format!("{path}.{property}"), &tags);
                let Some((tag, Value::String(target))) = mapping.iter().nth(chosen) else {
                    bail!("{path}: a mapping leads nowhere");
                };
                node.tags.insert(property, tag);
                let variant = schema::mapped(self.document, target)?;
                node.add(self.document, variant).with_context(|| path.to_owned())?;
            } else {
                return Ok(());
            }
        }
    }

    /// The value that has occurred least so far; which of several is left to chance.
    fn rarest(&mut self, place: &str, values: &[String]) -> usize {
        if !self.counts.values.contains_key(place) {
            let none = values.iter().map(|value| (value.clone(), 0)).collect();
            self.counts.values.insert(place.to_owned(), none);
        }
        let Some(counts) = self.counts.values.get_mut(place) else { return 0 };
        let count = |index: &usize| values.get(*index).and_then(|value| counts.get(value)).copied().unwrap_or(0);
        let least = (0..values.len()).map(|index| count(&index)).min().unwrap_or(0);
        let rare: Vec<usize> = (0..values.len()).filter(|index| count(index) == least).collect();
        let chosen = rare[self.rng.usize(..rare.len())];
        *counts.entry(values[chosen].clone()).or_default() += 1;
        chosen
    }

    fn one_of(&mut self, values: &[&Value], place: &Place<'a>) -> Result<Value> {
        if values.is_empty() {
            bail!("{}: an enum without a value", place.path);
        }
        let names: Vec<String> = values.iter().map(ToString::to_string).collect();
        let chosen = values[self.rarest(&place.path, &names)].clone();
        if chosen.is_string() {
            self.enums.push(place.pointer.clone());
        }
        Ok(chosen)
    }

    fn object(&mut self, node: &Node<'a>, place: &Place<'a>) -> Result<Value> {
        let mut out = Map::new();
        for (name, parts) in &node.properties {
            let below = Place {
                pointer: format!("{}/{}", place.pointer, schema::escape(name)),
                path: format!("{}.{name}", place.path),
                property: name,
                inside: place.inside.clone(),
            };
            if let Some(tag) = node.tags.get(name) {
                self.enums.push(below.pointer);
                out.insert((*name).to_owned(), json!(tag));
                continue;
            }
            let required = node.required.contains(name);
            let wanted = required || self.wanted(&below.path);
            let made = if wanted { self.value(parts, &below)? } else { None };
            match (made, required) {
                (Some(value), _) => {
                    self.count(&below.path, required, true);
                    out.insert((*name).to_owned(), value);
                }
                (None, true) => bail!("{} holds itself without an end", below.path),
                // What is too deep to be made has not been left out by chance: it is not counted.
                (None, false) if wanted => {}
                (None, false) => self.count(&below.path, false, false),
            }
        }
        if !node.others.is_empty() || node.properties.is_empty() {
            let free = Value::Object(Map::new());
            for index in 0..self.rng.usize(..3) {
                let name = format!("own_{index}");
                let below = Place {
                    pointer: format!("{}/{name}", place.pointer),
                    path: format!("{}.*", place.path),
                    property: "*",
                    inside: place.inside.clone(),
                };
                let made = if node.others.is_empty() { Some(free.clone()) } else { self.value(&node.others, &below)? };
                out.extend(made.map(|value| (name, value)));
            }
        }
        Ok(Value::Object(out))
    }

    /// Whether an optional field is to be there: by chance, and rather what has not yet occurred.
    fn wanted(&mut self, path: &str) -> bool {
        let (there, not) = self.counts.optional.get(path).copied().unwrap_or_default();
        if self.likely <= 0.0 || self.likely >= 1.0 {
            return self.likely >= 1.0;
        }
        if there == 0 || (not == 0 && self.rng.bool()) {
            return there == 0;
        }
        self.rng.f64() < self.likely
    }

    fn count(&mut self, path: &str, required: bool, there: bool) {
        if !required {
            let counts = self.counts.optional.entry(path.to_owned()).or_default();
            *(if there { &mut counts.0 } else { &mut counts.1 }) += 1;
        }
    }

    fn list(&mut self, node: &Node<'a>, place: &Place<'a>) -> Result<Value> {
        // Lists are short: how many entries there are is nothing that reading depends on.
        let usual = if self.likely >= 1.0 { [1, 1, 1, 2] } else { [0, 1, 1, 2] }[self.rng.usize(..4)];
        let mut out = Vec::new();
        for index in 0..usual.min(node.most_items.unwrap_or(usize::MAX)).max(node.fewest) {
            let below = Place {
                pointer: format!("{}/{index}", place.pointer),
                path: format!("{}[]", place.path),
                property: place.property,
                inside: place.inside.clone(),
            };
            let made = if node.items.is_empty() { Some(json!("any")) } else { self.value(&node.items, &below)? };
            match made {
                Some(value) => out.push(value),
                None if node.fewest > 0 => bail!("{} holds itself without an end", below.path),
                None => break,
            }
        }
        Ok(Value::Array(out))
    }

    fn text(&mut self, node: &Node<'a>) -> Result<Value> {
        let (shortest, longest) = (node.shortest, node.longest);
        let fits = |text: &str| {
            let length = text.chars().count();
            length >= shortest && longest.is_none_or(|longest| length <= longest)
        };
        if !node.patterns.is_empty() {
            return Ok(json!(text::of_patterns(&node.patterns, shortest, longest, &mut self.rng)?));
        }
        if let Some(text) = node.format.and_then(|format| text::of_format(format, &mut self.rng)) {
            return Ok(json!(text?));
        }
        let example = node.examples.iter().find_map(|example| example.as_str()).filter(|text| fits(text));
        if let (Some(example), true) = (example, self.rng.bool()) {
            return Ok(json!(example));
        }
        let mut text = text::plain(&mut self.rng);
        while text.chars().count() < shortest {
            text.push(self.rng.alphanumeric());
        }
        let cut: String = text.chars().take(longest.unwrap_or(usize::MAX)).collect();
        Ok(json!(cut))
    }

    fn number(&mut self, node: &Node<'a>, whole: bool) -> Value {
        // What a JSON number carries through any reader, and the limits themselves now and then.
        let (low, high) = (node.least.unwrap_or(-1e6), node.most.unwrap_or(1e9).max(node.least.unwrap_or(-1e6)));
        let (low, high) = (low.ceil() as i64, high.floor() as i64);
        let integer = match self.rng.u8(..8) {
            0 => low,
            1 => high,
            2 => 0.clamp(low, high),
            _ => self.rng.i64(low..=low.max(high)),
        };
        let is_money = whole && node.kind == Some("number");
        let hundredths = Number::from_f64(integer as f64 + f64::from(self.rng.u8(1..100)) / 100.0);
        let float = Number::from_f64(integer as f64);
        match (self.rng.u8(..4), hundredths, float) {
            // `100.0` is the integer 100: a plain number may be written so.
            (0, _, Some(float)) if is_money => Value::Number(float),
            (0 | 1, Some(hundredths), _) if !whole && integer < high => Value::Number(hundredths),
            _ => json!(integer),
        }
    }
}
