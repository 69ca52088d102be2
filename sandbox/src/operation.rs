//! The calls that the sandbox serves: names, methods, paths.
//!
//! Not here: what a call does and what it may carry (`rules`), and how it is found (`wire`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// The token call, `POST /accounts/{oid}/auth/token`.
    Token,
    /// `POST /sessions-profile`.
    CreateSessionFromProfile,
    /// `POST /sessions`.
    CreateSession,
    /// `GET /sessions`.
    ListSessions,
    /// `POST /sessions/payment-token`.
    CreatePaymentTokenSession,
    /// `POST /sessions/pay`.
    PaySession,
    /// `GET /sessions/{session_id}`.
    GetSession,
    /// `PUT /sessions/{session_id}`.
    UpdateSession,
    /// `POST /sessions/{session_id}/cancel`.
    CancelSession,
    /// `GET /transactions`.
    ListTransactions,
    /// `GET /transactions/{id}`.
    GetTransaction,
    /// `PUT /transactions/{id}`.
    UpdateTransaction,
    /// `POST /transactions/{id}/capture`.
    CaptureTransaction,
    /// `POST /transactions/{id}/refund`.
    RefundTransaction,
    /// `POST /transactions/{id}/void`.
    VoidTransaction,
    /// `POST /transactions/{id}/authorization`.
    UpdateAuthorization,
}

impl Operation {
    /// Every call, the token call first.
    pub const ALL: [Self; 16] = [
        Self::Token,
        Self::CreateSessionFromProfile,
        Self::CreateSession,
        Self::ListSessions,
        Self::CreatePaymentTokenSession,
        Self::PaySession,
        Self::GetSession,
        Self::UpdateSession,
        Self::CancelSession,
        Self::ListTransactions,
        Self::GetTransaction,
        Self::UpdateTransaction,
        Self::CaptureTransaction,
        Self::RefundTransaction,
        Self::VoidTransaction,
        Self::UpdateAuthorization,
    ];

    /// Returns the name of the call, such as `capture_transaction`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::CreateSessionFromProfile => "create_session_from_profile",
            Self::CreateSession => "create_session",
            Self::ListSessions => "list_sessions",
            Self::CreatePaymentTokenSession => "create_payment_token_session",
            Self::PaySession => "pay_session",
            Self::GetSession => "get_session",
            Self::UpdateSession => "update_session",
            Self::CancelSession => "cancel_session",
            Self::ListTransactions => "list_transactions",
            Self::GetTransaction => "get_transaction",
            Self::UpdateTransaction => "update_transaction",
            Self::CaptureTransaction => "capture_transaction",
            Self::RefundTransaction => "refund_transaction",
            Self::VoidTransaction => "void_transaction",
            Self::UpdateAuthorization => "update_authorization",
        }
    }

    /// Returns the call of this name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.id() == id)
    }

    /// Returns the HTTP method, in upper case.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::ListSessions | Self::GetSession | Self::ListTransactions | Self::GetTransaction => "GET",
            Self::UpdateSession | Self::UpdateTransaction => "PUT",
            _ => "POST",
        }
    }

    /// Returns the path template as published, without the `/v1` in front.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Token => "/accounts/{oid}/auth/token",
            Self::CreateSessionFromProfile => "/sessions-profile",
            Self::CreateSession | Self::ListSessions => "/sessions",
            Self::CreatePaymentTokenSession => "/sessions/payment-token",
            Self::PaySession => "/sessions/pay",
            Self::GetSession | Self::UpdateSession => "/sessions/{session_id}",
            Self::CancelSession => "/sessions/{session_id}/cancel",
            Self::ListTransactions => "/transactions",
            Self::GetTransaction | Self::UpdateTransaction => "/transactions/{id}",
            Self::CaptureTransaction => "/transactions/{id}/capture",
            Self::RefundTransaction => "/transactions/{id}/refund",
            Self::VoidTransaction => "/transactions/{id}/void",
            Self::UpdateAuthorization => "/transactions/{id}/authorization",
        }
    }

    /// Whether the newer form of address, with the account in the path, serves the call too.
    pub(crate) const fn on_both_hosts(self) -> bool {
        !matches!(self, Self::Token | Self::ListSessions)
    }

    /// Returns whether the call changes something at the service: all but the token call and the reads.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(
            self,
            Self::Token | Self::ListSessions | Self::GetSession | Self::ListTransactions | Self::GetTransaction
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_leads_back_to_its_operation() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_id(operation.id()), Some(operation));
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.id());
        }
    }
}
