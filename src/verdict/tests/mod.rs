//! What single traces prove, one by one. That no mixture of them contradicts what happened is the model's to show.

mod model;
mod payment;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::attempt::Anchor;
use super::*;
use crate::read;

const ID: &str = "T12345678.abc";
const OK: Source = Source::Response(StatusCode::OK);

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// An attempt at 400 under the reference `own`, from second 0 to second 30.
fn attempt(operation: Kind, generated: bool) -> Attempt {
    let target = Target::Transaction(ID.parse().unwrap());
    let timeout = Duration::from_secs(30);
    Attempt {
        reference: Some("own".to_owned()),
        generated,
        amount: Some(400),
        ..Attempt::begun(operation, target, moment(0), timeout, Anchor::default())
    }
}

/// The attempt once its response has come.
fn responded_to(
    mut attempt: Attempt,
    status: u16,
    event_request_id: Option<&str>,
    request_id: Option<&str>,
) -> Attempt {
    let headers = event_request_id.map(|id| ("event-request-id".parse().unwrap(), id.parse().unwrap()));
    let headers: HeaderMap = headers.into_iter().collect();
    attempt.responded(StatusCode::from_u16(status).unwrap(), &headers, request_id);
    attempt
}

/// A read that began this long after the attempt, of which 60 s are left to settle.
fn read_at(seconds: i64) -> Source {
    Source::Read { begun_at: moment(seconds), settle: Duration::from_secs(60) }
}

fn read(status: &str, events: Value) -> read::Read<Transaction> {
    let body = json!({"id": ID, "amount": 1000, "currency": "NOK", "payment_product": "payex",
                      "payment_product_type": "payex.creditcard", "status": status, "events": events});
    read::from_value(body).unwrap()
}

fn finding(attempt: &Attempt, source: Source, status: &str, events: Value) -> Finding {
    let read = read(status, events);
    judge(attempt, &read.value, &read.skipped_fields, source)
}

fn outcome(attempt: &Attempt, source: Source, events: Value) -> Outcome {
    finding(attempt, source, "PARTIALLY_CAPTURED", events).outcome
}

fn event(name: &str, success: bool) -> Value {
    json!({"event": name, "amount": 400, "success": success, "event_reference": "own"})
}

