//! A workspace under `target/` with a small client of each revision: the generated types, and the crate's own reader.
//!
//! The rest of the crate is left out: it is written against the present document and need not fit an older one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use syn::Item;

use crate::{build_script, schema};

/// The program around the types of a revision.
const READER: [(&str, &str); 2] =
    [("main.rs", include_str!("reader/main.rs")), ("compare.rs", include_str!("reader/compare.rs"))];

/// What of the crate the clients are made of, below `src`.
const COPIED: [&str; 3] = ["open_enum.rs", "read", "types"];

/// A workspace of clients.
#[derive(Debug)]
pub(super) struct Workspace {
    package: PathBuf,
    dir: PathBuf,
    members: Vec<String>,
    crates: BTreeSet<String>,
}

impl Workspace {
    pub(super) fn new() -> Result<Self> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let dir = package.join("target/timetravel");
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Self { package, dir, members: Vec::new(), crates: BTreeSet::new() })
    }

    /// Writes the client of one revision, made of its document.
    pub(super) fn add(&mut self, date: &str, document: &Value) -> Result<()> {
        let src = self.dir.join(date).join("src");
        let _ = std::fs::remove_dir_all(self.dir.join(date));
        std::fs::create_dir_all(&src)?;
        let text = document.to_string();
        let bindings = build_script::generate(&text, false).map_err(|message| anyhow!("revision {date}: {message}"))?;
        let mut used = String::new();
        for (name, text) in READER {
            write(&src.join(name), text, &mut used)?;
        }
        write(&src.join("bindings.rs"), &only_types(&bindings.code)?, &mut used)?;
        write(&src.join("operations.rs"), &operations(document)?, &mut used)?;
        write(&src.join("dintero.json"), &text, &mut String::new())?;
        for name in COPIED {
            copy(&self.package.join("src").join(name), &src.join(name), &mut used)?;
        }
        let dependencies = self.dependencies()?;
        let wanted = dependencies.iter().map(|(name, _)| name).filter(|name| used.contains(&format!("{name}::")));
        self.crates.extend(wanted.cloned());
        self.members.push(date.to_owned());
        Ok(())
    }

    /// Builds all clients.
    pub(super) fn build(&self) -> Result<()> {
        let members: Vec<String> = self.members.iter().map(|date| format!("{date:?}")).collect();
        let root = format!(
            "[workspace]\nmembers = [{}]\nresolver = \"3\"\n\n[profile.dev]\nopt-level = 1\ndebug = false\n",
            members.join(", ")
        );
        write(&self.dir.join("Cargo.toml"), &root, &mut String::new())?;
        std::fs::copy(self.package.join("Cargo.lock"), self.dir.join("Cargo.lock")).context("Cargo.lock")?;
        let mut dependencies = String::new();
        for (name, how) in self.dependencies()?.iter().filter(|(name, _)| self.crates.contains(name)) {
            let _ = writeln!(dependencies, "{name} = {how}");
        }
        for date in &self.members {
            let manifest = format!(
                "[package]\nname = \"client-{date}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [features]\nschemars = []\n\n[dependencies]\n{dependencies}"
            );
            write(&self.dir.join(date).join("Cargo.toml"), &manifest, &mut String::new())?;
        }
        // The lock file is cut down to these members, so it cannot be used as it is; nothing is fetched anew.
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--workspace", "--offline", "--manifest-path"])
            .arg(self.dir.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", self.dir.join("target"))
            .env("RUSTFLAGS", "--cap-lints=warn")
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error")).take(5).collect();
            bail!("the clients of older revisions do not build, see {}:\n{}", self.dir.display(), errors.join("\n"));
        }
        Ok(())
    }

    pub(super) fn program(&self, date: &str) -> PathBuf {
        let name = format!("client-{date}{}", std::env::consts::EXE_SUFFIX);
        self.dir.join("target/debug").join(name)
    }

    /// The crate's own dependencies, as its manifest has them.
    fn dependencies(&self) -> Result<Vec<(String, String)>> {
        let text = std::fs::read_to_string(self.package.join("Cargo.toml")).context("Cargo.toml")?;
        let manifest: toml::Table = toml::from_str(&text).context("Cargo.toml")?;
        let table = |value: Option<&toml::Value>| value.and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let shared = table(manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")));
        let mut out = Vec::new();
        for (name, how) in table(manifest.get("dependencies")) {
            let is_shared = how.get("workspace").is_some();
            let how =
                if is_shared { shared.get(&name).cloned().context("a shared dependency is missing")? } else { how };
            if how.get("optional").is_none() {
                out.push((name, how.to_string()));
            }
        }
        Ok(out)
    }
}

/// The generated code without the client: its types, and their constructors and enums.
fn only_types(code: &str) -> Result<String> {
    let file: syn::File = syn::parse_str(code).context("the generated code cannot be read")?;
    let kept = file.items.into_iter().filter(|item| match item {
        Item::Mod(module) => module.ident == "types" || module.ident == "choices" || module.ident == "constructors",
        _ => false,
    });
    Ok(kept.map(|item| quote::quote!(#item).to_string() + "\n").collect())
}

/// The function that reads the answer of each operation as its type.
fn operations(document: &Value) -> Result<String> {
    let mut arms = String::new();
    for operation in schema::operations(document) {
        let responses = operation.value.get("responses").and_then(Value::as_object);
        let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let tree = success.and_then(|(_, response)| response.pointer("/content/application~1json/schema"));
        let tree = tree.with_context(|| format!("{} answers nothing", operation.title()))?;
        let (function, target) = match tree.get("items") {
            Some(items) => ("list", items.get("$ref")),
            None => ("one", tree.get("$ref")),
        };
        let target = target.and_then(Value::as_str).map(schema::ref_name);
        let target = target.with_context(|| format!("the answer of {} has no name", operation.title()))?;
        let _ = writeln!(arms, "        {:?} => crate::{function}::<types::{target}>(body),", operation.title());
    }
    Ok(format!(
        "use crate::{{Back, types}};\n\n\
         pub(crate) fn read(operation: &str, body: &[u8]) -> Back {{\n    match operation {{\n{arms}        \
         _ => Err(\"no operation of this revision\".to_owned()),\n    }}\n}}\n"
    ))
}

fn write(path: &Path, text: &str, used: &mut String) -> Result<()> {
    // What paths look like once a token stream has been printed does not matter.
    used.push_str(&text.replace(" :: ", "::"));
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn copy(from: &Path, to: &Path, used: &mut String) -> Result<()> {
    if !from.is_dir() {
        let text = std::fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
        return write(to, &text, used);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()), used)?;
    }
    Ok(())
}
