//! A deserializer around another, which reads as a payment client has to.
//!
//! It differs from plain serde in three points: a JSON list is never read as a struct by position; a whole float is an
//! integer; and, when it is lenient, a part that a type marks as an [attempt](super::field) and that cannot be read is
//! skipped and noted. Each part of the JSON is read once, whatever is wrong with it.
//!
//! Every generated type is compiled for each deserializer that it is read from, which is most of the build of this crate.
//! So there is one, that of a JSON text, and what does not depend on the type stands in [`Notes`].

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize as _, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::field::ATTEMPT;
use super::notes::Notes;
use super::path::Step;

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
        if self.notes.is_lenient() && name == ATTEMPT {
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
        let skipped_before = self.notes.count();
        let mut inner = serde_json::Deserializer::from_str(text.get());
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
        self.notes.enter(|| Step::Index(index));
        let outcome = self.access.next_element_seed(Reader::new(seed, self.notes));
        self.notes.leave(outcome.as_ref().err());
        outcome
    }
}

struct Fields<'n, A> {
    access: A,
    notes: &'n Notes,
    name: String,
}

impl<'de, A: MapAccess<'de>> Fields<'_, A> {
    #[cold]
    fn next_noted<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.access.next_key::<String>()? else { return Ok(None) };
        self.name = name;
        let name: StrDeserializer<'_, A::Error> = self.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if self.notes.is_lenient() { self.next_noted(seed) } else { self.access.next_key_seed(seed) }
    }

    // Not part of the function that reads a struct: with a hundred fields, that takes the compiler minutes.
    #[inline(never)]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.notes.enter(|| Step::Field(std::mem::take(&mut self.name)));
        let outcome = self.access.next_value_seed(Reader::new(seed, self.notes));
        self.notes.leave(outcome.as_ref().err());
        outcome
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Reader<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Reader::new(inner, self.notes))
    }
}
