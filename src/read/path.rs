//! Places in a JSON text.

use std::fmt;

/// A place in a JSON text, shown as a JSONPath: `$.events[2].error.type`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonPath(pub(super) Vec<Step>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    Field(String),
    Index(usize),
}

impl JsonPath {
    /// Returns the path of the whole text.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the path of the field of this name below.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.0.push(Step::Field(name.into()));
        self
    }

    /// Returns the path of the entry of this number, from 0, below.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// Returns the name of the last field on the way, without list indexes: `amount` for `$.items[0].amount`.
    #[must_use]
    pub fn last_field(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
    }

    pub(super) fn below(&self, steps: &[Step]) -> Self {
        Self(self.0.iter().chain(steps).cloned().collect())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Field(name) if is_identifier(name) => write!(f, ".{name}")?,
                // Quoted as JSONPath has it: names with colons, dots and hyphens occur.
                Step::Field(name) => write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))?,
            }
        }
        Ok(())
    }
}

/// Whether a name is a plain identifier, as most names of the interface are and what a customer types seldom is.
pub(crate) fn is_identifier(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
