//! The whole crate, client included, with what is generated of each revision: which handwritten lines name what a
//! revision does not have.
//!
//! A copy of the crate for each revision is checked in one workspace. What it is made of besides is built with the
//! features and the profile of the crate itself, in its target directory, so that it is there already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use toml::Value as Toml;

use super::Client;
use super::workspace::{copy, write};

/// What each revision lacks: by its day, the lines that name it.
pub type Lacking = BTreeMap<String, BTreeSet<String>>;

/// Where the generated files are, seen from the root of the package.
const GENERATED: &str = "generated";

/// Checks the crate with what is generated of each revision.
///
/// # Errors
/// When a copy cannot be written, or cargo fails otherwise than by what the compiler says of the copies.
pub fn check(clients: &[Client]) -> Result<Lacking> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let dir = package.join("target/timetravel/whole");
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).context("Cargo.toml")?;
    let manifest: toml::Table = toml::from_str(&manifest).context("Cargo.toml")?;
    for client in clients {
        let dir = dir.join(&client.date);
        write(&dir.join("Cargo.toml"), &member(&manifest, &client.date)?)?;
        for name in ["src", "README.md"] {
            copy(&package.join(name), &dir.join(name), &mut |text| {
                // A build script would generate them again, of the present revision.
                text.replace("env!(\"OUT_DIR\")", &format!("env!(\"CARGO_MANIFEST_DIR\"), \"/{GENERATED}\""))
            })?;
        }
        for (name, text) in &client.files {
            write(&dir.join(GENERATED).join(name), text)?;
        }
    }
    write(&dir.join("Cargo.toml"), &root(&manifest, clients)?)?;
    std::fs::copy(package.join("Cargo.lock"), dir.join("Cargo.lock")).context("Cargo.lock")?;
    let output = crate::cargo::cargo()
        .args(["check", "--quiet", "--workspace", "--keep-going", "--offline", "--message-format=json"])
        .current_dir(&dir)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .output()
        .context("cannot run cargo")?;
    let mut lacking: Lacking = clients.iter().map(|client| (client.date.clone(), BTreeSet::new())).collect();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((date, line)) = told(line, &lacking) {
            lacking.entry(date).or_default().insert(line);
        }
    }
    if !output.status.success() && lacking.values().all(BTreeSet::is_empty) {
        bail!("the copies of the crate cannot be checked:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(lacking)
}

/// The list that is reviewed: a line more is one more that a change of the interface has to touch.
#[must_use]
pub fn list(lacking: &Lacking) -> String {
    let mut out = String::new();
    for (date, lines) in lacking {
        let _ = match lines.len() {
            0 => writeln!(out, "{date}: builds as it is"),
            count => writeln!(out, "{date}: {count} lines name what it does not have"),
        };
        for line in lines {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// The manifest of a copy: the crate's own, but for what makes or tests it.
fn member(manifest: &toml::Table, date: &str) -> Result<String> {
    let mut member = manifest.clone();
    for key in ["workspace", "profile", "build-dependencies", "dev-dependencies"] {
        member.remove(key);
    }
    let package = member.get_mut("package").and_then(Toml::as_table_mut).context("Cargo.toml has no package")?;
    package.insert("name".to_owned(), Toml::String(format!("dintero-{date}")));
    package.insert("build".to_owned(), Toml::Boolean(false));
    member.insert("lib".to_owned(), toml::toml! { name = "dintero" }.into());
    Ok(toml::to_string(&member)?)
}

fn root(manifest: &toml::Table, clients: &[Client]) -> Result<String> {
    let mut workspace = manifest.get("workspace").cloned().context("Cargo.toml has no workspace")?;
    let table = workspace.as_table_mut().context("`workspace` is no table")?;
    table.remove("default-members");
    table.insert(
        "members".to_owned(),
        Toml::Array(clients.iter().map(|client| Toml::String(client.date.clone())).collect()),
    );
    let mut root = toml::Table::from_iter([("workspace".to_owned(), workspace)]);
    // Those of packages name packages that are not here.
    let dev = manifest.get("profile").and_then(|profiles| profiles.get("dev")).and_then(Toml::as_table);
    let mut dev = dev.cloned().unwrap_or_default();
    dev.remove("package");
    root.insert("profile".to_owned(), toml::Table::from_iter([("dev".to_owned(), dev.into())]).into());
    Ok(toml::to_string(&root)?)
}

/// A line of what cargo prints, as far as it matters here.
#[derive(Deserialize)]
struct Printed {
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    is_primary: bool,
    text: Vec<Text>,
    expansion: Option<Expansion>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Expansion {
    span: Box<Span>,
}

/// The revision that an error is of, and the line that it stands at, with what it says is missing. It has no number, so
/// that it stays the same when lines are added above.
fn told(line: &str, known: &Lacking) -> Option<(String, String)> {
    let printed: Printed = serde_json::from_str(line).ok()?;
    let message = printed.message.filter(|message| message.level == "error")?;
    let mut span = message.spans.iter().find(|span| span.is_primary)?;
    while let (false, Some(outer)) = (is_ours(&span.file_name), &span.expansion) {
        span = &outer.span;
    }
    let (date, file) = span.file_name.split_once('/').filter(|(date, _)| known.contains_key(*date))?;
    let text = span.text.first().map(|line| line.text.trim()).unwrap_or_default();
    // What stands in quotes are the names; the rest is the compiler's, and another in its next version.
    let names: BTreeSet<&str> = message.message.split('`').skip(1).step_by(2).collect();
    let names = names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Some((date.to_owned(), format!("{file}: {text} ({names})")))
}

fn is_ours(file: &str) -> bool {
    file.split('/').nth(1) == Some("src")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_by_its_line_and_its_names() {
        let known = Lacking::from([("2026-01-01".to_owned(), BTreeSet::new())]);
        let span = |file: &str, expansion: serde_json::Value| json!({ "file_name": file, "is_primary": true, "text": [{ "text": "    order.store_id(7)" }], "expansion": expansion });
        let error = |level: &str, span: serde_json::Value| {
            let message =
                json!({ "level": level, "message": "no method `store_id` on `Order` or `Order`", "spans": [span] });
            told(&json!({ "reason": "compiler-message", "message": message }).to_string(), &known)
        };
        let expected = Some(("2026-01-01".to_owned(), "src/a.rs: order.store_id(7) (`Order`, `store_id`)".to_owned()));
        assert_eq!(error("error", span("2026-01-01/src/a.rs", json!(null))), expected);
        let inside = json!({ "span": span("2026-01-01/src/a.rs", json!(null)) });
        assert_eq!(error("error", span("/lib/core/macros.rs", inside)), expected);
        assert_eq!(error("warning", span("2026-01-01/src/a.rs", json!(null))), None);
        assert_eq!(error("error", span("other/src/a.rs", json!(null))), None);
    }

    #[test]
    fn the_list_names_every_revision() {
        let lacking = Lacking::from([
            ("2025-01-01".to_owned(), BTreeSet::from(["src/a.rs: x.y (`y`)".to_owned()])),
            ("2026-01-01".to_owned(), BTreeSet::new()),
        ]);
        let expected =
            "2025-01-01: 1 lines name what it does not have\n  src/a.rs: x.y (`y`)\n2026-01-01: builds as it is\n";
        assert_eq!(list(&lacking), expected);
    }
}
