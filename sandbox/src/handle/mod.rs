//! The Rust handle: starts a sandbox on a thread of its own and plays the customer, the network and the clock.
//! Everything it does is done by functions of the layers below.

mod builder;
mod callbacks;
mod controls;
mod customer;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use tokio::sync::{oneshot, watch};

#[cfg(feature = "program")]
use crate::state::sqlite::File;
use crate::state::{Config, State, is_account};
use crate::wire::server::{Shared, handle};
use crate::wire::sockets::{Gate, Lines, OnLine, listen};

pub use self::builder::SandboxBuilder;
pub use self::controls::ResetError;

/// How long responses under way may take when the sandbox is dropped.
const GRACE: Duration = Duration::from_secs(2);

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The account id is not `T` or `P` and eight digits.
    #[error("{0:?} is no account id: T or P and eight digits are expected")]
    AccountId(String),
    /// The address is taken, or not of this machine.
    #[error("cannot serve on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state file cannot be read or written, is of another account, or is open elsewhere.
    #[error("the state file cannot be used: {0}")]
    StateFile(String),
    /// No socket, no thread or no runtime.
    #[error("the sandbox could not be started")]
    Io(#[from] std::io::Error),
}

impl SandboxBuilder {
    /// Starts to serve, on a free port of the loopback interface unless told otherwise.
    ///
    /// The sandbox runs on a thread and a runtime of its own, so that a test may stop or
    /// advance the time of its runtime.
    ///
    /// # Errors
    ///
    /// When the account id is malformed, or there is no socket, thread or runtime available.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        if !is_account(&self.account_id) {
            return Err(StartError::AccountId(self.account_id));
        }
        let (stop, stopping) = watch::channel(false);
        let (wanted, wanted_seen) = watch::channel(true);
        let (open, open_seen) = watch::channel(false);
        let (ready, started) = oneshot::channel();
        let (end, ended) = watch::channel(());
        std::thread::Builder::new().name("dintero-sandbox".into()).spawn(move || {
            let served = Served { builder: self, stopping, wanted: wanted_seen, open, lines: Lines::default() };
            served.run(ready);
            drop(end);
        })?;
        let shared =
            started.await.map_err(|_| StartError::Io(std::io::Error::other("the sandbox's thread ended early")))??;
        Ok(Sandbox { shared, wanted, open: open_seen, stop, ended })
    }
}

/// What the thread of a sandbox starts from.
struct Served {
    builder: SandboxBuilder,
    stopping: watch::Receiver<bool>,
    wanted: watch::Receiver<bool>,
    open: watch::Sender<bool>,
    lines: Lines,
}

impl Served {
    fn run(self, ready: oneshot::Sender<Result<Arc<Shared>, StartError>>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(error.into()));
                return;
            }
        };
        runtime.block_on(self.serve(ready));
    }

    async fn serve(self, ready: oneshot::Sender<Result<Arc<Shared>, StartError>>) {
        let bound = || {
            let address = self.builder.address;
            let listener = listen(address).map_err(|source| StartError::Bind { address, source })?;
            let address = listener.local_addr()?;
            Ok::<_, StartError>((listener, address))
        };
        let (listener, address) = match bound() {
            Ok(bound) => bound,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let base = self.builder.public_url.unwrap_or_else(|| format!("http://{}", reachable(address)));
        let config = Config {
            audience: self.builder.audience,
            account_id: self.builder.account_id,
            client_id: self.builder.client_id,
            client_secret: self.builder.client_secret,
            rules: self.builder.rules,
            base_url: format!("{}/v1", base.trim_end_matches('/')),
        };
        let mut state =
            State::new(config, self.builder.token_lifetime, self.builder.seed.unwrap_or_else(|| fastrand::u64(..)));
        state.log.checks_responses = self.builder.checks_responses;
        state.log.limit = self.builder.requests_kept;
        if let Some(pause) = self.builder.retry_pause {
            state.delivery.retry_pause = pause;
        }
        #[cfg(feature = "program")]
        if let Some(path) = &self.builder.state_file {
            match File::open(path, &state.config.account_id) {
                Ok((file, kept)) => {
                    state.restore(kept);
                    state.keeper = Some(Box::new(file));
                }
                Err(error) => {
                    let _ = ready.send(Err(StartError::StateFile(error)));
                    return;
                }
            }
        }
        let shared = Arc::new(Shared::new(
            state,
            self.stopping.clone(),
            tokio::runtime::Handle::current(),
            self.builder.allowed,
            self.lines.clone(),
        ));
        shared.resume_callbacks();
        let looks = Arc::clone(&shared);
        let gate = Gate {
            address,
            listener: Some(listener),
            wanted: self.wanted,
            open: self.open,
            lines: self.lines,
            resets_unread: Arc::new(move |line| looks.resets_unread(line)),
        };
        let server_state = Arc::clone(&shared);
        let router = Router::new().fallback(move |connection: ConnectInfo<OnLine>, request: Request| {
            handle(Arc::clone(&server_state), connection, request)
        });
        let stopped = |mut stopping: watch::Receiver<bool>| async move {
            // An error means that the handle is gone, which is the same.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        let server = axum::serve(gate, router.into_make_service_with_connect_info::<OnLine>())
            .with_graceful_shutdown(stopped(self.stopping.clone()));
        if ready.send(Ok(shared)).is_err() {
            return;
        }
        tokio::select! {
            _ = server => {}
            () = async {
                stopped(self.stopping).await;
                tokio::time::sleep(GRACE).await;
            } => {}
        }
    }
}

/// The address by which this machine reaches one that is served on: `0.0.0.0` is not to be called.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())) } else { address }
}

/// A running sandbox; it stops when this is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    wanted: watch::Sender<bool>,
    open: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    /// Closes when the thread has ended.
    ended: watch::Receiver<()>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.base_url())
            .field("account_id", &self.account_id())
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts a sandbox with the default settings.
    ///
    /// # Errors
    ///
    /// When there is no socket, thread or runtime available.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns a builder for a sandbox with other settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Ends the sandbox: new connections are refused, responses under way may take two more seconds.
    pub async fn stop(self) {
        let mut ended = self.ended.clone();
        drop(self);
        // An error means that the thread is gone, which is what is waited for.
        while ended.changed().await.is_ok() {}
    }

    /// Returns the base URL of the calls: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.state().config.base_url.clone()
    }

    /// Returns the base URL of the token call, without `/accounts/...`: the same as the [`base_url`](Self::base_url).
    #[must_use]
    pub fn auth_url(&self) -> String {
        self.base_url()
    }

    /// Returns the account of all ids here.
    #[must_use]
    pub fn account_id(&self) -> String {
        self.shared.state().config.account_id.clone()
    }

    /// Returns the client id that the token call takes.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.shared.state().config.client_id.clone()
    }

    /// Returns the client secret that the token call takes. It opens nothing but this sandbox.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.shared.state().config.client_secret.clone()
    }
}
