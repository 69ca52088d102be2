//! Measures what it is asked for, and prints a line of JSON for each row.

use std::process::ExitCode;

use dintero_bench::calls::{self, Call};
use dintero_bench::server::{Idle, Service, base};
use dintero_bench::{Failure, list, reading, tls, token, unknown};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["reading"] => return reading::run(),
        ["token"] => return token::run(),
        ["client", who, call, count, at_once, base] => {
            // One thread: the instructions are the same in each run.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let call = if *call == "get" { Call::Get } else { Call::Capture };
            let calls = calls::client_alone(*who == "ours", call, count.parse()?, at_once.parse()?, base);
            println!("{}", runtime.block_on(calls)?);
            return Ok(());
        }
        ["server"] => {
            println!("{}", base(Service::new(0, Idle::default()).start()?));
            // Until whoever started it goes.
            std::io::read_to_string(std::io::stdin())?;
            return Ok(());
        }
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let quick = arguments.contains(&"--quick");
    runtime.block_on(async {
        match arguments.first().copied() {
            Some("calls") => calls::run(quick).await,
            Some("curve") => calls::curve(quick).await,
            Some("tls") => tls::run(quick).await,
            Some("unknown") => unknown::run(quick).await,
            Some("list") => list::run().await,
            Some("list-alone") if arguments.len() == 3 => list::alone(arguments[1].parse()?, arguments[2]).await,
            _ => Err("reading, token, calls, curve, tls, unknown or list is expected: see `cargo xtask bench`".into()),
        }
    })
}
