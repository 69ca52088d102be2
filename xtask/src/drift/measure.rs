//! The verdict for this crate: both revisions are generated through the overlay as it is, and what differs is measured.
//!
//! The measure is the difference of the two surfaces (`super::surface`), whatever made it. Here each difference is
//! given to the changes of the interface that reach the item, so that a reader sees what comes of what; one that none
//! reaches, such as a type that was renamed because another one split, stands for itself.

use anyhow::Result;
use serde_json::Value;

use super::report::{Change, Difference, Measured, Reach, Report};
use super::surface::{self, CALL, Found, Thing, below, held};
use super::verdict::Bump;
use crate::bindings::model::{Call, Kind, Shape, Surface};
use crate::model::operation::normalised;
use crate::model::step::{Step, steps};
use crate::overlay::Stale;
use crate::regen::Spec;

/// What a revision generates.
#[derive(Debug, Clone)]
pub struct Made {
    /// All that users of the crate see.
    pub surface: Surface,
    /// What of the curation does not fit the revision, and was left out.
    pub left_out: Vec<String>,
}

impl Made {
    /// Generates the surface of a slice with the curation of `spec`, without what does not fit.
    ///
    /// # Errors
    /// When the curation has to be mended before anything can be generated.
    pub fn of(spec: &Spec, slice: &Value) -> Result<Self> {
        let generated = spec.generate(slice, Stale::Skip)?;
        // The code as well: the generator refuses forms that the surface alone would have.
        let surface = crate::generated::code(&generated.document)?.surface;
        Ok(Self { surface, left_out: generated.skipped })
    }
}

/// Measures what the newer revision does to the crate, and notes it in the report.
pub fn measure(report: &mut Report, old: Result<Made>, new: Result<Made>) {
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let why = [("older", old.err()), ("newer", new.err())];
            let why = why.into_iter().filter_map(|(side, error)| Some(format!("the {side} revision: {:#}", error?)));
            let why = why.collect::<Vec<_>>().join("\n");
            report.krate = Measured { bump: Bump::Unknown, unmeasured: Some(why), ..Measured::default() };
            return report.settle();
        }
    };
    let found = surface::differences(&old.surface, &new.surface);
    let ways: Vec<Ways> = report.changes.iter().map(|change| Ways::of(change, &old.surface, &new.surface)).collect();
    for (change, ways) in report.changes.iter_mut().zip(&ways) {
        change.krate.bump = Bump::Nothing;
        change.krate.items.clone_from(&ways.items);
    }
    let mut differences = Vec::new();
    for found in found {
        let nearest = ways.iter().filter_map(|ways| ways.distance(&found)).min();
        let mut changes = Vec::new();
        for (change, ways) in report.changes.iter_mut().zip(&ways) {
            if nearest.is_some() && ways.distance(&found) == nearest {
                change.krate.bump = change.krate.bump.max(found.bump);
                changes.push(change.fingerprint.clone());
            }
        }
        let Found { item, bump, section, what, .. } = found;
        differences.push(Difference { item, bump, section, what, changes });
    }
    // What is different can only come of what changed.
    if let [only] = &mut report.changes[..] {
        for difference in &mut differences {
            only.krate.bump = only.krate.bump.max(difference.bump);
            difference.changes = vec![only.fingerprint.clone()];
        }
    }
    let bump = differences.iter().map(|difference| difference.bump).max().unwrap_or(Bump::Nothing);
    report.krate =
        Measured { bump, differences, left_out_of_old: old.left_out, left_out_of_new: new.left_out, unmeasured: None };
    report.settle();
}

/// Where a change leads in the surfaces.
#[derive(Debug, Default)]
struct Ways {
    /// What the change is about itself.
    here: Vec<Thing>,
    /// The types that stand at the place, and what they lead to.
    inside: Vec<String>,
    /// The types and calls that the place is a part of, from the inside out.
    around: Vec<Vec<String>>,
    items: Vec<String>,
}

