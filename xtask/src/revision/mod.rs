//! `cargo xtask revision`: that a revision which only adds is absorbed without an edit by hand, and that one which renames a
//! parameter stops what names it.
//!
//! The workspace is copied below `target/`, its slice edited as upstream would, regenerated, and built with a program
//! that uses all that was added. The copy shares the target directory, so that only our own crates are built again; they
//! have another version there, so that cargo does not take what it built of the copy for ours.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use toml_edit::{DocumentMut, value};

use crate::output::print_line;
use crate::regen::Spec;
use crate::{schema, version};

/// The program that uses what is added, as a test of the client.
const USAGE: &str = include_str!("usage.rs");
/// A program that names a parameter under its old name.
const RENAMED: &str = include_str!("renamed.rs");
/// The curation of the added operation: all that is written by hand.
const OVERLAY: &str = include_str!("overlay.yaml");

/// Runs the scripted revisions; with `tests`, also all tests on the one that adds, in which only snapshots may differ.
///
/// # Errors
/// Names the first step that did not go as it has to.
pub fn run(tests: bool) -> Result<()> {
    let copy = Copy::new()?;
    copy.edit(add)?;
    let overlay = copy.read("spec/overlay.yaml")?;
    let overlay = overlay.replacen("\noperations:\n", &format!("\noperations:\n{OVERLAY}"), 1);
    let overlay = overlay.replacen("\ntypes:\n", "\ntypes:\n  HoldRequest: hold_transaction.request.$\n", 1);
    copy.write("spec/overlay.yaml", &overlay)?;
    copy.write("tests/revision.rs", USAGE)?;
    copy.regenerate()?;
    // Without a package, so that dependencies have the features of `cargo test` and are not built again.
    let output = copy.cargo(&["test", "--test", "revision"])?;
    if !output.status.success() {
        bail!("a revision that only adds is not absorbed:\n{}", errors(&output));
    }
    print_line("added: a parameter, a toggle, two fields, a value and an operation: built and used")?;
    if tests {
        let output = copy.cargo(&["test-interface", "--no-fail-fast"])?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            let failed = |line: &&str| line.starts_with("test ") && line.ends_with("FAILED");
            let failed: Vec<&str> = text.lines().filter(failed).collect();
            bail!("more than snapshots differs:\n{}\n{}", failed.join("\n"), errors(&output));
        }
        print_line("tests: the client's and those of the tasks pass as they are, but for snapshots")?;
    }

    let copy = Copy::new()?;
    copy.edit(rename)?;
    copy.write("tests/renamed.rs", RENAMED)?;
    copy.regenerate()?;
    let output = copy.cargo(&["check", "--test", "renamed"])?;
    let errors = errors(&output);
    if output.status.success() || !errors.contains("`store_id`") {
        bail!("a parameter that was renamed did not stop what names it:\n{errors}");
    }
    if !errors.contains("(test \"renamed\")") {
        bail!("the client itself names the parameter that was renamed:\n{errors}");
    }
    print_line("renamed: what names `store_id` does not compile")?;
    Ok(())
}

/// What a revision adds.
fn add(slice: &mut Value) -> Result<()> {
    let terminal = json!({
        "name": "terminal_id", "in": "query", "required": false,
        "schema": { "type": "array", "items": { "type": "string" } },
    });
    push(slice, "/paths/~1transactions/get/parameters", terminal)?;
    push(slice, "/components/parameters/FeatureToggles/schema/items/enum", json!("strict-shipping"))?;
    let capture = "/paths/~1transactions~1{id}~1capture/post/requestBody/content/application~1json/schema/allOf/1";
    set(slice, &format!("{capture}/properties"), "parcel_id", json!({ "type": "string" }))?;
    let transaction = "/components/schemas/Transaction/allOf/1/properties";
    set(slice, transaction, "settled_by", json!({ "type": "string" }))?;
    push(slice, &format!("{transaction}/status/enum"), json!("FROZEN"))?;
    let void = slice.pointer("/paths/~1transactions~1{id}~1void/post").context("there is no void")?.clone();
    let reason = json!({ "type": "object", "properties": { "reason": { "type": "string" } } });
    let mut hold = void;
    hold["requestBody"] = json!({ "content": { "application/json": { "schema": reason } } });
    set(slice, "/paths", "/transactions/{id}/hold", json!({ "post": hold }))
}

