//! One call, from the request that a caller built to the response or the error.
//!
//! The request types are generated, see [`crate::calls`]; what all of them share is here. What one of them does beside
//! sending its request is in `policy`.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument;

use super::response::{Finished, Response};
use super::{Core, SystemHeaders};
use crate::Operation;
use crate::error::{Error, Outcome, Result, Spent, printable_path};
use crate::generated;
use crate::ids::{AccountId, SessionId, TransactionId};
use crate::read::{self, SkippedField, Unreadable};
use crate::transport::CallScope;
use crate::transport::maker::Client as Maker;
use crate::verdict::{Attempt, Verdict};

/// What a request becomes when it is awaited.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<Response<T>>> + Send>>;

/// What every request type holds: the client that it belongs to, and what can be set for any call.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) core: Arc<Core>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) system: Option<SystemHeaders>,
    /// For a money call: the attempt, once it has been made.
    pub(crate) attempt: Option<Box<Attempt>>,
}

impl Context {
    /// How long the call may take altogether.
    pub(crate) fn limit(&self) -> Duration {
        self.timeout.unwrap_or(self.core.timeout)
    }

    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self { core: core.clone(), timeout: None, system: None, attempt: None }
    }
}

/// What progenitor's function of an operation returns.
pub(crate) type Sent<T> = Result<generated::ResponseValue<T>, generated::Error<crate::types::ErrorBody>>;

/// A request type. The generator writes the implementations.
pub(crate) trait Request: Send + Sync {
    const OPERATION: Operation;
    /// What its response is read as.
    type Reading: Reading;

    fn context(&self) -> &Context;

    /// The id in the path.
    fn subject(&self) -> Option<Id<'_>> {
        None
    }

    /// The feature toggles that it goes out with.
    fn toggles_header(&self) -> Result<Option<(HeaderName, HeaderValue)>> {
        Ok(None)
    }

    /// The span of the call, whose name must be known when compiling.
    fn span(account: &str) -> tracing::Span;

    /// Calls progenitor's function of the operation.
    fn through(&self, client: generated::Client)
    -> impl Future<Output = Sent<<Self::Reading as Reading>::Sent>> + Send;
}

/// What stands in a path.
#[derive(Clone, Copy)]
pub(crate) enum Id<'a> {
    Session(&'a SessionId),
    Transaction(&'a TransactionId),
}

impl<'a> Id<'a> {
    fn account(self) -> &'a AccountId {
        match self {
            Self::Session(id) => id.account(),
            Self::Transaction(id) => id.account(),
        }
    }
}

impl<'a> From<&'a SessionId> for Id<'a> {
    fn from(id: &'a SessionId) -> Self {
        Self::Session(id)
    }
}

impl<'a> From<&'a TransactionId> for Id<'a> {
    fn from(id: &'a TransactionId) -> Self {
        Self::Transaction(id)
    }
}

/// How a response is read.
pub(crate) trait Reading {
    /// What progenitor's function would read, were it left to it.
    type Sent: Send;
    /// What reading gives.
    type Read: Send + 'static;
    /// What the caller gets.
    type Value: Send;

    /// Reads a response, but for what can be left out of it.
    fn read(body: &[u8]) -> Result<Self::Read, Unreadable>;

    /// What the caller gets, and what had to be left out of it. `name` names the call in an error.
    fn finish(read: Self::Read, name: impl Fn(Error) -> Error) -> (Self::Value, Vec<SkippedField>);
}

/// A response of one value.
pub(crate) struct One<T>(PhantomData<T>);

impl<T: DeserializeOwned + Send + 'static> Reading for One<T> {
    type Sent = T;
    type Read = read::Read<T>;
    type Value = T;

    fn read(body: &[u8]) -> Result<read::Read<T>, Unreadable> {
        read::from_slice(body)
    }

    fn finish(read: read::Read<T>, _: impl Fn(Error) -> Error) -> (T, Vec<SkippedField>) {
        (read.value, read.skipped_fields)
    }
}

