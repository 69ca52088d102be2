//! What a document has to be to be read, and how what is none is told.

use serde_json::json;
use xtask::overlay::Stale;
use xtask::regen::Spec;
use xtask::source;

use crate::Small;

#[test]
fn other_versions_and_broken_files_are_one_clear_line() {
    let dangling = "openapi: 3.0.3\ninfo: {}\npaths:\n  /sessions:\n    get:\n      responses:\n        '200': {$ref: '#/components/responses/R'}\ncomponents: {}\n";
    let cases = [
        ("swagger: '2.0'\ninfo: {}\npaths: {}\n", "Swagger 2.0"),
        ("openapi: 3.1.0\ninfo: {}\npaths: {}\n", "OpenAPI 3.1.0"),
        ("openapi: 3.0.3\ninfo: {}\npaths:\n  /sessions", "cut short"),
        ("openapi: 3.0.3\ninfo: [", "YAML cannot be read"),
        ("{\"openapi\": \"3.0.3\", \"info\": ", "JSON cannot be read"),
        ("<html></html>", "web page"),
        ("", "openapi"),
        (dangling, "does not exist"),
    ];
    for (text, words) in cases {
        let error = format!("{:#}", source::parse(text.as_bytes()).unwrap_err());
        assert!(error.contains(words) && !error.contains('\n'), "{text:?}: {error}");
    }
}

/// A document of a paths object and some components, in JSON.
fn json_document(paths: &str) -> String {
    format!("{{\"openapi\": \"3.0.3\", \"info\": {{}}, \"components\": {{}}, \"paths\": {paths}}}")
}

#[test]
fn an_operation_without_responses_is_a_document_cut_short() {
    let error = source::parse(json_document("{\"/sessions\": {\"get\": {}}}").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("GET /sessions has no `responses`: the document is cut short"), "{error}");
}

/// Paths at the end of a document that was cut off there are told apart from paths that upstream dropped.
#[test]
fn paths_that_were_cut_off_are_no_removal() {
    let mut small = Small::new();
    small.document["paths"]["/sessions"] = json!({ "get": {
        "responses": { "200": { "$ref": "#/components/responses/Sessions" } },
    } });
    small.document["components"]["responses"] =
        json!({ "Sessions": small.document["paths"]["/transactions/{id}"]["get"]["responses"]["200"] });
    small.overlay["operations"]["get_sessions"] =
        json!({ "call": "GET /sessions", "retry": "read", "x-method": "sessions.get" });
    let spec = small.spec();
    let read = |spec: &Spec, removed| spec.regenerate(small.path("document.json").to_str(), Stale::Skip, removed);
    spec.write(&read(&spec, false).unwrap()).unwrap();
    let mut cut = small.document.clone();
    cut["paths"].as_object_mut().unwrap().remove("/sessions");
    std::fs::write(small.path("document.json"), cut.to_string()).unwrap();
    let error = format!("{:#}", read(&spec, false).unwrap_err());
    assert!(error.contains("no /sessions any longer") && error.contains("(Sessions)"), "{error}");
    assert!(read(&spec, true).is_ok(), "unless it is said to be one");
    cut["components"].as_object_mut().unwrap().remove("responses");
    std::fs::write(small.path("document.json"), cut.to_string()).unwrap();
    assert!(read(&spec, false).is_ok(), "what went with all its parts was removed");
}

#[test]
fn status_codes_may_be_written_as_numbers() {
    let text = "openapi: 3.0.3\ninfo: {}\ncomponents: {}\npaths:\n  /sessions:\n    get:\n      responses:\n        200: {description: ok}\n";
    let document = source::parse(text.as_bytes()).unwrap();
    assert!(document.pointer("/paths/~1sessions/get/responses/200").is_some());
}

#[test]
fn texts_that_old_yaml_took_for_booleans_are_texts() {
    let values = source::parse_yaml("[Y, N, y, n, on, off, yes, NO, true, false]").unwrap();
    assert_eq!(values, json!(["Y", "N", "y", "n", "on", "off", "yes", "NO", true, false]));
}

#[test]
fn an_unreachable_url_is_an_error() {
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/spec.yaml");
    let error = format!("{:#}", source::load(&url).unwrap_err());
    assert!(error.starts_with(&format!("cannot fetch {url}")) && !error.contains('\n'), "{error}");
}
