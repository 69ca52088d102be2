//! A workspace under `target/` with a library for each client, the generated types and the crate's own reader, and one
//! program that holds them all.
//!
//! The rest of the crate is left out: it is written against the present document and need not fit an older one. How far
//! it does is checked by [`super::whole`].

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Client;
use crate::bindings::SURFACE;
use crate::bindings::model::Surface;

/// The library of a client, around what is generated and what is copied.
const LIBRARY: &str = include_str!("reader/lib.rs");

/// The program around the libraries.
const PROGRAM: [(&str, &str); 4] = [
    ("main.rs", include_str!("reader/main.rs")),
    ("client.rs", include_str!("reader/client.rs")),
    ("compare.rs", include_str!("reader/compare.rs")),
    ("model.rs", include_str!("../../../build/model.rs")),
];

/// What of the crate the libraries are made of, below `src`.
const COPIED: [&str; 3] = ["ids.rs", "read", "types"];

/// What of the generated code they are made of: what reads, and what its types cannot do without.
const GENERATED: [&str; 6] = ["types.rs", "reading.rs", "debug.rs", "enums.rs", "choices.rs", SURFACE];

/// A workspace of clients.
#[derive(Debug)]
pub(super) struct Workspace {
    package: PathBuf,
    /// Holds all workspaces, and what is built of them.
    shared: PathBuf,
    name: String,
    members: Vec<String>,
    crates: BTreeSet<String>,
}

impl Workspace {
    /// Writes the clients; what has not changed since the last time is not built again.
    pub(super) fn new(name: &str, clients: &[Client]) -> Result<Self> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let shared = package.join("target/timetravel");
        let mut workspace =
            Self { package, shared, name: name.to_owned(), members: Vec::new(), crates: BTreeSet::new() };
        for client in clients {
            workspace.add(client).with_context(|| client.name.clone())?;
        }
        workspace.finish()?;
        Ok(workspace)
    }

    fn dir(&self) -> PathBuf {
        self.shared.join(&self.name)
    }

    fn add(&mut self, client: &Client) -> Result<()> {
        let src = self.dir().join(&client.name).join("src");
        let mut used = LIBRARY.to_owned();
        write(&src.join("lib.rs"), LIBRARY)?;
        for (name, text) in client.files.iter().filter(|(name, _)| GENERATED.contains(&name.as_str())) {
            write(&src.join("generated").join(name), text)?;
            used.push_str(text);
        }
        write(&src.join("operations.rs"), &operations(&client.surface))?;
        for name in COPIED {
            copy(&self.package.join("src").join(name), &src.join(name), &mut |text| {
                used.push_str(&text);
                text
            })?;
        }
        let dependencies = self.dependencies()?;
        let wanted = dependencies.iter().map(|(name, _)| name).filter(|name| used.contains(&format!("{name}::")));
        self.crates.extend(wanted.cloned());
        self.members.push(client.name.clone());
        Ok(())
    }

    /// Writes the program and the manifests.
    fn finish(&self) -> Result<()> {
        let dir = self.dir();
        let quoted: Vec<String> = self.members.iter().map(|name| format!("{name:?}")).collect();
        // What is built anew for each revision is built as fast as it can be; what all share is worth some time.
        let plain: String =
            self.members.iter().map(|name| format!("\n[profile.dev.package.client-{name}]\nopt-level = 0\n")).collect();
        let root = format!(
            "[workspace]\nmembers = [\"program\", {}]\nresolver = \"3\"\n\n\
             [profile.dev]\nopt-level = 2\ndebug = false\ndebug-assertions = false\nincremental = false\n{plain}",
            quoted.join(", ")
        );
        write(&dir.join("Cargo.toml"), &root)?;
        std::fs::copy(self.package.join("Cargo.lock"), dir.join("Cargo.lock")).context("Cargo.lock")?;
        let mut dependencies = String::new();
        for (name, how) in self.dependencies()?.iter().filter(|(name, _)| self.crates.contains(name)) {
            let _ = writeln!(dependencies, "{name} = {how}");
        }
        let mut libraries = String::new();
        let mut all = String::new();
        for name in &self.members {
            let manifest = format!(
                "[package]\nname = \"client-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [features]\nschemars = []\n\n[dependencies]\n{dependencies}"
            );
            write(&dir.join(name).join("Cargo.toml"), &manifest)?;
            let _ = writeln!(libraries, "client-{name} = {{ path = \"../{name}\" }}");
            let module = format!("client_{}", name.replace('-', "_"));
            let _ = writeln!(all, "        Client::new({name:?}, {module}::SURFACE, {module}::read, {module}::field),");
        }
        let program = dir.join("program");
        let manifest = format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}{libraries}",
            self.program_name()
        );
        write(&program.join("Cargo.toml"), &manifest)?;
        for (name, text) in PROGRAM {
            write(&program.join("src").join(name), text)?;
        }
        let clients =
            format!("use crate::client::Client;\n\npub(crate) fn all() -> Vec<Client> {{\n    vec![\n{all}    ]\n}}\n");
        write(&program.join("src/clients.rs"), &clients)
    }

    fn program_name(&self) -> String {
        format!("clients-of-{}", self.name)
    }

    /// Builds the program and returns its path.
    pub(super) fn build(&self) -> Result<PathBuf> {
        // The lock file is cut down to these members, so it cannot be used as it is; nothing is fetched anew.
        let output = crate::cargo::cargo()
            .args(["build", "--quiet", "--workspace", "--offline", "--manifest-path"])
            .arg(self.dir().join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", self.shared.join("target"))
            .env("RUSTFLAGS", "--cap-lints=warn")
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error")).take(5).collect();
            bail!("the clients of older revisions do not build, see {}:\n{}", self.dir().display(), errors.join("\n"));
        }
        let file = format!("{}{}", self.program_name(), std::env::consts::EXE_SUFFIX);
        Ok(self.shared.join("target/debug").join(file))
    }

    /// The crate's own dependencies, as its manifest has them.
    fn dependencies(&self) -> Result<Vec<(String, String)>> {
        let text = std::fs::read_to_string(self.package.join("Cargo.toml")).context("Cargo.toml")?;
        let manifest: toml::Table = toml::from_str(&text).context("Cargo.toml")?;
        let table = |value: Option<&toml::Value>| value.and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let shared = table(manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")));
        let mut out = Vec::new();
        for (name, how) in table(manifest.get("dependencies")) {
            if how.get("optional").is_some() {
                continue;
            }
            let how = if how.get("workspace").is_some() { inherited(shared.get(&name), &how)? } else { how };
            out.push((name, how.to_string()));
        }
        Ok(out)
    }
}

