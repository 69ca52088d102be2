//! Builders, as calls of the handwritten macro `builder!`, for types that require more than a constructor should take.
//!
//! Written as text, since a formatter of Rust code leaves what macros are given alone.

use std::fmt::Write as _;

use heck::ToUpperCamelCase as _;
use proc_macro2::TokenStream;

use super::model::{Construct, Field, Shape, Surface};
use super::rust::{self, Taken};

/// The builders of all types.
pub fn builders(surface: &Surface) -> String {
    let mut out = String::new();
    for known in &surface.types {
        let Shape::Struct { fields, keeps_unknown, construct: Construct::Builder { fields: asked }, .. } = &known.shape
        else {
            continue;
        };
        let names: Vec<String> = asked.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            out,
            "crate::types::builder! {{\n    /// Starts one. It requires {}; `build` is there once all are given.\n    \
             {name} by {name}Builder {{",
            names.join(", "),
            name = known.name,
        );
        fields.iter().filter(|field| asked.contains(&field.rust)).for_each(|field| write_field(&mut out, field));
        let rest = fields.iter().map(|field| field.rust.as_str()).filter(|name| !asked.iter().any(|one| one == name));
        let rest: Vec<&str> = rest.chain(keeps_unknown.then_some("extra")).collect();
        let _ = writeln!(out, "    }}\n    rest {{ {} }}\n}}", rest.join(" "));
    }
    out
}

fn write_field(out: &mut String, field: &Field) {
    for line in field.doc.trim().lines() {
        let _ = writeln!(out, "        /// {line}");
    }
    let (input, value) = rust::argument(field, Taken::ByName);
    let (kind, input, value) = (tidy(&rust::held(field)), tidy(&input), tidy(&value));
    // Told from the types, of which one may have the name of the field.
    let slot = format!("Given{}", field.rust.to_upper_camel_case());
    let _ = writeln!(out, "        {} as {slot}: {kind} = {input} => {value};", field.rust);
}

/// Tokens as a person would space them.
fn tidy(tokens: &TokenStream) -> String {
    let mut text = tokens.to_string();
    for (wide, narrow) in
        [(" < ", "<"), (" >", ">"), (" . ", "."), (" :: ", "::"), (" (", "("), (" ,", ","), ("< ", "<")]
    {
        text = text.replace(wide, narrow);
    }
    text
}
