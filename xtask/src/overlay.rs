//! Our curation of the upstream slice, from `spec/overlay.yaml`: names, traits, calls that upstream does not publish, and
//! repairs.
//!
//! Everything is addressed by what it means: an operation by method and path, a type by the places where it stands (see
//! [`crate::passes::select`]). An entry that meets nothing stops the regeneration instead of rotting in the file.

mod added;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::Model;
use crate::model::operation::{Key, normalised};
use crate::moved;
use crate::schema::METHODS;
use added::Added;

/// What is done about an entry that no longer applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// Stop: the curation has to be looked at.
    Refuse,
    /// Leave the entry out and report it: for looking at revisions that the overlay was not written for.
    Skip,
}

/// The overlay. What each part means is told in `spec/README.md`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Headers that the handwritten layer sends.
    #[serde(default)]
    headers: Vec<String>,
    /// Property names that are sums of money.
    #[serde(default)]
    money: Vec<String>,
    /// Property names that hold personal data or a secret.
    #[serde(default)]
    sensitive: Vec<String>,
    /// By parameter, its setter where it has another name.
    #[serde(default)]
    setters: BTreeMap<String, String>,
    /// Our calls by their ids.
    operations: BTreeMap<String, Call>,
    /// Names of types, with the places where they stand.
    #[serde(default)]
    pub(crate) types: BTreeMap<String, Places>,
    /// By type, the fields and parameters that are texts of its form.
    #[serde(default)]
    pub(crate) typed: BTreeMap<String, Vec<String>>,
    /// Fields whose value `Debug` shows although it is a text: a name for all of that name, or `Type.name` for one.
    #[serde(default)]
    pub(crate) printed: Vec<String>,
    #[serde(default)]
    pub(crate) traits: Traits,
    #[serde(default)]
    pub(crate) edits: Vec<Edit>,
}

/// One of our calls.
#[derive(Debug, Deserialize)]
struct Call {
    /// Method and path; the names of path parameters are ours.
    call: String,
    /// `read` or `never`; nothing for what the handwritten layer calls.
    #[serde(default)]
    retry: Option<String>,
    /// The call is made by the handwritten layer.
    #[serde(default)]
    handwritten: bool,
    /// What the call is, where upstream does not publish it.
    #[serde(default)]
    added: Option<Added>,
    /// Extensions for the document, `x-...`.
    #[serde(flatten)]
    extensions: Map<String, Value>,
}

/// One address or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Places {
    One(String),
    Several(Vec<String>),
}

impl Places {
    pub(crate) fn each(&self) -> &[String] {
        match self {
            Self::One(address) => std::slice::from_ref(address),
            Self::Several(addresses) => addresses,
        }
    }
}

/// What some types are, beside their fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Traits {
    /// They, and all they hold, keep fields that nobody knows yet, and send them back.
    #[serde(default)]
    pub(crate) keep_unknown: Vec<String>,
    /// Large types: where one is an optional field, it goes on the heap.
    #[serde(default)]
    pub(crate) boxed: Vec<String>,
    /// By type that is only read, the fields without which a response is worthless, each with the reason.
    #[serde(default)]
    pub(crate) essential: BTreeMap<String, BTreeMap<String, String>>,
    /// By type that is sent, the order in which its constructor takes what it requires.
    #[serde(default)]
    pub(crate) arguments: BTreeMap<String, Vec<String>>,
    /// By type, the one that it states again.
    #[serde(default)]
    pub(crate) restates: BTreeMap<String, String>,
}

/// A repair of one place of the document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    pub(crate) at: String,
    pub(crate) reason: String,
    /// Keywords that are replaced or added.
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
    /// Keywords that go.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
}

