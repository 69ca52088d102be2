//! The verifier accepts what the service signs: the published vectors, behind proxies, during a rotation.

mod refused;

use dintero::AccountId;
use dintero::callback::{
    CallbackResponse, SIGNATURE_HEADER, SigningSecret, Verifier, VerifierBuilder, VerifierError, VerifyError, sign,
};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

const ACCOUNT: &str = "P00000000";
const SECRET: &str = "123";
const TIME: u64 = 1_582_236_537;
const HEX: &str = "6bed2ab1b919d460ef7465a20dc6c97260dca73fab6647106ca525f0908df64a";
const TARGET: &str = "/callback?B=123&A=992";

fn account(text: &str) -> AccountId {
    text.parse().expect("an account id")
}

fn secret(text: &str) -> SigningSecret {
    SigningSecret::new(text).expect("a secret")
}

fn at(seconds: u64) -> crate::callback::support::At {
    crate::callback::support::At(seconds.cast_signed())
}

fn builder() -> VerifierBuilder {
    Verifier::builder(account(ACCOUNT), "https://example.com").secret(secret(SECRET)).clock(at(TIME))
}

fn verifier() -> Verifier {
    builder().build().expect("a verifier")
}

fn headers(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(value).expect("a value"));
    headers
}

fn published() -> HeaderMap {
    headers(&format!("t={TIME},v0-hmac-sha256={HEX}"))
}

fn signed(secret_text: &str, time: u64, of: &str, method: &Method, url: &str) -> HeaderMap {
    let url = Url::parse(url).expect("a URL");
    headers(&sign(&secret(secret_text), time, &account(of), method, &url))
}

#[test]
fn the_published_vectors_verify() {
    for (target, hex) in [
        (TARGET, HEX),
        ("/callback", "61805c29e0f9dc572d0791f476811f8edf1f7452171f9cf312056275557b779e"),
        ("/callback?B=1", "77aa669382c98256e58d5049a1e3ebde0f530fc73cc14ccd1bd62295c351e992"),
    ] {
        let headers = headers(&format!("t={TIME}, v0-hmac-sha256={hex}"));
        for base in ["https://example.com", "https://example.com:8443/", "http://EXAMPLE.com"] {
            let verifier = Verifier::builder(account(ACCOUNT), base)
                .secret(secret(SECRET))
                .clock(at(TIME))
                .build()
                .expect("a verifier");
            let callback = verifier.verify_target(&Method::GET, target, &headers).expect("verified");
            assert_eq!(callback.path(), "/callback");
            assert_eq!(callback.signed_at().map(|t| t.timestamp()), Some(i64::try_from(TIME).expect("fits")));
        }
    }
}

#[test]
fn the_url_may_be_absolute_and_its_host_and_port_a_proxys() {
    for url in [
        "https://example.com/callback?B=123&A=992",
        "http://10.0.0.7:8080/callback?B=123&A=992",
        "HTTPS://user@internal/callback?A=992&B=123#fragment",
        "/callback?A=%39%392&B=123",
    ] {
        assert!(verifier().verify_target(&Method::GET, url, &published()).is_ok(), "{url}");
    }
}

#[test]
fn an_empty_path_is_the_root() {
    let headers = signed(SECRET, TIME, ACCOUNT, &Method::GET, "https://example.com?a=1");
    for url in ["/?a=1", "https://example.com?a=1", "https://example.com/?a=1"] {
        assert!(verifier().verify_target(&Method::GET, url, &headers).is_ok(), "{url}");
    }
}

