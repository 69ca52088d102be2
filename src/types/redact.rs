//! What `Debug` shows of the types: that a text is there, not what it says, unless the curation lists its field.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{Decimal, Sensitive, StringOrNumber};
use crate::read::is_identifier;

/// Stands for what is not shown.
const REDACTED: &str = "[redacted]";

/// A field of a struct: its name, whether it is there, and how it prints.
pub(crate) type Part<'a> = (&'static str, bool, &'a dyn Debug);

/// Prints a struct with the fields that are there.
pub(crate) fn print(f: &mut Formatter<'_>, name: &str, parts: &[Part<'_>]) -> fmt::Result {
    let mut out = f.debug_struct(name);
    let mut is_whole = true;
    for (field, is_there, value) in parts {
        if *is_there {
            out.field(field, value);
        }
        is_whole &= is_there;
    }
    if is_whole { out.finish() } else { out.finish_non_exhaustive() }
}

/// `Debug` of structs. Of each field: its name, what tells that it is there, and whether its value is shown.
macro_rules! debug {
    ($($name:ident { $($field:ident $presence:ident $($how:ident)?,)* })*) => {$(
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::types::redact::print(f, stringify!($name), &[$((
                    stringify!($field),
                    $crate::types::redact::is_there!($presence self.$field),
                    $crate::types::redact::value!($($how)? self.$field),
                )),*])
            }
        }
    )*};
}

macro_rules! is_there {
    (optional $value:expr) => {
        $value.is_some()
    };
    (list $value:expr) => {
        !$value.is_empty()
    };
    (required $value:expr) => {
        true
    };
}

macro_rules! value {
    (shown $value:expr) => {
        &$value
    };
    ($value:expr) => {
        &$crate::types::redact::Hidden(&$value)
    };
}

pub(crate) use {debug, is_there, value};

/// Prints how much is there, not what it is.
pub(crate) struct Hidden<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Hide + ?Sized> Debug for Hidden<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.hide(f)
    }
}

/// What a field that is not shown may hold.
pub(crate) trait Hide {
    fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

macro_rules! hide {
    ($($kind:ty),*) => {$(
        impl Hide for $kind {
            fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(REDACTED)
            }
        }
    )*};
}

hide!(String, NaiveDate, Value, Decimal, Sensitive, StringOrNumber);

impl<T: Hide> Hide for Option<T> {
    fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Some(value) => f.debug_tuple("Some").field(&Hidden(value)).finish(),
            None => f.write_str("None"),
        }
    }
}

impl<T> Hide for Vec<T> {
    fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{} redacted]", self.len())
    }
}

impl<T> Hide for BTreeMap<String, T> {
    fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result {
        names(f, self.keys())
    }
}

impl Hide for Map<String, Value> {
    fn hide(&self, f: &mut Formatter<'_>) -> fmt::Result {
        names(f, self.keys())
    }
}

/// Prints the names of an object. It may be keyed by anything: only identifiers are shown.
pub(super) fn names<'a>(f: &mut Formatter<'_>, names: impl Iterator<Item = &'a String>) -> fmt::Result {
    let shown = names.map(|name| if is_identifier(name) { name.as_str() } else { "*" });
    f.debug_set().entries(shown.map(Bare)).finish()
}

/// Prints a value that an enum does not list, when it has the form of one: `A_NEW_STATUS`, `payex.creditcard`.
pub(crate) fn unlisted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let is_value = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
        && text.bytes().filter(u8::is_ascii_digit).count() <= 6;
    f.debug_tuple("Unknown").field(&Bare(if is_value { text } else { REDACTED })).finish()
}

/// A text without quotes.
struct Bare<'a>(&'a str);

impl Debug for Bare<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::RawObject;

    #[test]
    fn an_object_shows_its_names_where_they_are_identifiers_and_no_value() {
        let Value::Object(object) = json!({ "kari@shop.example": 1, "note": "for Kari" }) else { unreachable!() };
        let tree: BTreeMap<String, Value> = object.clone().into_iter().collect();
        let shown = [
            format!("{:?}", Hidden(&object)),
            format!("{:?}", Hidden(&tree)),
            format!("{:?}", Hidden(&Some(tree))),
            format!("{:?}", RawObject(object)),
        ];
        assert_eq!(shown, ["{*, note}", "{*, note}", "Some({*, note})", "{*, note}"]);
    }

    #[test]
    fn a_text_that_an_enum_does_not_list_shows_where_it_has_the_form_of_one() {
        let shown = |text: &str| {
            struct One<'a>(&'a str);
            impl Debug for One<'_> {
                fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    unlisted(f, self.0)
                }
            }
            format!("{:?}", One(text))
        };
        for text in ["A_NEW_STATUS", "payex.creditcard", "v1:a-b", "a123456", &"a".repeat(64)] {
            assert_eq!(shown(text), format!("Unknown({text})"));
        }
        for text in ["", "1a", "Kari Nordmann", "a1234567", "kari@shop.example", "\u{e5}", &"a".repeat(65)] {
            assert_eq!(shown(text), "Unknown([redacted])");
        }
    }
}
