//! Broken and hostile documents: each is refused with one line that says why, and none passes as a changed interface.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use xtask::overlay::Stale;
use xtask::regen::Spec;
use xtask::slice;
use xtask::source;
use xtask::source::parse::{MOST_BYTES, MOST_LEVELS, MOST_VALUES};

use crate::Small;
use crate::yaml::{COMPONENTS_LAST, PATHS_LAST, yaml};

fn refusal(text: &str) -> String {
    let error = format!("{:#}", source::parse(text.as_bytes()).expect_err("has to be refused"));
    assert!(!error.contains('\n') && error.len() < 300, "{error}");
    error
}

fn file(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("the folder takes files");
    path
}

/// Proves that the second of two values of one key is not lost unseen, in either form, and that the place is named.
#[test]
fn a_key_that_stands_twice_is_refused() {
    let cases = [
        ("{\n  \"openapi\": \"3.0.3\",\n  \"info\": { \"a\": 1, \"b\": 2, \"a\": 3 }\n}", "line 3, column"),
        ("{\"a\": {}, \"a\": {}}", "line 1, column"),
        ("{\"\\u0061\": 1, \"a\": 2}", "line 1, column"),
        ("openapi: 3.0.3\ninfo:\n  a: 1\n  b: 2\n  a: 3\n", "line 5, column 3"),
        ("openapi: 3.0.3\ninfo: {a: 1, 'a': 3}\n", "line 2, column"),
    ];
    for (text, place) in cases {
        let error = refusal(text);
        assert!(error.contains("the key `a` stands twice") && error.contains(place), "{error}");
    }
    // Written differently, they are one key of JSON.
    assert!(refusal("openapi: 3.0.3\ninfo: {200: 1, '200': 3}\n").contains("the key `200` stands twice"));
}

/// Proves that what a parser says is shown with its place and in plain words.
#[test]
fn messages_name_the_place_and_nothing_of_the_parser() {
    let long = "x".repeat(5000);
    let cases = [
        "{\"a\": 1,}".to_owned(),
        "{\"a\": \"\u{1}\"}".to_owned(),
        "{\"a\": 01}".to_owned(),
        "{\"a\": 1e999}".to_owned(),
        "{\"a\": {\"b\": [1".to_owned(),
        "{} {}".to_owned(),
        "a: [1".to_owned(),
        "a: 'b".to_owned(),
        "a: b: c".to_owned(),
        "a:\n\t- b".to_owned(),
        "a: *b".to_owned(),
        "a: .nan".to_owned(),
        "a: 1\n---\nb: 2\n".to_owned(),
        "a: !!binary '**'".to_owned(),
        "? [a]\n: b\n".to_owned(),
        "<<: 3\n".to_owned(),
        "%YAML 9.9\n---\na: 1\n".to_owned(),
        format!("{long}: 1\n{long}: 2\n"),
    ];
    for text in &cases {
        let error = refusal(text);
        assert!(error.contains("line ") && error.contains(", column "), "{text:.20}: {error}");
        for word in ["serde", "saphyr", "granit", "Policy", "Options", "Option<", "Budget", "::", "deserial", "_"] {
            assert!(!error.contains(word), "{text:.20}: {error}");
        }
    }
}

/// Proves that what is no document at all is told from one that is cut short.
#[test]
fn pages_and_packed_files_are_named() {
    for page in
        ["<!DOCTYPE html><html><body>Sign in</body></html>", "\n <html>502 Bad Gateway</html>", "<?xml version='1.0'?>"]
    {
        assert!(refusal(page).contains("web page"), "{page}");
    }
    assert!(refusal("502 Bad Gateway\n").contains("not an interface document"));
    assert!(refusal("{\"message\": \"Forbidden\"}").contains("not an interface document"));
    for (bytes, words) in
        [(&[0x1f, 0x8b, 8, 0][..], "compressed"), (&b"openapi: \xff"[..], "not UTF-8, from byte 9 on")]
    {
        let error = format!("{:#}", source::parse(bytes).expect_err("has to be refused"));
        assert!(error.contains(words), "{error}");
    }
}

/// Proves that what is missing elsewhere than at the end of the text is a removal, and that the flag lets the rest in.
#[test]
fn what_was_removed_is_not_taken_for_cut_off() {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let old = Spec::here().slice().expect("the slice is pinned");
    let paths: Vec<String> = old["paths"].as_object().expect("paths").keys().cloned().collect();
    let load = |text: &str| {
        let path = file(&dir, "new.yaml", text);
        source::load(&path.to_string_lossy()).expect("the document is whole")
    };
    let without = |keep: &dyn Fn(usize) -> bool| {
        let mut new = old.clone();
        new["paths"]
            .as_object_mut()
            .expect("paths")
            .retain(|path, _| keep(paths.iter().position(|one| one == path).unwrap_or(0)));
        // Upstream drops with a path what only the path used.
        slice::slice(&new).expect("it holds paths that we bind")
    };
    let (first, last) = (without(&|index| index != 0), without(&|index| index + 1 < paths.len()));
    let checked = |document: &Value, order| load(&yaml(document, order)).check_against(&old, false);
    checked(&first, COMPONENTS_LAST).expect("nothing of it is at the end");
    checked(&first, PATHS_LAST).expect("the first path is not at the end");
    checked(&last, COMPONENTS_LAST).expect("the paths are not at the end");
    let error = format!("{:#}", checked(&last, PATHS_LAST).expect_err("the last path may be cut off"));
    assert!(
        error.contains("may be cut off") && error.contains(&paths[paths.len() - 1]) && error.contains("--removed"),
        "{error}"
    );
    load(&yaml(&last, PATHS_LAST)).check_against(&old, true).expect("it was looked at");
    // JSON says where it ends.
    load(&last.to_string()).check_against(&old, false).expect("a removal");
    let error = load(&without(&|index| index < 3).to_string()).check_against(&old, false).expect_err("most is gone");
    assert!(format!("{error:#}").contains("are missing"), "{error:#}");
}

