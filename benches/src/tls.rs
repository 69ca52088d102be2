//! Captures over TLS 1.3 with round trips of 20 ms: what a connection of its own costs each of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;

use crate::bare::Bare;
use crate::calls::{Call, Caller};
use crate::server::{Idle, Service, on_thread};
use crate::{Failure, Row};

/// Half a round trip.
const ONE_WAY: Duration = Duration::from_millis(10);

/// Starts a server that speaks TLS 1.3 as `localhost`; gives its address and its certificate.
///
/// # Errors
/// When there is no socket, thread or runtime.
pub fn secured(service: Arc<Service>) -> Result<(SocketAddr, String), Failure> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = on_thread(move |stream| {
        let (service, acceptor) = (service.clone(), acceptor.clone());
        async move {
            if let Ok(secured) = acceptor.accept(stream).await {
                service.serve(secured).await;
            }
        }
    })?;
    Ok((address, made.cert.pem()))
}

/// Starts a proxy that holds each byte for half a round trip, and the first of a connection for a whole one more: that is
/// what the connection itself takes to come about, which on loopback is nothing.
///
/// # Errors
/// When there is no socket, thread or runtime.
pub fn delayed(to: SocketAddr) -> Result<SocketAddr, Failure> {
    on_thread(move |near| async move {
        let Ok(far) = TcpStream::connect(to).await else { return };
        let _ = far.set_nodelay(true);
        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
        tokio::join!(pass(near_read, far_write, ONE_WAY * 2), pass(far_read, near_write, Duration::ZERO));
    })
}

/// Passes bytes on, each half a round trip after it came, and the first later than that.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, first: Duration) {
    let (sender, mut held) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reads = async move {
        let mut late = first;
        loop {
            let mut bytes = Vec::with_capacity(32 * 1024);
            match from.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
            let due = Instant::now() + ONE_WAY + std::mem::take(&mut late);
            if sender.send((due, bytes)).is_err() {
                return;
            }
        }
    };
    let writes = async move {
        let mut last = Instant::now();
        while let Some((due, bytes)) = held.recv().await {
            last = last.max(due);
            sleep_until(last).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reads, writes);
}

/// Measures captures one after another, and 10,000 with 20 at a time.
///
/// # Errors
/// When a call fails.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let (address, pem) = secured(Service::new(0, Idle::default()))?;
    let base = format!("https://localhost:{}/v1", delayed(address)?.port());
    let ours = Caller::ours(&base, Some(&pem))?;
    let pooled = Caller::Bare(Bare::new(&base, true, Some(&pem))?);
    let fresh = Caller::Bare(Bare::new(&base, false, Some(&pem))?);
    let (rounds, each, many) = if quick { (1, 30, 400) } else { (4, 100, 2_000) };

    let mut all = Vec::new();
    for caller in [&ours, &pooled, &fresh] {
        // Fetches the token, and opens what is kept.
        caller.make_all(Call::Capture, 5, 1).await?;
    }
    for _ in 0..rounds {
        let mut times = Vec::new();
        for caller in [&ours, &pooled, &fresh] {
            times.push(caller.make_all(Call::Capture, each, 1).await? * 1e3 / each as f64);
        }
        all.push(times);
    }
    print("`capture`, TLS 1.3, 20 ms round trips, one after another".to_owned(), "ms", &all);

    let mut all = Vec::new();
    let rounds = if quick { 1 } else { 5 };
    for _ in 0..rounds {
        let mut times = Vec::new();
        for caller in [&ours, &pooled, &fresh] {
            times.push(caller.make_all(Call::Capture, many, 20).await?);
        }
        all.push(times.iter().map(|seconds| seconds * 10_000.0 / many as f64).collect());
    }
    print(format!("10,000 such captures, 20 at a time (from {rounds} rounds of {many})"), "s", &all);
    Ok(())
}

/// Rows against kept connections and against fresh ones, from times of ours, kept and fresh.
fn print(figure: String, unit: &'static str, all: &[Vec<f64>]) {
    let against = |other: usize| all.iter().map(|times| (times[0], times[other])).collect::<Vec<_>>();
    Row::of(figure.clone(), unit, "reqwest, kept connections", &against(1)).goal(1.15).print();
    Row::of(figure, unit, "reqwest, fresh connections", &against(2)).print();
}
