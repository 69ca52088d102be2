//! Connections that end at the worst moments, over TLS 1.2 and 1.3: reset while they are opened, ended while they wait, as
//! a request arrives, and when it was carried out.
//!
//! Proven for each capture: the service received it at most once, and what is said of it agrees with what the service
//! did. Printed: how many are unknown though nothing of them was carried out, with connections opened ahead and with a
//! connection opened for each call.

#[path = "../it/support/tls.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dintero::types::CaptureRequest;
use dintero::{AccountId, Client, ClientBuilder, Credentials, Outcome, RetryPolicy, TransactionId};
use dintero_sandbox::{Operation, Sandbox};
use fastrand::Rng;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// For each kind of connection, as many as keep the tests quick.
const CAPTURES: u64 = 60;
const WORKERS: u64 = 20;
/// The time between the calls of a worker, and the time that the front waits for a request, in milliseconds.
const PAUSE: Range<u64> = 5..25;

/// How often each capture arrived in front of the service.
type Arrived = Arc<Mutex<BTreeMap<String, usize>>>;

/// What stands in front of the service and ends connections.
#[derive(Clone)]
struct Front {
    service: SocketAddr,
    acceptor: TlsAcceptor,
    /// Whether it ends connections that wait.
    hurries: bool,
    arrived: Arrived,
}

impl Front {
    /// Takes a connection to an end; with a moment below 20 to an early one.
    async fn carry(self, mut stream: TcpStream, moment: u8, wait: Duration) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        if moment < 5 {
            return stream.set_zero_linger();
        }
        if moment < 10 {
            stream.read_u8().await?;
            return stream.set_zero_linger();
        }
        let mut secured = self.acceptor.accept(stream).await?;
        let mut request = Vec::new();
        let arrives = async {
            loop {
                if secured.read_buf(&mut request).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                if let Some(reference) = reference(&request) {
                    return Ok::<_, std::io::Error>(reference);
                }
            }
        };
        let reference = match self.hurries {
            true => tokio::time::timeout(wait, arrives).await??,
            false => arrives.await?,
        };
        *self.arrived.lock().unwrap().entry(reference).or_default() += 1;
        if moment < 15 {
            return secured.get_ref().0.set_zero_linger();
        }
        let mut behind = TcpStream::connect(self.service).await?;
        behind.write_all(&request).await?;
        if moment < 20 {
            behind.read_u8().await?;
            return secured.get_ref().0.set_zero_linger();
        }
        copy_bidirectional(&mut secured, &mut behind).await.map(drop)
    }
}

/// The reference of a request that is there as far as it.
fn reference(request: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let (_, rest) = text.split_once("\"capture_reference\":\"")?;
    rest.split_once('"').map(|(reference, _)| reference.to_owned())
}

/// What was said of the captures, and how many are unknown though none of them was carried out.
#[derive(Debug, Default)]
struct Tally {
    said: BTreeMap<String, usize>,
    unknown_for_nothing: usize,
}

/// So many captures through a front, each with a client of its own unless connections are opened ahead.
async fn run(version: &'static SupportedProtocolVersion, hurries: bool, ahead: bool, captures: u64) -> Tally {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let seeded = sandbox.seed_transactions(usize::try_from(captures + WORKERS).unwrap());
    let (acceptor, pem) = tls::acceptor(&[version]);
    let service = sandbox.base_url().trim_start_matches("http://").trim_end_matches("/v1").parse().unwrap();
    let front = Front { service, acceptor, hurries, arrived: Arrived::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let seed = super::setting("DINTERO_FAULTS_SEED", super::SEED);
    let carried = front.clone();
    let accepting = tokio::spawn(async move {
        let mut rng = Rng::with_seed(seed);
        while let Ok((stream, _)) = listener.accept().await {
            let (moment, wait) = (rng.u8(..100), Duration::from_millis(rng.u64(PAUSE)));
            tokio::spawn(carried.clone().carry(stream, moment, wait));
        }
    });

    let credentials =
        Credentials::new(AccountId::new(sandbox.account_id()).unwrap(), sandbox.client_id(), sandbox.client_secret());
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    let builder =
        Client::builder(credentials).base_url(base).auth_url(sandbox.auth_url()).root_certificates(pem).retry(retry);
    let shared = builder.clone().build().unwrap();
    shared.check_credentials().await.unwrap();
    let mut workers = JoinSet::new();
    let others = Arc::new(Barrier::new(WORKERS as usize));
    for worker in 0..WORKERS {
        let numbers = (0..captures.div_ceil(WORKERS)).map(|number| number * WORKERS + worker).collect();
        workers.spawn(make(numbers, builder.clone(), ahead, seeded.clone(), others.clone()));
    }
    let outcomes = workers.join_all().await.into_iter().flatten();
    // What is on its way arrives or ends: without their clients, connections end, and with them what carries them.
    drop((builder, shared));
    accepting.abort();
    while Arc::strong_count(&front.arrived) > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let mut tally = Tally::default();
    for (reference, id, outcome) in outcomes {
        let arrived = front.arrived.lock().unwrap().get(&reference).copied().unwrap_or(0);
        let executed = sandbox.executions_of(&reference).len();
        let what = format!("{reference} of {id}: {outcome}, arrived {arrived}, executed {executed}");
        assert!(arrived <= 1 && executed <= 1, "{what}");
        match outcome {
            Outcome::NotSent => assert_eq!(arrived, 0, "{what}"),
            Outcome::Completed => assert_eq!(executed, 1, "{what}"),
            _ => assert_eq!(outcome, Outcome::Unknown, "{what}"),
        }
        *tally.said.entry(outcome.to_string()).or_default() += 1;
        tally.unknown_for_nothing += usize::from(outcome == Outcome::Unknown && arrived == 0);
    }
    assert_eq!(sandbox.executed(Operation::CaptureTransaction), sandbox.received(Operation::CaptureTransaction));
    tally
}

/// Captures one after another; gives the reference and the outcome of each.
async fn make(
    numbers: Vec<u64>,
    builder: ClientBuilder,
    ahead: bool,
    seeded: String,
    others: Arc<Barrier>,
) -> Vec<(String, TransactionId, Outcome)> {
    let kept = builder.clone().build().unwrap();
    let mut outcomes = Vec::new();
    for numbers in numbers.chunks(25) {
        // A client that makes one call opens one connection. All are built before, since that keeps the processor from
        // the calls of others.
        let client = |_: &u64| if ahead { kept.clone() } else { builder.clone().build().unwrap() };
        let clients: Vec<_> = numbers.iter().map(client).collect();
        others.wait().await;
        for (number, client) in numbers.iter().zip(clients) {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE))).await;
            let id = TransactionId::new(format!("{seeded}{number:09}")).unwrap();
            let reference = format!("capture-{number}");
            let request = CaptureRequest::new(100).capture_reference(reference.clone());
            let outcome = match client.transactions().capture(&id, request).await {
                Ok(verdict) => verdict.outcome(),
                Err(error) => error.outcome(),
            };
            outcomes.push((reference, id, outcome));
        }
        others.wait().await;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice_when_connections_end_at_the_worst_moments() {
    let captures = super::setting("DINTERO_FAULTS", CAPTURES);
    for version in [&TLS12, &TLS13] {
        for hurries in [false, true] {
            for ahead in [true, false] {
                let tally = run(version, hurries, ahead, captures).await;
                println!("{:?}, hurries {hurries}, ahead {ahead}: {tally:?}", version.version);
                assert!(tally.said.len() >= 2, "{tally:?}");
            }
        }
    }
}