impl Overlay {
    /// Parses an overlay.
    ///
    /// # Errors
    /// When the text is not YAML of that form, or an entry says nothing.
    pub fn parse(text: &str) -> Result<Self> {
        let value = crate::source::parse_yaml(text).context("the overlay is not valid YAML")?;
        let overlay: Self = serde_json::from_value(value).context("the overlay has a form that is not known")?;
        for (id, call) in &overlay.operations {
            if let Some(key) = call.extensions.keys().find(|key| !key.starts_with("x-")) {
                bail!("operation {id}: `{key}` is not known");
            }
        }
        for edit in &overlay.edits {
            if edit.reason.trim().is_empty() {
                bail!("the edit at {} does not say why: give the reason", edit.at);
            }
            if edit.set.is_empty() && edit.remove.is_empty() {
                bail!("the edit at {} has to have `set` or `remove`", edit.at);
            }
        }
        Ok(overlay)
    }

    /// The slice with our names on its operations and the calls that we add, and what does not apply to it.
    ///
    /// # Errors
    /// When the slice cannot be read, or an entry is malformed.
    pub fn apply(&self, slice: &Value) -> Result<(Value, Vec<String>)> {
        let model = Model::read("upstream", slice)?;
        let mut curated = slice.clone();
        let mut stale = Vec::new();
        for (key, list) in
            [("x-client-headers", &self.headers), ("x-money", &self.money), ("x-sensitive", &self.sensitive)]
        {
            curated[key] = json!(list);
        }
        curated["x-setters"] = json!(self.setters);
        let all = model.operations().values().flat_map(|operation| operation.parameters.keys());
        let known: BTreeSet<&str> = all.map(|parameter| parameter.name.as_str()).collect();
        let gone = self.setters.keys().filter(|name| !known.contains(name.as_str()));
        stale.extend(gone.map(|name| format!("setters: there is no parameter {name}")));
        for (id, call) in &self.operations {
            let (key, path) = call.key().with_context(|| format!("operation {id}"))?;
            let published = model.operations().get(&key);
            let mut operation = match (published, &call.added) {
                (Some(found), added) => {
                    if added.is_some() {
                        stale.push(format!("operation {id}: {} is published now, so `added` has to go", call.call));
                    }
                    model.value(found.place).clone()
                }
                (None, Some(added)) => match added.operation(self, &model) {
                    Ok(operation) => operation,
                    Err(error) => {
                        stale.push(format!("operation {id}: {error:#}"));
                        continue;
                    }
                },
                (None, None) => {
                    let ours: Vec<Key> = self.operations.values().filter_map(|call| Some(call.key().ok()?.0)).collect();
                    let fresh = model.operations().iter().filter(|(key, _)| !ours.contains(key));
                    let hint = moved::hint(&call.call, fresh.map(|(_, one)| one.title.as_str()));
                    stale.push(format!("operation {id}: there is no {}{hint}", call.call));
                    continue;
                }
            };
            operation["x-id"] = json!(id);
            operation["x-path"] = json!(path);
            if let Some(retry) = &call.retry {
                operation["x-retry"] = json!(retry);
            }
            if call.handwritten {
                operation["x-handwritten"] = json!(true);
            }
            for (key, value) in &call.extensions {
                operation[key] = value.clone();
            }
            let path = published.map_or(path, |found| found.path.as_str());
            curated["paths"][path][key.method] = operation;
        }
        // What is new is left out until it has a name: `stale` says so.
        let ours: Vec<Key> = self.operations.values().filter_map(|call| Some(call.key().ok()?.0)).collect();
        for (key, operation) in model.operations().iter().filter(|(key, _)| !ours.contains(key)) {
            let title = &operation.title;
            stale.push(format!("{title}: the operation has no name: name it under `operations` of the overlay"));
            curated["paths"][&operation.path][key.method]["x-handwritten"] = json!(true);
        }
        Ok((curated, stale))
    }

    /// What makes one of our calls the same operation in every revision.
    fn key_of(&self, id: &str) -> Result<Key> {
        let call = self.operations.get(id).with_context(|| format!("there is no operation {id}"))?;
        Ok(call.key()?.0)
    }
}

impl Call {
    fn key(&self) -> Result<(Key, &str)> {
        let (method, path) = self.call.split_once(' ').context("`call` is not a method and a path")?;
        let known = METHODS.into_iter().find(|known| known.eq_ignore_ascii_case(method));
        let method = known.with_context(|| format!("{method} is no method"))?;
        Ok((Key { path: normalised(path).0, method }, path))
    }
}
