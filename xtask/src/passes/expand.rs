//! Pass 1, `expand`: every schema as a tree, with references followed and `allOf` merged.
//!
//! The generator merges `allOf` by copying and forgets names on the way. On a tree without `allOf` the names are ours
//! to give ([`super::name`]). A node remembers where it came from in three marks:
//! `x-name` (the overlay's name, which an `allOf` around it inherits: an extended order item is still an order item),
//! `x-component` (the upstream component that it is, whole and unchanged), and
//! `x-recursive` (the component that it stands inside of).

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::unify::intersect;
use crate::schema;

/// Expands schemas of one document.
#[derive(Debug)]
pub struct Expander<'a> {
    document: &'a Value,
}

impl<'a> Expander<'a> {
    /// An expander for `document`, whose references must all lead somewhere.
    #[must_use]
    pub fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// The tree of `value`.
    ///
    /// # Errors
    /// When parts of an `allOf` contradict each other, or a reference leads nowhere.
    pub fn expand(&self, value: &Value) -> Result<Value> {
        self.walk(value, &mut Vec::new(), false)
    }

    fn walk(&self, value: &Value, inside: &mut Vec<String>, is_part: bool) -> Result<Value> {
        let Some(map) = value.as_object() else {
            // `additionalProperties: true` and the like.
            return Ok(value.clone());
        };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            return self.component(target, inside, is_part);
        }
        let mut out = Map::new();
        for (key, child) in map {
            let expanded = match key.as_str() {
                "allOf" | "discriminator" => continue,
                "properties" => self.each(child, inside).with_context(|| "in `properties`".to_owned())?,
                "oneOf" | "anyOf" => self.list(child, inside)?,
                "items" | "additionalProperties" | "not" => self.walk(child, inside, false)?,
                _ => child.clone(),
            };
            out.insert(key.clone(), expanded);
        }
        let mut out = Value::Object(out);
        if let Some(parts) = map.get("allOf").and_then(Value::as_array) {
            let own = out.get("x-name").cloned();
            if let ([only], 1) = (parts.as_slice(), map.len()) {
                return self.walk(only, inside, is_part);
            }
            for part in parts {
                out = intersect(&out, &self.walk(part, inside, true)?)?;
            }
            if let Some(own) = own {
                out["x-name"] = own;
            }
        }
        match map.get("discriminator") {
            Some(discriminator) if !is_part => self.tagged(out, discriminator, inside),
            _ => Ok(out),
        }
    }

    fn component(&self, target: &str, inside: &mut Vec<String>, is_part: bool) -> Result<Value> {
        let name = schema::ref_name(target).to_owned();
        if inside.contains(&name) {
            if is_part {
                bail!("component {name} contains itself through `allOf`");
            }
            return Ok(json!({ "x-recursive": name }));
        }
        let found = schema::resolve(self.document, target)?;
        inside.push(name.clone());
        let tree = self.walk(found, inside, is_part).with_context(|| format!("in component {name}"));
        inside.pop();
        let mut tree = tree?;
        if let Some(tree) = tree.as_object_mut() {
            tree.insert("x-component".to_owned(), Value::String(name));
        }
        Ok(tree)
    }

    /// A base with a discriminator becomes the choice between the variants that its mapping names.
    fn tagged(&self, base: Value, discriminator: &Value, inside: &mut Vec<String>) -> Result<Value> {
        let property =
            discriminator.get("propertyName").and_then(Value::as_str).context("a discriminator has no propertyName")?;
        let Some(mapping) = discriminator.get("mapping").and_then(Value::as_object) else {
            return Ok(base);
        };
        let mut variants = Map::new();
        for (tag, target) in mapping {
            let target = target.as_str().with_context(|| format!("the mapping of `{tag}` is not a reference"))?;
            let mut variant = self.variant(target, inside)?;
            // The tag is written by the choice, not by whoever fills in the variant.
            if let Some(properties) = variant.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove(property);
            }
            if let Some(required) = variant.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|name| name != property);
            }
            variants.insert(tag.clone(), variant);
        }
        let mut out = json!({ "x-tagged": { "property": property, "variants": variants } });
        for key in ["description", "x-name", "x-component"] {
            if let Some(kept) = base.get(key) {
                out[key] = kept.clone();
            }
        }
        Ok(out)
    }

    /// A variant, in which the base is a part and not the choice again.
    fn variant(&self, target: &str, inside: &mut Vec<String>) -> Result<Value> {
        let name = schema::ref_name(target).to_owned();
        let found = schema::resolve(self.document, target)?;
        // The base is on the stack: as a part of its own variant it is no circle.
        let mut own = inside.split_off(inside.len().saturating_sub(1));
        let tree = self.walk(found, inside, true).with_context(|| format!("in component {name}"));
        inside.append(&mut own);
        let mut tree = tree?;
        tree["x-component"] = Value::String(name);
        Ok(tree)
    }

    fn each(&self, value: &Value, inside: &mut Vec<String>) -> Result<Value> {
        let mut out = Map::new();
        for (key, child) in value.as_object().into_iter().flatten() {
            let expanded = self.walk(child, inside, false).with_context(|| format!("at `{key}`"))?;
            out.insert(key.clone(), expanded);
        }
        Ok(Value::Object(out))
    }

    fn list(&self, value: &Value, inside: &mut Vec<String>) -> Result<Value> {
        value.as_array().into_iter().flatten().map(|child| self.walk(child, inside, false)).collect()
    }
}
