//! A response with everything that came with it.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::Operation;
use crate::error::{Spent, request_id};
use crate::raw_response::RawResponse;
use crate::read::SkippedField;

/// The value of a response, to which this dereferences, with the status, headers and body it was read from.
pub struct Response<T> {
    // Boxed: a transaction is sixteen kilobytes, and each move of it a copy on the stack.
    value: Box<T>,
    raw: RawResponse,
    call: Finished,
    skipped: Vec<SkippedField>,
}

/// The call that the response belongs to, for an error that only its content shows.
#[derive(Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) operation: Operation,
    pub(crate) spent: Spent,
}

impl<T> Response<T> {
    pub(crate) fn new(value: Box<T>, raw: RawResponse, call: Finished) -> Self {
        Self { value, raw, call, skipped: Vec::new() }
    }

    pub(crate) fn with_skipped_fields(mut self, skipped: Vec<SkippedField>) -> Self {
        self.skipped = skipped;
        self
    }

    pub(crate) fn call(&self) -> Finished {
        self.call
    }

    pub(crate) fn into_parts(self) -> (Box<T>, RawResponse) {
        (self.value, self.raw)
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(Box<T>, &RawResponse) -> Box<U>) -> Response<U> {
        Response { value: change(self.value, &self.raw), raw: self.raw, call: self.call, skipped: self.skipped }
    }

    /// Returns the value alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.value
    }

    /// Returns the value alone, in a box: what [`into_inner`](Self::into_inner) gives may be large.
    #[must_use]
    pub fn into_boxed(self) -> Box<T> {
        self.value
    }

    /// Returns the status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.raw.status
    }

    /// Returns the headers of the response.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.raw.headers
    }

    /// Returns the id under which the service, or a gateway before it, knows the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.raw.headers)
    }

    /// Returns how often the request was sent, or sending was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.call.spent.attempts
    }

    /// Returns the body of the response as it came, with every field that this crate does not know.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.raw.body
    }

    /// Returns fields that the response was read without, because they are not of the type that this version of the
    /// crate knows: where they stood and what stood there. Empty for an ordinary response. Each is a `tracing` warning
    /// too.
    #[must_use]
    pub fn skipped_fields(&self) -> &[SkippedField] {
        &self.skipped
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> AsRef<T> for Response<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Debug for Response<T> {
    // Neither the body nor the value: both may hold a customer's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.raw.status.as_u16())
            .field("body_bytes", &self.raw.body.len())
            .finish_non_exhaustive()
    }
}