#[test]
fn paths_that_a_proxy_changes_are_mapped_and_nothing_is_guessed() {
    let sees = |maps: &[(&str, &str)], seen: &str, public: &str| {
        let verifier = maps.iter().fold(builder(), |builder, (public, handler)| builder.map_path(*public, *handler));
        let headers = signed(SECRET, TIME, ACCOUNT, &Method::GET, &format!("https://example.com{public}?a=1"));
        let result =
            verifier.build().expect("a verifier").verify_target(&Method::GET, &format!("{seen}?a=1"), &headers);
        match result {
            Ok(callback) => {
                assert_eq!(callback.path(), public, "the path is the one that was signed");
                true
            }
            Err(error) => {
                assert_eq!(error, VerifyError::Mismatch);
                false
            }
        }
    };
    // A prefix taken off, put on, and replaced.
    for slash in ["", "/"] {
        let (pay, root) = (&*format!("/pay{slash}"), "/");
        assert!(sees(&[(pay, root)], "/callback", "/pay/callback"));
        assert!(sees(&[(pay, root)], "/", "/pay/"));
        assert!(sees(&[(root, pay)], "/pay/callback", "/callback"));
        assert!(sees(&[(root, pay)], "/pay", "/"));
        assert!(sees(&[("/hooks/dintero", "/callback")], "/callback", "/hooks/dintero"));
        assert!(sees(&[("/hooks/dintero", "/callback")], "/callback/7", "/hooks/dintero/7"));
    }
    // Whole segments only.
    assert!(sees(&[("/pay", "/call")], "/callback", "/callback"));
    // The prefix is put on although the path begins with it: it may be there twice.
    assert!(sees(&[("/pay", "/")], "/pay/callback", "/pay/pay/callback"));
    assert!(!sees(&[("/pay", "/")], "/pay/callback", "/pay/callback"), "unless told");
    assert!(sees(&[("/pay", "/"), ("/pay", "/pay")], "/pay/callback", "/pay/callback"));
    // The longest handler path counts, in any order; of equal ones any.
    for maps in [[("/a", "/"), ("/b", "/c")], [("/b", "/c"), ("/a", "/")]] {
        assert!(sees(&maps, "/c/d", "/b/d"));
        assert!(!sees(&maps, "/c/d", "/a/c/d"));
        assert!(sees(&maps, "/d", "/a/d"));
    }
    for public in ["/a", "/b"] {
        assert!(sees(&[("/a", "/c"), ("/b", "/c")], "/c", public));
    }
    // What is not mapped is as it is.
    assert!(sees(&[("/a", "/c")], "/other", "/other"));
    for path in ["", "pay", "https://example.com/pay", "/pay?a=1", "/pay#a"] {
        for (public, handler) in [(path, "/"), ("/", path)] {
            let error = builder().map_path(public, handler).build().unwrap_err();
            assert!(matches!(error, VerifierError::PathMap(_)), "{path}");
        }
    }
}

