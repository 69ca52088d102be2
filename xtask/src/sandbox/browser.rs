//! The pages in a real browser: a customer pays, declines, is put on hold and leaves, and the shop is told each time.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use axum::extract::{Query, State};
use axum::routing::get;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use super::{Program, target};
use crate::output::print_line;

/// How long the browser may take for one thing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sizes of the screenshots: a phone and a desk.
const SIZES: [(&str, u32, u32); 2] = [("phone", 390, 844), ("desk", 1280, 900)];

/// Runs all of it; screenshots go to `target/browser`.
///
/// # Errors
/// When there is no browser, or something is not as it has to be.
pub fn run() -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tour())
}

/// What the shop was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Told {
    fn all(&self) -> Vec<BTreeMap<String, String>> {
        self.0.lock().map(|told| told.clone()).unwrap_or_default()
    }
}

/// A shop with a page to come back to and an address to be called at.
async fn shop(told: Told) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let callback = |State(told): State<Told>, Query(query): Query<BTreeMap<String, String>>| async move {
        if let Ok(mut told) = told.0.lock() {
            told.push(query);
        }
    };
    let router = axum::Router::new()
        .route("/thanks", get(|| async { "Thank you." }))
        .route("/callback", get(callback))
        .with_state(told);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// The browser's driver; it ends with this.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn browser() -> Result<(Driver, Client)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let driver = Command::new("chromedriver").arg(format!("--port={port}")).stdout(Stdio::null()).spawn();
    let driver = Driver(driver.context(
        "chromedriver does not start: install Chromium and its driver, on Debian with \
         `apt-get install chromium chromium-driver`",
    )?);
    let options = json!({ "goog:chromeOptions": {
        "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"],
    } });
    let capabilities: Capabilities = serde_json::from_value(options)?;
    let started = tokio::time::Instant::now();
    loop {
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        match builder.capabilities(capabilities.clone()).connect(&format!("http://127.0.0.1:{port}")).await {
            Ok(client) => return Ok((driver, client)),
            Err(error) if started.elapsed() > PATIENCE => return Err(error).context("the browser does not start"),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// The sandbox's API, as the shop uses it.
struct Api {
    http: reqwest::Client,
    root: String,
    token: String,
}

impl Api {
    async fn of(root: &str) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let audience = format!("{root}/v1/accounts/T12345678");
        let body = json!({ "grant_type": "client_credentials", "audience": audience });
        let request = http.post(format!("{audience}/auth/token")).basic_auth("sandbox-client", Some("sandbox-secret"));
        let mut api = Self { root: root.to_owned(), token: String::new(), http: http.clone() };
        let told = api.send(request, &body).await?;
        api.token = told["access_token"].as_str().context("no token")?.to_owned();
        Ok(api)
    }

    async fn send(&self, request: reqwest::RequestBuilder, body: &Value) -> Result<Value> {
        let request = request.header("content-type", "application/json").body(body.to_string());
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(self.http.post(format!("{}/v1{path}", self.root)).bearer_auth(&self.token), body).await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let response = self.http.get(format!("{}/v1{path}", self.root)).bearer_auth(&self.token).send().await?;
        Ok(serde_json::from_str(&response.text().await?)?)
    }

    /// A session with two lines and two ways to ship; gives its payment page.
    async fn session(&self, shop: &str) -> Result<String> {
        let option = |id: &str, title: &str, amount: i64| json!({ "id": id, "line_id": id, "amount": amount, "title": title, "operator": "Bring" });
        let session = json!({
            "profile_id": "default",
            "url": { "return_url": format!("{shop}/thanks"), "callback_url": format!("{shop}/callback?report_error=true") },
            "order": {
                "amount": 34_980, "currency": "NOK", "merchant_reference": "browser-1",
                "items": [
                    { "id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": 29_990 },
                    { "id": "cup", "line_id": "2", "description": "Cup", "quantity": 2, "amount": 4_990 },
                ],
            },
            "express": { "shipping_options": [option("pick-up", "Pick up", 0), option("home", "To the door", 9_900)] },
        });
        let created = self.post("/sessions-profile", &session).await?;
        Ok(created["url"].as_str().context("no payment page")?.to_owned())
    }
}

async fn tour() -> Result<()> {
    let program = Program::start(&["--callback-pause", "1"])?;
    let told = Told::default();
    let (shop, api) = (shop(told.clone()).await?, Api::of(&program.root).await?);
    let (_driver, client) = browser().await?;
    let outcome = walk(&client, &api, &shop, &told, &program.root).await;
    client.close().await?;
    outcome
}

async fn walk(client: &Client, api: &Api, shop: &str, told: &Told, root: &str) -> Result<()> {
    let pictures = target().join("browser");
    std::fs::create_dir_all(&pictures)?;

    let page = api.session(shop).await?;
    visit(client, &page).await?;
    take(client, &pictures, "payment").await?;
    client.find(Locator::Css("input[name=shipping][value=home]")).await?.click().await?;
    let total = client.find(Locator::Id("total")).await?.text().await?;
    ensure!(total.contains("448.80"), "the shipping is not in the total: {total}");
    client.find(Locator::Id("pay")).await?.click().await?;
    let back = returned(client, shop).await?;
    let id = back.get("transaction_id").context("the return address has no transaction")?.clone();
    ensure!(!back.contains_key("error"), "{back:?}");
    let callback = called(told, 1).await?;
    ensure!(callback.get("transaction_id") == Some(&id), "{callback:?}");
    let captured = api.post(&format!("/transactions/{id}/capture"), &json!({ "amount": 44_880 })).await?;
    ensure!(captured["status"] == "CAPTURED", "{captured}");
    print_line(format_args!("paid, shipped, redirected, called back and captured: {id}"))?;

    let ends = [("declined", Some("authorization"), "DECLINED"), ("on_hold", None, "ON_HOLD")];
    for (calls, (outcome, error, status)) in (2..).zip(ends) {
        visit(client, &api.session(shop).await?).await?;
        // From the keyboard: the button has the focus, and Enter presses it.
        client.find(Locator::Css(&format!("[data-outcome={outcome}]"))).await?.send_keys("\u{e007}").await?;
        let back = returned(client, shop).await?;
        ensure!(back.get("error").map(String::as_str) == error, "{outcome}: {back:?}");
        let callback = called(told, calls).await?;
        ensure!(callback.get("error").map(String::as_str) == error, "{outcome}: {callback:?}");
        let id = back.get("transaction_id").context("the return address has no transaction")?;
        let transaction = api.get(&format!("/transactions/{id}")).await?;
        ensure!(transaction["status"] == status, "{outcome}: {transaction}");
        print_line(format_args!("{outcome}: {id}"))?;
    }

    let page = api.session(shop).await?;
    visit(client, &page).await?;
    client.find(Locator::Id("cancel")).await?.click().await?;
    let back = returned(client, shop).await?;
    ensure!(back.get("error").map(String::as_str) == Some("cancelled"), "{back:?}");
    ensure!(!back.contains_key("transaction_id"), "{back:?}");
    called(told, 4).await?;
    print_line("cancelled")?;

    dashboard(client, api, shop, told, root, &pictures).await?;
    print_line(format_args!(
        "the dashboard follows, sends again and switches faults on; screenshots are in {}",
        pictures.display()
    ))?;
    Ok(())
}

/// The dashboard after four payments with a callback each.
async fn dashboard(client: &Client, api: &Api, shop: &str, told: &Told, root: &str, pictures: &Path) -> Result<()> {
    client.goto(&format!("{root}/")).await?;
    client.wait().at_most(PATIENCE).for_element(Locator::Css("#transactions details")).await?;
    let before = rows(client).await?;
    // Live: a session appears without loading the page again. Its callback may not be sent, and says why.
    let page = api.session("https://shop.example").await?;
    until(client, "a session appears", async || Ok(rows(client).await? > before)).await?;
    let id = page.rsplit('/').next().unwrap_or_default();
    let paid = api.http.post(format!("{root}/_sandbox/sessions/{id}/pay")).send().await?;
    ensure!(paid.status().is_success(), "{}", paid.status());
    let shows = async |list: &str, words: &str| -> Result<bool> {
        Ok(client.find(Locator::Id(list)).await?.text().await?.contains(words))
    };
    until(client, "why it was not sent", async || shows("callbacks", "not sent").await).await?;
    for standing in ["open", "paid", "declined", "on hold", "left"] {
        // The newest session is open, so that every kind is on the page.
        if standing == "open" {
            api.session(shop).await?;
        }
        until(client, standing, async || shows("sessions", standing).await).await?;
    }

    let count = told.all().len();
    // The newest callback is the one that is not sent; the one below it was.
    client.find(Locator::Css("#callbacks > div:nth-child(2) button")).await?.click().await?;
    called(told, count + 1).await?;

    client.find(Locator::Css("#fault button")).await?.click().await?;
    until(client, "a fault that is switched on", async || shows("faults", "capture_transaction").await).await?;
    let refused = api.post("/transactions/T12345678.none/capture", &json!({ "amount": 1 })).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("503")), "the fault did not strike");
    until(client, "the refusal", async || shows("requests", "a fault was asked for").await).await?;

    client.find(Locator::Css("#transactions details summary")).await?.click().await?;
    take(client, pictures, "dashboard").await
}

