//! The words for what became of a call.

use std::fmt;

use http::StatusCode;
use serde::de::IgnoredAny;

/// What is known about the effect of a call.
///
/// This is the question to ask after a capture, a refund or any other call that moves money. The API has no
/// idempotency key, so a call is made again only when it is known that it did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No byte of the request left: it was refused here, there was no token, or there was no connection. The same
    /// call may be made again.
    NotSent,
    /// The service refused it, or tried and failed. Nothing has moved. It may be made again, with a new reference.
    Rejected,
    /// It was sent, left no trace, and can no longer arrive by the limits of this client. Nothing has moved. It may
    /// be made again, with a new reference. Only [`Client::resolve`](crate::Client::resolve) says this; its
    /// documentation says what no client can know.
    NotReceived,
    /// The call only reads, so it changes nothing, whatever became of it. It may be made again.
    ReadOnly,
    /// It may have happened. Do not make it again: [`Client::resolve`](crate::Client::resolve) finds out.
    Unknown,
    /// The service accepted it and has not finished it. Do not make it again:
    /// [`Client::resolve`](crate::Client::resolve) waits for its end.
    UnderWay,
    /// It happened.
    Completed,
}

impl Outcome {
    /// Returns whether it is proven that the call had no effect, so that it may be made again.
    #[must_use]
    pub fn did_not_happen(self) -> bool {
        matches!(self, Self::NotSent | Self::Rejected | Self::NotReceived | Self::ReadOnly)
    }

    /// Returns whether nothing more is to be found out.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Unknown | Self::UnderWay)
    }

    /// What a status other than a success says about the effect of the request.
    ///
    /// A refusal is proof only where the service itself wrote it: with a status that its interface documents as one,
    /// and a JSON object as body. A gateway can write any 4xx after the service has acted: 408 and 499 when it gave up
    /// waiting, 429 for a request that it sent twice, 403 for a response that it did not like. A redirect is never
    /// followed, and what is behind it is not known.
    pub(crate) fn of_status(status: StatusCode, body: &[u8]) -> Self {
        let is_own = match status.as_u16() {
            // Refused before anything else is looked at, whatever the body.
            401 => true,
            400 | 403 | 404 | 409 => is_object(body),
            _ => false,
        };
        if is_own { Self::Rejected } else { Self::Unknown }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::NotReceived => "not received",
            Self::ReadOnly => "read only",
            Self::Unknown => "outcome unknown",
            Self::UnderWay => "under way",
            Self::Completed => "completed",
        })
    }
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_service_itself_is_one() {
        let of = |status: u16, body: &str| Outcome::of_status(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        for status in [400, 403, 404, 409] {
            assert_eq!(of(status, r#"{"error":{"message":"no"}}"#), Outcome::Rejected, "{status}");
            for body in ["", "<html>", "[]", r#""no""#, r#"{"error":"#] {
                assert_eq!(of(status, body), Outcome::Unknown, "{status} {body}");
            }
        }
        assert_eq!(of(401, ""), Outcome::Rejected);
        for status in [301, 307, 402, 405, 408, 412, 418, 423, 429, 451, 499, 500, 502, 503, 504] {
            assert_eq!(of(status, r#"{"error":{"message":"no"}}"#), Outcome::Unknown, "{status}");
        }
    }

    #[test]
    fn what_did_not_happen_may_be_made_again() {
        use Outcome::{Completed, NotReceived, NotSent, ReadOnly, Rejected, UnderWay, Unknown};
        for outcome in [NotSent, Rejected, NotReceived, ReadOnly] {
            assert!(outcome.did_not_happen() && outcome.is_final());
        }
        for outcome in [Unknown, UnderWay] {
            assert!(!outcome.did_not_happen() && !outcome.is_final());
        }
        assert!(!Completed.did_not_happen() && Completed.is_final());
    }
}
