//! Calls on transactions.

use std::sync::Arc;

use super::call::{CallOptions, Plan};
use super::completion::{Completion, Move, judge, reference_or_new};
use super::options::{GetTransactionOptions, ListTransactions, OperationOptions, list, some};
use super::response::Response;
use super::{Client, Core};
use crate::error::Result;
use crate::ids::TransactionId;
use crate::types::{AuthorizationRequest, CaptureRequest, RefundRequest, Transaction, UpdateTransaction};

/// Calls on transactions; made by [`Client::transactions`].
#[derive(Clone, Debug)]
pub struct Transactions {
    pub(super) core: Arc<Core>,
}

impl Client {
    /// Calls on transactions.
    #[must_use]
    pub fn transactions(&self) -> Transactions {
        Transactions { core: self.core.clone() }
    }
}

macro_rules! operation_doc {
    ($id:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $id, ".md"))
    };
}

impl Transactions {
    #[doc = operation_doc!("list_transactions")]
    ///
    /// One page. For all rows see [`list_all`](Self::list_all) and [`list_pages`](Self::list_pages).
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn list(&self, query: &ListTransactions) -> Result<Response<Vec<Transaction>>> {
        let plan = Plan::new("list_transactions", &query.call);
        let send = async |client: crate::generated::Client| {
            client
                .list_transactions(
                    query.amount,
                    query.amount_gte,
                    query.amount_lte,
                    query.captured_at_gte.as_deref(),
                    query.captured_at_lte.as_deref(),
                    list(&query.card_brand),
                    query.created_at_gte.as_deref(),
                    query.created_at_lte.as_deref(),
                    some(&query.currency),
                    query.customer_id.as_deref(),
                    list(&query.id),
                    some(&query.includes),
                    query.limit.map(i64::from),
                    query.merchant_reference.as_deref(),
                    query.merchant_reference_2.as_deref(),
                    query.payment_operation.as_deref(),
                    list(&query.payment_product),
                    list(&query.payment_product_type),
                    list(&query.payout_correlation_id),
                    query.payout_destination_id.as_deref(),
                    query.refunded_at_gte.as_deref(),
                    query.refunded_at_lte.as_deref(),
                    query.search.as_deref(),
                    list(&query.session_id),
                    query.starting_after.as_deref(),
                    some(&query.status),
                    list(&query.store_id),
                    list(&query.token_id),
                )
                .await
        };
        self.core.call_list(plan, send).await
    }

    #[doc = operation_doc!("get_transaction")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn get(&self, id: &TransactionId, options: GetTransactionOptions) -> Result<Response<Transaction>> {
        let plan = Plan::new("get_transaction", &options.call);
        self.core.guard(plan.operation, id.account())?;
        self.core.call(plan, async |client| client.get_transaction(id.as_str(), some(&options.includes)).await).await
    }

    #[doc = operation_doc!("update_transaction")]
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    pub async fn update(
        &self,
        id: &TransactionId,
        request: &UpdateTransaction,
        options: CallOptions,
    ) -> Result<Response<Transaction>> {
        let plan = Plan::new("update_transaction", &options);
        self.core.guard(plan.operation, id.account())?;
        self.core.call(plan, async |client| client.update_transaction(id.as_str(), request).await).await
    }

    #[doc = operation_doc!("capture_transaction")]
    ///
    /// A `capture_reference` is made up when the request has none; it comes back as
    /// [`Response::reference`] or [`Error::reference`](crate::Error::reference).
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) when the service says that the capture failed. With
    /// [`Outcome::Unknown`](crate::Outcome::Unknown) the money may have moved: [`resolve`](Self::resolve) finds
    /// out.
    pub async fn capture(
        &self,
        id: &TransactionId,
        request: &CaptureRequest,
        options: OperationOptions,
    ) -> Result<Response<Completion>> {
        let reference = reference_or_new(request.capture_reference.as_deref());
        let request = CaptureRequest { capture_reference: Some(reference.clone()), ..request.clone() };
        let plan = Plan::new("capture_transaction", &options.call);
        self.core.guard(plan.operation, id.account())?;
        let send = async |client: crate::generated::Client| {
            client.capture_transaction(id.as_str(), some(&options.includes), &request).await
        };
        judge(self.core.call(plan, send).await, Move::Capture, Some(reference))
    }

    #[doc = operation_doc!("refund_transaction")]
    ///
    /// A `refund_reference` is made up when the request has none; it comes back as
    /// [`Response::reference`] or [`Error::reference`](crate::Error::reference).
    ///
    /// # Errors
    /// As [`capture`](Self::capture).
    pub async fn refund(
        &self,
        id: &TransactionId,
        request: &RefundRequest,
        options: OperationOptions,
    ) -> Result<Response<Completion>> {
        let reference = reference_or_new(request.refund_reference.as_deref());
        let request = RefundRequest { refund_reference: Some(reference.clone()), ..request.clone() };
        let plan = Plan::new("refund_transaction", &options.call);
        self.core.guard(plan.operation, id.account())?;
        let send = async |client: crate::generated::Client| {
            client.refund_transaction(id.as_str(), some(&options.includes), &request).await
        };
        judge(self.core.call(plan, send).await, Move::Refund, Some(reference))
    }

    #[doc = operation_doc!("void_transaction")]
    ///
    /// # Errors
    /// As [`capture`](Self::capture).
    pub async fn void(&self, id: &TransactionId, options: OperationOptions) -> Result<Response<Completion>> {
        let plan = Plan::new("void_transaction", &options.call);
        self.core.guard(plan.operation, id.account())?;
        let send = async |client: crate::generated::Client| {
            client.void_transaction(id.as_str(), some(&options.includes)).await
        };
        judge(self.core.call(plan, send).await, Move::Void, None)
    }

    #[doc = operation_doc!("update_authorization")]
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) when the service says that it failed.
    pub async fn update_authorization(
        &self,
        id: &TransactionId,
        request: &AuthorizationRequest,
        options: CallOptions,
    ) -> Result<Response<Transaction>> {
        let plan = Plan::new("update_authorization", &options);
        self.core.guard(plan.operation, id.account())?;
        let send = async |client: crate::generated::Client| client.update_authorization(id.as_str(), request).await;
        let answer = judge(self.core.call(plan, send).await, Move::Authorization, request.reference.clone())?;
        Ok(answer.map(|completion, _| completion.into_transaction()))
    }
}
