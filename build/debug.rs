//! `Debug` of the structs: which fields are there, and the values of those that may be shown.

use super::model::{Field, Kind, Presence, Shape, Surface};
use super::table;

/// `Debug` of all structs, as the macro of `src/types/redact.rs` takes it.
pub fn all(surface: &Surface) -> String {
    let rows = surface.types.iter().filter_map(|known| {
        let Shape::Struct { fields, keeps_unknown, .. } = &known.shape else { return None };
        let extra = keeps_unknown.then(|| "extra list,".to_owned());
        Some((known.name.clone(), fields.iter().map(part).chain(extra).collect()))
    });
    table::call("crate::types::redact::debug", rows)
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
