//! `cargo xtask timetravel`: clients made of older revisions read what their own and every later revision may respond.
//!
//! It is the proof that a client built today goes on reading: the revisions in `spec/history/` stand for what upstream
//! does to its interface. Every response has to be read, and no value may come out altered; of a copy with one value that
//! does not fit, nothing may be lost but that value and what cannot do without it. What a client skips,
//! does not know, or does not read though its own revision documents it, is a list that is reviewed: see [`review`].
//!
//! `workspace` builds the clients, all in one program; what is in `reader/` runs there. `whole` checks the rest of the
//! crate with what is generated of each revision.

mod review;
pub mod whole;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};

pub use review::{review, table};

use crate::bindings::model::{Call, Surface};
use crate::instances::{self, Documented, Instance, Wish};
use crate::overlay::Stale;
use crate::regen::Spec;
use crate::{bindings, schema, slice};
use workspace::Workspace;

/// As many programs read at a time as a small machine has cores.
const PROGRAMS: usize = 2;

/// So many responses wait to be read: more would take memory and no time away.
const WAITING: usize = 16;

/// A revision and the slice of it.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its day, which is its name.
    pub date: String,
    /// Its slice, as upstream published it.
    pub slice: Value,
}

/// What is generated of a revision.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name, which may stand in the name of a crate.
    pub name: String,
    /// The day of the revision.
    pub date: String,
    /// The generated files, by their names.
    pub files: Vec<(String, String)>,
    surface: Surface,
    /// The revision as upstream documents it, with the operations that the overlay adds.
    pub document: Value,
}

/// What a client made of the responses of a revision.
#[derive(Debug)]
pub struct Pair {
    /// The client.
    pub older: String,
    /// The revision that the responses are valid under.
    pub later: String,
    /// What came of them.
    pub outcome: Outcome,
    /// By type and field, what the client does not read although its own revision documents it.
    pub lost: BTreeSet<String>,
}

/// What the program of the clients reports; see `reader/compare.rs`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// How many responses were generated from the schemas.
    pub generated: usize,
    /// How many were put together of documented examples.
    pub documented: usize,
    /// Responses that were read.
    pub read: usize,
    /// Why the others were not, and how often.
    pub failed: BTreeMap<String, usize>,
    /// By type and field, with what came there and what was expected, how often something was skipped.
    pub skipped_fields: BTreeMap<String, usize>,
    /// The same of documented examples, which need not fit their own schemas.
    pub examples_skipped: BTreeMap<String, usize>,
    /// Texts of enums that came back as they were.
    pub enums_kept: usize,
    /// Texts of enums in fields that the client does not know, or that were skipped.
    pub enums_beyond: usize,
    /// Texts of enums that came back otherwise.
    pub enums_altered: Vec<String>,
    /// All values that came back as they were.
    pub values_kept: usize,
    /// Other values that came back otherwise.
    pub values_altered: Vec<String>,
    /// By type and field, the operations and places of fields that the client does not know.
    pub unknown: BTreeMap<String, BTreeSet<String>>,
    /// Responses in which one value did not fit.
    pub damaged: usize,
    /// Those that were read all the same.
    pub damaged_read: usize,
    /// What a value that did not fit cost beside itself and what needs it.
    pub harmed: Vec<String>,
}

impl Pair {
    /// Whether everything was read, nothing altered, and no damage cost more than it had to; documented examples alone
    /// show nothing of it.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let outcome = &self.outcome;
        outcome.generated > 0
            && outcome.damaged > 0
            && outcome.read == outcome.generated + outcome.documented
            && outcome.failed.is_empty()
            && outcome.enums_altered.is_empty()
            && outcome.values_altered.is_empty()
            && outcome.harmed.is_empty()
    }
}

impl Client {
    /// Generates the client of a revision, with the overlay as it is.
    ///
    /// # Errors
    /// When the revision cannot be generated from.
    pub fn new(spec: &Spec, revision: &Revision) -> Result<Self> {
        let Revision { date, slice } = revision;
        let generated = spec.generate(slice, Stale::Skip).with_context(|| date.clone())?;
        let bindings = bindings::generate(&generated.document.to_string(), false)
            .map_err(|message| anyhow!("revision {date}: {message}"))?;
        Ok(Self {
            name: date.clone(),
            date: date.clone(),
            files: bindings.files,
            surface: bindings.surface,
            document: completed(spec, slice).with_context(|| date.clone())?,
        })
    }