#[test]
fn a_request_is_verified_as_its_parts() {
    let request = http::Request::get(TARGET).header(SIGNATURE_HEADER, &published()[SIGNATURE_HEADER]);
    let request = request.header("host", "10.0.0.7:8080").body(()).expect("a request");
    assert!(verifier().verify(&request).is_ok());
    let absolute = request.clone().map(|()| "any body");
    let (mut parts, _) = absolute.into_parts();
    parts.uri = http::Uri::from_static("http://internal/callback?B=123&A=992");
    assert!(verifier().verify_parts(&parts).is_ok());
    parts.method = Method::POST;
    assert_eq!(verifier().verify_parts(&parts).unwrap_err(), VerifyError::Mismatch);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_looked_at() {
    let padded = |length: usize| format!("{TARGET}{}", "&".repeat(length - TARGET.len()));
    let verify = |target: &str| verifier().verify_target(&Method::GET, target, &published());
    assert!(verify(&padded(16 * 1024)).is_ok());
    let long = verify(&padded(16 * 1024 + 1)).unwrap_err();
    assert_eq!(
        (&long, long.response()),
        (&VerifyError::Target("it is longer than 16 KiB"), CallbackResponse::RetryLater)
    );
    let header = headers(&format!("t={TIME},v0-hmac-sha256={HEX}{}", ",x=".repeat(1_400)));
    let error = verifier().verify_target(&Method::GET, TARGET, &header).unwrap_err();
    assert_eq!(error, VerifyError::Malformed("it is longer than 4 KiB"));
}

#[test]
fn a_header_that_a_proxy_sends_twice_is_one() {
    let value = format!("t={TIME},v0-hmac-sha256={HEX}");
    let mut twice = published();
    twice.append(SIGNATURE_HEADER, twice[SIGNATURE_HEADER].clone());
    for (name, value) in [("event-delivery", "d-1"), ("event-delivery", "d-1")] {
        twice.append(name, HeaderValue::from_static(value));
    }
    let mut joined = headers(&format!("{value}, {value}"));
    joined.insert("event-delivery", HeaderValue::from_static("d-1, d-1"));
    for headers in [twice, joined] {
        let callback = verifier().verify_target(&Method::GET, TARGET, &headers).expect("verified");
        assert_eq!(callback.delivery_id(), Some("d-1"));
    }
}

#[test]
fn hosts_are_compared_as_the_sender_spells_them() {
    for (base, sent) in [
        ("https://SHOP.Example", "https://shop.example/c"),
        ("https://bl\u{e5}b\u{e6}r.example", "https://xn--blbr-roah.example/c"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]/c"),
        ("https://127.1", "https://127.0.0.1/c"),
    ] {
        let verifier = Verifier::builder(account(ACCOUNT), base)
            .secret(secret(SECRET))
            .clock(at(TIME))
            .build()
            .expect("a verifier");
        let headers = signed(SECRET, TIME, ACCOUNT, &Method::POST, sent);
        assert!(verifier.verify_target(&Method::POST, "/c", &headers).is_ok(), "{base}");
    }
}

#[test]
fn a_path_is_not_normalised_into_a_signed_one() {
    let headers = signed(SECRET, TIME, ACCOUNT, &Method::GET, "https://example.com/a/../callback");
    assert!(verifier().verify_target(&Method::GET, "/callback", &headers).is_ok());
    for path in [
        "/a/../callback",
        "/./callback",
        "/callback/.",
        "/%2e/callback",
        "//callback",
        "/callback/",
        "/call%62ack",
        "\\callback",
        "/callback\\",
        "/Callback",
        "/call\tback",
    ] {
        let error = verifier().verify_target(&Method::GET, path, &headers).unwrap_err();
        assert!(matches!(error, VerifyError::Mismatch | VerifyError::Target(_)), "{path}");
    }
}

#[test]
fn a_line_break_cannot_shift_the_signed_parts() {
    // Signed for path `/a` and query `b=1`; the text would be the same with the break in the path.
    let headers = signed(SECRET, TIME, ACCOUNT, &Method::GET, "https://example.com/a?b=1");
    assert_eq!(verifier().verify_target(&Method::GET, "/a\nb=1", &headers).unwrap_err(), VerifyError::Mismatch);
}

#[test]
fn during_a_rotation_any_signature_and_any_secret_may_match() {
    let bad = "0".repeat(64);
    let lists = [vec![HEX, &bad, &bad], vec![&bad, HEX, &bad], vec![&bad, &bad, HEX], vec![HEX, HEX, &bad]];
    for list in lists {
        let members: Vec<_> = list.iter().map(|hex| format!("v0-hmac-sha256={hex}")).collect();
        let one_line = headers(&format!("t={TIME},{}", members.join(",")));
        assert!(verifier().verify_target(&Method::GET, TARGET, &one_line).is_ok(), "{list:?}");
        // The timestamp may stand anywhere.
        let last = headers(&format!("{}, t={TIME}", members.join(",  ")));
        assert!(verifier().verify_target(&Method::GET, TARGET, &last).is_ok(), "{list:?}");
        // The same list on several lines is the same list.
        let mut lines = headers(&format!("t={TIME}"));
        for member in &members {
            lines.append(SIGNATURE_HEADER, HeaderValue::from_str(member).expect("a value"));
        }
        assert!(verifier().verify_target(&Method::GET, TARGET, &lines).is_ok(), "{list:?}");
    }
    for secrets in [["123", "a", "b"], ["a", "123", "b"], ["a", "b", "123"]] {
        let verifier = Verifier::builder(account(ACCOUNT), "https://example.com")
            .secrets(secrets.map(secret))
            .clock(at(TIME))
            .build()
            .expect("a verifier");
        assert!(verifier.verify_target(&Method::GET, TARGET, &published()).is_ok());
    }
    let none = headers(&format!("t={TIME},v0-hmac-sha256={bad},v0-hmac-sha256={bad}"));
    assert_eq!(verifier().verify_target(&Method::GET, TARGET, &none).unwrap_err(), VerifyError::Mismatch);
}

#[test]
fn a_verifier_without_what_it_needs_is_not_built() {
    let build = |base: &str| Verifier::builder(account(ACCOUNT), base).secret(secret(SECRET)).build();
    for base in [
        "",
        "example.com",
        "/callback",
        "ftp://example.com",
        "https://",
        "https://user:word@example.com",
        "https://example.com?a=1",
        "https://example.com#a",
        "https://example.com/payments",
        "data:text/plain,x",
    ] {
        assert!(matches!(build(base), Err(VerifierError::BaseUrl(_))), "{base}");
    }
    assert_eq!(
        Verifier::builder(account(ACCOUNT), "https://example.com").build().unwrap_err(),
        VerifierError::NoSecret
    );
}

#[test]
fn nothing_printed_holds_the_secret() {
    let text = "s3cr3t-of-the-account";
    let secret = secret(text);
    let builder = Verifier::builder(account(ACCOUNT), "https://example.com").secret(secret.clone());
    let mut printed = format!("{secret:?} {secret:#?} {builder:?}");
    let verifier = builder.build().expect("a verifier");
    printed += &format!("{verifier:?} {verifier:#?}");
    for target in [TARGET, "", "/x?transaction_id=T11111111.a"] {
        let error = verifier.verify_target(&Method::GET, target, &published()).unwrap_err();
        printed += &format!("{error} {error:?}");
    }
    assert!(!printed.contains(text));
    // Nor its bytes, as a derived `Debug` of a key would print them.
    assert!(!printed.contains("115, 51, 99"));
}
