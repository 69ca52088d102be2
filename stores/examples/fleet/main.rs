//! Payments, a fleet of workers, and `kill -9`: each payment is captured exactly once and none is stranded, whatever
//! dies when. `cargo xtask stores` runs it for each store.
//!
//! Every worker is a process that runs the shop of the example `callback_server`. This process is the service, the
//! customers and the killer. Workers are killed at random moments, when their capture arrives at the service ("while
//! sending" it is not executed, "after execution" it is), and at named points before and after each of the store's
//! steps, where they abort: a capture is claimed, its attempt is noted before it is sent, and what it came to is noted.

#[path = "../callback_server/shop.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod shop;
#[path = "../../tests/it/support/mod.rs"]
mod support;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dintero::store::{Record, Store};
use dintero::{Client, Credentials};
use dintero_sandbox::{Fault, Operation, Sandbox};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const AMOUNT: i64 = 29_990;
/// How long a store is stopped.
const STOP: Duration = Duration::from_secs(5);
/// How long after the last kill everything has to be settled: to `recover`, a lost request is one that may arrive for a
/// minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// What is asked for on the command line.
struct Plan {
    store: String,
    payments: usize,
    workers: usize,
    kills: usize,
    /// Stops the store for five seconds in the middle: its server, or the writing to its file.
    stop_store: bool,
    /// Deletes the store's data in the middle. Redis only.
    lose_data: bool,
    seed: u64,
}

