//! The example server against the sandbox over real sockets: signed callbacks, GET and POST, duplicated, delayed, out
//! of order, together with the customer's return, through failures on either side. One capture each time.

#[path = "../../examples/callback_server/shop.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod shop;

use std::time::{Duration, SystemTime};

use crate::support::{File, sqlite_store};
use dintero::callback::{CallbackUrl, Inbox, Recovered, ReportedEvent, SigningSecret, Verifier};
use dintero::store::Journal;
use dintero::types::CaptureRequest;
use dintero::{AccountId, Client, Credentials, Outcome, SessionId, TransactionId};
use dintero_sandbox::{CustomerPayment, DeliveredCallback, Fault, Operation, Sandbox};
use serde_json::json;
use shop::Shop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use url::Url;

const AMOUNT: i64 = 29_990;
/// Nothing between the shop and the sandbox holds a request.
const SETTLE: Duration = Duration::from_secs(2);

/// A sandbox, and the example server listening to it.
struct World {
    sandbox: Sandbox,
    client: Client,
    base_url: String,
}

impl World {
    async fn new(journal: Journal) -> Self {
        Self::on(&Handle::current(), journal).await
    }

    /// The shop's server runs on a runtime of its own choice.
    async fn on(runtime: &Handle, journal: Journal) -> Self {
        let sandbox = Sandbox::start().await.expect("a sandbox");
        sandbox.set_callback_retry_pause(Duration::from_millis(5));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let (client, shop) = process(&sandbox, &base_url, journal);
        let router = shop::router(shop);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { sandbox, client, base_url }
    }

    fn callback_url(&self) -> CallbackUrl {
        CallbackUrl::new(format!("{}/callback?own=a+b", self.base_url)).allow_loopback_http()
    }

    async fn session(&self, callback_url: CallbackUrl) -> SessionId {
        let callback_url = callback_url.build().expect("a callback URL");
        let request = serde_json::from_value(json!({
            "profile_id": "default",
            "url": { "return_url": format!("{}/return?basket=1", self.base_url), "callback_url": callback_url.as_str() },
            "order": {
                "amount": AMOUNT, "currency": "NOK", "merchant_reference": "order-1",
                "items": [{ "id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": AMOUNT }],
            },
        }));
        let request = request.expect("a request");
        let created = self.client.sessions().create_from_profile(request).await;
        created.expect("a session").id.clone()
    }

    /// The customer's browser follows the return URL.
    async fn customer_returns(&self, session: &SessionId) -> String {
        let url = self.sandbox.return_url(session).expect("a return URL");
        let (status, page) = request("GET", &url, &[]).await;
        assert_eq!(status, 200);
        page
    }

    fn captures(&self) -> u64 {
        self.sandbox.executed(Operation::CaptureTransaction)
    }

    fn assert_captured_once(&self, transaction: &str) {
        assert_eq!(self.captures(), 1, "{:?}", self.sandbox.callbacks());
        assert_eq!(self.sandbox.sums(transaction), Some((AMOUNT, 0)));
        for callback in self.sandbox.callbacks() {
            assert_eq!(callback.attempts.last(), Some(&Some(200)), "{callback:?}");
        }
    }
}

/// A process of the shop, as far as it shares nothing with another but the service and the store.
fn process(sandbox: &Sandbox, base_url: &str, journal: Journal) -> (Client, Shop) {
    let account: AccountId = sandbox.account_id().parse().expect("an account");
    let credentials = Credentials::new(account.clone(), sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials)
        .base_url(sandbox.base_url())
        .auth_url(sandbox.auth_url())
        .journal(journal)
        .build()
        .expect("a client");
    let secret = SigningSecret::new(sandbox.signature_secret().expect("a secret")).expect("a secret");
    let verifier = Verifier::builder(account, base_url).secret(secret).build().expect("a verifier");
    (client.clone(), Shop::new(client, verifier, SETTLE))
}

