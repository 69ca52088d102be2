//! The program: its command line, its graceful end, and a state file that outlives every other end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::support::{Api, http, profile_session};
use dintero_sandbox::{CustomerError, CustomerPayment, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

/// A running program.
struct Program {
    child: Child,
    base: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dintero-sandbox"));
    command.args(arguments);
    command
}

/// What the program says when it ends at once with an error. One that goes on to serve is ended after a while.
async fn refusal(arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::from(command(arguments));
    command.kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?}: it serves")).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?}: {told}");
    told
}

impl Program {
    /// Starts it, and waits until it has said where it is.
    fn start(arguments: &[&str]) -> Self {
        Self::run(command(arguments))
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = lines.map_while(Result::ok).find_map(|line| {
            let (word, rest) = line.trim().split_once(' ')?;
            (word == "calls").then(|| rest.trim().to_owned())
        });
        Self { child, base: base.expect("the program says where it is") }
    }

    fn port(&self) -> String {
        self.base.trim_end_matches("/v1").rsplit(':').next().unwrap().to_owned()
    }

    async fn api(&self, account: &str) -> Api {
        let url = format!("{}/accounts/{account}/auth/token", self.base);
        let body =
            json!({ "grant_type": "client_credentials", "audience": format!("{}/accounts/{account}", self.base) });
        let request = http().post(url).basic_auth("sandbox-client", Some("sandbox-secret")).json(&body);
        let token: Value = request.send().await.unwrap().json().await.unwrap();
        Api { http: http(), base: self.base.clone(), token: token["access_token"].as_str().unwrap().to_owned() }
    }
}