/// A response of a list, in which a row that cannot be read is an error in its place.
pub(crate) struct Rows<T>(PhantomData<T>);

impl<T: DeserializeOwned + Send + 'static> Reading for Rows<T> {
    type Sent = Vec<T>;
    type Read = read::Rows<T>;
    type Value = Vec<Result<T>>;

    fn read(body: &[u8]) -> Result<read::Rows<T>, Unreadable> {
        read::list_from_slice(body)
    }

    fn finish(list: read::Rows<T>, name: impl Fn(Error) -> Error) -> (Vec<Result<T>>, Vec<SkippedField>) {
        let mut skipped = Vec::new();
        let mut unreadable = list.unreadable.into_iter().peekable();
        let mut good = list.rows.into_iter();
        let rows = (0..list.total).filter_map(|index| match unreadable.next_if(|row| row.index == index) {
            Some(row) => Some(Err(name(Error::unreadable_row(&row)))),
            None => good.next().map(|row| {
                skipped.extend(row.skipped_fields);
                Ok(row.value)
            }),
        });
        (rows.collect(), skipped)
    }
}

/// The value of a call's response.
pub(crate) type Value<R> = <<R as Request>::Reading as Reading>::Value;

/// A call that is about to be made.
pub(crate) struct Begun {
    span: tracing::Span,
    operation: Operation,
    /// Whether the span names a transaction.
    has_transaction: bool,
}

/// Begins the span of a call.
pub(crate) fn begin<R: Request>(request: &R) -> Begun {
    let span = R::span(request.context().core.account.as_str());
    match request.subject() {
        Some(Id::Session(id)) => _ = span.record("session_id", id.as_str()),
        Some(Id::Transaction(id)) => _ = span.record("transaction_id", id.as_str()),
        None => {}
    }
    Begun { span, operation: R::OPERATION, has_transaction: matches!(request.subject(), Some(Id::Transaction(_))) }
}

/// What a value says of its call: the outcome, and the transaction.
pub(crate) type Shows<T> = fn(&T) -> (Option<Outcome>, Option<&TransactionId>);

/// What a verdict says.
pub(crate) fn of_verdict(verdict: &Verdict) -> (Option<Outcome>, Option<&TransactionId>) {
    (Some(verdict.outcome()), verdict.transaction().and_then(|transaction| transaction.id.as_ref()))
}

/// What any other value says.
pub(crate) fn of_value<T>(_: &T) -> (Option<Outcome>, Option<&TransactionId>) {
    (None, None)
}

/// Makes a call within its span, and tells there what became of it.
pub(crate) async fn told<T>(
    begun: Begun,
    call: impl Future<Output = Result<Response<T>>>,
    shows: Shows<T>,
) -> Result<Response<T>> {
    let Begun { span, operation, has_transaction } = begun;
    let began = Instant::now();
    let result = match in_runtime() {
        Ok(()) => call.instrument(span.clone()).await,
        Err(error) => Err(error.in_call(operation, Spent::default())),
    };
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.record("milliseconds", milliseconds);
    let (outcome, id) = match &result {
        Ok(response) => shows(response),
        Err(error) => {
            span.record("error", tracing::field::debug(error.kind()));
            (Some(error.outcome()), error.transaction().and_then(|transaction| transaction.id.as_ref()))
        }
    };
    if let Some(id) = id.filter(|_| !has_transaction) {
        span.record("transaction_id", id.as_str());
    }
    let plain = if operation.only_reads() { Outcome::ReadOnly } else { Outcome::Completed };
    span.record("outcome", tracing::field::display(outcome.unwrap_or(plain)));
    if let Err(error) = &result
        && outcome == Some(Outcome::Unknown)
    {
        span.in_scope(|| {
            tracing::warn!(
                target: "dintero",
                operation = operation.id(),
                %error,
                "the outcome of a call is unknown: find out, with `Client::resolve` for a call that moves money, before \
                 it is made again"
            );
        });
    }
    result
}

