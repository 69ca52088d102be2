//! What requests are checked for, and how it differs: behaviour, which no code is written against.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::report::Section;
use super::super::verdict::Bump;
use super::{CALL, Differ, Found, Thing, held, item};
use crate::bindings::model::{Call, Kind, Shape, Surface};

/// Every rule of a call, by what it holds for and what it is called.
type Rules = BTreeMap<(Thing, String), String>;

pub(super) fn compare(differ: &mut Differ, old: &Surface, new: &Surface) {
    for before in &old.calls {
        // The rules of a call that came or went came or went with it.
        let Some(after) = new.calls.iter().find(|call| call.id == before.id) else { continue };
        let (was, is) = (rules(old, before), rules(new, after));
        let all: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        for key in all {
            let (thing, rule) = key;
            let what = match (was.get(key), is.get(key)) {
                (Some(one), Some(other)) if one == other => continue,
                (Some(one), Some(other)) => format!("{rule}{one} ->{other}"),
                (None, Some(other)) => format!("{rule}{other}"),
                (Some(one), None) => format!("no {rule}{one} any longer"),
                (None, None) => continue,
            };
            let item = item(new, thing).or_else(|| item(old, thing)).unwrap_or_default();
            let what = format!("checked before it is sent: {what}");
            differ.found.push(Found { thing: thing.clone(), item, bump: Bump::Patch, section: Section::Changed, what });
        }
    }
}

fn rules(surface: &Surface, call: &Call) -> Rules {
    let mut walk = Walk { surface, found: Rules::new() };
    let owner = format!("{CALL}{}", call.id);
    let Some(checks) = &call.checks else { return walk.found };
    for (name, tree) in entries(checks.get("parameters")) {
        walk.tree(tree, &(owner.clone(), name.clone()), None, "");
    }
    if let Some(body) = checks.get("body") {
        let kind = call.request.clone().map(Kind::Type);
        walk.tree(body, &(owner, String::new()), kind.as_ref(), "");
    }
    walk.found
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

struct Walk<'s> {
    surface: &'s Surface,
    found: Rules,
}

impl Walk<'_> {
    /// `rest` is the way from the thing, where it has no type that could be named.
    fn tree(&mut self, tree: &Value, thing: &Thing, kind: Option<&Kind>, rest: &str) {
        let shape = kind.and_then(held).and_then(|name| Some((name, &self.surface.find(name)?.shape)));
        for (key, rule) in entries(Some(tree)) {
            match key.as_str() {
                "properties" => {
                    for (name, child) in entries(Some(rule)) {
                        let field = match shape {
                            Some((owner, Shape::Struct { fields, .. })) => {
                                fields.iter().find(|field| field.json == *name).map(|field| (owner, field))
                            }
                            _ => None,
                        };
                        match field {
                            Some((owner, field)) => {
                                self.tree(child, &(owner.to_owned(), name.clone()), Some(&field.kind), "");
                            }
                            None => self.tree(child, thing, None, &format!("{rest}.{name}")),
                        }
                    }
                }
                "items" => {
                    let inner = match kind {
                        Some(Kind::List(inner)) => Some(&**inner),
                        _ => None,
                    };
                    self.tree(rule, thing, inner, &format!("{rest}[]"));
                }
                "additionalProperties" => {
                    let inner = match kind {
                        Some(Kind::Map(inner)) => Some(&**inner),
                        _ => None,
                    };
                    self.tree(rule, thing, inner, &format!("{rest}.*"));
                }
                "tagged" => {
                    for (tag, child) in entries(rule.get("variants")) {
                        let target = match shape {
                            Some((_, Shape::Choice { variants, .. })) => {
                                variants.iter().find(|variant| variant.tag == *tag).map(|it| it.target.clone())
                            }
                            _ => None,
                        };
                        self.tree(child, thing, target.map(Kind::Type).as_ref(), &format!("{rest}<{tag}>"));
                    }
                }
                // What a list asks for is in no order.
                "required" => {
                    for name in rule.as_array().into_iter().flatten().filter_map(Value::as_str) {
                        self.add(thing, kind, rest, &format!("required {name}"), "");
                    }
                }
                _ => self.add(thing, kind, rest, key, &rule.to_string()),
            }
        }
    }

    fn add(&mut self, thing: &Thing, kind: Option<&Kind>, rest: &str, rule: &str, value: &str) {
        let name = kind.and_then(held).filter(|name| {
            let shape = self.surface.find(name).map(|known| &known.shape);
            rest.is_empty() && matches!(shape, Some(Shape::Struct { .. }))
        });
        let (thing, rule) = match (rule.strip_prefix("required "), name) {
            // What an object has to hold is said of its field, wherever it stands.
            (Some(field), Some(name)) => ((name.to_owned(), field.to_owned()), "required".to_owned()),
            _ if rest.is_empty() => (thing.clone(), rule.to_owned()),
            _ => (thing.clone(), format!("{rule} at {rest}")),
        };
        let value = if value.is_empty() { String::new() } else { format!(" {value}") };
        self.found.insert((thing, rule), value);
    }
}
