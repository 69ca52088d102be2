//! What the program costs: start, memory, processor time, and requests a second, each beside its goal.
//!
//! `cargo bench -p dintero-sandbox` prints the table. Times of the processor are those of the program alone, so that a
//! busy machine does not change them; times by the clock are only as good as the machine is idle. Linux only: the
//! figures come from `/proc`.

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Program {
    child: Child,
    root: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it; gives the time until it has said where it is.
    fn start(arguments: &[&str]) -> Outcome<(Self, Duration)> {
        let begun = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dintero-sandbox"));
        let mut child = command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let root = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
            let (word, rest) = line.trim().split_once(' ')?;
            (word == "calls").then(|| rest.trim().trim_end_matches("/v1").to_owned())
        });
        let root = root.ok_or("the program did not say where it is")?;
        Ok((Self { child, root }, begun.elapsed()))
    }

    /// Resident memory in KB.
    fn resident(&self) -> Outcome<u64> {
        let status = read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Processor time of all threads.
    fn processor(&self) -> Outcome<Duration> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let spent = read_to_string(thread?.path().join("schedstat"))?;
            sum += spent.split_whitespace().next().ok_or("no schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

/// The API as a client without any library uses it.
struct Api {
    http: Client,
    root: String,
    token: String,
}

impl Api {
    async fn of(program: &Program) -> Outcome<Arc<Self>> {
        let audience = format!("{}/v1/accounts/T12345678", program.root);
        let mut api =
            Self { http: Client::builder().no_proxy().build()?, root: program.root.clone(), token: String::new() };
        let request = api.http.post(format!("{audience}/auth/token"));
        let request = request.basic_auth("sandbox-client", Some("sandbox-secret"));
        let body = json!({ "grant_type": "client_credentials", "audience": audience });
        let told: Value = request.json(&body).send().await?.json().await?;
        told["access_token"].as_str().ok_or("no token")?.clone_into(&mut api.token);
        Ok(Arc::new(api))
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Outcome<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.root)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await.unwrap_or_default()))
    }

    async fn ok(&self, method: Method, path: &str, body: Option<&Value>) -> Outcome<Value> {
        match self.send(method, path, body).await? {
            (200, told) => Ok(told),
            (status, told) => Err(format!("{path}: {status} {told}").into()),
        }
    }

    async fn create(&self) -> Outcome<String> {
        let created = self.ok(Method::POST, "/v1/sessions-profile", Some(&session())).await?;
        Ok(created["id"].as_str().ok_or("no id")?.to_owned())
    }

    async fn pay(&self, session: &str) -> Outcome<String> {
        let paid = self.ok(Method::POST, &format!("/_sandbox/sessions/{session}/pay"), None).await?;
        Ok(paid["transaction_id"].as_str().ok_or("no transaction")?.to_owned())
    }
}

fn order() -> Value {
    json!({
        "amount": 29_990, "currency": "NOK", "merchant_reference": "order-1",
        "items": [{ "id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": 29_990 }],
    })
}

fn session() -> Value {
    json!({
        "profile_id": "default", "order": order(),
        "url": { "return_url": "https://shop.example/thanks", "callback_url": "https://shop.example/callback" },
    })
}

/// Every operation once; the token call was the first.
async fn every_operation(api: &Api) -> Outcome {
    let post = Method::POST;
    let id = api.create().await?;
    let whole = json!({ "url": { "return_url": "https://shop.example/" }, "order": order(), "configuration": {} });
    api.ok(post.clone(), "/v1/sessions", Some(&whole)).await?;
    let card = json!({
        "session": { "url": { "return_url": "https://shop.example/" }, "order": { "currency": "NOK" }, "customer": { "customer_id": "c" } },
        "token_provider": { "payment_product_type": "payex.creditcard", "token_types": ["payment_token"] },
    });
    api.send(post.clone(), "/v1/sessions/payment-token", Some(&card)).await?;
    api.send(post.clone(), "/v1/sessions/pay", Some(&json!({ "session": { "order": order() } }))).await?;
    api.ok(Method::GET, &format!("/v1/sessions/{id}"), None).await?;
    api.ok(Method::GET, "/v1/sessions?limit=5", None).await?;
    api.ok(post.clone(), &format!("/_sandbox/sessions/{id}/lock"), None).await?;
    api.ok(Method::PUT, &format!("/v1/sessions/{id}"), Some(&json!({ "order": order() }))).await?;
    api.ok(post.clone(), &format!("/v1/sessions/{id}/cancel"), None).await?;
    let transaction = api.pay(&api.create().await?).await?;
    let at = format!("/v1/transactions/{transaction}");
    api.ok(Method::GET, &at, None).await?;
    api.ok(Method::GET, "/v1/transactions?limit=5", None).await?;
    api.ok(Method::PUT, &at, Some(&json!({ "merchant_reference_2": "r2" }))).await?;
    let more = json!({ "amount": 30_000, "items": [{ "line_id": "1", "amount": 30_000 }] });
    api.ok(post.clone(), &format!("{at}/authorization"), Some(&more)).await?;
    api.ok(post.clone(), &format!("{at}/capture"), Some(&json!({ "amount": 30_000 }))).await?;
    api.ok(post.clone(), &format!("{at}/refund"), Some(&json!({ "amount": 30_000 }))).await?;
    let voided = api.pay(&api.create().await?).await?;
    api.ok(post, &format!("/v1/transactions/{voided}/void"), None).await?;
    Ok(())
}