/// One request over a socket of its own: status and body.
async fn request(method: &str, url: &Url, headers: &[(&str, &str)]) -> (u16, String) {
    let address = (url.host_str().expect("a host"), url.port().expect("a port"));
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let target = &url[url::Position::BeforePath..];
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method} {target} HTTP/1.1\r\nhost: internal\r\nconnection: close\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut response = String::new();
    socket.read_to_string(&mut response).await.expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

fn statuses(callback: &DeliveredCallback) -> Vec<u16> {
    callback.attempts.iter().flatten().copied().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callback_and_return_together_capture_once_get_and_post() {
    for post in [false, true] {
        let world = World::new(Journal::in_memory()).await;
        let mut url = world.callback_url().report_error();
        if post {
            url = url.post().include_session();
        }
        let session = world.session(url).await;
        // Ten copies of the callback while ten tabs return.
        world.sandbox.duplicate_callbacks(10);
        let transaction = world.sandbox.customer_pays(&session).expect("paid");
        let tabs = (0..10).map(|_| world.customer_returns(&session));
        let pages = futures_util::future::join_all(tabs).await;
        world.sandbox.callbacks_delivered().await;
        assert!(pages.iter().all(|page| page.starts_with("Thank you")), "{pages:?}");
        let [callback] = world.sandbox.callbacks().try_into().expect("one callback");
        assert_eq!(callback.method, if post { "POST" } else { "GET" });
        world.assert_captured_once(&transaction);
        assert_eq!(world.customer_returns(&session).await, "Thank you, your order is paid.");
    }
}

#[tokio::test]
async fn callbacks_out_of_order_and_duplicated_capture_once() {
    for reversed in [false, true] {
        let world = World::new(Journal::in_memory()).await;
        let events = [ReportedEvent::Capture, ReportedEvent::Refund];
        let url = events.into_iter().fold(world.callback_url().post(), CallbackUrl::report_event);
        let session = world.session(url).await;
        world.sandbox.hold_callbacks();
        world.sandbox.duplicate_callbacks(2);
        let transaction = world.sandbox.customer_pays(&session).expect("paid");
        assert_eq!(world.customer_returns(&session).await, "Thank you, your order is paid.");
        world.sandbox.release_callbacks(reversed).await;
        let callbacks = world.sandbox.callbacks();
        assert_eq!(callbacks.len(), 2, "the payment and the capture: {callbacks:?}");
        assert!(callbacks.iter().all(|callback| statuses(callback) == [200; 3]), "{callbacks:?}");
        world.assert_captured_once(&transaction);
    }
}

#[tokio::test]
async fn a_delayed_callback_finds_the_work_done_by_the_return_or_does_it() {
    for returns in [true, false] {
        let world = World::new(Journal::in_memory()).await;
        world.sandbox.delay_callbacks(Duration::from_millis(150));
        let session = world.session(world.callback_url()).await;
        let transaction = world.sandbox.customer_pays(&session).expect("paid");
        if returns {
            world.customer_returns(&session).await;
            assert_eq!(world.captures(), 1);
        }
        world.sandbox.callbacks_delivered().await;
        world.assert_captured_once(&transaction);
    }
}

#[tokio::test]
async fn a_payment_on_hold_is_captured_when_it_is_authorized() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    // Held back so that its attempts do not run out before the decision.
    world.sandbox.hold_callbacks();
    let held = world.sandbox.customer_pays_with(&session, CustomerPayment::new().on_hold()).expect("paid");
    assert_eq!(world.customer_returns(&session).await, "Thank you. We are waiting for your payment.");
    assert_eq!(world.captures(), 0);
    world.sandbox.release_hold(&held, true).expect("decided");
    world.sandbox.release_callbacks(false).await;
    world.assert_captured_once(&held);
}

#[tokio::test]
async fn an_error_is_a_503_and_the_callback_comes_again() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    // The read fails more often than the client tries; the next delivery finds the work undone.
    world.sandbox.inject_times(Operation::GetTransaction, 3, Fault::status(500));
    world.sandbox.set_callback_retry_pause(Duration::from_millis(50));
    let transaction = world.sandbox.customer_pays(&session).expect("paid");
    world.sandbox.callbacks_delivered().await;
    let [callback] = world.sandbox.callbacks().try_into().expect("one callback");
    assert_eq!(statuses(&callback), [503, 200]);
    world.assert_captured_once(&transaction);
}