impl Plan {
    fn read() -> Result<Self, Failure> {
        let mut args = std::env::args().skip(1);
        let store = args.next().ok_or("name a store: postgres, redis or sqlite")?;
        let mut plan =
            Self { store, payments: 100, workers: 4, kills: 100, stop_store: false, lose_data: false, seed: 1 };
        while let Some(name) = args.next() {
            let mut number = || args.next().ok_or("a number is missing")?.parse::<u64>().map_err(Failure::from);
            match name.as_str() {
                "--payments" => plan.payments = usize::try_from(number()?)?,
                "--workers" => plan.workers = usize::try_from(number()?)?,
                "--kills" => plan.kills = usize::try_from(number()?)?,
                "--seed" => plan.seed = number()?,
                "--stop-store" => plan.stop_store = true,
                "--lose-data" => plan.lose_data = true,
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(plan)
    }
}

/// A place for a worker: its port stays, its process changes.
struct Slot {
    port: u16,
    /// Zero while there is none.
    process: AtomicU32,
}

struct Fleet {
    /// What a worker runs: this program. Found once, since a build in the meantime puts another file in its place.
    program: PathBuf,
    slots: Vec<Slot>,
    settings: Vec<(&'static str, String)>,
    folder: PathBuf,
    kills: AtomicUsize,
    paid: AtomicUsize,
    /// How many payments and kills there are to be.
    wanted: (usize, usize),
    /// Whether workers abort at the named points.
    wild: std::sync::atomic::AtomicBool,
}

impl Fleet {
    fn is_done(&self) -> bool {
        self.kills.load(Ordering::SeqCst) >= self.wanted.1
    }

    /// How far the payments and the kills are, each of what there is to be. They keep pace by a tenth, so that one does
    /// not end long before the other.
    fn progress(&self) -> (f64, f64) {
        let of = |done: &AtomicUsize, wanted: usize| done.load(Ordering::SeqCst) as f64 / wanted.max(1) as f64;
        (of(&self.paid, self.wanted.0), of(&self.kills, self.wanted.1))
    }

    fn may_pay(&self) -> bool {
        let (paid, killed) = self.progress();
        self.is_done() || paid <= killed + 0.1
    }

    fn may_kill(&self) -> bool {
        let (paid, killed) = self.progress();
        killed <= paid + 0.1
    }

    /// Kills the worker of a slot, and tells whether there was one to be killed.
    fn kill(&self, slot: usize) -> bool {
        let process = self.slots[slot].process.swap(0, Ordering::SeqCst);
        let is_killed = process != 0 && !self.is_done();
        if is_killed {
            self.kills.fetch_add(1, Ordering::SeqCst);
            drop(Command::new("kill").args(["-9", &process.to_string()]).status());
        }
        is_killed
    }

    /// Keeps a worker in a slot, a new one whenever one dies.
    async fn keep(self: Arc<Self>, slot: usize) {
        loop {
            let wild = self.wild.load(Ordering::SeqCst) && !self.is_done();
            let mut command = tokio::process::Command::new(&self.program);
            command
                .arg("worker")
                .env("PORT", self.slots[slot].port.to_string())
                .env("SLOT", slot.to_string())
                .env("POINTS", if wild { "0.02" } else { "0" })
                .env("POINTS_FILE", self.folder.join("points"))
                .envs(self.settings.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            let started = Instant::now();
            let mut child = command.spawn().expect("a worker");
            // It says when it listens. One that never does, on a busy machine, proves nothing by its death.
            let mut output = child.stdout.take().expect("an output");
            let status = if output.read_u8().await.is_ok() {
                self.slots[slot].process.store(child.id().unwrap_or(0), Ordering::SeqCst);
                // Up for as long as down, about, however busy the machine is.
                let longest = started.elapsed().max(Duration::from_millis(250)) * 2;
                let life = longest.mul_f64(fastrand::f64());
                loop {
                    match tokio::time::timeout(life, child.wait()).await {
                        Ok(status) => break status,
                        Err(_) if self.may_kill() => drop(self.kill(slot)),
                        Err(_) => {}
                    }
                }
            } else {
                child.wait().await
            };
            let status = status.expect("a worker");
            use std::os::unix::process::ExitStatusExt as _;
            self.slots[slot].process.store(0, Ordering::SeqCst);
            match status.signal() {
                // Aborted at a named point.
                Some(6) => drop(self.kills.fetch_add(1, Ordering::SeqCst)),
                Some(9) => {}
                _ => eprintln!("a worker ended with {status}"),
            }
        }
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let result = match std::env::args().nth(1).as_deref() {
        Some("worker") => runtime.block_on(worker::run()),
        _ => Plan::read().and_then(|plan| runtime.block_on(run(plan))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(plan: Plan) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("fleet-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder)?;
    let file = support::File::new();
    let server = match plan.store.as_str() {
        "postgres" => Some(support::postgres().ok_or("install PostgreSQL (Debian: postgresql)")?),
        "redis" => Some(support::redis().ok_or("install Redis (Debian: redis-server)")?),
        "sqlite" => None,
        other => return Err(format!("no store is called {other}").into()),
    };
    let address = match &server {
        Some(server) => server.port.to_string(),
        None => file.0.display().to_string(),
    };
    let store = support::store_at(&plan.store, &address).await;
    let started = Instant::now();

    let sandbox = Arc::new(Sandbox::start().await?);
    sandbox.duplicate_callbacks(1);
    sandbox.set_callback_retry_pause(Duration::from_millis(250));
    let settings = vec![
        ("STORE", plan.store.clone()),
        ("STORE_ADDRESS", address),
        ("BASE_URL", sandbox.base_url()),
        ("AUTH_URL", sandbox.auth_url()),
        ("ACCOUNT", sandbox.account_id()),
        ("CLIENT_ID", sandbox.client_id()),
        ("CLIENT_SECRET", sandbox.client_secret()),
        ("SIGNATURE_SECRET", sandbox.signature_secret().ok_or("the sandbox signs")?),
    ];
    let ports = (0..plan.workers).map(|_| support::free_port());
    let fleet = Arc::new(Fleet {
        program: std::env::current_exe()?,
        slots: ports.map(|port| Slot { port, process: AtomicU32::new(0) }).collect(),
        settings,
        folder: folder.clone(),
        kills: AtomicUsize::new(0),
        paid: AtomicUsize::new(0),
        wanted: (plan.payments, plan.kills),
        wild: true.into(),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for slot in 0..plan.workers {
        tasks.spawn(fleet.clone().keep(slot));
    }

    // Killed when its capture arrives: half of them are executed all the same, half are lost.
    let at_service = Arc::new(Mutex::new(BTreeMap::<&str, usize>::new()));
    let (killer, counted) = (fleet.clone(), at_service.clone());
    let mut random = fastrand::Rng::with_seed(plan.seed);
    sandbox.inject_with(move |request| {
        if request.operation() != Some(Operation::CaptureTransaction) || killer.is_done() || random.u8(..) > 64 {
            return None;
        }
        let agent = request.headers().iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"))?;
        let slot = agent.1.rsplit_once("worker-")?.1.parse().ok()?;
        if !killer.kill(slot) {
            return None;
        }
        let (what, fault) =
            if random.bool() { ("after execution", None) } else { ("while sending", Some(Fault::reset_unread())) };
        *counted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).entry(what).or_default() += 1;
        fault
    });

    let credentials = Credentials::new(sandbox.account_id().parse()?, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;
    let mut transactions = Vec::new();
    let mut random = fastrand::Rng::with_seed(plan.seed ^ 7);
    let mut exposed = 0;
    let mut disturbed = !plan.stop_store && !plan.lose_data;
    while transactions.len() < plan.payments || !fleet.is_done() {
        if transactions.len() < plan.payments && fleet.may_pay() {
            let port = fleet.slots[random.usize(..plan.workers)].port;
            transactions.push(pay(&sandbox, &client, port, transactions.len()).await?);
            fleet.paid.store(transactions.len(), Ordering::SeqCst);
            if transactions.len() % 10 == 0 {
                // The callbacks of some payments in the reverse of their order.
                sandbox.release_callbacks(true).await;
            } else if transactions.len() % 10 == 5 {
                sandbox.hold_callbacks();
            }
        }
        if !disturbed && fleet.kills.load(Ordering::SeqCst) > plan.kills / 2 {
            disturbed = true;
            if plan.lose_data {
                support::flush(server.as_ref().ok_or("only Redis can lose its data")?).await?;
                exposed = transactions.len();
                println!("the store has lost its data");
            }
            if plan.stop_store {
                match &server {
                    Some(server) => server.stop(STOP).await,
                    None => file.lock(STOP).await,
                }
                println!("the store stood still for {} s", STOP.as_secs());
            }
        }
        tokio::time::sleep(Duration::from_millis(random.u64(5..40))).await;
    }
    fleet.wild.store(false, Ordering::SeqCst);
    sandbox.release_callbacks(true).await;
    let killed = fleet.kills.load(Ordering::SeqCst);
    println!(
        "{}: {} payments, {killed} kills in {:.0} s",
        plan.store,
        transactions.len(),
        started.elapsed().as_secs_f64()
    );

    settle(&sandbox, &store, &transactions).await;
    let settled = started.elapsed();
    tasks.shutdown().await;
    // Now every claim that somebody still held is left open too.
    tokio::time::sleep(worker::LEASE + Duration::from_millis(500)).await;
    let open = store.left_open("", 10_000).await?;
    println!("settled after {:.0} s", settled.as_secs_f64());
    let points = count(&at_service, &folder.join("points"));
    std::fs::remove_dir_all(&folder)?;
    report(&plan, &sandbox, &transactions, exposed, &open)?;
    check_points(&plan, &points)
}

async fn pay(sandbox: &Sandbox, client: &Client, port: u16, number: usize) -> Result<String, Failure> {
    let request = serde_json::from_value(json!({
        "profile_id": "default",
        "url": {
            "return_url": format!("http://127.0.0.1:{port}/return"),
            "callback_url": format!("http://127.0.0.1:{port}/callback?report_event=CAPTURE&n={number}"),
        },
        "order": {
            "amount": AMOUNT, "currency": "NOK", "merchant_reference": format!("order-{number}"),
            "items": [{ "id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": AMOUNT }],
        },
    }))?;
    let session = client.sessions().create_from_profile(request).await?;
    Ok(sandbox.customer_pays(session.id.as_str())?)
}

/// Waits until all is captured and nothing is left open for longer than a lease, or no longer.
async fn settle(sandbox: &Sandbox, store: &Arc<dyn Store>, transactions: &[String]) {
    let until = Instant::now() + PATIENCE;
    let mut quiet = Instant::now();
    while Instant::now() < until && quiet.elapsed() < worker::LEASE * 2 {
        let left = store.left_open("", 1).await.is_ok_and(|left| left.is_empty());
        if !left || !transactions.iter().all(|id| sandbox.sums(id).is_some_and(|(captured, _)| captured > 0)) {
            quiet = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// How many were killed where.
fn count(at_service: &Mutex<BTreeMap<&str, usize>>, points: &Path) -> BTreeMap<String, usize> {
    let mut killed_at: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::fs::read_to_string(points).unwrap_or_default().lines() {
        *killed_at.entry(line.to_owned()).or_default() += 1;
    }
    for (point, count) in at_service.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
        killed_at.insert(format!("money {point}"), *count);
    }
    killed_at
}

/// Tells where workers were killed, and that a long run has left no point of a capture out.
fn check_points(plan: &Plan, killed_at: &BTreeMap<String, usize>) -> Result<(), Failure> {
    println!("killed at named points: {killed_at:?}; the others at random");
    let points = ["before the claim", "before the send", "while sending", "after execution", "before the note"];
    let missing: Vec<_> =
        points.into_iter().filter(|point| !killed_at.contains_key(&format!("money {point}"))).collect();
    if plan.kills >= 1_000 && !missing.is_empty() {
        return Err(format!("no worker was killed {missing:?}").into());
    }
    Ok(())
}

fn report(
    plan: &Plan,
    sandbox: &Sandbox,
    transactions: &[String],
    exposed: usize,
    open: &[Record],
) -> Result<(), Failure> {
    let captured = |id: &String| sandbox.sums(id).map_or(0, |(captured, _)| captured);
    let count = |ids: &[String]| {
        let once = ids.iter().filter(|id| captured(id) == AMOUNT).count();
        let twice = ids.iter().filter(|id| captured(id) > AMOUNT).count();
        (once, twice, ids.len() - once - twice)
    };
    let (once, twice, never) = count(transactions);
    let sent = sandbox.received(Operation::CaptureTransaction);
    let executed = sandbox.executed(Operation::CaptureTransaction);
    println!("captured once {once}, twice {twice}, never {never}; {sent} captures sent, {executed} executed");
    let deliveries: usize = sandbox.callbacks().iter().map(|callback| callback.attempts.len()).sum();
    let tokens = sandbox.requests().iter().filter(|request| request.path().ends_with("/auth/token")).count();
    println!("{} claims left open; {deliveries} deliveries of callbacks; {tokens} token requests", open.len());
    for id in transactions.iter().filter(|id| captured(id) != AMOUNT).take(10) {
        let callbacks = sandbox.callbacks();
        let of = callbacks.iter().filter(|it| it.url.as_str().contains(id.as_str()));
        println!("{id}: captured {}, delivered {:?}", captured(id), of.map(|it| &it.attempts).collect::<Vec<_>>());
    }
    let open: Vec<_> = open.iter().map(|record| &record.name).collect();
    // What was claimed when the store lost its data may be claimed twice, or be found by nobody.
    let (_, twice, never) = count(&transactions[exposed..]);
    if (transactions.len(), twice, never, open.len()) == (plan.payments, 0, 0, 0) {
        Ok(())
    } else {
        Err(format!("not every payment was captured exactly once, or claims were left open: {open:?}").into())
    }
}
