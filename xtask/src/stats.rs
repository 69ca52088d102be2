//! `cargo xtask stats`: how large the generated code is, how its types are named, and how much of it is documented.
//!
//! The limits are the promise to whoever reads the types; the command fails when one is broken. The code itself is
//! read back by [`crate::generated`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use anyhow::Result;
use heck::ToSnakeCase as _;
use serde_json::Value;

use crate::bindings::model::Shape;
use crate::generated::{self, Code};
use crate::overlay::Stale;
use crate::passes::describe::Descriptions;
use crate::regen::Spec;
use crate::schema;

/// Most lines of generated code.
pub const MOST_LINES: usize = 15_000;
/// Most types.
pub const MOST_TYPES: usize = 320;
/// Most letters of a type's name.
pub const LONGEST_NAME: usize = 40;

/// Things whose every field has to be described: the words that a type's name is searched for.
pub const DESCRIBED: [&str; 7] = ["order", "item", "session", "transaction", "event", "capture", "refund"];

/// Words that are put in for want of a name.
const FILLERS: [&str; 6] = ["Inner", "Variant", "Subtype", "Anonymous", "Untitled", "ItemItem"];

/// How many of something are described, and which are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many there are.
    pub all: usize,
    /// Those without a description.
    pub missing: Vec<String>,
}

impl Coverage {
    fn count(&mut self, name: impl FnOnce() -> String, described: bool) {
        self.all += 1;
        if !described {
            self.missing.push(name());
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let described = self.all - self.missing.len();
        let percent = if self.all == 0 { 100.0 } else { described as f64 * 100.0 / self.all as f64 };
        write!(f, "{described} of {} ({percent:.1}%)", self.all)
    }
}

/// What `cargo xtask stats` prints.
#[derive(Debug)]
pub struct Stats {
    /// The generated code.
    pub code: Code,
    /// Pairs of types with one shape.
    pub same_shape: Vec<(String, String)>,
    /// Described operations.
    pub operations: Coverage,
    /// Described types.
    pub types: Coverage,
    /// Described fields of all types.
    pub fields: Coverage,
    /// Described fields of the types named after each of [`DESCRIBED`].
    pub groups: Vec<(&'static str, Coverage)>,
}

/// Measures what `build.rs` makes of the pinned slice.
///
/// # Errors
/// When the document or the code cannot be generated, or the code lacks something of the document.
pub fn measure(spec: &Spec) -> Result<Stats> {
    let slice = spec.slice()?;
    let document = spec.generate(&slice, Stale::Refuse)?.document;
    // Sentences that the passes make of facts do not describe a field: what they say alone counts as nothing.
    let bare = spec.generate_with(&slice, &Descriptions::default(), Stale::Refuse)?.document;
    Ok(of_document(&document, &bare, generated::code(&document)?))
}

/// Measures `document`; `bare` is the same one without descriptions of ours.
#[must_use]
pub fn of_document(document: &Value, bare: &Value, code: Code) -> Stats {
    let says = |value: &Value| value.get("description").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let mut operations = Coverage::default();
    for operation in schema::operations(document) {
        operations.count(|| operation.id().to_owned(), !says(operation.value).is_empty());
    }
    let (mut types, mut fields) = (Coverage::default(), Coverage::default());
    let mut groups: Vec<(&'static str, Coverage)> = DESCRIBED.iter().map(|word| (*word, Coverage::default())).collect();
    for (name, tree) in schema::components(document, "schemas") {
        types.count(|| name.clone(), !says(tree).is_empty());
        let words: BTreeSet<String> = name.to_snake_case().split('_').map(str::to_owned).collect();
        for (field, child) in tree.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let text = says(child);
            let at = bare.pointer("/components/schemas").and_then(|all| all.get(name)?.get("properties")?.get(field));
            let described = !text.is_empty() && at.map(says).as_deref() != Some(text.as_str());
            fields.count(|| format!("{name}.{field}"), described);
            for (_, coverage) in groups.iter_mut().filter(|(word, _)| words.contains(*word)) {
                coverage.count(|| format!("{name}.{field}"), described);
            }
        }
    }
    Stats { same_shape: generated::same_shape(&code.surface.types), code, operations, types, fields, groups }
}

impl Stats {
    /// The limits that are broken, one line each.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.code.lines > MOST_LINES {
            out.push(format!("{} generated lines, {MOST_LINES} at most", self.code.lines));
        }
        let types = self.code.types().count();
        if types > MOST_TYPES {
            out.push(format!("{types} types, {MOST_TYPES} at most"));
        }
        for name in self.code.types().map(|found| found.name.as_str()) {
            if name.len() > LONGEST_NAME {
                out.push(format!("{name} has {} letters, {LONGEST_NAME} at most", name.len()));
            }
            if name.ends_with(|last: char| last.is_ascii_digit()) || FILLERS.iter().any(|word| name.ends_with(word)) {
                out.push(format!("{name} ends in a number or in a word put in for want of a name"));
            }
        }
        out.extend(self.same_shape.iter().map(|(one, other)| format!("{one} and {other} have one shape")));
        let required = [("operations", &self.operations), ("types", &self.types)].into_iter();
        let groups = self.groups.iter().map(|(word, coverage)| (*word, coverage));
        for (what, coverage) in required.chain(groups) {
            if !coverage.missing.is_empty() {
                out.push(format!("{what} described: {coverage}, all of them wanted"));
            }
        }
        out
    }

