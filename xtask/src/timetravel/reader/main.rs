//! Clients of all revisions in one program, reading responses: `cargo xtask timetravel` puts it together with a library
//! for each revision, and runs it.
//!
//! On stdin, for each response, a line of what it is ([`Header`]), its JSON, and where the header says so, a copy in which
//! one value is another. On stdout, in the end, what came of them for each pair of a client and a revision. A response
//! is read as the crate does it, written back, and compared value by value with what came: only what the client does not
//! know, and what was skipped, may be missing. Of a damaged copy, only the damaged place and what cannot do without it.

mod client;
mod clients;
mod compare;
#[allow(dead_code)]
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;

use client::Client;
use compare::Outcome;
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
    /// The place of the value that is another in the copy that follows, as a JSON Pointer.
    damaged: Option<String>,
}

fn main() {
    let clients: BTreeMap<&str, Client> = clients::all().into_iter().map(|client| (client.name, client)).collect();
    let mut lines = std::io::stdin().lock().lines();
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    while let (Some(header), Some(body)) = (lines.next(), lines.next()) {
        let header: Header = serde_json::from_str(&header.expect("stdin can be read")).expect("a header");
        let body = body.expect("stdin can be read");
        let response: Value = serde_json::from_str(&body).expect("a response is JSON");
        let damaged = header.damaged.as_ref().map(|place| {
            let body = lines.next().expect("a damaged copy").expect("stdin can be read");
            let response: Value = serde_json::from_str(&body).expect("a damaged copy is JSON");
            (place, body, response)
        });
        for (name, operation) in &header.clients {
            let client = &clients[name.as_str()];
            let outcome = outcomes.entry(format!("{name} {}", header.later)).or_default();
            let read = (client.read)(operation, &body);
            let skipped: BTreeSet<String> =
                read.iter().flat_map(|(_, skipped)| skipped.iter().map(|(path, ..)| path.clone())).collect();
            outcome.take(client, operation, &response, read, &header.enums, header.documented);
            if let Some((place, body, response)) = &damaged {
                let read = (client.read)(operation, body);
                outcome.take_damaged(client, operation, response, read, place, &skipped);
            }
        }
    }
    println!("{}", serde_json::to_string(&outcomes).expect("the outcomes can be written"));
}
