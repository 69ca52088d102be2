//! Reading the keywords of the parts of a schema into one [`Schema`].
//!
//! How the parts are found is in [`super::read`], the rules by which they add up in [`super::schema`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Document, Place, Result, canonical, kind};
use super::fact::{Bound, Fact, Keyword, Limit, Stated};
use super::read::{Members, Reader};
use super::schema::{Choice, Group, Schema};

impl Reader<'_> {
    pub(super) fn types(&mut self, part: Place) -> Result<Option<BTreeSet<String>>> {
        let wrong = |value: &Value| format!("`type` is {}, not the name of a type", kind(value));
        let mut types = BTreeSet::new();
        match self.document.object(part)?.get("type") {
            None => return Ok(None),
            Some(Value::String(name)) => {
                types.insert(name.clone());
            }
            // Not OpenAPI 3.0, but its meaning is beyond doubt.
            Some(Value::Array(names)) if !names.is_empty() => {
                for name in names {
                    let Value::String(name) = name else { return Err(self.document.error(part, wrong(name))) };
                    types.insert(name.clone());
                }
            }
            Some(other) => return Err(self.document.error(part, wrong(other))),
        }
        if types.contains("number") {
            types.remove("integer");
        }
        Ok(Some(types))
    }

    pub(super) fn texts(&mut self, part: Place, node: &mut Schema, members: &mut Members) -> Result<()> {
        for (key, keyword) in [("format", Keyword::Format), ("pattern", Keyword::Pattern)] {
            if let Some(text) = self.document.text(part, key)? {
                add_text(node, keyword, text.to_owned(), part);
            }
        }
        match self.document.object(part)?.get("multipleOf") {
            None => {}
            Some(number @ Value::Number(_)) => add_text(node, Keyword::MultipleOf, canonical(number), part),
            Some(other) => {
                return Err(self.document.error(part, format!("`multipleOf` is {}, not a number", kind(other))));
            }
        }
        members.excluded.extend(self.document.child(part, "not"));
        Ok(())
    }

    pub(super) fn limits(&mut self, part: Place, node: &mut Schema) -> Result<()> {
        for limit in Limit::ALL {
            let at = match self.document.object(part)?.get(limit.keyword()) {
                None => continue,
                Some(Value::Number(number)) => number.clone(),
                Some(other) => {
                    let problem = format!("`{}` is {}, not a number", limit.keyword(), kind(other));
                    return Err(self.document.error(part, problem));
                }
            };
            let exclusive = match limit {
                Limit::Max => self.document.flag(part, "exclusiveMaximum")?,
                Limit::Min => self.document.flag(part, "exclusiveMinimum")?,
                _ => false,
            };
            // A length cannot be negative: a minimum of 0 says nothing.
            if matches!(limit, Limit::MinLength | Limit::MinItems | Limit::MinProperties) && at.as_f64() == Some(0.0) {
                continue;
            }
            let bound = Bound { at, exclusive };
            let tightest = match node.facts.get(&Keyword::Limit(limit)) {
                Some(Stated { fact: Fact::Bound(other), .. }) => {
                    let order = bound.position(other, limit.is_upper());
                    if limit.is_upper() { order.is_lt() } else { order.is_gt() }
                }
                _ => true,
            };
            let stated = node
                .facts
                .entry(Keyword::Limit(limit))
                .or_insert_with(|| Stated { fact: Fact::Bound(bound.clone()), by: Vec::new() });
            stated.by.push(part);
            if tightest {
                stated.fact = Fact::Bound(bound);
            }
        }
        Ok(())
    }

    pub(super) fn flags(&mut self, part: Place, node: &mut Schema) -> Result<()> {
        for (key, keyword) in [
            ("readOnly", Keyword::ReadOnly),
            ("writeOnly", Keyword::WriteOnly),
            ("deprecated", Keyword::Deprecated),
            ("uniqueItems", Keyword::UniqueItems),
        ] {
            if self.document.flag(part, key)? {
                let stated = node.facts.entry(keyword).or_insert(Stated { fact: Fact::On, by: Vec::new() });
                stated.by.push(part);
            }
        }
        Ok(())
    }

    pub(super) fn values(&mut self, part: Place, node: &mut Schema) -> Result<()> {
        let values = match self.document.object(part)?.get("enum") {
            None => return Ok(()),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(self.document.error(part, format!("`enum` is {}, not an array", kind(other)))),
        };
        let known = node.values.get_or_insert_default();
        known.by.push(part);
        for value in values.iter().map(canonical) {
            let by = known.allowed.entry(value).or_default();
            if by.last() != Some(&part) {
                by.push(part);
            }
        }
        Ok(())
    }

    pub(super) fn object_keywords(&mut self, part: Place, node: &mut Schema, members: &mut Members) -> Result<()> {
        for (name, place) in self.document.members(part, "properties")? {
            self.document.object(place)?;
            members.properties.entry(name).or_default().0.push(place);
        }
        for place in self.document.elements(part, "required")? {
            let Value::String(name) = self.document.value(place) else {
                return Err(self.document.error(place, "a name in `required` is not a string"));
            };
            let required = &mut members.properties.entry(name.clone()).or_default().1;
            // A name that is listed twice is demanded once.
            if required.last() != Some(&part) {
                required.push(part);
            }
        }
        let Some(place) = self.document.child(part, "additionalProperties") else { return Ok(()) };
        let text = match self.document.value(place) {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => "none",
            Value::Object(_) if self.allows_all(place)? => return Ok(()),
            Value::Object(_) => "typed",
            other => {
                let problem = format!("expected a schema, true or false, found {}", kind(other));
                return Err(self.document.error(place, problem));
            }
        };
        if text == "typed" {
            members.additional.push(place);
        }
        add_text(node, Keyword::AdditionalProperties, text.to_owned(), part);
        Ok(())
    }

    pub(super) fn items_and_choices(&mut self, part: Place, node: &mut Schema, members: &mut Members) -> Result<()> {
        if let Some(items) = self.document.child(part, "items")
            && !self.allows_all(items)?
        {
            members.items.push(items);
        }
        if self.document.object(part)?.contains_key("discriminator") {
            return Ok(());
        }
        for (key, choice) in [("oneOf", Choice::OneOf), ("anyOf", Choice::AnyOf)] {
            let listed = self.document.elements(part, key)?;
            if listed.len() > 1 {
                let alternatives = listed.iter().map(|place| self.schema(&[*place])).collect::<Result<_>>()?;
                node.groups.push(Group { choice, alternatives, by: vec![part] });
            }
        }
        Ok(())
    }

    pub(super) fn nullable_and_default(&mut self, roots: &[Place], node: &mut Schema) -> Result<()> {
        let mut nullable = None;
        for root in roots {
            nullable = all_allow_null(nullable, self.nullable(*root)?);
        }
        let defaults = self.defaults(roots)?;
        let stating = |document: &Document<'_>, key: &str| -> Vec<Place> {
            let parts = node.parts.iter().copied();
            parts.filter(|part| document.object(*part).is_ok_and(|object| object.contains_key(key))).collect()
        };
        let null_by = if nullable == Some(true) { stating(&self.document, "nullable") } else { Vec::new() };
        let default_by = if defaults.is_empty() { Vec::new() } else { stating(&self.document, "default") };
        if nullable == Some(true) {
            node.facts.insert(Keyword::Nullable, Stated { fact: Fact::On, by: null_by });
        }
        if !defaults.is_empty() {
            node.facts.insert(Keyword::Default, Stated { fact: Fact::Texts(defaults), by: default_by });
        }
        // `null` among the names of `type` says what `nullable` says.
        let Some(Stated { fact: Fact::Types(types), by }) = node.facts.get_mut(&Keyword::Type) else { return Ok(()) };
        let by = by.clone();
        if types.remove("null") {
            if types.is_empty() {
                types.insert("null".to_owned());
            } else {
                node.facts.entry(Keyword::Nullable).or_insert(Stated { fact: Fact::On, by });
            }
        }
        Ok(())
    }

    /// Whether null is allowed: yes, no, or not said.
    fn nullable(&mut self, place: Place) -> Result<Option<bool>> {
        let place = self.document.resolve(place)?;
        if let Some(known) = self.nullable.get(&place) {
            return Ok(*known);
        }
        let nullable = if self.document.flag(place, "nullable")? {
            Some(true)
        } else {
            let mut combined = self.types(place)?.map(|types| types.contains("null"));
            for part in self.conjuncts(place)? {
                combined = all_allow_null(combined, self.nullable(part)?);
            }
            combined
        };
        self.nullable.insert(place, nullable);
        Ok(nullable)
    }

    fn defaults(&mut self, roots: &[Place]) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = roots.to_vec();
        while let Some(place) = todo.pop() {
            let place = self.document.resolve(place)?;
            if !seen.insert(place) {
                continue;
            }
            match self.document.object(place)?.get("default") {
                // The outer default hides those of the parts.
                Some(default) => {
                    found.insert(canonical(default));
                }
                None => todo.extend(self.conjuncts(place)?),
            }
        }
        Ok(found)
    }
}

