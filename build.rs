//! Generates the bindings from `spec/dintero.json` into `OUT_DIR`; `src/generated.rs` includes them.

use std::path::Path;

#[path = "build/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tasks in `xtask` use these modules too")]
mod bindings;

const DOCUMENT: &str = "spec/dintero.json";

fn main() {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let schemars = std::env::var_os("CARGO_FEATURE_SCHEMARS").is_some();
    if let Err(message) = run(schemars) {
        println!("cargo::error={}", message.replace('\n', " "));
        std::process::exit(1);
    }
}

fn run(schemars: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(DOCUMENT).map_err(|error| format!("cannot read {DOCUMENT}: {error}"))?;
    let bindings = bindings::generate(&text, schemars).map_err(|message| format!("{DOCUMENT}: {message}"))?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    for (name, text) in &bindings.files {
        std::fs::write(Path::new(&out).join(name), text).map_err(|error| format!("cannot write {name}: {error}"))?;
    }
    Ok(())
}
