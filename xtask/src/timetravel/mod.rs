//! `cargo xtask timetravel`: clients made of older revisions read what every later revision may answer.
//!
//! It is the proof that a client built today goes on reading: the revisions in `spec/history/` stand for what upstream
//! does to its interface. Every answer has to be read, and no value of an enum may come out altered; what an older
//! client sets aside is listed.
//!
//! `workspace` builds the clients; the program in `reader/` is what runs in them.

mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::instances::{self, Instances, Wish};
use crate::overlay::Stale;
use crate::regen::Spec;
use crate::schema;
use workspace::Workspace;

/// A revision and the slice of it.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its day, which is its name.
    pub date: String,
    /// Its slice, as upstream published it.
    pub slice: Value,
}

/// What a client of `older` made of the answers of `later`.
#[derive(Debug)]
pub struct Pair {
    /// The revision that the client is made of.
    pub older: String,
    /// The revision that the answers are valid under.
    pub later: String,
    /// How many answers were generated from the schemas.
    pub generated: usize,
    /// How many were put together of documented examples.
    pub documented: usize,
    /// What came of them.
    pub outcome: Outcome,
}

/// What the program of a client reports; see `reader/compare.rs`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Answers that were read.
    pub read: usize,
    /// Why the others were not.
    pub failed: Vec<String>,
    /// By place, with what came there and what was expected, how often something was set aside.
    pub set_aside: BTreeMap<String, usize>,
    /// The same of documented examples, which need not fit their own schemas.
    pub examples_set_aside: BTreeMap<String, usize>,
    /// Texts of enums that came back as they were.
    pub enums_kept: usize,
    /// Texts of enums in fields that the client does not know, or that were set aside.
    pub enums_beyond: usize,
    /// Texts of enums that came back otherwise.
    pub enums_altered: Vec<String>,
    /// All values that came back as they were.
    pub values_kept: usize,
    /// Other values that came back otherwise.
    pub values_altered: Vec<String>,
    /// By place, fields that the client does not know.
    pub unknown: BTreeMap<String, usize>,
}

impl Pair {
    /// Whether everything was read and nothing altered.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let outcome = &self.outcome;
        outcome.read == self.generated + self.documented
            && outcome.failed.is_empty()
            && outcome.enums_altered.is_empty()
            && outcome.values_altered.is_empty()
    }
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

/// Reads, with a client of each revision, at least `least` answers of every later one.
///
/// # Errors
/// When a client cannot be built or run; what it cannot read is in the outcome.
pub fn run(spec: &Spec, revisions: &[Revision], least: usize, seed: u64) -> Result<Vec<Pair>> {
    let started = Instant::now();
    let mut workspace = Workspace::new()?;
    let mut documents = Vec::new();
    for revision in revisions {
        let document = spec.generate(&revision.slice, Stale::Skip).with_context(|| revision.date.clone())?.document;
        if documents.len() + 1 < revisions.len() {
            workspace.add(&revision.date, &document)?;
        }
        documents.push(document);
    }
    let known: BTreeSet<String> =
        documents.iter().flat_map(schema::operations).map(|operation| operation.title()).collect();
    // The clients are built while the answers are made.
    let (built, answers) = thread::scope(|scope| {
        let build = scope.spawn(|| workspace.build());
        let answers: Result<Vec<Instances>> = revisions
            .iter()
            .skip(1)
            .enumerate()
            .map(|(index, revision)| {
                let seed = seed.wrapping_add(index as u64);
                answers(spec, revision, least, seed, &known).with_context(|| revision.date.clone())
            })
            .collect();
        (build.join(), answers)
    });
    let (answers, built) = (answers?, built.ok().context("the build was broken off")?);
    built?;
    eprintln!("built and generated in {:.1} s", started.elapsed().as_secs_f64());
    let mut jobs = Vec::new();
    for (index, older) in revisions.iter().enumerate() {
        let knows: BTreeSet<String> = schema::operations(&documents[index]).iter().map(|found| found.title()).collect();
        for (later, instances) in
            revisions.iter().zip([None].into_iter().chain(answers.iter().map(Some))).skip(index + 1)
        {
            let instances = instances.context("the first revision is later than none")?;
            jobs.push((older, later, instances, knows.clone()));
        }
    }
    let read = |(older, later, instances, knows): &(&Revision, &Revision, &Instances, BTreeSet<String>)| {
        let client = workspace.program(&older.date);
        pair(&client, older, later, instances, knows).with_context(|| format!("{} reading {}", older.date, later.date))
    };
    // As many at a time as a small machine has cores.
    let mut pairs = Vec::new();
    for some in jobs.chunks(2) {
        let done: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|job| scope.spawn(|| read(job))).collect();
            running.into_iter().map(|job| job.join()).collect()
        });
        for outcome in done {
            pairs.push(outcome.ok().context("a reading was broken off")??);
        }
    }
    Ok(pairs)
}

