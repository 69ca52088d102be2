//! Reading responses that are not what the document says: nothing but the field itself is ever lost.
//!
//! What is tried is made from `spec/dintero.json`: every field of every type that a transaction, a session or a created
//! session holds, wherever it occurs. That all of them were tried is counted too.

mod support;

use std::collections::BTreeSet;
use std::fmt::Debug;

use dintero::read::{from_slice, from_value, list_from_slice};
use dintero::types::{CreatedSession, OrderUpdate, Session, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::{Document, Place, Step, at, path, remove};

/// A type of responses.
trait ResponseType: DeserializeOwned + Serialize + PartialEq + Debug {
    const NAME: &'static str;
}

impl ResponseType for Transaction {
    const NAME: &'static str = "Transaction";
}

impl ResponseType for Session {
    const NAME: &'static str = "Session";
}

impl ResponseType for CreatedSession {
    const NAME: &'static str = "CreatedSession";
}

/// Reads, and asserts that nothing was skipped.
fn read_whole<T: ResponseType>(value: &Value) -> T {
    let read = from_slice::<T>(value.to_string().as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", T::NAME));
    assert!(read.skipped_fields.is_empty(), "{}: {:?}", T::NAME, read.skipped_fields);
    read.value
}

/// Calls `try_one` once for every field of every type that `T` holds, and for an entry of every list, with an instance
/// that leads to the place and holds little else.
fn for_every_field<T: ResponseType>(mut try_one: impl FnMut(&Place, Value, Vec<Step>)) {
    let document = Document::read();
    let (schema, full) = (document.of_type(T::NAME), document.full(T::NAME));
    let mut tried = BTreeSet::new();
    for place in document.places(&schema, &full) {
        // Entries are known by the field that they are entries of.
        let around = place.steps.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(name.clone()),
            Step::Entry(_) => None,
        });
        let name = place.field.clone().unwrap_or_else(|| format!("{} {}", around.unwrap_or_default(), place.schema));
        if !place.steps.is_empty() && tried.insert(name) {
            try_one(&place, document.along(&schema, &full, &place.steps), place.cut_down());
        }
    }
    let missed: Vec<String> = document.fields(T::NAME).into_iter().filter(|field| !tried.contains(field)).collect();
    assert!(missed.is_empty(), "{}: not tried: {missed:?}", T::NAME);
}

#[test]
fn an_unknown_value_in_every_enum_is_kept() {
    fn check<T: ResponseType>(at_least: usize) {
        let document = Document::read();
        let mut full = document.full(T::NAME);
        let places = document.places(&document.of_type(T::NAME), &full);
        let enums: Vec<_> = places.iter().filter(|place| place.schema.get("enum").is_some()).collect();
        assert!(enums.len() >= at_least, "{}: only {} places of enums", T::NAME, enums.len());
        for (index, place) in enums.iter().enumerate() {
            *at(&mut full, &place.steps) = json!(format!("NOT_YET \"{index}\" é"));
        }
        let mut back = serde_json::to_value(read_whole::<T>(&full)).unwrap();
        for place in enums {
            let expected = at(&mut full, &place.steps).clone();
            assert_eq!(at(&mut back, &place.steps), &expected, "{}", path(&place.steps));
        }
    }
    check::<Transaction>(100);
    check::<Session>(50);
    check::<CreatedSession>(50);
}

#[test]
fn an_unknown_field_at_every_level_changes_nothing() {
    fn strip(value: &mut Value) {
        if let Value::Object(fields) = value {
            fields.remove("field_of_tomorrow");
            fields.values_mut().for_each(strip);
        } else if let Value::Array(entries) = value {
            entries.iter_mut().for_each(strip);
        }
    }
    fn check<T: ResponseType>() {
        let document = Document::read();
        let mut full = document.full(T::NAME);
        let before = serde_json::to_value(read_whole::<T>(&full)).unwrap();
        let places = document.places(&document.of_type(T::NAME), &full);
        let objects: Vec<_> = places.iter().filter(|place| place.schema.get("properties").is_some()).collect();
        for place in &objects {
            at(&mut full, &place.steps)["field_of_tomorrow"] = json!({ "nested": [1, null, "x"] });
        }
        let mut after = serde_json::to_value(read_whole::<T>(&full)).unwrap();
        // Where a type keeps what it does not know, it is written back as it came.
        for place in objects.iter().filter(|place| place.schema.get("additionalProperties").is_some()) {
            let kept = at(&mut after, &place.steps).get("field_of_tomorrow");
            assert_eq!(kept, Some(&json!({ "nested": [1, null, "x"] })), "{}", path(&place.steps));
        }
        strip(&mut after);
        assert_eq!(after, before, "{}", T::NAME);
    }
    check::<Transaction>();
    check::<Session>();
    check::<CreatedSession>();
}

