//! What a request has to keep, checked before anything is sent.
//!
//! The generated types are lenient, since they read responses too. The rules of each operation come from `x-checks` of
//! the document: required fields, lengths, patterns, ranges, kinds of values, fields that only the service sets. The
//! last are taken out of what is sent, so that an order can be read and put back; everything else is an error that
//! names the field.
//!
//! Rules that need more than one field, such as sums, live with the sums of money.

mod rules;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::Operation;
use crate::read::JsonPath;
use rules::Rules;

/// A request that breaks a rule of the interface. Nothing was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidRequest {
    /// The field, from the root of the body, or the name of the parameter.
    pub(crate) path: JsonPath,
    /// The rule that it breaks. It holds limits, and nothing of what the field says.
    pub(crate) rule: String,
}

/// The rules of one operation.
#[derive(Debug, Default, Deserialize)]
struct RequestRules {
    #[serde(default)]
    body: Option<Rules>,
    #[serde(default)]
    parameters: HashMap<String, Rules>,
}

static RULES: LazyLock<HashMap<Operation, RequestRules>> = LazyLock::new(|| {
    let all = Operation::ALL.iter();
    // The text is written by `build.rs` from the document; a test reads every one of them.
    all.map(|operation| (*operation, serde_json::from_str(operation.checks()).unwrap_or_default())).collect()
});

/// Checks the body of a request and returns it without the fields that only the service sets.
///
/// # Errors
/// The first rule that the body breaks.
pub(crate) fn body(operation: Operation, json: &[u8]) -> Result<Vec<u8>, InvalidRequest> {
    let invalid = |path, rule| InvalidRequest { path, rule };
    let mut body: Value =
        serde_json::from_slice(json).map_err(|_| invalid(JsonPath::root(), "it is not JSON".to_owned()))?;
    if let Some(rules) = RULES.get(&operation).and_then(|rules| rules.body.as_ref()) {
        rules.take_out_read_only(&mut body);
        rules.check(&body, &JsonPath::root()).map_err(|broken| invalid(broken.path, broken.rule))?;
    }
    serde_json::to_vec(&body).map_err(|_| invalid(JsonPath::root(), "it cannot be written as JSON".to_owned()))
}

/// Checks the query parameters of a request.
///
/// # Errors
/// The first rule that a parameter breaks.
pub(crate) fn query<'a>(
    operation: Operation,
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Result<(), InvalidRequest> {
    let Some(rules) = RULES.get(&operation) else { return Ok(()) };
    for (name, text) in pairs {
        if let Some(rules) = rules.parameters.get(name.as_ref()) {
            let path = JsonPath::root().field(name.as_ref());
            rules.check_text(&text, &path).map_err(|broken| InvalidRequest { path: broken.path, rule: broken.rule })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
