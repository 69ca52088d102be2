//! What callbacks, return URLs and express requests say, read into types: all of it, leniently, and
//! never more proven than it is.

use std::time::Duration;

use dintero::callback::{
    AddressOrder, AddressResponse, Callback, CallbackUrl, DiscountOrder, DiscountResponse, ExpressError,
    ExpressRequest, PaymentFailure, ReportedEvent, SIGNATURE_HEADER, SigningSecret, UnsignedReturn, Verifier, sign,
};
use dintero::types::{OrderItem, ShippingOption, TransactionEventName};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use url::Url;

fn verified(url: &Url) -> Callback {
    let account = "P00000000".parse().expect("an account");
    let secret = SigningSecret::new("123").expect("a secret");
    let mut headers = HeaderMap::new();
    let value = sign(&secret, 5, &account, &Method::POST, url);
    headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&value).expect("a value"));
    headers.insert("event-delivery", HeaderValue::from_static(" 0ff1ce "));
    let verifier = Verifier::builder(account, "https://shop.example")
        .secret(secret)
        .clock(super::support::At(5))
        .build()
        .expect("a verifier");
    verifier.verify_target(&Method::POST, url.as_str(), &headers).expect("verified")
}

fn callback(query: &str) -> Callback {
    verified(&Url::parse(&format!("https://shop.example/c?{query}")).expect("a URL"))
}

#[test]
fn a_callback_to_a_built_url_reads_back_with_the_merchants_own_parameters() {
    let mut url = CallbackUrl::new("https://shop.example/c?order=7&note=a%20b&order=8")
        .post()
        .report_error()
        .delay(Duration::from_secs(30))
        .report_event(ReportedEvent::Capture)
        .report_event(ReportedEvent::Refund)
        .include_session()
        .session_parameter("s")
        .build()
        .expect("a callback URL");
    url.query_pairs_mut().extend_pairs([
        ("transaction_id", "P00000000.tx"),
        ("s", "P00000000.session"),
        ("merchant_reference", "ref-1"),
        ("time", "2026-05-07T10:11:12.345Z"),
        ("event", "CAPTURE"),
        ("event_id", "3"),
    ]);
    let callback = verified(&url);
    assert_eq!(callback.transaction_id().map(|id| id.as_str()), Some("P00000000.tx"));
    assert_eq!(callback.session_id().map(|id| id.as_str()), Some("P00000000.session"));
    assert_eq!(callback.merchant_reference(), Some("ref-1"));
    assert_eq!(callback.time().map(|t| t.timestamp_millis()), Some(1_778_148_672_345));
    assert_eq!(callback.event(), Some(TransactionEventName::Capture));
    assert_eq!(callback.event_id(), Some("3"));
    assert_eq!(callback.error(), None);
    assert_eq!(callback.delivery_id(), Some("0ff1ce"));
    let own: Vec<_> = callback.params().own().collect();
    assert_eq!(own, [("note", "a b"), ("order", "7"), ("order", "8")]);
    assert_eq!(callback.params().all("report_event").collect::<Vec<_>>(), ["CAPTURE", "REFUND"]);
}

#[test]
fn what_is_absent_or_odd_costs_only_itself() {
    let callback = callback("error=authorization&time=&event=&transaction_id=&sid=P00000000.s&x");
    assert_eq!(callback.transaction_id(), None);
    assert_eq!(callback.session_id().map(|id| id.as_str()), Some("P00000000.s"));
    assert_eq!(callback.error(), Some(PaymentFailure::Authorization));
    assert_eq!((callback.time(), callback.event(), callback.event_id()), (None, None, None));
    assert_eq!(callback.params().get("x"), Some(""));
    // Under its short name, a session id is the service's, and everything else the merchant's.
    assert_eq!(callback.params().own().collect::<Vec<_>>(), [("x", "")]);
    let own = self::callback("sid=7&cart=P00000000.s");
    assert_eq!(own.params().own().collect::<Vec<_>>(), [("cart", "P00000000.s"), ("sid", "7")]);

    let odd = callback_of_unknowns();
    assert_eq!(odd.error(), Some(PaymentFailure::Unknown("struck-by-lightning".to_owned())));
    assert_eq!(odd.event().map(|e| e.to_string()).as_deref(), Some("TELEPORT"));
    assert_eq!(odd.transaction_id(), None, "no id: `..` is not let into a path");
    assert_eq!(odd.params().get("transaction_id"), Some(".."));
    assert_eq!(odd.time().map(|t| t.to_rfc3339()).as_deref(), Some("2026-05-07T08:00:00+00:00"));
}

