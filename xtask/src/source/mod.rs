//! Reading an upstream document: from a file or a URL, as YAML or JSON, refused when it is not a whole OpenAPI 3.0.
//!
//! `parse` makes values of the text, `cut` tells what is cut off from what was removed. What is done with the
//! document afterwards lives in [`crate::slice`] and the modules after it.

mod cut;
pub mod parse;

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use parse::{MOST_BYTES, Parsed};

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
    /// Where the text ends, when a cut there would not show in its form; see [`Parsed::end`].
    end: Option<Vec<parse::Step>>,
    ends_with_a_line: bool,
}

impl Source {
    /// Checks that what the slice of an older revision has and this document lacks is not what a cut would have taken;
    /// `removed` says that somebody has looked, and upstream has removed it.
    ///
    /// # Errors
    /// Names what is missing, and where the text ends.
    pub fn check_against(&self, older: &Value, removed: bool) -> Result<()> {
        if removed {
            return Ok(());
        }
        cut::check_against(older, self).with_context(|| format!("cannot use {}", self.origin))
    }
}

/// Reads `from`, a URL when it starts with `http://` or `https://` and a path otherwise.
///
/// # Errors
/// When it cannot be read or parsed, is larger than [`MOST_BYTES`], is not OpenAPI 3.0.x, or is not whole: a `$ref` in
/// it leads nowhere, or something is missing that each document has.
pub fn load(from: &str) -> Result<Source> {
    let (bytes, origin, modified) = if from.starts_with("http://") || from.starts_with("https://") {
        let (bytes, modified) = fetch(from).with_context(|| format!("cannot fetch {from}"))?;
        (bytes, from.to_owned(), modified)
    } else {
        let name = Path::new(from).file_name().unwrap_or_default();
        (read(from)?, name.to_string_lossy().into_owned(), None)
    };
    let (Parsed { value: document, end }, ends_with_a_line) =
        whole(&bytes).with_context(|| format!("cannot use {origin}"))?;
    let date = [document.pointer("/info/version").and_then(Value::as_str), Some(origin.as_str())]
        .into_iter()
        .flatten()
        .find_map(date_in)
        .or(modified);
    Ok(Source { sha256: sha256(&bytes), origin, date, document, end, ends_with_a_line })
}

/// The bytes of a file; of one that is too large, or has no end, no more than needed to say so.
fn read(name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file =
        std::fs::File::open(name).with_context(|| format!("cannot read {name}"))?.take(MOST_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() > MOST_BYTES {
        bail!("cannot use {name}: {}", parse::too_large());
    }
    Ok(bytes)
}

/// Parses an upstream document and checks that it is a whole one.
///
/// # Errors
/// As [`load`], less the reading.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    Ok(whole(bytes)?.0.value)
}

/// The document, and whether the text ends with the end of a line.
fn whole(bytes: &[u8]) -> Result<(Parsed, bool)> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bail!("the document is compressed: unpack it first");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bail!("the document is not UTF-8, from byte {} on", error.valid_up_to()),
    };
    let is_markup = |text: &str| {
        text.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '!' || c == '?'))
    };
    if is_markup(text.trim_start()) {
        bail!(
            "this is a web page or XML and not an interface document: a sign-in, a proxy or an error may have sent it"
        );
    }
    let parsed = parse::parse(text)?;
    check_version(&parsed.value)?;
    cut::check_alone(&parsed.value, parsed.end.as_deref())?;
    Ok((parsed, text.ends_with('\n')))
}

/// Parses YAML into JSON values, as [`parse::parse`] does.
///
/// # Errors
/// One line that names line and column.
pub fn parse_yaml(text: &str) -> Result<Value> {
    Ok(parse::yaml(text)?.value)
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
        let mut response = client.get(url).send().await?.error_for_status()?;
        let modified = response
            .headers()
            .get(reqwest::header::LAST_MODIFIED)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| chrono::DateTime::parse_from_rfc2822(value).ok())
            .map(|at| at.date_naive().to_string());
        if response.content_length().is_some_and(|length| length > MOST_BYTES as u64) {
            bail!("{}", parse::too_large());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.context("the download was cut off")? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MOST_BYTES {
                bail!("{}", parse::too_large());
            }
        }
        Ok((bytes, modified))
    })
}
