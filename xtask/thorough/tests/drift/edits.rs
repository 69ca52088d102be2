//! Single edits of a document, each with the rule that must report it.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::mutations::{Uses, escape};

/// What was done, and the rule that must be reported.
pub(crate) type Edit = (String, String);

/// How many kinds of edit there are.
pub(crate) const KINDS: usize = 36;

/// Applies a random edit of a random kind, where it applies at all.
pub(crate) fn random(document: &mut Value, uses: &Uses<'_>, rng: &mut Rng) -> Option<Edit> {
    try_kind(rng.usize(..KINDS), document, uses, rng)
}

/// Applies an edit of one kind at a random place, unless it has no meaning there.
pub(crate) fn try_kind(kind: usize, document: &mut Value, uses: &Uses<'_>, rng: &mut Rng) -> Option<Edit> {
    if kind >= 24 {
        return operations(kind, document, uses, rng);
    }
    let pointers: Vec<&String> = uses.of.keys().collect();
    let pointer = pointers.get(rng.usize(..pointers.len()))?.as_str();
    let schema = uses.get(pointer);
    let text = schema["type"] == "string";
    let number = schema["type"] == "integer" || schema["type"] == "number";
    let edited = |document: &mut Value, key: &str, value: Option<Value>, suffix: &str| -> Option<Edit> {
        if !uses.alone(pointer, key) {
            return None;
        }
        let object = document.pointer_mut(pointer)?.as_object_mut()?;
        match value {
            Some(value) => object.insert(key.to_owned(), value),
            None => Some(object.remove(key)?),
        };
        Some((format!("{key} at {pointer}"), uses.rule(pointer, suffix, false)))
    };
    // Sets, changes or takes away a text.
    let turned = |document: &mut Value, rng: &mut Rng, key: &str, values: [Value; 2], slug: &str| {
        let (value, word) = match schema.get(key) {
            None => (Some(values[0].clone()), "added"),
            Some(_) if rng.bool() => (None, "removed"),
            Some(known) => (values.iter().find(|value| *value != known).cloned(), "changed"),
        };
        edited(document, key, value, &format!("{slug}-{word}"))
    };
    match kind {
        0..=4 => properties(kind, document, uses, pointer, rng),
        5 if schema.get("type").is_some() && schema.get("enum").is_none() => {
            let other = if text { "boolean" } else { "string" };
            edited(document, "type", Some(json!(other)), "type-changed")
        }
        6 if schema["type"] == "integer" => edited(document, "type", Some(json!("number")), "type-changed"),
        7 if text || number => turned(document, rng, "format", [json!("int64"), json!("uuid")], "format"),
        8 if text => turned(document, rng, "pattern", [json!("^a"), json!("^b")], "pattern"),
        9 | 10 => {
            let (keyword, slug) = match (text, number, schema["type"] == "array", rng.bool()) {
                (true, _, _, true) => ("maxLength", "max-length"),
                (true, ..) => ("minLength", "min-length"),
                (_, true, _, true) => ("maximum", "max"),
                (_, true, ..) => ("minimum", "min"),
                (_, _, true, true) => ("maxItems", "max-items"),
                (_, _, true, _) => ("minItems", "min-items"),
                (_, _, _, true) => ("maxProperties", "max-properties"),
                _ => ("minProperties", "min-properties"),
            };
            let (value, moved) = match schema.get(keyword).and_then(Value::as_i64) {
                None => (Some(json!(7)), "set"),
                Some(_) if rng.bool() => (None, "unset"),
                Some(known) if rng.bool() => (Some(json!(known + 3)), "increased"),
                // One less of a length that is no length at all would not be a change.
                Some(known) if known < 2 => return None,
                Some(known) => (Some(json!(known - 1)), "decreased"),
            };
            edited(document, keyword, value, &format!("{slug}-{moved}"))
        }
        11 | 12 => {
            let values = schema["enum"].as_array();
            match values {
                None if text => edited(document, "enum", Some(json!(["a", "b"])), "became-enum"),
                Some(values) if kind == 11 => {
                    let mut values = values.clone();
                    values.push(json!("one-more"));
                    edited(document, "enum", Some(json!(values)), "enum-value-added")
                }
                Some(values) if rng.bool() && values.len() > 1 => {
                    let mut values = values.clone();
                    values.remove(rng.usize(..values.len()));
                    edited(document, "enum", Some(json!(values)), "enum-value-removed")
                }
                Some(_) => edited(document, "enum", None, "became-not-enum"),
                None => None,
            }
        }
        13 => turned(document, rng, "default", [json!("x"), json!("y")], "default-value"),
        14 if schema.get("type").is_some() && uses.alone(pointer, "type") => {
            edited(document, "nullable", Some(json!(true)), "became-nullable")
        }
        15 | 16 => {
            let (key, on, off) = *rng.choice(&[
                ("readOnly", "became-read-only", "became-not-read-only"),
                ("writeOnly", "became-write-only", "became-not-write-only"),
                ("deprecated", "deprecated", "reactivated"),
            ])?;
            let known = schema[key] == Value::Bool(true);
            edited(document, key, Some(json!(!known)), if known { off } else { on })
        }
        17 if schema["type"] == "object" => {
            let (value, word) = match (schema.get("additionalProperties"), rng.bool()) {
                (None, true) => (Some(json!(false)), "forbidden"),
                (None, false) => (Some(json!({ "type": "string" })), "typed"),
                (Some(_), true) => (Some(json!(false)), "forbidden"),
                (Some(_), false) => (None, "untyped"),
            };
            edited(document, "additionalProperties", value, &format!("additional-properties-{word}"))
        }
        18 if schema.get("items").is_some() => edited(document, "items", None, "items-removed"),
        19 => {
            let alternatives = schema["oneOf"].as_array()?;
            let mut more = alternatives.clone();
            more.push(json!({ "type": "boolean" }));
            edited(document, "oneOf", Some(json!(more)), "one-of-added")
        }
        20 => {
            let alternatives = schema.get("oneOf")?.clone();
            document.pointer_mut(pointer)?.as_object_mut()?.remove("oneOf");
            edited(document, "anyOf", Some(alternatives), "one-of-became-any-of")
        }
        21 => {
            let discriminator = schema.get("discriminator")?;
            let mut mapping = discriminator["mapping"].as_object()?.clone();
            let (first, target) = mapping.iter().next().map(|(value, target)| (value.clone(), target.clone()))?;
            let suffix = if rng.bool() {
                mapping.insert("another.value".to_owned(), target);
                "discriminator-mapping-added"
            } else if mapping.len() > 1 && rng.bool() {
                let other = mapping.values().find(|other| **other != target)?.clone();
                mapping.insert(first, other);
                "discriminator-mapping-changed"
            } else {
                mapping.remove(&first);
                "discriminator-mapping-removed"
            };
            if mapping.is_empty() {
                return None;
            }
            let mut changed = discriminator.clone();
            changed["mapping"] = Value::Object(mapping);
            edited(document, "discriminator", Some(changed), suffix)
        }
        22 => {
            let mut changed = schema.get("discriminator")?.clone();
            if rng.bool() {
                return edited(document, "discriminator", None, "discriminator-removed");
            }
            changed["propertyName"] = json!("kind_of_thing");
            edited(document, "discriminator", Some(changed), "discriminator-changed")
        }
        23 if number => edited(document, "multipleOf", Some(json!(5)), "multiple-of-added"),
        23 if schema["type"] == "array" => edited(document, "uniqueItems", Some(json!(true)), "unique-items-set"),
        23 if text => edited(document, "not", Some(json!({ "enum": ["never"] })), "not-added"),
        _ => None,
    }
}

