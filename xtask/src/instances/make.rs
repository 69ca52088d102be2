//! Making values of a schema.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Number, Value, json};

use super::choose::{Chooser, Decides};
use super::node::{Node, Nodes};
use super::{Wish, text};
use crate::bindings::model::{Field, Kind, Presence, Shape};
use crate::model::SchemaId;
use crate::model::document::Place as Part;
use crate::passes::lenient;
use crate::schema;

/// An object inside itself more often than this is left out.
const NESTED: usize = 2;

/// Makes values of the schemas of one document, for one operation.
#[derive(Debug)]
pub(super) struct Maker<'m, 'a> {
    nodes: &'m mut Nodes<'a>,
    wish: &'m Wish,
    /// What the surface says that the operation gives.
    root: Option<&'m Kind>,
    pub(super) choose: Chooser,
    enums: Vec<String>,
    examples: Option<Examples>,
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
struct Place<'m> {
    pointer: String,
    path: String,
    /// Whether numbers there are whole, whatever the document calls them.
    is_whole: bool,
    /// What the surface says that stands there.
    kind: Option<&'m Kind>,
    /// Where the objects around it are written down.
    inside: Rc<Vec<Part>>,
}

impl<'m, 'a> Maker<'m, 'a> {
    pub(super) fn new(nodes: &'m mut Nodes<'a>, wish: &'m Wish, root: Option<&'m Kind>, seed: u64) -> Self {
        Self { nodes, wish, root, choose: Chooser::new(seed), enums: Vec::new(), examples: None }
    }

    /// A value and the pointers of its enums.
    pub(super) fn make(&mut self, schema: SchemaId, decides: Decides) -> Result<(Value, Vec<String>)> {
        self.choose.decides = decides;
        let value = self.root(schema)?;
        Ok((value, std::mem::take(&mut self.enums)))
    }

    /// The response as the document shows it: its examples, and values of ours only where it has none.
    pub(super) fn documented(&mut self, schema: SchemaId, examples: Examples) -> Result<Value> {
        (self.choose.decides, self.examples) = (Decides::Chance(1.0), Some(examples));
        let kept = std::mem::take(&mut self.choose.counts);
        let value = self.root(schema);
        (self.examples, self.choose.counts) = (None, kept);
        self.enums.clear();
        value
    }

    fn root(&mut self, schema: SchemaId) -> Result<Value> {
        let place = Place {
            pointer: String::new(),
            path: "$".to_owned(),
            is_whole: false,
            kind: self.root,
            inside: Rc::default(),
        };
        self.value(schema, &place)?.context("it is nothing but itself")
    }

    /// A value that fits a schema; none where an object would hold itself without an end.
    fn value(&mut self, schema: SchemaId, place: &Place<'m>) -> Result<Option<Value>> {
        let mut node = self.nodes.get(schema).with_context(|| place.path.clone())?;
        let too_deep = |part: &Part| place.inside.iter().filter(|around| *around == part).count() > NESTED;
        if node.parts.iter().any(too_deep) {
            return Ok(None);
        }
        let is_whole = node.properties.is_empty() && node.items.is_none();
        if let (Some(examples), Some(example)) = (self.examples, node.examples.first())
            && (is_whole || examples == Examples::Outermost)
        {
            return Ok(Some(example.clone()));
        }
        // Before a choice is made: what is null shows nothing of it.
        if node.nullable && !self.choose.takes(&format!("{}|null", place.path), &place.path) {
            return Ok(Some(Value::Null));
        }
        let mut tags = BTreeMap::new();
        if !node.choices.is_empty() || node.tagged.is_some() {
            (node, tags) = self.decide(schema, node, &place.path)?;
        }
        if let Some(values) = &node.values {
            return self.one_of(values, place).map(Some);
        }
        Ok(Some(match node.kind.as_deref() {
            Some("object") => {
                let inside = Rc::new(place.inside.iter().chain(&node.parts).copied().collect());
                self.object(&node, &tags, &Place { inside, ..place.clone() })?
            }
            Some("array") => self.list(&node, place)?,
            Some("string") => self.text(&node, place).with_context(|| place.path.clone())?,
            Some("boolean") => json!(self.choose.rng.bool()),
            Some("integer") => self.number(&node, true),
            Some("number") => self.number(&node, place.is_whole),
            Some(other) => bail!("{}: `{other}` is no type", place.path),
            None => [json!({ "any": [1, "thing"] }), json!("any"), json!(7.25), json!([])][self.choose.rng.usize(..4)]
                .clone(),
        }))
    }

