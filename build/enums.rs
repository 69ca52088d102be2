//! Enums and choices, as calls of the handwritten macros `open_enum!` and `tagged_enum!`.
//!
//! Written as text, since a formatter of Rust code leaves what macros are given alone.

use std::fmt::Write as _;

use super::model::{Shape, Surface};

/// The enums of all types.
pub fn enums(surface: &Surface) -> String {
    let mut out = String::new();
    for known in &surface.types {
        let Shape::Enum { values } = &known.shape else { continue };
        let variants = values.iter().map(|value| (value.json.as_str(), value.rust.clone()));
        write_call(&mut out, "open_enum", &known.doc, &known.name, variants);
    }
    out
}

/// The choices of all types.
pub fn choices(surface: &Surface) -> String {
    let mut out = String::new();
    for known in &surface.types {
        let Shape::Choice { property, variants } = &known.shape else { continue };
        let variants = variants
            .iter()
            .map(|variant| (variant.tag.as_str(), format!("{}(crate::types::{})", variant.rust, variant.target)));
        write_call(&mut out, "tagged_enum", &known.doc, &format!("{} by {property:?}", known.name), variants);
    }
    out
}

fn write_call<'a>(
    out: &mut String,
    name: &str,
    doc: &str,
    head: &str,
    variants: impl Iterator<Item = (&'a str, String)>,
) {
    let _ = writeln!(out, "crate::types::{name}! {{");
    for line in doc.trim().lines() {
        let _ = writeln!(out, "    /// {line}");
    }
    let _ = writeln!(out, "    pub enum {head} {{");
    for (json, variant) in variants {
        let _ = writeln!(out, "        #[doc = {:?}]\n        {variant} = {json:?},", format!("`{json}`"));
    }
    out.push_str("    }\n}\n");
}
