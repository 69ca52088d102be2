//! `cargo xtask regen`: from an upstream document to the files under `spec/`, and the check that they belong together.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::drift::rust_items::RustItems;
use crate::overlay::{Overlay, Stale};
use crate::passes::describe::Descriptions;
use crate::{generated, guards, passes, schema, slice, source};

/// Where the published document is read from when nothing else is said.
const PUBLISHED: &str = "https://docs.dintero.com/openapi/payments-api.yaml";

/// What has to be run when the check fails.
pub const REPAIR: &str = "cargo xtask regen --pinned";

/// The files of the `spec` folder.
#[derive(Debug)]
pub struct Spec {
    dir: PathBuf,
}

/// `spec/upstream.lock`: where the slice came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Where `regen` reads without `--from`.
    pub url: String,
    /// What was read: a URL, or the name of a file.
    pub read_from: String,
    /// The day of the revision, or, where neither the document nor the server tells, the day it was first read.
    pub date: String,
    /// SHA-256 of the bytes read: upstream has no version that could be pinned.
    pub source_sha256: String,
    /// SHA-256 of `upstream.json`.
    pub slice_sha256: String,
}

/// Everything that `regen` writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// `upstream.json`.
    pub slice: String,
    /// `upstream.lock`.
    pub lock: String,
    /// `dintero.json`.
    pub document: String,
}

/// What the generation of a document left out.
#[derive(Debug)]
pub struct Generated {
    /// The document for `build.rs`.
    pub document: Value,
    /// Overlay actions and descriptions that did not apply; empty unless they were allowed not to.
    pub skipped: Vec<String>,
}

impl Spec {
    /// The folder of this repository.
    #[must_use]
    pub fn here() -> Self {
        Self { dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec") }
    }

    /// Another folder with an overlay and descriptions.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(self.dir.join(name)).with_context(|| format!("cannot read spec/{name}"))
    }

    /// The recorded source, when there is one.
    ///
    /// # Errors
    /// When the lock is there and is not one.
    pub fn lock(&self) -> Result<Option<Lock>> {
        if !self.dir.join("upstream.lock").exists() {
            return Ok(None);
        }
        Ok(Some(toml::from_str(&self.read("upstream.lock")?).context("spec/upstream.lock is not a lock")?))
    }

    /// The pinned slice.
    ///
    /// # Errors
    /// When it is missing or not JSON.
    pub fn slice(&self) -> Result<Value> {
        serde_json::from_str(&self.read("upstream.json")?).context("spec/upstream.json is not JSON")
    }

    /// The Rust items of the document as it is written.
    ///
    /// # Errors
    /// When it is missing or not JSON.
    pub fn rust_items(&self) -> Result<RustItems> {
        Ok(RustItems::new(serde_json::from_str(&self.read("dintero.json")?).context("spec/dintero.json is not JSON")?))
    }

    /// Generates the document for a slice, with the overlay and the descriptions of this folder.
    ///
    /// # Errors
    /// As the passes and guards; with [`Stale::Skip`], what does not apply is listed instead.
    pub fn generate(&self, slice: &Value, stale: Stale) -> Result<Generated> {
        let texts = Descriptions::parse(&self.read("descriptions.yaml")?).context("spec/descriptions.yaml")?;
        self.generate_with(slice, &texts, stale)
    }

    /// The slice with the overlay applied.
    ///
    /// # Errors
    /// When an action of the overlay does not apply, unless `stale` allows it.
    pub fn curated(&self, slice: &Value, stale: Stale) -> Result<Value> {
        Ok(self.overlaid(slice, stale)?.0)
    }

    fn overlaid(&self, slice: &Value, stale: Stale) -> Result<(Value, Vec<String>)> {
        let overlay = Overlay::parse(&self.read("overlay.yaml")?).context("spec/overlay.yaml")?;
        let mut curated = slice.clone();
        let skipped = overlay.apply(&mut curated, stale).context("spec/overlay.yaml")?;
        Ok((curated, skipped))
    }

    /// The revisions at hand.
    #[must_use]
    pub fn history(&self) -> PathBuf {
        self.dir.join("history")
    }

