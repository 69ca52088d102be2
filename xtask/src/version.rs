//! The version of the crate, whose build metadata is the date of the interface that it is generated from.

use std::path::Path;

use anyhow::{Context, Result, bail};
use toml_edit::{DocumentMut, Item, value};

/// Writes the date into the manifest and the lock file of a workspace, and returns the names of the files that changed.
///
/// # Errors
/// When one of them cannot be read or written, or has no version to be dated.
pub fn date(root: &Path, date: &str) -> Result<Vec<&'static str>> {
    let mut changed = Vec::new();
    for (name, dated) in dated(root, date)? {
        let path = root.join(name);
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&dated) {
            std::fs::write(&path, dated).with_context(|| format!("cannot write {name}"))?;
            changed.push(name);
        }
    }
    Ok(changed)
}

/// Checks that the version names the date.
///
/// # Errors
/// Names the file that does not, and the command that mends it.
pub fn check(root: &Path, date: &str) -> Result<()> {
    for (name, dated) in dated(root, date)? {
        if read(root, name)? != dated {
            bail!("the version in {name} is not dated {date}: run `cargo xtask regen --pinned`");
        }
    }
    Ok(())
}

fn read(root: &Path, name: &str) -> Result<String> {
    std::fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))
}

fn dated(root: &Path, date: &str) -> Result<[(&'static str, String); 2]> {
    let mut manifest: DocumentMut = read(root, "Cargo.toml")?.parse().context("Cargo.toml")?;
    let package = manifest.get_mut("package").context("Cargo.toml has no package")?;
    let name = package.get("name").and_then(Item::as_str).context("the package has no name")?.to_owned();
    let version = package.get_mut("version").context("the package has no version")?;
    let dated = with_date(version.as_str().context("the package has no version of its own")?, date);
    *version = value(&dated);

    let mut lock: DocumentMut = read(root, "Cargo.lock")?.parse().context("Cargo.lock")?;
    let packages = lock.get_mut("package").and_then(Item::as_array_of_tables_mut).context("Cargo.lock is empty")?;
    // What comes from a registry has a source.
    let own = |package: &&mut toml_edit::Table| {
        package.get("name").and_then(Item::as_str) == Some(&name) && !package.contains_key("source")
    };
    let own = packages.iter_mut().find(own).with_context(|| format!("Cargo.lock has no {name}"))?;
    own["version"] = value(&dated);
    Ok([("Cargo.toml", manifest.to_string()), ("Cargo.lock", lock.to_string())])
}

/// The version with other build metadata.
pub(crate) fn with_date(version: &str, date: &str) -> String {
    format!("{}+{date}", version.split('+').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "# First.\n[package]\nname = \"shop\"\nversion = \"0.3.1\"\n\n[dependencies]\na = \"1\" # why\n";
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"0.2.0\"\nsource = \"registry\"\n\n\
                        [[package]]\nname = \"shop\"\nversion = \"0.3.1\"\ndependencies = [\n \"a\",\n]\n";

    #[test]
    fn the_date_replaces_the_date_before_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("Cargo.toml"), MANIFEST).unwrap();
        std::fs::write(root.path().join("Cargo.lock"), LOCK).unwrap();
        for day in ["2026-04-19", "2026-05-07"] {
            let error = check(root.path(), day).unwrap_err();
            assert!(error.to_string().contains("Cargo.toml is not dated"), "{error}");
            assert_eq!(date(root.path(), day).unwrap(), ["Cargo.toml", "Cargo.lock"]);
            check(root.path(), day).unwrap();
            assert_eq!(date(root.path(), day).unwrap(), <[&str; 0]>::default());
        }
        let text = |name| read(root.path(), name).unwrap();
        assert_eq!(text("Cargo.toml"), MANIFEST.replace("0.3.1", "0.3.1+2026-05-07"));
        assert_eq!(text("Cargo.lock"), LOCK.replace("0.3.1", "0.3.1+2026-05-07"));
    }
}
