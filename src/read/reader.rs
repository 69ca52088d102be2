//! A deserializer around another, which reads as a payment client has to.
//!
//! It differs from plain serde in three points: a JSON list is never read as a struct by position; a whole float is an
//! integer; and, when it is lenient, a part that a type marks as an [attempt](super::field) and that cannot be read is
//! skipped and noted. Each part of the JSON is read once, whatever is wrong with it.
//!
//! Every generated type is compiled for each deserializer that it is read from, which is most of the build of this crate.
//! So there is one, that of a JSON text, and what does not depend on the type stands in functions that do not.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize as _, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;

use super::field::ATTEMPT;
use super::path::Step;

/// More than this many parts of one value that cannot be read, and it is not what it is taken for.
const MOST: usize = 10_000;

/// Fields that are never skipped where a type requires them.
const MONEY: [&str; 2] = ["amount", "currency"];

/// What one reading notes down.
#[derive(Default)]
pub(super) struct Notes {
    lenient: bool,
    /// The place that is being read. Kept only by a lenient reading, as is everything below.
    path: RefCell<Vec<Step>>,
    /// The failure on its way up to the attempt that ends it.
    failure: RefCell<Option<Failure>>,
    skipped: RefCell<Vec<Skipped>>,
    is_hopeless: Cell<bool>,
}

/// A part that was skipped.
pub(super) struct Skipped {
    pub(super) path: Vec<Step>,
    pub(super) value: Value,
    pub(super) expected: String,
}

/// The place at which reading failed, and what was expected there.
struct Failure {
    path: Vec<Step>,
    /// None when the place is missing altogether.
    expected: Option<String>,
}

impl Failure {
    fn new(mut path: Vec<Step>, message: &str) -> Self {
        if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            path.push(Step::Field(field.to_owned()));
            return Self { path, expected: None };
        }
        // Only what follows "expected" is ours; what stands before it quotes the response.
        let expected = message.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
        let expected = expected.split(" at line ").next().unwrap_or_default();
        Self { path, expected: Some(expected.to_owned()) }
    }

    /// What was expected at the first `depth` steps of the way.
    fn expected_at(&self, depth: usize) -> String {
        match (self.path.get(depth), &self.expected) {
            (Some(Step::Field(name)), _) => format!("an object with `{name}`"),
            (Some(Step::Index(_)), _) => "a list of other entries".to_owned(),
            (None, Some(expected)) => expected.clone(),
            (None, None) => "something".to_owned(),
        }
    }

    /// How far down the last sum of money or currency stands on the way, if there is one below `depth`.
    fn money_below(&self, depth: usize) -> Option<usize> {
        let is_money = |step: &Step| matches!(step, Step::Field(name) if MONEY.contains(&name.as_str()));
        self.path.iter().rposition(is_money).filter(|at| *at >= depth)
    }
}

impl Notes {
    pub(super) fn lenient() -> Self {
        Self { lenient: true, ..Self::default() }
    }

    /// What was skipped, in the order of reading.
    pub(super) fn into_skipped(self) -> Vec<Skipped> {
        self.skipped.into_inner()
    }

    /// The place that makes the whole unreadable, and what is wrong with it: the sum of money, or else the field of
    /// the whole in which the failure lies.
    pub(super) fn into_failure(self, error: &impl fmt::Display) -> (Vec<Step>, String) {
        if self.is_hopeless.get() {
            return (Vec::new(), format!("more than {MOST} fields are not what they should be"));
        }
        let failure = self.failure.into_inner().unwrap_or_else(|| Failure::new(Vec::new(), &error.to_string()));
        let depth = failure.money_below(0).map_or(1, |at| at.saturating_add(1)).min(failure.path.len());
        let problem = match &failure.expected {
            None if depth == failure.path.len() => "required field missing".to_owned(),
            _ => format!("expected {}", failure.expected_at(depth)),
        };
        (failure.path.into_iter().take(depth).collect(), problem)
    }

    /// Begins to read what stands one step below.
    fn enter(&self, step: Step) {
        if self.lenient {
            self.path.borrow_mut().push(step);
        }
    }

    /// Ends it.
    fn leave(&self) {
        if self.lenient {
            self.path.borrow_mut().pop();
        }
    }

    /// Ends it with a failure.
    fn leave_failed(&self, error: &dyn fmt::Display) {
        if self.lenient {
            self.note(error);
        }
        self.leave();
    }

    /// Notes a failure at this place, unless it comes from further down.
    fn note(&self, error: &dyn fmt::Display) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some(Failure::new(self.path.borrow().clone(), &error.to_string()));
        }
    }

    /// Skips the place after a failure in it, if nothing forbids that. What was skipped inside of it goes with it.
    fn skip(&self, error: serde_json::Error, skipped_before: usize, text: &RawValue) -> serde_json::Result<()> {
        self.note(&error);
        let path = self.path.borrow();
        let mut failure = self.failure.borrow_mut();
        let Some(found) = failure.take() else { return Err(error) };
        if found.money_below(path.len()).is_some() || self.is_hopeless.get() {
            *failure = Some(found);
            return Err(error);
        }
        let mut skipped = self.skipped.borrow_mut();
        skipped.truncate(skipped_before);
        self.is_hopeless.set(skipped.len() >= MOST);
        let value = serde_json::from_str(text.get()).unwrap_or_default();
        skipped.push(Skipped { path: path.clone(), value, expected: found.expected_at(path.len()) });
        if self.is_hopeless.get() { Err(error) } else { Ok(()) }
    }
}

