//! How the fields of the generated types are read: the seeds that put what is read in its place.
//!
//! A place is written when all of a part has been read, and left as it was when that fails. Under a plain deserializer a
//! field is read as serde does it, but that `null` is the empty list; under a lenient [reader](super::reader) a field, an
//! entry of a list or of a map that cannot be read is left out, and everything around it is kept.
//!
//! Each seed is compiled for each type that a field has, not for each field, and gives nothing back: what is read is not
//! moved through the functions on the way.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// By this name the reader knows a part that may be skipped.
pub(super) const ATTEMPT: &str = "$dintero::Attempt";

/// The type of a field that may be left out or may have entries that are.
pub(crate) trait Field<'de>: Default {
    /// Reads what is there in place of the default.
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

impl<'de, T: Deserialize<'de>> Field<'de> for Option<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        T::deserialize(deserializer).map(|value| *self = Some(value))
    }
}

impl<'de, T: Deserialize<'de>> Field<'de> for Vec<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(List(self))
    }
}

impl<'de, T: Deserialize<'de>> Field<'de> for BTreeMap<String, T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(Map(self))
    }
}

/// Reads a field that the type can do without.
pub(crate) struct Kept<'a, F>(pub(crate) &'a mut F);

impl<'de, F: Field<'de>> DeserializeSeed<'de> for Kept<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Attempt(Present(self.0)).deserialize(deserializer)
    }
}

/// Reads a field that the type cannot do without.
pub(crate) struct Required<'a, T>(pub(crate) &'a mut Option<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Required<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// Reads a list or map that the type cannot do without, though without some of its entries.
pub(crate) struct Entries<'a, F>(pub(crate) &'a mut Option<F>);

impl<'de, F: Field<'de>> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut entries = F::default();
        entries.fill(deserializer)?;
        *self.0 = Some(entries);
        Ok(())
    }
}

/// Reads a part that a lenient reader may skip.
struct Attempt<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Attempt<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_newtype_struct(ATTEMPT, self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Attempt<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.deserialize(deserializer)
    }

    /// A lenient reader gives none where it skips.
    fn visit_seq<A: SeqAccess<'de>>(self, mut value: A) -> Result<(), A::Error> {
        value.next_element_seed(self.0).map(|_| ())
    }
}

/// A value, or `null`, which leaves the default.
struct Present<'a, F>(&'a mut F);

impl<'de, F: Field<'de>> DeserializeSeed<'de> for Present<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, F: Field<'de>> Visitor<'de> for Present<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("option")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// A list without the entries that cannot be read.
struct List<'a, T>(&'a mut Vec<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut out = Vec::new();
        while entries.next_element_seed(Attempt(Push(&mut out)))?.is_some() {}
        *self.0 = out;
        Ok(())
    }
}

/// The next entry of a list.
struct Push<'a, T>(&'a mut Vec<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Push<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::deserialize(deserializer).map(|value| self.0.push(value))
    }
}

/// A map without the entries that cannot be read.
struct Map<'a, T>(&'a mut BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut out = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            let mut entry = None;
            entries.next_value_seed(Attempt(Required(&mut entry)))?;
            out.extend(entry.map(|value| (name, value)));
        }
        *self.0 = out;
        Ok(())
    }
}
