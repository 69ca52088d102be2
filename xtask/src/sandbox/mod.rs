//! Tasks that try `dintero-sandbox` as a program, from outside: in a browser, and with generated requests.

#[cfg(feature = "browser")]
pub mod browser;
pub mod conformance;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Runs a task again, with the feature of the same name.
///
/// # Errors
/// When cargo does not start.
pub fn again_with(task: &str) -> Result<std::process::ExitCode> {
    let status = here().args(["run", "--quiet", "--package", "xtask", "--features", task, "--", task]).status()?;
    Ok(if status.success() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE })
}

fn here() -> Command {
    let mut cargo = crate::cargo::cargo();
    cargo.current_dir(ROOT);
    cargo
}

/// A running sandbox; it ends with this.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub root: String,
}

impl Program {
    /// Builds the program, starts it on a free port, and waits until it has said where it is.
    ///
    /// # Errors
    /// When it does not build or does not start.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let built = here().args(["build", "--quiet", "--package", "dintero-sandbox"]).status()?;
        if !built.success() {
            bail!("dintero-sandbox does not build");
        }
        let mut child = Command::new(target().join("debug/dintero-sandbox"))
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .context("dintero-sandbox does not start")?;
        let told = child.stdout.take().context("the program has no output")?;
        let root = BufReader::new(told).lines().map_while(Result::ok).find_map(|line| {
            let (word, rest) = line.trim().split_once(' ')?;
            (word == "calls").then(|| rest.trim().trim_end_matches("/v1").to_owned())
        });
        let Some(root) = root else {
            let _ = child.kill();
            bail!("the program did not say where it is");
        };
        Ok(Self { child, root })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(ROOT).join("target"), PathBuf::from)
}
