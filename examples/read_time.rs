//! How long it takes to read a full transaction, against plain serde: `cargo run --release --example read_time`.
//!
//! The transaction holds every field that the document knows. A good one has to cost what plain
//! serde costs; one with a field of another type is read again as a tree, without that field.

use std::hint::black_box;
use std::time::{Duration, Instant};

use dintero::read::{from_slice, from_value};
use dintero::types::Transaction;
use serde_json::{Value, json};

const ROUNDS: u32 = 300;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document: Value = serde_json::from_str(include_str!("../spec/dintero.json"))?;
    let schema = json!({ "$ref": "#/components/schemas/Transaction" });
    // Written back once, so that nothing is in it that reading has to set aside.
    let full = xtask::instances::full(&document, &schema, 1)?;
    let good = serde_json::to_value(from_value::<Transaction>(full)?.value)?;
    let mut bad = good.clone();
    bad["customer_ip"] = json!(["127.0.0.1"]);
    let (good, bad) = (good.to_string(), bad.to_string());

    // In turn, so that a busy machine slows all of them alike; the best round counts.
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let rounds = [
            time(|| serde_json::from_slice::<Transaction>(good.as_bytes()).is_ok()),
            time(|| from_slice::<Transaction>(good.as_bytes()).is_ok_and(|read| read.set_aside.is_empty())),
            time(|| from_slice::<Transaction>(bad.as_bytes()).is_ok_and(|read| read.set_aside.len() == 1)),
        ];
        best.iter_mut().zip(rounds).for_each(|(best, round)| *best = round.min(*best));
    }
    let [plain, lenient, repaired] = best.map(|best| best.as_secs_f64() * 1e6);
    println!("a transaction of {} bytes, best of {ROUNDS} rounds", good.len());
    println!("  plain serde_json       {plain:8.0} µs");
    println!("  read, all as known     {lenient:8.0} µs  ({:.2} times plain)", lenient / plain);
    println!("  read, one field wrong  {repaired:8.0} µs  ({:.2} times plain)", repaired / plain);
    Ok(())
}

fn time(read: impl Fn() -> bool) -> Duration {
    let started = Instant::now();
    let expected = black_box(read());
    let elapsed = started.elapsed();
    assert!(expected, "the reading came out otherwise than expected");
    elapsed
}
