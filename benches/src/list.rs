//! A long list, row by row: how long a row takes, and that memory does not grow with the list.

use std::time::Instant;

use futures_util::TryStreamExt as _;
use tokio::process::Command;

use crate::server::{Idle, Service, base};
use crate::{Failure, Row, client};

/// Reads a list to its end and prints the microseconds of a row and the peak of memory in KB.
///
/// # Errors
/// When a row cannot be read, or rows are missing.
pub async fn alone(rows: usize, base: &str) -> Result<(), Failure> {
    let client = client(base)?.build()?;
    let began = Instant::now();
    let mut all = client.transactions().list().rows();
    let mut count = 0;
    while all.try_next().await?.is_some() {
        count += 1;
    }
    let each = crate::micros_each(began.elapsed(), rows);
    if count != rows {
        return Err(format!("{count} rows instead of {rows}").into());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    println!("{each} {}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}

async fn measured(rows: usize) -> Result<(f64, f64), Failure> {
    let base = base(Service::new(rows, Idle::default()).start()?);
    // In a process of its own: the peak is that of the client.
    let output = Command::new(std::env::current_exe()?).args(["list-alone", &rows.to_string(), &base]).output().await?;
    let text = String::from_utf8(output.stdout)?;
    let (each, peak) = text.trim().split_once(' ').ok_or("the list was not read to its end")?;
    Ok((each.parse()?, peak.parse()?))
}

/// Measures lists of 10,000 and of 100,000 rows.
///
/// # Errors
/// When a list is not read to its end.
pub async fn run() -> Result<(), Failure> {
    let (short, long) = (measured(10_000).await?, measured(100_000).await?);
    let row = |figure: String, unit, ours, other, against, goal| Row {
        figure,
        unit,
        ours,
        other: Some(other),
        against,
        ratio: Some(ours / other),
        goal,
    };
    let figure = format!("a row of a list of 100,000 ({:.0} a second)", 1e6 / long.0);
    row(figure, "us", long.0, short.0, "a list of 10,000", None).print();
    let figure = "peak memory of a list of 100,000".to_owned();
    row(figure, "MB", long.1 / 1024.0, short.1 / 1024.0, "a list of 10,000", Some(1.1)).print();
    Ok(())
}
