//! What has to hold before a document is written: each guard turns a silent loss of the generator into an error.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use serde_json::Value;

use crate::model::fact::{Fact, Keyword};
use crate::model::operation::normalised;
use crate::model::{Model, SchemaId, Step};
use crate::problems::Problems;
use crate::schema;

/// Checks the curated slice, before the passes: a request is checked against patterns as ECMAScript means them, and one
/// that does not compile would check nothing.
///
/// # Errors
/// Names every pattern that cannot be matched.
pub fn check_curated(model: &Model<'_>) -> Result<()> {
    let mut problems = Problems::default();
    for (id, place) in model.places() {
        let Some(Fact::Texts(patterns)) = model.get(id).facts.get(&Keyword::Pattern).map(|stated| &stated.fact) else {
            continue;
        };
        for pattern in patterns {
            if let Err(error) = regress::Regex::new(pattern) {
                problems.extend([format!("the pattern `{pattern}` at {place} does not compile: {error}")]);
            }
        }
    }
    problems.settle(())
}

/// Checks that every property that an operation of the slice sends or returns is in the document.
///
/// The document is read as `build.rs` does it: references are followed as they stand.
fn check_nothing_lost(curated: &Model<'_>, document: &Value) -> Result<()> {
    let mut problems = Problems::default();
    let finished = schema::operations(document);
    for (key, operation) in curated.operations() {
        if curated.value(operation.place).get("x-handwritten").is_some() {
            continue;
        }
        let mut twins = finished.iter();
        let Some(twin) = twins.find(|twin| normalised(twin.path).0 == key.path && twin.method == key.method) else {
            problems.extend([format!("{} is in the slice and not in the document", operation.title)]);
            continue;
        };
        let success = operation.responses.iter().find(|(status, _)| status.starts_with('2'));
        let body = operation.body.as_ref().map(|body| &body.media);
        for (what, media, of) in [
            ("body", body, body_of as fn(&Value, &Value) -> Option<Value>),
            ("response", success.map(|(_, response)| &response.media), response_of),
        ] {
            let json = media.into_iter().flatten().find(|(name, _)| name.starts_with("application/json"));
            let Some(wanted) = json.and_then(|(_, media)| media.schema.as_ref()) else { continue };
            let mut all = BTreeSet::new();
            described(curated, wanted.schema, "$", &mut Vec::new(), &mut all);
            let have = of(document, twin.value).map(|tree| properties(document, &tree)).unwrap_or_default();
            let lost: Vec<&str> = all.difference(&have).take(5).map(String::as_str).collect();
            if !lost.is_empty() {
                problems.extend([format!("{}: the {what} has lost {}", operation.title, lost.join(", "))]);
            }
        }
    }
    problems.settle(())
}

/// The path of every property below a schema of the slice.
fn described(model: &Model<'_>, id: SchemaId, at: &str, above: &mut Vec<u32>, found: &mut BTreeSet<String>) {
    let class = model.class(id);
    if above.contains(&class) {
        return;
    }
    above.push(class);
    let schema = model.get(id);
    let choice = schema.discriminator.as_ref().filter(|choice| !choice.mapping.is_empty());
    for (step, child) in model.children(id) {
        // A choice has the properties of its variants; the tag is its own and none of theirs.
        match (&step, choice) {
            (Step::Property(_), Some(_)) | (Step::Variant(_), None) | (Step::Additional, _) => continue,
            _ => {}
        }
        let mut below = at.to_owned();
        step.push_to(&mut below);
        if matches!(step, Step::Property(_)) {
            found.insert(below.clone());
        }
        described(model, child, &below, above, found);
        if let Some(choice) = choice {
            let mut tag = below;
            Step::Property(choice.property.clone()).push_to(&mut tag);
            found.remove(&tag);
        }
    }
    above.pop();
}

fn body_of(document: &Value, operation: &Value) -> Option<Value> {
    json_of(schema::deref(document, operation.get("requestBody")?).ok()?)
}

fn response_of(document: &Value, operation: &Value) -> Option<Value> {
    let mut all = operation.get("responses")?.as_object()?.iter();
    let (_, response) = all.find(|(status, _)| status.starts_with('2'))?;
    json_of(schema::deref(document, response).ok()?)
}