impl Ways {
    fn of(change: &Change, old: &Surface, new: &Surface) -> Self {
        let mut ways = Self::default();
        for reach in &change.reaches {
            // The newer surface says what an item is called now; what is gone, only the older one knows.
            let mut named = None;
            for surface in [new, old] {
                let Some(way) = Way::of(surface, reach) else { continue };
                let mut here: Vec<Thing> = way.steps.last().cloned().into_iter().collect();
                if let (Some(end), Some(subject)) = (&way.end, &change.subject)
                    && let Ok(value) = serde_json::from_str::<String>(subject)
                {
                    here.push((end.clone(), value));
                }
                if named.is_none() {
                    named = here.last().and_then(|thing| surface::item(surface, thing));
                }
                ways.here.extend(here);
                ways.inside.extend(way.end.iter().flat_map(|end| below(surface, end)).map(str::to_owned));
                let around = way.steps.iter().rev().map(|(owner, _)| owner.clone());
                ways.around.push(around.chain([way.call.clone()]).collect());
            }
            ways.items.extend(named);
        }
        ways.here.sort();
        ways.here.dedup();
        ways.inside.sort();
        ways.inside.dedup();
        ways.around.sort();
        ways.around.dedup();
        ways.items.sort();
        ways.items.dedup();
        ways
    }

    /// How far a difference is from the change: the nearest change is what it comes of.
    fn distance(&self, found: &Found) -> Option<usize> {
        if self.here.contains(&found.thing) {
            return Some(0);
        }
        let owner = &found.thing.0;
        if self.inside.contains(owner) {
            return Some(1);
        }
        let around = |owners: &Vec<String>| owners.iter().position(|known| known == owner).map(|place| place + 2);
        self.around.iter().filter_map(around).min()
    }
}

/// The way from a call to a place.
#[derive(Debug)]
struct Way {
    call: String,
    /// Fields and variants on the way, by the type that has them.
    steps: Vec<Thing>,
    /// The type at the place.
    end: Option<String>,
}

impl Way {
    fn of(surface: &Surface, reach: &Reach) -> Option<Self> {
        let (method, path) = reach.operation.split_once(' ')?;
        let wanted = normalised(path).0;
        let is_it = |call: &&Call| call.method.eq_ignore_ascii_case(method) && normalised(&call.path).0 == wanted;
        let call = surface.calls.iter().find(is_it)?;
        let owner = format!("{CALL}{}", call.id);
        let named = |name: &str| call.query.iter().find(|param| param.name == name);
        let mut way = Self { call: owner.clone(), steps: Vec::new(), end: None };
        let mut kind = match reach.place.split_once(' ') {
            Some(("query", name)) => {
                way.steps.push((owner, name.to_owned()));
                named(name).map(|param| param.kind.clone())
            }
            // The only header that has a type.
            Some(("header", name)) if name.eq_ignore_ascii_case("dintero-feature-toggles") => {
                way.steps.push((owner, String::new()));
                call.toggles.clone().map(|toggles| Kind::List(Box::new(Kind::Type(toggles))))
            }
            Some(("header" | "cookie", _)) => return None,
            Some((_, place)) if place.starts_with("header ") => return None,
            Some(("path", _)) => {
                way.steps.push((owner, String::new()));
                None
            }
            Some(("body", _)) => call.request.clone().map(Kind::Type),
            Some((status, _)) if status.starts_with('2') => {
                let target = Kind::Type(call.response.target.clone());
                Some(if call.response.list { Kind::List(Box::new(target)) } else { target })
            }
            Some(_) => return None,
            None => None,
        };
        let Some(rest) = reach.path.strip_prefix('$') else {
            way.steps.push((way.call.clone(), String::new()));
            return Some(way);
        };
        for step in steps(rest)? {
            kind = way.step(surface, kind.as_ref(), &step);
        }
        way.end = kind.as_ref().and_then(held).map(str::to_owned);
        Some(way)
    }

    fn step(&mut self, surface: &Surface, kind: Option<&Kind>, step: &Step) -> Option<Kind> {
        let shape = match kind? {
            Kind::Type(name) => surface.find(name).map(|known| (name, &known.shape)),
            _ => None,
        };
        match (step, kind?, shape) {
            (Step::Items, Kind::List(inner), _) | (Step::Additional, Kind::Map(inner), _) => Some((**inner).clone()),
            (Step::Property(json), _, Some((owner, shape))) => {
                self.steps.push((owner.clone(), json.clone()));
                match shape {
                    Shape::Struct { fields, .. } => {
                        fields.iter().find(|field| field.json == *json).map(|field| field.kind.clone())
                    }
                    _ => None,
                }
            }
            (Step::Variant(tag), _, Some((owner, shape))) => {
                self.steps.push((owner.clone(), tag.clone()));
                match shape {
                    Shape::Choice { variants, .. } => {
                        let found = variants.iter().find(|variant| variant.tag == *tag);
                        found.map(|variant| Kind::Type(variant.target.clone()))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
