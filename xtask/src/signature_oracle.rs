//! `cargo xtask signature-oracle`: has Node sign random callback URLs and compares our signatures with its.
//!
//! The sender is written in JavaScript, so what its `URL` makes of a URL is the rule. Node makes and signs the URLs
//! (`signature_oracle.mjs`); the comparison is an ignored test of the crate, because this package does not depend on it:
//! it must still build when the generated bindings do not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const SCRIPT: &str = include_str!("signature_oracle.mjs");

/// What is stored for `cargo test`, which needs no Node.
const STORED: &str = "tests/it/vectors/signatures.jsonl";
const STORED_SEED: u32 = 20_260_507;
const STORED_COUNT: u32 = 400;

/// Compares `count` random URLs; the same seed makes the same ones.
///
/// # Errors
/// When Node is not there or fails, or when a signature differs.
pub fn compare(seed: u32, count: u32) -> Result<()> {
    let root = root();
    let file = std::env::temp_dir().join(format!("signatures-{}.jsonl", std::process::id()));
    std::fs::write(&file, signed_by_node(seed, count)?).with_context(|| format!("cannot write {}", file.display()))?;
    let status = crate::cargo::cargo()
        .args(["test", "--quiet", "--package", "dintero", "--test", "it"])
        .args(["--", "--ignored", "--nocapture", "callback::vectors"])
        .current_dir(&root)
        .env("DINTERO_SIGNATURES", &file)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "Node and the crate differ; the URLs are in {}", file.display());
    // The test takes the file away: cargo is content with a filter that no test meets.
    ensure!(!file.exists(), "no test has compared {}", file.display());
    Ok(())
}

/// Writes the vectors that `cargo test` compares.
///
/// # Errors
/// When Node is not there or fails, or the file cannot be written.
pub fn write_stored() -> Result<()> {
    let file = root().join(STORED);
    std::fs::write(&file, signed_by_node(STORED_SEED, STORED_COUNT)?)
        .with_context(|| format!("cannot write {}", file.display()))
}

fn signed_by_node(seed: u32, count: u32) -> Result<Vec<u8>> {
    let output = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT, "--"])
        .args([seed.to_string(), count.to_string()])
        .output()
        .context("cannot run `node`, which this task needs")?;
    ensure!(output.status.success(), "node failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    ensure!(u32::try_from(lines) == Ok(count), "node gave {lines} lines, not {count}");
    Ok(output.stdout)
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}