/// Does something so often, with so many at once; gives how many did not succeed.
async fn many<F>(count: usize, at_once: usize, call: impl Fn(usize) -> F) -> usize
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut failed = 0;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..count {
        if running.len() >= at_once
            && let Some(done) = running.join_next().await
        {
            failed += usize::from(!matches!(done, Ok(Ok(()))));
        }
        running.spawn(call(number));
    }
    while let Some(done) = running.join_next().await {
        failed += usize::from(!matches!(done, Ok(Ok(()))));
    }
    failed
}

fn row(what: &str, measured: &str, goal: &str) {
    println!("| {what} | {measured} | {goal} |");
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The figures of many calls of one kind.
async fn rate<F>(program: &Program, what: &str, count: usize, at_once: usize, call: impl Fn(usize) -> F) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let (begun, before) = (Instant::now(), program.processor()?);
    let failed = many(count, at_once, call).await;
    let (time, spent) = (begun.elapsed(), program.processor()?.saturating_sub(before));
    let number = u32::try_from(count)?;
    let measured = format!(
        "{:.0} a second, {:.0} us of the processor each, {failed} failed",
        f64::from(number) / time.as_secs_f64(),
        (spent / number).as_secs_f64() * 1e6,
    );
    row(what, &measured, "0 failed");
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("| what | measured | goal |\n|---|---|---|");
    let mut starts = Vec::new();
    for _ in 0..21 {
        starts.push(Program::start(&[])?.1);
    }
    starts.sort_unstable();
    row("start, best of 21 and median", &format!("{}, {}", milliseconds(starts[0]), milliseconds(starts[10])), "5 ms");

    let (program, _) = Program::start(&[])?;
    row("resident after the start", &format!("{:.1} MB", program.resident()? as f64 / 1024.0), "40 MB");
    let before = program.processor()?;
    let api = Api::of(&program).await?;
    every_operation(&api).await?;
    let first = program.processor()?.saturating_sub(before);
    row("first use of all operations, processor", &milliseconds(first), "100 ms");
    let before = program.processor()?;
    every_operation(&api).await?;
    row("their second use, processor", &milliseconds(program.processor()?.saturating_sub(before)), "");
    row("resident after them", &format!("{:.1} MB", program.resident()? as f64 / 1024.0), "40 MB");

    let create = |_| {
        let api = Arc::clone(&api);
        async move { api.create().await.map(|_| ()) }
    };
    // The log of requests keeps a thousand: it is full after these.
    rate(&program, "creates, 16 at once", 5_000, 16, create).await?;
    let before = program.resident()?;
    many(20_000, 16, create).await;
    let grown = (program.resident()? - before) as f64 / 20_000.0;
    row("a session", &format!("{grown:.2} KB"), "5 KB");
    rate(&program, "creates, 2,000 at once", 2_000, 2_000, create).await?;

    let paid = Arc::new(api.pay(&api.create().await?).await?);
    let capture = |api: &Arc<Api>, paid: &Arc<String>| {
        let (api, paid) = (Arc::clone(api), Arc::clone(paid));
        async move {
            let path = format!("/v1/transactions/{paid}/capture");
            api.ok(Method::POST, &path, Some(&json!({ "amount": 1 }))).await.map(|_| ())
        }
    };
    rate(&program, "captures of one transaction, 16 at once", 500, 16, |_| capture(&api, &paid)).await?;
    drop(program);

    let (program, _) = Program::start(&[])?;
    let api = Api::of(&program).await?;
    api.ok(Method::POST, "/_sandbox/seed", Some(&json!({ "transactions": 100_000 }))).await?;
    for what in ["first", "second"] {
        let before = program.processor()?;
        api.ok(Method::GET, "/v1/transactions?merchant_reference=seeded-7&currency=NOK", None).await?;
        let spent = program.processor()?.saturating_sub(before);
        row(&format!("{what} filtered list of 100,000, processor"), &milliseconds(spent), "");
        let before = program.processor()?;
        api.ok(Method::GET, "/v1/transactions?search=seeded-77777", None).await?;
        let spent = program.processor()?.saturating_sub(before);
        row(&format!("{what} search in 100,000, processor"), &milliseconds(spent), "");
        row("resident after them", &format!("{:.1} MB", program.resident()? as f64 / 1024.0), "");
    }
    drop(program);

    let folder = std::env::temp_dir().join(format!("dintero-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("state.sqlite").display().to_string();
    {
        let (program, _) = Program::start(&["--state", &file])?;
        let api = Api::of(&program).await?;
        let create = |_| {
            let api = Arc::clone(&api);
            async move { api.create().await.map(|_| ()) }
        };
        rate(&program, "creates with a state file, 16 at once", 2_000, 16, create).await?;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
