//! The facts of schemas: their parts written out, to the end.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::{Facts, Flat, elements, members, on, sorted};

impl<'d> Flat<'d> {
    /// All objects that the schemas consist of, with references and parts written out.
    fn unfold(&self, schemas: &[&'d Value]) -> Vec<&'d Value> {
        let mut all: Vec<&Value> = Vec::new();
        let mut todo: Vec<&Value> = schemas.to_vec();
        while let Some(schema) = todo.pop() {
            let schema = self.deref(schema);
            if all.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            all.push(schema);
            todo.extend(elements(&schema["allOf"]));
            for key in ["oneOf", "anyOf"] {
                if let Some([only]) = schema[key].as_array().map(Vec::as_slice) {
                    todo.push(only);
                }
            }
        }
        all
    }

    fn null_allowed(&self, schema: &'d Value) -> Option<bool> {
        let schema = self.deref(schema);
        if on(schema, "nullable") {
            return Some(true);
        }
        let mut votes: Vec<bool> = elements(&schema["allOf"]).filter_map(|part| self.null_allowed(part)).collect();
        if schema.get("type").is_some() {
            votes.push(false);
        }
        if votes.is_empty() { None } else { Some(votes.iter().all(|vote| *vote)) }
    }

    fn default_of(&self, schema: &'d Value, found: &mut BTreeSet<String>) {
        let schema = self.deref(schema);
        match schema.get("default") {
            Some(default) => {
                found.insert(sorted(default));
            }
            None => elements(&schema["allOf"]).for_each(|part| self.default_of(part, found)),
        }
    }

    /// What the schemas say together, with paths that start at them.
    pub(super) fn facts(&mut self, schemas: &[&'d Value], depth: usize) -> Facts {
        assert!(depth < 40, "the documents of these tests do not nest so deeply");
        let mut key: Vec<usize> =
            schemas.iter().map(|schema| std::ptr::from_ref(self.deref(schema)) as usize).collect();
        key.sort_unstable();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let parts = self.unfold(schemas);
        let mut out = Out::default();
        self.values(schemas, &parts, &mut out);

        let mut names: BTreeMap<&str, (Vec<&Value>, bool)> = BTreeMap::new();
        for part in &parts {
            for (name, schema) in members(&part["properties"]) {
                names.entry(name).or_default().0.push(schema);
            }
            for name in elements(&part["required"]).filter_map(Value::as_str) {
                names.entry(name).or_default().1 = true;
            }
        }
        for (name, (schemas, required)) in names {
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let plain = letters && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
            let path = if plain { format!(".{name}") } else { format!("['{name}']") };
            if required {
                out.say(&path, "required");
            }
            if !schemas.is_empty() {
                out.say(&path, "described");
                let facts = self.facts(&schemas, depth + 1);
                out.below(&path, &facts);
            }
        }
        let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
        let facts = if items.is_empty() { Facts::default() } else { self.facts(&items, depth + 1) };
        if !facts.is_empty() {
            out.say("[]", "items");
            out.below("[]", &facts);
        }
        let rest: Vec<&Value> = parts.iter().filter_map(|part| part.get("additionalProperties")).collect();
        let typed: Vec<&Value> = rest.iter().copied().filter(|rest| rest.is_object()).collect();
        let facts = if typed.is_empty() { Facts::default() } else { self.facts(&typed, depth + 1) };
        if rest.contains(&&Value::Bool(false)) {
            out.say(".*", "additional=none");
        } else if !facts.is_empty() {
            out.say(".*", "additional=typed");
            out.below(".*", &facts);
        }
        self.choices(&parts, &mut out, depth);
        let facts = Rc::new(out.lines);
        self.known.insert(key, facts.clone());
        facts
    }

    fn values(&self, schemas: &[&'d Value], parts: &[&'d Value], out: &mut Out) {
        let types: Vec<&str> = parts.iter().filter_map(|part| part["type"].as_str()).collect();
        let mut left: BTreeSet<&str> = types.iter().copied().collect();
        if left.contains("integer") {
            left.remove("number");
        }
        if !left.is_empty() {
            let names = left.into_iter().collect::<Vec<_>>();
            out.say("", format!("type={}", names.join("&")));
        }
        for key in ["format", "pattern"] {
            let texts: BTreeSet<&str> = parts.iter().filter_map(|part| part[key].as_str()).collect();
            if !texts.is_empty() {
                out.say("", format!("{key}={texts:?}"));
            }
        }
        for (key, exclusive, upper) in [
            ("maximum", "exclusiveMaximum", true),
            ("minimum", "exclusiveMinimum", false),
            ("maxLength", "", true),
            ("minLength", "", false),
            ("maxItems", "", true),
            ("minItems", "", false),
            ("maxProperties", "", true),
            ("minProperties", "", false),
        ] {
            let bounds = parts.iter().filter_map(|part| {
                let at = part[key].as_f64()?;
                // Half a step in or out is enough to tell the two kinds of bound apart.
                let nudge = if on(part, exclusive) { 0.25 } else { 0.0 };
                Some(if upper { at - nudge } else { at + nudge })
            });
            let bounds = bounds.filter(|at| !(exclusive.is_empty() && !upper && *at == 0.0));
            let tightest = bounds.reduce(|a, b| if upper { a.min(b) } else { a.max(b) });
            if let Some(at) = tightest {
                out.say("", format!("{key}={at}"));
            }
        }
        for flag in ["readOnly", "writeOnly", "deprecated", "uniqueItems"] {
            if parts.iter().any(|part| on(part, flag)) {
                out.say("", flag);
            }
        }
        for key in ["multipleOf", "not"] {
            let texts: BTreeSet<String> = parts.iter().filter_map(|part| part.get(key)).map(sorted).collect();
            if !texts.is_empty() {
                out.say("", format!("{key}={texts:?}"));
            }
        }
        let votes: Vec<bool> = schemas.iter().filter_map(|schema| self.null_allowed(schema)).collect();
        if !votes.is_empty() && votes.iter().all(|vote| *vote) {
            out.say("", "nullable");
        }
        let mut defaults = BTreeSet::new();
        schemas.iter().for_each(|schema| self.default_of(schema, &mut defaults));
        if !defaults.is_empty() {
            out.say("", format!("default={defaults:?}"));
        }
        // The lists of several parts are one: what one of them has, the service sends.
        let enums: Vec<&Vec<Value>> = parts.iter().filter_map(|part| part["enum"].as_array()).collect();
        if !enums.is_empty() {
            out.say("", "enum");
        }
        for value in enums.into_iter().flatten() {
            out.say("", format!("enum={}", sorted(value)));
        }
    }

    fn choices(&mut self, parts: &[&'d Value], out: &mut Out, depth: usize) {
        for part in parts {
            let mapping = &part["discriminator"]["mapping"];
            if part.get("discriminator").is_some() {
                let targets: Vec<(&String, &Value)> = members(mapping)
                    .map(|(value, target)| {
                        let pointer = target.as_str().unwrap_or_default().trim_start_matches('#');
                        (value, self.document.pointer(pointer).expect("the mapping leads somewhere"))
                    })
                    .collect();
                // A child that takes its parent in is not expanded into its siblings again.
                if targets.iter().any(|(_, target)| parts.iter().any(|part| std::ptr::eq(*part, *target))) {
                    continue;
                }
                out.say("", format!("discriminator={}", part["discriminator"]["propertyName"]));
                for (value, target) in targets {
                    let path = format!("<{value}>");
                    out.say(&path, "mapping");
                    let facts = self.facts(&[target], depth + 1);
                    out.below(&path, &facts);
                }
                continue;
            }
            for key in ["oneOf", "anyOf"] {
                let alternatives: Vec<&Value> = elements(&part[key]).collect();
                if alternatives.len() < 2 {
                    continue;
                }
                out.say("", format!("choice={key}"));
                for alternative in alternatives {
                    let types = self.unfold(&[alternative]);
                    let label = types.iter().find_map(|part| part["type"].as_str()).unwrap_or("any");
                    let path = format!("<{label}>");
                    out.say(&path, "alternative");
                    let facts = self.facts(&[alternative], depth + 1);
                    out.below(&path, &facts);
                }
            }
        }
    }
}

/// Facts while they are collected.
#[derive(Default)]
struct Out {
    lines: BTreeSet<(String, String)>,
}

impl Out {
    fn say(&mut self, path: &str, fact: impl Into<String>) {
        self.lines.insert((path.to_owned(), fact.into()));
    }

    fn below(&mut self, path: &str, facts: &Facts) {
        self.lines.extend(facts.iter().map(|(rest, fact)| (format!("{path}{rest}"), fact.clone())));
    }
}
