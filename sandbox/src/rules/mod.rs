//! What a request may do and what comes of it: the published interface, the rules that no schema can state, and the
//! calls. Everything here works on the state alone; nothing here knows of sockets.

pub(crate) mod call;
pub(crate) mod contract;
pub(crate) mod customer;
pub(crate) mod express;
mod listing;
pub(crate) mod notify;
mod order;
mod payment;
pub(crate) mod products;
pub(crate) mod reply;
pub(crate) mod responses;
pub(crate) mod schema;
pub(crate) mod sessions;
mod token;
pub(crate) mod transactions;

use self::call::Call;
use self::reply::{ApiError, Reply};
use crate::operation::Operation;
use crate::state::State;

/// Does what a request asks for, when it may: `checked` is what the published interface says of the request.
pub(crate) fn perform(state: &mut State, call: &Call, checked: Result<(), ApiError>) -> Reply {
    match attempt(state, call, checked) {
        Ok(reply) => reply,
        Err(error) if call.operation == Operation::PaySession => payment::refused(error),
        Err(error) => error.into_reply(),
    }
}

fn attempt(state: &mut State, call: &Call, checked: Result<(), ApiError>) -> Result<Reply, ApiError> {
    if call.operation != Operation::Token {
        token::check(state, call)?;
        call.own_account(state)?;
    }
    checked?;
    match call.operation {
        Operation::Token => token::issue(state, call),
        Operation::CreateSessionFromProfile => sessions::create_from_profile(state, call),
        Operation::CreateSession => sessions::create(state, call),
        Operation::ListSessions => listing::sessions(state, call),
        Operation::CreatePaymentTokenSession => sessions::create_payment_token(state, call),
        Operation::PaySession => payment::pay_session(state, call),
        Operation::GetSession => sessions::get(state, call),
        Operation::UpdateSession => sessions::update(state, call),
        Operation::CancelSession => sessions::cancel(state, call),
        Operation::ListTransactions => listing::transactions(state, call),
        Operation::GetTransaction => transactions::get(state, call),
        Operation::UpdateTransaction => transactions::update(state, call),
        Operation::CaptureTransaction => transactions::capture(state, call),
        Operation::RefundTransaction => transactions::refund(state, call),
        Operation::VoidTransaction => transactions::void(state, call),
        Operation::UpdateAuthorization => transactions::authorization(state, call),
    }
}
