//! What traces prove.
//!
//! A trace is an event, or for a payment a transaction, that is or may be of an attempt. "Completed", "rejected" and
//! "not received" are said only where nothing else can be true; the rest is under way or unknown.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::outcome::Outcome;

/// How the operation of a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Failed,
    /// Done, and taken back by a correction.
    TakenBack,
    Started,
    /// An outcome that says neither that it succeeded nor that it failed.
    Unclear,
    /// Something that this version of the crate does not know.
    Strange,
}

/// How a trace is tied to the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    /// By the operation alone: it may be somebody else's.
    Possible,
    /// By the reference.
    Reference,
    /// By the id of the request.
    Proven,
}

/// Something that is or may be of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    pub(crate) tie: Tie,
    pub(crate) fate: Fate,
    /// Whether the amount can be the attempt's.
    pub(crate) fits: bool,
    /// Whether it is older than the attempt, whatever the clocks say.
    pub(crate) is_stale: bool,
    /// For a start: whether an outcome names its request.
    pub(crate) is_ended: bool,
    pub(crate) time: Option<DateTime<Utc>>,
    /// Its place among its like.
    pub(crate) place: usize,
}

impl Trace {
    /// Whether it came after another: by time, and by place where times are equal or missing.
    fn is_after(&self, other: &Self) -> bool {
        let times = self.time.zip(other.time);
        times.map(|(own, its)| own.cmp(&its)).unwrap_or(Ordering::Equal).then(self.place.cmp(&other.place)).is_gt()
    }
}

/// Where a request can be when its traces are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The service responded with a success, and this is the response.
    Responded,
    /// The service has accepted it with 202, and finishes it in its own time.
    Accepted,
    /// It may still arrive.
    Open,
    /// It can no longer arrive.
    Settled,
}

/// What traces show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) outcome: Outcome,
    /// The evidence, fit to print.
    pub(crate) why: &'static str,
    /// The trace that shows it, or that may be the attempt's, by its place.
    pub(crate) place: Option<usize>,
}

impl Finding {
    pub(crate) fn new(outcome: Outcome, why: &'static str, of: Option<&Trace>) -> Self {
        Self { outcome, why, place: of.map(|trace| trace.place) }
    }

    pub(crate) fn unknown(why: &'static str, of: Option<&Trace>) -> Self {
        Self::new(Outcome::Unknown, why, of)
    }
}

fn newest<'a>(traces: impl Iterator<Item = &'a Trace>) -> Option<&'a Trace> {
    traces.reduce(|best, next| if next.is_after(best) { next } else { best })
}

/// The traces of one kind of evidence, sorted.
struct Group<'a> {
    done: Vec<&'a Trace>,
    failed: Vec<&'a Trace>,
    started: Vec<&'a Trace>,
    unclear: Option<&'a Trace>,
    strange: Option<&'a Trace>,
}

impl<'a> Group<'a> {
    fn of(traces: &[&'a Trace]) -> Self {
        let with = |fates: &[Fate]| -> Vec<&'a Trace> {
            traces.iter().copied().filter(|trace| fates.contains(&trace.fate)).collect()
        };
        Self {
            done: with(&[Fate::Done]),
            failed: with(&[Fate::Failed, Fate::TakenBack]),
            started: with(&[Fate::Started]),
            unclear: with(&[Fate::Unclear]).first().copied(),
            strange: with(&[Fate::Strange]).first().copied(),
        }
    }

    /// A start that has not ended. Where all are of one call, there is an outcome for each start that has; otherwise
    /// an outcome is that of a start only if it names its request.
    fn pending(&self, unique: bool) -> Option<&'a Trace> {
        if unique {
            let outcomes = self.done.len().saturating_add(self.failed.len());
            return newest(self.started.iter().copied()).filter(|_| self.started.len() > outcomes);
        }
        newest(self.started.iter().copied().filter(|start| !start.is_ended))
    }
}

