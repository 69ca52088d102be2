//! What reading does with responses that are not what we know.

use serde_json::json;

use super::*;
use crate::types::{Session, Transaction, TransactionStatus};

fn transaction() -> Value {
    json!({
        "id": "T00000000.abc",
        "amount": 1000,
        "currency": "NOK",
        "status": "CAPTURED",
        "events": [
            { "event": "AUTHORIZE", "amount": 1000, "success": true },
            { "event": "CAPTURE", "amount": 1000, "success": false, "error": { "message": "no", "type": "DECLINED" } },
        ],
    })
}

fn paths(skipped_fields: &[SkippedField]) -> Vec<String> {
    skipped_fields.iter().map(|gone| gone.path.to_string()).collect()
}

#[test]
fn a_good_response_is_read_whole() {
    let mut good = transaction();
    good["events"][1]["error"]["type"] = json!(["DECLINED"]);
    let read = from_value::<Transaction>(good).unwrap();
    assert!(read.skipped_fields.is_empty());
    assert_eq!(read.value.status, Some(TransactionStatus::Captured));
}

/// Nothing is left out of a good response, so it is read in one go; serde alone reads the same.
#[test]
fn a_good_response_is_read_once() {
    let mut good = transaction();
    good["events"][1]["error"]["type"] = json!(["DECLINED"]);
    let read = from_text::<Transaction>(&good.to_string()).unwrap();
    assert_eq!((read.status.clone(), read.events.len()), (Some(TransactionStatus::Captured), 2));
    assert_eq!(serde_json::from_value::<Transaction>(good).unwrap(), read);
}

#[test]
fn a_field_of_another_type_costs_only_itself() {
    let read = from_value::<Transaction>(transaction()).unwrap();
    assert_eq!(paths(&read.skipped_fields), ["$.events[1].error.type"]);
    assert_eq!(read.skipped_fields[0].value, json!("DECLINED"));
    let error = read.value.events[1].error.as_ref().unwrap();
    assert_eq!(error.message.as_deref(), Some("no"));
}

#[test]
fn required_money_is_an_error_that_names_it() {
    for (field, value) in
        [("amount", json!("1000")), ("amount", json!(10.5)), ("currency", json!(578)), ("amount", Value::Null)]
    {
        let mut bad = transaction();
        bad[field] = value;
        let error = from_value::<Transaction>(bad).unwrap_err();
        assert_eq!(error.path.to_string(), format!("$.{field}"), "{error}");
    }
    let error =
        from_value::<Session>(json!({ "order": { "amount": true, "currency": "NOK", "merchant_reference": "a" } }));
    assert_eq!(error.unwrap_err().path.to_string(), "$.order.amount");
}

#[test]
fn a_whole_float_and_a_null_lose_nothing() {
    let mut odd = transaction();
    odd["amount"] = json!(1000.0);
    odd["events"] = Value::Null;
    odd["status"] = Value::Null;
    let read = from_value::<Transaction>(odd).unwrap();
    assert_eq!((read.value.amount, read.value.events.len(), read.skipped_fields.len()), (1000, 0, 0));
}

#[test]
fn entries_of_a_list_keep_their_numbers() {
    let mut odd = transaction();
    odd["events"] =
        json!([1, { "event": "CAPTURE", "success": "yes" }, "two", { "event": "VOID", "success": 1 }, null]);
    let read = from_value::<Transaction>(odd).unwrap();
    let expected = ["$.events[0]", "$.events[1].success", "$.events[2]", "$.events[3].success", "$.events[4]"];
    assert_eq!(paths(&read.skipped_fields), expected);
    assert_eq!(read.value.events.len(), 2);
}

#[test]
fn an_object_without_what_it_needs_is_skipped_whole() {
    let mut odd = transaction();
    odd["items"] = json!([{ "groups": [{ "id": 7, "name": "Chairs" }] }]);
    let read = from_value::<Transaction>(odd).unwrap();
    assert_eq!(paths(&read.skipped_fields), ["$.events[1].error.type", "$.items[0].groups[0]"]);
    assert_eq!(read.skipped_fields[1].value, json!({ "id": 7, "name": "Chairs" }));
}

