//! Fields of a request that the published interface does not have. The service ignores them, and
//! so does the sandbox; but a client that sends a misspelt name finds out here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::component;

/// What a document says about one place of a request: several schemas may speak of it.
#[derive(Default)]
struct Shape<'d> {
    properties: BTreeMap<&'d str, Vec<&'d Value>>,
    /// Schemas for names that are not listed.
    others: Vec<&'d Value>,
    items: Vec<&'d Value>,
    /// Any name will do.
    open: bool,
}

/// The places in a body, `body/order/...`, that no schema speaks of.
pub(super) fn fields(document: &Value, schema: &Value, body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(document, &[schema], body, "body", &mut found);
    found
}

fn walk(document: &Value, schemas: &[&Value], value: &Value, path: &str, found: &mut Vec<String>) {
    let mut shape = Shape::default();
    let mut seen = BTreeSet::new();
    for schema in schemas {
        collect(document, schema, value, &mut shape, &mut seen);
    }
    match value {
        Value::Object(fields) => {
            // An object of which nothing is said holds what it likes.
            let open = shape.open || (shape.properties.is_empty() && shape.others.is_empty());
            for (name, value) in fields {
                let path = format!("{path}/{name}");
                match shape.properties.get(name.as_str()) {
                    Some(schemas) => walk(document, schemas, value, &path, found),
                    None if !shape.others.is_empty() => walk(document, &shape.others, value, &path, found),
                    None if open => {}
                    None => found.push(path),
                }
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(document, &shape.items, element, &format!("{path}/{position}"), found);
            }
        }
        _ => {}
    }
}

fn collect<'d>(
    document: &'d Value,
    schema: &'d Value,
    value: &Value,
    shape: &mut Shape<'d>,
    seen: &mut BTreeSet<&'d str>,
) {
    if let Some(name) = component(schema) {
        let target = document.get("components").and_then(|all| all.get("schemas")?.get(name));
        if let (true, Some(target)) = (seen.insert(name), target) {
            collect(document, target, value, shape, seen);
        }
        return;
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        shape.properties.entry(name).or_default().push(property);
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(true)) => shape.open = true,
        Some(others) if others.is_object() => shape.others.push(others),
        _ => {}
    }
    shape.items.extend(schema.get("items"));
    for parts in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(parts).and_then(Value::as_array).into_iter().flatten() {
            collect(document, part, value, shape, seen);
        }
    }
    let variant = schema.get("discriminator").and_then(|discriminator| {
        let chosen = value.get(discriminator.get("propertyName")?.as_str()?)?.as_str()?;
        discriminator.get("mapping")?.get(chosen)?.as_str()
    });
    if let Some(variant) = variant.and_then(|target| target.strip_prefix('#')).and_then(|path| document.pointer(path)) {
        collect(document, variant, value, shape, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schema: &Value, body: &Value) -> Vec<String> {
        let document = json!({ "components": { "schemas": {
            "Line": { "properties": { "amount": {}, "free": { "type": "object" } } },
            "Pet": { "properties": { "kind": {} }, "discriminator": { "propertyName": "kind",
                "mapping": { "cat": "#/components/schemas/Cat" } } },
            "Cat": { "allOf": [{ "$ref": "#/components/schemas/Pet" }, { "properties": { "lives": {} } }] },
        } } });
        fields(&document, schema, body)
    }

    #[test]
    fn misspelt_names_are_found_through_references_parts_and_arrays() {
        let schema = json!({ "allOf": [
            { "properties": { "order": { "properties": { "items": { "items": { "$ref": "#/components/schemas/Line" } } } } } },
            { "properties": { "order": { "properties": { "amount": {} } } } },
        ] });
        let body = json!({ "order": { "amount": 1, "items": [{ "amount": 1 }, { "amuont": 1 }] }, "url": 1 });
        assert_eq!(found(&schema, &body), ["body/order/items/1/amuont", "body/url"]);
    }

    #[test]
    fn free_objects_and_listed_others_hold_any_name() {
        let line = json!({ "$ref": "#/components/schemas/Line" });
        assert_eq!(found(&line, &json!({ "free": { "anything": {} } })), [""; 0]);
        let map = json!({ "additionalProperties": { "$ref": "#/components/schemas/Line" } });
        assert_eq!(found(&map, &json!({ "a": { "amount": 1, "b": 1 } })), ["body/a/b"]);
    }

    #[test]
    fn a_variant_brings_its_own_names() {
        let pet = json!({ "$ref": "#/components/schemas/Pet" });
        assert_eq!(found(&pet, &json!({ "kind": "cat", "lives": 9 })), [""; 0]);
        assert_eq!(found(&pet, &json!({ "kind": "dog", "lives": 9 })), ["body/lives"]);
    }
}
