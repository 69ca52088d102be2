//! Responses with one value that does not fit: what a service sends by mistake, or in a form that nobody has seen.

use std::collections::HashSet;

use fastrand::Rng;
use serde_json::Value;

use crate::schema;

/// JSON of every type, with what is at the edge of it. No number has more digits than a JSON number carries.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "7",
    "-1.5",
    "0.1",
    "100.0",
    "-0.0",
    "1e300",
    "9007199254740993",
    "\"text\"",
    "\"\"",
    "\"\\u0000\"",
    "\"7\"",
    "\"2020-13-45T99:00:00Z\"",
    "\"P12345678.x\"",
    "[]",
    "[null]",
    "[[[]]]",
    "[{}, 7, \"x\"]",
    "{}",
    "{\"own\": 1}",
    "{\"type\": \"own\", \"id\": null}",
];

/// Damages the responses of one operation, rather where none was damaged before.
#[derive(Debug)]
pub(super) struct Damage {
    rng: Rng,
    /// The places that were damaged, without the numbers of entries.
    before: HashSet<String>,
}

impl Damage {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), before: HashSet::new() }
    }

    /// A copy in which one value is another, and its place as a JSON Pointer; none of what has no value in it.
    pub(super) fn of(&mut self, response: &Value) -> Option<(Value, String)> {
        let mut places = Vec::new();
        below(response, "", "", &mut places);
        let new: Vec<_> = places.iter().filter(|(_, path)| !self.before.contains(path)).collect();
        let (pointer, path) = self.rng.choice(if new.is_empty() { places.iter().collect() } else { new })?.clone();
        self.before.insert(path);
        let mut damaged = response.clone();
        let place = damaged.pointer_mut(&pointer)?;
        *place = serde_json::from_str(self.rng.choice(VALUES)?).ok()?;
        Some((damaged, pointer))
    }
}

/// The places below one: as they are, and without the numbers of entries.
fn below(value: &Value, pointer: &str, path: &str, out: &mut Vec<(String, String)>) {
    let mut add = |key: &str, step: &str, value| {
        let (pointer, path) = (format!("{pointer}/{key}"), format!("{path}/{step}"));
        below(value, &pointer, &path, out);
        out.push((pointer, path));
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let name = schema::escape(name);
            add(&name, &name, value);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| add(&index.to_string(), "[]", value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_is_another_and_each_place_has_its_turn() {
        let response = json!({ "a": { "b/c": [1, 2] }, "d": "e" });
        let mut damage = Damage::new(7);
        let mut places = HashSet::new();
        for _ in 0..4 {
            let (damaged, pointer) = damage.of(&response).unwrap();
            let mut mended = damaged.clone();
            *mended.pointer_mut(&pointer).unwrap() = response.pointer(&pointer).unwrap().clone();
            assert_eq!(mended, response, "{pointer}");
            places.insert(pointer.replace("/0", "/[]").replace("/1", "/[]"));
        }
        assert_eq!(places, ["/a", "/a/b~1c", "/a/b~1c/[]", "/d"].map(str::to_owned).into());
        assert_eq!(damage.of(&json!([])), None);
    }
}
