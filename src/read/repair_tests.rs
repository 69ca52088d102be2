//! What reading does with answers that are not what we know.

use serde_json::json;

use super::*;
use crate::read::{from_slice, from_value, list_from_slice};
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

fn paths(set_aside: &[SetAside]) -> Vec<String> {
    set_aside.iter().map(|gone| gone.path.to_string()).collect()
}

#[test]
fn a_good_answer_is_read_whole() {
    let mut good = transaction();
    good["events"][1]["error"]["type"] = json!(["DECLINED"]);
    let read = from_value::<Transaction>(good).unwrap();
    assert!(read.set_aside.is_empty());
    assert_eq!(read.value.status, Some(TransactionStatus::Captured));
}

#[test]
fn a_field_of_another_type_costs_only_itself() {
    let read = from_value::<Transaction>(transaction()).unwrap();
    assert_eq!(paths(&read.set_aside), ["$.events[1].error.type"]);
    assert_eq!(read.set_aside[0].value, json!("DECLINED"));
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
    assert_eq!((read.value.amount, read.value.events.len(), read.set_aside.len()), (1000, 0, 0));
}

#[test]
fn entries_of_a_list_keep_their_numbers() {
    let mut odd = transaction();
    odd["events"] =
        json!([1, { "event": "CAPTURE", "success": "yes" }, "two", { "event": "VOID", "success": 1 }, null]);
    let read = from_value::<Transaction>(odd).unwrap();
    let expected = ["$.events[0]", "$.events[1].success", "$.events[2]", "$.events[3].success", "$.events[4]"];
    assert_eq!(paths(&read.set_aside), expected);
    assert_eq!(read.value.events.len(), 2);
}

#[test]
fn an_object_without_what_it_needs_is_set_aside_whole() {
    let mut odd = transaction();
    odd["items"] = json!([{ "groups": [{ "id": 7, "name": "Chairs" }] }]);
    let read = from_value::<Transaction>(odd).unwrap();
    assert_eq!(paths(&read.set_aside), ["$.events[1].error.type", "$.items[0].groups[0]"]);
    assert_eq!(read.set_aside[1].value, json!({ "id": 7, "name": "Chairs" }));
}

#[test]
fn a_list_in_place_of_an_object_is_set_aside_as_it_came() {
    let mut odd = transaction();
    odd["actions"] = json!([[7, "two", [], null]]);
    odd["events"] = json!([]);
    let read = from_value::<Transaction>(odd).unwrap();
    assert_eq!(paths(&read.set_aside), ["$.actions[0]"]);
    assert_eq!(read.set_aside[0].value, json!([7, "two", [], null]));
}

#[test]
fn a_bad_row_does_not_sink_the_list() {
    let mut bad = transaction();
    bad["amount"] = json!("a lot");
    let list = json!([transaction(), bad, transaction()]).to_string();
    let read = list_from_slice::<Transaction>(list.as_bytes()).unwrap();
    assert_eq!((read.rows.len(), read.unreadable.len(), read.total), (2, 1, 3));
    assert_eq!(read.unreadable[0].error.path.to_string(), "$[1].amount");
    assert_eq!(paths(&read.rows[1].set_aside), ["$[2].events[1].error.type"]);
}

#[test]
fn what_is_not_json_or_not_an_object_is_an_error() {
    for text in ["", "{", "<html>", "[]", "null", "7", "\"text\""] {
        assert!(from_slice::<Transaction>(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn no_error_quotes_the_answer() {
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
