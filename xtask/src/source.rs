//! Reading an upstream document: from a file or a URL, as YAML or JSON, refused when it is not a whole OpenAPI 3.0.
//!
//! What is done with the document afterwards lives in [`crate::slice`] and the modules after it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::operation::normalised;
use crate::schema;

/// A document of more bytes than this is refused: upstream's has a quarter of a megabyte, and reading takes thirty times
/// its size.
const MOST_BYTES: usize = 16 << 20;

/// A parser's message is cut after so many characters: it can quote the document.
const LONGEST_MESSAGE: usize = 160;

/// A document as it was read, before anything is taken out of it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The URL, or the name of the file without its folder: a folder means nothing to the next reader.
    pub origin: String,
    /// SHA-256 of the bytes read, in lower-case hex.
    pub sha256: String,
    /// The day the revision was published, as far as the document or the server says so.
    pub date: Option<String>,
    /// The parsed document.
    pub document: Value,
}

/// Reads `from`, a URL when it starts with `http://` or `https://` and a path otherwise.
///
/// # Errors
/// When it cannot be read or parsed, when it is not OpenAPI 3.0.x, or when a `$ref` in it leads nowhere, which is
/// what a document cut short looks like.
pub fn load(from: &str) -> Result<Source> {
    let (bytes, origin, modified) = if from.starts_with("http://") || from.starts_with("https://") {
        let (bytes, modified) = fetch(from).with_context(|| format!("cannot fetch {from}"))?;
        (bytes, from.to_owned(), modified)
    } else {
        let bytes = read_file(from).with_context(|| format!("cannot read {from}"))?;
        let name = Path::new(from).file_name().unwrap_or_default();
        (bytes, name.to_string_lossy().into_owned(), None)
    };
    let document = parse(&bytes).with_context(|| format!("cannot use {origin}"))?;
    let date = [document.pointer("/info/version").and_then(Value::as_str), Some(origin.as_str())]
        .into_iter()
        .flatten()
        .find_map(date_in)
        .or(modified);
    Ok(Source { sha256: sha256(&bytes), origin, date, document })
}

fn read_file(path: &str) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses an upstream document and checks that it is a whole one.
///
/// # Errors
/// As [`load`], less the reading.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    if bytes.len() > MOST_BYTES {
        bail!("the document has more than {} MB, which is the most that is read", MOST_BYTES >> 20);
    }
    let text = std::str::from_utf8(bytes).context("the document is not UTF-8")?;
    // Not "JSON is YAML": the JSON parser is stricter and names the place of a cut.
    let document: Value = if text.trim_start().starts_with('{') {
        let Strict(document) = serde_json::from_str(text)
            .map_err(|error| anyhow::anyhow!(shortened(&error.to_string())))
            .context("the document is not valid JSON")?;
        document
    } else {
        parse_yaml(text).context("the document is not valid YAML")?
    };
    check_version(&document)?;
    for key in ["info", "paths", "components"] {
        if !document.get(key).is_some_and(Value::is_object) {
            bail!("the document has no `{key}`: it is cut short or not an interface document");
        }
    }
    if let Some(operation) = schema::operations(&document).iter().find(|one| !one.value["responses"].is_object()) {
        bail!("{} has no `responses`: the document is cut short", operation.title());
    }
    if let Some((at, target)) = schema::dangling_refs(&document).into_iter().next() {
        bail!("`{target}`, named at {at}, does not exist: the document is cut short or refers to another file");
    }
    Ok(document)
}