#[test]
fn a_list_in_place_of_an_object_is_skipped_as_it_came() {
    let mut odd = transaction();
    odd["actions"] = json!([[7, "two", [], null]]);
    odd["events"] = json!([]);
    let read = from_value::<Transaction>(odd).unwrap();
    assert_eq!(paths(&read.skipped_fields), ["$.actions[0]"]);
    assert_eq!(read.skipped_fields[0].value, json!([7, "two", [], null]));
}

#[test]
fn a_bad_row_does_not_fail_the_list() {
    let mut bad = transaction();
    bad["amount"] = json!("a lot");
    let list = json!([transaction(), bad, transaction()]).to_string();
    let read = list_from_slice::<Transaction>(list.as_bytes()).unwrap();
    assert_eq!((read.rows.len(), read.unreadable.len(), read.total), (2, 1, 3));
    assert_eq!(read.unreadable[0].error.path.to_string(), "$[1].amount");
    assert_eq!(paths(&read.rows[1].skipped_fields), ["$[2].events[1].error.type"]);
}

#[test]
fn what_is_not_json_or_not_an_object_is_an_error() {
    for text in ["", "{", "<html>", "[]", "null", "7", "\"text\""] {
        assert!(from_slice::<Transaction>(text.as_bytes()).is_err(), "{text}");
    }
    let mut latin1 = transaction().to_string().into_bytes();
    latin1[1] = 0xf8;
    for error in [from_slice::<Transaction>(&latin1).unwrap_err(), list_from_slice::<Value>(&latin1).unwrap_err()] {
        assert_eq!(error.problem, "it is not UTF-8, at byte 1");
    }
}