/// Refuses to wait where nothing would ever wake, or panic.
pub(crate) fn in_runtime() -> Result<()> {
    tokio::runtime::Handle::try_current().map(drop).map_err(|cause| {
        Error::configuration("no tokio runtime is running here: await it in one, with its timer and I/O enabled")
            .with_source(cause)
    })
}

/// Makes a call that has no policy of its own.
pub(crate) async fn run<R: Request>(request: R) -> Result<Response<Value<R>>> {
    send(&request).await
}

/// Makes a call through the generated client.
///
/// What became of it is read from the scope: the generated code has no place for most of it.
pub(crate) async fn send<R: Request>(request: &R) -> Result<Response<Value<R>>> {
    let context = request.context();
    let core = &context.core;
    let scope = {
        let name = |error: Error| error.in_call(R::OPERATION, Default::default());
        core.guard(request.subject().map(Id::account)).map_err(name)?;
        let mut headers = match &context.system {
            Some(own) => own.or(&core.defaults.system).headers().map_err(name)?,
            None => core.system.clone(),
        };
        headers.extend(request.toggles_header().map_err(name)?);
        CallScope::new(core.service.clone(), R::OPERATION, headers, context.limit())
    };
    let client = generated::Client::new_with_client(&core.base, Maker, scope.clone());
    // In a box: the generated future is large. It makes the request and reads nothing, see `CallScope::exec`.
    drop(Box::pin(request.through(client)).await);
    // Without an end, the generated code failed before its request was complete. Its reason may quote a value.
    let end = scope.take_end().unwrap_or_else(|| Err(scope.name(Error::invalid("the request cannot be built"))));
    let (read, response) = scope.read(end?, |body| R::Reading::read(body).map(Box::new)).await?;
    let (value, skipped) = R::Reading::finish(*read, |error| scope.name(error));
    skipped.iter().for_each(|part| warn(R::OPERATION, part));
    let call = Finished { operation: R::OPERATION, spent: scope.spent() };
    Ok(Response::new(Box::new(value), response, call).with_skipped_fields(skipped))
}

/// Says that a response was read without a field: where, and not what stood there.
fn warn(operation: Operation, skipped: &SkippedField) {
    tracing::warn!(
        target: "dintero",
        operation = operation.id(),
        path = printable_path(&skipped.path),
        expected = skipped.expected,
        "a field of the response was skipped"
    );
}

/// An argument of progenitor's functions for a list that may be empty, which then is left out.
pub(super) fn some<T>(values: &Vec<T>) -> Option<&Vec<T>> {
    (!values.is_empty()).then_some(values)
}

impl Core {
    /// Refuses an id of another account, or of the other environment, before anything is sent with it.
    fn guard(&self, owner: Option<&AccountId>) -> Result<()> {
        let own = &self.account;
        let Some(owner) = owner.filter(|owner| *owner != own) else {
            return Ok(());
        };
        let detail = if owner.environment() == own.environment() {
            format!("the id belongs to account {owner}, the client to {own}")
        } else {
            let (theirs, ours) = (owner.environment(), own.environment());
            format!("the id belongs to the {theirs} account {owner}, the client to the {ours} account {own}")
        };
        Err(Error::invalid(detail))
    }
}

/// The span of a call.
macro_rules! call_span {
    ($name:literal, $kind:literal, $account:expr) => {
        ::tracing::info_span!(
            target: "dintero",
            $name,
            kind = $kind,
            account = $account,
            session_id = ::tracing::field::Empty,
            transaction_id = ::tracing::field::Empty,
            outcome = ::tracing::field::Empty,
            error = ::tracing::field::Empty,
            attempt = ::tracing::field::Empty,
            status = ::tracing::field::Empty,
            milliseconds = ::tracing::field::Empty,
            request_id = ::tracing::field::Empty,
        )
    };
}
pub(super) use call_span;
