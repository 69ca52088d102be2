//! The operations of one document, with everything that a path, the document or a component adds to them put in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, Place, Result, canonical, kind};
use super::read::Reader;
use super::schema::Below;
use crate::schema::METHODS;

/// A path whose parameter names are gone, and a method: what makes an operation the same one on both sides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) path: String,
    pub(crate) method: &'static str,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `POST /transactions/{id}/capture`, as this document writes it.
    pub(crate) title: String,
    /// The path as this document writes it.
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) id: Option<String>,
    pub(crate) deprecated: bool,
    pub(crate) parameters: BTreeMap<ParameterKey, Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) responses: BTreeMap<String, Response>,
    pub(crate) security: Listed,
    pub(crate) servers: Listed,
}

/// Where a parameter goes, and its name there. Path parameters are known by their position instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParameterKey {
    pub(crate) location: String,
    pub(crate) name: String,
}

impl ParameterKey {
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.location, self.name)
    }
}

/// A parameter or a header.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) deprecated: bool,
    pub(crate) allow_empty: bool,
    pub(crate) allow_reserved: bool,
    /// The style, or the media type of a parameter that is written as one.
    pub(crate) style: String,
    pub(crate) explode: bool,
    pub(crate) schema: Option<Below>,
}

/// A request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) media: BTreeMap<String, Media>,
}

/// What a body looks like in one media type.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) place: Place,
    pub(crate) schema: Option<Below>,
    pub(crate) encoding: Option<String>,
}

/// One response of an operation.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) place: Place,
    pub(crate) media: BTreeMap<String, Media>,
    pub(crate) headers: BTreeMap<String, Parameter>,
}

/// Facts that are listed for a whole operation, each with the places that state it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Listed {
    pub(crate) facts: BTreeMap<String, Vec<Place>>,
    pub(crate) by: Vec<Place>,
}

/// All operations of a document.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<BTreeMap<Key, Operation>> {
    let root = Document::root();
    reader.document.object(root)?;
    let mut found = BTreeMap::new();
    for (path, item) in reader.document.members(root, "paths")? {
        if path.starts_with("x-") {
            continue;
        }
        let item = reader.document.resolve(item)?;
        let (normal, names) = normalised(&path);
        for method in METHODS {
            let Some(place) = reader.document.child(item, method) else { continue };
            let endpoint = endpoint(reader, &path, method, &names, item, place)?;
            if found.insert(Key { path: normal.clone(), method }, endpoint).is_some() {
                return Err(reader
                    .document
                    .error(place, "another path differs from this one only in the names of its parameters"));
            }
        }
    }
    Ok(found)
}

/// The path without the names of its parameters, and those names.
pub(crate) fn normalised(path: &str) -> (String, Vec<String>) {
    let mut normal = String::new();
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        normal.push_str(before);
        normal.push_str("{}");
        names.push(name.to_owned());
        rest = after;
    }
    normal.push_str(rest);
    (normal, names)
}

fn endpoint(
    reader: &mut Reader<'_>,
    path: &str,
    method: &'static str,
    names: &[String],
    item: Place,
    place: Place,
) -> Result<Operation> {
    reader.document.object(place)?;
    let mut parameters = BTreeMap::new();
    for holder in [item, place] {
        for entry in reader.document.elements(holder, "parameters")? {
            let (key, parameter) = parameter(reader, entry, names)?;
            parameters.insert(key, parameter);
        }
    }
    let body = match reader.document.child(place, "requestBody") {
        None => None,
        Some(body) => {
            let body = reader.document.resolve(body)?;
            Some(Body { place: body, required: reader.document.flag(body, "required")?, media: media(reader, body)? })
        }
    };
    let mut responses = BTreeMap::new();
    for (status, entry) in reader.document.members(place, "responses")? {
        if status.starts_with("x-") {
            continue;
        }
        let place = reader.document.resolve(entry)?;
        let response = Response { place, media: media(reader, place)?, headers: headers(reader, place)? };
        responses.insert(status.to_uppercase(), response);
    }
    Ok(Operation {
        title: format!("{} {path}", method.to_uppercase()),
        path: path.to_owned(),
        place,
        id: reader.document.text(place, "operationId")?.map(str::to_owned),
        deprecated: reader.document.flag(place, "deprecated")?,
        parameters,
        body,
        responses,
        security: security(&mut reader.document, place)?,
        servers: servers(&mut reader.document, item, place)?,
    })
}

fn parameter(reader: &mut Reader<'_>, entry: Place, names: &[String]) -> Result<(ParameterKey, Parameter)> {
    let place = reader.document.resolve(entry)?;
    let missing = |document: &Document<'_>, key: &str| document.error(place, format!("the parameter has no `{key}`"));
    let location = reader.document.text(place, "in")?.ok_or_else(|| missing(&reader.document, "in"))?;
    let name = reader.document.text(place, "name")?.ok_or_else(|| missing(&reader.document, "name"))?;
    let shown = match location {
        "path" => names
            .iter()
            .position(|known| known == name)
            .map_or_else(|| format!("{{{name}}}"), |position| format!("{{{}}}", position + 1)),
        // Header names know no case.
        "header" => name.to_lowercase(),
        _ => name.to_owned(),
    };
    let default = if matches!(location, "query" | "cookie") { "form" } else { "simple" };
    let mut read = described(reader, place, default)?;
    read.required |= location == "path";
    Ok((ParameterKey { location: location.to_owned(), name: shown }, read))
}

