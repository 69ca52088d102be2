//! What is the same work, and what is not, by its name.

use std::collections::HashSet;

use dintero::store::{Journal, Once};

use super::{TX, action, done, work};

#[tokio::test]
async fn the_same_delivery_or_the_same_event_is_the_same_work() {
    let journal = Journal::in_memory();
    let first = work(&format!("{TX}&event=CAPTURE&event_id=3&time=2026-05-07T10:00:00Z"), Some("d-1"));
    assert_eq!(done(&journal, &first).await, Once::Done(()));
    for (query, delivery) in [
        // The very same, sent again.
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:00:00Z", Some("d-1")),
        // The same event in another delivery, whenever it was sent, or without a delivery id.
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:07:00Z", Some("d-2")),
        ("&event=CAPTURE&event_id=3&time=2026-05-07T10:07:00Z&own=1", None),
        // The same delivery, described otherwise.
        ("&event=CAPTURE&event_id=4&time=2026-05-07T10:00:00Z", Some("d-1")),
    ] {
        assert_eq!(done(&journal, &work(&format!("{TX}{query}"), delivery)).await, Once::Already(()), "{query}");
    }
}

#[tokio::test]
async fn different_news_are_different_work() {
    let journal = Journal::in_memory();
    for (query, delivery) in [
        (format!("{TX}&time=2026-05-07T10:00:00Z"), "d-1"),
        // Without an event id the time tells a later news from a repetition: on hold, then authorized.
        (format!("{TX}&time=2026-05-07T11:00:00Z"), "d-2"),
        (format!("{TX}&event=CAPTURE&event_id=1"), "d-3"),
        (format!("{TX}&event=CAPTURE&event_id=2"), "d-4"),
        (format!("{TX}&event=REFUND&event_id=2"), "d-5"),
        (format!("{TX}&error=failed"), "d-6"),
        ("transaction_id=T12345678.b&event=CAPTURE&event_id=1".to_owned(), "d-7"),
        // A delivery id is not signed: one that was seen with another transaction hides nothing.
        ("transaction_id=T12345678.b&event=CAPTURE&event_id=2".to_owned(), "d-1"),
        // Before there is a transaction: by session, and where there is none, by reference.
        ("session_id=T12345678.a&error=cancelled".to_owned(), "d-8"),
        ("session_id=T12345678.b&error=cancelled".to_owned(), "d-9"),
        ("merchant_reference=a&error=cancelled".to_owned(), "d-10"),
        ("merchant_reference=b&error=cancelled".to_owned(), "d-11"),
    ] {
        assert_eq!(done(&journal, &work(&query, Some(delivery))).await, Once::Done(()), "{query}");
    }
}

#[test]
fn names_cannot_be_made_to_collide_and_fit_in_a_column() {
    let long = "x".repeat(5_000);
    let works = [
        work("merchant_reference=a%26event%3DCAPTURE", None),
        work("merchant_reference=a&event=CAPTURE", None),
        work("merchant_reference=a&event=CAPTURE%26event_id%3D1", None),
        work("merchant_reference=a&event=CAPTURE&event_id=1", None),
        work(&format!("merchant_reference={long}"), Some("d")),
        work(&format!("merchant_reference={long}y"), Some(&long)),
    ];
    let names: HashSet<&str> = works.iter().flat_map(|work| [work.name()].into_iter().chain(work.alias())).collect();
    assert_eq!(names.len(), 8);
    assert!(names.iter().all(|name| name.len() <= 420 && name.is_ascii()));
    // What is too long is a hash, and its account; a transaction alone does not tell whose it is.
    assert!(works[4].name().starts_with("callback/account=T12345678&sha256="), "{}", works[4]);
    assert!(action(&long[..500]).to_string().starts_with("action/sha256="));
    // Stored names outlive a release, so their spelling is fixed.
    let work = work(&format!("{TX}&event=CAPTURE&event_id=3"), Some("d-1"));
    assert_eq!(work.alias(), Some("delivery/account=T12345678&transaction=T12345678.a&delivery=d-1"));
    assert_eq!(work.name(), "callback/account=T12345678&transaction=T12345678.a&event=CAPTURE&event_id=3");
    assert_eq!(action("a").name(), "action/action=capture&transaction=T12345678.a");
}