    /// Makes the choices that a schema leaves open: what it is with them, and the tags that they decide.
    fn decide(
        &mut self,
        mut schema: SchemaId,
        mut node: Rc<Node>,
        path: &str,
    ) -> Result<(Rc<Node>, BTreeMap<String, String>)> {
        let (mut tags, mut decided) = (BTreeMap::new(), BTreeSet::new());
        loop {
            let open = node.choices.iter().find(|(key, _)| !decided.contains(*key));
            let way = if let Some((key, ways)) = open {
                let names: Vec<String> = (0..ways.len()).map(|index| format!("way {index}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let chosen = self.choose.rarest(&format!("{path}|{}", decided.len()), &names);
                decided.insert(key.clone());
                ways.get(chosen).copied()
            } else if let Some((property, variants)) = &node.tagged {
                let names: Vec<&str> = variants.keys().map(String::as_str).collect();
                let chosen = self.choose.rarest(&format!("{path}.{property}"), &names);
                variants.iter().nth(chosen).map(|(tag, variant)| {
                    tags.insert(property.clone(), tag.clone());
                    *variant
                })
            } else {
                return Ok((node, tags));
            };
            let way = way.with_context(|| format!("{path}: a choice without a way"))?;
            schema = self.nodes.with(schema, way).with_context(|| path.to_owned())?;
            node = self.nodes.get(schema).with_context(|| path.to_owned())?;
        }
    }

    fn one_of(&mut self, values: &[(Value, String)], place: &Place<'m>) -> Result<Value> {
        if values.is_empty() {
            bail!("{}: an enum without a value", place.path);
        }
        let names: Vec<&str> = values.iter().map(|(_, name)| name.as_str()).collect();
        let chosen = values[self.choose.rarest(&place.path, &names)].0.clone();
        if chosen.is_string() {
            self.enums.push(place.pointer.clone());
        }
        Ok(chosen)
    }

    fn object(&mut self, node: &Node, tags: &BTreeMap<String, String>, place: &Place<'m>) -> Result<Value> {
        let mut out = Map::new();
        for (name, property) in &node.properties {
            let field = self.field(place.kind, |property| tags.get(property).or_else(|| node.tags.get(property)), name);
            let below = Place {
                pointer: format!("{}/{}", place.pointer, schema::escape(name)),
                path: format!("{}.{name}", place.path),
                is_whole: self.wish.whole.contains(name),
                kind: field.map(|field| &field.kind),
                inside: Rc::clone(&place.inside),
            };
            if let Some(tag) = tags.get(name).or_else(|| node.tags.get(name)) {
                self.enums.push(below.pointer);
                out.insert(name.clone(), json!(tag));
                continue;
            }
            let is_essential = field.is_some_and(|field| field.presence == Presence::Required);
            let required = property.required || is_essential;
            let wanted = required || self.choose.wanted(&below.path, &below.path);
            let made = match property.schema {
                Some(schema) if wanted => self.value(schema, &below)?,
                None if wanted => Some(json!("any")),
                _ => None,
            };
            match (made, required) {
                (Some(value), _) => {
                    if !required {
                        self.choose.count(&below.path, true);
                    }
                    out.insert(name.clone(), value);
                }
                (None, true) => bail!("{} holds itself without an end", below.path),
                // What is too deep to be made has not been left out by chance: it is not counted.
                (None, false) if wanted => {}
                (None, false) => self.choose.count(&below.path, false),
            }
        }
        if !node.is_closed && (node.others.is_some() || node.properties.is_empty()) {
            let free = Value::Object(Map::new());
            let path = format!("{}.*", place.path);
            let wanted = self.choose.wanted(&path, &path);
            let before = out.len();
            for index in 0..self.choose.a_few(wanted) {
                let name = format!("own_{index}");
                let below = Place {
                    pointer: format!("{}/{name}", place.pointer),
                    path: path.clone(),
                    is_whole: false,
                    kind: match place.kind {
                        Some(Kind::Map(values)) => Some(values),
                        _ => None,
                    },
                    inside: Rc::clone(&place.inside),
                };
                let made = node.others.map_or_else(|| Ok(Some(free.clone())), |schema| self.value(schema, &below))?;
                out.extend(made.map(|value| (name, value)));
            }
            if wanted == (out.len() > before) {
                self.choose.count(&path, wanted);
            }
        }
        Ok(Value::Object(out))
    }

    fn list(&mut self, node: &Node, place: &Place<'m>) -> Result<Value> {
        let path = format!("{}[]", place.path);
        let is_optional = node.fewest == 0 && node.most_items != Some(0);
        let wanted = !is_optional || self.choose.wanted(&path, &path);
        let mut out = Vec::new();
        for index in 0..self.choose.a_few(wanted).min(node.most_items.unwrap_or(usize::MAX)).max(node.fewest) {
            let below = Place {
                pointer: format!("{}/{index}", place.pointer),
                path: path.clone(),
                is_whole: place.is_whole,
                kind: match place.kind {
                    Some(Kind::List(items)) => Some(items),
                    _ => None,
                },
                inside: Rc::clone(&place.inside),
            };
            let made = node.items.map_or_else(|| Ok(Some(json!("any"))), |schema| self.value(schema, &below))?;
            match made {
                Some(value) => out.push(value),
                None if node.fewest > 0 => bail!("{} holds itself without an end", below.path),
                None => break,
            }
        }
        if is_optional && wanted != out.is_empty() {
            self.choose.count(&path, wanted);
        }
        Ok(Value::Array(out))
    }

    /// What the surface says of a property, where it stands in a struct or in a variant that a tag decides.
    fn field<'t>(
        &self,
        kind: Option<&'m Kind>,
        tag: impl FnOnce(&str) -> Option<&'t String>,
        name: &str,
    ) -> Option<&'m Field> {
        let surface = &self.wish.surface;
        let Kind::Type(target) = kind? else { return None };
        let shape = match &surface.find(target)?.shape {
            Shape::Choice { property, variants } => {
                let tag = tag(property)?;
                &surface.find(&variants.iter().find(|variant| variant.tag == *tag)?.target)?.shape
            }
            shape => shape,
        };
        match shape {
            Shape::Struct { fields, .. } => fields.iter().find(|field| field.json == name),
            _ => None,
        }
    }

