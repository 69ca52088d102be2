//! How the fields of the generated types are read, where a type can do without what they hold.
//!
//! `build.rs` puts these functions on the fields. Under a plain deserializer they do what serde does, but that `null`
//! is the empty list; under a lenient [reader](super::reader) a field, an entry of a list or of a map that cannot be
//! read is left out, and everything around it is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// By this name the reader knows a part that may be skipped.
pub(super) const ATTEMPT: &str = "$dintero::Attempt";

/// Reads a field that the type can do without.
pub(crate) fn field<'de, D: Deserializer<'de>, F: Field<'de>>(deserializer: D) -> Result<F, D::Error> {
    match Attempt::<Option<F::Read>>::deserialize(deserializer)?.0 {
        Some(Some(read)) => Ok(F::from(read)),
        _ => Ok(F::default()),
    }
}

/// Reads a list or map that the type cannot do without, though without some of its entries.
pub(crate) fn entries<'de, D: Deserializer<'de>, F: Field<'de>>(deserializer: D) -> Result<F, D::Error> {
    F::Read::deserialize(deserializer).map(F::from)
}

/// The type of a field that may be left out or may have entries that are.
pub(crate) trait Field<'de>: Default {
    /// What is read in its place.
    type Read: Deserialize<'de>;

    /// What was read, as the field has it.
    fn from(read: Self::Read) -> Self;
}

impl<'de, T: Deserialize<'de>> Field<'de> for Option<T> {
    type Read = T;

    fn from(read: T) -> Self {
        Some(read)
    }
}

impl<'de, T: Deserialize<'de>> Field<'de> for Vec<T> {
    type Read = List<T>;

    fn from(read: List<T>) -> Self {
        read.0
    }
}

impl<'de, T: Deserialize<'de>> Field<'de> for BTreeMap<String, T> {
    type Read = Map<T>;

    fn from(read: Map<T>) -> Self {
        read.0
    }
}

/// A value, or none if it was skipped.
struct Attempt<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Attempt<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Whole<T> {
            type Value = Attempt<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Attempt<T>, D::Error> {
                T::deserialize(deserializer).map(|value| Attempt(Some(value)))
            }

            /// A lenient reader gives none where it skips.
            fn visit_seq<A: SeqAccess<'de>>(self, mut value: A) -> Result<Attempt<T>, A::Error> {
                value.next_element().map(Attempt)
            }
        }

        deserializer.deserialize_newtype_struct(ATTEMPT, Whole(PhantomData))
    }
}

/// A list without the entries that cannot be read.
pub(crate) struct List<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<List<T>, A::Error> {
                let mut out = Vec::new();
                while let Some(entry) = entries.next_element::<Attempt<T>>()? {
                    out.extend(entry.0);
                }
                Ok(List(out))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// A map without the entries that cannot be read.
pub(crate) struct Map<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Map<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map<T>, A::Error> {
                let mut out = BTreeMap::new();
                while let Some((name, entry)) = entries.next_entry::<String, Attempt<T>>()? {
                    out.extend(entry.0.map(|value| (name, value)));
                }
                Ok(Map(out))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
