//! Documents as upstream writes them.

use serde_json::{Map, Value};

/// The pinned slice as YAML, its parts in the order given: which of them is last decides what a cut takes away.
pub(crate) fn yaml(document: &Value, order: [&str; 5]) -> String {
    let part = |key: &str| -> String {
        let one: Map<String, Value> = [(key.to_owned(), document[key].clone())].into_iter().collect();
        serde_saphyr::to_string(&one).expect("JSON can be written as YAML")
    };
    format!("openapi: 3.0.3\n{}", order.map(part).concat())
}

pub(crate) const COMPONENTS_LAST: [&str; 5] = ["info", "servers", "security", "paths", "components"];
pub(crate) const PATHS_LAST: [&str; 5] = ["info", "servers", "security", "components", "paths"];