#[tokio::test]
async fn a_capture_whose_response_is_lost_is_not_made_again() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    world.sandbox.inject(Operation::CaptureTransaction, Fault::bad_gateway().after_executing());
    let transaction = world.sandbox.customer_pays(&session).expect("paid");
    world.sandbox.callbacks_delivered().await;
    world.assert_captured_once(&transaction);
    assert_eq!(world.sandbox.received(Operation::CaptureTransaction), 1);
}

#[tokio::test]
async fn what_is_not_signed_for_this_account_runs_no_handler() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    world.sandbox.hold_callbacks();
    world.sandbox.customer_pays(&session).expect("paid");
    let id = world.sandbox.return_url(&session).expect("a return URL");
    let id = id.query_pairs().find(|(name, _)| name == "transaction_id").expect("an id").1.into_owned();
    let url = Url::parse(&format!("{}/callback?transaction_id={id}", world.base_url)).expect("a URL");
    let forged = format!(
        "t={},v0-hmac-sha256={}",
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs(),
        "0".repeat(64)
    );
    // A mismatch may be our own wrong secret, so it is tried again; a header that says nothing is not.
    for method in ["GET", "POST"] {
        assert_eq!(request(method, &url, &[]).await, (503, String::new()));
        assert_eq!(request(method, &url, &[("dintero-signature", &forged)]).await.0, 503);
        assert_eq!(request(method, &url, &[("dintero-signature", "t=1")]).await.0, 400);
    }
    assert_eq!(world.captures(), 0);
}

#[tokio::test]
async fn a_secret_that_is_rotated_too_late_here_loses_no_callback() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    let secret = world.sandbox.signature_secret();
    world.sandbox.set_signature_secret(Some("the new one, not yet known to the shop"));
    world.sandbox.set_callback_retry_pause(Duration::from_millis(50));
    let transaction = world.sandbox.customer_pays(&session).expect("paid");
    // Settings are put right while the service keeps trying.
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(world.captures(), 0);
    world.sandbox.set_signature_secret(secret.as_deref());
    world.sandbox.callbacks_delivered().await;
    world.assert_captured_once(&transaction);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_with_one_database_capture_once_and_a_restart_forgets_nothing() {
    let file = File::new();
    let world = World::new(Journal::new(sqlite_store(&file).await)).await;
    // A second server of the same shop, with a connection of its own.
    let second = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let second_url = format!("http://{}", second.local_addr().expect("an address"));
    let (client, shop) = process(&world.sandbox, &world.base_url, Journal::new(sqlite_store(&file).await));
    let router = shop::router(shop);
    tokio::spawn(async move { axum::serve(second, router).await });

    let session = world.session(world.callback_url()).await;
    world.sandbox.duplicate_callbacks(5);
    let transaction = world.sandbox.customer_pays(&session).expect("paid");
    let mut back = world.sandbox.return_url(&session).expect("a return URL");
    let port = Url::parse(&second_url).expect("a URL").port();
    back.set_port(port).expect("a port");
    let tabs = (0..5).map(|_| request("GET", &back, &[]));
    let pages = futures_util::future::join_all(tabs).await;
    assert!(pages.iter().all(|(status, _)| *status == 200));
    world.sandbox.callbacks_delivered().await;
    world.assert_captured_once(&transaction);

    // Asked again under the same reference, it says what the first came to.
    let id: TransactionId = transaction.parse().expect("an id");
    let request = CaptureRequest::new(AMOUNT).capture_reference(format!("settle-{id}"));
    let again = client.transactions().capture(&id, request).once().await.expect("captured");
    assert_eq!((again.outcome(), world.sandbox.received(Operation::CaptureTransaction)), (Outcome::Completed, 1));
}

