//! Calls on checkout sessions.

use std::sync::Arc;

use super::call::{CallOptions, Plan};
use super::completion::judge_payment;
use super::options::{
    CreateSessionOptions, GetSessionOptions, ListSessions, PaySessionOptions, ProfileSessionOptions,
    UpdateSessionOptions, list, some,
};
use super::response::Response;
use super::{Client, Core, toggles};
use crate::error::{Error, Result, Spent};
use crate::ids::SessionId;
use crate::money::OrderError;
use crate::types::{
    CreateSession, CreateSessionFromProfile, CreatedSession, PayRequest, PaymentTokenRequest, Session, SessionToggle,
    Transaction, UpdateSession,
};

/// Calls on checkout sessions; made by [`Client::sessions`].
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(super) core: Arc<Core>,
}

impl Client {
    /// Calls on checkout sessions.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { core: self.core.clone() }
    }
}

macro_rules! operation_doc {
    ($id:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $id, ".md"))
    };
}

impl Sessions {
    #[doc = operation_doc!("create_session_from_profile")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error). After an [`Outcome::Unknown`](crate::Outcome::Unknown) a session may exist
    /// that nobody has the address of; it expires by itself, so another may be created.
    pub async fn create_from_profile(
        &self,
        request: &CreateSessionFromProfile,
        options: ProfileSessionOptions,
    ) -> Result<Response<CreatedSession>> {
        let own = options.toggles.as_ref();
        let toggles = own.unwrap_or(&self.core.defaults.order_toggles);
        let plan = Plan {
            operation: "create_session_from_profile",
            options: &options.call,
            toggles: toggles::header(toggles).map_err(named("create_session_from_profile"))?,
        };
        let order = &request.order;
        check_order(&plan, toggles, order.check_line_ids(), || order.check_amount())?;
        let send = async |client: crate::generated::Client| {
            client.create_session_from_profile(options.include_session, request).await
        };
        self.core.call(plan, send).await
    }

    #[doc = operation_doc!("create_session")]
    ///
    /// # Errors
    /// As [`create_from_profile`](Self::create_from_profile).
    pub async fn create(
        &self,
        request: &CreateSession,
        options: CreateSessionOptions,
    ) -> Result<Response<CreatedSession>> {
        let plan = Plan::new("create_session", &options.call);
        check_order(&plan, &[], request.order.check_line_ids(), || Ok(()))?;
        self.core.call(plan, async |client| client.create_session(options.include_session, request).await).await
    }

    #[doc = operation_doc!("list_sessions")]
    ///
    /// One page. For all rows see [`list_all`](Self::list_all) and [`list_pages`](Self::list_pages).
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn list(&self, query: &ListSessions) -> Result<Response<Vec<Session>>> {
        let plan = Plan::new("list_sessions", &query.call);
        let send = async |client: crate::generated::Client| {
            client
                .list_sessions(
                    query.created_at_gte.as_deref(),
                    query.created_at_lte.as_deref(),
                    list(&query.id),
                    query.limit.map(i64::from),
                    query.search.as_deref(),
                    query.starting_after.as_deref(),
                    list(&query.store_id),
                    list(&query.transaction_id),
                )
                .await
        };
        self.core.call_list(plan, send).await
    }

    #[doc = operation_doc!("get_session")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn get(&self, id: &SessionId, options: GetSessionOptions) -> Result<Response<Session>> {
        let plan = Plan::new("get_session", &options.call);
        self.core.guard(plan.operation, id.account())?;
        self.core.call(plan, async |client| client.get_session(id.as_str(), some(&options.includes)).await).await
    }

    #[doc = operation_doc!("update_session")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn update(
        &self,
        id: &SessionId,
        request: &UpdateSession,
        options: UpdateSessionOptions,
    ) -> Result<Response<Session>> {
        let own = options.toggles.as_ref();
        let toggles = own.unwrap_or(&self.core.defaults.order_toggles);
        let plan = Plan {
            operation: "update_session",
            options: &options.call,
            toggles: toggles::header(toggles).map_err(named("update_session"))?,
        };
        self.core.guard(plan.operation, id.account())?;
        let order = &request.order;
        check_order(&plan, toggles, order.check_line_ids(), || order.check_amount())?;
        let send = async |client: crate::generated::Client| {
            client
                .update_session(
                    id.as_str(),
                    options.force_shipping_address_callback,
                    options.update_without_lock,
                    request,
                )
                .await
        };
        self.core.call(plan, send).await
    }

    #[doc = operation_doc!("cancel_session")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn cancel(&self, id: &SessionId, options: CallOptions) -> Result<Response<Session>> {
        let plan = Plan::new("cancel_session", &options);
        self.core.guard(plan.operation, id.account())?;
        self.core.call(plan, async |client| client.cancel_session(id.as_str()).await).await
    }

    #[doc = operation_doc!("create_payment_token_session")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn create_payment_token(
        &self,
        request: &PaymentTokenRequest,
        options: CreateSessionOptions,
    ) -> Result<Response<CreatedSession>> {
        let plan = Plan::new("create_payment_token_session", &options.call);
        let send = async |client: crate::generated::Client| {
            client.create_payment_token_session(options.include_session, request).await
        };
        self.core.call(plan, send).await
    }

    #[doc = operation_doc!("pay_session")]
    ///
    /// The service answers 200 for a declined payment as well: that is an error here.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) when the payment was declined:
    /// [`Error::retry_codes`](crate::Error::retry_codes) and [`Error::retry_after`](crate::Error::retry_after)
    /// say whether and when the same card may be tried again; ignoring them blocks cards.
    pub async fn pay(&self, request: &PayRequest, options: PaySessionOptions) -> Result<Response<Transaction>> {
        let own = options.toggles.as_ref();
        let toggles = own.unwrap_or(&self.core.defaults.pay_toggles);
        let plan = Plan {
            operation: "pay_session",
            options: &options.call,
            toggles: toggles::header(toggles).map_err(named("pay_session"))?,
        };
        let answer = self.core.call(plan, async |client| client.pay_session(request).await).await?;
        judge_payment(answer)
    }
}

/// Names the call in an error that comes before it.
fn named(operation: &'static str) -> impl FnOnce(Error) -> Error {
    move |error| error.in_call(operation, false, Spent::default())
}

/// What more than one field of an order has to keep: told apart lines always, the sum where the call is strict.
fn check_order(
    plan: &Plan<'_>,
    toggles: &[SessionToggle],
    line_ids: std::result::Result<(), OrderError>,
    amount: impl FnOnce() -> std::result::Result<(), OrderError>,
) -> Result<()> {
    let name = |cause| named(plan.operation)(Error::order(cause));
    line_ids.map_err(name)?;
    if toggles.contains(&SessionToggle::StrictSessionAmounts) { amount().map_err(name) } else { Ok(()) }
}