fn with(mut event: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn a_response_is_accepted_with_202_only() {
    let named = responded_to(attempt(Kind::Capture, true), 202, Some(" r1 "), None);
    assert_eq!((named.accepted, named.event_request_id()), (true, Some("r1")));
    let nameless = responded_to(attempt(Kind::Capture, true), 202, Some(" "), None);
    assert_eq!((nameless.accepted, nameless.event_request_id()), (true, None));
    let done = responded_to(attempt(Kind::Capture, true), 200, Some("r1"), None);
    assert_eq!((done.accepted, done.event_request_id()), (false, None));
}

/// The interface promises `correlation_request_id`; a `request_id` that the response gave names the event as well.
#[test]
fn an_id_of_the_request_proves_an_event_without_a_reference() {
    let nameless = |ids: Value| json!([with(json!({"event": "CAPTURE", "amount": 400, "success": true}), ids)]);
    let accepted = responded_to(attempt(Kind::Capture, false), 202, Some("r1"), None);
    assert_eq!(outcome(&accepted, read_at(0), nameless(json!({"correlation_request_id": "r1"}))), Outcome::Completed);
    assert_eq!(outcome(&accepted, read_at(0), nameless(json!({"correlation_request_id": "r2"}))), Outcome::UnderWay);
    let failed = responded_to(attempt(Kind::Capture, false), 500, None, Some("q1"));
    assert_eq!(outcome(&failed, read_at(0), nameless(json!({"request_id": "q1"}))), Outcome::Completed);
    assert_eq!(outcome(&failed, read_at(0), nameless(json!({"request_id": "q2"}))), Outcome::Unknown);
    assert_eq!(outcome(&failed, read_at(0), nameless(json!({"request_id": " "}))), Outcome::Unknown);
}

#[test]
fn the_end_of_another_accepted_request_is_not_this_ones() {
    let ended = |id: &str| json!([with(event("CAPTURE", true), json!({"correlation_request_id": id}))]);
    let accepted = |generated| responded_to(attempt(Kind::Capture, generated), 202, Some("r1"), None);
    // A reference that others may have is worth less than the id of the request; one that nobody else has is not.
    assert_eq!(outcome(&accepted(false), read_at(0), ended("r2")), Outcome::UnderWay);
    assert_eq!(outcome(&accepted(true), read_at(0), ended("r2")), Outcome::Completed);
    for id in ["r1", " r1 "] {
        assert_eq!(outcome(&accepted(false), read_at(0), ended(id)), Outcome::Completed, "{id:?}");
    }
    // Where an event names the request, it alone counts under such a reference; under one's own, each does.
    let two = json!([ended("r1")[0], event("CAPTURE", true)]);
    assert_eq!(outcome(&accepted(false), read_at(0), two.clone()), Outcome::Completed);
    assert_eq!(outcome(&accepted(true), read_at(0), two), Outcome::Unknown);
    // Not even where it could be no end of this one: it shows nothing about it.
    for other in [json!({"amount": 500}), json!({"created_at": moment(-86_401).to_rfc3339()})] {
        let ended = json!([with(ended("r2")[0].clone(), other)]);
        assert_eq!(outcome(&accepted(false), read_at(0), ended.clone()), Outcome::UnderWay, "{ended}");
    }
    // Without a word on which request it is the end of, it cannot be told apart from an earlier one.
    assert_eq!(outcome(&accepted(false), read_at(0), ended(" ")), Outcome::UnderWay);
}

#[test]
fn a_start_is_ended_by_an_outcome_that_names_it() {
    let open = attempt(Kind::Capture, false);
    let start = with(event("INITIATE_CAPTURE", true), json!({"request_id": "r1"}));
    let failed = event("CAPTURE", false);
    let of = |end: Value| outcome(&open, read_at(90), json!([start, failed, end]));
    let named = json!({"correlation_request_id": "r1"});
    assert_eq!(of(with(event("CAPTURE", false), named.clone())), Outcome::Rejected);
    assert_eq!(of(with(event("CAPTURE", false), json!({"correlation_request_id": "r2"}))), Outcome::UnderWay);
    assert_eq!(of(with(event("INITIATE_CAPTURE", true), named)), Outcome::UnderWay, "a start ends nothing");
    // Nor does a start that was itself ended.
    let second = with(event("INITIATE_CAPTURE", true), json!({"request_id": "r2", "correlation_request_id": "r1"}));
    let ended = with(event("CAPTURE", false), json!({"correlation_request_id": "r2"}));
    assert_eq!(outcome(&open, read_at(90), json!([start, second, ended])), Outcome::UnderWay);
    // Neither names anything.
    let nameless = json!([event("INITIATE_CAPTURE", true), event("CAPTURE", false)]);
    assert_eq!(outcome(&open, read_at(90), nameless.clone()), Outcome::UnderWay);
    assert_eq!(outcome(&attempt(Kind::Capture, true), read_at(90), nameless), Outcome::Rejected, "nobody else's");
}

/// Of calls under one reference, the newest counts: by time, and by place where times are equal or missing.
#[test]
fn a_failure_after_a_success_under_one_reference_is_unknown() {
    let open = attempt(Kind::Capture, false);
    let at = |success, time: Option<i64>| {
        with(event("CAPTURE", success), json!({"created_at": time.map(|time| moment(time).to_rfc3339())}))
    };
    for (first, second, outcome_) in [
        (at(true, Some(1)), at(false, Some(2)), Outcome::Unknown),
        (at(false, Some(2)), at(true, Some(1)), Outcome::Unknown),
        (at(false, Some(1)), at(true, Some(2)), Outcome::Completed),
        (at(true, Some(2)), at(false, Some(1)), Outcome::Completed),
        (at(true, Some(1)), at(false, Some(1)), Outcome::Unknown),
        (at(false, Some(1)), at(true, Some(1)), Outcome::Completed),
        (at(true, None), at(false, Some(1)), Outcome::Unknown),
        (at(false, None), at(true, None), Outcome::Completed),
    ] {
        let events = json!([first, second]);
        assert_eq!(outcome(&open, read_at(90), events.clone()), outcome_, "{events}");
    }
}

/// The clocks may be a day apart, to the second.
#[test]
fn a_success_a_day_before_the_call_is_an_earlier_ones() {
    let open = attempt(Kind::Capture, false);
    let at = |seconds: i64| {
        let created_at = json!({"created_at": moment(seconds).to_rfc3339()});
        outcome(&open, read_at(90), json!([with(event("CAPTURE", true), created_at)]))
    };
    assert_eq!(at(-86_400), Outcome::Completed);
    assert_eq!(at(-86_401), Outcome::Unknown);
}

/// A read counts from its beginning, and only once the settle time has passed.
#[test]
fn nothing_is_called_not_received_before_the_settle_time() {
    let open = attempt(Kind::Capture, true);
    let events = json!([{"event": "AUTHORIZE", "amount": 1000, "success": true}]);
    assert_eq!(outcome(&open, read_at(89), events.clone()), Outcome::Unknown);
    assert_eq!(outcome(&open, read_at(90), events.clone()), Outcome::NotReceived);
    assert_eq!(outcome(&responded_to(open.clone(), 202, None, None), read_at(90), events.clone()), Outcome::UnderWay);
    assert_eq!(outcome(&open, Source::Response(StatusCode::ACCEPTED), events.clone()), Outcome::UnderWay);
    assert_eq!(outcome(&open, OK, events), Outcome::Unknown);
}

/// What a 202 shows of its transaction may be anything but another one's: the call is at least under way.
#[test]
fn what_is_accepted_is_under_way_whatever_its_transaction_shows() {
    let accepted = Source::Response(StatusCode::ACCEPTED);
    let own = responded_to(attempt(Kind::Capture, true), 202, Some("r1"), None);
    for events in [
        json!([event("CAPTURE", true), event("CAPTURE", true)]),
        json!([with(event("CAPTURE", true), json!({"amount": 500}))]),
        json!([with(event("CAPTURE", true), json!({"success": null}))]),
        json!([event("A_NEW_ONE", true)]),
        json!([]),
    ] {
        assert_eq!(outcome(&own, accepted, events.clone()), Outcome::UnderWay, "{events}");
        assert_ne!(outcome(&own, OK, events.clone()), Outcome::UnderWay, "{events}");
    }
}

/// The payment began with an authorization, which is never a later change of it; each other may be.
#[test]
fn the_first_authorization_is_no_change_of_it() {
    let open = attempt(Kind::Authorization, true);
    let of = |events: Value| finding(&open, read_at(90), "AUTHORIZED", events).outcome;
    let at = |seconds: Option<i64>| {
        let time = seconds.map(|seconds| moment(seconds).to_rfc3339());
        json!({"event": "AUTHORIZE", "amount": 400, "success": true, "created_at": time})
    };
    assert_eq!(of(json!([at(Some(-5))])), Outcome::NotReceived);
    assert_eq!(of(json!([at(Some(-5)), at(Some(5))])), Outcome::Unknown);
    assert_eq!(of(json!([at(Some(5)), at(Some(-5))])), Outcome::Unknown);
    assert_eq!(of(json!([at(None)])), Outcome::Unknown, "which is the first cannot be told");
    assert_eq!(of(json!([at(Some(-5)), with(at(Some(5)), json!({"amount": 300}))])), Outcome::NotReceived);
}

#[test]
fn the_newest_failed_part_is_told_unless_it_was_mended() {
    let part = |events: Value| failed_part(&read("AUTHORIZED", events).value);
    let capture = |success: bool, time: i64| {
        json!({"id": format!("{time}"), "event": "CAPTURE", "success": success,
               "created_at": moment(time).to_rfc3339()})
    };
    let void = with(capture(true, 9), json!({"event": "VOID"}));
    let correction = json!({"event": "CAPTURE", "success": false, "correction": {"event_ids": ["2"]},
                            "created_at": moment(0).to_rfc3339()});
    assert_eq!(part(json!([capture(true, 1)])), None);
    assert_eq!(part(json!([capture(false, 1)])), Some(0));
    assert_eq!(part(json!([capture(false, 1), capture(false, 2)])), Some(1));
    assert_eq!(part(json!([capture(false, 2), capture(false, 1)])), Some(0));
    assert_eq!(part(json!([capture(false, 1), capture(true, 2)])), None);
    assert_eq!(part(json!([capture(true, 2), capture(false, 1)])), None);
    assert_eq!(part(json!([capture(false, 2), capture(true, 1)])), Some(0));
    assert_eq!(part(json!([capture(false, 1), capture(true, 1)])), None, "by place");
    assert_eq!(part(json!([capture(true, 1), capture(false, 1)])), Some(1), "by place");
    assert_eq!(part(json!([capture(false, 1), void])), Some(0), "something else succeeded");
    assert_eq!(part(json!([correction, capture(false, 1), capture(true, 2)])), Some(1), "the success was taken back");
}

#[test]
fn an_attempt_made_anew_begins_when_it_may_first_have_been_sent() {
    let mut new = attempt(Kind::Capture, true);
    new.anchor = Anchor(Some(tokio::time::Instant::now()));
    assert_eq!(new.clone().since(moment(-60)).begun_at(), moment(-60));
    assert_eq!(new.clone().since(moment(60)).begun_at(), moment(0), "it is never later");
    let wall = moment(1_000_000);
    assert!(new.now(wall) < wall, "its own clock");
    assert_eq!(new.since(moment(-60)).now(wall), wall, "which knows nothing of the time before");
}

/// A failure in the response is this call's, where it cannot be an earlier one's.
#[test]
fn nothing_of_a_settled_attempt_is_on_its_way() {
    let settled = attempt(Kind::Capture, true).settling(Some(Duration::MAX)).settled();
    assert_eq!((settled.until(), settled.settle()), (DateTime::UNIX_EPOCH, Duration::ZERO));
}

#[test]
fn a_failure_in_the_response_is_rejected_where_it_can_only_be_this_calls() {
    let open = attempt(Kind::Capture, false);
    let failed = event("CAPTURE", false);
    let old = json!({"created_at": moment(-86_401).to_rfc3339()});
    assert_eq!(outcome(&open, OK, json!([failed])), Outcome::Rejected);
    assert_eq!(outcome(&open, read_at(0), json!([failed])), Outcome::Unknown);
    assert_eq!(outcome(&open, read_at(90), json!([failed])), Outcome::Rejected);
    assert_eq!(outcome(&open, OK, json!([with(failed.clone(), json!({"amount": 500}))])), Outcome::Unknown);
    assert_eq!(outcome(&open, OK, json!([with(failed.clone(), old)])), Outcome::Unknown);
    for (nameless, expected) in [(true, Outcome::Unknown), (false, Outcome::Rejected)] {
        let nameless = json!({"event": "CAPTURE", "amount": 400, "success": nameless});
        for source in [OK, read_at(90)] {
            assert_eq!(outcome(&open, source, json!([failed, nameless])), expected, "{nameless}");
        }
        // A gateway may have sent it twice.
        assert_eq!(outcome(&attempt(Kind::Capture, true), OK, json!([failed, nameless])), expected, "{nameless}");
    }
}

#[test]
fn the_evidence_is_told_in_words() {
    let own = attempt(Kind::Capture, true);
    let why = |events: Value| finding(&own, read_at(90), "PARTIALLY_CAPTURED", events).why;
    let done = with(event("CAPTURE", true), json!({"id": "1"}));
    let correction = json!({"event": "CAPTURE", "amount": 400, "success": false, "correction": {"event_ids": ["1"]}});
    for (events, told) in [
        (json!([done]), "its event succeeded"),
        (json!([event("CAPTURE", false)]), "its event failed"),
        (json!([done, correction]), "its event was taken back by a correction"),
        (json!([event("INITIATE_CAPTURE", true)]), "it has begun and not ended"),
        (json!([event("A_NEW_ONE", true)]), "an event of it is not known to this version of the crate"),
        (json!([with(event("CAPTURE", true), json!({"success": 7}))]), "an event does not say whether it succeeded"),
        (json!([event("CAPTURE", false), 7]), "the transaction cannot be read well enough"),
        (json!([7]), "the transaction cannot be read well enough"),
    ] {
        assert_eq!(why(events.clone()), told, "{events}");
    }
    let told = finding(&own, read_at(90), "AUTHORIZED", json!([done]));
    assert_eq!((told.outcome, told.why), (Outcome::Unknown, "status and events contradict each other"));
    let accepted = Source::Response(StatusCode::ACCEPTED);
    assert_eq!(finding(&own, accepted, "AUTHORIZED", json!([])).why, "accepted, and not ended");
}

#[test]
fn a_void_is_found_by_its_time_and_its_request() {
    let open = Attempt { reference: None, amount: None, ..attempt(Kind::Void, false) };
    let of = |attempt: &Attempt, source, events: Value| {
        let mut all = vec![json!({"event": "AUTHORIZE", "amount": 1000, "success": true})];
        all.extend(events.as_array().unwrap().iter().cloned());
        let found = finding(attempt, source, "AUTHORIZATION_VOIDED", Value::Array(all));
        (found.outcome, found.place)
    };
    let void = |name: &str, success: bool, time: i64, ids: Value| {
        with(json!({"event": name, "success": success, "created_at": moment(time).to_rfc3339()}), ids)
    };
    let (now, past) = (5, -86_401);
    let failed = |time, ids| json!([void("VOID", false, time, ids)]);
    assert_eq!(of(&open, read_at(0), failed(now, json!({}))), (Outcome::Unknown, Some(1)));
    assert_eq!(of(&open, read_at(90), failed(now, json!({}))), (Outcome::Rejected, Some(1)));
    assert_eq!(of(&open, read_at(90), failed(past, json!({}))), (Outcome::NotReceived, None), "an earlier one");
    let named = responded_to(open.clone(), 202, Some("r1"), None);
    let ids = json!({"correlation_request_id": "r1"});
    assert_eq!(of(&named, read_at(0), failed(now, ids)), (Outcome::Rejected, Some(1)), "its own");
    assert_eq!(of(&named, read_at(90), failed(now, json!({}))), (Outcome::UnderWay, Some(1)), "it may be another's");
    let begun = |time| json!([void("INITIATE_VOID", true, time, json!({"request_id": "r9"}))]);
    assert_eq!(of(&open, read_at(90), begun(now)), (Outcome::UnderWay, Some(1)));
    assert_eq!(of(&open, read_at(90), begun(past)), (Outcome::NotReceived, None), "an earlier one");
    let told = finding(&open, OK, "AUTHORIZED", failed(now, json!({})));
    assert_eq!((told.outcome, told.why), (Outcome::Unknown, "the failed event may be of an earlier call"));
    // A success counts whoever made it, and whenever.
    for time in [now, past] {
        assert_eq!(of(&open, read_at(0), json!([void("VOID", true, time, json!({}))])).0, Outcome::Completed);
    }
    let mixed = json!([void("VOID", false, past, json!({})), void("INITIATE_VOID", true, now, json!({}))]);
    assert_eq!(of(&open, read_at(90), mixed), (Outcome::UnderWay, Some(2)));
    for odd in [json!({"event": "VOID"}), json!({"event": "A_NEW_ONE", "success": true})] {
        assert_eq!(of(&open, read_at(90), json!([odd])), (Outcome::Unknown, Some(1)));
    }
    assert_eq!(of(&named, read_at(90), json!([])).0, Outcome::UnderWay);
}