/// A deserializer, a seed or the access to a list that reads as this module says.
pub(super) struct Reader<'n, X> {
    inner: X,
    notes: &'n Notes,
}

impl<'n, X> Reader<'n, X> {
    pub(super) fn new(inner: X, notes: &'n Notes) -> Self {
        Self { inner, notes }
    }

    fn visit<V>(&self, visitor: V, takes_whole_floats: bool) -> Visit<'n, V> {
        Visit { visitor, takes_whole_floats, notes: self.notes }
    }
}

macro_rules! forward {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

macro_rules! forward_with {
    ($takes_whole_floats:literal: $($method:ident($($name:ident: $kind:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.visit(visitor, $takes_whole_floats);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Reader<'_, D> {
    type Error = D::Error;

    // Nothing below these is of a type with fields: they are kept as they come.
    forward! {
        deserialize_any deserialize_ignored_any deserialize_identifier deserialize_bool deserialize_char deserialize_f32
        deserialize_f64 deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit
    }

    forward_with! { true:
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
    }

    forward_with! { false:
        deserialize_option() deserialize_seq() deserialize_map() deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize) deserialize_unit_struct(name: &'static str)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, VisitObject { visitor, notes: self.notes })
    }

    /// A newtype is what it holds, in JSON. An attempt is read from its own text, behind which reading goes on whatever
    /// is wrong with it.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        if name == ATTEMPT && self.notes.lenient {
            let text = <&RawValue>::deserialize(self.inner)?;
            return visitor.visit_seq(Attempt { text: Some(text), notes: self.notes }).map_err(D::Error::custom);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

/// What is to become of a part that may be skipped: a list of the one value, empty when it is skipped.
struct Attempt<'n, 'de> {
    text: Option<&'de RawValue>,
    notes: &'n Notes,
}

impl<'de> SeqAccess<'de> for Attempt<'_, 'de> {
    type Error = serde_json::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, serde_json::Error> {
        let Some(text) = self.text.take() else { return Ok(None) };
        let skipped_before = self.notes.skipped.borrow().len();
        let mut inner = serde_json::Deserializer::from_slice(text.get().as_bytes());
        match seed.deserialize(Reader::new(&mut inner, self.notes)) {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.notes.skip(error, skipped_before, text).map(|()| None),
        }
    }
}

/// A visitor of an object: a list is none.
struct VisitObject<'n, V> {
    visitor: V,
    notes: &'n Notes,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for VisitObject<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Fields { access, notes: self.notes, name: String::new() })
    }
}

/// A visitor whose parts are read as this module says.
struct Visit<'n, V> {
    visitor: V,
    /// For an integer.
    takes_whole_floats: bool,
    notes: &'n Notes,
}

macro_rules! visit {
    ($($method:ident($kind:ty))*) => {$(
        fn $method<E: de::Error>(self, value: $kind) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8)
        visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_char(char) visit_str(&str)
        visit_borrowed_str(&'de str) visit_string(String) visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        match whole(value).filter(|_| self.takes_whole_floats) {
            Some(integer) => self.visitor.visit_i64(integer),
            None => self.visitor.visit_f64(value),
        }
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Reader::new(inner, self.notes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Entries { access, notes: self.notes, next: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Fields { access, notes: self.notes, name: String::new() })
    }
}

/// The integer that a JSON float stands for, where it is one exactly.
fn whole(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it floats skip integers.
    let integer = (float.fract() == 0.0 && float.abs() <= EXACT).then(|| format!("{float:.0}"))?;
    integer.parse().ok()
}

struct Entries<'n, A> {
    access: A,
    notes: &'n Notes,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let index = self.next;
        self.next = index.saturating_add(1);
        self.notes.enter(Step::Index(index));
        let outcome = self.access.next_element_seed(Reader::new(seed, self.notes));
        match &outcome {
            Ok(_) => self.notes.leave(),
            Err(error) => self.notes.leave_failed(error),
        }
        outcome
    }
}

struct Fields<'n, A> {
    access: A,
    notes: &'n Notes,
    name: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if !self.notes.lenient {
            return self.access.next_key_seed(seed);
        }
        let Some(name) = self.access.next_key::<String>()? else { return Ok(None) };
        self.name = name;
        let name: StrDeserializer<'_, A::Error> = self.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    // Not part of the function that reads a struct: with a hundred fields, that takes the compiler minutes.
    #[inline(never)]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.notes.enter(Step::Field(std::mem::take(&mut self.name)));
        let outcome = self.access.next_value_seed(Reader::new(seed, self.notes));
        match &outcome {
            Ok(_) => self.notes.leave(),
            Err(error) => self.notes.leave_failed(error),
        }
        outcome
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Reader<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Reader::new(inner, self.notes))
    }
}