fn json_of(holder: &Value) -> Option<Value> {
    holder.pointer("/content/application~1json/schema").cloned()
}

/// A type of ours can stand for several components, and so hold itself where upstream does not: so often it is followed.
const AGAIN: usize = 3;

/// The path of every property below `tree` of the finished document.
fn properties(document: &Value, tree: &Value) -> BTreeSet<String> {
    let mut finished = Finished { document, inside: Vec::new(), found: BTreeSet::new() };
    finished.walk(tree, "$");
    finished.found
}

struct Finished<'a> {
    document: &'a Value,
    inside: Vec<&'a str>,
    found: BTreeSet<String>,
}

impl<'a> Finished<'a> {
    fn walk(&mut self, tree: &'a Value, at: &str) {
        let alone = tree.get("allOf").and_then(Value::as_array).and_then(|parts| parts.first());
        // A single part is a reference that has a description beside it.
        let tree = alone.unwrap_or(tree);
        if let Some(target) = tree.get("$ref").and_then(Value::as_str) {
            let before = self.inside.iter().filter(|open| **open == target).count();
            if let (true, Ok(found)) = (before <= AGAIN, schema::resolve(self.document, target)) {
                self.inside.push(target);
                self.walk(found, at);
                self.inside.pop();
            }
            return;
        }
        for (tag, variant) in entries(tree, "/x-tagged/variants") {
            self.step(Step::Variant(tag.clone()), variant, at);
        }
        for (name, child) in entries(tree, "/properties") {
            let below = self.step(Step::Property(name.clone()), child, at);
            self.found.insert(below);
        }
        if let Some(items) = tree.get("items") {
            self.step(Step::Items, items, at);
        }
    }

    fn step(&mut self, step: Step, child: &'a Value, at: &str) -> String {
        let mut below = at.to_owned();
        step.push_to(&mut below);
        self.walk(child, &below);
        below
    }
}

fn entries<'a>(tree: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    tree.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

/// Checks the finished document.
///
/// # Errors
/// When an operation of the slice is missing, a name cannot be a Rust name of its own, or a field would get lost.
pub fn check_document(curated: &Model<'_>, document: &Value) -> Result<()> {
    for operation in curated.operations().values() {
        if !operation.path.starts_with('/') {
            bail!("{}: the generator drops a path without a leading slash", operation.title);
        }
    }
    check_nothing_lost(curated, document)?;
    unique("operation ids", schema::operations(document).iter().map(|operation| operation.id().to_owned()), |id| {
        id.to_snake_case()
    })?;
    unique("type names", schema::components(document, "schemas").map(|(name, _)| name.clone()), |name| {
        name.to_upper_camel_case()
    })?;
    let long: Vec<&str> =
        schema::components(document, "schemas").map(|(name, _)| name.as_str()).filter(|name| name.len() > 40).collect();
    if !long.is_empty() {
        bail!("type names of more than 40 characters, to be named in `types` of the overlay: {}", long.join(", "));
    }
    for (name, tree) in schema::components(document, "schemas") {
        if name.to_upper_camel_case() != *name {
            bail!("type name {name} would be spelled {} in Rust: name it so", name.to_upper_camel_case());
        }
        if name.ends_with(|last: char| last.is_ascii_digit())
            || ["Item", "Inner", "Variant"].iter().any(|filler| name.ends_with(&filler.repeat(2)))
        {
            bail!("type name {name} is a filler: name it in `types` of the overlay");
        }
        let fields = tree.get("properties").and_then(Value::as_object).into_iter().flatten();
        unique(&format!("fields of {name}"), fields.map(|(field, _)| field.clone()), |field| field.to_snake_case())?;
        if tree.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            bail!("enum {name} has no value");
        }
    }
    if let Some((at, target)) = schema::dangling_refs(document).into_iter().next() {
        bail!("{at} of the document refers to {target}, which is not there");
    }
    Ok(())
}

/// Checks that no two names are one once they are spelled as Rust spells them.
fn unique(what: &str, names: impl Iterator<Item = String>, spell: impl Fn(&str) -> String) -> Result<()> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        if let Some(other) = seen.insert(spell(&name), name.clone()) {
            bail!("{what}: `{other}` and `{name}` are both `{}` in Rust", spell(&name));
        }
    }
    Ok(())
}