/// What parameters and headers have in common.
fn described(reader: &mut Reader<'_>, place: Place, default_style: &str) -> Result<Parameter> {
    let content = media(reader, place)?;
    let style = reader.document.text(place, "style")?.unwrap_or(default_style).to_owned();
    let explode = reader.document.flag_if_given(place, "explode")?.unwrap_or(style == "form");
    let (style, schema) = match content.first_key_value() {
        Some((name, media)) => (name.clone(), media.schema.clone()),
        None => (style, schema_of(reader, place)?),
    };
    Ok(Parameter {
        place,
        required: reader.document.flag(place, "required")?,
        deprecated: reader.document.flag(place, "deprecated")?,
        allow_empty: reader.document.flag(place, "allowEmptyValue")?,
        allow_reserved: reader.document.flag(place, "allowReserved")?,
        style,
        explode,
        schema,
    })
}

fn schema_of(reader: &mut Reader<'_>, holder: Place) -> Result<Option<Below>> {
    let at = reader.document.child(holder, "schema").into_iter().collect();
    reader.below(at)
}

fn media(reader: &mut Reader<'_>, place: Place) -> Result<BTreeMap<String, Media>> {
    let mut found = BTreeMap::new();
    for (name, entry) in reader.document.members(place, "content")? {
        reader.document.object(entry)?;
        let schema = schema_of(reader, entry)?;
        let document = &mut reader.document;
        let encoding = document.child(entry, "encoding").map(|encoding| canonical(document.value(encoding)));
        // Media types know no case, and spaces between their parameters mean nothing.
        let name = name.to_lowercase().split(';').map(str::trim).collect::<Vec<_>>().join("; ");
        found.insert(name, Media { place: entry, schema, encoding });
    }
    Ok(found)
}

fn headers(reader: &mut Reader<'_>, place: Place) -> Result<BTreeMap<String, Parameter>> {
    let mut found = BTreeMap::new();
    for (name, entry) in reader.document.members(place, "headers")? {
        let name = name.to_lowercase();
        // OpenAPI gives no meaning to this one here: the media types say it.
        if name != "content-type" {
            let header = reader.document.resolve(entry)?;
            found.insert(name, described(reader, header, "simple")?);
        }
    }
    Ok(found)
}

/// The ways to satisfy the security of an operation, each as text that names schemes by what they are.
fn security(document: &mut Document<'_>, place: Place) -> Result<Listed> {
    let holder = if document.object(place)?.contains_key("security") { place } else { Document::root() };
    let mut listed = Listed { facts: BTreeMap::new(), by: document.child(holder, "security").into_iter().collect() };
    for alternative in document.elements(holder, "security")? {
        let mut demands = Vec::new();
        let mut by = vec![alternative];
        for name in document.object(alternative)?.keys().cloned().collect::<Vec<_>>() {
            let mut scopes = Vec::new();
            for scope in document.elements(alternative, &name)? {
                match document.value(scope) {
                    Value::String(scope) => scopes.push(scope.clone()),
                    other => {
                        return Err(
                            document.error(scope, format!("expected the name of a scope, found {}", kind(other)))
                        );
                    }
                }
            }
            scopes.sort();
            let scheme = match document.component("securitySchemes", &name) {
                Some(scheme) => {
                    let scheme = document.resolve(scheme)?;
                    by.push(scheme);
                    scheme_text(document, scheme)?
                }
                None => format!("undefined scheme {name}"),
            };
            demands.push(if scopes.is_empty() { scheme } else { format!("{scheme} [{}]", scopes.join(" ")) });
        }
        demands.sort();
        let text = if demands.is_empty() { "anonymous".to_owned() } else { demands.join(" and ") };
        listed.facts.entry(text).or_default().extend(by);
    }
    Ok(listed)
}

fn scheme_text(document: &mut Document<'_>, scheme: Place) -> Result<String> {
    let object = document.object(scheme)?;
    let mut parts = Vec::new();
    for key in ["type", "scheme", "bearerFormat", "in", "name", "openIdConnectUrl"] {
        if let Some(text) = document.text(scheme, key)? {
            // Schemes of HTTP know no case.
            parts.push(if key == "scheme" { text.to_lowercase() } else { text.to_owned() });
        }
    }
    if let Some(flows) = object.get("flows") {
        parts.push(canonical(flows));
    }
    Ok(parts.join(" "))
}

fn servers(document: &mut Document<'_>, item: Place, place: Place) -> Result<Listed> {
    let mut listed = Listed::default();
    for holder in [place, item, Document::root()] {
        let servers = document.elements(holder, "servers")?;
        if servers.is_empty() {
            continue;
        }
        listed.by.extend(document.child(holder, "servers"));
        for server in servers {
            let url = document.text(server, "url")?.unwrap_or_default().to_owned();
            let mut text = url;
            for (name, variable) in document.members(server, "variables")? {
                let mut kept = document.object(variable)?.clone();
                kept.retain(|key, _| key == "default" || key == "enum");
                text.push_str(&format!(" {name}={}", canonical(&Value::Object(kept))));
            }
            listed.facts.entry(text).or_default().push(server);
        }
        return Ok(listed);
    }
    Ok(listed)
}