    /// The name this client has for an operation of another revision.
    fn title_of(&self, operation: &str) -> Option<String> {
        let wanted = slice::without_names(operation);
        self.surface.calls.iter().map(title).find(|title| slice::without_names(title) == wanted)
    }
}

/// `GET /transactions/{id}`.
fn title(call: &Call) -> String {
    format!("{} {}", call.method, call.path)
}

/// Reads the revisions of `dir`, the oldest first.
///
/// # Errors
/// When there are fewer than two, or one cannot be read.
pub fn revisions(dir: &Path) -> Result<Vec<Revision>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let date = path.file_stem().and_then(|stem| stem.to_str()).context("a revision has no name")?.to_owned();
            let slice = serde_json::from_str(&std::fs::read_to_string(&path)?).with_context(|| date.clone())?;
            out.push(Revision { date, slice });
        }
    }
    if out.len() < 2 {
        bail!("{} holds fewer than two revisions", dir.display());
    }
    out.sort_by(|one, other| one.date.cmp(&other.date));
    Ok(out)
}

/// A client of each revision.
///
/// # Errors
/// When one cannot be generated.
pub fn clients(spec: &Spec, revisions: &[Revision]) -> Result<Vec<Client>> {
    revisions.iter().map(|revision| Client::new(spec, revision)).collect()
}

/// Reads, with each client, at least `least` responses of its own revision and every later one; `name` is that of the
/// workspace.
///
/// # Errors
/// When a client cannot be built or run; what it cannot read is in the outcome.
pub fn travel(
    name: &str,
    spec: &Spec,
    clients: &[Client],
    revisions: &[Revision],
    least: usize,
    seed: u64,
) -> Result<Vec<Pair>> {
    let started = Instant::now();
    let program = Workspace::new(name, clients)?.build()?;
    eprintln!("built in {:.1} s", started.elapsed().as_secs_f64());
    let (send, queue) = sync_channel(WAITING);
    let queue = Mutex::new(queue);
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    thread::scope(|scope| {
        let read = || {
            let found = read_all(&program, &queue);
            // Whoever sends does not wait for a program that is gone.
            while found.is_err() && take(&queue).is_some() {}
            found
        };
        let readers: Vec<_> = (0..PROGRAMS).map(|_| scope.spawn(read)).collect();
        let sent = revisions.iter().enumerate().try_for_each(|(index, revision)| {
            let older: Vec<&Client> = clients.iter().filter(|client| client.date <= revision.date).collect();
            let document = completed(spec, &revision.slice)?;
            let wish = Wish { least, ..wish(&document, clients, revision, &older, seed.wrapping_add(index as u64)) };
            let made = instances::each(&document, &wish, |instance| {
                send.send(told(&revision.date, &older, &instance)).context("nobody reads")
            });
            made.map(drop).with_context(|| revision.date.clone())
        });
        drop(send);
        for reader in readers {
            let found = reader.join().map_err(|_| anyhow!("a reader of the clients panicked"))??;
            for (pair, outcome) in found {
                outcomes.entry(pair).or_default().add(outcome);
            }
        }
        sent
    })?;
    eprintln!("read after {:.1} s", started.elapsed().as_secs_f64());
    let mut pairs = Vec::new();
    for revision in revisions {
        for client in clients {
            if let Some(outcome) = outcomes.remove(&format!("{} {}", client.name, revision.date)) {
                let lost = lost(client, &outcome).with_context(|| client.name.clone())?;
                pairs.push(Pair { older: client.name.clone(), later: revision.date.clone(), outcome, lost });
            }
        }
    }
    Ok(pairs)
}

/// What the client does not read although its revision documents it.
fn lost(client: &Client, outcome: &Outcome) -> Result<BTreeSet<String>> {
    let documented = Documented::of(&client.document)?;
    // `GET /transactions/{id}\t/status`
    let is_documented =
        |place: &String| place.split_once('\t').is_some_and(|(operation, pointer)| documented.says(operation, pointer));
    let lost = outcome.unknown.iter().filter(|(_, places)| places.iter().any(is_documented));
    Ok(lost.map(|(field, _)| field.clone()).collect())
}

