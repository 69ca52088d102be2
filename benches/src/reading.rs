//! Reading a response: against `serde_json::Value`, which takes anything, and against the same types read by
//! `serde_json` alone, which stops at the first field that is not as expected.

use std::hint::black_box;

use dintero::types::Transaction;
use serde_json::Value;

use crate::{Failure, Row, response, rounds};

/// Measures it.
///
/// # Errors
/// When a response cannot be read, or not without leaving something out.
pub fn run() -> Result<(), Failure> {
    let (one, page) = (response::transaction(), response::page(100, None));
    let (one, page) = (one.as_bytes(), page.as_bytes());
    let read = dintero::read::from_slice::<Transaction>(one).map_err(|error| format!("{error:?}"))?;
    let rows = dintero::read::list_from_slice::<Transaction>(page).map_err(|error| format!("{error:?}"))?;
    if !read.skipped_fields.is_empty() || rows.rows.len() != 100 {
        return Err(format!("not read as a whole: {:?}, {} rows", read.skipped_fields, rows.rows.len()).into());
    }
    let checked_one = || _ = black_box(dintero::read::from_slice::<Transaction>(black_box(one)).is_ok());
    let checked_page = || _ = black_box(dintero::read::list_from_slice::<Transaction>(black_box(page)).is_ok());
    let unchecked_one = || _ = black_box(serde_json::from_slice::<Transaction>(black_box(one)).is_ok());
    let unchecked_page = || _ = black_box(serde_json::from_slice::<Vec<Transaction>>(black_box(page)).is_ok());
    let value = |json| move || _ = black_box(serde_json::from_slice::<Value>(black_box(json)).is_ok());
    let sized = |what: &str, json: &[u8]| format!("read {what} ({} KB)", json.len() / 1024);
    let (transaction, list) = (sized("a transaction", one), sized("a page of 100", page));
    Row::of(&transaction, "us", "`serde_json::Value`", &rounds(60, 100, checked_one, value(one))).goal(1.0).print();
    Row::of(&transaction, "us", "`serde_json` alone", &rounds(60, 100, checked_one, unchecked_one)).print();
    Row::of(&list, "us", "`serde_json::Value`", &rounds(30, 10, checked_page, value(page))).goal(1.0).print();
    Row::of(&list, "us", "`serde_json` alone", &rounds(30, 10, checked_page, unchecked_page)).print();
    Ok(())
}
