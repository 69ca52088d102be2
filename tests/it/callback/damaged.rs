//! Ten thousand damaged headers and URLs, none accepted; and garbage of every kind, none of which panics.

use dintero::AccountId;
use dintero::callback::{CallbackUrl, ExpressRequest, SIGNATURE_HEADER, SigningSecret, UnsignedReturn, Verifier, sign};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

const TIME: u64 = 1_582_236_537;

/// One random edit of a text: replace, insert, remove, swap, flip the case, cut, repeat.
fn mutate(rng: &mut fastrand::Rng, text: &str, alphabet: &[char]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = rng.usize(..chars.len());
    let new = alphabet[rng.usize(..alphabet.len())];
    match rng.u8(..8) {
        0 => chars[at] = new,
        1 => chars.insert(at, new),
        2 => drop(chars.remove(at)),
        3 => {
            let other = rng.usize(..chars.len());
            chars.swap(at, other);
        }
        4 if chars[at].is_ascii_lowercase() => chars[at] = chars[at].to_ascii_uppercase(),
        4 => chars[at] = chars[at].to_ascii_lowercase(),
        5 => chars.truncate(at),
        6 => chars.extend_from_within(at..),
        _ => chars.push(new),
    }
    chars.into_iter().collect()
}

/// What a target means, reckoned apart from the library: path and parameters by name.
fn meaning(target: &str) -> (String, Vec<(String, String)>) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    (path.to_owned(), pairs)
}

/// Whether a header still says what `original` says: spaces around a comma are allowed, a list may hold
/// other signatures beside the right one, and members of unknown schemes are passed over.
fn same_header(header: &str, original: &str) -> bool {
    let members: Vec<&str> = header.split(',').map(|part| part.trim_matches(' ')).collect();
    let (time, signature) = original.split_once(',').expect("two members");
    let other = |member: &str| match member.split_once('=') {
        None | Some(("" | "t", _)) => false,
        Some(("v0-hmac-sha256", hex)) => hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        Some(_) => true,
    };
    members.iter().filter(|m| **m == time).count() == 1
        && members.contains(&signature)
        && members.iter().all(|m| *m == time || *m == signature || other(m))
}

#[test]
fn ten_thousand_damaged_requests_are_all_refused() {
    let target = "/callback/42?B=123&A=99%202&transaction_id=P00000000.465U8CUzaPVpneu1wt8Wei\
                  &merchant_reference=%C3%B8rder-7&time=2026-05-07T10%3A00%3A00.000Z&event=CAPTURE";
    let url = Url::parse(&format!("https://example.com{target}")).expect("a URL");
    let secret = SigningSecret::new("123").expect("a secret");
    let account: AccountId = "P00000000".parse().expect("an account id");
    let value = sign(&secret, TIME, &account, &Method::GET, &url);
    let verifier = Verifier::builder(account, "https://example.com")
        .secret(secret)
        .clock(super::support::At(TIME.cast_signed()))
        .build()
        .expect("a verifier");

    let mut rng = fastrand::Rng::with_seed(20_260_507);
    let alphabet: Vec<char> = "0123456789abcdefXYZ,=;-+ %&?/.#*~t_\u{f8}\u{1f600}".chars().collect();
    let (mut of_header, mut of_target, mut of_both, mut unchanged) = (0, 0, 0, 0);
    while of_header + of_target + of_both < 10_000 {
        let (mut header, mut sent) = (value.clone(), target.to_owned());
        let kind = rng.u8(..5);
        for _ in 0..rng.u8(1..4) {
            if matches!(kind, 0 | 1 | 4) && !header.is_empty() {
                header = mutate(&mut rng, &header, &alphabet);
            }
            if matches!(kind, 2..=4) && !sent.is_empty() {
                sent = mutate(&mut rng, &sent, &alphabet);
            }
        }
        // Not damage: what says the same in another way, as the two functions reckon it.
        let same_header = same_header(&header, &value);
        let same_target = meaning(&sent) == meaning(target);
        let Ok(line) = HeaderValue::from_bytes(header.as_bytes()) else { continue };
        let mut headers = HeaderMap::new();
        headers.insert(SIGNATURE_HEADER, line);
        let result = verifier.verify_target(&Method::GET, &sent, &headers);
        match (same_header, same_target) {
            (true, true) => {
                unchanged += 1;
                assert!(result.is_ok(), "{header} {sent}");
                continue;
            }
            (false, true) => of_header += 1,
            (true, false) => of_target += 1,
            (false, false) => of_both += 1,
        }
        assert!(result.is_err(), "accepted: {header} {sent}");
    }
    println!("refused: {of_header} headers, {of_target} URLs, {of_both} both; {unchanged} edits changed nothing");
    assert!(unchanged > 50, "the undamaged request itself verifies");
    assert!(of_header > 3_000 && of_target > 3_000 && of_both > 1_000);
}

