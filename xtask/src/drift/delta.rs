//! One difference between two resolved things, before it is known where the interface reaches it.

use super::rules::Kind;
use crate::model::Step;
use crate::model::document::Place;

/// What the verdict needs to know besides the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Hint {
    #[default]
    None,
    /// The new type takes in all of the old one.
    Wider,
    /// The old type took in all of the new one.
    Narrower,
}

/// A difference at one place of the interface, which many operations may reach.
#[derive(Debug, Clone)]
pub(crate) struct Delta {
    pub(crate) kind: Kind,
    /// Where it is, seen from the schema that was compared.
    pub(crate) step: Option<Step>,
    /// Which of several alike facts it is about: the enum value, the name of an alternative, the server.
    pub(crate) subject: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    /// Stands for the facts in the fingerprint where the texts above are cut short.
    pub(crate) digest: String,
    pub(crate) hint: Hint,
    /// Places in the old document that state what changed.
    pub(crate) old_by: Vec<Place>,
    /// Places in the new document that state what changed.
    pub(crate) new_by: Vec<Place>,
    /// Every schema that takes part at this place, on both sides.
    pub(crate) old_parts: Vec<Place>,
    pub(crate) new_parts: Vec<Place>,
}

impl Delta {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            step: None,
            subject: String::new(),
            old: None,
            new: None,
            digest: String::new(),
            hint: Hint::None,
            old_by: Vec::new(),
            new_by: Vec::new(),
            old_parts: Vec::new(),
            new_parts: Vec::new(),
        }
    }

    pub(crate) fn at(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    pub(crate) fn hint(mut self, hint: Hint) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn was(mut self, fact: Option<String>, by: &[Place]) -> Self {
        self.old = fact;
        self.old_by = by.to_vec();
        self
    }

    pub(crate) fn is(mut self, fact: Option<String>, by: &[Place]) -> Self {
        self.new = fact;
        self.new_by = by.to_vec();
        self
    }

    pub(crate) fn digest(mut self, digest: String) -> Self {
        self.digest = digest;
        self
    }
}
