//! What single transactions prove of a payment, one by one.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::moment;
use crate::read;
use crate::verdict::attempt::Anchor;
use crate::verdict::*;

/// A payment of 400 under the reference `own`, from second 0 to second 30.
fn payment() -> Attempt {
    let target = Target::Account("T12345678".to_owned());
    Attempt {
        reference: Some("own".to_owned()),
        amount: Some(400),
        ..Attempt::begun(Kind::Pay, target, moment(0), Duration::from_secs(30), Anchor::default())
    }
}

/// What is known of a payment by the transactions with these fields.
fn found(attempt: &Attempt, source: Source, transactions: &[Value]) -> (Outcome, &'static str) {
    let read = |fields: &Value| -> read::Read<Transaction> {
        let mut body = json!({"id": "T12345678.abc", "amount": 400, "currency": "NOK", "payment_product": "payex",
                              "payment_product_type": "payex.creditcard", "merchant_reference": "own", "events": []});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        read::from_value(body).unwrap()
    };
    let read: Vec<_> = transactions.iter().map(read).collect();
    let candidates: Vec<_> = read.iter().map(|one| (&one.value, one.skipped_fields.as_slice())).collect();
    let finding = judge_payment(attempt, &candidates, source);
    (finding.outcome, finding.why)
}

const RESPONSE: Source = Source::Response(StatusCode::OK);

/// A read that began this long after the attempt, of which 60 s are left to settle.
fn read_at(seconds: i64) -> Source {
    Source::Read { begun_at: moment(seconds), settle: Duration::from_secs(60) }
}

#[test]
fn the_evidence_of_a_payment_is_told_in_words() {
    let own = payment();
    for (fields, told) in [
        (json!({"status": "AUTHORIZED"}), (Outcome::Completed, "the payment is authorized or captured")),
        (json!({"status": "DECLINED"}), (Outcome::Rejected, "the payment was declined or failed")),
        (json!({"status": "INITIATED"}), (Outcome::UnderWay, "it has begun and not ended")),
        (
            json!({"status": "AUTHORIZED", "id": "T87654321.abc"}),
            (Outcome::Unknown, "the response is of another payment"),
        ),
        (json!({"status": "AUTHORIZATION_VOIDED"}), (Outcome::Unknown, "an event does not say whether it succeeded")),
    ] {
        assert_eq!(found(&own, RESPONSE, std::slice::from_ref(&fields)), told, "{fields}");
    }
    assert_eq!(found(&own, RESPONSE, &[]), (Outcome::Unknown, "the response is of another payment"));
    assert_eq!(found(&own, read_at(0), &[]), (Outcome::Unknown, "no trace of it, and it may still arrive"));
    assert_eq!(found(&own, read_at(90), &[]).0, Outcome::NotReceived);
}

#[test]
fn a_payment_that_was_accepted_is_under_way_until_it_is_seen_to_end() {
    let mut accepted = payment();
    accepted.responded(StatusCode::ACCEPTED, &HeaderMap::new(), None);
    let under_way = (Outcome::UnderWay, "accepted, and not ended");
    assert_eq!(found(&accepted, read_at(0), &[]), under_way);
    assert_eq!(found(&accepted, read_at(90), &[]), under_way);
    let response = Source::Response(StatusCode::ACCEPTED);
    assert_eq!(found(&accepted, response, &[json!({"status": "AUTHORIZATION_VOIDED"})]), under_way);
    assert_eq!(found(&accepted, response, &[]), (Outcome::Unknown, "the response is of another payment"));
    assert_eq!(found(&accepted, read_at(0), &[json!({"status": "CAPTURED"})]).0, Outcome::Completed);
}

/// What does not say whose it is may be the payment's, if amount and time fit; in its own response it is.
#[test]
fn a_transaction_without_a_reference_is_the_payments_in_its_response_only() {
    let own = payment();
    let nameless = |fields: Value| {
        let mut nameless = json!({"status": "AUTHORIZED", "merchant_reference": null});
        nameless.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        nameless
    };
    assert_eq!(found(&own, RESPONSE, &[nameless(json!({}))]).0, Outcome::Completed);
    assert_eq!(found(&own, read_at(90), &[nameless(json!({}))]).0, Outcome::Unknown);
    for other in [json!({"amount": 500}), json!({"created_at": moment(-86_401).to_rfc3339()})] {
        assert_eq!(found(&own, read_at(90), &[nameless(other.clone())]).0, Outcome::NotReceived, "{other}");
    }
    // With the reference, neither takes it from the payment.
    let early = json!({"status": "AUTHORIZED", "created_at": moment(-86_401).to_rfc3339()});
    assert_eq!(found(&own, read_at(90), &[early]), (Outcome::Unknown, "the reference was used before"));
    let more = json!({"status": "AUTHORIZED", "amount": 500});
    assert_eq!(found(&own, read_at(90), &[more]), (Outcome::Unknown, "an event with the reference has another amount"));
}

/// A status that this version does not know says nothing; events and `success` together do.
#[test]
fn a_payment_of_an_unknown_status_is_known_by_its_events_and_its_success() {
    let own = payment();
    let event = |success: bool| json!([{"event": "AUTHORIZE", "amount": 400, "success": success}]);
    for (fields, outcome) in [
        (json!({"success": true, "events": event(true)}), Outcome::Completed),
        (json!({"success": true, "events": event(false)}), Outcome::Unknown),
        (json!({"success": false, "events": event(true)}), Outcome::Unknown),
        (json!({"events": event(true)}), Outcome::Unknown),
        (json!({"success": true, "events": [event(true)[0], 7]}), Outcome::Unknown),
        (json!({"success": true, "status": 7, "events": event(true)}), Outcome::Unknown),
    ] {
        let mut known = json!({"status": "A_NEW_ONE"});
        known.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(found(&own, RESPONSE, std::slice::from_ref(&known)).0, outcome, "{known}");
    }
}
