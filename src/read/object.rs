//! How the generated structs are read.
//!
//! `build.rs` says of each field where it goes and whether the type can do without it, and [`objects!`] makes the reading
//! of it. serde's derive makes a type and two functions for each field that is read in a way of its own; they were most of
//! what a build of this crate had to compile.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

pub(crate) use super::field::{Entries, Kept, Required};
use super::notes::is_money;

/// A struct that is read from an object.
pub(crate) trait Object: Sized {
    /// What an error calls it.
    const EXPECTED: &'static str;
    /// The names of its fields in JSON.
    const NAMES: &'static [&'static str];
    /// Which of them have to be there.
    const REQUIRED: &'static [bool];
    /// Whether fields that nobody knows are kept.
    const KEEPS_UNKNOWN: bool;

    /// The place of a name among the [`NAMES`](Self::NAMES).
    fn place(name: &str) -> Option<usize>;

    /// Reads the fields.
    fn read<'de, A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error>;
}

/// Reads an object.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Object>(deserializer: D) -> Result<T, D::Error> {
    // JSON does not name its objects.
    deserializer.deserialize_struct("object", T::NAMES, Visit(PhantomData))
}

struct Visit<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for Visit<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::read(fields)
    }
}

/// The names of the fields of an object, as they come.
pub(crate) struct Names<'a> {
    known: &'static [&'static str],
    place: fn(&str) -> Option<usize>,
    seen: &'a mut [bool],
    /// The last one that nobody knows, where such are kept.
    unknown: Option<String>,
}

impl<'a> Names<'a> {
    pub(crate) fn of<T: Object>(seen: &'a mut [bool]) -> Self {
        Self { known: T::NAMES, place: T::place, seen, unknown: T::KEEPS_UNKNOWN.then(String::new) }
    }

    /// The name that has no place.
    pub(crate) fn unknown(&mut self) -> String {
        self.unknown.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The error for an object without what it has to have. Where a sum of money is missing, it names that: no part
    /// without one is ever left out of a response.
    #[cold]
    pub(crate) fn missing<T: Object, E: Error>(&self) -> E {
        let known = self.known.iter().zip(T::REQUIRED.iter().zip(&*self.seen));
        let missing = || known.clone().filter(|(_, (required, seen))| **required && !**seen).map(|(name, _)| *name);
        E::missing_field(missing().find(|name| is_money(name)).or_else(|| missing().next()).unwrap_or_default())
    }
}

/// Reads the name of a field, and gives its place if it is known. That one stands twice is an error.
pub(crate) struct Next<'n, 'a>(pub(crate) &'n mut Names<'a>);

impl<'de> DeserializeSeed<'de> for Next<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Next<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        let names = self.0;
        let Some(place) = (names.place)(name) else {
            if let Some(unknown) = &mut names.unknown {
                name.clone_into(unknown);
            }
            return Ok(None);
        };
        if let (Some(seen), Some(known)) = (names.seen.get_mut(place), names.known.get(place))
            && std::mem::replace(seen, true)
        {
            return Err(E::duplicate_field(known));
        }
        Ok(Some(place))
    }
}

/// `Deserialize` of structs. Of each field: its number, its name, its name in JSON, and the seed that reads it.
macro_rules! objects {
    ($($name:ident $($extra:ident)? { $($number:literal $field:ident $json:literal $seed:ident,)* })*) => {$(
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::read::object::object(deserializer)
            }
        }

        impl $crate::read::object::Object for $name {
            const EXPECTED: &'static str = concat!("struct ", stringify!($name));
            const NAMES: &'static [&'static str] = &[$($json),*];
            const REQUIRED: &'static [bool] = &[$($crate::read::object::is_required!($seed)),*];
            const KEEPS_UNKNOWN: bool = {
                let kept: &[&str] = &[$(stringify!($extra))?];
                !kept.is_empty()
            };

            fn place(name: &str) -> Option<usize> {
                match name {
                    $($json => Some($number),)*
                    _ => None,
                }
            }

            fn read<'de, A: ::serde::de::MapAccess<'de>>(mut fields: A) -> ::std::result::Result<Self, A::Error> {
                let mut seen = [false; Self::NAMES.len()];
                let mut names = $crate::read::object::Names::of::<Self>(&mut seen);
                $(let mut $field = ::std::default::Default::default();)*
                $(let mut $extra = ::serde_json::Map::new();)?
                while let Some(place) = fields.next_key_seed($crate::read::object::Next(&mut names))? {
                    match place {
                        $(Some($number) => fields.next_value_seed($crate::read::object::$seed(&mut $field))?,)*
                        $(None => drop($extra.insert(names.unknown(), fields.next_value()?)),)?
                        _ => drop(fields.next_value::<::serde::de::IgnoredAny>()?),
                    }
                }
                Ok(Self { $($field: $crate::read::object::finish!($seed $field names),)* $($extra,)? })
            }
        }
    )*};
}

macro_rules! is_required {
    (Kept) => {
        false
    };
    ($seed:ident) => {
        true
    };
}

macro_rules! finish {
    (Kept $field:ident $names:ident) => {
        $field
    };
    ($seed:ident $field:ident $names:ident) => {
        match $field {
            Some(value) => value,
            None => return Err($names.missing::<Self, A::Error>()),
        }
    };
}

pub(crate) use {finish, is_required, objects};