/// A dependency that takes its version from the workspace, with what it asks for itself.
fn inherited(shared: Option<&toml::Value>, own: &toml::Value) -> Result<toml::Value> {
    let mut whole = match shared.context("a shared dependency is missing")? {
        toml::Value::Table(table) => table.clone(),
        version => toml::Table::from_iter([("version".to_owned(), version.clone())]),
    };
    let features = |table: Option<&toml::Value>| table.and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let both = [features(whole.get("features")), features(own.get("features"))].concat();
    whole.insert("features".to_owned(), both.into());
    Ok(whole.into())
}

/// The function that reads the response of each operation as its type.
fn operations(surface: &Surface) -> String {
    let mut arms = String::new();
    for call in &surface.calls {
        let function = if call.response.list { "list" } else { "one" };
        let (title, target) = (super::title(call), &call.response.target);
        let _ = writeln!(arms, "        {title:?} => crate::{function}::<types::{target}>(body),");
    }
    format!(
        "use crate::{{Back, types}};\n\n\
         /// Reads the response of an operation.\n\
         pub fn read(operation: &str, body: &str) -> Back {{\n    match operation {{\n{arms}        \
         _ => Err(\"no operation of this revision\".to_owned()),\n    }}\n}}\n"
    )
}

/// Writes a file, unless that is what it holds: then it is not built again.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(path).ok().as_deref() == Some(text) {
        return Ok(());
    }
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text)).with_context(|| format!("cannot write {}", path.display()))
}

/// Copies a file, or what is in a folder, as `change` makes it; what the folder no longer holds goes from the copy.
pub(super) fn copy(from: &Path, to: &Path, change: &mut impl FnMut(String) -> String) -> Result<()> {
    if !from.is_dir() {
        let text = std::fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
        return write(to, &change(text));
    }
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()), change)?;
    }
    for entry in std::fs::read_dir(to).with_context(|| format!("cannot read {}", to.display()))? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            let path = entry.path();
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