/// The revision, with the operations that the overlay adds.
fn completed(spec: &Spec, slice: &Value) -> Result<Value> {
    let curated = spec.curated(slice, Stale::Skip)?;
    let mut document = slice.clone();
    document["x-money"] = curated["x-money"].clone();
    for (path, item) in curated["paths"].as_object().into_iter().flatten() {
        if document["paths"].get(path).is_none() {
            document["paths"][path] = item.clone();
        }
    }
    // What those operations refer to is upstream's as far as upstream has it.
    while let Some((_, target)) = schema::dangling_refs(&document).into_iter().next() {
        let mut parts = target.trim_start_matches("#/components/").split('/');
        let (Some(kind), Some(name)) = (parts.next(), parts.next()) else { bail!("{target} leads nowhere") };
        document["components"][kind][name] = schema::resolve(&curated, &target)?.clone();
    }
    Ok(document)
}

/// Responses of all operations that some older client has, with whole sums of money, and with ids and essential fields as
/// the revision's own client knows them.
fn wish(document: &Value, clients: &[Client], revision: &Revision, older: &[&Client], seed: u64) -> Wish {
    let all = schema::operations(document).into_iter().map(|operation| operation.title());
    let operations = all.filter(|title| older.iter().any(|client| client.title_of(title).is_some())).collect();
    let names = document["x-money"].as_array().into_iter().flatten();
    let whole = names.filter_map(Value::as_str).map(str::to_owned).collect();
    let own = clients.iter().find(|client| client.date == revision.date);
    let surface = own.map(|client| client.surface.clone()).unwrap_or_default();
    Wish { seed, least: 0, operations, whole, surface }
}

/// A response as the program of the clients reads it: a line of what it is, its JSON, and where there is one, its damaged
/// copy.
fn told(later: &str, clients: &[&Client], instance: &Instance) -> String {
    let known = clients.iter().filter_map(|client| Some((&client.name, client.title_of(&instance.operation)?)));
    let header = json!({
        "later": later,
        "clients": known.collect::<BTreeMap<_, _>>(),
        "enums": instance.enums,
        "documented": instance.documented,
        "damaged": instance.damaged.as_ref().map(|(_, place)| place),
    });
    let damaged = instance.damaged.as_ref().map(|(json, _)| format!("{json}\n")).unwrap_or_default();
    format!("{header}\n{}\n{damaged}", instance.json)
}

/// The next response that waits; none once all have been taken.
fn take(queue: &Mutex<Receiver<String>>) -> Option<String> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Runs a program of clients on what it takes from the queue.
fn read_all(program: &Path, queue: &Mutex<Receiver<String>>) -> Result<BTreeMap<String, Outcome>> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let mut stdin = BufWriter::new(child.stdin.take().context("the clients have no stdin")?);
    while let Some(response) = take(queue) {
        stdin.write_all(response.as_bytes()).context("the clients broke off")?;
    }
    drop(stdin.into_inner().map_err(|error| error.into_error()).context("the clients broke off")?);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("the clients ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the clients report something else")
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.generated += other.generated;
        self.documented += other.documented;
        self.read += other.read;
        for (own, others) in [
            (&mut self.failed, other.failed),
            (&mut self.skipped_fields, other.skipped_fields),
            (&mut self.examples_skipped, other.examples_skipped),
        ] {
            for (place, count) in others {
                *own.entry(place).or_default() += count;
            }
        }
        self.enums_kept += other.enums_kept;
        self.enums_beyond += other.enums_beyond;
        self.enums_altered.extend(other.enums_altered);
        self.values_kept += other.values_kept;
        self.values_altered.extend(other.values_altered);
        self.damaged += other.damaged;
        self.damaged_read += other.damaged_read;
        self.harmed.extend(other.harmed);
        for (field, places) in other.unknown {
            self.unknown.entry(field).or_default().extend(places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_read_nothing_generated_proves_nothing() {
        let pair = |generated, read| Pair {
            older: String::new(),
            later: String::new(),
            outcome: Outcome { generated, documented: 30, read, damaged: 1, ..Outcome::default() },
            lost: BTreeSet::new(),
        };
        assert!(pair(1, 31).is_clean());
        assert!(!pair(0, 30).is_clean());
        assert!(!pair(1, 30).is_clean());
        let mut other = pair(1, 31);
        other.outcome.damaged = 0;
        assert!(!other.is_clean());
        other = pair(1, 31);
        other.outcome.harmed.push("GET / $.a".to_owned());
        assert!(!other.is_clean());
    }
}
