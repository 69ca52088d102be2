//! What the events of a transaction say: which count, which are of an attempt, and what could not be read of them.
//!
//! Everything that asks one of these questions asks it here, the sums of money too.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::attempt::{Attempt, Kind};
use super::weigh::{Fate, Tie, Trace};
use crate::read::SkippedField;
use crate::types::{TransactionEvent, TransactionEventName as Name};

/// How far our clock and the service's may be apart. A day covers a clock that is set to local time.
const CLOCKS_APART: TimeDelta = TimeDelta::hours(24);

/// The events of a transaction, with what corrections take back.
pub(crate) struct Events<'a> {
    all: &'a [TransactionEvent],
    taken_back: BTreeSet<&'a str>,
}

impl<'a> Events<'a> {
    pub(crate) fn of(all: &'a [TransactionEvent]) -> Self {
        let corrections = all.iter().filter_map(|event| event.correction.as_ref());
        let taken_back = corrections.flat_map(|correction| correction.event_ids.iter().map(String::as_str)).collect();
        Self { all, taken_back }
    }

    /// Whether a correction takes the event back.
    fn is_taken_back(&self, event: &TransactionEvent) -> bool {
        event.id.as_deref().is_some_and(|id| self.taken_back.contains(id))
    }

    /// Whether what the event reports has happened: it succeeded, and no correction takes it back.
    pub(crate) fn counts(&self, event: &TransactionEvent) -> bool {
        event.success == Some(true) && !self.is_taken_back(event)
    }

    /// Whether an event tells the end of the request that this one began.
    fn has_ended(&self, start: &TransactionEvent) -> bool {
        let request = filled(start.request_id.as_deref());
        let is_end = |event: &&TransactionEvent| filled(event.correlation_request_id.as_deref()) == request;
        request.is_some()
            && self.all.iter().filter(is_end).any(|event| event.success.is_some() && event.event != start.event)
    }

    /// How the operation of an outcome's event ended.
    fn fate(&self, event: &TransactionEvent) -> Fate {
        match event.success {
            Some(true) if self.is_taken_back(event) => Fate::TakenBack,
            Some(true) => Fate::Done,
            Some(false) => Fate::Failed,
            None => Fate::Unclear,
        }
    }

    /// What of an attempt is, or may be, in the events.
    pub(crate) fn traces(&self, attempt: &Attempt) -> Vec<Trace> {
        let references = Links::of(self.all);
        let first = self.first_authorization();
        let trace = |(place, event): (usize, &TransactionEvent)| {
            let fate = match role(attempt.operation, event)? {
                Role::Outcome => self.fate(event),
                Role::Start => Fate::Started,
                Role::Strange => Fate::Strange,
            };
            let is_stale = is_stale(event.created_at, attempt);
            let fits = match (attempt.amount, event.amount) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            };
            let tie = references.tie(event, attempt)?;
            // Whoever has neither our reference nor our amount, or was there before us, is somebody else.
            if tie == Tie::Possible && (!fits || is_stale || first == Some(place)) && attempt.operation != Kind::Void {
                return None;
            }
            let is_ended = fate == Fate::Started && self.has_ended(event);
            Some(Trace { tie, fate, fits, is_stale, is_ended, time: event.created_at, place })
        };
        self.all.iter().enumerate().filter_map(trace).collect()
    }

    /// The authorization that the payment began with. It is never a later change of it.
    fn first_authorization(&self) -> Option<usize> {
        let named = |event: &&TransactionEvent| event.event == Some(Name::Authorize);
        if self.all.iter().filter(named).any(|event| event.created_at.is_none()) {
            return None;
        }
        let authorizations = self.all.iter().enumerate().filter(|(_, event)| named(event));
        authorizations.min_by_key(|(_, event)| event.created_at).map(|(place, _)| place)
    }
}