fn callback_of_unknowns() -> Callback {
    // The `+` of the offset is not escaped, so it is read as a space.
    callback("error=struck-by-lightning&event=TELEPORT&transaction_id=..&time=2026-05-07T10:00:00+02:00")
}

#[test]
fn of_two_different_transactions_neither_is_believed() {
    assert!(callback("transaction_id=P00000000.a&transaction_id=P00000000.a").transaction_id().is_some());
    assert!(callback("transaction_id=mine&transaction_id=P00000000.a").transaction_id().is_some());
    assert!(callback("transaction_id=P00000000.a&transaction_id=P00000000.b").transaction_id().is_none());
}

#[test]
fn a_body_is_only_a_hint_and_is_not_printed() {
    let callback = callback("transaction_id=P00000000.a&merchant_reference=kari%40example.com&phone=99999999");
    assert!(callback.unverified_body().is_none());
    assert!(callback.clone().with_unverified_body("").unverified_body().is_none());
    let body = json!({
        "id": "P00000000.a", "amount": 29990, "currency": "NOK", "status": "A_NEW_STATUS", "session": { "id": "P00000000.s" },
        "customer": { "email": "kari@example.com" }, "shipping_address": { "phone_number": 12 }, "events": [{ "error": { "type": ["new"] } }],
    });
    let callback = callback.with_unverified_body(body.to_string());
    let body = callback.unverified_body().expect("a body");
    let transaction = body.transaction().expect("a transaction");
    assert_eq!(transaction.as_hint().value.amount, 29_990);
    let raw = body.json::<serde_json::Value>().expect("JSON").into_hint();
    assert_eq!(raw.value["session"]["id"], "P00000000.s");
    let printed = format!("{callback:?} {callback:#?} {body:?} {transaction:?}");
    for private in ["kari", "99999999", "example.com"] {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    for broken in ["{", "[]", "null", "\"text\"", "{\"amount\": \"kari@example.com\"}"] {
        let callback = callback.clone().with_unverified_body(broken);
        let error = callback.unverified_body().expect("a body").transaction().expect_err("no transaction");
        assert!(!format!("{error} {error:?}").contains("kari"));
    }
}

#[test]
fn a_return_url_reads_without_being_believed() {
    for url in [
        "https://shop.example/return?merchant_reference=r&transaction_id=P00000000.a&error=cancelled&cart=9",
        "/return?cart=9&error=cancelled&transaction_id=P00000000.a&merchant_reference=r#top",
    ] {
        let back = UnsignedReturn::from_url(url);
        assert_eq!(back.transaction_id().map(|id| id.as_str()), Some("P00000000.a"));
        assert_eq!(back.merchant_reference(), Some("r"));
        assert_eq!(back.error(), Some(PaymentFailure::Cancelled));
        assert_eq!(back.params().own().collect::<Vec<_>>(), [("cart", "9")]);
    }
    let nothing = UnsignedReturn::from_url("/return");
    assert_eq!((nothing.transaction_id(), nothing.error()), (None, None));
    assert_eq!(UnsignedReturn::from_query("transaction_id=../../x").transaction_id(), None);
}

fn option(id: &str, line: &str, amount: i64) -> ShippingOption {
    serde_json::from_value(json!({ "id": id, "line_id": line, "amount": amount, "title": "Post", "operator": "Bring" }))
        .expect("an option")
}

#[test]
fn an_address_response_is_the_json_that_the_service_takes() {
    let item: OrderItem =
        serde_json::from_value(json!({ "line_id": "1", "amount": 26_090, "id": "chair" })).expect("a line");
    let order = AddressOrder { vat_amount: Some(6_000), items: vec![item], ..AddressOrder::new(29_990) };
    let response = AddressResponse::ships([option("post", "s1", 3_900), option("post", "s2", 0)])
        .and_then(|response| response.keeping(&option("post", "s2", 99)))
        .and_then(|response| response.with_order(order))
        .expect("a response");
    assert_eq!(
        serde_json::to_value(&response).expect("JSON"),
        json!({
            "shipping_options": [
                { "id": "post", "line_id": "s1", "amount": 3900, "title": "Post", "operator": "Bring" },
                { "id": "post", "line_id": "s2", "amount": 0, "title": "Post", "operator": "Bring" },
            ],
            "order": { "amount": 29990, "vat_amount": 6000, "items": [{ "line_id": "1", "amount": 26090, "id": "chair" }] },
        })
    );
    assert_eq!(
        serde_json::to_value(AddressResponse::nothing_ships()).expect("JSON"),
        json!({ "shipping_options": [] }),
        "an empty list is sent, not left out"
    );
}

#[test]
fn a_discount_response_always_says_which_codes_hold() {
    let response = DiscountResponse::ships([option("post", "s1", 3_900)])
        .and_then(|response| response.with_order(DiscountOrder::new(72_200, Vec::<String>::new())))
        .expect("a response");
    let json = serde_json::to_value(&response).expect("JSON");
    assert_eq!(json["order"], json!({ "amount": 72200, "discount_codes": [] }));
    assert_eq!(response.order().map(|order| order.amount), Some(72_200));
    assert_eq!(response.shipping_options(), [option("post", "s1", 3_900)]);
    let error = response.with_order(DiscountOrder::new(1 << 31, Vec::<String>::new())).unwrap_err();
    assert!(matches!(error, ExpressError::Field { path, .. } if path == "order.amount"));
}

#[test]
fn a_response_that_the_service_would_refuse_is_refused_by_field() {
    let path = |result: Result<AddressResponse, ExpressError>| match result {
        Err(ExpressError::Field { path, .. }) => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(AddressResponse::ships([]), Err(ExpressError::NoOptions));
    let good = || option("post", "s1", 3_900);
    let mut nameless = good();
    nameless.title.clear();
    assert_eq!(path(AddressResponse::ships([good(), nameless])), "shipping_options[1].title");
    assert_eq!(path(AddressResponse::ships([option("post", "s1", 1 << 31)])), "shipping_options[0].amount");
    assert_eq!(path(AddressResponse::ships([good(), good()])), "shipping_options[1]");
    assert_eq!(
        AddressResponse::ships([good()]).and_then(|a| a.keeping(&option("post", "s2", 3_900))),
        Err(ExpressError::ChosenNotOffered)
    );
    let line: OrderItem = serde_json::from_value(json!({ "line_id": "1", "amount": 1 })).expect("a line");
    let twice = AddressOrder { items: vec![line.clone(), line], ..AddressOrder::new(2) };
    assert_eq!(path(AddressResponse::nothing_ships().with_order(twice)), "order.items[1].line_id");
    assert_eq!(path(AddressResponse::nothing_ships().with_order(AddressOrder::new(i64::MAX))), "order.amount");
}

#[test]
fn an_express_request_is_read_leniently_and_printed_without_the_customer() {
    let body = json!({
        "id": "P00000000.s", "created_at": "yesterday", "new_field": { "x": [] },
        "order": {
            "amount": 29990, "currency": "NOK", "merchant_reference": "r", "items": null, "shipping_address": { "first_name": "Kari", "postal_code": "0150" },
            "shipping_option": { "id": "post", "line_id": "s1", "amount": 3900, "title": "Post", "operator": "Bring" },
        },
    });
    let request = ExpressRequest::read(body.to_string()).expect("a request");
    assert_eq!(request.session_id().map(|id| id.as_str()), Some("P00000000.s"));
    assert_eq!(request.chosen().map(|chosen| chosen.line_id.as_str()), Some("s1"));
    assert!(!format!("{request:?}").contains("Kari"));
    let read = request.into_unverified().into_hint();
    assert_eq!(read.skipped_fields.len(), 1, "created_at is no time: {:?}", read.skipped_fields);
    assert!(ExpressRequest::read("{}").is_err());
    assert!(ExpressRequest::read("not json").is_err());
}
