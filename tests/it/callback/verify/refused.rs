//! The verifier accepts nothing else: one test per cause of refusal, and replay.

use std::time::Duration;

use dintero::callback::{CallbackResponse, SIGNATURE_HEADER, VerifyError};
use http::{HeaderMap, HeaderValue, Method};

use super::{ACCOUNT, HEX, SECRET, TARGET, TIME, account, at, builder, headers, published, signed, verifier};

#[test]
fn cause_signature_missing() {
    let error = verifier().verify_target(&Method::GET, TARGET, &HeaderMap::new()).unwrap_err();
    assert_eq!(error, VerifyError::SignatureMissing);
    assert_eq!(error.response(), CallbackResponse::RetryLater);
}

#[test]
fn cause_malformed() {
    let mut twice = published();
    let other = format!("t={},v0-hmac-sha256={HEX}", TIME + 1);
    twice.append(SIGNATURE_HEADER, HeaderValue::from_str(&other).expect("a value"));
    let mut bytes = HeaderMap::new();
    bytes.insert(SIGNATURE_HEADER, HeaderValue::from_bytes(b"t=1,v0=\xff").expect("a value"));
    for headers in [
        twice,
        bytes,
        headers(""),
        headers(&format!("t=-{TIME},v0-hmac-sha256={HEX}")),
        headers(&format!("t={TIME},t=1,v0-hmac-sha256={HEX}")),
        headers(&format!("t={TIME},v0-hmac-sha256={}", HEX.to_uppercase())),
        headers(&format!("t={TIME},v0-hmac-sha256={}", &HEX[..62])),
        headers(&format!("t={TIME};v0-hmac-sha256={HEX}")),
        headers(&format!("v0-hmac-sha256={HEX}")),
        headers(&format!("t={TIME},v0-hmac-sha256={HEX},v0-hmac-sha256=damaged")),
    ] {
        let error = verifier().verify_target(&Method::GET, TARGET, &headers).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed(_)), "{error:?}");
        assert_eq!(error.response(), CallbackResponse::Refuse);
    }
}

#[test]
fn cause_unknown_scheme() {
    let headers = headers(&format!("t={TIME},v1-hmac-sha512={HEX}"));
    let error = verifier().verify_target(&Method::GET, TARGET, &headers).unwrap_err();
    assert_eq!(error, VerifyError::UnknownScheme);
    assert_eq!(error.response(), CallbackResponse::RetryLater);
}

#[test]
fn cause_target() {
    for url in ["", "callback?B=123&A=992", "*", "ftp://example.com/callback", "https:///callback", "https://a\\b/c"] {
        let error = verifier().verify_target(&Method::GET, url, &published()).unwrap_err();
        assert!(matches!(error, VerifyError::Target(_)), "{url}: {error:?}");
    }
}

#[test]
fn cause_mismatch() {
    let verifier = verifier();
    for (method, url) in [
        (Method::POST, TARGET),
        (Method::GET, "/callback?B=123&A=993"),
        (Method::GET, "/callback?B=123"),
        (Method::GET, "/callback?B=123&A=992&C="),
        (Method::GET, "/callback?b=123&A=992"),
        (Method::GET, "/callbacks?B=123&A=992"),
        (Method::from_bytes(b"get").expect("a method"), TARGET),
    ] {
        let error = verifier.verify_target(&method, url, &published()).unwrap_err();
        assert_eq!(error, VerifyError::Mismatch, "{method} {url}");
        assert_eq!(error.response(), CallbackResponse::RetryLater);
    }
    for headers in [
        signed("124", TIME, ACCOUNT, &Method::GET, "https://example.com/callback?B=123&A=992"),
        signed(SECRET, TIME, "T00000000", &Method::GET, "https://example.com/callback?B=123&A=992"),
        signed(SECRET, TIME, ACCOUNT, &Method::GET, "https://shop.example.com/callback?B=123&A=992"),
        headers(&format!("t={},v0-hmac-sha256={HEX}", TIME + 1)),
        headers(&format!("t=0{TIME},v0-hmac-sha256={HEX}")),
    ] {
        assert_eq!(verifier.verify_target(&Method::GET, TARGET, &headers).unwrap_err(), VerifyError::Mismatch);
    }
}