/// Edits of the list of properties of an object.
fn properties(kind: usize, document: &mut Value, uses: &Uses<'_>, pointer: &str, rng: &mut Rng) -> Option<Edit> {
    let schema = uses.get(pointer);
    let known = schema["properties"].as_object()?;
    let demands = |part: &str, name: &str| {
        uses.get(part)["required"].as_array().is_some_and(|names| names.contains(&json!(name)))
    };
    let others = || uses.of[pointer].iter().flat_map(|each| &each.parts).filter(|part| part.as_str() != pointer);
    let object = document.pointer_mut(pointer)?;
    if kind < 2 {
        object["properties"]["brand_new"] =
            json!({ "type": "object", "properties": { "inside": { "type": "string" } } });
        let suffix = if kind == 0 { "optional added" } else { "required added" };
        if kind == 1 {
            let mut required = schema["required"].as_array().cloned().unwrap_or_default();
            required.push(json!("brand_new"));
            object["required"] = json!(required);
        }
        return Some((format!("a property of {pointer}"), uses.rule(pointer, suffix, true)));
    }
    let name = known.keys().nth(rng.usize(..known.len().max(1)))?.clone();
    // Where another schema speaks of the same property, the edit means something else, or nothing.
    let key = format!("/properties/{}", escape(&name));
    if others().any(|part| uses.get(&format!("{part}{key}")).is_object() || demands(part, &name)) {
        return None;
    }
    let required = demands(pointer, &name);
    let mut names = schema["required"].as_array().cloned().unwrap_or_default();
    let suffix = match kind {
        2 => {
            object["properties"].as_object_mut()?.remove(&name);
            names.retain(|known| *known != json!(name));
            if required { "required removed" } else { "optional removed" }
        }
        3 if required => {
            names.retain(|known| *known != json!(name));
            "became-optional"
        }
        4 if !required => {
            names.push(json!(name));
            "became-required"
        }
        _ => return None,
    };
    if schema.get("required").is_some() || !names.is_empty() {
        object["required"] = json!(names);
    }
    Some((format!("{name} of {pointer}"), uses.rule(pointer, suffix, true)))
}

