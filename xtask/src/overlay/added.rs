//! Calls that upstream's document does not publish: put together of schemas that it has for other calls.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Overlay;
use crate::model::step::steps;
use crate::model::{Model, SchemaId};

/// What such a call is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Added {
    reason: String,
    /// Parameters, as OpenAPI writes them.
    #[serde(default)]
    parameters: Vec<Value>,
    #[serde(default)]
    request: Option<Body>,
    response: Body,
}

/// A body by the address of another one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// The same.
    #[serde(default)]
    like: Option<String>,
    /// A list of it.
    #[serde(default)]
    list_of: Option<String>,
    /// Properties that it does not have.
    #[serde(default)]
    without: Vec<String>,
    /// Properties that it demands besides.
    #[serde(default)]
    required: Vec<String>,
}

impl Added {
    /// The operation object.
    pub(super) fn operation(&self, overlay: &Overlay, model: &Model<'_>) -> Result<Value> {
        if self.reason.trim().is_empty() {
            bail!("`added` does not say why: give the reason");
        }
        let content = |schema: Value| json!({ "application/json": { "schema": schema } });
        let response = self.response.schema(overlay, model).context("its response")?;
        let mut out = json!({
            "parameters": self.parameters,
            "responses": { "200": { "description": "", "content": content(response) } },
        });
        if let Some(request) = &self.request {
            let schema = request.schema(overlay, model).context("its request")?;
            out["requestBody"] = json!({ "required": true, "content": content(schema) });
        }
        Ok(out)
    }
}

impl Body {
    fn schema(&self, overlay: &Overlay, model: &Model<'_>) -> Result<Value> {
        match (&self.like, &self.list_of) {
            (Some(address), None) => {
                let id = find(overlay, model, address)?;
                if self.without.is_empty() && self.required.is_empty() {
                    return Ok(reference(model, id));
                }
                self.changed(model, id, address)
            }
            (None, Some(address)) => {
                Ok(json!({ "type": "array", "items": reference(model, find(overlay, model, address)?) }))
            }
            _ => bail!("it has to have either `like` or `list_of`"),
        }
    }

    fn changed(&self, model: &Model<'_>, id: SchemaId, address: &str) -> Result<Value> {
        let schema = model.get(id);
        let mut properties = Map::new();
        let mut required: Vec<&String> = self.required.iter().collect();
        for (name, property) in schema.properties.iter().filter(|(name, _)| !self.without.contains(name)) {
            let Some(below) = &property.described else { continue };
            properties.insert(name.clone(), reference(model, below.schema));
            if !property.required.is_empty() && !required.contains(&name) {
                required.push(name);
            }
        }
        let missing = self.without.iter().chain(&self.required).find(|name| !schema.properties.contains_key(*name));
        if let Some(name) = missing {
            bail!("{address} has no `{name}`");
        }
        Ok(json!({ "type": "object", "properties": properties, "required": required }))
    }
}

/// A schema by reference to the places that it is made of.
fn reference(model: &Model<'_>, id: SchemaId) -> Value {
    let refs = model.get(id).roots.iter().map(|root| json!({ "$ref": format!("#{}", model.pointer(*root)) }));
    match refs.collect::<Vec<_>>() {
        mut one if one.len() == 1 => one.remove(0),
        several => json!({ "allOf": several }),
    }
}

/// What stands at `operation.request.$...` or `operation.response.$...`.
fn find(overlay: &Overlay, model: &Model<'_>, address: &str) -> Result<SchemaId> {
    let nowhere = || format!("`{address}` leads nowhere");
    let (place, path) = address.split_once(".$").context("an address of a body is `operation.request.$` or so")?;
    let (id, role) = place.split_once('.').with_context(nowhere)?;
    let operation = model.operations().get(&overlay.key_of(id)?).with_context(nowhere)?;
    let media = match role {
        "request" => operation.body.as_ref().map(|body| &body.media),
        "response" => operation.responses.iter().find(|(status, _)| status.starts_with('2')).map(|(_, one)| &one.media),
        _ => None,
    };
    let json = media.and_then(|media| media.iter().find(|(name, _)| name.starts_with("application/json")));
    let mut id = json.and_then(|(_, media)| media.schema.as_ref()).with_context(nowhere)?.schema;
    for step in steps(path).with_context(nowhere)? {
        let child = model.children(id).into_iter().find(|(known, _)| *known == step);
        id = child.with_context(nowhere)?.1;
    }
    Ok(id)
}
