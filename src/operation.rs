//! What the transport knows of an operation; the table is generated from `x-retry` and `x-checks` of the document.

/// Whether a call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It only reads.
    Read,
    /// It creates or moves money: never, unless it provably did not leave.
    Never,
}

/// One operation of the interface.
#[derive(Debug)]
#[allow(dead_code)]
pub(crate) struct Operation {
    /// The operation id, as hooks are told it.
    pub(crate) id: &'static str,
    /// The method.
    pub(crate) method: &'static str,
    /// The path template below the base URL.
    pub(crate) path: &'static str,
    /// Whether it may be sent again.
    pub(crate) retry: Retry,
    /// What a request has to keep, as JSON; empty when nothing.
    pub(crate) checks: &'static str,
}
