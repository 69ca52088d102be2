//! What it costs to build: a crate that depends on the client, the client by itself, and the example of the README.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::outside::run;
use super::table::Row;

/// A program of one call.
const PROGRAM: &str = include_str!("../../../benches/src/bin/size-ours.rs");
/// The beginning of its `main`, which is changed.
const BEGINNING: &str = "-> Result<(), Box<dyn std::error::Error>> {\n";

/// Clean builds, in seconds of processor time: a crate that depends on the client, one with what the client cannot do
/// without and no code, and the first run of the example. Then what a change costs.
pub(super) fn rows(root: &Path) -> Result<Vec<Row>> {
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";
    let ours = format!("dintero = {{ path = {:?} }}\n{tokio}", root.display().to_string());
    let floor = format!(
        "reqwest = {{ version = \"0.13\", default-features = false, features = [\"http2\", \"json\", \"rustls-no-provider\"] }}\n\
         rustls = {{ version = \"0.23\", default-features = false, features = [\"logging\", \"ring\", \"std\", \"tls12\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\
         chrono = {{ version = \"0.4\", default-features = false, features = [\"clock\", \"serde\"] }}\n{tokio}"
    );
    let (ours, floor) = (Dependent::new(root, "ours", &ours)?, Dependent::new(root, "floor", &floor)?);
    let (clean, least) = (ours.build()?, floor.build()?);
    let clean = Row::beside(
        format!("clean build of a dependent crate ({} crates)", ours.crates()?),
        "CPU s",
        clean,
        &format!("reqwest, serde, chrono, tokio ({} crates)", floor.crates()?),
        least,
    );
    ensure!(ours.cargo().args(["clean", "--quiet", "--package", "dintero"]).status()?.success(), "cargo clean failed");
    let alone = Row::alone("of it, the client by itself", "CPU s", ours.build()?, "build script and code, debug");
    Ok(vec![clean.goal(1.5), alone.goal(25.0), ours.changed()?.goal(2.0), first_run(root)?.goal(150.0)])
}

/// The main job of the README, on a fresh clone.
fn first_run(root: &Path) -> Result<Row> {
    let target = root.join("target/bench/first");
    drop(std::fs::remove_dir_all(&target));
    let mut command = crate::cargo::cargo();
    command.args(["run", "--quiet", "--example", "checkout"]).current_dir(root).env("CARGO_TARGET_DIR", target);
    let (seconds, used) = run(&mut command)?;
    let seconds = format!("{seconds:.0} seconds on this machine");
    Ok(Row::alone(
        "`cargo run --example checkout` from nothing",
        "CPU s",
        (used.utime + used.stime).as_secs_f64(),
        &seconds,
    ))
}

/// A crate with dependencies and a program, that nothing was built for.
struct Dependent(PathBuf);

impl Dependent {
    fn new(root: &Path, name: &str, dependencies: &str) -> Result<Self> {
        let folder = root.join("target/bench").join(name);
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest)?;
        std::fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
        // The versions of this workspace.
        std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let this = Self(folder);
        ensure!(this.cargo().args(["fetch", "--quiet"]).status()?.success(), "cargo fetch failed");
        Ok(this)
    }

    fn cargo(&self) -> Command {
        let mut command = crate::cargo::cargo();
        command.current_dir(&self.0).env("CARGO_TARGET_DIR", self.0.join("target"));
        command
    }

    /// Builds what is not built yet: seconds of processor time.
    fn build(&self) -> Result<f64> {
        let (_, used) = run(self.cargo().args(["build", "--quiet"]).env("CARGO_INCREMENTAL", "0"))?;
        Ok((used.utime + used.stime).as_secs_f64())
    }

    /// How many crates it depends on.
    fn crates(&self) -> Result<usize> {
        let tree = self.cargo().args(["tree", "--prefix", "none", "--edges", "normal,build"]).output()?;
        let tree = String::from_utf8(tree.stdout)?;
        let lines = tree.lines().filter(|line| !line.is_empty());
        Ok(lines.map(|line| line.trim_end_matches(" (*)")).collect::<BTreeSet<_>>().len() - 1)
    }

    /// How long a developer waits after a change in `main.rs`.
    fn changed(&self) -> Result<Row> {
        let (head, body) = PROGRAM.split_once(BEGINNING).context("the program begins otherwise")?;
        let mut times = Vec::new();
        // The first also builds what is kept for the others.
        for change in 0..6 {
            let changed = format!("{head}{BEGINNING}    println!(\"change {change}\");\n{body}");
            std::fs::write(self.0.join("src/main.rs"), changed)?;
            times.push(run(self.cargo().args(["build", "--quiet"]).env("CARGO_INCREMENTAL", "1"))?.0);
        }
        let longest = times.into_iter().skip(1).fold(0.0, f64::max);
        Ok(Row::alone("a change in `main.rs` of a program of one call", "s", longest, "the longest of five, debug"))
    }
}
