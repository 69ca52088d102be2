//! The command from outside: forms, exit statuses, accepted changes, what cannot be read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chrono::NaiveDate;
use serde_json::{Value, json};
use xtask::drift::accepted::Accepted;
use xtask::drift::{Report, cli, compare};

use crate::recorded::revision;
use crate::rules::document;

fn spec(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec").join(name)
}

fn drift(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("drift").args(arguments).output().expect("the command runs")
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("the command was not killed")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is text")
}

/// A slice-like document in a file, with one session call in it.
fn file(folder: &Path, name: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut made = document(|_| {});
    let operation = made["paths"]["/things/{id}"].take();
    made["paths"] = json!({ "/sessions/{session_id}": operation });
    edit(&mut made);
    let path = folder.join(name);
    std::fs::write(&path, made.to_string()).expect("the folder takes files");
    path.to_string_lossy().into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

/// Proves the three statuses at every level, and that nothing is printed as a report when an input cannot be read.
#[test]
fn statuses_tell_nothing_something_and_errors_apart() {
    let dir = folder();
    let accepted = dir.path().join("accepted.toml");
    std::fs::write(&accepted, "").expect("the folder takes files");
    let accepted = accepted.to_string_lossy().into_owned();
    let old = file(dir.path(), "old.json", |_| {});
    let same = file(dir.path(), "same.json", |_| {});
    let harmless = file(dir.path(), "harmless.json", |made| {
        made["paths"]["/sessions/{session_id}"]["post"]["responses"]["404"] = json!({ "description": "" });
    });
    let breaking = file(dir.path(), "breaking.json", |made| {
        made["servers"] = json!([{ "url": "https://elsewhere.example" }]);
    });
    for (new, level, expected) in [
        (&same, "any", 0),
        (&same, "breaking", 0),
        (&harmless, "any", 1),
        (&harmless, "breaking", 0),
        (&harmless, "none", 0),
        (&breaking, "breaking", 1),
        (&breaking, "any", 1),
        (&breaking, "none", 0),
    ] {
        let arguments = ["--from", new, "--against", &old, "--fail-on", level, "--accepted", &accepted];
        // The level is part of the slice only where security or servers are, which these documents have.
        let output = drift(&arguments);
        assert_eq!(status(&output), expected, "{new} at {level}: {}", text(&output.stderr));
    }
    for arguments in [
        vec!["--against", old.as_str()],
        vec!["--from", &same, "--fail-on", "sometimes"],
        vec!["--from", &same, "--format", "xml"],
        vec!["--from", "/nowhere/to/be/found.yaml"],
        vec!["--from", "http://127.0.0.1:9/closed.yaml"],
    ] {
        let output = drift(&arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

/// Proves that whoever reads only the beginning, as `head` does, makes no task fail.
#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let slice = spec("upstream.json").to_string_lossy().into_owned();
    for (arguments, expected) in [
        (vec!["slice", &slice], 0),
        (vec!["drift", "--rules"], 0),
        (vec!["drift", "--from", &slice, "--against", &slice], 0),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let command = command.args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().expect("the command runs");
        drop(running.stdout.take());
        let output = running.wait_with_output().expect("the command ends");
        assert_eq!((status(&output), text(&output.stderr)), (expected, String::new()), "{arguments:?}");
    }
}

/// Proves that a document that is cut short, of another version, or not a document at all never passes as unchanged.
#[test]
fn unreadable_documents_end_with_status_two() {
    let dir = folder();
    let whole = std::fs::read_to_string(spec("upstream.json")).expect("the slice is pinned");
    let old = file(dir.path(), "old.json", |_| {});
    let cases: [(&str, String); 7] = [
        ("empty", String::new()),
        ("cut", whole.chars().take(whole.len() / 2).collect()),
        ("swagger", "swagger: '2.0'\ninfo: {}\npaths: {}\n".to_owned()),
        ("newer", whole.replace("\"3.0.", "\"3.1.")),
        ("list", "[1, 2]".to_owned()),
        ("page", "<html><body>Sign in</body></html>".to_owned()),
        ("others", json!({ "openapi": "3.0.3", "info": {}, "paths": { "/x": {} }, "components": {} }).to_string()),
    ];
    for (name, content) in cases {
        let path = dir.path().join(name);
        std::fs::write(&path, content).expect("the folder takes files");
        for arguments in [
            ["--from", &path.to_string_lossy(), "--against", &old],
            ["--from", &old, "--against", &path.to_string_lossy()],
        ] {
            let output = drift(&arguments);
            assert_eq!(status(&output), 2, "{name}: {}", text(&output.stdout));
            assert_eq!(text(&output.stderr).lines().count(), 1, "{name}: {}", text(&output.stderr));
        }
    }
}

/// Proves that the pinned slice compared with itself is empty in every form, and that the forms agree on a real pair.
#[test]
fn forms_show_the_same_changes() {
    let (old, new) = (spec("history/2026-04-19.json"), spec("history/2026-05-07.json"));
    let (old, new) = (old.to_string_lossy().into_owned(), new.to_string_lossy().into_owned());
    let dir = folder();
    let accepted = dir.path().join("accepted.toml");
    std::fs::write(&accepted, "").expect("the folder takes files");
    let accepted = accepted.to_string_lossy().into_owned();
    let run = &|format: &str| {
        let output =
            drift(&["--from", &new, "--against", &old, "--format", format, "--accepted", &accepted, "--timing"]);
        assert_eq!(status(&output), 1, "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("compared in"));
        text(&output.stdout)
    };
    let [written, plain, markdown] = std::thread::scope(|threads| {
        let running = ["json", "text", "markdown"].map(|format| threads.spawn(move || run(format)));
        running.map(|one| one.join().expect("the command runs"))
    });
    let report: Report = serde_json::from_str(&written).expect("the JSON form can be read back");
    assert_eq!(report.summary.changes, report.changes.len());
    let days = [&report.old, &report.new].map(|revision| revision.date.as_deref());
    assert_eq!(days, ["2026-04-19", "2026-05-07"].map(Some));
    for change in &report.changes {
        assert!(plain.contains(&change.fingerprint), "{change:?}");
        assert!(plain.contains(&change.rule), "{change:?}");
    }
    for difference in report.krate.differences.iter().filter(|one| one.what != "documentation") {
        assert!(plain.contains(&difference.item) && markdown.contains(&difference.item), "{difference:?}");
    }
    assert!(markdown.contains("#### Added") && markdown.contains("#### Removed") && markdown.contains("**breaking"));
    assert!(report.changes.iter().any(|change| change.krate.items.iter().any(|item| item.starts_with("types::"))));
}

fn sample() -> Report {
    let old = document(|_| {});
    let new = document(|operation| operation["operationId"] = json!("other"));
    compare(&old, &new).expect("the pair can be compared")
}

fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a day")
}

fn entry(fingerprint: &str, expires: &str) -> String {
    format!("[[accepted]]\nfingerprint = \"{fingerprint}\"\nreason = \"known\"\nexpires = {expires}\n")
}

/// Proves that an entry takes a change out of the count until its last day, and is an error from the day after.
#[test]
fn accepted_changes_count_no_longer_until_they_end() {
    let mut report = sample();
    let fingerprint = report.changes[0].fingerprint.clone();
    let list = Accepted::parse(&entry(&fingerprint, "2027-01-31")).expect("the list can be read");
    assert!(report.fails(xtask::drift::report::FailOn::Any));
    list.apply(&mut report, day("2027-01-31")).expect("the last day still counts");
    assert!(!report.fails(xtask::drift::report::FailOn::Any));
    assert_eq!((report.summary.changes, report.summary.accepted), (0, 1));
    let error = list.apply(&mut sample(), day("2027-02-01")).expect_err("the entry has ended");
    assert!(error.to_string().contains("ended on 2027-01-31"), "{error}");
}

/// Proves that an entry which names no change, lacks a reason or a day, or comes twice is an error that says so.
#[test]
fn accepted_entries_that_cannot_hold_are_errors() {
    let unused = Accepted::parse(&entry("0123456789abcdef", "2099-01-01")).expect("the list can be read");
    let error = unused.apply(&mut sample(), day("2027-01-01")).expect_err("nothing matches it");
    assert!(error.to_string().contains("names no change"), "{error}");
    let twice = entry("0123456789abcdef", "2099-01-01").repeat(2);
    let cases = [
        (twice.as_str(), "twice"),
        ("[[accepted]]\nfingerprint = \"0123456789abcdef\"\nreason = \" \"\nexpires = 2099-01-01\n", "no reason"),
        ("[[accepted]]\nfingerprint = \"0123456789abcdef\"\nreason = \"x\"\n", "expires"),
        ("[[accepted]]\nfingerprint = \"0123456789abcdef\"\nreason = \"x\"\nexpires = \"soon\"\n", "not a day"),
        (
            "[[accepted]]\nfingerprint = \"0123456789abcdef\"\nreason = \"x\"\nexpires = 2099-01-01T10:00:00Z\n",
            "not a day",
        ),
        ("[[accepted]]\nfingerprint = \"short\"\nreason = \"x\"\nexpires = 2099-01-01\n", "sixteen"),
        ("accepted = 3\n", "not a list"),
        (
            "[[accepted]]\nfingerprint = \"0123456789abcdef\"\nreason = \"x\"\nexpires = 2099-01-01\nuntil = 1\n",
            "until",
        ),
        ("[[accepted", "not a list"),
    ];
    for (text, expected) in cases {
        let error = Accepted::parse(text).expect_err(text);
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}

/// Proves from outside that an accepted change ends with status 0 and an entry without a change with status 2.
#[test]
fn the_command_reads_the_accepted_list() {
    let dir = folder();
    let old = file(dir.path(), "old.json", |_| {});
    let new = file(dir.path(), "new.json", |made| {
        made["paths"]["/sessions/{session_id}"]["post"]["operationId"] = json!("other");
    });
    let list = dir.path().join("accepted.toml");
    std::fs::write(&list, "").expect("the folder takes files");
    let list_name = list.to_string_lossy().into_owned();
    let arguments = ["--from", &new, "--against", &old, "--format", "json", "--accepted", &list_name];
    let output = drift(&arguments);
    assert_eq!(status(&output), 1);
    let report: Report = serde_json::from_slice(&output.stdout).expect("the JSON form can be read back");
    std::fs::write(&list, entry(&report.changes[0].fingerprint, "\"2999-12-31\"")).expect("the folder takes files");
    assert_eq!(status(&drift(&arguments)), 0);
    std::fs::write(&list, entry(&report.changes[0].fingerprint, "2001-01-01")).expect("the folder takes files");
    assert_eq!(status(&drift(&arguments)), 2);
    let unchanged = ["--from", &old, "--against", &old, "--accepted", &list_name];
    std::fs::write(&list, entry(&report.changes[0].fingerprint, "2999-12-31")).expect("the folder takes files");
    assert_eq!(status(&drift(&unchanged)), 2);
}

/// Proves that the vendored schema and the list of rules are what the command prints, and that a report fits the schema.
#[test]
fn vendored_schema_and_rules_are_current() {
    let read = |name: &str| std::fs::read_to_string(spec(name)).expect("the file is in the repository");
    let schema = cli::json_schema().expect("the schema can be written");
    assert_eq!(read("drift-report.schema.json"), schema, "write it with `cargo xtask drift --schema`");
    assert_eq!(read("drift-rules.md"), cli::rules_table(), "write it with `cargo xtask drift --rules`");
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let report = compare(&revision("2025-09-22"), &revision("2026-04-19")).expect("the pair can be compared");
    let value = serde_json::to_value(&report).expect("the report can be written as JSON");
    fits(&schema, &schema, &value, "$");
}

/// A small reading of JSON Schema: enough for what the derive writes.
fn fits(root: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(target) = schema["$ref"].as_str() {
        return fits(
            root,
            root.pointer(target.trim_start_matches('#')).expect("the reference leads somewhere"),
            value,
            at,
        );
    }
    if let Some(choices) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
        if choices.iter().any(|choice| choice["const"] == *value || (choice["type"] == "null") == value.is_null()) {
            return;
        }
        panic!("{at}: {value} is none of {choices:?}");
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(name).is_some(), "{at} lacks {name}");
    }
    for (name, child) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).unwrap_or_else(|| panic!("{at}.{name} is not in the schema"));
        fits(root, known, child, &format!("{at}.{name}"));
    }
    for child in value.as_array().into_iter().flatten() {
        fits(root, &schema["items"], child, &format!("{at}[]"));
    }
}

