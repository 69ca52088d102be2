//! What a client loses is seen: one that is as it should be, and clients that were tampered with, read the same
//! responses of a later revision, and the list that is reviewed differs where it has to.

use serde_json::json;
use xtask::regen::Spec;
use xtask::timetravel::{Client, Pair, Revision, review, travel};

/// Two revisions of one call: four enums get a value, a field of a list's entries another type, and one field is new.
fn revision(date: &str, is_later: bool) -> Revision {
    let text = json!({ "type": "string" });
    let values = |name: &str| {
        let later = is_later.then(|| format!("{name}_NEW"));
        let all: Vec<String> = [format!("{name}_A"), format!("{name}_B")].into_iter().chain(later).collect();
        json!({ "type": "string", "enum": all })
    };
    let mut event = json!({ "type": "object", "properties": {
        "event": values("EVENT"), "origin": values("ORIGIN"), "code": text, "at": { "type": "string", "format": "date-time" },
    } });
    let mut transaction = json!({ "type": "object", "required": ["amount", "currency"], "properties": {
        "amount": { "type": "number" },
        "currency": { "type": "string" },
        "status": values("STATUS"),
        "store_type": values("STORE"),
        "note": text,
        "events": { "type": "array", "items": { "$ref": "#/components/schemas/Event" } },
    } });
    if is_later {
        event["properties"]["code"] = json!({ "type": "integer" });
        transaction["properties"]["channel"] = text;
    }
    let response = json!({ "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Transaction" } } } });
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    let slice = json!({
        "openapi": "3.0.3",
        "info": { "title": "t", "version": date },
        "paths": { "/transactions/{id}": { "get": { "operationId": "get", "parameters": [id], "responses": { "200": response } } } },
        "components": { "schemas": { "Transaction": transaction, "Event": event } },
    });
    Revision { date: date.to_owned(), slice }
}

/// A folder with an overlay.
fn spec() -> (tempfile::TempDir, Spec) {
    let dir = tempfile::tempdir().unwrap();
    let overlay = json!({
        "money": ["amount"],
        "typed": { "TransactionId": ["/transactions/{}"] },
        "operations": { "get_transaction": { "call": "GET /transactions/{id}", "retry": "read", "x-method": "transactions.get" } },
        "types": { "Transaction": "get_transaction.response.$", "Event": "get_transaction.response.$.events[]" },
    });
    std::fs::write(dir.path().join("overlay.yaml"), overlay.to_string()).unwrap();
    std::fs::write(dir.path().join("descriptions.yaml"), "operations: {}\n").unwrap();
    let spec = Spec::at(dir.path());
    (dir, spec)
}

/// Edits a generated file; what is to be edited has to be there.
fn edit(client: &mut Client, file: &str, change: impl Fn(&str) -> String) {
    let (_, text) = client.files.iter_mut().find(|(name, _)| name == file).unwrap();
    let changed = change(text);
    assert_ne!(*text, changed, "{file} is not edited");
    *text = changed;
}

/// An enum that knows no other values.
const CLOSED: &str = r#"
macro_rules! closed_enum {
    ($(#[$attr:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant,)* }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { ::std::fmt::Debug::fmt(self, f) }
        }
        impl ::std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> { match text { $($text => Ok(Self::$variant),)* _ => Err(text.into()) } }
        }
    };
}
"#;

/// A list that is read as a whole or not at all.
const WHOLE: &str = r#"
#[derive(Clone, PartialEq, ::serde::Serialize)]
pub struct Whole(Vec<Event>);

impl<'de> ::serde::Deserialize<'de> for Whole {
    fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(from)?;
        ::serde_json::from_value(value).map(Self).map_err(|_| ::serde::de::Error::custom("expected a list of events"))
    }
}

impl crate::types::redact::Hide for Whole {
    fn hide(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str("[]") }
}
"#;

fn clients(spec: &Spec, older: &Revision) -> Vec<Client> {
    let named = |name: &str, spec: &Spec| {
        let mut client = Client::new(spec, older).unwrap();
        client.name = name.to_owned();
        client
    };
    let mut closed = named("closed", spec);
    edit(&mut closed, "enums.rs", |text| CLOSED.to_owned() + &text.replace("crate::types::open_enum!", "closed_enum!"));
    let mut whole = named("whole", spec);
    edit(&mut whole, "types.rs", |text| {
        let list = "skip_serializing_if = \"::std::vec::Vec::is_empty\")]\n    pub events: ::std::vec::Vec<Event>";
        let option = "skip_serializing_if = \"::std::option::Option::is_none\")]\n    pub events: Option<Whole>";
        text.replace(list, option) + WHOLE
    });
    edit(&mut whole, "debug.rs", |text| text.replace("events list shown,", "events optional,"));
    // What the overlay removes is in the slice and not in what is generated of it.
    let mut curated = older.clone();
    curated.slice["components"]["schemas"]["Transaction"]["properties"].as_object_mut().unwrap().remove("note");
    let mut removed = Client::new(spec, &curated).unwrap();
    removed.name = "removed".to_owned();
    let plain = named("plain", spec);
    removed.document.clone_from(&plain.document);
    vec![plain, closed, whole, removed]
}

#[test]
#[ignore = "builds clients of their own: the job `long` runs it"]
fn what_a_client_loses_is_in_the_list() {
    let (_dir, spec) = spec();
    let revisions = [revision("2026-01-01", false), revision("2026-02-02", true)];
    let pairs = travel("edits", &spec, &clients(&spec, &revisions[0]), &revisions, 40, 1).unwrap();
    let pair = |name: &str, later: usize| -> &Pair {
        let is_it = |pair: &&Pair| pair.older == name && pair.later == revisions[later].date;
        pairs.iter().find(is_it).unwrap()
    };
    let list = |name: &str, later: usize| -> Vec<String> {
        review(std::slice::from_ref(pair(name, later))).lines().skip(1).map(|line| line.trim().to_owned()).collect()
    };
    for (name, later) in ["plain", "closed", "removed"].into_iter().flat_map(|name| [(name, 0), (name, 1)]) {
        assert!(pair(name, later).is_clean(), "{name}: {:?}", pair(name, later).outcome);
    }
    let none: [&str; 0] = [];
    // What is as it should be loses the field that has another type, and does not know the new one.
    assert_eq!(list("plain", 0), none, "every revision reads itself");
    let plain = list("plain", 1);
    let code = "Event.code: an integer, not a string";
    let expected = [
        format!("skipped: {code}"),
        format!("skipped in documented examples: {code}"),
        "not known yet, Transaction: channel".to_owned(),
    ];
    assert_eq!(plain, expected);

    let closed = list("closed", 1);
    let enums = closed.iter().filter(|line| line.starts_with("skipped: ") && line.contains("a text, not")).count();
    assert_eq!(enums, 4, "{closed:?}");
    assert_eq!(list("closed", 0), none);

    // Of its own revision, it loses the list wherever one value in it does not fit.
    let harmed = &pair("whole", 0).outcome.harmed;
    assert!(harmed.iter().any(|problem| problem.ends_with("$.events is skipped")), "{harmed:?}");
    assert!(!pair("whole", 0).is_clean());
    let whole = list("whole", 1);
    assert!(whole.iter().any(|line| line.starts_with("skipped: Transaction.events: a list, not")), "{whole:?}");

    for later in [0, 1] {
        let removed = list("removed", later);
        assert!(removed.contains(&"not read though removed documents it: Transaction.note".to_owned()), "{removed:?}");
    }
    assert!(!list("removed", 1).contains(&"not known yet, Transaction: channel, note".to_owned()));
}
