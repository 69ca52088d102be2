//! Which Rust item a place of the interface became.
//!
//! The document that the bindings are generated from says it: the same operation, the same path in its body, and the
//! names of the schemas on the way. What upstream adds is not in there yet; then its future place is named.

use serde_json::Value;

use super::report::{Change, Reach, Report, Section};
use crate::model::step::{Step, steps};
use crate::schema::METHODS;

/// The document that the bindings are generated from.
#[derive(Debug)]
pub struct RustItems {
    document: Value,
}

/// A schema on the way, and the last name there was.
struct Here<'v> {
    schema: &'v Value,
    /// The component this is, when it has a name of its own.
    name: Option<String>,
}

impl RustItems {
    /// Reads names from the document that `build.rs` generates from.
    #[must_use]
    pub const fn new(document: Value) -> Self {
        Self { document }
    }

    /// Names the items concerned in every change.
    pub fn annotate(&self, report: &mut Report) {
        for change in &mut report.changes {
            let mut items: Vec<String> = change.reaches.iter().filter_map(|reach| self.item(change, reach)).collect();
            items.sort();
            items.dedup();
            change.krate.items = items;
        }
    }

    fn item(&self, change: &Change, reach: &Reach) -> Option<String> {
        let (method, path) = reach.operation.split_once(' ')?;
        let method = METHODS.iter().find(|known| known.eq_ignore_ascii_case(method))?;
        let operation = self.operation(method, path)?;
        let call = || call(path, operation.get("operationId").and_then(Value::as_str)?);
        let start = match reach.place.split_once(' ') {
            // The handwritten layer sends and reads headers; path parameters are the typed ids it takes.
            Some(("header" | "path" | "cookie", _)) => return None,
            Some((_, place)) if place.starts_with("header ") => return None,
            Some(("query", name)) => return call().map(|call| format!("{call}({})", snake(name))),
            _ if reach.path.is_empty() => return call(),
            Some(("body", media)) => self.content(operation.get("requestBody")?, media)?,
            Some((status, media)) => self.content(operation.get("responses")?.get(status)?, media)?,
            None => return None,
        };
        self.type_item(change, start, &steps(reach.path.strip_prefix('$')?)?)
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.document.get("paths")?.as_object()?;
        let wanted = without_names(path);
        let (_, item) = paths.iter().find(|(known, _)| without_names(known) == wanted)?;
        item.get(method)
    }

    fn content<'v>(&'v self, holder: &'v Value, media: &str) -> Option<&'v Value> {
        let holder = self.resolve(holder).0;
        let content = holder.get("content")?.as_object()?;
        content.get(media).or_else(|| content.values().next())?.get("schema")
    }

    fn type_item(&self, change: &Change, start: &Value, steps: &[Step]) -> Option<String> {
        let mut here = self.enter(start);
        let mut owner = here.name.clone();
        let mut field = None;
        for (index, step) in steps.iter().enumerate() {
            let next = self.below(&here, step);
            if let Step::Property(name) = step {
                field = Some(name.clone());
                owner = here.name.clone().or(owner);
            }
            match next {
                Some(next) => {
                    if next.name.is_some() && index + 1 < steps.len() {
                        owner.clone_from(&next.name);
                        field = None;
                    }
                    here = next;
                }
                // Only the last step may lead to what is not there yet.
                None if index + 1 == steps.len() => {
                    return Some(member(&owner?, field.as_deref()));
                }
                None => return None,
            }
        }
        if let (true, Some(name)) = (change.section == Section::Enums || change.rule.contains("enum"), &here.name) {
            let value = change.subject.as_deref().and_then(|text| serde_json::from_str::<String>(text).ok());
            let variant = value.map(|value| format!("::{}", pascal(&value))).unwrap_or_default();
            return Some(format!("types::{name}{variant}"));
        }
        match (owner, field) {
            (Some(owner), field) => Some(member(&owner, field.as_deref())),
            (None, _) => here.name.map(|name| format!("types::{name}")),
        }
    }