#[test]
fn causes_stale_and_from_the_future_at_the_edges_of_the_window() {
    for (tolerance, edge) in [(None, 300), (Some(10), 10), (Some(0), 0)] {
        let check = |now: u64| {
            let mut builder = builder().clock(at(now));
            if let Some(seconds) = tolerance {
                builder = builder.tolerance(Duration::from_secs(seconds));
            }
            builder.build().expect("a verifier").verify_target(&Method::GET, TARGET, &published())
        };
        // A replay inside the window verifies, as often as it is sent: that is what dedupe is for.
        for now in [TIME, TIME - edge, TIME + edge, TIME + edge] {
            assert!(check(now).is_ok(), "{now}");
        }
        let allowed = Duration::from_secs(edge);
        assert_eq!(
            check(TIME + edge + 1).unwrap_err(),
            VerifyError::Stale { age: Duration::from_secs(edge + 1), tolerance: allowed }
        );
        assert_eq!(
            check(TIME - edge - 1).unwrap_err(),
            VerifyError::FromTheFuture { ahead: Duration::from_secs(edge + 1), tolerance: allowed }
        );
    }
    assert_eq!(
        VerifyError::Stale { age: Duration::from_secs(301), tolerance: Duration::from_secs(300) }.response(),
        CallbackResponse::RetryLater,
        "our own clock may be the wrong one"
    );
}

#[test]
fn extreme_times_do_not_overflow() {
    for time in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        let headers = signed(SECRET, time, ACCOUNT, &Method::GET, "https://example.com/c");
        let result = verifier().verify_target(&Method::GET, "/c", &headers);
        match result.unwrap_err() {
            VerifyError::Stale { .. } => assert!(time < TIME),
            VerifyError::FromTheFuture { .. } => assert!(time > TIME),
            other => panic!("{time}: {other}"),
        }
        // Whatever is signed is accepted with the widest window, from a clock before 1970 too.
        let all =
            builder().tolerance(Duration::MAX).clock(crate::callback::support::At(-1)).build().expect("a verifier");
        let callback = all.verify_target(&Method::GET, "/c", &headers).expect("verified");
        assert_eq!(callback.signed_at().is_some(), time <= 1);
    }
    // Larger than any integer: signed as text, which the verifier reads as the largest number.
    let digits = "9".repeat(60);
    let headers = headers(&format!("t={digits},v0-hmac-sha256={HEX}"));
    assert_eq!(verifier().verify_target(&Method::GET, TARGET, &headers).unwrap_err(), VerifyError::Mismatch);
}

#[test]
fn cause_other_account() {
    let found = || VerifyError::OtherAccount { found: account("T11111111") };
    for (query, by) in [
        // Genuine, but for the other account: the settings here name the wrong one.
        ("transaction_id=T11111111.abc", "T11111111"),
        ("session_id=T11111111.abc", "T11111111"),
        ("sid=T11111111.abc", "T11111111"),
        ("sid_parameter_name=s&s=T11111111.abc", "T11111111"),
        // Signed for this account, about another one.
        ("transaction_id=T11111111.abc", ACCOUNT),
        ("transaction_id=P00000000.abc&session_id=T11111111.abc", ACCOUNT),
        ("transaction_id=P00000000.abc&transaction_id=T11111111.abc", ACCOUNT),
    ] {
        let url = format!("https://example.com/c?{query}");
        let headers = signed(SECRET, TIME, by, &Method::GET, &url);
        let error = verifier().verify_target(&Method::GET, &url, &headers).unwrap_err();
        assert_eq!(error, found(), "{query} by {by}");
        assert_eq!(error.response(), CallbackResponse::RetryLater);
    }
    // The merchant's own parameters say nothing about the account.
    for query in ["sid=mine", "sid=a.b", "order=T11111111.abc", "merchant_reference=T11111111.abc"] {
        let url = format!("https://example.com/c?{query}");
        let headers = signed(SECRET, TIME, ACCOUNT, &Method::GET, &url);
        assert!(verifier().verify_target(&Method::GET, &url, &headers).is_ok(), "{query}");
    }
}