/// What the traces of an attempt with a reference show. `unique` says that nobody else has the reference.
pub(crate) fn weigh(traces: &[Trace], unique: bool, stage: Stage) -> Finding {
    let is_proven = traces.iter().any(|trace| trace.tie == Tie::Proven);
    // Ids tell the events of this call from those of earlier ones under the same reference.
    let least = if is_proven && !unique { Tie::Proven } else { Tie::Reference };
    let own: Vec<_> = traces.iter().filter(|trace| trace.tie >= least).collect();
    let is_other_call = stage == Stage::Accepted && !unique && !is_proven;
    let unique = unique || is_proven;
    let others = || traces.iter().filter(|trace| trace.tie < least);
    let maybe = others().find(|trace| !matches!(trace.fate, Fate::Failed | Fate::TakenBack));
    let group = Group::of(&own);
    if let Some(odd) = group.done.iter().find(|trace| !trace.fits) {
        return Finding::unknown("an event with the reference has another amount", Some(odd));
    }
    if let Some(old) = group.done.iter().find(|trace| trace.is_stale && !unique) {
        return Finding::unknown("the reference was used before", Some(old));
    }
    if let [_, second, ..] = group.done.as_slice() {
        return Finding::unknown("more than one event with the reference succeeded", Some(second));
    }
    if is_other_call && !own.is_empty() {
        return Finding::new(Outcome::UnderWay, "accepted, and not told apart from other calls", own.last().copied());
    }
    let unclear = || {
        let why = "an event does not say whether it succeeded";
        group.unclear.map(|trace| Finding::unknown(why, Some(trace)))
    };
    if let Some(done) = group.done.first() {
        let completed = Finding::new(Outcome::Completed, "its event succeeded", Some(done));
        if unique {
            return completed;
        }
        if let Some(finding) = unclear() {
            return finding;
        }
        if let Some(start) = group.pending(unique) {
            return Finding::new(Outcome::UnderWay, "an operation with the reference is under way", Some(start));
        }
        return match newest(group.failed.iter().copied()).filter(|failed| failed.is_after(done)) {
            Some(failed) => Finding::unknown("events with the reference succeeded and failed", Some(failed)),
            None => completed,
        };
    }
    if let Some(finding) = unclear() {
        return finding;
    }
    if let Some(strange) = group.strange {
        return Finding::unknown("an event of it is not known to this version of the crate", Some(strange));
    }
    if let Some(start) = group.pending(unique) {
        return Finding::new(Outcome::UnderWay, "it has begun and not ended", Some(start));
    }
    if let Some(failed) = newest(group.failed.iter().copied()) {
        let rejected = match failed.fate {
            Fate::TakenBack => "its event was taken back by a correction",
            _ => "its event failed",
        };
        let rejected = Finding::new(Outcome::Rejected, rejected, Some(failed));
        // A request that a gateway sent twice can have failed and succeeded.
        let twin = others().find(|trace| matches!(trace.fate, Fate::Done | Fate::Unclear));
        return match stage {
            _ if unique && twin.is_some() => Finding::unknown("another event may be of it as well", twin),
            _ if unique => rejected,
            Stage::Responded if maybe.is_none() && failed.fits && !failed.is_stale => rejected,
            Stage::Settled if maybe.is_none() => rejected,
            _ => Finding::unknown("the failed event may be of an earlier call with the reference", Some(failed)),
        };
    }
    absent(maybe, stage)
}

/// What it shows that there is no trace, or only one that may be somebody else's.
pub(crate) fn absent(maybe: Option<&Trace>, stage: Stage) -> Finding {
    match (stage, maybe) {
        (Stage::Accepted, maybe) => Finding::new(Outcome::UnderWay, "accepted, and not ended", maybe),
        (_, Some(maybe)) => Finding::unknown("an event without a reference may be of it", Some(maybe)),
        (Stage::Responded, None) => Finding::unknown("the response shows no event of it", None),
        (Stage::Open, None) => Finding::unknown("no trace of it, and it may still arrive", None),
        (Stage::Settled, None) => {
            Finding::new(Outcome::NotReceived, "no trace of it, and it can no longer arrive", None)
        }
    }
}

/// What the traces of a void show. It has no reference, and needs none: whoever voided it, it is voided.
pub(crate) fn weigh_void(traces: &[Trace], stage: Stage) -> Finding {
    let is_past = |trace: &&Trace| trace.fate == Fate::Started && trace.is_stale;
    let all: Vec<_> = traces.iter().filter(|trace| !is_past(trace)).collect();
    let group = Group::of(&all);
    if let Some(done) = newest(group.done.iter().copied()) {
        return Finding::new(Outcome::Completed, "the void succeeded", Some(done));
    }
    if let Some(trace) = group.unclear.or(group.strange) {
        return Finding::unknown("an event cannot be understood", Some(trace));
    }
    if let Some(start) = group.pending(false) {
        return Finding::new(Outcome::UnderWay, "the void has begun and not ended", Some(start));
    }
    let failed = newest(group.failed.iter().copied().filter(|trace| !trace.is_stale));
    match failed {
        Some(failed) if failed.tie == Tie::Proven || stage == Stage::Settled => {
            Finding::new(Outcome::Rejected, "the void failed", Some(failed))
        }
        Some(failed) if stage != Stage::Accepted => {
            Finding::unknown("the failed event may be of an earlier call", Some(failed))
        }
        failed => absent(None, stage).about(failed),
    }
}

impl Finding {
    fn about(mut self, of: Option<&Trace>) -> Self {
        self.place = self.place.or(of.map(|trace| trace.place));
        self
    }
}
