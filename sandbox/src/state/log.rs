//! What the server received, what it responded and what it did, for tests to count and for people to read.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::operation::Operation;

/// One request as it arrived. `Debug` shows the method and the path only: headers hold
/// credentials, bodies hold customers.
#[derive(Clone)]
pub struct ReceivedRequest {
    pub(crate) operation: Option<Operation>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) time: String,
    /// The status of the response, and the message of its error.
    pub(crate) response: Option<(u16, Option<String>)>,
}

impl ReceivedRequest {
    /// Returns the call, if the path and method are one.
    #[must_use]
    pub const fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// Returns the method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path as sent, with its `/v1`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query as sent, without the question mark.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Returns the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns all headers, names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the status of the response; `None` while there is none, and where the connection ended without one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|(status, _)| *status)
    }

    /// Returns why the request was refused, as the response says.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.response.as_ref()?.1.as_deref()
    }

    /// Returns when it arrived, by the sandbox's clock.
    #[must_use]
    pub fn time(&self) -> &str {
        &self.time
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as JSON; `None` when it is none.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Something the sandbox did: an event that succeeded on a transaction, a session made or
/// changed. One entry for each time it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// The call that did it.
    pub operation: Operation,
    /// The transaction's id, or the session's where no transaction is concerned.
    pub id: String,
    /// The amount of the operation in minor units; `None` where no amount is concerned, as with
    /// sessions, or none was authorized.
    pub amount: Option<i64>,
    /// The `capture_reference`, `refund_reference` or `reference` of the request; the merchant
    /// reference for sessions and payments.
    pub reference: Option<String>,
}

/// A field of a request that the published interface does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnknownField {
    /// The call.
    pub operation: Operation,
    /// Where in the request: `body/order/items/0/amuont`.
    pub path: String,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) requests: VecDeque<ReceivedRequest>,
    /// Requests that are no longer kept.
    dropped: usize,
    /// How many requests are kept; all of them where there is no limit.
    pub(crate) limit: Option<usize>,
    pub(crate) executions: Vec<Execution>,
    /// Places among the executions.
    by_reference: HashMap<String, Vec<usize>>,
    received: BTreeMap<Operation, u64>,
    executed: BTreeMap<Operation, u64>,
    pub(crate) reset_unread: u64,
    pub(crate) checks_responses: bool,
    pub(crate) response_problems: Vec<String>,
    pub(crate) unknown_fields: BTreeSet<UnknownField>,
}

impl Log {
    /// Keeps a request; gives its number.
    pub(crate) fn receive(&mut self, request: &ReceivedRequest) -> usize {
        if let Some(operation) = request.operation {
            *self.received.entry(operation).or_default() += 1;
        }
        let number = self.dropped.saturating_add(self.requests.len());
        self.requests.push_back(request.clone());
        self.shorten();
        number
    }

    /// Keeps no more than so many requests, the newest.
    pub(crate) fn keep(&mut self, limit: usize) {
        self.limit = Some(limit);
        self.shorten();
    }

    fn shorten(&mut self) {
        while self.limit.is_some_and(|limit| self.requests.len() > limit) {
            self.requests.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Forgets the requests so far; counts stay.
    pub(crate) fn requests_forgotten(&mut self) {
        self.dropped = self.dropped.saturating_add(self.requests.len());
        self.requests.clear();
    }

    /// Notes the response to a request that may still be kept.
    pub(crate) fn respond(&mut self, number: usize, status: u16, refusal: Option<String>) {
        let kept = number.checked_sub(self.dropped).and_then(|place| self.requests.get_mut(place));
        if let Some(request) = kept {
            request.response = Some((status, refusal));
        }
    }

    pub(crate) fn execute(&mut self, execution: Execution) {
        if let Some(reference) = &execution.reference {
            self.by_reference.entry(reference.clone()).or_default().push(self.executions.len());
        }
        *self.executed.entry(execution.operation).or_default() += 1;
        self.executions.push(execution);
    }

    pub(crate) fn executions_of(&self, reference: &str) -> Vec<Execution> {
        let places = self.by_reference.get(reference).into_iter().flatten();
        places.filter_map(|place| self.executions.get(*place).cloned()).collect()
    }

    pub(crate) fn received(&self, operation: Operation) -> u64 {
        self.received.get(&operation).copied().unwrap_or_default()
    }

    pub(crate) fn executed(&self, operation: Operation) -> u64 {
        self.executed.get(&operation).copied().unwrap_or_default()
    }
}