#[test]
fn no_error_quotes_the_response() {
    let secret = "kari@example.com";
    for field in ["amount", "currency", "events", "customer"] {
        let mut bad = transaction();
        bad[field] = json!({ "secret": secret });
        if field == "amount" {
            bad[field] = json!(secret);
        }
        let read = from_value::<Transaction>(bad);
        let shown = format!("{read:?} {}", read.as_ref().map_or_else(ToString::to_string, |_| String::new()));
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// A text that counts how often it is read.
struct Counted(String);

thread_local! {
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.with(|read| read.set(read.get() + 1));
        String::deserialize(deserializer).map(Counted)
    }
}

struct Counting {
    entries: Vec<CountingEntry>,
}

struct CountingEntry {
    name: Counted,
    note: Option<Counted>,
    notes: std::collections::BTreeMap<String, Counted>,
}

object::objects! {
    Counting { 0 entries "entries" Kept, }
    CountingEntry { 0 name "name" Required, 1 note "note" Kept, 2 notes "notes" Kept, }
    Noted { 0 entries "entries" Kept, }
    NotedEntry { 0 a_note "a_note" Kept, 1 name "name" Required, }
    Sum { 0 a_name "a_name" Required, 1 amount "amount" Required, }
    Sums { 0 sums "sums" Kept, }
    Needed { 0 names "names" Entries, }
}

#[test]
fn each_part_is_read_once_however_many_are_wrong() {
    let entry = |index: usize| match index % 3 {
        0 => json!({ "name": 1, "note": "a", "notes": { "a": "b" } }),
        1 => json!({ "name": "a", "note": 1, "notes": { "a": 1, "b": "c" } }),
        _ => json!({ "name": "a", "note": "b", "notes": { "a": 7, "b": null } }),
    };
    let entries: Vec<Value> = (0..3_000).map(entry).collect();
    let text = json!({ "entries": entries }).to_string();
    let read = lenient::<Counting>(&text, &JsonPath::root()).unwrap();
    assert_eq!(READ.take(), 1_000 + 4_000 + 4_000);
    assert_eq!(read.skipped_fields.len(), 1_000 + 2_000 + 1_000, "null in a map is no entry");
    assert_eq!(read.value.entries.len(), 2_000);
    assert_eq!(paths(&read.skipped_fields)[..3], ["$.entries[0]", "$.entries[1].note", "$.entries[1].notes.a"]);
    let kept = read.value.entries.first().unwrap();
    assert_eq!((kept.name.0.as_str(), kept.note.is_none(), kept.notes.len()), ("a", true, 1));
}

#[test]
fn what_is_wrong_everywhere_is_not_what_it_is_taken_for() {
    let mut bad = transaction();
    bad["events"] = Value::Array(vec![json!(1); 10_000]);
    assert_eq!(from_value::<Transaction>(bad.clone()).unwrap().skipped_fields.len(), 10_000);
    bad["events"] = Value::Array(vec![json!(1); 10_001]);
    let error = from_value::<Transaction>(bad).unwrap_err();
    assert!(error.problem.contains("more than 10000"), "{error}");
}

#[test]
fn a_list_is_never_read_as_an_object() {
    // By position, the first would be an address of no fields and the second the first of all fields.
    for list in [json!([]), json!(["Oslo"])] {
        let mut odd = transaction();
        odd["events"] = json!([]);
        odd["billing_address"] = list.clone();
        for read in [from_value::<Transaction>(odd.clone()), from_slice(odd.to_string().as_bytes())] {
            let read = read.unwrap();
            assert_eq!(paths(&read.skipped_fields), ["$.billing_address"], "{list}");
            let skipped = &read.skipped_fields[0];
            assert_eq!((&skipped.value, skipped.expected.as_str()), (&list, "struct Address"));
            assert_eq!(read.value.billing_address, None);
        }
    }
    let rows = list_from_slice::<CountingEntry>(br#"[["a", "b"], { "name": "a" }]"#).unwrap();
    assert_eq!((rows.rows.len(), rows.unreadable.len()), (1, 1));
    assert_eq!(rows.unreadable[0].error.problem, "expected struct CountingEntry");
}

#[test]
fn the_error_names_the_field_of_the_whole_and_what_it_lacks() {
    let session = |order: Value| from_value::<Session>(json!({ "order": order })).unwrap_err();
    let error = session(json!({ "amount": 1, "currency": "NOK", "merchant_reference": 7 }));
    assert_eq!(
        (error.path.to_string(), error.problem.as_str()),
        ("$.order".to_owned(), "expected an object with `merchant_reference`")
    );
    let error = session(json!({ "amount": 1, "merchant_reference": "a" }));
    assert_eq!(
        (error.path.to_string(), error.problem.as_str()),
        ("$.order.currency".to_owned(), "required field missing")
    );
    let error = session(json!({ "amount": 1, "currency": "NOK" }));
    assert_eq!(
        (error.path.to_string(), error.problem.as_str()),
        ("$.order".to_owned(), "expected an object with `merchant_reference`")
    );
    let error = session(json!("none"));
    assert_eq!((error.path.to_string(), error.problem.as_str()), ("$.order".to_owned(), "expected struct Order"));
    let error = from_value::<Session>(json!({})).unwrap_err();
    assert_eq!((error.path.to_string(), error.problem.as_str()), ("$.order".to_owned(), "required field missing"));
}

#[test]
fn what_was_skipped_goes_with_what_is_skipped_around_it() {
    let mut odd = transaction();
    odd["events"] = json!([]);
    odd["items"] = json!([{ "description": 1, "groups": [{ "id": 7 }], "amount": 1, "line_id": true }, "x"]);
    let read = from_value::<Transaction>(odd.clone()).unwrap();
    let (at, expected): (Vec<_>, Vec<_>) =
        read.skipped_fields.iter().map(|gone| (gone.path.to_string(), gone.expected.as_str())).unzip();
    assert_eq!(at, ["$.items[0].description", "$.items[0].groups[0]", "$.items[0].line_id", "$.items[1]"]);
    assert_eq!(expected, ["a string", "an object with `id`", "a string", "struct OrderItem"]);
    // What is skipped inside of a part that is skipped itself is kept in that.
    let entries = json!({ "entries": [{ "a_note": 1, "name": 1 }, { "a_note": 1, "name": "a" }] });
    let read = from_value::<Noted>(entries.clone()).unwrap();
    assert_eq!(paths(&read.skipped_fields), ["$.entries[0]", "$.entries[1].a_note"]);
    assert_eq!((&read.skipped_fields[0].value, read.value.entries.len()), (&entries["entries"][0], 1));
}

struct Noted {
    entries: Vec<NotedEntry>,
}

#[allow(dead_code, reason = "read, and not looked at")]
struct NotedEntry {
    a_note: Option<String>,
    name: String,
}

#[test]
fn floats_that_are_no_integers_are_no_integers() {
    for (number, amount) in
        [("1000.0", Some(1000)), ("1e3", Some(1000)), ("-5.0", Some(-5)), ("10.5", None), ("9.1e15", None)]
    {
        let json = transaction().to_string().replace("\"amount\":1000", &format!("\"amount\":{number}"));
        let read = from_slice::<Transaction>(json.as_bytes());
        assert_eq!(read.ok().map(|read| read.value.amount), amount, "{number}");
    }
}

#[test]
fn a_part_that_is_read_whole_is_read_or_not() {
    let read = |object: Value| whole::<CountingEntry>(object.as_object().unwrap()).is_some();
    assert!(read(json!({ "name": "a" })));
    assert!(!read(json!({ "name": 7 })));
}

/// Where every part can be read, the text is taken as it is; where one cannot, the last of two fields of a name counts.
#[test]
fn a_name_that_stands_twice_fails_no_response() {
    let text = transaction().to_string().replacen('{', "{\"amount\":7,", 1);
    let read = from_slice::<Transaction>(text.as_bytes()).unwrap();
    assert_eq!((read.value.amount, paths(&read.skipped_fields)), (1000, vec!["$.events[1].error.type".to_owned()]));
}

#[allow(dead_code, reason = "read, and not looked at")]
struct Sum {
    a_name: String,
    amount: i64,
}

struct Sums {
    sums: Vec<Sum>,
}

/// Only then the whole response fails: a part that names another field is left out, and a sum of money with it.
#[test]
fn of_what_is_missing_the_sum_of_money_is_named() {
    let read = |sum: Value| from_value::<Sums>(json!({ "sums": [sum] }));
    let error = read(json!({})).map(|read| read.skipped_fields).unwrap_err();
    assert_eq!((error.path.to_string(), error.problem.as_str()), ("$.sums[0].amount".into(), "required field missing"));
    let without_name = read(json!({ "amount": 7 })).unwrap();
    assert_eq!((paths(&without_name.skipped_fields), without_name.value.sums.len()), (vec!["$.sums[0]".to_owned()], 0));
}

struct Needed {
    names: Vec<String>,
}

#[test]
fn a_list_that_a_type_needs_is_read_without_entries_and_not_left_out() {
    let read = |value: Value| from_value::<Needed>(value);
    assert_eq!(read(json!({ "names": ["a", "b"] })).unwrap().value.names, ["a", "b"]);
    let some = read(json!({ "names": ["a", 7] })).unwrap();
    assert_eq!((some.value.names, paths(&some.skipped_fields)), (vec!["a".to_owned()], vec!["$.names[1]".to_owned()]));
    for lost in [json!({}), json!({ "names": null }), json!({ "names": "a" })] {
        assert_eq!(read(lost).map(|read| read.skipped_fields).unwrap_err().path.to_string(), "$.names");
    }
}

/// A field that nobody knows is kept where the type keeps such, whatever it holds, and passed over elsewhere.
#[test]
fn what_nobody_knows_is_kept_or_passed_over() {
    let news = json!({ "nested": [1.5, null, { "a": "b" }] });
    let mut more = transaction();
    more["events"] = json!([]);
    more["news"] = news.clone();
    more["billing_address"] = json!({ "country": "NO", "news": news });
    let read = from_value::<Transaction>(more).unwrap();
    assert!(read.skipped_fields.is_empty());
    let address = read.value.billing_address.unwrap();
    assert_eq!((address.country.as_deref(), address.extra.len()), (Some("NO"), 1));
    assert_eq!(address.extra.get("news"), Some(&news));
}

/// However deep a response nests, it is read or refused: the stack of a thread is large enough for either.
#[test]
fn what_is_nested_deep_is_read_or_refused() {
    for (depth, is_read) in [(1, true), (60, true), (70, false), (20_000, false)] {
        for shipment in [
            "{\"amount\":1,\"line_id\":\"a\",\"id\":\"b\",\"operator\":\"c\",\"title\":\"d\"",
            "{\"amount\":1,\"fee_split\":7",
        ] {
            let options = format!("{shipment},\"shipments\":[").repeat(depth) + &"]}".repeat(depth);
            let text = transaction().to_string().replacen('{', &format!("{{\"shipping_option\":{options},"), 1);
            let read = std::thread::Builder::new()
                .stack_size(2 << 20)
                .spawn(move || from_slice::<Transaction>(text.as_bytes()).is_ok());
            assert_eq!(read.unwrap().join().unwrap(), is_read, "{depth}: {shipment}");
        }
    }
}
