//! `cargo xtask regen --from`: everything that can be done about a new revision without deciding anything, and a list of
//! what is left.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Spec, stubs};
use crate::drift::cli::Side;
use crate::drift::{self, Report};
use crate::overlay::Stale;
use crate::snapshots;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// A file or a URL; the recorded URL when there is none.
    pub from: Option<&'a str>,
    /// What is done about curation that does not apply.
    pub stale: Stale,
    /// Upstream really dropped the paths that are missing.
    pub removed: bool,
    /// The changelog that the changes are noted in.
    pub changelog: Option<&'a Path>,
    /// Where the snapshots of the document are.
    pub snapshots: Option<&'a Path>,
}

/// What a regeneration came to.
#[derive(Debug)]
pub struct Landed {
    /// The files that changed, as they are called from the root of the repository.
    pub changed: Vec<String>,
    /// What of the curation was left out.
    pub left_out: Vec<String>,
    /// The texts to be written.
    pub stubs: Vec<String>,
    /// Contradictions that the document did not have before.
    pub contradictions: Vec<String>,
    /// What changed in the interface, when there was one before.
    pub report: Option<Report>,
}

impl Spec {
    /// Takes over a revision: the slice, the lock, the document, the history, stubs for what is new, the snapshots of the
    /// document, the changelog.
    ///
    /// # Errors
    /// When the document cannot be used, or the curation does not fit it: everything that has to be mended, at once.
    /// Nothing is written then.
    pub fn take_over(&self, options: Options<'_>) -> Result<Landed> {
        let before = Side::pinned(self).ok();
        let old: Option<Value> = self.read("dintero.json").ok().and_then(|text| serde_json::from_str(&text).ok());
        let known = self.read("contradictions.txt").unwrap_or_default();
        let mut written = self.regenerate(options.from, options.stale, options.removed)?;

        // Texts for what is new: the document says the same with a stub as without.
        let texts = self.descriptions()?;
        let date = lock_date(&written.lock)?;
        let document: Value = serde_json::from_str(&written.document).context("the document is not JSON")?;
        let undescribed = old.as_ref().map(|old| texts.missing(old)).unwrap_or_default();
        let missing = if old.is_some() { stubs::missing(&document, &texts, &undescribed) } else { Vec::new() };
        let mut changed = Vec::new();
        let idle = texts.idle(&document);
        if !missing.is_empty() || !idle.is_empty() {
            let text = stubs::remove(&self.read("descriptions.yaml")?, &idle);
            let text = stubs::insert(&text, &missing, &date);
            std::fs::write(self.dir.join("descriptions.yaml"), text).context("cannot write spec/descriptions.yaml")?;
            changed.push("spec/descriptions.yaml".to_owned());
        }
        let fresh = written.contradictions.lines().filter(|line| !line.starts_with('#'));
        let contradictions =
            fresh.filter(|line| !known.lines().any(|known| known == *line)).map(str::to_owned).collect();
        let left_out = written.stale.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();

        changed.extend(self.write(&written)?.into_iter().map(|name| format!("spec/{name}")));
        let history = self.history();
        if history.is_dir() {
            let path = history.join(format!("{date}.json"));
            if std::fs::read_to_string(&path).ok().as_deref() != Some(&written.slice) {
                std::fs::write(&path, std::mem::take(&mut written.slice)).context("cannot write spec/history")?;
                changed.push(format!("spec/history/{date}.json"));
            }
        }
        if let Some(dir) = options.snapshots {
            let moved = snapshots::write(dir, &document, &self.slice()?)?;
            changed.extend(moved.into_iter().map(|name| format!("xtask/tests/snapshots/{name}")));
        }
        let report = match &before {
            Some(before) => {
                let after = Side::pinned(self)?;
                let report = drift::cli::report(before, &after, self)?;
                if let (Some(path), false) = (options.changelog, report.changes.is_empty()) {
                    let text = std::fs::read_to_string(path).context("cannot read CHANGELOG.md")?;
                    let updated = drift::changelog::update(&text, &self.since_release(&text, &report, &after)?);
                    if updated != text {
                        std::fs::write(path, updated).context("cannot write CHANGELOG.md")?;
                        changed.push("CHANGELOG.md".to_owned());
                    }
                }
                Some(report)
            }
            None => None,
        };
        let stubs = self.descriptions()?.stubs();
        Ok(Landed { changed, left_out, stubs, contradictions, report })
    }

    /// What changed since the revision that the unreleased changes are counted from; `report` where nothing is counted
    /// yet, or where that revision is not in the history.
    fn since_release(&self, changelog: &str, report: &Report, after: &Side) -> Result<Report> {
        let Some(base) = drift::changelog::base(changelog).filter(|base| !base.is(&report.old.sha256)) else {
            return Ok(report.clone());
        };
        let path = self.history().join(format!("{}.json", base.date));
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(report.clone()) };
        let slice = serde_json::from_str(&text).context("a slice of spec/history is not JSON")?;
        let before = Side { slice, origin: report.old.origin.clone(), date: Some(base.date.clone()) };
        let whole = drift::cli::report(&before, after, self)?;
        Ok(if base.is(&whole.old.sha256) { whole } else { report.clone() })
    }
}

/// The day that a lock records.
fn lock_date(text: &str) -> Result<String> {
    let lock: super::Lock = toml::from_str(text).context("the lock is not one")?;
    Ok(lock.date)
}

impl Landed {
    /// What is left for a person, with the commands, in the order in which it is best done.
    #[must_use]
    pub fn checklist(&self) -> String {
        if self.changed.is_empty() {
            return "nothing changed\n".to_owned();
        }
        let mut steps: Vec<(String, Option<&str>)> = Vec::new();
        if !self.left_out.is_empty() {
            let what = format!(
                "mend what was left out of spec/overlay.yaml and spec/descriptions.yaml:\n       {}",
                self.left_out.join("\n       ")
            );
            steps.push((what, Some("cargo xtask regen --pinned")));
        }
        if !self.stubs.is_empty() {
            let what = format!("write the texts that are stubs in spec/descriptions.yaml: {}", self.stubs.join(", "));
            steps.push((what, Some("cargo xtask regen --pinned")));
        }
        if !self.contradictions.is_empty() {
            let what = format!(
                "look at what the document newly contradicts itself in:\n       {}",
                self.contradictions.join("\n       ")
            );
            steps.push((what, None));
        }
        steps.push((
            "review what moved: the service, the document, the Rust API, the changelog".to_owned(),
            Some("git diff xtask/tests/snapshots CHANGELOG.md"),
        ));
        steps.push((
            "mend handwritten code that names what is gone or changed".to_owned(),
            Some("cargo check --workspace --all-targets"),
        ));
        steps.push((
            "review what older clients do not read of it".to_owned(),
            Some("INSTA_UPDATE=always cargo xtask timetravel; git diff xtask/snapshots"),
        ));
        steps.push(("run the gate".to_owned(), Some("bash .ci/run")));
        steps.push(("commit all of it together".to_owned(), Some("git add --all && git commit")));
        let mut out = format!("wrote {}\n\nleft to do:\n", self.changed.join(", "));
        for (index, (what, command)) in steps.iter().enumerate() {
            let _ = writeln!(out, "  {}. {what}", index + 1);
            if let Some(command) = command {
                let _ = writeln!(out, "       {command}");
            }
        }
        out
    }
}
