//! The program: starts a sandbox, says how to reach it, and ends gracefully.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use dintero_sandbox::{Sandbox, StartError};

/// How many requests the dashboard shows.
const REQUESTS: usize = 1000;

/// Dintero Checkout on your machine: sessions, payments, callbacks and faults, for any language.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 4080)]
    port: u16,
    /// The address to serve on. Whoever can reach it can do everything that the sandbox does.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// The address under which others reach the sandbox, such as http://dintero.test:4080.
    #[arg(long)]
    public_url: Option<String>,
    /// Lets callbacks go to this host, beside this machine; may be given several times.
    #[arg(long, value_name = "HOST")]
    callback_allow: Vec<String>,
    /// Pause between attempts at a callback that got a 5xx response or none, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    callback_pause: u64,
    /// With the same seed, the same requests get the same ids and meet the same faults.
    #[arg(long)]
    seed: Option<u64>,
    /// Keeps the state in this SQLite file: it survives the end of the program at any moment.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The account: T (or P) and eight digits.
    #[arg(long, default_value = "T12345678")]
    account: String,
}

impl Options {
    async fn start(self) -> Result<Sandbox, StartError> {
        let mut builder = Sandbox::builder()
            .account_id(self.account)
            .bind(SocketAddr::new(self.bind, self.port))
            .keep_requests(REQUESTS)
            .callback_retry_pause(Duration::from_secs(self.callback_pause));
        if let Some(url) = self.public_url {
            builder = builder.public_url(url);
        }
        for host in self.callback_allow {
            builder = builder.allow_callbacks_to(host);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(path) = self.state {
            builder = builder.state_file(path);
        }
        builder.start().await
    }
}

fn introduce(sandbox: &Sandbox) {
    let (base, account) = (sandbox.base_url(), sandbox.account_id());
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let root = base.trim_end_matches("/v1");
    let told = writeln!(
        std::io::stdout(),
        "Dintero sandbox\n\
         \n  account       {account}\
         \n  client id     {id}\
         \n  client secret {secret}\
         \n  signatures    {}\
         \n\n  calls         {base}\
         \n  or            {base}/accounts/{account}/payments\
         \n  tokens        {base}/accounts/{account}/auth/token\
         \n  dashboard     {root}/\
         \n  control       {root}/_sandbox/openapi.json\
         \n\nA first token:\n\
         \n  curl -u {id}:{secret} -H 'content-type: application/json' \\\
         \n    -d '{{\"grant_type\":\"client_credentials\",\"audience\":\"{base}/accounts/{account}\"}}' \\\
         \n    {base}/accounts/{account}/auth/token\n",
        sandbox.signature_secret().unwrap_or_default(),
    );
    // Nobody may be reading, which is no reason to end.
    let _ = told;
}

/// Begins to listen for what asks the program to end, and gives what waits for it.
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let sandbox = match Options::parse().start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("error: {error}{cause}");
            return ExitCode::FAILURE;
        }
    };
    // Before anybody knows of the program: a signal that nobody listens for ends it at once.
    let end = asked_to_end();
    introduce(&sandbox);
    match end {
        Ok(end) => end.await,
        Err(error) => eprintln!("error: signals cannot be waited for: {error}"),
    }
    sandbox.stop().await;
    ExitCode::SUCCESS
}
