//! An answer with everything that came with it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::error::{Spent, request_id};
use crate::raw_response::RawResponse;
use crate::read::{SetAside, UnreadableRow};

/// What a call answered: the value, to which this dereferences, and the answer it was read from.
pub struct Response<T> {
    // Boxed: a transaction is sixteen kilobytes, and each move of it a copy on the stack.
    value: Box<T>,
    answer: RawResponse,
    call: Finished,
    reference: Option<String>,
    set_aside: Vec<SetAside>,
    unreadable: Vec<UnreadableRow>,
}

/// Which call the answer is of, for an error that only shows in its content.
#[derive(Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) operation: &'static str,
    pub(crate) spent: Spent,
}

impl<T> Response<T> {
    pub(crate) fn new(value: Box<T>, answer: RawResponse, call: Finished) -> Self {
        Self { value, answer, call, reference: None, set_aside: Vec::new(), unreadable: Vec::new() }
    }

    pub(crate) fn with_set_aside(mut self, set_aside: Vec<SetAside>) -> Self {
        self.set_aside = set_aside;
        self
    }

    pub(crate) fn with_unreadable(mut self, unreadable: Vec<UnreadableRow>) -> Self {
        self.unreadable = unreadable;
        self
    }

    pub(crate) fn call(&self) -> Finished {
        self.call
    }

    pub(crate) fn into_parts(self) -> (Box<T>, RawResponse) {
        (self.value, self.answer)
    }

    pub(crate) fn with_reference(mut self, reference: Option<String>) -> Self {
        self.reference = reference;
        self
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(Box<T>, &RawResponse) -> Box<U>) -> Response<U> {
        Response {
            value: change(self.value, &self.answer),
            answer: self.answer,
            call: self.call,
            reference: self.reference,
            set_aside: self.set_aside,
            unreadable: self.unreadable,
        }
    }

    /// The value alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.value
    }

    /// The value alone, in a box: what [`into_inner`](Self::into_inner) gives may be large.
    #[must_use]
    pub fn into_boxed(self) -> Box<T> {
        self.value
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The id under which the service, or a gateway before it, knows the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.answer.headers)
    }

    /// How often the request was sent, or sending was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.call.spent.attempts
    }

    /// The body of the answer as it came, with every field that this crate does not know.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.answer.body
    }

    /// Fields that the answer was read without, because they are not of the type that this version of the crate
    /// knows: where they stood and what stood there. Empty for an ordinary answer.
    #[must_use]
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// Rows of a list that cannot be read at all, with their JSON. They are missing from the value.
    #[must_use]
    pub fn unreadable_rows(&self) -> &[UnreadableRow] {
        &self.unreadable
    }

    /// The `capture_reference`, `refund_reference` or authorization `reference` that the call went out with:
    /// the caller's own, or the one made up for it.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
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
            .field("status", &self.answer.status.as_u16())
            .field("body_bytes", &self.answer.body.len())
            .finish_non_exhaustive()
    }
}
