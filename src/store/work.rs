//! The names of what is to be done once.

use std::fmt;

use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::ids::TransactionId;

/// Names a piece of work that is to be done once.
///
/// Work has a name and may have an alias; two pieces are the same when they share **either**.
///
/// Names are ASCII, at most some 400 bytes, the same in every release of this crate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    name: String,
    alias: Option<String>,
}

impl Work {
    /// Names an action on a transaction, such as sending its goods, whatever led to it: a callback, the customer's
    /// return, a job. All of them must use the same `action`.
    #[must_use]
    pub fn action(action: &str, transaction: &TransactionId) -> Self {
        Self::named("action", &[("action", action), ("transaction", transaction.as_str())])
    }

    /// `kind` is the part of the name before the first `/`, by which what was left open is found; where the first of
    /// `parts` is the account, by that too.
    pub(crate) fn named(kind: &str, parts: &[(&str, &str)]) -> Self {
        Self { name: name_of(kind, parts), alias: None }
    }

    pub(crate) fn with_alias(mut self, kind: &str, parts: &[(&str, &str)]) -> Self {
        self.alias = Some(name_of(kind, parts));
        self
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its other name, if it has one.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Parts as one text, form-encoded so that no two lists of parts give the same one. What is too long to be a name is
/// named by its hash, and by its account where that comes first.
fn name_of(kind: &str, parts: &[(&str, &str)]) -> String {
    const LONGEST: usize = 400;
    let name = form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish();
    if name.len() <= LONGEST {
        return format!("{kind}/{name}");
    }
    let account = parts.first().filter(|(part, _)| *part == "account");
    let account = account.map(|(_, id)| format!("account={id}&")).unwrap_or_default();
    format!("{kind}/{account}sha256={}", hex::encode(Sha256::digest(name)))
}
