//! `cargo xtask regen`: from an upstream document to the files under `spec/`, and the check that they belong together.

mod onego;
mod stubs;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Model, contradictions};
use crate::overlay::{Overlay, Stale};
use crate::passes::describe::Descriptions;
use crate::problems::Problems;
use crate::{generated, guards, passes, schema, slice, source};

/// Where the published document is read from when nothing else is said.
const PUBLISHED: &str = "https://docs.dintero.com/openapi/payments-api.yaml";

pub use onego::{Landed, Options};

/// What has to be run when the check fails.
pub const REPAIR: &str = "cargo xtask regen --pinned";

/// What of the curation does not apply to the pinned slice, and was left out on purpose.
const STALE: &str = "stale.txt";

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
    /// `contradictions.txt`.
    pub contradictions: String,
    /// What of the curation was left out; empty when all of it applies, as it should.
    pub stale: String,
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

    /// Generates the document for a slice, with the overlay and the descriptions of this folder.
    ///
    /// # Errors
    /// As the passes and guards, all of them at once; with [`Stale::Skip`], what does not apply is listed instead.
    pub fn generate(&self, slice: &Value, stale: Stale) -> Result<Generated> {
        self.generate_with(slice, &self.descriptions()?, stale)
    }

    fn descriptions(&self) -> Result<Descriptions> {
        Descriptions::parse(&self.read("descriptions.yaml")?).context("spec/descriptions.yaml")
    }

    /// The slice with our names on its operations, and the calls that we add.
    ///
    /// # Errors
    /// When the overlay or the slice cannot be read, or, unless `stale` allows it, an operation is not there.
    pub fn curated(&self, slice: &Value, stale: Stale) -> Result<Value> {
        let (curated, unfit) = self.overlay()?.apply(slice).context("spec/overlay.yaml")?;
        let mut problems = Problems::default();
        if stale == Stale::Refuse {
            problems.extend(unfit);
        }
        problems.settle(curated)
    }

    fn overlay(&self) -> Result<Overlay> {
        Overlay::parse(&self.read("overlay.yaml")?).context("spec/overlay.yaml")
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
        let overlay = self.overlay()?;
        let (curated, mut unfit) = overlay.apply(slice).context("spec/overlay.yaml")?;
        let model = Model::read("upstream", &curated)?;
        let mut problems = Problems::default();
        problems.take(guards::check_curated(&model));
        let made = problems.take(passes::run(&curated, &model, &overlay, texts));
        let (document, stale_entries) = made.unwrap_or_default();
        unfit.extend(stale_entries);
        if !document.is_null() {
            problems.take(guards::check_document(&model, &document));
        }
        if stale == Stale::Refuse {
            problems.extend(unfit.iter().map(|entry| format!("does not fit: {entry}")));
        }
        problems.settle(Generated { document, skipped: unfit })
    }

    /// What the files should be after reading `from`; nothing is written.
    ///
    /// # Errors
    /// When `from` cannot be used or looks cut off (unless `removed` says that it is not), or the curation does not fit it.
    pub fn regenerate(&self, from: Option<&str>, stale: Stale, removed: bool) -> Result<Written> {
        let lock = self.lock()?;
        let url = lock.as_ref().map_or(PUBLISHED, |lock| lock.url.as_str()).to_owned();
        let source = source::load(from.unwrap_or(&url))?;
        if let Ok(pinned) = self.slice() {
            source.check_against(&pinned, removed)?;
        }
        let slice = slice::slice(&source.document).with_context(|| format!("cannot use {}", source.origin))?;
        // An unchanged document keeps its date: reading it again is no event.
        let recorded = lock.filter(|lock| lock.source_sha256 == source.sha256).map(|lock| lock.date);
        let date = source.date.or(recorded).unwrap_or_else(|| chrono::Utc::now().date_naive().to_string());
        let slice_sha256 = source::sha256(schema::to_text(&slice).as_bytes());
        let lock = Lock { url, read_from: source.origin, date, source_sha256: source.sha256, slice_sha256 };
        self.written(&slice, &lock, &self.generate(&slice, stale)?)
    }

    /// What the files should be by the pinned slice: after a change of the overlay, the descriptions or the passes.
    ///
    /// What was left out when the slice was read (`STALE`) may still not apply; nothing else may.
    ///
    /// # Errors
    /// When a pinned file is missing, or the curation does not fit it.
    pub fn from_pinned(&self) -> Result<Written> {
        let mut lock =
            self.lock()?.context("spec/upstream.lock is missing: run `cargo xtask regen --from FILE|URL`")?;
        let slice = self.slice()?;
        lock.slice_sha256 = source::sha256(schema::to_text(&slice).as_bytes());
        let left_out = self.read(STALE).unwrap_or_default();
        let left_out: Vec<&str> = left_out.lines().filter(|line| !line.starts_with('#')).collect();
        let stale = if left_out.is_empty() { Stale::Refuse } else { Stale::Skip };
        let generated = self.generate(&slice, stale)?;
        let fresh = generated.skipped.iter().filter(|entry| !left_out.contains(&entry.as_str()));
        let mut problems = Problems::default();
        problems.extend(fresh.map(|entry| format!("does not fit: {entry}")));
        problems.settle(())?;
        self.written(&slice, &lock, &generated)
    }

    fn written(&self, slice: &Value, lock: &Lock, generated: &Generated) -> Result<Written> {
        generated::code(&generated.document)?;
        let mut stale = String::new();
        if !generated.skipped.is_empty() {
            stale.push_str(
                "# What of the curation was left out, since it does not apply to the pinned slice. Written by\n\
                 # `cargo xtask regen --skip-stale`: mend it, then run `cargo xtask regen --pinned`.\n",
            );
            stale.extend(generated.skipped.iter().map(|entry| format!("{entry}\n")));
        }
        Ok(Written {
            slice: schema::to_text(slice),
            lock: lock.to_text()?,
            contradictions: contradictions_of(slice)?,
            stale,
            document: schema::to_text(&generated.document),
        })
    }

    /// Writes the files that differ and returns their names.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, written: &Written) -> Result<Vec<&'static str>> {
        let mut changed = Vec::new();
        for (name, text) in written.files() {
            let path = self.dir.join(name);
            let present = std::fs::read_to_string(&path).ok();
            if present.as_deref().unwrap_or_default() == text {
                continue;
            }
            let outcome = if text.is_empty() { std::fs::remove_file(&path) } else { std::fs::write(&path, text) };
            outcome.with_context(|| format!("cannot write spec/{name}"))?;
            changed.push(name);
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
        let stubs = self.descriptions()?.stubs();
        if !stubs.is_empty() {
            bail!("spec/descriptions.yaml holds stubs, to be written: {}", stubs.join(", "));
        }
        for (name, text) in self.from_pinned()?.files() {
            // A file with nothing to say is not there.
            let present = if text.is_empty() { self.read(name).unwrap_or_default() } else { self.read(name)? };
            if present != text {
                let line = present.lines().zip(text.lines()).take_while(|(one, other)| one == other).count() + 1;
                bail!("spec/{name} is not what regen would write, from line {line} on: run `{REPAIR}`");
            }
        }
        Ok(())
    }
}

/// `spec/contradictions.txt`: what upstream says twice and not alike.
fn contradictions_of(slice: &Value) -> Result<String> {
    let mut text = String::from(
        "# What the document says twice and not alike, with the shortest way to it. Written by `cargo xtask regen`.\n\
         # Enums of several parts are united; a default that does not fit is left out. See README.md.\n",
    );
    for line in contradictions::list(&Model::read("upstream", slice)?) {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

impl Written {
    /// The names and texts of the files.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 5] {
        [
            ("upstream.json", &self.slice),
            ("upstream.lock", &self.lock),
            ("contradictions.txt", &self.contradictions),
            (STALE, &self.stale),
            ("dintero.json", &self.document),
        ]
    }
}

impl Lock {
    fn to_text(&self) -> Result<String> {
        let fields = toml::to_string(self).context("the lock cannot be written")?;
        Ok(format!("# Where upstream.json came from. Written by `cargo xtask regen`.\n{fields}"))
    }
}
