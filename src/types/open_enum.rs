//! The macros behind every generated enum and every choice between tagged objects.
//!
//! Both are open: what is not known when the crate is built is read, kept, and written back as it came.
//! Which enums there are is decided by `spec/dintero.json`; `build.rs` writes the calls.

/// An enum of texts with a variant for any other text.
macro_rules! open_enum {
    (
        $(#[$attr:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }
    ) => {
        $(#[$attr])*
        ///
        /// New values appear without notice: match with a `_` arm. Values compare by their text. A text becomes a value
        /// through `parse` or `try_from`, which refuse one that is not listed; `Unknown` sends any text.
        #[derive(Clone)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A value that this version of the crate does not know: one that a response had, or one to be sent all the
            /// same.
            Unknown(String),
        }

        impl $name {
            /// The values known to this version of the crate.
            pub const KNOWN: &'static [&'static str] = &[$($text),*];

            /// Returns the value as the interface spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl $name {
            /// A text from the service.
            pub(crate) fn read(text: &str) -> Self {
                text.parse().unwrap_or_else(|_| Self::Unknown(text.to_owned()))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::types::UnknownValue;

            /// Converts the text of a listed value.
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err($crate::types::UnknownValue::new(stringify!($name), other)),
                }
            }
        }

        impl ::std::convert::TryFrom<&str> for $name {
            type Error = $crate::types::UnknownValue;

            fn try_from(text: &str) -> ::std::result::Result<Self, $crate::types::UnknownValue> {
                text.parse()
            }
        }

        impl ::std::convert::TryFrom<String> for $name {
            type Error = $crate::types::UnknownValue;

            fn try_from(text: String) -> ::std::result::Result<Self, $crate::types::UnknownValue> {
                text.parse()
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // An unlisted value is a text from outside.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)*
                    Self::Unknown(text) => $crate::types::redact::unlisted(f, text),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        // By text, so that a known value spelled through `Unknown` is still that value.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<::std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl ::std::hash::Hash for $name {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::types::read_text(deserializer, Self::read)
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                // Open: the known values are examples, not limits.
                ::schemars::json_schema!({ "type": "string", "examples": Self::KNOWN })
            }
        }
    };
}

/// A text that is not a listed value of an enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a listed value of {kind}; {kind}::Unknown sends it all the same")]
pub struct UnknownValue {
    kind: &'static str,
    text: String,
}

impl UnknownValue {
    pub(crate) fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.chars().take(64).collect() }
    }
}

/// A choice between objects by the text of one property, with a variant for any other object.
macro_rules! tagged_enum {
    (
        $(#[$attr:meta])*
        pub enum $name:ident by $tag:literal { $($(#[$doc:meta])* $variant:ident($inner:ty) = $text:literal,)* }
    ) => {
        $(#[$attr])*
        ///
        #[doc = concat!("Which one it is stands in `", $tag, "`, which is written by itself.")]
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant($inner),)*
            /// An object that this version of the crate does not know, or cannot read as what it says it is.
            Unknown($crate::types::RawObject),
        }

        impl $name {
            /// Returns the text of the property that tells the variants apart; none where a response left it out.
            #[must_use]
            pub fn tag(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(_) => Some($text),)*
                    Self::Unknown(object) => object.get($tag).and_then(::serde_json::Value::as_str),
                }
            }
        }

        $(
            // Several variants can hold the same type, so there is no `From` for it: the variant says which is meant.
            const _: fn($inner) -> $name = $name::$variant;
        )*

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(inner) => $crate::types::write_tagged(serializer, $tag, $text, inner),)*
                    Self::Unknown(object) => ::serde::Serialize::serialize(object, serializer),
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let object = <$crate::types::RawObject as ::serde::Deserialize>::deserialize(deserializer)?;
                let tag = object.get($tag).filter(|tag| !tag.is_null());
                let known = match tag.map(::serde_json::Value::as_str) {
                    $(Some(Some($text)) => object.read_as::<$inner>().map(Self::$variant),)*
                    // The documented responses leave it out: it can be told only where there is nothing to choose.
                    None if [$($text),*].len() == 1 => None$(.or_else(|| object.read_as::<$inner>().map(Self::$variant)))*,
                    // Another text, or no text: what it means is not known.
                    Some(_) | None => None,
                };
                Ok(known.unwrap_or(Self::Unknown(object)))
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let variants = vec![$(generator.subschema_for::<$inner>().to_value()),*];
                ::schemars::json_schema!({ "type": "object", "anyOf": variants })
            }
        }
    };
}

pub(crate) use {open_enum, tagged_enum};

#[cfg(test)]
#[allow(unreachable_pub, reason = "what the macros make is public")]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    pub(crate) struct Limit {
        at_most: i64,
    }

    tagged_enum! {
        /// A choice with nothing to choose.
        pub enum Rule by "type" {
            AtMost(Limit) = "at_most",
        }
    }

    #[test]
    fn what_is_no_text_is_an_error_that_says_so() {
        for json in ["7", "null", "{}"] {
            let error = serde_json::from_str::<crate::types::Currency>(json).unwrap_err();
            assert!(error.to_string().contains("expected a string"), "{json}: {error}");
        }
    }

    #[test]
    fn a_lone_variant_may_leave_its_tag_out_and_not_have_another() {
        for tag in [json!({}), json!({ "type": null }), json!({ "type": "at_most" })] {
            let mut given = tag;
            given["at_most"] = json!(7);
            assert_eq!(serde_json::from_value::<Rule>(given).unwrap(), Rule::AtMost(Limit { at_most: 7 }));
        }
        for tag in [json!(7), json!("at_least"), json!(["at_most"]), json!({}), json!(true)] {
            let given = json!({ "type": tag, "at_most": 7 });
            let read: Rule = serde_json::from_value(given.clone()).unwrap();
            assert!(matches!(read, Rule::Unknown(_)), "{given}");
            assert_eq!(read.tag(), tag.as_str());
            assert_eq!(serde_json::to_value(read).unwrap(), given);
        }
    }
}