#[test]
fn nothing_that_can_be_sent_makes_the_library_panic() {
    let secret = SigningSecret::new("123").expect("a secret");
    let account: AccountId = "P00000000".parse().expect("an account id");
    let verifier = Verifier::builder(account.clone(), "https://example.com")
        .map_path("/pay", "/pay")
        .map_path("/elsewhere", "/")
        .secret(secret.clone())
        .clock(super::support::At(TIME.cast_signed()))
        .build()
        .expect("a verifier");
    let pieces = [
        "t=",
        "0",
        "9",
        "v0-hmac-sha256=",
        ",",
        "=",
        "a",
        " ",
        "\t",
        "https://",
        "http:",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "&",
        "%",
        "%f",
        "%ff",
        "%00",
        "%2E",
        "+",
        "@",
        ":",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "\n",
        "\u{0}",
        "\u{80}",
        "\u{ffff}",
        "\u{10ffff}",
        "pay",
        "transaction_id=",
        "P00000000.",
        "T1",
        ".",
        "sid_parameter_name=",
        "time=",
        "2026-05-07T",
        "99999999999999999999",
        "-",
        "order",
        "null",
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let mut verified = 0;
    for _ in 0..20_000 {
        let mut text = || -> String { (0..rng.usize(..12)).map(|_| pieces[rng.usize(..pieces.len())]).collect() };
        let (header, target, other) = (text(), text(), text());
        let mut headers = HeaderMap::new();
        for value in [&header, &other] {
            if let Ok(line) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(SIGNATURE_HEADER, line.clone());
                headers.append("event-delivery", line);
            }
        }
        assert!(verifier.verify_target(&Method::GET, &target, &headers).is_err());
        drop(CallbackUrl::new(&target).allow_loopback_http().session_parameter(&other).build());
        drop(Verifier::builder(account.clone(), &target).secret(secret.clone()).build());
        drop(format!("{:?} {:?}", UnsignedReturn::from_url(&target), UnsignedReturn::from_query(&other).error()));
        drop(ExpressRequest::read(other.clone().into_bytes()));

        // What is signed is read, whatever it says.
        let Ok(url) = Url::parse(&format!("https://example.com/pay/{target}?{other}")) else { continue };
        let value = sign(&secret, TIME, &account, &Method::GET, &url);
        headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&value).expect("a value"));
        let sent = &url[url::Position::BeforePath..url::Position::AfterQuery];
        match verifier.verify_target(&Method::GET, sent, &headers) {
            Ok(callback) => {
                verified += 1;
                drop(format!("{callback:?} {:?} {:?}", callback.work(), callback.time()));
                drop((callback.session_id(), callback.error(), callback.event(), callback.params().own().count()));
                let callback = callback.with_unverified_body(other.into_bytes());
                drop(callback.unverified_body().map(|body| body.transaction()));
            }
            // Parts that climb out of the prefix lead elsewhere.
            Err(error) => assert!(!url.path().starts_with("/pay"), "{sent}: {error}"),
        }
    }
    assert!(verified > 15_000, "{verified}");
}