#[test]
fn null_in_an_optional_field_is_the_field_left_out() {
    fn check<T: ResponseType>() {
        for_every_field::<T>(|place, mut value, steps| {
            let (true, false) = (place.field.is_some(), place.required) else { return };
            let mut without = value.clone();
            remove(&mut without, &steps);
            *at(&mut value, &steps) = Value::Null;
            let expected: T = read_whole(&without);
            if place.schema.get("type").is_none() {
                // Any JSON goes there, and null is JSON.
                from_slice::<T>(value.to_string().as_bytes()).unwrap();
                return;
            }
            assert_eq!(read_whole::<T>(&value), expected, "{}", path(&steps));
        });
    }
    check::<Transaction>();
    check::<Session>();
    check::<CreatedSession>();
}

#[test]
fn null_in_all_optional_fields_at_once_leaves_what_is_required() {
    fn check<T: ResponseType>() {
        let document = Document::read();
        let mut full = document.full(T::NAME);
        let places = document.places(&document.of_type(T::NAME), &full);
        // Objects stay, so that there is something at every level to be null.
        for place in places.iter().filter(|place| place.field.is_some() && !place.required && !place.in_choice) {
            let value = at(&mut full, &place.steps);
            if !value.is_object() && !value.is_array() {
                *value = Value::Null;
            }
        }
        read_whole::<T>(&full);
        let Value::Object(fields) = &mut full else { panic!("{full}") };
        let optional = places.iter().filter(|place| place.steps.len() == 1 && !place.required);
        for place in optional {
            if let [Step::Field(name)] = place.steps.as_slice() {
                fields.insert(name.clone(), Value::Null);
            }
        }
        read_whole::<T>(&full);
    }
    check::<Transaction>();
    check::<Session>();
    check::<CreatedSession>();
}

/// What has to come of a wrong value at `steps`: the path that is skipped, or the path that the error names.
fn expected(
    document: &Document,
    root: &str,
    place: &Place,
    instance: &Value,
    steps: &[Step],
) -> Result<String, String> {
    if !place.required {
        return Ok(path(steps));
    }
    let places = document.places(&document.of_type(root), instance);
    let mut steps = steps.to_vec();
    loop {
        let found = places.iter().find(|place| place.steps == steps);
        if found.is_none_or(|place| !place.required) {
            return Ok(path(&steps));
        }
        if let Some(Step::Field(name)) = steps.last()
            && (name == "amount" || name == "currency")
        {
            return Err(path(&steps));
        }
        // The object is worthless without it, so the object is what is skipped.
        let inner = steps.clone();
        steps.pop();
        if steps.is_empty() {
            return Err(path(&inner));
        }
    }
}

#[test]
fn a_wrong_type_in_each_optional_field_costs_that_field_only() {
    fn check<T: ResponseType>(at_least: usize) {
        let document = Document::read();
        let mut tried = 0;
        for_every_field::<T>(|place, value, steps| {
            for wrong in place.wrong() {
                let mut value = value.clone();
                *at(&mut value, &steps) = wrong.clone();
                tried += 1;
                let outcome = from_slice::<T>(value.to_string().as_bytes());
                if place.in_choice {
                    // The object that is chosen is kept as it came.
                    let mut back = serde_json::to_value(outcome.unwrap().value).unwrap();
                    assert_eq!(at(&mut back, &steps), &wrong, "{}", path(&steps));
                    continue;
                }
                match (expected(&document, T::NAME, place, &value, &steps), outcome) {
                    (Ok(at), Ok(read)) if place.required => {
                        let paths: Vec<_> = read.skipped_fields.iter().map(|gone| gone.path.to_string()).collect();
                        assert_eq!(paths, [at], "{wrong} at {}", path(&steps));
                    }
                    (Ok(_), Ok(read)) => {
                        let gone: Vec<_> =
                            read.skipped_fields.iter().map(|gone| (gone.path.to_string(), &gone.value)).collect();
                        assert_eq!(gone, [(path(&steps), &wrong)]);
                        remove(&mut value, &steps);
                        assert_eq!(read.value, read_whole::<T>(&value), "{wrong} at {}", path(&steps));
                    }
                    (Err(at), Err(error)) => assert_eq!(error.path.to_string(), at, "{error}"),
                    (expected, outcome) => panic!("{wrong} at {}: {expected:?}, {outcome:?}", path(&steps)),
                }
            }
        });
        assert!(tried >= at_least, "{}: only {tried} tried", T::NAME);
    }
    check::<Transaction>(2_000);
    check::<Session>(1_000);
    check::<CreatedSession>(1_000);
}

