//! `Debug` of the structs: which fields are there, and the values of those that may be shown.

use super::model::{Field, Kind, Presence, Shape, Surface};

/// Columns of a line.
const WIDTH: usize = 120;

/// `Debug` of all structs, as the macro of `src/types/redact.rs` takes it.
pub fn all(surface: &Surface) -> String {
    let mut out = String::from("crate::types::redact::debug! {\n");
    for known in &surface.types {
        let Shape::Struct { fields, keeps_unknown, .. } = &known.shape else { continue };
        let extra = keeps_unknown.then(|| "extra list,".to_owned());
        let mut line = format!("    {} {{", known.name);
        for word in fields.iter().map(part).chain(extra).chain(["}".to_owned()]) {
            if line.len() + 1 + word.len() > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line = "       ".to_owned();
            }
            line.push(' ');
            line.push_str(&word);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("}\n");
    out
}

/// A field: its name, what it is told by that it is there, and whether it is shown.
fn part(field: &Field) -> String {
    let presence = match (field.presence, &field.kind) {
        (Presence::Optional, _) => "optional",
        (Presence::Defaulted, _) | (_, Kind::List(_) | Kind::Map(_) | Kind::JsonObject) => "list",
        (Presence::Required, _) => "required",
    };
    format!("{} {presence}{},", field.rust, if field.printed { " shown" } else { "" })
}