/// What a revision renames.
fn rename(slice: &mut Value) -> Result<()> {
    let parameters = slice.pointer_mut("/paths/~1transactions/get/parameters").and_then(Value::as_array_mut);
    let mut parameters = parameters.into_iter().flatten();
    let store = parameters.find(|parameter| parameter["name"] == "store_id").context("there is no `store_id`")?;
    store["name"] = json!("till_id");
    Ok(())
}

fn push(slice: &mut Value, pointer: &str, value: Value) -> Result<()> {
    let list = slice.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.with_context(|| format!("the slice has no list at {pointer}"))?.push(value);
    Ok(())
}

fn set(slice: &mut Value, pointer: &str, key: &str, value: Value) -> Result<()> {
    let object = slice.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.with_context(|| format!("the slice has no object at {pointer}"))?.insert(key.to_owned(), value);
    Ok(())
}

/// The lines of a failed build that say why.
fn errors(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("error") || line.contains("panicked")).collect();
    lines.join("\n")
}

/// A copy of the workspace.
struct Copy {
    package: PathBuf,
    dir: PathBuf,
}

impl Copy {
    /// Brings the copy to the state of the workspace. What is the same stays untouched, so that it is not built again.
    fn new() -> Result<Self> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let dir = package.join("target/revision");
        mirror(&package, &dir, &["target", ".git", ".github", ".ci"])?;
        let copy = Self { package, dir };
        copy.write("Cargo.toml", &of_the_copy(&copy.read("Cargo.toml")?)?)?;
        Ok(copy)
    }

    fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(self.dir.join(name)).with_context(|| format!("cannot read {name}"))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.dir.join(name), text).with_context(|| format!("cannot write {name}"))
    }

    fn edit(&self, edit: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
        let mut slice: Value = serde_json::from_str(&self.read("spec/upstream.json")?)?;
        edit(&mut slice)?;
        self.write("spec/upstream.json", &schema::to_text(&slice))
    }

    /// What `cargo xtask regen --pinned` does there.
    fn regenerate(&self) -> Result<()> {
        let spec = Spec::at(self.dir.join("spec"));
        let written = spec.from_pinned().context("the revision cannot be regenerated")?;
        spec.write(&written)?;
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Output> {
        crate::cargo::cargo()
            .args(arguments)
            .arg("--offline")
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", self.package.join("target"))
            // That snapshots differ is what is expected of them.
            .envs([("INSTA_UPDATE", "no"), ("INSTA_FORCE_PASS", "1")])
            .output()
            .context("cannot run cargo")
    }
}

/// The manifest with versions of the copy's own.
fn of_the_copy(manifest: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("Cargo.toml")?;
    for table in ["package", "workspace.package"] {
        let table = table.split('.').fold(manifest.as_item_mut(), |item, key| &mut item[key]);
        let version = table["version"].as_str().context("a package without a version")?;
        table["version"] = value(version::with_date(version, "revision"));
    }
    Ok(manifest.to_string())
}

/// Makes one folder the same as another, but for some names at its top.
pub(crate) fn mirror(from: &Path, to: &Path, except: &[&str]) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if except.iter().any(|except| name == *except) {
            continue;
        }
        let target = to.join(&name);
        kept.push(name);
        if path.is_dir() {
            mirror(&path, &target, &[])?;
            continue;
        }
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if std::fs::read(&target).ok().as_ref() != Some(&text) {
            std::fs::write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if !kept.contains(&entry.file_name()) {
            let path = entry.path();
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
