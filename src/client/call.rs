//! One call, from the caller's arguments to the answer or the error.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use super::response::{Finished, Response};
use super::{Core, SystemHeaders};
use crate::error::{Error, Result};
use crate::generated;
use crate::generated::operations::OPERATIONS;
use crate::ids::AccountId;
use crate::raw_response::RawResponse;
use crate::read;
use crate::transport::CallScope;

/// What can be set for any one call.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// How long the call may take altogether, in place of the client's time-out.
    pub timeout: Option<Duration>,
    /// System headers, each in place of the client's.
    pub system: SystemHeaders,
}

/// A call about to be made.
pub(crate) struct Plan<'a> {
    pub(crate) operation: &'static str,
    pub(crate) options: &'a CallOptions,
    pub(crate) toggles: Option<(HeaderName, HeaderValue)>,
}

impl<'a> Plan<'a> {
    /// A call that takes no feature toggles.
    pub(crate) fn new(operation: &'static str, options: &'a CallOptions) -> Self {
        Self { operation, options, toggles: None }
    }
}

type Generated<T, E> = Result<progenitor_client::ResponseValue<T>, progenitor_client::Error<E>>;

impl Core {
    /// Makes a call through the generated client.
    pub(crate) async fn call<T, E, F, Fut>(self: &Arc<Self>, plan: Plan<'_>, send: F) -> Result<Response<T>>
    where
        T: DeserializeOwned,
        F: FnOnce(generated::Client) -> Fut,
        Fut: Future<Output = Generated<T, E>>,
    {
        self.call_and(plan, send, |answer, call| match read::from_slice::<T>(&answer.body) {
            Ok(read) => Ok(Response::new(Box::new(read.value), answer, call).with_set_aside(read.set_aside)),
            Err(cause) => Err(Error::unreadable_at(answer, &cause)),
        })
        .await
    }

    /// Makes a call that answers a list, of which a row that cannot be read does not sink the others.
    pub(crate) async fn call_list<T, E, F, Fut>(self: &Arc<Self>, plan: Plan<'_>, send: F) -> Result<Response<Vec<T>>>
    where
        T: DeserializeOwned,
        F: FnOnce(generated::Client) -> Fut,
        Fut: Future<Output = Generated<Vec<T>, E>>,
    {
        self.call_and(plan, send, |answer, call| match read::list_from_slice::<T>(&answer.body) {
            Ok(list) => {
                let mut set_aside = Vec::new();
                let mut rows = Vec::new();
                for row in list.rows {
                    set_aside.extend(row.set_aside);
                    rows.push(row.value);
                }
                Ok(Response::new(Box::new(rows), answer, call)
                    .with_set_aside(set_aside)
                    .with_unreadable(list.unreadable))
            }
            Err(cause) => Err(Error::unreadable_at(answer, &cause)),
        })
        .await
    }

    /// What became of the call is read from the scope: the generated code has no place for most of it.
    async fn call_and<T, E, F, Fut>(
        self: &Arc<Self>,
        plan: Plan<'_>,
        send: F,
        reread: impl FnOnce(RawResponse, Finished) -> Result<Response<T>>,
    ) -> Result<Response<T>>
    where
        F: FnOnce(generated::Client) -> Fut,
        Fut: Future<Output = Generated<T, E>>,
    {
        let limit = plan.options.timeout.unwrap_or(self.timeout);
        let name = |error: Error| error.in_call(plan.operation, false, Default::default());
        let system = plan.options.system.or(&self.defaults.system);
        let mut headers = system.headers().map_err(name)?;
        headers.extend(plan.toggles);
        let Some(operation) = OPERATIONS.iter().find(|known| known.id == plan.operation) else {
            return Err(name(Error::configuration("the operation is not in the document")));
        };
        let scope = CallScope::new(self.service.clone(), operation, headers, limit);
        let client = generated::Client::new_with_client(&self.base, self.service.http.reads.clone(), scope.clone());
        let span = span(plan.operation, self.account.as_str());
        let began = Instant::now();
        // In boxes, the call and what it answers: nothing of this function then is of the size of the answer.
        let sent = Box::pin(async move { send(client).await.map(|value| Box::new(value.into_inner())) });
        let sent = sent.instrument(span.clone()).await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        span.record("milliseconds", milliseconds);
        let call = Finished { operation: plan.operation, spent: scope.spent() };
        match (scope.take_end(), sent) {
            (Some(Ok(answer)), Ok(value)) => Ok(Response::new(value, answer, call)),
            // The generated client could not read it: once more, leniently.
            (Some(Ok(answer)), Err(_)) => reread(answer, call).map_err(|error| scope.name(error)),
            (Some(Err(error)), _) => Err(error),
            // The generated code failed before its request was complete. Its reason may repeat a value.
            (None, _) => Err(scope.name(Error::invalid("the request cannot be built"))),
        }
    }
}

impl Core {
    /// Refuses an id of another account, or of the other environment, before anything is sent with it.
    pub(crate) fn guard(&self, operation: &'static str, owner: &AccountId) -> Result<()> {
        let own = &self.account;
        if owner == own {
            return Ok(());
        }
        let detail = if owner.environment() == own.environment() {
            format!("the id belongs to account {owner}, the client to {own}")
        } else {
            let (theirs, ours) = (owner.environment(), own.environment());
            format!("the id belongs to the {theirs} account {owner}, the client to the {ours} account {own}")
        };
        Err(Error::invalid(detail).in_call(operation, false, Default::default()))
    }
}

/// The span of a call. Its name must be known when compiling, hence one arm per operation.
fn span(operation: &'static str, account: &str) -> tracing::Span {
    macro_rules! spans {
        ($($name:literal)+) => {
            match operation {
                $($name => spans!(@ $name),)+
                _ => spans!(@ "call"),
            }
        };
        (@ $name:literal) => {
            tracing::info_span!(
                target: "dintero",
                $name,
                account,
                attempt = Empty,
                status = Empty,
                milliseconds = Empty,
                request_id = Empty,
            )
        };
    }
    spans!(
        "create_session_from_profile" "create_session" "list_sessions" "get_session" "update_session"
        "cancel_session" "create_payment_token_session" "pay_session" "list_transactions"
        "get_transaction" "update_transaction" "capture_transaction" "refund_transaction"
        "void_transaction" "update_authorization"
    )
}
