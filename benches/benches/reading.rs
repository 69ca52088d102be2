//! Reading, with its spread. The table is made by `cargo xtask bench`.

use dintero::types::Transaction;
use dintero_bench::response;
use divan::{Bencher, black_box};
use serde_json::Value;

fn main() {
    divan::main();
}

#[divan::bench]
fn transaction(bencher: Bencher<'_, '_>) {
    let json = response::transaction();
    bencher.bench(|| dintero::read::from_slice::<Transaction>(black_box(json.as_bytes())).is_ok());
}

#[divan::bench]
fn transaction_as_value(bencher: Bencher<'_, '_>) {
    let json = response::transaction();
    bencher.bench(|| serde_json::from_slice::<Value>(black_box(json.as_bytes())).is_ok());
}

#[divan::bench]
fn transaction_without_checks(bencher: Bencher<'_, '_>) {
    let json = response::transaction();
    bencher.bench(|| serde_json::from_slice::<Transaction>(black_box(json.as_bytes())).is_ok());
}

#[divan::bench]
fn page(bencher: Bencher<'_, '_>) {
    let json = response::page(100, None);
    bencher.bench(|| dintero::read::list_from_slice::<Transaction>(black_box(json.as_bytes())).is_ok());
}

#[divan::bench]
fn page_as_value(bencher: Bencher<'_, '_>) {
    let json = response::page(100, None);
    bencher.bench(|| serde_json::from_slice::<Value>(black_box(json.as_bytes())).is_ok());
}
