//! One minimal pair of documents for every rule, and the mirror of each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xtask::drift::compare;
use xtask::drift::report::Section;
use xtask::drift::rules::{Additional, Direction, Edit, Flag, Kind, Move, Noun, Rule};
use xtask::drift::verdict::Caller;
use xtask::model::{Choice, Limit};

use crate::agreement::verify;
use crate::oracle::Flattened;

/// A document with one operation; `edit` makes it the one that is needed.
pub(crate) fn document(edit: impl FnOnce(&mut Value)) -> Value {
    let mut operation = json!({ "operationId": "make_thing", "responses": { "200": { "description": "" } } });
    edit(&mut operation);
    json!({
        "openapi": "3.0.3",
        "info": { "title": "", "version": "1" },
        "servers": [{ "url": "https://a.example" }],
        "security": [{ "bearer": [] }],
        "paths": { "/things/{id}": { "post": operation } },
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" }, "key": { "type": "apiKey", "in": "header", "name": "k" } },
            "schemas": {
                "A": { "type": "object", "properties": { "a": { "type": "string" } } },
                "B": { "type": "object", "properties": { "b": { "type": "number" } } },
            },
        },
    })
}

fn body(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// A document in which a schema stands where the noun and the direction want it.
fn with_schema(noun: Noun, direction: Direction, schema: &Value) -> Value {
    let inner = if noun == Noun::Property {
        json!({ "type": "object", "properties": { "p": schema } })
    } else {
        schema.clone()
    };
    let mut made = document(|operation| match noun {
        Noun::Parameter => operation["parameters"] = json!([{ "name": "q", "in": "query", "schema": schema }]),
        Noun::Header => operation["responses"]["200"]["headers"] = json!({ "X-H": { "schema": schema } }),
        _ => {
            let shared = json!({ "$ref": "#/components/schemas/Shared" });
            if direction != Direction::Response {
                operation["requestBody"] = json!({ "content": body(shared.clone()) });
            }
            if direction != Direction::Request {
                operation["responses"]["200"]["content"] = body(shared);
            }
        }
    });
    made["components"]["schemas"]["Shared"] = inner;
    made
}

/// What a schema looks like before and after a change of a kind that happens inside of schemas.
fn schemas(kind: Kind) -> Option<(Value, Value)> {
    let with = |key: &str, value: Value| {
        let mut schema = json!({ "type": "string" });
        schema[key] = value;
        schema
    };
    let text = || json!({ "type": "string" });
    let mapping = |property: &str, mapping: Value| json!({ "type": "object", "discriminator": { "propertyName": property, "mapping": mapping } });
    let (a, b) = ("#/components/schemas/A", "#/components/schemas/B");
    let edited = |edit: Edit, key: &str, first: Value, second: Value| match edit {
        Edit::Added => (text(), with(key, first)),
        Edit::Removed => (with(key, first), text()),
        Edit::Changed => (with(key, first), with(key, second)),
    };
    let swap = |(a, b): (Value, Value)| (b, a);
    Some(match kind {
        Kind::Type => (text(), json!({ "type": "array", "items": { "type": "string" } })),
        Kind::Format(edit) => edited(edit, "format", json!("uuid"), json!("uri")),
        Kind::Pattern(edit) => edited(edit, "pattern", json!("^a"), json!("^b")),
        Kind::MultipleOf(edit) => edited(edit, "multipleOf", json!(5), json!(0.5)),
        Kind::Default(edit) => edited(edit, "default", json!("a"), json!(null)),
        Kind::Not(edit) => edited(edit, "not", json!({ "enum": ["a"] }), json!({ "enum": ["b"] })),
        Kind::Limit(limit, moved) => {
            let at = |number: i64| with(limit.keyword(), json!(number));
            match moved {
                Move::Set => (text(), at(5)),
                Move::Unset => (at(5), text()),
                Move::Increased => (at(5), at(6)),
                Move::Decreased => (at(5), at(4)),
            }
        }
        Kind::EnumValue(Edit::Added) => (with("enum", json!(["a"])), with("enum", json!(["b", "a"]))),
        Kind::Enum(Edit::Added) => (text(), with("enum", json!(["a"]))),
        Kind::EnumValue(_) | Kind::Enum(_) => swap(schemas(kind.mirror())?),
        Kind::Flag(flag, on) => {
            let key = match flag {
                Flag::Nullable => "nullable",
                Flag::ReadOnly => "readOnly",
                Flag::WriteOnly => "writeOnly",
                Flag::UniqueItems => "uniqueItems",
                Flag::Deprecated => "deprecated",
            };
            (with(key, json!(!on)), with(key, json!(on)))
        }
        Kind::Additional(additional) => {
            let rest = |rest: Value| json!({ "type": "object", "additionalProperties": rest });
            match additional {
                Additional::Forbidden => (json!({ "type": "object" }), rest(json!(false))),
                Additional::Allowed => (rest(json!(false)), rest(json!({}))),
                Additional::Typed => (rest(json!(true)), rest(text())),
                Additional::Untyped => (rest(text()), json!({ "type": "object" })),
            }
        }
        Kind::Items(Edit::Added) => (json!({ "type": "array" }), json!({ "type": "array", "items": text() })),
        Kind::Items(_) => swap(schemas(kind.mirror())?),
        Kind::Alternative(choice, edit) => {
            let key = if choice == Choice::OneOf { "oneOf" } else { "anyOf" };
            let of = |names: &[&str]| {
                let alternatives: Vec<Value> = names.iter().map(|name| json!({ "type": name })).collect();
                json!({ key: alternatives })
            };
            match edit {
                Edit::Added => (of(&["string", "number"]), of(&["number", "boolean", "string"])),
                Edit::Removed => (of(&["string", "number", "boolean"]), of(&["number", "string"])),
                Edit::Changed => (of(&["string", "number"]), of(&["boolean", "string"])),
            }
        }
        Kind::Became(choice) => {
            let of = |key: &str| json!({ key: [{ "type": "string" }, { "type": "number" }] });
            if choice == Choice::AnyOf { (of("oneOf"), of("anyOf")) } else { (of("anyOf"), of("oneOf")) }
        }
        Kind::Discriminator(edit) => match edit {
            Edit::Added => (json!({ "type": "object" }), mapping("t", json!({ "a": a }))),
            Edit::Removed => (mapping("t", json!({ "a": a })), json!({ "type": "object" })),
            Edit::Changed => (mapping("t", json!({ "a": a })), mapping("u", json!({ "a": a }))),
        },
        Kind::Mapping(edit) => match edit {
            Edit::Added => (mapping("t", json!({ "a": a })), mapping("t", json!({ "a": a, "b": b }))),
            Edit::Removed => (mapping("t", json!({ "a": a, "b": b })), mapping("t", json!({ "a": a }))),
            Edit::Changed => (mapping("t", json!({ "a": a })), mapping("t", json!({ "a": b }))),
        },
        _ => return None,
    })
}

/// The two documents for a rule.
fn pair(rule: Rule) -> (Value, Value) {
    let Rule { kind, noun, direction } = rule;
    let swap = |(a, b): (Value, Value)| (b, a);
    if let (true, Some((before, after))) = (noun != Noun::Endpoint, schemas(kind)) {
        return (with_schema(noun, direction, &before), with_schema(noun, direction, &after));
    }
    let plain = || document(|_| {});
    let with = |edit: &dyn Fn(&mut Value)| document(edit);
    let parameter = |edit: &dyn Fn(&mut Value)| {
        document(|operation| {
            let mut parameter = json!({ "name": "q", "in": "query", "schema": { "type": "string" } });
            edit(&mut parameter);
            operation["parameters"] = json!([parameter]);
        })
    };
    let header = |edit: &dyn Fn(&mut Value)| {
        document(|operation| {
            let mut header = json!({ "schema": { "type": "string" } });
            edit(&mut header);
            operation["responses"]["200"]["headers"] = json!({ "X-H": header });
        })
    };
    let object = |required: bool| {
        let names = if required { json!(["p"]) } else { json!([]) };
        with_schema(
            Noun::Body,
            direction,
            &json!({ "type": "object", "required": names, "properties": { "p": { "type": "string" } } }),
        )
    };
    let root = |edit: &dyn Fn(&mut Value)| {
        let mut made = plain();
        edit(&mut made);
        made
    };
    match (kind, noun) {
        (Kind::Member { edit: Edit::Added, required }, Noun::Property) => {
            (with_schema(Noun::Body, direction, &json!({ "type": "object" })), object(required))
        }
        (Kind::Member { edit: Edit::Added, required }, Noun::Parameter) => {
            (plain(), parameter(&|parameter| parameter["required"] = json!(required)))
        }
        (Kind::Member { edit: Edit::Added, required }, Noun::Header) => {
            (plain(), header(&|header| header["required"] = json!(required)))
        }
        (Kind::Member { edit: Edit::Added, required }, _) => (
            plain(),
            with(&|operation| operation["requestBody"] = json!({ "required": required, "content": body(json!({})) })),
        ),
        (Kind::Required(true), Noun::Property) => (object(false), object(true)),
        (Kind::Required(true), Noun::Parameter) => {
            (parameter(&|_| ()), parameter(&|parameter| parameter["required"] = json!(true)))
        }
        (Kind::Required(true), Noun::Header) => (header(&|_| ()), header(&|header| header["required"] = json!(true))),
        (Kind::Required(true), _) => (
            with(&|operation| operation["requestBody"] = json!({ "content": body(json!({})) })),
            with(&|operation| operation["requestBody"] = json!({ "required": true, "content": body(json!({})) })),
        ),
        (Kind::Style, Noun::Header) => (header(&|_| ()), header(&|header| header["style"] = json!("other"))),
        (Kind::Style, _) => (parameter(&|_| ()), parameter(&|parameter| parameter["style"] = json!("deepObject"))),
        (Kind::Explode, Noun::Header) => (header(&|_| ()), header(&|header| header["explode"] = json!(true))),
        (Kind::Explode, _) => (parameter(&|_| ()), parameter(&|parameter| parameter["explode"] = json!(false))),
        (Kind::AllowReserved(true), _) => {
            (parameter(&|_| ()), parameter(&|parameter| parameter["allowReserved"] = json!(true)))
        }
        (Kind::AllowEmptyValue(true), _) => {
            (parameter(&|_| ()), parameter(&|parameter| parameter["allowEmptyValue"] = json!(true)))
        }
        (Kind::Location, _) => (parameter(&|_| ()), parameter(&|parameter| parameter["in"] = json!("header"))),
        (Kind::MediaType(edit), _) => {
            let holder = |names: &[&str]| {
                let content: serde_json::Map<String, Value> =
                    names.iter().map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string" } }))).collect();
                with(&|operation| {
                    if direction != Direction::Response {
                        operation["requestBody"] = json!({ "content": content });
                    }
                    if direction != Direction::Request {
                        operation["responses"]["200"]["content"] = json!(content);
                    }
                })
            };
            match edit {
                Edit::Added => (holder(&["text/plain"]), holder(&["application/json", "text/plain"])),
                Edit::Removed => (holder(&["application/json", "text/plain"]), holder(&["text/plain"])),
                Edit::Changed => (holder(&["application/json"]), holder(&["text/plain"])),
            }
        }
        (Kind::Encoding, _) => {
            let form = |style: &str| {
                with(&|operation| {
                    operation["requestBody"] = json!({ "content": { "application/x-www-form-urlencoded": {
                        "schema": { "type": "object" }, "encoding": { "p": { "style": style } } } } });
                })
            };
            (form("form"), form("spaceDelimited"))
        }
        (Kind::Flag(Flag::Deprecated, true), _) => (plain(), with(&|operation| operation["deprecated"] = json!(true))),
        (Kind::Status { edit: Edit::Added, success }, _) => {
            let status = if success { "202" } else { "404" };
            (plain(), with(&|operation| operation["responses"][status] = json!({ "description": "" })))
        }
        (Kind::Path(Edit::Added), _) => {
            let operation = json!({ "responses": {} });
            (plain(), root(&|made| made["paths"]["/more"] = json!({ "get": operation, "put": operation })))
        }
        (Kind::Operation(Edit::Added), _) => {
            (plain(), root(&|made| made["paths"]["/things/{id}"]["get"] = json!({ "responses": {} })))
        }
        (Kind::OperationId(edit), _) => {
            let without = || {
                with(&|operation| {
                    operation.as_object_mut().expect("an operation").remove("operationId");
                })
            };
            let other = || with(&|operation| operation["operationId"] = json!("other"));
            match edit {
                Edit::Added => (without(), plain()),
                Edit::Removed => (plain(), without()),
                Edit::Changed => (plain(), other()),
            }
        }
        (Kind::Security(edit), _) => {
            let of = |security: Value| root(&|made| made["security"] = security.clone());
            match edit {
                Edit::Added => (of(json!([])), of(json!([{ "bearer": [] }]))),
                Edit::Removed => (of(json!([{ "bearer": [] }])), of(json!([]))),
                Edit::Changed => (of(json!([{ "bearer": [] }])), of(json!([{ "key": [] }]))),
            }
        }
        (Kind::SecurityAlternative(Edit::Added), _) => {
            (plain(), root(&|made| made["security"] = json!([{ "bearer": [] }, { "key": [] }])))
        }
        (Kind::Server(edit), _) => {
            let of = |urls: &[&str]| {
                let servers: Vec<Value> = urls.iter().map(|url| json!({ "url": url })).collect();
                root(&|made| made["servers"] = json!(servers))
            };
            match edit {
                Edit::Added => (of(&["https://a.example"]), of(&["https://b.example", "https://a.example"])),
                Edit::Removed => (of(&["https://a.example", "https://b.example"]), of(&["https://b.example"])),
                Edit::Changed => (of(&["https://a.example"]), of(&["https://b.example"])),
            }
        }
        (kind, noun) => swap(pair(Rule { kind: kind.mirror(), noun, direction })),
    }
}

/// Proves of every rule that its pair shows it and nothing else, that the exchanged pair shows its mirror, and that the
/// facts written out agree with both.
#[test]
fn every_rule_has_a_pair_that_shows_it_alone() {
    let mut failures = Vec::new();
    for rule in Rule::all() {
        let (old, new) = pair(rule);
        for (old, new, expected) in [(&old, &new, rule.id()), (&new, &old, rule.mirror().id())] {
            let report = match compare(old, new) {
                Ok(report) => report,
                Err(error) => {
                    failures.push(format!("{expected}: {error}"));
                    continue;
                }
            };
            let found: Vec<&str> = report.changes.iter().map(|change| change.rule.as_str()).collect();
            if found != [expected.as_str()] {
                failures.push(format!("{expected}: reported {found:?}"));
            } else if report.changes[0].direction != rule.direction {
                failures.push(format!("{expected}: direction {:?}", report.changes[0].direction));
            }
            if let Err(problems) = verify(&Flattened::of(old), &Flattened::of(new), &report) {
                failures.push(format!("{expected}: {problems}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Proves that no two rules share an id, that the mirror of a mirror is the rule, and that every limit has its rules.
#[test]
fn rule_ids_are_unique_and_mirrors_lead_back() {
    let rules = Rule::all();
    let ids: BTreeSet<String> = rules.iter().map(Rule::id).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in &rules {
        assert_eq!(rule.mirror().mirror(), *rule);
        assert!(ids.contains(&rule.mirror().id()), "{} has no mirror", rule.id());
    }
    for limit in Limit::ALL {
        assert!(ids.contains(&format!("response-property-{}-set", limit.slug())), "{limit:?}");
    }
}

/// Proves the spelling and the verdicts of rules that users see most: these must not change by accident.
#[test]
fn ids_and_verdicts_that_users_rely_on() {
    use Caller::{Breaking, Compatible, Risky};
    let table = [
        ("request-property-became-required", Breaking, Section::Changed),
        ("response-property-became-optional", Breaking, Section::Changed),
        ("response-property-type-changed", Breaking, Section::Changed),
        ("response-property-enum-value-added", Risky, Section::Enums),
        ("request-property-enum-value-added", Compatible, Section::Enums),
        ("request-property-enum-value-removed", Breaking, Section::Enums),
        ("request-required-property-added", Breaking, Section::Added),
        ("response-optional-property-added", Compatible, Section::Added),
        ("response-required-property-removed", Breaking, Section::Removed),
        ("request-property-max-length-set", Breaking, Section::Changed),
        ("response-property-max-length-set", Compatible, Section::Changed),
        ("request-required-parameter-added", Breaking, Section::Added),
        ("api-operation-id-changed", Compatible, Section::Changed),
        ("api-operation-removed", Breaking, Section::Removed),
        ("api-security-removed", Breaking, Section::Removed),
        ("api-server-changed", Breaking, Section::Changed),
        ("response-success-status-added", Risky, Section::Added),
        ("property-type-changed", Breaking, Section::Changed),
        ("optional-property-added", Compatible, Section::Added),
        ("discriminator-mapping-added", Risky, Section::Added),
    ];
    for (id, caller, section) in table {
        let id = id.to_owned();
        let wanted = |rule: &&Rule| rule.id() == id || rule.id() == format!("property-{id}");
        let rule = *Rule::all().iter().find(wanted).unwrap_or_else(|| panic!("there is no rule {id}"));
        let (old, new) = pair(rule);
        let report = compare(&old, &new).expect("the pair can be compared");
        let change = &report.changes[0];
        assert_eq!((change.caller, change.section), (caller, section), "{id}");
    }
}

/// Proves that a type that takes in, or lies within, the other is told from one that does neither.
#[test]
fn widened_and_narrowed_types_break_one_direction_only() {
    let (wide, narrow) = (json!({ "type": "number" }), json!({ "type": "integer" }));
    let verdict = |direction, old, new| {
        let (old, new) = (with_schema(Noun::Property, direction, old), with_schema(Noun::Property, direction, new));
        let report = compare(&old, &new).expect("the pair can be compared");
        assert_eq!(report.changes.len(), 1);
        report.changes[0].caller
    };
    assert_eq!(verdict(Direction::Request, &narrow, &wide), Caller::Compatible);
    assert_eq!(verdict(Direction::Response, &narrow, &wide), Caller::Breaking);
    assert_eq!(verdict(Direction::Request, &wide, &narrow), Caller::Breaking);
    assert_eq!(verdict(Direction::Response, &wide, &narrow), Caller::Compatible);
}
