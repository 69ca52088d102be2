//! What some calls do beside sending their request; the others are only sent.
//!
//! The document marks these calls with `x-policy`: their generated `IntoFuture` calls `run`.

use super::call::{self, Request};
use super::calls::{
    CancelSessionCall, CaptureTransactionCall, CreateSessionCall, CreateSessionFromProfileCall, PaySessionCall,
    RefundTransactionCall, UpdateAuthorizationCall, UpdateSessionCall, VoidTransactionCall,
};
use super::money::Started;
use super::response::Response;
use crate::error::{Error, Result};
use crate::money::OrderError;
use crate::types::{CreatedSession, Session, SessionToggle};
use crate::verdict::{Attempt, Verdict};

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

/// The money calls: each is sent as an attempt, and its result is judged.
macro_rules! money_calls {
    ($($call:ident { $call_expr:expr, $end:ident, $of:literal $(, $field:ident)? })+) => {$(
        impl $call {
            /// Makes the attempt that the call is sent as, or gives the one that was made before.
            ///
            /// Store it before the call is awaited: with it, [`Client::resolve`](crate::Client::resolve) finds out
            /// what became of the call even if its future is dropped or the process dies. Its time starts when it is
            /// made: awaited later, the call has what is left of its timeout, and none of it is sent after that.
            #[doc = $of]
            pub fn attempt(&mut self) -> Attempt {
                if let Some(attempt) = &self.context.attempt {
                    return (**attempt).clone();
                }
                let make: fn(&Self) -> Attempt = $call_expr;
                let attempt = make(self);
                self.context.attempt = Some(Box::new(attempt.clone()));
                attempt
            }

            pub(super) async fn run(mut self) -> Result<Response<Verdict>> {
                let attempt = self.attempt();
                $(self.request.$field = attempt.reference.clone();)?
                let started = Started::begin(attempt)?;
                self.context.timeout = Some(started.left());
                started.$end(call::send(&self).await)
            }
        }
    )+};
}

money_calls! {
    CaptureTransactionCall {
        |call| Attempt::capture(&call.id, &call.request, call.context.limit()), end,
        "\n\nA `capture_reference` is generated where the request has none.", capture_reference
    }
    RefundTransactionCall {
        |call| Attempt::refund(&call.id, &call.request, call.context.limit()), end,
        "\n\nA `refund_reference` is generated where the request has none.", refund_reference
    }
    VoidTransactionCall { |call| Attempt::void(&call.id, call.context.limit()), end, "" }
    UpdateAuthorizationCall {
        |call| Attempt::authorization(&call.id, &call.request, call.context.limit()), end,
        "\n\nA `reference` is generated where the request has none.", reference
    }
    PaySessionCall {
        |call| Attempt::pay(&call.context.core.account, &call.request, call.context.limit()), end,
        "\n\nA payment is found by its `merchant_reference`."
    }
    CancelSessionCall { |call| Attempt::cancel(&call.session_id, call.context.limit()), end_session, "" }
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