    fn resolve<'v>(&'v self, value: &'v Value) -> (&'v Value, Option<String>) {
        let (mut current, mut name) = (value, None);
        for _ in 0..32 {
            let Some(target) = current.get("$ref").and_then(Value::as_str) else { break };
            let Some(found) = target.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer)) else {
                break;
            };
            if target.starts_with("#/components/schemas/") {
                name = target.rsplit('/').next().map(str::to_owned);
            }
            current = found;
        }
        (current, name)
    }

    fn enter<'v>(&'v self, schema: &'v Value) -> Here<'v> {
        let (schema, name) = self.resolve(schema);
        // A reference in a wrapper, as `nullable` needs it, is still that type.
        let parts = |key| schema.get(key).and_then(Value::as_array).map(Vec::as_slice);
        if let (None, Some([only])) = (&name, parts("allOf").or_else(|| parts("oneOf"))) {
            return self.enter_once(only);
        }
        Here { schema, name }
    }

    fn enter_once<'v>(&'v self, schema: &'v Value) -> Here<'v> {
        let (schema, name) = self.resolve(schema);
        Here { schema, name }
    }

    fn below<'v>(&'v self, here: &Here<'v>, step: &Step) -> Option<Here<'v>> {
        let direct = |schema: &'v Value| match step {
            Step::Property(name) => schema.get("properties")?.get(name),
            Step::Items => schema.get("items"),
            Step::Additional => schema.get("additionalProperties").filter(|found| found.is_object()),
            Step::Variant(label) => {
                let mapping = schema.get("discriminator")?.get("mapping")?.get(label)?.as_str()?;
                self.document.pointer(mapping.strip_prefix('#')?)
            }
        };
        if let Some(found) = direct(here.schema) {
            let entered = self.enter(found);
            let mapped = match step {
                Step::Variant(label) => {
                    let mapping = here.schema.get("discriminator").and_then(|found| found.get("mapping"));
                    let target = mapping.and_then(|found| found.get(label)).and_then(Value::as_str);
                    target.and_then(|target| target.rsplit('/').next()).map(str::to_owned)
                }
                _ => None,
            };
            return Some(Here { name: entered.name.or(mapped), ..entered });
        }
        let parts = ["allOf", "oneOf", "anyOf"].into_iter();
        let parts = parts.filter_map(|key| here.schema.get(key)).filter_map(Value::as_array).flatten();
        parts.map(|part| self.enter_once(part)).find_map(|part| direct(part.schema).map(|found| self.enter(found)))
    }
}

/// The call of the client that an operation is: `Sessions::create_from_profile`.
fn call(path: &str, id: &str) -> Option<String> {
    let group = ["Sessions", "Transactions"].into_iter().find(|group| {
        let prefix = group.to_lowercase();
        path.strip_prefix('/').is_some_and(|path| path.starts_with(&prefix))
    })?;
    // The group says already what the id repeats.
    let said = ["session", "sessions", "transaction", "transactions"];
    let words: Vec<String> = words(id).into_iter().filter(|word| !said.contains(&word.as_str())).collect();
    Some(format!("{group}::{}", words.join("_")))
}

fn member(owner: &str, field: Option<&str>) -> String {
    field.map_or_else(|| format!("types::{owner}"), |field| format!("types::{owner}::{}", snake(field)))
}

fn without_names(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => inside = true,
            '}' => {
                inside = false;
                out.push_str("{}");
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut previous = '_';
    for c in name.chars() {
        let starts = c.is_uppercase() && previous.is_lowercase();
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn snake(name: &str) -> String {
    let name = words(name).join("_");
    let keyword = matches!(name.as_str(), "type" | "ref" | "match" | "self" | "use" | "in" | "move" | "where" | "for");
    if keyword { format!("{name}_") } else { name }
}

fn pascal(name: &str) -> String {
    let capital = |word: String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    words(name).into_iter().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_rust_writes_them() {
        assert_eq!(pascal("PARTIALLY_CAPTURED"), "PartiallyCaptured");
        assert_eq!(pascal("vipps.payment"), "VippsPayment");
        assert_eq!(snake("correlationRequestId"), "correlation_request_id");
        assert_eq!(snake("type"), "type_");
        assert_eq!(
            call("/sessions-profile", "create_session_from_profile").as_deref(),
            Some("Sessions::create_from_profile")
        );
        assert_eq!(call("/transactions/{id}/capture", "capture_transaction").as_deref(), Some("Transactions::capture"));
        assert_eq!(call("/accounts/{oid}/auth/token", "get_token"), None);
    }
}
