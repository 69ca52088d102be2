//! `spec/drift-accepted.toml`: changes that were looked at and accepted for a while.
//!
//! An entry names a change by its fingerprint, gives a reason, and ends on a day. One that has ended, or that no change
//! matches, is an error: the file must not outlive its reasons.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use chrono::NaiveDate;
use serde::Deserialize;

use super::report::{Acceptance, Report};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    reason: String,
    expires: toml::Value,
}

/// The entries of the file.
#[derive(Debug, Default)]
pub struct Accepted {
    entries: Vec<(String, String, NaiveDate)>,
}

impl Accepted {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// When it is not TOML of the expected form, an entry lacks a reason or a day, or two entries name the same change.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
            anyhow::anyhow!("not a list of accepted changes{place}: {}", error.message())
        })?;
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for entry in file.accepted {
            let Entry { fingerprint, reason, expires } = entry;
            if fingerprint.len() != 16 || !fingerprint.chars().all(|c| c.is_ascii_hexdigit()) {
                bail!("`{fingerprint}` is not a fingerprint of sixteen hex digits");
            }
            if reason.trim().is_empty() {
                bail!("the entry for {fingerprint} gives no reason");
            }
            let day = match &expires {
                toml::Value::Datetime(day) => day.to_string(),
                toml::Value::String(day) => day.clone(),
                other => other.to_string(),
            };
            let day = NaiveDate::parse_from_str(&day, "%Y-%m-%d")
                .with_context(|| format!("`expires` of {fingerprint} is `{day}`, not a day such as 2027-01-31"))?;
            if !seen.insert(fingerprint.clone()) {
                bail!("{fingerprint} is accepted twice");
            }
            entries.push((fingerprint, reason, day));
        }
        Ok(Self { entries })
    }

    /// Marks the accepted changes of a report.
    ///
    /// # Errors
    /// When an entry ended before `today`, or names no change of the report.
    pub fn apply(&self, report: &mut Report, today: NaiveDate) -> Result<()> {
        let mut problems = Vec::new();
        for (fingerprint, reason, day) in &self.entries {
            if *day < today {
                problems.push(format!("the entry for {fingerprint} ended on {day} ({reason})"));
                continue;
            }
            match report.changes.iter_mut().find(|change| change.fingerprint == *fingerprint) {
                Some(change) => {
                    change.accepted = Some(Acceptance { reason: reason.clone(), expires: day.to_string() });
                }
                None => problems.push(format!("the entry for {fingerprint} names no change of this report ({reason})")),
            }
        }
        if !problems.is_empty() {
            bail!("{}", problems.join("; "));
        }
        report.count();
        Ok(())
    }
}