/// The answers of a revision, also for the operations that the overlay adds.
fn answers(
    spec: &Spec,
    revision: &Revision,
    least: usize,
    seed: u64,
    operations: &BTreeSet<String>,
) -> Result<Instances> {
    let curated = spec.curated(&revision.slice, Stale::Skip)?;
    let mut document = revision.slice.clone();
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
    let names = curated.get("x-money").and_then(Value::as_array).into_iter().flatten();
    let whole = names.filter_map(Value::as_str).map(str::to_owned).collect();
    instances::answers(&document, &Wish { seed, least, operations: operations.clone(), whole })
}

fn pair(
    client: &Path,
    older: &Revision,
    later: &Revision,
    instances: &Instances,
    knows: &BTreeSet<String>,
) -> Result<Pair> {
    let mut child = Command::new(client).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = std::io::BufWriter::new(child.stdin.take().context("the client has no stdin")?);
    let known: Vec<_> = instances.all.iter().filter(|instance| knows.contains(&instance.operation)).collect();
    for instance in &known {
        let header =
            json!({ "operation": instance.operation, "enums": instance.enums, "documented": instance.documented });
        writeln!(stdin, "{header}\n{}", instance.json).context("the client broke off")?;
    }
    stdin.flush().context("the client broke off")?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("the client ended with {}", output.status);
    }
    Ok(Pair {
        older: older.date.clone(),
        later: later.date.clone(),
        generated: known.iter().filter(|instance| !instance.documented).count(),
        documented: known.iter().filter(|instance| instance.documented).count(),
        outcome: serde_json::from_slice(&output.stdout).context("the client answers something else")?,
    })
}

/// The report: a line for each pair, then what was set aside, then what went wrong.
#[must_use]
pub fn report(pairs: &[Pair]) -> String {
    let mut out = String::from(
        "client      answers of  generated  documented  read     enum values kept/altered/beyond  other altered  set aside\n",
    );
    for pair in pairs {
        let found = &pair.outcome;
        let all = pair.generated + pair.documented;
        let _ = writeln!(
            out,
            "{}  {}  {:9}  {:10}  {:>6.2}%  {:>14}/{}/{:<13}  {:13}  {} at {} places",
            pair.older,
            pair.later,
            pair.generated,
            pair.documented,
            found.read as f64 * 100.0 / all.max(1) as f64,
            found.enums_kept,
            found.enums_altered.len(),
            found.enums_beyond,
            found.values_altered.len(),
            found.set_aside.values().sum::<usize>(),
            found.set_aside.len(),
        );
    }
    for pair in pairs {
        let _ = writeln!(out, "\n{} reading {}", pair.older, pair.later);
        let fields = pair.outcome.unknown.len();
        let _ = writeln!(out, "  fields not known to the client, at {fields} places");
        for (place, count) in &pair.outcome.set_aside {
            let _ = writeln!(out, "  set aside {count} times: {place}");
        }
        for (place, count) in &pair.outcome.examples_set_aside {
            let _ = writeln!(out, "  set aside {count} times, of examples: {place}");
        }
        let troubles = [
            ("not read", &pair.outcome.failed),
            ("enum value altered", &pair.outcome.enums_altered),
            ("value altered", &pair.outcome.values_altered),
        ];
        for (what, list) in troubles {
            for trouble in list.iter().filter(|trouble| !trouble.is_empty()).take(20) {
                let _ = writeln!(out, "  {what}: {trouble}");
            }
        }
    }
    out
}
