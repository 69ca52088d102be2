//! Faults as the control API spells them.

use std::time::Duration;

use serde::Deserialize;

use crate::state::fault::Fault;

/// A fault in JSON. The document says which fields belong to which kind.
#[derive(Debug, Deserialize)]
pub(super) struct Spelled {
    kind: String,
    #[serde(default)]
    after_executing: bool,
    #[serde(default)]
    milliseconds: u64,
    status: Option<u16>,
    content_type: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    retry_after_seconds: u64,
    /// Absent, null and a number mean three things.
    #[serde(default, deserialize_with = "present")]
    reads: Option<Option<u32>>,
    #[serde(default)]
    failing: bool,
    #[serde(default)]
    retry_codes: Vec<String>,
    retry_after: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Spelled {
    /// The fault, or the field that it lacks.
    pub(super) fn fault(self) -> Result<Fault, String> {
        let status = || self.status.ok_or_else(|| format!("body/fault/status: {} requires it", self.kind));
        let fault = match self.kind.as_str() {
            "reset_unread" => Fault::reset_unread(),
            "reset" => Fault::reset(),
            "silence" => Fault::silence(),
            "delay" => Fault::delay(Duration::from_millis(self.milliseconds)),
            "status" => Fault::status(status()?),
            "response" => {
                let content_type = self.content_type.as_deref().unwrap_or("application/json");
                Fault::response(status()?, content_type, self.body)
            }
            "bad_gateway" => Fault::bad_gateway(),
            "too_many_requests" => Fault::too_many_requests(Duration::from_secs(self.retry_after_seconds)),
            "unauthorized" => Fault::unauthorized(),
            "garbage" => Fault::garbage(),
            "truncated_body" => Fault::truncated_body(),
            "wrong_length" => Fault::wrong_length(),
            "accepted" => {
                let accepted = Fault::accepted().settled_after_reads(self.reads.unwrap_or(Some(1)));
                if self.failing { accepted.failing() } else { accepted }
            }
            "fails_with_correction" => Fault::fails_with_correction(),
            "declined" => {
                let codes: Vec<&str> = self.retry_codes.iter().map(String::as_str).collect();
                Fault::declined(&codes, self.retry_after.as_deref())
            }
            other => return Err(format!("body/fault/kind: there is no fault {other:?}")),
        };
        Ok(if self.after_executing { fault.after_executing() } else { fault })
    }
}