    /// The report; with `missing`, every name that lacks a description.
    #[must_use]
    pub fn report(&self, missing: bool) -> String {
        let mut out = String::new();
        let count = |wanted: fn(&Shape) -> bool| self.code.types().filter(|found| wanted(&found.shape)).count();
        let _ = writeln!(out, "generated lines  {} (at most {MOST_LINES})", self.code.lines);
        let _ = writeln!(
            out,
            "types            {} (at most {MOST_TYPES}): {} structs, {} enums, {} choices",
            self.code.types().count(),
            count(|shape| matches!(shape, Shape::Struct { .. })),
            count(|shape| matches!(shape, Shape::Enum { .. })),
            count(|shape| matches!(shape, Shape::Choice { .. })),
        );
        let mut names: Vec<&str> = self.code.types().map(|found| found.name.as_str()).collect();
        names.sort_by_key(|name| (std::cmp::Reverse(name.len()), *name));
        let _ = writeln!(out, "longest names    (at most {LONGEST_NAME} letters)");
        for name in names.iter().take(10) {
            let _ = writeln!(out, "  {:2} {name}", name.len());
        }
        let _ = writeln!(out, "same-shape pairs {}", self.same_shape.len());
        for (one, other) in &self.same_shape {
            let _ = writeln!(out, "  {one} = {other}");
        }
        let _ = writeln!(out, "described");
        let rows = [("operations", &self.operations), ("types", &self.types), ("all fields", &self.fields)];
        for (what, coverage) in rows {
            let _ = writeln!(out, "  {what:<22} {coverage}");
        }
        for (word, coverage) in &self.groups {
            let _ = writeln!(out, "  {:<22} {coverage}", format!("fields of {word}s"));
        }
        if missing {
            let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for field in &self.fields.missing {
                let (name, field) = field.split_once('.').unwrap_or((field, ""));
                by_type.entry(name).or_default().push(field);
            }
            let _ = writeln!(out, "without a description\n  operations: {}", self.operations.missing.join(", "));
            let _ = writeln!(out, "  types: {}", self.types.missing.join(", "));
            for (name, fields) in by_type {
                let _ = writeln!(out, "  {name}: {}", fields.join(", "));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stats(schemas: Value, bare: Value) -> Stats {
        let document = |schemas: Value| {
            json!({
                "openapi": "3.0.3", "info": { "title": "t", "version": "0" }, "paths": {},
                "components": { "schemas": schemas },
            })
        };
        let document_ = document(schemas);
        let code = generated::code(&document_).unwrap();
        of_document(&document_, &document(bare), code)
    }

    #[test]
    fn a_sentence_made_of_a_fact_is_no_description() {
        let field = |text: &str| json!({ "type": "object", "description": "A.", "properties": { "id": { "type": "string", "description": text } } });
        let bare = json!({ "OrderItem": field("At most 4 characters.") });
        let only_fact = stats(bare.clone(), bare.clone());
        assert_eq!(only_fact.fields.missing, ["OrderItem.id"]);
        assert_eq!(only_fact.broken().len(), 2, "once as an order, once as an item: {:?}", only_fact.broken());
        let described = stats(json!({ "OrderItem": field("The number. At most 4 characters.") }), bare);
        assert!(described.broken().is_empty(), "{:?}", described.broken());
    }

    #[test]
    fn bad_names_and_shared_shapes_break_the_limits() {
        let same =
            |word: &str| json!({ "type": "object", "description": word, "properties": { "a": { "type": "string" } } });
        let schemas = json!({ "Address2": same("x"), "LineInner": same("y") });
        let broken = stats(schemas.clone(), schemas).broken();
        assert_eq!(broken.len(), 3, "{broken:?}");
    }
}
