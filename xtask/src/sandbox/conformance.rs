//! Generated requests against the program: schemathesis with the published slice, the token call included.
//!
//! What it finds is compared with the contradictions of the document itself, each of which is named here; anything
//! else is a failure, and so is a contradiction that is found no more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Program, ROOT, target};
use crate::output::print_line;

/// The version that the findings were looked at with.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Runs it with so many cases for each operation.
///
/// # Errors
/// When schemathesis cannot be installed, or finds what is not excused.
pub fn run(cases: u32, seed: u64) -> Result<()> {
    let folder = target().join("conformance");
    std::fs::create_dir_all(&folder)?;
    let python = install(&folder)?;
    let program = Program::start(&["--seed", "1"])?;
    let report = folder.join("report");
    let _ = std::fs::remove_dir_all(&report);
    std::fs::write(folder.join("hooks.py"), HOOKS)?;
    let output = Command::new(python.join("schemathesis"))
        .current_dir(&folder)
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("SANDBOX", &program.root)
        .args(["run", &format!("{ROOT}/spec/upstream.json"), "--url", &format!("{}/v1", program.root)])
        .args(["--max-examples", &cases.to_string(), "--seed", &seed.to_string()])
        .args(["--phases", "fuzzing", "--mode", "all", "--continue-on-failure", "--no-color"])
        .args(["--checks", CHECKS])
        .args(["--report", "junit", "--report-dir"])
        .arg(&report)
        .output()
        .context("schemathesis does not start")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    std::fs::write(folder.join("told.txt"), &told)?;
    // 0: no failures; 1: failures, which are judged below. Anything else is a run that was broken off.
    ensure!(matches!(output.status.code(), Some(0 | 1)), "schemathesis broke off: {}", output.status);
    judge(&told)
}

/// No server error, no undocumented status or body, no invalid request accepted, no valid one refused for its form.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      negative_data_rejection,unsupported_method";

/// Credentials for each call, and ids that lead somewhere.
const HOOKS: &str = include_str!("conformance_hooks.py");

fn install(folder: &Path) -> Result<PathBuf> {
    let place = folder.join("venv");
    let scripts = place.join("bin");
    if !scripts.join("schemathesis").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&place).status().context("python3 is needed")?;
        ensure!(made.success(), "python3 -m venv failed: install python3-venv");
        let installed = Command::new(scripts.join("pip")).args(["install", "--quiet", SCHEMATHESIS]).status()?;
        ensure!(installed.success(), "{SCHEMATHESIS} cannot be installed");
    }
    Ok(scripts)
}

/// Where the document contradicts itself, by words of the finding, with the reason.
const CONTRADICTIONS: [(&str, &str); 1] = [(
    "\"PARTIALLY_CAPTURED_REFUNDED\" is not one of",
    "one payment product's part of a transaction lacks a status in its events that the transaction itself has",
)];

/// What one finding says: the operation, the check and the message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Finding {
    operation: String,
    check: String,
    message: String,
}

fn judge(told: &str) -> Result<()> {
    let summary =
        told.lines().rfind(|line| line.contains("generated")).context("schemathesis did not come to its end")?;
    let (selected, all, tested) = operations(told).context("schemathesis does not say what it tried")?;
    ensure!(selected == all && tested == all, "of {all} operations, {selected} were selected and {tested} tried");
    print_line(format_args!("{} operations; {}", tested, summary.trim()))?;
    let findings = findings(told);
    let excuse = |finding: &Finding| CONTRADICTIONS.iter().find(|(words, _)| finding.message.contains(words));
    let mut excused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut broken = Vec::new();
    for finding in &findings {
        match excuse(finding) {
            Some((_, reason)) => excused.entry(reason).or_default().push(&finding.operation),
            None => broken.push(format!("{}: {}: {}", finding.operation, finding.check, finding.message)),
        }
    }
    for (reason, operations) in excused {
        print_line(format_args!("contradiction of the document: {reason}: {}", operations.join(", ")))?;
    }
    if broken.is_empty() { Ok(()) } else { bail!("{} findings:\n{}", broken.len(), broken.join("\n")) }
}

/// How many operations were selected, how many there are, and how many were tried.
fn operations(told: &str) -> Option<(u32, u32, u32)> {
    let number = |label| told.lines().rev().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    let (selected, all) = number("Selected:")?.split_once('/')?;
    Some((selected.parse().ok()?, all.parse().ok()?, number("Tested:")?.parse().ok()?))
}

/// The findings in the report: a headline with the operation, then each check that failed with its message.
fn findings(told: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut operation = String::new();
    let mut waiting = false;
    for line in told.lines() {
        let headline = line.trim_matches('_').trim();
        if line.starts_with("___") && !headline.is_empty() {
            headline.clone_into(&mut operation);
        } else if let Some(check) = line.strip_prefix("- ").filter(|_| !operation.is_empty()) {
            found.push(Finding { operation: operation.clone(), check: check.to_owned(), message: String::new() });
            waiting = true;
        } else if waiting && !line.trim().is_empty() {
            if let Some(finding) = found.last_mut() {
                line.trim().clone_into(&mut finding.message);
            }
            waiting = false;
        } else if line.starts_with("===") {
            operation.clear();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
================ FAILURES ================
____________ POST /transactions/{id}/refund ____________
1. Test Case ID: x

- ST108 Response violates schema

    \"PARTIALLY_CAPTURED_REFUNDED\" is not one of \"INITIATED\"

____________ GET /transactions ____________
1. Test Case ID: y

- ST100 Server error

================ SUMMARY ================
API Operations:
  Selected: 14/14
  Tested: 14

Test cases:
  280 generated, 2 found 2 unique failures
";

    #[test]
    fn a_contradiction_is_excused_and_nothing_else() {
        let found = findings(TOLD);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].operation, "POST /transactions/{id}/refund");
        let error = judge(TOLD).unwrap_err().to_string();
        assert!(error.contains("GET /transactions: ST100") && !error.contains("refund"), "{error}");
        assert!(judge(&TOLD.replace("- ST100 Server error", "")).is_ok());
    }

    #[test]
    fn a_run_that_was_cut_short_fails() {
        let clean = TOLD.replace("- ST100 Server error", "");
        assert!(judge(&clean).is_ok());
        for (from, to) in [("Tested: 14", "Tested: 6"), ("Tested: 14", ""), ("14/14", "6/14"), ("generated", "")] {
            assert!(judge(&clean.replace(from, to)).is_err(), "{from} -> {to}");
        }
    }
}
