//! The calls the sandbox answers: names, methods, paths, and the match of a request line to one.
//!
//! Not here: what a call does (`sessions`, `transactions`, ...) and what it may carry (`contract`).

use std::fmt;

/// A call of the API, by the name this crate gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Every call, the token call first. Literal paths stand before those with an id in the same
    /// place, because the first match wins.
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

    /// The operation id of the crate's document, `token` for the token call.
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

    /// The call with this operation id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.id() == id)
    }

    /// The HTTP method, in upper case.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::ListSessions | Self::GetSession | Self::ListTransactions | Self::GetTransaction => "GET",
            Self::UpdateSession | Self::UpdateTransaction => "PUT",
            _ => "POST",
        }
    }

    /// The path template as published, without the `/v1` in front.
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

    /// Whether the call changes something at the service: all but the token call and the reads.
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

/// A request line that was recognised: the call and the parameter in its path, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: Operation,
    pub(super) path_parameter: Option<(&'static str, String)>,
}

/// Why a request line was not recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unrouted {
    Path,
    Method,
}

/// Finds the call for a method and a raw path. The path starts with `/v1`; the newer
/// generation's prefix `/v1/accounts/{aid}/payments` is answered alike, but not for listing
/// sessions, which exists at the classic host only.
pub(super) fn route(method: &str, path: &str) -> Result<Route, Unrouted> {
    let path = path.strip_prefix("/v1").ok_or(Unrouted::Path)?;
    let (path, newer) = match newer_generation(path) {
        Some(rest) => (rest, true),
        None => (path, false),
    };
    let mut found = Unrouted::Path;
    for operation in Operation::ALL {
        if newer && matches!(operation, Operation::Token | Operation::ListSessions) {
            continue;
        }
        let Some(path_parameter) = match_template(operation.path(), path) else {
            continue;
        };
        if operation.method() == method {
            return Ok(Route { operation, path_parameter });
        }
        found = Unrouted::Method;
    }
    Err(found)
}

fn newer_generation(path: &str) -> Option<&str> {
    let (account, rest) = path.strip_prefix("/accounts/")?.split_once('/')?;
    let rest = rest.strip_prefix("payments")?;
    (!account.is_empty() && rest.starts_with('/')).then_some(rest)
}

/// `Some` when the path fits the template, with its one parameter where the template has one.
fn match_template(template: &'static str, path: &str) -> Option<Option<(&'static str, String)>> {
    let mut parameter = None;
    let mut given = path.split('/');
    for expected in template.split('/') {
        let given = given.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if given.is_empty() => return None,
            Some(name) => parameter = Some((name, percent_decode(given)?)),
            None if expected != given => return None,
            None => {}
        }
    }
    given.next().is_none().then_some(parameter)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = tail.get(..2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Option<(&'static str, Option<String>)> {
        route(method, path).ok().map(|route| (route.operation.id(), route.path_parameter.map(|(_, value)| value)))
    }

    #[test]
    fn literal_paths_win_over_ids_and_ids_are_decoded() {
        assert_eq!(found("POST", "/v1/sessions/pay"), Some(("pay_session", None)));
        assert_eq!(found("GET", "/v1/sessions/T00000000%2Eabc"), Some(("get_session", Some("T00000000.abc".into()))));
        assert_eq!(found("POST", "/v1/transactions/x/capture"), Some(("capture_transaction", Some("x".into()))));
    }

    #[test]
    fn the_newer_generation_answers_all_but_the_list_of_sessions() {
        let base = "/v1/accounts/T00000000/payments";
        assert_eq!(found("GET", &format!("{base}/transactions")), Some(("list_transactions", None)));
        assert_eq!(found("GET", &format!("{base}/sessions")), None);
        assert_eq!(found("POST", &format!("{base}/sessions")), Some(("create_session", None)));
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        assert_eq!(route("DELETE", "/v1/transactions"), Err(Unrouted::Method));
        assert_eq!(route("GET", "/v1/transactions/"), Err(Unrouted::Path));
        assert_eq!(route("GET", "/transactions"), Err(Unrouted::Path));
        assert_eq!(route("GET", "/v1/transactions/%zz"), Err(Unrouted::Path));
    }

    #[test]
    fn every_id_leads_back_to_its_operation() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_id(operation.id()), Some(operation));
        }
    }
}
