//! Texts to be written: a stub in `spec/descriptions.yaml` for everything that is new and that nothing describes.
//!
//! A stub says what it is a stub of, is never taken for a text, and fails `cargo xtask regen --check` by its name.

use serde_json::Value;

use crate::passes::describe::{Descriptions, STUB};

/// What `document` has and `texts` do not describe, as the way to its entry; `known` is left out.
#[must_use]
pub(super) fn missing(document: &Value, texts: &Descriptions, known: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut all = texts.missing(document);
    all.retain(|entry| !known.contains(entry));
    all
}

/// The descriptions with a stub for each of `entries`, in its place by the alphabet; everything else stays as it is.
#[must_use]
pub(super) fn insert(text: &str, entries: &[Vec<String>], since: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for entry in entries {
        put(&mut lines, entry, &format!("'{STUB} new on {since}'"));
    }
    lines.join("\n") + "\n"
}

/// The descriptions without the stubs at `entries`, and without what holds nothing then.
#[must_use]
pub(super) fn remove(text: &str, entries: &[Vec<String>]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for entry in entries {
        take(&mut lines, entry);
    }
    lines.join("\n") + "\n"
}

fn take(lines: &mut Vec<String>, path: &[String]) {
    let mut above = Vec::new();
    let (mut start, mut end) = (0, lines.len());
    for (depth, name) in path.iter().enumerate() {
        let is_it = |line: &String| key_at(line, depth * 2).as_deref() == Some(name);
        let Some(place) = lines.iter().take(end).skip(start).position(is_it) else { return };
        above.push(start + place);
        start += place + 1;
        end = end_of(lines, start, end, depth * 2);
    }
    let mut is_leaf = true;
    while let Some(index) = above.pop() {
        let depth = above.len();
        let end = end_of(lines, index + 1, lines.len(), depth * 2);
        let is_empty = lines.iter().take(end).skip(index + 1).all(|line| line.trim().is_empty());
        if !is_leaf && !is_empty {
            break;
        }
        if depth == 0 {
            // A section says that it holds nothing.
            if let Some(line) = lines.get_mut(index) {
                line.push_str(" {}");
            }
            break;
        }
        lines.remove(index);
        is_leaf = false;
    }
}

/// Where the block ends that begins at a line: before the first line that is indented by no more than `indent`.
fn end_of(lines: &[String], start: usize, end: usize, indent: usize) -> usize {
    let ends = |line: &String| !line.trim().is_empty() && !line.starts_with(&" ".repeat(indent + 1));
    lines.iter().take(end).skip(start).position(ends).map_or(end, |length| start + length)
}

fn put(lines: &mut Vec<String>, path: &[String], value: &str) {
    let (mut start, mut end) = (0, lines.len());
    for (depth, name) in path.iter().enumerate() {
        let indent = depth * 2;
        let mut place = None;
        let mut found = None;
        for (index, line) in lines.iter().enumerate().take(end).skip(start) {
            let Some(key) = key_at(line, indent) else { continue };
            if key == *name {
                found = Some(index);
                break;
            }
            // The sections at the top have an order of their own.
            if depth > 0 && key > *name && place.is_none() {
                place = Some(index);
            }
        }
        let Some(index) = found else {
            let mut at = place.unwrap_or(end);
            while place.is_none() && at > start && lines.get(at - 1).is_some_and(|line| line.trim().is_empty()) {
                at -= 1;
            }
            for (depth, name) in path.iter().enumerate().skip(depth) {
                let value = if depth + 1 == path.len() { format!(" {value}") } else { String::new() };
                lines.insert(at, format!("{}{}:{value}", " ".repeat(depth * 2), quoted(name)));
                at += 1;
            }
            return;
        };
        if let Some(line) = lines.get_mut(index).filter(|line| line.ends_with(" {}")) {
            line.truncate(line.len() - 3);
        }
        start = index + 1;
        end = end_of(lines, start, end, indent);
    }
}

/// The key of a line that is indented by just so much.
fn key_at(line: &str, indent: usize) -> Option<String> {
    let rest = line.strip_prefix(&" ".repeat(indent))?;
    if rest.starts_with([' ', '#', '-']) {
        return None;
    }
    if let Some(quoted) = rest.strip_prefix('\'') {
        return Some(quoted.split_once("':")?.0.replace("''", "'"));
    }
    rest.strip_prefix('"').map_or_else(
        || Some(rest.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '))?.0.to_owned()),
        |quoted| Some(quoted.split_once("\":")?.0.to_owned()),
    )
}

fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if plain && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_stands_in_its_place_and_moves_nothing_else() {
        let text = "# Head\noperations: {}\n\ntypes:\n  Card:\n    about: |\n      The card:\n      all of it.\n    fields:\n      brand: B.\n      eci: E.\n  Store:\n    about: S.\n\nfields:\n  id: I.\n";
        let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let entries = [
            path(&["types", "Card", "fields", "country"]),
            path(&["types", "Card", "fields", "x:y"]),
            path(&["types", "Order", "about"]),
            path(&["types", "Store", "fields", "name"]),
            path(&["operations", "get_x"]),
            path(&["parameters", "limit"]),
        ];
        let written = insert(text, &entries, "2026-01-02");
        let stub = "'STUB: new on 2026-01-02'";
        let expected = format!(
            "# Head\noperations:\n  get_x: {stub}\n\ntypes:\n  Card:\n    about: |\n      The card:\n      all of it.\n    fields:\n      brand: B.\n      country: {stub}\n      eci: E.\n      'x:y': {stub}\n  Order:\n    about: {stub}\n  Store:\n    about: S.\n    fields:\n      name: {stub}\n\nfields:\n  id: I.\nparameters:\n  limit: {stub}\n"
        );
        assert_eq!(written, expected);
        assert!(Descriptions::parse(&written).is_ok());
        assert_eq!(insert(&written, &entries, "2027-01-01"), written, "what is there stays");
        let without = remove(&written, &entries);
        assert!(!without.contains(STUB) && Descriptions::parse(&without).is_ok(), "{without}");
        assert_eq!(remove(&without, &entries), without);
    }
}