/// Edits outside of schemas.
fn operations(kind: usize, document: &mut Value, uses: &Uses<'_>, rng: &mut Rng) -> Option<Edit> {
    let paths = uses.get("/paths").as_object()?;
    let path = paths.keys().nth(rng.usize(..paths.len()))?.clone();
    let item = paths[&path].as_object()?;
    let method = item.keys().nth(rng.usize(..item.len()))?.clone();
    let at = format!("/paths/{}/{method}", escape(&path));
    let operation = uses.get(&at);
    let parameters = operation["parameters"].as_array().map_or(0, Vec::len);
    let parameter = (parameters > 0).then(|| uses.target(&format!("{at}/parameters/{}", rng.usize(..parameters))));
    let done = |rule: &str| Some((format!("edit {kind} of {method} {path}"), rule.to_owned()));
    match kind {
        24 => {
            document.pointer_mut(&at)?["operationId"] = json!("renamed");
            done("api-operation-id-changed")
        }
        25 => {
            document.pointer_mut(&at)?["deprecated"] = json!(true);
            done("endpoint-deprecated")
        }
        26 if item.len() > 1 => {
            document["paths"][&path].as_object_mut()?.remove(&method);
            done("api-operation-removed")
        }
        26 => {
            document["paths"].as_object_mut()?.remove(&path);
            done("api-path-removed")
        }
        27 => {
            let copy = operation.clone();
            if rng.bool() && item.get("patch").is_none() {
                document["paths"][&path]["patch"] = copy;
                return done("api-operation-added");
            }
            document["paths"]["/sessions/{session_id}/brand_new"] = json!({ "patch": copy });
            done("api-path-added")
        }
        28 => {
            let (key, value, rule) = match rng.usize(..4) {
                0 => ("security", json!([]), "api-security-removed"),
                1 => ("security", json!([{ "bearer": [] }, {}]), "api-security-alternative-added"),
                2 => ("security", json!([{ "bearer": ["write"] }]), "api-security-changed"),
                _ => ("servers", json!([{ "url": "https://elsewhere.example" }]), "api-server-changed"),
            };
            if rng.bool() {
                document[key] = value;
            } else {
                document.pointer_mut(&at)?[key] = value;
            }
            done(rule)
        }
        29 => {
            let status = *rng.choice(&["201", "418"])?;
            document.pointer_mut(&format!("{at}/responses"))?[status] = json!({ "description": "" });
            done(if status == "201" { "response-success-status-added" } else { "response-non-success-status-added" })
        }
        30 => {
            let statuses = operation["responses"].as_object()?;
            let status = statuses.keys().nth(rng.usize(..statuses.len()))?.clone();
            document.pointer_mut(&format!("{at}/responses"))?.as_object_mut()?.remove(&status);
            let success = status.starts_with('2');
            done(if success { "response-success-status-removed" } else { "response-non-success-status-removed" })
        }
        31 => {
            let status = operation["responses"].as_object()?.keys().next()?.clone();
            let response = uses.target(&format!("{at}/responses/{status}"));
            let response = document.pointer_mut(&response)?;
            if rng.bool() {
                response["headers"]["X-Brand-New"] = json!({ "schema": { "type": "string" } });
                return done("response-optional-header-added");
            }
            let media = response.get_mut("content")?.as_object_mut()?;
            let json = media.remove("application/json")?;
            media.insert("application/problem+json".to_owned(), json);
            done("response-body-media-type-changed")
        }
        32 => {
            let body = document.pointer_mut(&format!("{at}/requestBody"))?;
            let required = body["required"] == json!(true);
            body["required"] = json!(!required);
            done(if required { "request-body-became-optional" } else { "request-body-became-required" })
        }
        33 => {
            let operation = document.pointer_mut(&at)?.as_object_mut()?;
            match operation.remove("requestBody") {
                Some(body) if body["required"] == json!(true) => done("request-required-body-removed"),
                Some(_) => done("request-optional-body-removed"),
                None => {
                    let body = json!({ "content": { "application/json": { "schema": { "type": "object" } } } });
                    operation.insert("requestBody".to_owned(), body);
                    done("request-optional-body-added")
                }
            }
        }
        34 => {
            let parameter = document.pointer_mut(&parameter?)?;
            let place = parameter["in"].as_str()?.to_owned();
            match rng.usize(..4) {
                0 if place != "path" => {
                    let required = parameter["required"] == json!(true);
                    parameter["required"] = json!(!required);
                    done(if required {
                        "request-parameter-became-optional"
                    } else {
                        "request-parameter-became-required"
                    })
                }
                1 => {
                    parameter["deprecated"] = json!(true);
                    done("request-parameter-deprecated")
                }
                2 if place == "query" => {
                    parameter["explode"] = json!(parameter["explode"] == json!(false));
                    done("request-parameter-explode-changed")
                }
                3 if place == "query" => {
                    parameter["style"] = json!("pipeDelimited");
                    done("request-parameter-style-changed")
                }
                _ => None,
            }
        }
        35 => {
            let required = rng.bool();
            let new =
                json!({ "name": "brand_new", "in": "query", "required": required, "schema": { "type": "string" } });
            let operation = document.pointer_mut(&at)?;
            match operation.get_mut("parameters").and_then(Value::as_array_mut) {
                Some(parameters) => parameters.push(new),
                None => operation["parameters"] = json!([new]),
            }
            done(if required { "request-required-parameter-added" } else { "request-optional-parameter-added" })
        }
        _ => None,
    }
}
