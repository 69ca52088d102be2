//! OpenAPI Overlay 1.0.0: our curation of the upstream document, applied action by action.
//!
//! An action has to say why it is there, has to match, and has to change something: one that upstream has made
//! obsolete stops the regeneration instead of rotting in the file.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

/// An overlay document.
#[derive(Debug, Deserialize)]
pub struct Overlay {
    /// The version of the Overlay format; only 1.0.x is read.
    overlay: String,
    /// The changes, in the order they are applied.
    actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    /// An RFC 9535 JSONPath into the document.
    target: String,
    /// Why the action is there.
    description: String,
    #[serde(default)]
    update: Option<Value>,
    #[serde(default)]
    remove: bool,
}

/// What [`Overlay::apply`] does about an action that no longer applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// Stop: the curation has to be looked at.
    Refuse,
    /// Leave the action out and report it: for looking at revisions that the overlay was not written for.
    Skip,
}

impl Overlay {
    /// Parses an overlay.
    ///
    /// # Errors
    /// When the text is not an Overlay 1.0 document in YAML or JSON.
    pub fn parse(text: &str) -> Result<Self> {
        let value = crate::source::parse_yaml(text).context("the overlay is not valid YAML")?;
        let overlay: Self = serde_json::from_value(value).context("the overlay is not an Overlay document")?;
        if !overlay.overlay.starts_with("1.0") {
            bail!("the overlay says version {}: this tool reads 1.0", overlay.overlay);
        }
        Ok(overlay)
    }

    /// Applies every action to `document` and returns those that were left out.
    ///
    /// # Errors
    /// When an action is malformed or, unless `stale` says otherwise, matches or changes nothing.
    pub fn apply(&self, document: &mut Value, stale: Stale) -> Result<Vec<String>> {
        let mut unfit = Vec::new();
        for (index, action) in self.actions.iter().enumerate() {
            let name = || format!("overlay action {} ({}: {})", index + 1, action.target, action.description.trim());
            if let Some(trouble) = action.apply(document).with_context(name)? {
                unfit.push(format!("{} {trouble}", name()));
            }
        }
        match (stale, unfit.as_slice()) {
            // All of them at once: whoever repairs the overlay sees the whole work.
            (Stale::Refuse, [_, ..]) => bail!("{}", unfit.join("; ")),
            _ => Ok(unfit),
        }
    }
}

impl Action {
    /// What keeps the action from applying, if anything does.
    fn apply(&self, document: &mut Value) -> Result<Option<&'static str>> {
        if self.description.trim().is_empty() {
            bail!("has no description: give the reason");
        }
        if self.remove == self.update.is_some() {
            bail!("has to have either `update` or `remove: true`");
        }
        let path = JsonPath::parse(&self.target).context("the target is not a JSONPath")?;
        let mut found: Vec<String> =
            path.query_located(document).locations().map(|location| location.to_json_pointer()).collect();
        if found.is_empty() {
            return Ok(Some("matches nothing"));
        }
        let Some(update) = &self.update else {
            // From the back, so that the indexes of what is still to be removed stay true.
            found.reverse();
            for pointer in found {
                remove(document, &pointer)?;
            }
            return Ok(None);
        };
        let mut changed = false;
        for pointer in found {
            let target = document.pointer_mut(&pointer).context("the target moved while it was changed")?;
            let before = target.clone();
            merge(target, update);
            changed |= *target != before;
        }
        Ok((!changed).then_some("changes nothing any more"))
    }
}

/// Objects are merged key by key, lists are extended, everything else is replaced, as the format has it.
fn merge(target: &mut Value, update: &Value) {
    match (target, update) {
        (Value::Object(target), Value::Object(update)) => {
            for (key, value) in update {
                match target.get_mut(key) {
                    Some(present) => merge(present, value),
                    None => {
                        target.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(update)) => target.extend(update.iter().cloned()),
        (target, update) => *target = update.clone(),
    }
}

fn remove(document: &mut Value, pointer: &str) -> Result<()> {
    let (parent, key) = pointer.rsplit_once('/').context("the whole document cannot be removed")?;
    let parent = document.pointer_mut(parent).context("the parent of the target is gone")?;
    let key = key.replace("~1", "/").replace("~0", "~");
    match parent {
        Value::Object(map) => {
            map.remove(&key);
        }
        Value::Array(items) => {
            let index: usize = key.parse().context("the target is not an index of its list")?;
            if index < items.len() {
                items.remove(index);
            }
        }
        _ => bail!("the parent of the target holds nothing"),
    }
    Ok(())
}