/// What the ids in events tell: which reference an event without one belongs to.
struct Links<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Links<'a> {
    fn of(events: &'a [TransactionEvent]) -> Self {
        let ids = |event: &'a TransactionEvent| {
            let reference = reference(event)?;
            Some(ids(event).map(move |id| (id, reference)))
        };
        Self(events.iter().filter_map(ids).flatten().collect())
    }

    /// How an event is tied to an attempt; `None` for an event that is somebody else's.
    fn tie(&self, event: &TransactionEvent, attempt: &Attempt) -> Option<Tie> {
        if ids(event).any(|id| attempt.is_request(id)) {
            return Some(Tie::Proven);
        }
        let linked = || ids(event).find_map(|id| self.0.get(id).copied());
        match (reference(event).or_else(linked), attempt.reference.as_deref().map(str::trim)) {
            // The end of another request that was accepted under the same reference.
            (Some(_), Some(_)) if attempt.is_other(event.correlation_request_id.as_deref()) => None,
            (Some(theirs), Some(ours)) if theirs == ours => Some(Tie::Reference),
            (Some(_), Some(_)) => None,
            _ => Some(Tie::Possible),
        }
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn reference(event: &TransactionEvent) -> Option<&str> {
    filled(event.event_reference.as_deref())
}

fn ids(event: &TransactionEvent) -> impl Iterator<Item = &str> {
    [&event.request_id, &event.correlation_request_id].into_iter().filter_map(|id| filled(id.as_deref()))
}

/// What an event is to an operation.
enum Role {
    /// It tells how the operation ended.
    Outcome,
    /// It tells that the operation is under way.
    Start,
    /// It has no name, or one that this version of the crate does not know.
    Strange,
}

fn role(operation: Kind, event: &TransactionEvent) -> Option<Role> {
    let (outcome, start) = match operation {
        Kind::Capture => (Name::Capture, Some(Name::InitiateCapture)),
        Kind::Refund => (Name::Refund, Some(Name::InitiateRefund)),
        Kind::Void | Kind::Cancel => (Name::Void, Some(Name::InitiateVoid)),
        Kind::Authorization | Kind::Pay => (Name::Authorize, None),
    };
    match &event.event {
        Some(name) if *name == outcome => Some(Role::Outcome),
        Some(name) if Some(name) == start.as_ref() => Some(Role::Start),
        Some(
            Name::Initialize
            | Name::Authorize
            | Name::Capture
            | Name::Refund
            | Name::Void
            | Name::InitiateCapture
            | Name::InitiateRefund
            | Name::InitiateVoid
            | Name::Settlement,
        ) => None,
        _ => Some(Role::Strange),
    }
}

/// Whether something is older than the attempt, whatever the clocks say.
pub(super) fn is_stale(time: Option<DateTime<Utc>>, attempt: &Attempt) -> bool {
    let earliest = attempt.begun_at.checked_sub_signed(CLOCKS_APART).unwrap_or(DateTime::<Utc>::MIN_UTC);
    time.is_some_and(|time| time < earliest)
}

/// What could not be read of the events.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Events of which a part that counts could not be read, by their places.
    places: BTreeSet<usize>,
    /// Whether whole events, or corrections, which can concern any event, could not be read.
    any: bool,
}

/// The parts of an event that verdicts are based on.
const COUNTING: [&str; 8] =
    ["amount", "correlation_request_id", "created_at", "event", "event_reference", "id", "request_id", "success"];

impl Skipped {
    pub(crate) fn of(skipped_fields: &[SkippedField]) -> Self {
        let mut skipped = Self::default();
        for part in skipped_fields {
            let path = part.path.to_string();
            let Some(rest) = path.strip_prefix("$.events") else { continue };
            let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            match inside.map(|(place, field)| (place.parse(), field.strip_prefix('.'))) {
                Some((Ok(place), Some(field))) if COUNTING.contains(&field) => {
                    skipped.places.insert(place);
                }
                Some((Ok(_), Some(field))) if !field.starts_with("correction") => {}
                _ => skipped.any = true,
            }
        }
        skipped
    }

    /// Whether everything that a verdict can be based on was read.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any && self.places.is_empty()
    }

    /// Whether an event was read, and everything that could take it back.
    pub(crate) fn spares(&self, place: usize) -> bool {
        !self.any && !self.places.contains(&place)
    }
}