    /// As [`Spec::generate`], with other descriptions than those of this folder.
    ///
    /// # Errors
    /// As the passes and guards.
    pub fn generate_with(&self, slice: &Value, texts: &Descriptions, stale: Stale) -> Result<Generated> {
        let (curated, mut skipped) = self.overlaid(slice, stale)?;
        guards::check_curated(&curated)?;
        let (document, unused) = passes::run(&curated, texts, stale)?;
        guards::check_document(&curated, &document)?;
        skipped.extend(unused);
        Ok(Generated { document, skipped })
    }

    /// What the files should be after reading `from`; nothing is written.
    ///
    /// # Errors
    /// When `from` cannot be used, or the curation does not fit it.
    pub fn regenerate(&self, from: Option<&str>, stale: Stale) -> Result<(Written, Vec<String>)> {
        let lock = self.lock()?;
        let url = lock.as_ref().map_or(PUBLISHED, |lock| lock.url.as_str()).to_owned();
        let source = source::load(from.unwrap_or(&url))?;
        let slice = slice::slice(&source.document)?;
        let text = schema::to_text(&slice);
        // An unchanged document keeps its date: reading it again is no event.
        let recorded = lock.filter(|lock| lock.source_sha256 == source.sha256).map(|lock| lock.date);
        let date = source.date.or(recorded).unwrap_or_else(|| chrono::Utc::now().date_naive().to_string());
        let lock = Lock {
            url,
            read_from: source.origin,
            date,
            source_sha256: source.sha256,
            slice_sha256: source::sha256(text.as_bytes()),
        };
        let generated = self.generate(&slice, stale)?;
        generated::code(&generated.document)?;
        let document = schema::to_text(&generated.document);
        Ok((Written { slice: text, lock: lock.to_text()?, document }, generated.skipped))
    }

    /// What the files should be by the pinned slice: after a change of the overlay, the descriptions or the passes.
    ///
    /// # Errors
    /// When a pinned file is missing, or the curation does not fit it.
    pub fn from_pinned(&self) -> Result<Written> {
        let mut lock =
            self.lock()?.context("spec/upstream.lock is missing: run `cargo xtask regen --from FILE|URL`")?;
        let slice = self.slice()?;
        let text = schema::to_text(&slice);
        lock.slice_sha256 = source::sha256(text.as_bytes());
        let generated = self.generate(&slice, Stale::Refuse)?;
        generated::code(&generated.document)?;
        let document = schema::to_text(&generated.document);
        Ok(Written { slice: text, lock: lock.to_text()?, document })
    }

    /// Writes the files that differ and returns their names.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, written: &Written) -> Result<Vec<&'static str>> {
        let mut changed = Vec::new();
        for (name, text) in written.files() {
            let path = self.dir.join(name);
            if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
                std::fs::write(&path, text).with_context(|| format!("cannot write spec/{name}"))?;
                changed.push(name);
            }
        }
        Ok(changed)
    }

    /// Fails when a file is not what [`Spec::from_pinned`] would write. Reads no network.
    ///
    /// # Errors
    /// Names the first file that differs, the line, and the command that mends it.
    pub fn check(&self) -> Result<()> {
        let recorded =
            self.lock()?.context("spec/upstream.lock is missing: run `cargo xtask regen --from FILE|URL`")?;
        let slice = source::sha256(self.read("upstream.json")?.as_bytes());
        if slice != recorded.slice_sha256 {
            bail!(
                "spec/upstream.json is not the slice that spec/upstream.lock records: run `cargo xtask regen --from FILE|URL`"
            );
        }
        for (name, text) in self.from_pinned()?.files() {
            let present = self.read(name)?;
            if present != text {
                let line = present.lines().zip(text.lines()).take_while(|(one, other)| one == other).count() + 1;
                bail!("spec/{name} is not what regen would write, from line {line} on: run `{REPAIR}`");
            }
        }
        Ok(())
    }
}

impl Written {
    /// The names and texts of the files.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 3] {
        [("upstream.json", &self.slice), ("upstream.lock", &self.lock), ("dintero.json", &self.document)]
    }
}

impl Lock {
    fn to_text(&self) -> Result<String> {
        let fields = toml::to_string(self).context("the lock cannot be written")?;
        Ok(format!("# Where upstream.json came from. Written by `cargo xtask regen`.\n{fields}"))
    }
}
