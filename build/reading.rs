//! `Deserialize` of the structs: where each field goes, and which of them a type can do without.

use super::model::{Field, Kind, Presence, Shape, Surface};
use super::table;

/// `Deserialize` of all structs, as the macro of `src/read/object.rs` takes it.
pub fn all(surface: &Surface) -> String {
    let rows = surface.types.iter().filter_map(|known| {
        let Shape::Struct { fields, keeps_unknown, .. } = &known.shape else { return None };
        let cells = fields
            .iter()
            .enumerate()
            .map(|(number, field)| format!("{number} {} {:?} {},", field.rust, field.json, seed(field)));
        let extra = if *keeps_unknown { " extra" } else { "" };
        Some((format!("{}{extra}", known.name), cells.collect()))
    });
    table::call("crate::read::object::objects", rows)
}

/// How a field is read; `src/read/field.rs` has the seeds.
fn seed(field: &Field) -> &'static str {
    match (field.presence, &field.kind) {
        (Presence::Optional | Presence::Defaulted, _) => "Kept",
        (Presence::Required, Kind::List(_) | Kind::Map(_)) => "Entries",
        (Presence::Required, _) => "Required",
    }
}