/// Proves that both commands ask before they believe an end that may be cut off.
#[test]
fn regen_and_drift_ask_about_what_may_be_cut_off() {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let mut document = Spec::here().slice().expect("the slice is pinned");
    let paths = document["paths"].as_object_mut().expect("paths");
    let last = paths.keys().next_back().cloned().expect("a path");
    paths.remove(&last);
    let path = file(&dir, "new.yaml", &yaml(&document, PATHS_LAST)).to_string_lossy().into_owned();
    let regenerate = |removed| Spec::here().regenerate(Some(&path), Stale::Skip, removed);
    let error = format!("{:#}", regenerate(false).expect_err("has to be refused"));
    assert!(error.contains("may be cut off"), "{error}");
    regenerate(true).expect("it was looked at");
    for (arguments, status) in [(&["--from", &path][..], 2), (&["--from", &path, "--removed"], 1)] {
        let command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask")).arg("drift").args(arguments).output();
        let output = command.expect("the command runs");
        assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Proves that a schema without an end is named, however the circle is closed.
#[test]
fn a_schema_that_is_a_part_of_itself_is_refused() {
    let part = |name: &str| json!({ "allOf": [{ "type": "object" }, { "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] }] });
    let circles = [
        json!({ "Transaction": part("Transaction") }),
        json!({ "Transaction": part("Other"), "Other": part("Transaction") }),
        json!({ "Transaction": { "properties": { "x": part("Other") } }, "Other": { "$ref": "#/components/schemas/Third" }, "Third": part("Other") }),
    ];
    for schemas in circles {
        let mut small = Small::new();
        small.document["components"]["schemas"] = schemas;
        let error = small.refusal();
        assert!(error.contains("a part of itself through `allOf`: ") && error.contains(" -> "), "{error}");
    }
}

/// A document with so many paths that we do not bind.
fn large(paths: usize) -> Value {
    let mut document = Small::new().document;
    let response = document["paths"]["/transactions/{id}"]["get"].clone();
    for index in 0..paths {
        document["paths"][format!("/elsewhere/{index}")] = json!({ "get": response, "post": response });
    }
    document
}

/// Proves that a document ten times the size of the published one is read in either form, and the same.
#[test]
fn a_large_document_is_read() {
    let document = large(4_000);
    let parts = ["info", "paths", "components"]
        .map(|key| serde_saphyr::to_string(&Map::from_iter([(key.to_owned(), document[key].clone())])).expect("YAML"));
    let text = format!("openapi: 3.0.3\n{}", parts.concat());
    assert!(text.len() > 2_400_000, "{}", text.len());
    assert_eq!(source::parse(text.as_bytes()).expect("a large document is allowed"), document);
    assert_eq!(source::parse(document.to_string().as_bytes()).expect("a large document is allowed"), document);
}

/// Proves that every limit is named where it is broken, so that time and memory have an end.
#[test]
fn limits_are_named() {
    let bytes = format!("{} MB", MOST_BYTES >> 20);
    let values = MOST_VALUES.to_string();
    let levels = format!("more than {MOST_LEVELS} levels");
    let laughs: String = (1..12)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", ")))
        .collect();
    let cases = [
        (format!("openapi: 3.0.3\n{}", "# nothing\n".repeat(MOST_BYTES / 10 + 1)), &bytes),
        (format!("{{\"a\": [{}0]}}", "0,".repeat(MOST_VALUES)), &values),
        (format!("a:\n{}", "- 0\n".repeat(MOST_VALUES + 1)), &values),
        (format!("{}{}", "{\"a\":".repeat(100), "1".to_owned() + &"}".repeat(100)), &levels),
        (format!("a: {}{}", "[".repeat(100), "]".repeat(100)), &levels),
        (format!("a0: &a0 [0]\n{laughs}"), &values),
    ];
    for (text, words) in &cases {
        let error = refusal(text);
        assert!(error.contains(words.as_str()), "{words}: {error}");
    }
    let error = format!("{:#}", source::load("/dev/zero").expect_err("has no end"));
    assert!(error.contains(&bytes), "{error}");
    // What is bound has a limit of its own: it is compared and generated from.
    let mut document = Small::new().document;
    for index in 0..slice::MOST_VALUES / 2 {
        document["components"]["schemas"]["Transaction"]["properties"][format!("p{index}")] =
            json!({ "type": "string" });
    }
    let error = slice::slice(&document).expect_err("has to be refused").to_string();
    assert!(error.contains(&slice::MOST_VALUES.to_string()), "{error}");
}

/// Serves one response, as it stands, and closes the connection.
fn served(response: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/spec.yaml", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(response.as_bytes());
    });
    url
}

/// Proves that a download that ends early, or is too large, is refused for that reason.
#[test]
fn downloads_that_break_off_or_have_no_end_are_refused() {
    let whole = Small::new().document.to_string();
    let head =
        |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Type: text/yaml\r\nContent-Length: {length}\r\n\r\n");
    source::load(&served(head(whole.len()) + &whole)).expect("this one is whole");
    for (response, words) in [
        (head(whole.len() + 1000) + &whole, "cut off"),
        (head(MOST_BYTES + 1), "larger than"),
        (format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n", whole.len()), "cut off"),
    ] {
        let error = format!("{:#}", source::load(&served(response)).expect_err("has to be refused"));
        assert!(error.contains(words) && !error.contains('\n'), "{words}: {error}");
    }
}
