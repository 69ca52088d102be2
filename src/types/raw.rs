//! JSON that is kept as it came, and the helpers of the macros in `open_enum!`.

use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A JSON object that is kept as it came.
///
/// `Debug` shows the names of its fields, where they are identifiers, and not what they hold.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RawObject(pub Map<String, Value>);

impl RawObject {
    /// Returns the value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// Returns the object as a type, when it is one.
    #[must_use]
    pub fn read_as<T: DeserializeOwned>(&self) -> Option<T> {
        crate::read::whole(&self.0)
    }
}

impl fmt::Debug for RawObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::redact::names(f, self.0.keys())
    }
}

/// A text or a number, as metadata has them; anything else that a response holds is kept too.
///
/// Only texts and numbers are sent. `Debug` shows neither: metadata is the merchant's, and may be about a customer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum StringOrNumber {
    /// A text.
    String(String),
    /// A number, as JSON has it.
    Number(serde_json::Number),
    /// What the interface does not provide for.
    Other(Value),
}

impl fmt::Debug for StringOrNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String(_) => "String([redacted])",
            Self::Number(_) => "Number([redacted])",
            Self::Other(_) => "Other([redacted])",
        })
    }
}

impl From<&str> for StringOrNumber {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for StringOrNumber {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i64> for StringOrNumber {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

/// Reads a text without copying it first, for `open_enum!`.
pub(crate) fn read_text<'de, D, T>(deserializer: D, make: fn(&str) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Text<T>(fn(&str) -> T);

    impl<T> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E>(self, text: &str) -> Result<T, E> {
            Ok((self.0)(text))
        }
    }

    deserializer.deserialize_str(Text(make))
}

/// Writes an object with its tag, for `tagged_enum!`.
pub(crate) fn write_tagged<S, T>(serializer: S, tag: &str, text: &str, inner: &T) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
{
    match serde_json::to_value(inner).map_err(S::Error::custom)? {
        Value::Object(mut object) => {
            object.insert(tag.to_owned(), Value::String(text.to_owned()));
            object.serialize(serializer)
        }
        _ => Err(S::Error::custom("a variant has to be an object")),
    }
}
