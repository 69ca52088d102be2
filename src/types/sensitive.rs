//! Texts that are not for logs.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A text about a person, or a secret such as a card token.
///
/// It reads like a `str` and is sent like one, but `Debug` shows only that it is there, and there is no `Display`: a
/// transaction can be logged without the customer's address in the log.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// Returns the text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text itself, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Deref for Sensitive {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Sensitive {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl PartialEq<str> for Sensitive {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Sensitive {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_and_is_sent_as_the_text_and_shows_nothing_of_it() {
        for text in [Sensitive::from("Kari"), "Kari".to_owned().into(), serde_json::from_str("\"Kari\"").unwrap()] {
            let as_ref: &str = text.as_ref();
            assert_eq!([text.as_str(), &*text, as_ref, &text.clone().into_string()], ["Kari"; 4]);
            assert!(text == "Kari" && text == *"Kari" && text != "Ola" && text != *"Ola");
            assert_eq!(serde_json::to_string(&text).unwrap(), "\"Kari\"");
            assert_eq!(format!("{text:?}"), "[redacted]");
        }
    }
}
