//! What is known about the effect of a call that failed.

use std::fmt;

/// What is known about a call that ended in an error: whether it can have had an effect.
///
/// This is the question to ask after a capture, a refund or any other call that moves money. There is
/// no idempotency key in this API, so a call is only ever repeated safely when it is known not to have
/// happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Not one byte of the request left: it was refused here, no token could be had, or no connection
    /// came about. Nothing has happened.
    NotSent,
    /// The service answered and refused (a 4xx other than 408 and 499, or an answer that says the
    /// operation failed). Nothing has happened.
    Rejected,
    /// The request may have been carried out: no answer came, the answer was a 5xx or a redirect, or it
    /// could not be read. Read the transaction before deciding.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::Unknown => "outcome unknown",
        })
    }
}

impl Outcome {
    /// What a status other than a success says about the effect of the request.
    ///
    /// 408 and 499 are written by gateways that gave up waiting, possibly with the request already
    /// passed on; a redirect is never followed, and what stands behind it is not known.
    pub(crate) fn of_status(status: http::StatusCode) -> Self {
        let gave_up = matches!(status.as_u16(), 408 | 499);
        if status.is_client_error() && !gave_up { Self::Rejected } else { Self::Unknown }
    }
}