#[test]
fn a_bad_row_does_not_sink_a_page() {
    fn check<T: ResponseType>(money: &[&str]) {
        let good = Document::read().full(T::NAME);
        for wrong in [json!("a lot"), json!(1.5), json!({}), json!([1]), Value::Null] {
            let mut bad = good.clone();
            let steps: Vec<Step> = money.iter().map(|name| Step::Field((*name).to_owned())).collect();
            *at(&mut bad, &steps) = wrong.clone();
            let page = json!([good, bad, 7, good]);
            let read = list_from_slice::<T>(page.to_string().as_bytes()).unwrap();
            assert_eq!((read.rows.len(), read.total), (2, 4));
            let whole: T = read_whole(&good);
            assert!(read.rows.iter().all(|row| row.skipped_fields.is_empty() && row.value == whole));
            let places: Vec<_> = read.unreadable.iter().map(|row| (row.index, row.error.path.to_string())).collect();
            assert_eq!(places, [(1, format!("$[1].{}", money.join("."))), (2, "$[2]".to_owned())]);
            assert_eq!(read.unreadable[0].value, bad, "the row is kept as it came");
        }
    }
    check::<Transaction>(&["amount"]);
    check::<Session>(&["order", "amount"]);
}

#[test]
fn an_order_that_is_read_and_put_back_loses_nothing() {
    let document = Document::read();
    let mut session = document.full("Session");
    let places = document.places(&document.of_type("Session"), &session);
    let in_order = |place: &&Place| place.steps.first() == Some(&Step::Field("order".to_owned()));
    let mut levels = 0;
    for place in places.iter().filter(in_order).filter(|place| place.schema.get("properties").is_some()) {
        at(&mut session, &place.steps)["field_of_tomorrow"] = json!([levels]);
        levels += 1;
    }
    assert!(levels > 20, "only {levels} levels");
    let order = read_whole::<Session>(&session).order;
    let mut back = serde_json::to_value(OrderUpdate::from(order)).unwrap();
    for place in places.iter().filter(in_order).filter(|place| place.steps.len() > 1) {
        let steps = &place.steps[1..];
        let name = path(steps);
        // An update does not take these two: they stay what they were.
        if ["$.merchant_reference", "$.payout_destination_id"].contains(&name.as_str()) {
            continue;
        }
        let came = at(&mut session, &place.steps).clone();
        // An empty map or list may be left out; a time may be spelled in another zone.
        let is_empty = came.as_object().is_some_and(|map| map.is_empty()) || came.as_array().is_some_and(Vec::is_empty);
        if is_empty || place.schema["format"] == "date-time" {
            continue;
        }
        if came.is_object() {
            let kept = at(&mut back, steps).get("field_of_tomorrow");
            assert_eq!(kept, came.get("field_of_tomorrow"), "{name}");
        } else if !came.is_array() {
            let same = |one: &Value, other: &Value| one == other || (one.is_number() && one.as_f64() == other.as_f64());
            assert!(same(at(&mut back, steps), &came), "{name}: {came} became {}", at(&mut back, steps));
        }
    }
}

#[test]
fn a_number_that_is_whole_is_an_amount_however_it_is_written() {
    let mut value = Document::read().full("Transaction");
    value["amount"] = json!(29990.0);
    assert_eq!(from_value::<Transaction>(value).unwrap().value.amount, 29_990);
}
