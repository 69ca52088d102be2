//! Fifty processes that share a store fetch one token, and one again when it has expired or was revoked.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::{File, postgres, redis};
use chrono::{DateTime, TimeDelta, Utc};
use dintero::store::Journal;
use dintero::{Client, Clock, Credentials};
use dintero_sandbox::Sandbox;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

const PROCESSES: usize = 50;
/// What a process prints before what came of its call.
const CAME: &str = "the call: ";
/// What it prints once it is connected to the store.
const READY: &str = "ready for calls";
/// Held by the store that is being tried.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Another process: this program, running `one_process` alone.
struct Process {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(sandbox: &Sandbox, store: &str, address: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a program"))
            .args(["--exact", "tokens::one_process", "--ignored", "--nocapture"])
            .env("STORE", store)
            .env("STORE_ADDRESS", address)
            .env("BASE_URL", sandbox.base_url())
            .env("AUTH_URL", sandbox.auth_url())
            .env("ACCOUNT", sandbox.account_id())
            .env("CLIENT_ID", sandbox.client_id())
            .env("CLIENT_SECRET", sandbox.client_secret())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let input = child.stdin.take().expect("an input");
        let output = BufReader::new(child.stdout.take().expect("an output")).lines();
        Self { _child: child, input, output }
    }

    /// Lets it make a call with its clock so many seconds ahead.
    async fn begin_call(&mut self, ahead: i64) {
        self.input.write_all(format!("{ahead}\n").as_bytes()).await.expect("written");
    }

    async fn end_call(&mut self) {
        assert_eq!(self.told(CAME).await, "Ok(())");
    }

    /// Waits for a line with this mark, and gives what stands behind it. The test harness prints too.
    async fn told(&mut self, mark: &str) -> String {
        while let Some(line) = self.output.next_line().await.expect("a line") {
            if let Some((_, told)) = line.split_once(mark) {
                return told.to_owned();
            }
        }
        panic!("the process ended");
    }
}

/// The time of day, and so many seconds more.
#[derive(Clone, Debug, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// Makes a call for each line of the standard input. No test of its own: the processes of the others run it.
#[tokio::test]
#[ignore = "run by the other tests of this file"]
async fn one_process() {
    let Ok(store) = std::env::var("STORE") else { return };
    let value = |name: &str| std::env::var(name).expect("a setting");
    let journal = Journal::new(crate::support::store_at(&store, &value("STORE_ADDRESS")).await);
    let account = value("ACCOUNT").parse().expect("an account");
    let clock = Ahead::default();
    let client = Client::builder(Credentials::new(account, value("CLIENT_ID"), value("CLIENT_SECRET")))
        .base_url(value("BASE_URL"))
        .auth_url(value("AUTH_URL"))
        .journal(journal)
        .clock(clock.clone())
        .build()
        .expect("a client");
    println!("{READY}");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("a line") {
        clock.0.store(line.parse().expect("a number"), Ordering::SeqCst);
        println!("{CAME}{:?}", client.transactions().list().limit(1).await.map(drop));
    }
}

async fn one_token_request(store: &str, address: &str) {
    // One store at a time, and no call before all processes are connected: their start takes a small machine seconds,
    // after which a client does without the store.
    let _alone = ALONE.lock().await;
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let tokens = || sandbox.requests().iter().filter(|request| request.path().ends_with("/auth/token")).count();
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::start(&sandbox, store, address)).collect();
    for process in &mut processes {
        process.told(READY).await;
    }
    let day = 24 * 60 * 60;
    for (what, ahead, expected) in
        [("none yet", 0, 1), ("still good", 0, 1), ("expired", 2 * day, 2), ("revoked", 2 * day, 3)]
    {
        if what == "revoked" {
            sandbox.revoke_tokens();
        }
        for process in &mut processes {
            process.begin_call(ahead).await;
        }
        for process in &mut processes {
            process.end_call().await;
        }
        assert_eq!(tokens(), expected, "{store}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let file = File::new();
    one_token_request("sqlite", file.0.to_str().expect("a path")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_server() {
    let Some(server) = redis() else { return };
    one_token_request("redis", &server.port.to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_server() {
    let Some(server) = postgres() else { return };
    one_token_request("postgres", &server.port.to_string()).await;
}
