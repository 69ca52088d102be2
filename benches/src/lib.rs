//! What the client costs, each figure beside that of the same work without it, in one process and in turn.
//!
//! `cargo xtask bench` runs the program of this package, counts its instructions, and makes the table. The program prints a
//! line of JSON for each [`Row`].

pub mod bare;
pub mod calls;
pub mod list;
pub mod reading;
pub mod response;
pub mod server;
pub mod tls;
pub mod token;
pub mod unknown;

use std::time::{Duration, Instant};

use dintero::{Client, ClientBuilder, Credentials};
use serde::Serialize;

/// Any failure of a measurement.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A figure, and what it is held against. Less is better.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub figure: String,
    /// Of `ours` and `other`.
    pub unit: &'static str,
    /// With this crate.
    pub ours: f64,
    /// Without it.
    pub other: Option<f64>,
    /// What `other` is.
    pub against: &'static str,
    /// Ours by the other, the median of all rounds.
    pub ratio: Option<f64>,
    /// The most that the ratio may be; without one, the most that `ours` may be.
    pub goal: Option<f64>,
}

impl Row {
    /// A row of rounds in which the one followed the other.
    #[must_use]
    pub fn of(figure: impl Into<String>, unit: &'static str, against: &'static str, rounds: &[(f64, f64)]) -> Self {
        Self {
            figure: figure.into(),
            unit,
            ours: median(rounds.iter().map(|(ours, _)| *ours)),
            other: Some(median(rounds.iter().map(|(_, other)| *other))),
            against,
            ratio: Some(median(rounds.iter().map(|(ours, other)| ours / other))),
            goal: None,
        }
    }

    /// Sets the goal.
    #[must_use]
    pub fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// Prints it for `cargo xtask bench`.
    pub fn print(&self) {
        println!("{}", serde_json::to_string(self).unwrap_or_default());
    }
}

/// The middle one.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Microseconds of each of `count`.
#[must_use]
pub fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// Rounds of two pieces of work in turn, in microseconds of each of `count`. The first round warms up and is left out.
pub fn rounds(rounds: usize, count: usize, mut ours: impl FnMut(), mut other: impl FnMut()) -> Vec<(f64, f64)> {
    let timed = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..count).for_each(|_| work());
        micros_each(began.elapsed(), count)
    };
    (0..=rounds).map(|_| (timed(&mut ours), timed(&mut other))).skip(1).collect()
}

/// Begins a client of a server.
///
/// # Errors
/// Never: the account is well-formed.
pub fn client(base: &str) -> Result<ClientBuilder, Failure> {
    let credentials = Credentials::new(response::ACCOUNT.parse()?, "client", "secret");
    Ok(Client::builder(credentials).base_url(base).auth_url(base))
}
