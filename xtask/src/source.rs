//! Reading an upstream document: from a file or a URL, as YAML or JSON, refused when it is not a whole OpenAPI 3.0.
//!
//! What is done with the document afterwards lives in [`crate::slice`] and the modules after it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::schema;

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
        let bytes = std::fs::read(from).with_context(|| format!("cannot read {from}"))?;
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

/// Parses an upstream document and checks that it is a whole one.
///
/// # Errors
/// As [`load`], less the reading.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).context("the document is not UTF-8")?;
    // Not "JSON is YAML": the JSON parser is stricter and names the place of a cut.
    let document: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).context("the document is not valid JSON")?
    } else {
        parse_yaml(text).context("the document is not valid YAML")?
    };
    check_version(&document)?;
    for key in ["info", "paths", "components"] {
        if !document.get(key).is_some_and(Value::is_object) {
            bail!("the document has no `{key}`: it is cut short or not an interface document");
        }
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
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.to_string();
        anyhow::anyhow!("{}", message.lines().next().unwrap_or_default().trim())
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
        Ok((response.bytes().await?.to_vec(), modified))
    })
}