impl World {
    /// Recovers until the payment is captured, and proves that it is so once and that nothing is left open.
    async fn recover(&self, inbox: &Inbox, transaction: &str) {
        while self.captures() == 0 {
            assert_eq!(inbox.recover().await.expect("no error").unreadable, 0);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        while inbox.recover().await.expect("no error") != Recovered::default() {}
        assert_eq!((self.captures(), self.sandbox.sums(transaction)), (1, Some((AMOUNT, 0))));
    }
}

/// A shop that died while it handled a callback: what is left of its world, and the transaction.
fn died_handling(ours: &Runtime, file: &File, lease: Duration, pause: Duration) -> (World, String) {
    let doomed = Runtime::new().expect("a runtime");
    let left = ours.block_on(async {
        let journal = Journal::new(sqlite_store(file).await).lease(lease);
        let world = World::on(doomed.handle(), journal).await;
        world.sandbox.set_callback_retry_pause(pause);
        let session = world.session(world.callback_url()).await;
        // The handler waits for a transaction that does not come.
        world.sandbox.inject(Operation::GetTransaction, Fault::silence());
        let transaction = world.sandbox.customer_pays(&session).expect("paid");
        while world.sandbox.received(Operation::GetTransaction) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        (world, transaction)
    });
    doomed.shutdown_background();
    left
}

/// The service does not come again: only `recover` can know.
#[test]
fn a_callback_that_a_dead_process_held_is_handed_to_the_handler_again() {
    let (ours, file) = (Runtime::new().expect("a runtime"), File::new());
    let (world, transaction) = died_handling(&ours, &file, Duration::from_secs(1), Duration::from_millis(5));
    // Pools are dropped on a runtime.
    ours.block_on(async move {
        world.sandbox.callbacks_delivered().await;
        assert_eq!(world.captures(), 0);
        let (_, shop) = process(&world.sandbox, &world.base_url, Journal::new(sqlite_store(&file).await));
        world.recover(&shop.inbox(), &transaction).await;
    });
}

/// The service comes again while the dead process's lease lasts, and gives up before it is over.
#[test]
fn a_payment_is_captured_although_all_deliveries_met_a_dead_processs_lease() {
    let (ours, file) = (Runtime::new().expect("a runtime"), File::new());
    let (world, transaction) = died_handling(&ours, &file, Duration::from_secs(8), Duration::from_millis(150));
    ours.block_on(async move {
        let (_, shop) = process(&world.sandbox, &world.base_url, Journal::new(sqlite_store(&file).await));
        let address = world.base_url.trim_start_matches("http://");
        let listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let router = shop::router(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        world.sandbox.callbacks_delivered().await;
        let [callback] = world.sandbox.callbacks().try_into().expect("one callback");
        let statuses = statuses(&callback);
        assert!(statuses.contains(&503) && !statuses.contains(&200), "the service has given up: {statuses:?}");
        assert_eq!(world.captures(), 0);
        world.recover(&shop.inbox(), &transaction).await;
    });
}

/// Connections are dropped at random moments, by the service and by the customer: what was begun goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_whose_connection_is_dropped_go_on() {
    let world = World::new(Journal::in_memory()).await;
    let session = world.session(world.callback_url()).await;
    world.sandbox.hold_callbacks();
    world.sandbox.inject_always(Operation::CaptureTransaction, Fault::delay(Duration::from_millis(300)));
    let transaction = world.sandbox.customer_pays(&session).expect("paid");
    let url = world.sandbox.return_url(&session).expect("a return URL");
    // The customer leaves while the capture is under way.
    let tab = tokio::spawn(async move { request("GET", &url, &[]).await });
    while world.sandbox.received(Operation::CaptureTransaction) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tab.abort();
    while world.captures() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Its end was noted too: nobody has to wait for a lease.
    while world.customer_returns(&session).await != "Thank you, your order is paid." {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.sandbox.received(Operation::CaptureTransaction), 1);
    assert_eq!(world.sandbox.sums(&transaction), Some((AMOUNT, 0)));
}
