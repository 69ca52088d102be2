//! Runs the fleet of `dintero-stores` against each store: payments, workers, and `kill -9`.
//!
//! What is killed, counted and proven is in the example `fleet` of that crate; here is only how it is called.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::output::print_line;

/// A store, and the program of its server with the Debian package that has it.
const STORES: [(&str, Option<(&str, &str)>); 3] = [
    ("sqlite", None),
    ("postgres", Some(("/usr/lib/postgresql", "postgresql"))),
    ("redis", Some(("/usr/bin/redis-server", "redis-server"))),
];

/// What is run for each store.
#[derive(Debug, clap::Args)]
pub struct Stores {
    /// Only this store: sqlite, postgres or redis.
    #[arg(long)]
    only: Option<String>,
    /// How many payments.
    #[arg(long, default_value_t = 1_000)]
    payments: u32,
    /// How many workers at a time.
    #[arg(long, default_value_t = 4)]
    workers: u32,
    /// How many workers are killed.
    #[arg(long, default_value_t = 2_000)]
    kills: u32,
    /// Decides who is killed and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this case.
    #[arg(long)]
    case: Option<Case>,
}

/// What befalls the store while workers are killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Case {
    /// Nothing.
    Kept,
    /// It stands still for five seconds in the middle.
    Stopped,
    /// It loses all data in the middle. Redis only: the others have it on disk.
    Lost,
}

/// Runs it.
///
/// # Errors
/// When a server is not installed, and when a payment was captured more or less than once or a claim was left open.
pub fn run(stores: &Stores) -> Result<()> {
    let is_wanted = |name: &str| stores.only.as_deref().is_none_or(|only| only == name);
    let wanted: Vec<_> = STORES.into_iter().filter(|(name, _)| is_wanted(name)).collect();
    ensure!(!wanted.is_empty(), "there is no such store: sqlite, postgres, redis");
    for (name, server) in &wanted {
        if let Some((program, package)) = server
            && !Path::new(program).exists()
        {
            bail!("{name} is not installed: apt-get install {package}");
        }
    }
    let fleet = build()?;
    let is_asked =
        |name: &str, case: Case| stores.case.is_none_or(|only| only == case) && (case != Case::Lost || name == "redis");
    // Workers mostly wait: the stores are tried side by side, the cases of each one after another.
    let run = |name: &str| -> Result<()> {
        for case in [Case::Kept, Case::Stopped, Case::Lost] {
            if !is_asked(name, case) {
                continue;
            }
            let mut command = Command::new(&fleet);
            command.arg(name);
            for (option, value) in [
                ("--payments", stores.payments.to_string()),
                ("--workers", stores.workers.to_string()),
                ("--kills", stores.kills.to_string()),
                ("--seed", stores.seed.to_string()),
            ] {
                command.args([option, &value]);
            }
            command.args(match case {
                Case::Kept => None,
                Case::Stopped => Some("--stop-store"),
                Case::Lost => Some("--lose-data"),
            });
            let output = command.stderr(Stdio::inherit()).output().context("cannot run the fleet")?;
            print_line(format_args!("== {name}, {case:?}\n{}", String::from_utf8_lossy(&output.stdout)))?;
            ensure!(output.status.success(), "{name}, {case:?}: the fleet failed; its output says what of");
        }
        Ok(())
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = wanted.iter().map(|(name, _)| scope.spawn(|| run(name))).collect();
        running.into_iter().map(|store| store.join().unwrap_or_else(|_| bail!("a store's thread panicked"))).collect()
    });
    outcomes.into_iter().collect()
}

/// Builds the fleet, with the features that the tests of the workspace are built with: then most of it is there already.
fn build() -> Result<PathBuf> {
    let output = crate::cargo::cargo()
        .args(["build", "--quiet", "--workspace", "--example", "fleet", "--message-format=json-render-diagnostics"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "the fleet does not compile");
    let text = String::from_utf8_lossy(&output.stdout);
    let built = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut built = built.filter_map(|unit| Some(PathBuf::from(unit["executable"].as_str()?)));
    built.find(|path| path.file_stem().is_some_and(|name| name == "fleet")).context("cargo did not build the fleet")
}
