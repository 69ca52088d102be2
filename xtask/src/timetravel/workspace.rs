//! A workspace under `target/` with a small client of each revision: the generated types, and the crate's own reader.
//!
//! The rest of the crate is left out: it is written against the present document and need not fit an older one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::bindings::{self, model::Surface};

/// The program around the types of a revision.
const READER: [(&str, &str); 2] =
    [("main.rs", include_str!("reader/main.rs")), ("compare.rs", include_str!("reader/compare.rs"))];

/// What of the crate the clients are made of, below `src`.
const COPIED: [&str; 3] = ["ids.rs", "read", "types"];

/// What of the generated code they are made of: all but the client.
const GENERATED: [&str; 5] = ["types.rs", "construct.rs", "builders.rs", "enums.rs", "choices.rs"];

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
        std::fs::create_dir_all(src.join("generated"))?;
        let text = document.to_string();
        let bindings = bindings::generate(&text, false).map_err(|message| anyhow!("revision {date}: {message}"))?;
        let mut used = String::new();
        for (name, text) in READER {
            write(&src.join(name), text, &mut used)?;
        }
        for (name, text) in bindings.files.iter().filter(|(name, _)| GENERATED.contains(&name.as_str())) {
            write(&src.join("generated").join(name), text, &mut used)?;
        }
        write(&src.join("operations.rs"), &operations(&bindings.surface), &mut used)?;
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

/// The function that reads the response of each operation as its type.
fn operations(surface: &Surface) -> String {
    let mut arms = String::new();
    for call in &surface.calls {
        let function = if call.response.list { "list" } else { "one" };
        let (title, target) = (format!("{} {}", call.method, call.path), &call.response.target);
        let _ = writeln!(arms, "        {title:?} => crate::{function}::<types::{target}>(body),");
    }
    format!(
        "use crate::{{Back, types}};\n\n\
         pub(crate) fn read(operation: &str, body: &[u8]) -> Back {{\n    match operation {{\n{arms}        \
         _ => Err(\"no operation of this revision\".to_owned()),\n    }}\n}}\n"
    )
}

fn write(path: &Path, text: &str, used: &mut String) -> Result<()> {
    used.push_str(text);
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