/// A session paid through the control API; gives the transaction's id.
async fn paid(api: &Api, amount: i64) -> String {
    let mut body = profile_session();
    body["order"] = json!({ "amount": amount, "currency": "NOK", "merchant_reference": "r" });
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    let url = format!("{}/_sandbox/sessions/{}/pay", api.base.trim_end_matches("/v1"), created["id"].as_str().unwrap());
    let paid: Value = api.http.post(url).send().await.unwrap().json().await.unwrap();
    paid["transaction_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_options_show_in_what_it_serves() {
    let program = Program::start(&["--port", "0", "--account", "T87654321", "--seed", "1"]);
    let api = program.api("T87654321").await;
    let created = api.ok(Method::POST, "/sessions-profile", profile_session()).await;
    let first = created["id"].as_str().unwrap().to_owned();
    assert!(first.starts_with("T87654321.") && created["url"].as_str().unwrap().starts_with(&program.base));
    drop(program);

    let public = "http://dintero.test:1234";
    let program = Program::start(&["--port", "0", "--account", "T87654321", "--seed", "1", "--public-url", public]);
    assert_eq!(program.base, format!("{public}/v1"));
}

#[tokio::test]
async fn what_it_cannot_do_it_says_and_ends() {
    let taken = Program::start(&["--port", "0"]);
    for (arguments, said) in [
        (vec!["--port", "0", "--account", "X1"], "X1"),
        (vec!["--port", &taken.port()], "cannot serve on"),
        (vec!["--port", "0", "--state", "/"], "state file"),
    ] {
        let told = refusal(&arguments).await;
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_gracefully_when_asked() {
    let mut program = Program::start(&["--port", "0"]);
    let told = Command::new("kill").args(["-TERM", &program.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert!(program.child.wait().unwrap().success());
}

#[tokio::test]
async fn a_state_file_is_of_one_account_of_one_program_and_of_the_form_it_knows() {
    let folder = Folder::new("one");
    let state = folder.file();
    let program = Program::start(&["--port", "0", "--state", &state]);
    for account in ["T12345678", "T87654321"] {
        refusal(&["--port", "0", "--state", &state, "--account", account]).await;
    }
    drop(program);
    let told = refusal(&["--port", "0", "--state", &state, "--account", "T87654321"]).await;
    assert!(told.contains("T12345678"), "{told}");
    drop(Program::start(&["--port", "0", "--state", &state]));
    // As a later version may write it.
    let file = rusqlite::Connection::open(&state).unwrap();
    file.execute("UPDATE about SET value = '2' WHERE name = 'form'", []).unwrap();
    drop(file);
    let told = refusal(&["--port", "0", "--state", &state]).await;
    assert!(told.contains("another form: 2, not 1"), "{told}");
}

/// The seed decides the ids of a program, and not those of the next one on its file over again.
#[tokio::test]
async fn no_id_is_given_twice_with_one_seed_and_one_file() {
    let folder = Folder::new("seed");
    let state = folder.file();
    let mut ids = std::collections::BTreeSet::new();
    for run in 0..3 {
        let program = Program::start(&["--port", "0", "--state", &state, "--seed", "1"]);
        let api = program.api("T12345678").await;
        assert!(ids.insert(paid(&api, 500).await), "run {run}: {ids:?}");
    }
}

/// A command none of whose files may grow beyond 300 KB: a write fails as on a full disk.
#[cfg(unix)]
fn limited(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""]).arg(program);
    command
}

/// Once the file takes no more, nothing is told as done, by a response or by a callback; what was told before holds.
#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_written_is_not_told() {
    let folder = Folder::new("full");
    let state = folder.file();
    let arguments = ["--port", "0", "--state", &state];
    let mut program = limited(env!("CARGO_BIN_EXE_dintero-sandbox"));
    program.args(arguments);
    let program = Program::run(program);
    let api = program.api("T12345678").await;
    let merchant = super::callbacks::Merchant::open().await;
    let unpaid = super::callbacks::session(&api, &merchant.url).await;
    let mut told = vec![unpaid.clone()];
    let refused = loop {
        let response = api.request(Method::POST, "/sessions-profile", &profile_session()).send().await.unwrap();
        let (status, body) = (response.status(), response.json::<Value>().await.unwrap());
        match body["id"].as_str() {
            Some(id) if status == 200 => told.push(id.to_owned()),
            _ => break (status, body),
        }
        assert!(told.len() < 10_000, "the file is never full");
    };
    assert!(told.len() > 2, "{refused:?}");
    let pay = format!("{}/_sandbox/sessions/{unpaid}/pay", program.base.trim_end_matches("/v1"));
    let paid = http().post(pay).send().await.unwrap();
    for (status, body) in [refused, (paid.status(), paid.json().await.unwrap())] {
        assert_eq!((status.as_u16(), &body["error"]["code"]), (500, &json!("StateFile")), "{body}");
    }
    let (status, body) = api.refused(Method::GET, &format!("/sessions/{unpaid}"), Value::Null).await;
    assert_eq!((status, &body["error"]["code"]), (500, &json!("StateFile")), "{body}");
    drop(program);

    let program = Program::start(&arguments);
    let api = program.api("T12345678").await;
    for id in &told {
        let session = api.get(&format!("/sessions/{id}")).await;
        assert_eq!(session.get("transaction_id"), None, "{session}");
    }
    assert_eq!(merchant.received().len(), 0, "a payment that is not there was told of");
}

/// Once the file takes no more, the handle does not tell that a customer did what is not kept.
#[cfg(unix)]
#[tokio::test]
async fn what_a_customer_did_that_cannot_be_written_is_an_error() {
    const NAME: &str = "program::what_a_customer_did_that_cannot_be_written_is_an_error";
    const LIMITED: &str = "SANDBOX_TEST_WITH_LIMITED_FILES";
    if std::env::var_os(LIMITED).is_none() {
        // The limit is on a whole process, so this test runs once more in one of its own.
        let mut again = limited(std::env::current_exe().unwrap());
        let output = again.args(["--exact", NAME]).env(LIMITED, "").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let folder = Folder::new("handle");
    let sandbox = Sandbox::builder().state_file(folder.file()).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let (mut paid, waits) = (api.session().await, api.session().await);
    sandbox.customer_pays(&paid).unwrap();
    let refused = loop {
        let (status, body) = api.send_with(Method::POST, "/sessions-profile", &profile_session(), &[]).await;
        if status != 200 {
            break body;
        }
        body["id"].as_str().unwrap().clone_into(&mut paid);
    };
    assert_eq!(refused["error"]["code"], "StateFile", "{refused}");
    let hold = CustomerPayment::new().on_hold();
    let transaction = sandbox.customer_pays_with(&waits, hold);
    for done in [
        transaction.map(drop),
        sandbox.customer_pays(&paid).map(drop),
        sandbox.lock_session(&paid),
        sandbox.customer_cancels(&paid),
        sandbox.customer_sets_address(&paid, json!({})).await,
        sandbox.customer_enters_discount_codes(&paid, &[]).await,
    ] {
        assert!(matches!(done, Err(CustomerError::StateFile(_))), "{done:?}");
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> String {
        self.0.join("state.sqlite").to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Captures while the program is killed again and again: every response it gave holds, and nothing is there twice.
#[cfg(unix)]
#[tokio::test]
async fn what_was_confirmed_survives_a_hundred_kills() {
    const KILLS: usize = 100;
    const CAPTURES: usize = 2_000;
    let folder = Folder::new("kill");
    let state = folder.file();
    let mut program = Program::start(&["--port", "0", "--state", &state]);
    let port = program.port();
    let api = program.api("T12345678").await;
    let mut transactions = Vec::new();
    for _ in 0..20 {
        transactions.push(paid(&api, 1_000_000).await);
    }
    let (mut confirmed, mut unknown, mut random) = (Vec::new(), 0_usize, fastrand::Rng::with_seed(1));
    let (mut armed, mut number) = (false, 0);
    while number < CAPTURES || unknown < KILLS {
        let id = &transactions[number % transactions.len()];
        let reference = format!("capture-{number}");
        number += 1;
        if !armed && unknown < KILLS && number * KILLS >= unknown * CAPTURES {
            armed = true;
            // Somewhere in the life of the requests that follow.
            let pid = program.child.id().to_string();
            let after = Duration::from_micros(random.u64(0..3_000));
            std::thread::spawn(move || {
                std::thread::sleep(after);
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            });
        }
        loop {
            let body = json!({ "amount": 1, "capture_reference": reference });
            let sent = api.request(Method::POST, &format!("/transactions/{id}/capture"), &body).send().await;
            let told = match sent {
                Ok(response) if response.status() == 200 => response.bytes().await.is_ok(),
                Ok(response) => panic!("{}: {}", response.status(), response.text().await.unwrap()),
                Err(_) => false,
            };
            if told {
                confirmed.push((id.clone(), reference.clone()));
                break;
            }
            let _ = program.child.wait();
            program = Program::start(&["--port", &port, "--state", &state]);
            unknown += 1;
            armed = false;
            if references(&api, id).await.contains(&reference) {
                break;
            }
        }
    }
    let mut seen = Vec::new();
    for id in &transactions {
        let mut found = references(&api, id).await;
        let sum = api.get(&format!("/transactions/{id}")).await["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["event"] == "CAPTURE")
            .map(|event| event["amount"].as_i64().unwrap())
            .sum::<i64>();
        assert_eq!(usize::try_from(sum).unwrap(), found.len());
        found.iter().for_each(|reference| seen.push((id.clone(), reference.clone())));
        found.sort_unstable();
        found.dedup();
        assert_eq!(usize::try_from(sum).unwrap(), found.len(), "a capture is there twice");
    }
    assert!(confirmed.iter().all(|capture| seen.contains(capture)), "a confirmed capture is lost");
    assert_eq!(seen.len(), number);
}

async fn references(api: &Api, id: &str) -> Vec<String> {
    let transaction = api.get(&format!("/transactions/{id}")).await;
    let events = transaction["events"].as_array().unwrap().iter();
    events.filter_map(|event| event["event_reference"].as_str().map(str::to_owned)).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn a_callback_that_was_under_way_is_sent_after_the_restart() {
    let folder = Folder::new("callback");
    let state = folder.file();
    let merchant = super::callbacks::Merchant::open().await;
    *merchant.responses.lock().unwrap() = vec![500];
    let arguments = ["--state", &state, "--callback-pause", "3600"];
    let program = Program::start(&[&["--port", "0"], arguments.as_slice()].concat());
    let api = program.api("T12345678").await;
    let id = super::callbacks::session(&api, &merchant.url).await;
    let root = program.base.trim_end_matches("/v1").to_owned();
    http().post(format!("{root}/_sandbox/sessions/{id}/pay")).send().await.unwrap();
    let attempts = async || {
        let told: Value = http().get(format!("{root}/_sandbox/callbacks")).send().await.unwrap().json().await.unwrap();
        (told[0]["state"].as_str().unwrap_or_default().to_owned(), told[0]["attempts"].clone())
    };
    while attempts().await.1 != json!([500]) {
        tokio::task::yield_now().await;
    }
    let port = program.port();
    drop(program);
    let _program = Program::start(&[&["--port", &port], arguments.as_slice()].concat());
    assert_eq!(attempts().await, ("under_way".into(), json!([500])));
    let clock = json!({ "advance_seconds": 3600 });
    http().put(format!("{root}/_sandbox/clock")).json(&clock).send().await.unwrap();
    while attempts().await.0 != "done" {
        tokio::task::yield_now().await;
    }
    assert_eq!(attempts().await.1, json!([500, 200]));
}
