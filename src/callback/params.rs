//! Query parameters with a meaning: their names, and reading them leniently.
//!
//! Shared by the signed query of a callback and the unsigned one of a return URL; which of the two it
//! is, is said by the types that hold a [`Params`].

use std::fmt;

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, SessionId, TransactionId};

/// Names that the service adds to a callback.
pub(crate) const ADDED: [&str; 7] =
    ["transaction_id", "session_id", "merchant_reference", "time", "error", "event", "event_id"];

/// Names of the options that live in a callback URL.
pub(crate) const OPTIONS: [&str; 6] =
    ["method", "report_error", "delay_callback", "report_event", "includes", "sid_parameter_name"];

/// The name the session id has when it was asked for under a short one.
pub(crate) const SHORT_SESSION: &str = "sid";

/// Decoded query parameters, in the order of the signature: by name, equal names as they came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs }
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Returns the first value under a name. A parameter without a value has the empty one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values under a name, in the order they were sent.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns all parameters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Returns the parameters that were in the merchant's own URL: neither added by the service nor options.
    pub fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        let session = self.session_name();
        let theirs = move |name: &str, value: &str| {
            ADDED.contains(&name)
                || OPTIONS.contains(&name)
                || Some(name) == session
                || (name == SHORT_SESSION && SessionId::new(value).is_ok())
        };
        self.iter().filter(move |(name, value)| !theirs(name, value))
    }

    /// The name the merchant chose for the session id.
    fn session_name(&self) -> Option<&str> {
        self.get("sid_parameter_name").filter(|name| !name.is_empty())
    }

    /// Every value that stands where an id of a session or transaction stands.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let session = self.session_name();
        self.iter()
            .filter(move |(name, _)| {
                matches!(*name, "transaction_id" | "session_id" | SHORT_SESSION) || Some(*name) == session
            })
            .map(|(_, value)| value)
    }

    /// The first account other than `ours` that an id in the query belongs to. Values that are no ids,
    /// such as a merchant's own `sid`, say nothing.
    pub(crate) fn other_account(&self, ours: &AccountId) -> Option<AccountId> {
        self.ids()
            .filter_map(|value| value.split_once('.'))
            .filter_map(|(account, _)| AccountId::new(account).ok())
            .find(|account| account != ours)
    }

    /// The one transaction id under its name; none when there is none, none that is an id, or two.
    pub(crate) fn transaction_id(&self) -> Option<TransactionId> {
        only(self.all("transaction_id").filter_map(|value| TransactionId::new(value).ok()))
    }

    /// The one session id under any of the names it can have.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        only(
            self.session_name()
                .into_iter()
                .chain(["session_id", SHORT_SESSION])
                .flat_map(|name| self.all(name))
                .filter_map(|value| SessionId::new(value).ok()),
        )
    }

    /// A value that says something: the empty one does not.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// `time` as an instant.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        let text = self.get("time")?;
        // A `+` of an offset that was not escaped has been read as a space.
        DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc3339(&text.replace(' ', "+")))
            .ok()
            .map(|time| time.to_utc())
    }
}

/// The value of an iterator whose members are all equal.
fn only<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

impl fmt::Debug for Params {
    // Names only: a merchant's own values may be a customer's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}
