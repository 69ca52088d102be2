//! What one reading notes down: the place it is at, what it has skipped, and where it failed.
//!
//! Nothing here depends on the type that is read: it is compiled once, and not for each field of each type.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use super::path::Step;

/// More than this many parts of one value that cannot be read, and it is not what it is taken for.
const MOST: usize = 10_000;

/// Whether a field is never skipped where a type requires it.
pub(super) fn is_money(name: &str) -> bool {
    matches!(name, "amount" | "currency")
}

/// What one reading notes down.
#[derive(Default)]
pub(super) struct Notes {
    lenient: bool,
    /// The place that is being read. Kept only by a lenient reading, as is everything below.
    path: RefCell<Vec<Step>>,
    /// The failure on its way up to the attempt that ends it.
    failure: RefCell<Option<Failure>>,
    skipped: RefCell<Vec<Skipped>>,
    is_hopeless: Cell<bool>,
}

/// A part that was skipped.
pub(super) struct Skipped {
    pub(super) path: Vec<Step>,
    pub(super) value: Value,
    pub(super) expected: String,
}

/// The place at which reading failed, and what was expected there.
struct Failure {
    path: Vec<Step>,
    /// None when the place is missing altogether.
    expected: Option<String>,
}

impl Failure {
    fn new(mut path: Vec<Step>, message: &str) -> Self {
        if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            path.push(Step::Field(field.to_owned()));
            return Self { path, expected: None };
        }
        // Only what follows "expected" is ours; what stands before it quotes the response.
        let expected = message.rsplit_once("expected ").map_or("something else", |(_, expected)| expected);
        let expected = expected.split(" at line ").next().unwrap_or_default();
        Self { path, expected: Some(expected.to_owned()) }
    }

    /// What was expected at the first `depth` steps of the way.
    fn expected_at(&self, depth: usize) -> String {
        match (self.path.get(depth), &self.expected) {
            (Some(Step::Field(name)), _) => format!("an object with `{name}`"),
            (Some(Step::Index(_)), _) => "a list of other entries".to_owned(),
            (None, Some(expected)) => expected.clone(),
            (None, None) => "something".to_owned(),
        }
    }

    /// How far down the last sum of money or currency stands on the way, if there is one below `depth`.
    fn money_below(&self, depth: usize) -> Option<usize> {
        let is_money = |step: &Step| matches!(step, Step::Field(name) if is_money(name));
        self.path.iter().rposition(is_money).filter(|at| *at >= depth)
    }
}

impl Notes {
    pub(super) fn lenient() -> Self {
        Self { lenient: true, ..Self::default() }
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// How many parts have been skipped so far.
    pub(super) fn count(&self) -> usize {
        self.skipped.borrow().len()
    }

    /// What was skipped, in the order of reading.
    pub(super) fn into_skipped(self) -> Vec<Skipped> {
        self.skipped.into_inner()
    }

    /// The place that makes the whole unreadable, and what is wrong with it: the sum of money, or else the field of
    /// the whole in which the failure lies.
    pub(super) fn into_failure(self, error: &impl fmt::Display) -> (Vec<Step>, String) {
        if self.is_hopeless.get() {
            return (Vec::new(), format!("more than {MOST} fields are not what they should be"));
        }
        let failure = self.failure.into_inner().unwrap_or_else(|| Failure::new(Vec::new(), &error.to_string()));
        let depth = failure.money_below(0).map_or(1, |at| at.saturating_add(1)).min(failure.path.len());
        let problem = match &failure.expected {
            None if depth == failure.path.len() => "required field missing".to_owned(),
            _ => format!("expected {}", failure.expected_at(depth)),
        };
        (failure.path.into_iter().take(depth).collect(), problem)
    }

    /// Begins to read what stands one step below.
    #[inline]
    pub(super) fn enter(&self, step: impl FnOnce() -> Step) {
        if self.lenient {
            self.push(step());
        }
    }

    /// Ends it, with a failure if there was one.
    #[inline]
    pub(super) fn leave(&self, error: Option<&impl fmt::Display>) {
        if self.lenient {
            self.pop(error.map(|error| error as &dyn fmt::Display));
        }
    }

    #[cold]
    fn push(&self, step: Step) {
        self.path.borrow_mut().push(step);
    }

    #[cold]
    fn pop(&self, error: Option<&dyn fmt::Display>) {
        if let Some(error) = error {
            self.note(error);
        }
        self.path.borrow_mut().pop();
    }

    /// Notes a failure at this place, unless it comes from further down.
    fn note(&self, error: &dyn fmt::Display) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = Some(Failure::new(self.path.borrow().clone(), &error.to_string()));
        }
    }

    /// Skips the place after a failure in it, if nothing forbids that. What was skipped inside of it goes with it.
    pub(super) fn skip(
        &self,
        error: serde_json::Error,
        skipped_before: usize,
        text: &RawValue,
    ) -> serde_json::Result<()> {
        self.note(&error);
        let path = self.path.borrow();
        let mut failure = self.failure.borrow_mut();
        let Some(found) = failure.take() else { return Err(error) };
        if found.money_below(path.len()).is_some() || self.is_hopeless.get() {
            *failure = Some(found);
            return Err(error);
        }
        let mut skipped = self.skipped.borrow_mut();
        skipped.truncate(skipped_before);
        self.is_hopeless.set(skipped.len() >= MOST);
        let value = serde_json::from_str(text.get()).unwrap_or_default();
        skipped.push(Skipped { path: path.clone(), value, expected: found.expected_at(path.len()) });
        if self.is_hopeless.get() { Err(error) } else { Ok(()) }
    }
}