/// Proves that the slice keeps every kind of fact that the comparison knows, and lets go of what is not on the wire: a
/// change of each is seen through the whole command.
#[test]
fn every_kind_of_fact_gets_through_the_slice() {
    let dir = folder();
    let accepted = dir.path().join("accepted.toml");
    std::fs::write(&accepted, "").expect("the folder takes files");
    let accepted = accepted.to_string_lossy().into_owned();
    let old = file(dir.path(), "old.json", |_| {});
    let operation = "/paths/~1sessions~1{session_id}/post";
    let cases: [(&str, Value, &str); 10] = [
        (
            "/servers",
            json!([{ "url": "https://a.example", "variables": { "v": { "default": "1" } } }]),
            "api-server-changed",
        ),
        ("/paths/~1sessions~1{session_id}/servers", json!([{ "url": "https://b.example" }]), "api-server-changed"),
        (&format!("{operation}/servers"), json!([{ "url": "https://b.example" }]), "api-server-changed"),
        (&format!("{operation}/security"), json!([]), "api-security-removed"),
        (&format!("{operation}/deprecated"), json!(true), "endpoint-deprecated"),
        (
            &format!("{operation}/responses/200/headers"),
            json!({ "h": { "schema": {} } }),
            "response-optional-header-added",
        ),
        (&format!("{operation}/responses/200/content"), json!({ "text/csv": {} }), "response-body-media-type-added"),
        (
            &format!("{operation}/requestBody"),
            json!({ "content": { "application/json": { "schema": { "discriminator": { "propertyName": "t", "mapping": { "a": "A" } } } } } }),
            "request-optional-body-added",
        ),
        (
            &format!("{operation}/parameters"),
            json!([{ "name": "q", "in": "cookie", "schema": {} }]),
            "request-optional-parameter-added",
        ),
        ("/components/securitySchemes/bearer/scheme", json!("basic"), "api-security-changed"),
    ];
    for (pointer, value, rule) in cases {
        let new = file(dir.path(), "new.json", |made| {
            let (holder, key) = pointer.rsplit_once('/').expect("a pointer has a last part");
            made.pointer_mut(holder).expect("the holder is there")[key] = value.clone();
        });
        let output = drift(&["--from", &new, "--against", &old, "--format", "json", "--accepted", &accepted]);
        let report: Report =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        let found: Vec<&str> = report.changes.iter().map(|change| change.rule.as_str()).collect();
        assert_eq!(found, [rule], "{pointer}");
    }
    let prose = file(dir.path(), "prose.json", |made| {
        made["info"] = json!({ "title": "Other", "description": "Words.", "version": "2" });
        let operation = &mut made["paths"]["/sessions/{session_id}"]["post"];
        operation["summary"] = json!("Words.");
        operation["tags"] = json!(["words"]);
        operation["responses"]["200"]["description"] = json!("Words.");
    });
    assert_eq!(status(&drift(&["--from", &prose, "--against", &old, "--accepted", &accepted])), 0);
    let token = |name: &str| {
        file(dir.path(), &format!("{name}.json"), |made| {
            made["paths"][format!("/accounts/{{{name}}}/auth/token")] = json!({ "post": { "responses": {} } });
        })
    };
    assert_eq!(status(&drift(&["--from", &token("aid"), "--against", &token("oid"), "--accepted", &accepted])), 0);
}
