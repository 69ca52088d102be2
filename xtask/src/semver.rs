//! `cargo xtask semver`: whether `cargo semver-checks` agrees with the verdict that drift measures.
//!
//! The crate is generated from two revisions, each through the curation as it is, and compared as published crates are.
//! `cargo semver-checks` knows nothing of surfaces; it sees less: it does not compare the types of fields and arguments.
//! So it may ask for less than drift does, and then what it cannot see is listed. It must never ask for more.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::drift::cli::{Side, report};
use crate::drift::report::Report;
use crate::drift::text::title;
use crate::drift::verdict::Bump;
use crate::output::print_line;
use crate::overlay::Stale;
use crate::regen::Spec;
use crate::revision::mirror;
use crate::schema;

/// Compare the crates of two revisions with `cargo semver-checks`, and fail when drift's verdict is milder.
#[derive(Debug, Args)]
pub struct Semver {
    /// The newer revision: a day in `spec/history`, a file or a URL; the pinned one if not given.
    #[arg(long, value_name = "DAY|FILE|URL")]
    pub from: Option<String>,
    /// The older revision; the one before in `spec/history` if not given.
    #[arg(long, value_name = "DAY|FILE|URL")]
    pub against: Option<String>,
}

/// What of the package makes the crate, beside its document and its manifest.
const COPIED: [&str; 6] = ["build", "build.rs", "docs", "src", "README.md", "Cargo.lock"];

/// Runs the comparison.
///
/// # Errors
/// When a revision cannot be read or generated from, `cargo semver-checks` does not run, or it asks for more than drift.
pub fn run(args: &Semver) -> Result<()> {
    let spec = Spec::here();
    let (older, newer) = sides(&spec, args)?;
    let report = report(&older, &newer, &spec)?;
    if let Some(why) = &report.krate.unmeasured {
        bail!("there is nothing to compare: {why}");
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let (old, new) = (package(&spec, &dir, &older, "old")?, package(&spec, &dir, &newer, "new")?);
    let output = Command::new("cargo-semver-checks")
        .args(["semver-checks", "--color", "never", "--default-features", "--release-type", "patch", "--manifest-path"])
        .arg(new.join("Cargo.toml"))
        .arg("--baseline-root")
        .arg(&old)
        .env("CARGO_TARGET_DIR", dir.join("target/semver/target"))
        .output()
        .context("cannot run cargo-semver-checks: cargo install cargo-semver-checks --locked")?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let asked = asked(&text).with_context(|| format!("cargo semver-checks gives no verdict:\n{text}"))?;
    print_line(text.trim_end())?;
    let (old, new) = (title(&report.old), title(&report.new));
    print_line(format_args!("{old} -> {new}"))?;
    let word = if asked == Bump::Nothing { "no new version" } else { asked.word() };
    print_line(format_args!("cargo semver-checks: {word}"))?;
    print_line(format_args!("drift: {}", report.krate.bump.word()))?;
    agree(&report, asked)
}

fn agree(report: &Report, asked: Bump) -> Result<()> {
    let measured = report.krate.bump;
    if asked > measured {
        bail!("they disagree: drift misses what takes a {} version", asked.word());
    }
    if asked < Bump::Major && measured == Bump::Major {
        print_line("what cargo semver-checks does not compare:")?;
        let major = report.krate.differences.iter().filter(|difference| difference.bump == Bump::Major);
        for difference in major {
            print_line(format_args!("  {}: {}", difference.item, difference.what))?;
        }
    }
    print_line("they agree")
}

/// What the summary of `cargo semver-checks` asks for.
fn asked(text: &str) -> Option<Bump> {
    let summary = text.lines().find_map(|line| line.trim().strip_prefix("Summary"))?;
    [("new major version", Bump::Major), ("new minor version", Bump::Minor), ("no semver update", Bump::Nothing)]
        .into_iter()
        .find_map(|(words, bump)| summary.contains(words).then_some(bump))
}

/// The revisions to compare, the older one first.
fn sides(spec: &Spec, args: &Semver) -> Result<(Side, Side)> {
    let read = |name: &str| {
        let known = spec.history().join(format!("{name}.json"));
        let mut side =
            Side::load(&if known.exists() { known.to_string_lossy().into_owned() } else { name.to_owned() })?;
        if known.exists() {
            side.date = Some(name.to_owned());
        }
        Ok::<_, anyhow::Error>(side)
    };
    let newer = match &args.from {
        Some(from) => read(from)?,
        None => Side::pinned(spec)?,
    };
    let older = match &args.against {
        Some(against) => read(against)?,
        None => {
            let mut days = Vec::new();
            for entry in std::fs::read_dir(spec.history()).context("there is no spec/history")? {
                days.extend(entry?.path().file_stem().map(|day| day.to_string_lossy().into_owned()));
            }
            let date = newer.date.clone().unwrap_or_default();
            let before = days.into_iter().filter(|day| *day < date).max();
            read(&before.with_context(|| format!("spec/history has nothing before {date}: name it with --against"))?)?
        }
    };
    Ok((older, newer))
}

/// Writes the crate of a revision below `target`, as a workspace of its own.
fn package(spec: &Spec, dir: &Path, side: &Side, name: &str) -> Result<PathBuf> {
    let to = dir.join("target/semver").join(name);
    std::fs::create_dir_all(to.join("spec")).with_context(|| format!("cannot make {}", to.display()))?;
    for part in COPIED {
        let (from, to) = (dir.join(part), to.join(part));
        if from.is_dir() {
            mirror(&from, &to, &[])?;
        } else {
            std::fs::copy(&from, &to).with_context(|| format!("cannot copy {part}"))?;
        }
    }
    let document = spec.generate(&side.slice, Stale::Skip)?.document;
    std::fs::write(to.join("spec/dintero.json"), schema::to_text(&document)).context("cannot write the document")?;
    let manifest = std::fs::read_to_string(dir.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    std::fs::write(to.join("Cargo.toml"), alone(&manifest)?).context("cannot write Cargo.toml")?;
    Ok(to)
}

/// The manifest of the package without the rest of the workspace.
fn alone(manifest: &str) -> Result<String> {
    let mut manifest: toml::Table = toml::from_str(manifest).context("Cargo.toml")?;
    for key in ["dev-dependencies", "example", "bench", "test"] {
        manifest.remove(key);
    }
    if let Some(workspace) = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        workspace.insert("members".to_owned(), toml::Value::Array(vec![".".into()]));
        workspace.remove("default-members");
    }
    toml::to_string(&manifest).context("Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_is_asked_for() {
        let line = |text: &str| format!("    Checked [   0.1s] 196 checks\n     Summary {text}\n");
        let major = line("semver requires new major version: 2 major and 0 minor checks failed");
        assert_eq!(asked(&major), Some(Bump::Major));
        assert_eq!(asked(&line("semver requires new minor version: 1 minor")), Some(Bump::Minor));
        assert_eq!(asked(&line("no semver update required")), Some(Bump::Nothing));
        assert_eq!(asked("error: no such file"), None);
    }

    #[test]
    fn the_package_stands_alone() {
        let text = "[workspace]\nmembers = [\".\", \"x\"]\n[dev-dependencies]\nx = { path = \"x\" }\n[package]\nname = \"p\"\n";
        let manifest = alone(text).unwrap();
        assert!(!manifest.contains("\"x\"") && manifest.contains("name = \"p\""), "{manifest}");
    }
}
