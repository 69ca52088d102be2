//! Text into JSON values: strictly, within limits, with messages that name line and column.
//!
//! A key that stands twice in one object is refused: whichever of the two a parser keeps, the other is lost unseen.
//! What the values mean is not looked at here.

use std::cell::{Cell, RefCell};
use std::fmt;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{MessageFormatter as _, UserMessageFormatter};

/// A larger document is refused. The published one has about 2.5 million bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// A document with more values (objects, lists, texts, numbers) is refused: each takes up to 650 bytes of memory.
pub const MOST_VALUES: usize = 1_000_000;

/// A document with more levels is refused. The published one has twenty.
pub const MOST_LEVELS: usize = 64;

/// So much of a parser's message is shown.
const LONGEST_MESSAGE: usize = 160;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The values.
    pub value: Value,
    /// The way to the last value of the text, where a text that is cut off there can be whole as far as its form goes;
    /// none of JSON, whose brackets tell.
    pub end: Option<Vec<Step>>,
}

/// A step on the way to the last value of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The key or index that stands last.
    pub key: String,
    /// Whether the keys stand in the order of the alphabet, so that none that comes before this one can be cut off.
    pub is_sorted: bool,
}

/// Parses JSON when the text begins with a brace, and YAML otherwise.
///
/// # Errors
/// One line: the form, where in the text, and what is wrong there.
pub fn parse(text: &str) -> Result<Parsed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MOST_BYTES {
        bail!("{}", too_large());
    }
    // Not "JSON is YAML": the JSON parser is stricter and names the place of a cut.
    if text.trim_start().starts_with('{') {
        json(text).context("its JSON cannot be read")
    } else {
        yaml(text).context("its YAML cannot be read")
    }
}

fn json(text: &str) -> Result<Parsed> {
    let state = State::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Strict { state: &state, level: 0 }.deserialize(&mut parser).and_then(|value| {
        parser.end()?;
        Ok(value)
    });
    let value = value.map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the text ends in the middle: it is cut short",
            _ => message.strip_suffix(&place).unwrap_or(&message),
        };
        anyhow!("line {}, column {}: {}", error.line(), error.column(), shortened(what))
    })?;
    Ok(Parsed { value, end: None })
}

/// Parses YAML.
pub(super) fn yaml(text: &str) -> Result<Parsed> {
    let options = serde_saphyr::options! {
        // YAML 1.2: `Y` and `NO` are texts, an authentication status and a country, and not booleans.
        strict_booleans: true,
        with_snippet: false,
        emit_comments: false,
        // Values and levels are counted below, the same for both forms; nodes are the keys as well.
        budget: serde_saphyr::budget! {
            max_events: 4 * MOST_VALUES,
            max_nodes: 2 * MOST_VALUES,
            max_depth: MOST_LEVELS,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 4 * MOST_VALUES },
    };
    let state = State::default();
    let value = serde_saphyr::with_deserializer_from_str_with_options(text, options, |parser| {
        Strict { state: &state, level: 0 }.deserialize(parser)
    });
    let value = value.map_err(|error| {
        let error = error.without_snippet();
        let what = shortened(&yaml_problem(error));
        match error.location() {
            Some(place) => anyhow!("line {}, column {}: {what}", place.line(), place.column()),
            None => anyhow!("{what}"),
        }
    })?;
    let mut end = state.end.into_inner();
    end.reverse();
    Ok(Parsed { value, end: Some(end) })
}

/// What is said of a document of more than [`MOST_BYTES`].
pub(super) fn too_large() -> String {
    format!("the document is larger than {} MB, the most that is read", MOST_BYTES >> 20)
}

fn too_many() -> String {
    format!("the document has more than {MOST_VALUES} values, the most that is read")
}

fn too_deep() -> String {
    format!("more than {MOST_LEVELS} levels inside each other, the most that is read")
}

fn twice(key: &str) -> String {
    format!("the key `{key}` stands twice in one object")
}

/// What is wrong, in words that do not depend on the parser where it has its own.
fn yaml_problem(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => twice(key),
        Error::Eof { .. } => "the text ends in the middle: it is cut short, or empty".to_owned(),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        Error::Budget { breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, .. } => too_many(),
        Error::AliasError { msg, .. } if !msg.contains("replay") && !msg.contains("expansion") => {
            msg.split(" at line ").next().unwrap_or_default().to_owned()
        }
        Error::Budget { .. }
        | Error::AliasError { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "too many aliases, anchors or merged keys".to_owned(),
        other => UserMessageFormatter.format_message(other).into_owned(),
    }
}

/// The first line of a message, without control characters, and not without end.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    let mut out: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect();
    if out.len() < line.len() {
        out.push_str(" ...");
    }
    out
}

#[derive(Default)]
struct State {
    values: Cell<usize>,
    /// The way to the value read last, the innermost step first.
    end: RefCell<Vec<Step>>,
}

/// Reads one value.
struct Strict<'s> {
    state: &'s State,
    level: usize,
}

impl<'s> Strict<'s> {
    fn below<E: serde::de::Error>(&self) -> Result<Strict<'s>, E> {
        if self.level == MOST_LEVELS {
            return Err(E::custom(too_deep()));
        }
        Ok(Strict { state: self.state, level: self.level + 1 })
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        self.state.end.borrow_mut().clear();
        self.state.values.set(self.state.values.get() + 1);
        if self.state.values.get() > MOST_VALUES { Err(E::custom(too_many())) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.count().map(|()| Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.count().map(|()| Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.count().map(|()| Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.count()?;
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without an end"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.count().map(|()| Value::String(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.count().map(|()| Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.count()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            out.push(item);
        }
        if let Some(last) = out.len().checked_sub(1) {
            self.state.end.borrow_mut().push(Step { key: last.to_string(), is_sorted: true });
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.count()?;
        let mut out = Map::new();
        let mut last: Option<Step> = None;
        while let Some(key) = entries.next_key::<String>()? {
            if out.contains_key(&key) {
                return Err(A::Error::custom(twice(&key)));
            }
            let value = entries.next_value_seed(self.below()?)?;
            let is_sorted = last.is_none_or(|last| last.is_sorted && last.key < key);
            last = Some(Step { key: key.clone(), is_sorted });
            out.insert(key, value);
        }
        self.state.end.borrow_mut().extend(last);
        Ok(Value::Object(out))
    }
}