fn add_text(node: &mut Schema, keyword: Keyword, text: String, part: Place) {
    let stated =
        node.facts.entry(keyword).or_insert_with(|| Stated { fact: Fact::Texts(BTreeSet::new()), by: Vec::new() });
    if let Fact::Texts(texts) = &mut stated.fact {
        // An object that one part closes is closed, whatever another says of the rest.
        if keyword == Keyword::AdditionalProperties && (text == "none" || texts.contains("none")) {
            *texts = BTreeSet::from(["none".to_owned()]);
        } else {
            texts.insert(text);
        }
    }
    stated.by.push(part);
}

fn all_allow_null(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a && b),
        (said, None) | (None, said) => said,
    }
}

pub(super) fn intersect(stated: Vec<BTreeSet<String>>) -> Fact {
    let mut all = BTreeSet::new();
    let mut common: Option<BTreeSet<String>> = None;
    for types in stated {
        all.extend(types.iter().cloned());
        common = Some(match common {
            None => types,
            Some(known) => {
                let narrower =
                    |a: &BTreeSet<String>, b: &BTreeSet<String>| a.contains("integer") && b.contains("number");
                let mut both: BTreeSet<String> = known.intersection(&types).cloned().collect();
                if narrower(&known, &types) || narrower(&types, &known) {
                    both.insert("integer".to_owned());
                }
                both
            }
        });
    }
    match common {
        Some(common) if !common.is_empty() => Fact::Types(common),
        _ => Fact::Conflict(all),
    }
}