    fn text(&mut self, node: &Node, place: &Place<'m>) -> Result<Value> {
        // Their form is not in the document.
        if matches!(place.kind, Some(Kind::Type(target)) if lenient::is_id(target)) {
            let own: String = (0..24).map(|_| self.choose.rng.alphanumeric()).collect();
            return Ok(json!(format!("P{:08}.{own}", self.choose.rng.u32(..100_000_000))));
        }
        let (shortest, longest) = (node.shortest, node.longest);
        let fits = |text: &str| {
            let length = text.chars().count();
            length >= shortest && longest.is_none_or(|longest| length <= longest)
        };
        if !node.patterns.is_empty() {
            let patterns: Vec<&str> = node.patterns.iter().map(String::as_str).collect();
            return Ok(json!(text::of_patterns(&patterns, shortest, longest, &mut self.choose.rng)?));
        }
        if let Some(text) = node.format.as_deref().and_then(|format| text::of_format(format, &mut self.choose.rng)) {
            return Ok(json!(text?));
        }
        let example = node.examples.iter().find_map(|example| example.as_str()).filter(|text| fits(text));
        if let (Some(example), true) = (example, self.choose.rng.bool()) {
            return Ok(json!(example));
        }
        let mut text = text::plain(&mut self.choose.rng);
        while text.chars().count() < shortest {
            text.push(self.choose.rng.alphanumeric());
        }
        let cut: String = text.chars().take(longest.unwrap_or(usize::MAX)).collect();
        Ok(json!(cut))
    }

    fn number(&mut self, node: &Node, whole: bool) -> Value {
        // What a JSON number carries through any reader, and the limits themselves now and then.
        let (low, high) = (node.least.unwrap_or(-1e6), node.most.unwrap_or(1e9).max(node.least.unwrap_or(-1e6)));
        let (low, high) = (low.ceil() as i64, high.floor() as i64);
        let integer = match self.choose.rng.u8(..8) {
            0 => low,
            1 => high,
            2 => 0.clamp(low, high),
            _ => self.choose.rng.i64(low..=low.max(high)),
        };
        let is_money = whole && node.kind.as_deref() == Some("number");
        let hundredths = Number::from_f64(integer as f64 + f64::from(self.choose.rng.u8(1..100)) / 100.0);
        let float = Number::from_f64(integer as f64);
        match (self.choose.rng.u8(..4), hundredths, float) {
            // `100.0` is the integer 100: a plain number may be written so.
            (0, _, Some(float)) if is_money => Value::Number(float),
            (0 | 1, Some(hundredths), _) if !whole && integer < high => Value::Number(hundredths),
            _ => json!(integer),
        }
    }
}
