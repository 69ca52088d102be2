//! `cargo xtask`: the command line of the maintenance tasks; the work is done in the library beside it.

#![warn(clippy::print_stdout)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xtask::drift;
use xtask::output::{print, print_line};
use xtask::overlay::Stale;
use xtask::regen::{self, Spec};
use xtask::{timetravel, version};

/// The file that upstream's changes are noted in.
const CHANGELOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../CHANGELOG.md");

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the snapshots of the document are.
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");

/// Maintenance of the `dintero` crate.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure what the client costs, beside the same work without it, and print a table with the goals.
    Bench(xtask::bench::Bench),
    /// Compare two revisions of the interface by what they mean.
    Drift(xtask::drift::cli::Drift),
    /// Write `spec/` anew from an upstream document.
    Regen {
        /// A file or a URL; without it, the URL recorded in `spec/upstream.lock`.
        #[arg(long)]
        from: Option<String>,
        /// Keep the pinned slice: only the overlay, the descriptions or the passes have changed.
        #[arg(long, conflicts_with = "from")]
        pinned: bool,
        /// Write nothing; fail when the files are not what `regen` would write. Needs no network.
        #[arg(long, conflicts_with = "from")]
        check: bool,
        /// Leave out what of the overlay and the descriptions no longer applies, and list it in `spec/stale.txt`.
        #[arg(long, conflicts_with_all = ["pinned", "check"])]
        skip_stale: bool,
        /// Upstream really dropped the paths that are missing: the document is not cut short.
        #[arg(long, conflicts_with_all = ["pinned", "check"])]
        removed: bool,
    },
    /// Print size, names and documentation coverage of the generated code; fail when a limit is broken.
    Stats {
        /// Also print every name that lacks a description.
        #[arg(long)]
        missing: bool,
    },
    /// Read, with clients made of older revisions, what every later revision may return.
    Timetravel {
        /// At least so many generated responses of each revision that hold by chance what they may hold. Others show every
        /// value and every choice once in any case: some 700 together.
        #[arg(long, default_value_t = 1)]
        least: usize,
        /// Decides the responses.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Edit a copy of the workspace as a revision of upstream would, and build and use it without an edit by hand.
    Revision {
        /// Also run all tests on it: only snapshots may differ.
        #[arg(long)]
        tests: bool,
    },
    /// Compare the crates of two revisions with `cargo semver-checks`, and fail when drift's verdict is milder.
    Semver(xtask::semver::Semver),
    /// Kill workers that share a store, and prove that each payment is captured exactly once. Needs PostgreSQL and Redis.
    Stores(xtask::stores::Stores),
    /// Print the slice of an upstream document that the crate binds.
    Slice {
        /// A file or a URL.
        from: String,
    },
    /// Walk through the sandbox's pages in a headless Chromium; screenshots go to `target/browser`.
    Browser,
    /// Hold the sandbox against the published slice with generated requests (schemathesis). Needs Python.
    Conformance {
        /// Cases for each operation.
        #[arg(long, default_value_t = 200)]
        cases: u32,
        /// Decides the cases.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Compare our callback signatures with those that Node makes for random URLs. Needs Node.
    SignatureOracle {
        /// Decides the URLs.
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// How many URLs.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// Write the stored vectors of the tests anew instead.
        #[arg(long, conflicts_with_all = ["seed", "count"])]
        write: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            // One line: the causes follow each other, the outermost first.
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Drift(drift) => return xtask::drift::cli::run(&drift, chrono::Local::now().date_naive()),
        Task::Bench(bench) => xtask::bench::run(&bench)?,
        #[cfg(feature = "browser")]
        Task::Browser => xtask::sandbox::browser::run()?,
        #[cfg(not(feature = "browser"))]
        Task::Browser => return xtask::sandbox::again_with("browser"),
        Task::Conformance { cases, seed } => xtask::sandbox::conformance::run(cases, seed)?,
        Task::Regen { check: true, .. } => {
            let spec = Spec::here();
            spec.check()?;
            version::check(Path::new(ROOT), &pinned_date(&spec)?)?;
        }
        Task::Regen { pinned: true, .. } => regen_pinned()?,
        Task::Regen { from, skip_stale, removed, .. } => {
            regen(from.as_deref(), if skip_stale { Stale::Skip } else { Stale::Refuse }, removed)?;
        }
        Task::SignatureOracle { write: true, .. } => xtask::signature_oracle::write_stored()?,
        Task::SignatureOracle { seed, count, .. } => xtask::signature_oracle::compare(seed, count)?,
        Task::Stats { missing } => return stats(missing),
        Task::Timetravel { least, seed } => return timetravel(least, seed),
        Task::Revision { tests } => xtask::revision::run(tests)?,
        Task::Semver(semver) => xtask::semver::run(&semver)?,
        Task::Stores(stores) => xtask::stores::run(&stores)?,
        Task::Slice { from } => {
            print(xtask::schema::to_text(&xtask::slice::slice(&xtask::source::load(&from)?.document)?))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn regen(from: Option<&str>, stale: Stale, removed: bool) -> Result<()> {
    let started = std::time::Instant::now();
    let options = regen::Options {
        from,
        stale,
        removed,
        changelog: Some(Path::new(CHANGELOG)),
        snapshots: Some(Path::new(SNAPSHOTS)),
    };
    let spec = Spec::here();
    let mut landed = spec.take_over(options)?;
    landed.changed.extend(version::date(Path::new(ROOT), &pinned_date(&spec)?)?.into_iter().map(str::to_owned));
    if let Some(report) = landed.report.as_ref().filter(|report| !report.changes.is_empty()) {
        print_line(drift::text::render(report))?;
    }
    print(landed.checklist())?;
    eprintln!("regenerated in {:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn regen_pinned() -> Result<()> {
    let spec = Spec::here();
    let mut changed = spec.write(&spec.from_pinned()?)?;
    changed.extend(version::date(Path::new(ROOT), &pinned_date(&spec)?)?);
    match changed.as_slice() {
        [] => print_line("nothing changed"),
        changed => print_line(format_args!("wrote {}", changed.join(", "))),
    }
}

/// The date of the pinned revision.
fn pinned_date(spec: &Spec) -> Result<String> {
    Ok(spec.lock()?.context("spec/upstream.lock is missing")?.date)
}

fn stats(missing: bool) -> Result<ExitCode> {
    let stats = xtask::stats::measure(&Spec::here())?;
    print(stats.report(missing))?;
    let broken = stats.broken();
    for limit in &broken {
        eprintln!("limit broken: {limit}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn timetravel(least: usize, seed: u64) -> Result<ExitCode> {
    let spec = Spec::here();
    let started = std::time::Instant::now();
    let revisions = timetravel::revisions(&spec.history())?;
    let clients = timetravel::clients(&spec, &revisions)?;
    let pairs = timetravel::travel("history", &spec, &clients, &revisions, least, seed)?;
    print(timetravel::table(&pairs))?;
    let whole = timetravel::whole::list(&timetravel::whole::check(&clients)?);
    print(&whole)?;
    eprintln!("done in {:.1} s", started.elapsed().as_secs_f64());
    let clean = pairs.iter().all(timetravel::Pair::is_clean);
    let snapshot = |name: &str, text: String| {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    };
    // A snapshot tells by panicking, after it has shown the difference.
    let reviewed = [("timetravel", timetravel::review(&pairs)), ("whole", whole)]
        .map(|(name, text)| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| snapshot(name, text))).is_ok());
    let reviewed = reviewed.iter().all(|is_same| *is_same);
    if !reviewed {
        eprintln!(
            "what is not read, or what does not build, has changed: look at it, and accept it with \
             INSTA_UPDATE=always cargo xtask timetravel"
        );
    }
    Ok(if clean && reviewed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
