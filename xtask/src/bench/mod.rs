//! What the client costs: runs the measurements of `benches/`, and makes one table of them with the goals beside.
//!
//! Ratios are of one run on one machine: what stands beside a figure was measured in turn with it. What is measured, and
//! how, is in the package `dintero-bench`; instructions, sizes, builds and tasks are measured from outside, here.

mod builds;
mod outside;
mod picture;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::output::print_line;
use anyhow::{Context as _, Result, bail, ensure};

pub use table::Row;

/// What is measured, in the order of the table.
const PARTS: [&str; 10] =
    ["calls", "instructions", "tls", "unknown", "reading", "token", "list", "size", "tasks", "builds"];

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Only this part: calls, instructions, tls, unknown, reading, token, list, size, tasks or builds.
    #[arg(long)]
    only: Option<String>,
    /// Fewer rounds: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Also what takes minutes: clean builds, and time travel.
    #[arg(long)]
    builds: bool,
    /// Write the table and the picture into `docs/`.
    #[arg(long)]
    write: bool,
}

/// Measures, and prints the table.
///
/// # Errors
/// When something cannot be measured. A goal that is missed is no error.
pub fn run(bench: &Bench) -> Result<()> {
    let only = bench.only.as_deref();
    if let Some(only) = only {
        ensure!(PARTS.contains(&only), "there is no such part: {}", PARTS.join(", "));
    }
    ensure!(only.is_none() || !bench.write, "the table in docs/ is that of a whole run");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let program = Program::build(&root)?;
    let mut rows = Vec::new();
    for part in PARTS.into_iter().filter(|part| only.is_none_or(|only| only == *part)) {
        eprintln!("measuring: {part}");
        rows.extend(match part {
            "instructions" => outside::instructions(&program)?,
            "size" => outside::size(&program)?,
            "tasks" => outside::tasks(&root, bench.builds)?,
            "builds" if bench.builds || only.is_some() => builds::rows(&root)?,
            "builds" => continue,
            part => program.rows(part, bench.quick)?,
        });
    }
    let table = table::markdown(&rows);
    print_line(&table)?;
    if bench.write {
        let curve = program.run("curve", bench.quick)?;
        std::fs::write(root.join("docs/latency.svg"), picture::svg(&picture::read(&curve)?))?;
        table::write(&root.join("docs/performance.md"), &table)?;
    }
    Ok(())
}

/// The program of `dintero-bench`.
pub(crate) struct Program {
    /// Where it and its like are.
    folder: PathBuf,
}

impl Program {
    fn build(root: &Path) -> Result<Self> {
        let mut command = crate::cargo::cargo();
        command.args(["build", "--quiet", "--release", "--package", "dintero-bench", "--bins"]).current_dir(root);
        ensure!(command.status().context("cargo")?.success(), "dintero-bench does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self { folder: target.join("release") })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(self.path("dintero-bench"))
    }

    /// What it prints.
    fn run(&self, part: &str, quick: bool) -> Result<String> {
        let mut command = self.command();
        command.arg(part).args(quick.then_some("--quick")).stderr(Stdio::inherit());
        let output = command.output().context("dintero-bench")?;
        if !output.status.success() {
            bail!("dintero-bench {part} failed");
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn rows(&self, part: &str, quick: bool) -> Result<Vec<Row>> {
        let lines = self.run(part, quick)?;
        lines.lines().map(|line| serde_json::from_str(line).with_context(|| format!("a row: {line}"))).collect()
    }
}
