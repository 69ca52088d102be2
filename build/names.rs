//! Rust names for what the document names.

use std::collections::BTreeSet;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

/// The name of a field or a parameter, as progenitor gives it too; see [`super::structs`], which compares them.
pub fn field(json: &str) -> String {
    let plain: String = json.chars().filter(|letter| *letter != '\'').collect();
    let plain = plain.replace(|letter: char| !letter.is_alphanumeric() && letter != '_', "-");
    let mut name = plain.to_snake_case();
    if !name.starts_with(|first: char| first.is_alphabetic()) {
        name.insert(0, 'x');
    }
    if is_keyword(&name) {
        name.push('_');
    }
    name
}

/// The name of a type or variant that stands for an operation.
pub fn variant_of_id(id: &str) -> String {
    id.to_upper_camel_case()
}

fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

/// A variant for a value; a clash is settled by underscores, so that no value is ever left out.
pub fn variant(value: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for word in value.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let shouted = !word.chars().any(|letter| letter.is_ascii_lowercase());
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters.map(|letter| if shouted { letter.to_ascii_lowercase() } else { letter }));
    }
    if name.is_empty() {
        name.push_str("Empty");
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) || name == "Self" {
        name.insert(0, 'V');
    }
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// Names that every type or trait of ours has a use for: a setter of that name would hide it.
const TAKEN: [&str; 19] = [
    "borrow",
    "borrow_mut",
    "builder",
    "build",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "default",
    "deserialize",
    "eq",
    "fmt",
    "into",
    "new",
    "partial_cmp",
    "serialize",
    "to_owned",
    "try_into",
    "type_id",
];

/// The setter of a field.
pub fn setter(field: &str) -> String {
    if TAKEN.contains(&field) { format!("with_{field}") } else { field.to_owned() }
}
