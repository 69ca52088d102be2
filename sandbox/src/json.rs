//! Small readers for loosely typed JSON, so that no other module indexes into it.

use serde_json::{Map, Value};

/// The text at a pointer such as `/order/currency`.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// The whole number at a pointer.
pub(crate) fn whole(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer)?.as_i64()
}

/// The elements at a pointer; none when there is no array.
pub(crate) fn elements<'v>(value: &'v Value, pointer: &str) -> std::slice::Iter<'v, Value> {
    value.pointer(pointer).and_then(Value::as_array).map(|elements| elements.iter()).unwrap_or_default()
}

/// Copies the fields that are there from one object to another.
pub(crate) fn copy(from: &Value, to: &mut Map<String, Value>, fields: &[&str]) {
    for field in fields {
        if let Some(value) = from.get(field) {
            to.insert((*field).into(), value.clone());
        }
    }
}

/// A JSON merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
