//! What some calls do beside sending their request; the others are only sent.
//!
//! The document marks these calls with `x-policy`: their generated `IntoFuture` calls `run`.

use super::call::{self, Request};
use super::calls::{
    CaptureTransactionCall, CreateSessionCall, CreateSessionFromProfileCall, PaySessionCall, RefundTransactionCall,
    UpdateAuthorizationCall, UpdateSessionCall, VoidTransactionCall,
};
use super::completion::{Completion, Move, judge, judge_payment, reference_or_new};
use super::response::Response;
use crate::error::{Error, Result};
use crate::money::OrderError;
use crate::types::{CreatedSession, Session, SessionToggle, Transaction};

impl CreateSessionFromProfileCall {
    pub(super) async fn run(self) -> Result<Response<CreatedSession>> {
        let order = &self.request.order;
        check_order(&self, order.check_line_ids(), self.toggles_in_effect(), || order.check_amount())?;
        call::send(&self).await
    }
}

impl CreateSessionCall {
    pub(super) async fn run(self) -> Result<Response<CreatedSession>> {
        check_order(&self, self.request.order.check_line_ids(), &[], || Ok(()))?;
        call::send(&self).await
    }
}

impl UpdateSessionCall {
    pub(super) async fn run(self) -> Result<Response<Session>> {
        let order = &self.request.order;
        check_order(&self, order.check_line_ids(), self.toggles_in_effect(), || order.check_amount())?;
        call::send(&self).await
    }
}

impl PaySessionCall {
    pub(super) async fn run(self) -> Result<Response<Transaction>> {
        judge_payment(call::send(&self).await?)
    }
}

impl CaptureTransactionCall {
    pub(super) async fn run(mut self) -> Result<Response<Completion>> {
        let reference = fill(&mut self.request.capture_reference);
        judge(call::send(&self).await, Move::Capture, Some(reference))
    }
}

impl RefundTransactionCall {
    pub(super) async fn run(mut self) -> Result<Response<Completion>> {
        let reference = fill(&mut self.request.refund_reference);
        judge(call::send(&self).await, Move::Refund, Some(reference))
    }
}

impl VoidTransactionCall {
    pub(super) async fn run(self) -> Result<Response<Completion>> {
        judge(call::send(&self).await, Move::Void, None)
    }
}

impl UpdateAuthorizationCall {
    pub(super) async fn run(self) -> Result<Response<Transaction>> {
        let reference = self.request.reference.clone();
        let response = judge(call::send(&self).await, Move::Authorization, reference)?;
        Ok(response.map(|completion, _| completion.into_transaction()))
    }
}

/// Gives a request a reference where its caller gave none.
fn fill(reference: &mut Option<String>) -> String {
    let chosen = reference_or_new(reference.as_deref());
    *reference = Some(chosen.clone());
    chosen
}

/// What more than one field of an order has to keep: told apart lines always, the sum where the call is strict.
fn check_order<R: Request>(
    _: &R,
    line_ids: Result<(), OrderError>,
    toggles: &[SessionToggle],
    amount: impl FnOnce() -> Result<(), OrderError>,
) -> Result<()> {
    let name = |cause| Error::order(cause).in_call(R::OPERATION, Default::default());
    line_ids.map_err(name)?;
    if toggles.contains(&SessionToggle::StrictSessionAmounts) { amount().map_err(name) } else { Ok(()) }
}
