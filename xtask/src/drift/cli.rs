//! `cargo xtask drift`: the command line, and what ends with which status.
//!
//! The status is 0 when there is nothing to report at the chosen level, 1 when there is something, and 2 when the
//! command was used wrongly or an input cannot be read: what cannot be read never passes as unchanged.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::NaiveDate;
use clap::Args;
use serde_json::Value;

use super::accepted::Accepted;
use super::measure::{Made, measure};
use super::report::{FailOn, Report};
use super::{compare, markdown, rules, text};
use crate::output::print;
use crate::regen::Spec;
use crate::{slice, source};

/// Compare two revisions of the interface by what they mean. Writes nothing.
#[derive(Debug, Args)]
pub struct Drift {
    /// The newer revision: a file or a URL, a whole upstream document or a slice of one.
    #[arg(long, value_name = "FILE|URL", required_unless_present_any = ["rules", "schema"])]
    pub from: Option<String>,
    /// The older revision; the pinned slice if not given.
    #[arg(long, value_name = "FILE")]
    pub against: Option<String>,
    /// How to show the report.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// What makes the status 1: a change that breaks callers or users of this crate, any change, or none.
    #[arg(long, value_enum, default_value = "any")]
    pub fail_on: FailOn,
    /// Upstream really dropped what is missing: the document is not cut short.
    #[arg(long)]
    pub removed: bool,
    /// Print the time and the peak memory to standard error.
    #[arg(long)]
    pub timing: bool,
    /// Print the list of rules instead of comparing.
    #[arg(long)]
    pub rules: bool,
    /// Print the JSON Schema of the JSON form instead of comparing.
    #[arg(long, conflicts_with = "rules")]
    pub schema: bool,
    /// The list of accepted changes.
    #[arg(long, value_name = "FILE", hide = true)]
    pub accepted: Option<PathBuf>,
    /// The folder of the vendored documents.
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub spec: Option<PathBuf>,
}

/// The forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Blocks for a terminal.
    Text,
    /// A changelog section.
    Markdown,
    /// What `spec/drift-report.schema.json` describes.
    Json,
}

/// Runs the command.
///
/// # Errors
/// When an input cannot be read, compared, or is not what it should be. The caller ends with status 2.
pub fn run(args: &Drift, today: NaiveDate) -> Result<ExitCode> {
    let started = Instant::now();
    if args.rules {
        print(rules_table())?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.schema {
        print(json_schema()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let default_spec = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec"));
    let spec = args.spec.clone().unwrap_or_else(default_spec);
    let old = match &args.against {
        Some(file) => Side::load(file)?,
        None => Side::load(&spec.join("upstream.json").to_string_lossy())?,
    };
    let source = source::load(args.from.as_deref().unwrap_or_default())?;
    source.check_against(&old.slice, args.removed)?;
    let new = Side::of(source)?;
    let mut report = report(&old, &new, &Spec::at(&spec))?;
    let accepted = args.accepted.clone().unwrap_or_else(|| spec.join("drift-accepted.toml"));
    if args.accepted.is_some() || accepted.exists() {
        accept(&accepted, &mut report, today)?;
    }
    print(match args.format {
        Format::Text => text::render(&report),
        Format::Markdown => markdown::render(&report),
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
    })?;
    if args.timing {
        let memory = peak_memory().map(|kib| format!(", peak memory {} MB", kib / 1024)).unwrap_or_default();
        eprintln!("compared in {} ms{memory}", started.elapsed().as_millis());
    }
    Ok(if report.fails(args.fail_on) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A revision to compare: the slice, and where it came from.
#[derive(Debug)]
pub struct Side {
    /// The slice.
    pub slice: Value,
    /// Where the document was read from.
    pub origin: String,
    /// The day of the revision, where it is known.
    pub date: Option<String>,
}

impl Side {
    /// The pinned slice, with what the lock says of it.
    ///
    /// # Errors
    /// When a file is missing or not what it should be.
    pub fn pinned(spec: &crate::regen::Spec) -> Result<Self> {
        let lock = spec.lock()?.context("spec/upstream.lock is missing")?;
        Ok(Self { slice: spec.slice()?, origin: lock.read_from, date: Some(lock.date) })
    }

    /// Reads a document and cuts the slice out of it.
    ///
    /// # Errors
    /// When it cannot be read, or has nothing of what is bound.
    pub fn load(from: &str) -> Result<Self> {
        Self::of(source::load(from)?)
    }

    fn of(source: source::Source) -> Result<Self> {
        let slice = slice::slice(&source.document).with_context(|| format!("cannot use {}", source.origin))?;
        Ok(Self { slice, origin: source.origin, date: source.date })
    }
}

/// The report on two revisions, with what they do to the crate by the curation of `spec`.
///
/// # Errors
/// As [`compare`].
pub fn report(old: &Side, new: &Side, spec: &Spec) -> Result<Report> {
    let mut report = compare(&old.slice, &new.slice)?;
    for (revision, side) in [(&mut report.old, old), (&mut report.new, new)] {
        revision.origin.clone_from(&side.origin);
        revision.date.clone_from(&side.date);
    }
    measure(&mut report, Made::of(spec, &old.slice), Made::of(spec, &new.slice));
    Ok(report)
}

fn accept(path: &Path, report: &mut Report, today: NaiveDate) -> Result<()> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Accepted::parse(&text).and_then(|accepted| accepted.apply(report, today)).with_context(name)
}

/// Every rule with its verdict, in Markdown: what `spec/drift-rules.md` holds.
#[must_use]
pub fn rules_table() -> String {
    let mut out = String::from(include_str!("rules.md"));
    for rule in rules::Rule::all() {
        let caller = super::verdict::verdict(rule, super::delta::Hint::None);
        out.push_str(&format!("| `{}` | {} |\n", rule.id(), caller.word()));
    }
    out
}

/// The JSON Schema of the JSON form: what `spec/drift-report.schema.json` holds.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json_schema() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Report))? + "\n")
}

/// The most memory this process ever held, in KiB, where the system says so.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