/// Parses YAML into JSON values; the error is one line.
///
/// # Errors
/// When the text is not YAML that JSON can express.
pub fn parse_yaml(text: &str) -> Result<Value> {
    // YAML 1.2: `Y` and `NO` are texts, an authentication status and a country, and not booleans.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        // As much as a document of the greatest size can hold; what stays tight is what makes much of little.
        budget: serde_saphyr::budget! { max_events: 8_000_000, max_nodes: 4_000_000, max_depth: 128 },
    };
    let Strict(value) = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.to_string();
        let place = message.find("line ").map(|at| message.get(at..).unwrap_or_default());
        if ["budget", "limit exceeded"].iter().any(|words| message.to_lowercase().contains(words)) {
            return anyhow::anyhow!(
                "it is nested too deeply, or repeats itself too often, to be read{}",
                place
                    .and_then(|place| place.split(" (").next())
                    .map(|place| format!(", at {}", shortened(place)))
                    .unwrap_or_default()
            );
        }
        anyhow::anyhow!(shortened(&message))
    })?;
    Ok(value)
}

/// The first line of a parser's message, without the names of its own parts, and not longer than a line should be.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    let line: String = line.split_whitespace().filter(|word| !word.contains("::")).collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().take(LONGEST_MESSAGE).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// A value in which no object names a key twice: which of the two counts is not said anywhere.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if out.contains_key(&key) {
                return Err(serde::de::Error::custom(format!("the key `{}` is there twice", shortened(&key))));
            }
            let Strict(value) = members.next_value()?;
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }
}

/// Why a document that lacks paths of `old` looks cut off rather than changed: what only those paths used is still in it,
/// and used by nothing.
#[must_use]
pub fn looks_cut(old: &Value, document: &Value) -> Option<String> {
    let paths = |document: &Value| -> BTreeSet<String> {
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.map(|(path, _)| normalised(path).0).collect()
    };
    let gone: Vec<String> = paths(old).difference(&paths(document)).cloned().collect();
    if gone.is_empty() {
        return None;
    }
    let mut used = BTreeSet::new();
    schema::visit_refs(document, "#", &mut |_, target| {
        used.insert(target.to_owned());
    });
    let mut lost = BTreeSet::new();
    for (path, item) in old.get("paths").and_then(Value::as_object).into_iter().flatten() {
        if gone.contains(&normalised(path).0) {
            schema::visit_refs(item, "#", &mut |_, target| {
                lost.insert(target.to_owned());
            });
        }
    }
    let idle: Vec<&str> = lost
        .iter()
        .filter(|target| !used.contains(*target) && schema::resolve(document, target).is_ok())
        .map(|target| schema::ref_name(target))
        .collect();
    (!idle.is_empty()).then(|| {
        format!(
            "{} no longer there, but what only {} used still is ({}): the document looks cut short; pass \
             `--removed` if upstream really dropped it",
            gone.join(", ") + if gone.len() == 1 { " is" } else { " are" },
            if gone.len() == 1 { "it" } else { "they" },
            idle.join(", ")
        )
    })
}

fn check_version(document: &Value) -> Result<()> {
    if let Some(version) = document.get("swagger") {
        let version = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
        bail!("this is Swagger {version}: convert it to OpenAPI 3.0 first, this tool reads 3.0.x only");
    }
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version == "3.0" || version.starts_with("3.0.") => Ok(()),
        Some(version) => bail!("this is OpenAPI {version}: this tool reads 3.0.x only"),
        None => bail!("the document does not say `openapi: 3.0.x`: it is not an interface document, or cut short"),
    }
}

/// The first `YYYY-MM-DD` in a text.
fn date_in(text: &str) -> Option<String> {
    text.as_bytes().windows(10).find_map(|window| {
        let day = std::str::from_utf8(window).ok()?;
        chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().map(|day| day.to_string())
    })
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The bytes and, where the server gives it, the day of `Last-Modified`.
fn fetch(url: &str) -> Result<(Vec<u8>, Option<String>)> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(60))
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let response = client.get(url).send().await?.error_for_status()?;
        let modified = response
            .headers()
            .get(reqwest::header::LAST_MODIFIED)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| chrono::DateTime::parse_from_rfc2822(value).ok())
            .map(|at| at.date_naive().to_string());
        let mut response = response;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MOST_BYTES {
                break;
            }
        }
        Ok((bytes, modified))
    })
}
