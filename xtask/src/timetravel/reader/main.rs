//! Clients of all revisions in one program, reading responses: `cargo xtask timetravel` puts it together with a library
//! for each revision, and runs it.
//!
//! On stdin, two lines for each response: what it is ([`Header`]), and its JSON. On stdout, in the end, what came of
//! them for each pair of a client and a revision. A response is read as the crate does it, written back, and compared
//! value by value with what came: only what the client does not know, and what was skipped, may be missing.

mod clients;
mod compare;
#[allow(dead_code)]
mod model;

use std::collections::BTreeMap;
use std::io::BufRead as _;

use compare::{Client, Outcome};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Header {
    /// The revision that the response is of.
    later: String,
    /// The clients that are to read it, each with its name for the operation.
    clients: BTreeMap<String, String>,
    enums: Vec<String>,
    /// Whether it is put together of documented examples.
    documented: bool,
}

fn main() {
    let clients: BTreeMap<&str, Client> = clients::all().into_iter().map(|client| (client.name, client)).collect();
    let mut lines = std::io::stdin().lock().lines();
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    while let (Some(header), Some(body)) = (lines.next(), lines.next()) {
        let header: Header = serde_json::from_str(&header.expect("stdin can be read")).expect("a header");
        let body = body.expect("stdin can be read");
        let response: Value = serde_json::from_str(&body).expect("a response is JSON");
        for (name, operation) in &header.clients {
            let client = &clients[name.as_str()];
            let outcome = outcomes.entry(format!("{name} {}", header.later)).or_default();
            let read = (client.read)(operation, &body);
            outcome.take(client, operation, &response, read, &header.enums, header.documented);
        }
    }
    println!("{}", serde_json::to_string(&outcomes).expect("the outcomes can be written"));
}