/// Waits until the page shows it.
async fn until(client: &Client, what: &str, holds: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let started = tokio::time::Instant::now();
    // The page may be drawn anew between finding an element and reading it.
    while !holds().await.unwrap_or(false) {
        if started.elapsed() > PATIENCE {
            bail!("the dashboard does not show {what}: {}", client.find(Locator::Css("main")).await?.text().await?);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn rows(client: &Client) -> Result<usize> {
    Ok(client.find_all(Locator::Css("#sessions details")).await?.len())
}

async fn visit(client: &Client, page: &str) -> Result<()> {
    client.goto(page).await?;
    client.wait().at_most(PATIENCE).for_element(Locator::Css("#form:not([hidden])")).await?;
    Ok(())
}

/// Waits until the customer is back at the shop; gives what the address says.
async fn returned(client: &Client, shop: &str) -> Result<BTreeMap<String, String>> {
    let started = tokio::time::Instant::now();
    loop {
        let url = client.current_url().await?;
        if url.as_str().starts_with(&format!("{shop}/thanks")) {
            return Ok(url.query_pairs().into_owned().collect());
        }
        if started.elapsed() > PATIENCE {
            let message = client.find(Locator::Id("message")).await?.text().await?;
            bail!("the customer is still at {url}: {message}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for so many callbacks; gives the newest.
async fn called(told: &Told, count: usize) -> Result<BTreeMap<String, String>> {
    let started = tokio::time::Instant::now();
    loop {
        let all = told.all();
        if let (true, Some(newest)) = (all.len() >= count, all.last()) {
            ensure!(all.len() == count, "the shop was called {} times, not {count}", all.len());
            return Ok(newest.clone());
        }
        ensure!(started.elapsed() < PATIENCE, "the shop was not called");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One picture of what the window shows, and one of the whole page.
async fn take(client: &Client, folder: &Path, name: &str) -> Result<()> {
    for (size, width, height) in SIZES {
        client.set_window_size(width, height).await?;
        let over =
            client.execute("return document.documentElement.scrollWidth - window.innerWidth", Vec::new()).await?;
        ensure!(over.as_i64() <= Some(0), "{name} is wider than the window of a {size} by {over}");
        client.execute("window.scrollTo(0, 0)", Vec::new()).await?;
        std::fs::write(folder.join(format!("{name}-{size}.png")), client.screenshot().await?)?;
        let whole =
            client.execute("return document.documentElement.scrollHeight + outerHeight - innerHeight", Vec::new());
        let whole = whole.await?.as_u64().and_then(|height| u32::try_from(height).ok()).unwrap_or(height);
        client.set_window_size(width, whole).await?;
        std::fs::write(folder.join(format!("{name}-{size}-whole.png")), client.screenshot().await?)?;
    }
    Ok(())
}
