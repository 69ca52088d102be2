//! From a request line to the operation that it asks for.

use std::sync::LazyLock;

use matchit::Router;
use percent_encoding::percent_decode_str;

use crate::operation::Operation;

/// A request line that was recognised: the call, the account in its path, and the parameter, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) parameter: Option<String>,
    /// The account of the newer form of address, `/v1/accounts/{id}/payments`.
    pub(crate) account: Option<String>,
}

/// Why a request line was not recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unrouted {
    Path,
    /// The path is one; these methods are known on it.
    Method(Vec<&'static str>),
}

/// The calls that share a path, and whether it is of the newer form.
struct Place {
    operations: Vec<Operation>,
    newer: bool,
}

static ROUTES: LazyLock<Router<Place>> = LazyLock::new(|| {
    let mut router = Router::new();
    for newer in [false, true] {
        let prefix = if newer { "/v1/accounts/{oid}/payments" } else { "/v1" };
        let mut paths: Vec<_> = Operation::ALL.iter().map(|operation| operation.path()).collect();
        paths.dedup();
        for path in paths {
            let served = |operation: &Operation| operation.path() == path && (!newer || operation.on_both_hosts());
            let operations: Vec<_> = Operation::ALL.into_iter().filter(served).collect();
            if !operations.is_empty() {
                // Fails for a path that is there already, and then it is the same one.
                let _ = router.insert(format!("{prefix}{path}"), Place { operations, newer });
            }
        }
    }
    router
});

/// Finds the call for a method and a raw path.
pub(crate) fn route(method: &str, path: &str) -> Result<Route, Unrouted> {
    let found = ROUTES.at(path).map_err(|_| Unrouted::Path)?;
    if found.params.iter().any(|(_, value)| value.is_empty()) {
        return Err(Unrouted::Path);
    }
    let place = found.value;
    let operation = place.operations.iter().find(|operation| operation.method() == method).copied();
    let operation = operation
        .ok_or_else(|| Unrouted::Method(place.operations.iter().map(|operation| operation.method()).collect()))?;
    let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
    let mut parameters = found.params.iter();
    let account = if place.newer { parameters.next().map(|(_, value)| decoded(value)) } else { None };
    let parameter = parameters.next().map(|(_, value)| decoded(value));
    Ok(Route { operation, parameter, account })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Option<(&'static str, Option<String>)> {
        route(method, path).ok().map(|route| (route.operation.id(), route.parameter))
    }

    #[test]
    fn every_operation_is_found_under_its_own_path() {
        for operation in Operation::ALL {
            let path = format!("/v1{}", operation.path()).replace("{oid}", "x").replace("{session_id}", "x");
            let path = path.replace("{id}", "x");
            assert_eq!(route(operation.method(), &path).map(|route| route.operation), Ok(operation));
        }
    }

    #[test]
    fn literal_paths_win_over_ids_and_ids_are_decoded() {
        assert_eq!(found("POST", "/v1/sessions/pay"), Some(("pay_session", None)));
        assert_eq!(found("GET", "/v1/sessions/T00000000%2Eabc"), Some(("get_session", Some("T00000000.abc".into()))));
        assert_eq!(found("POST", "/v1/transactions/x/capture"), Some(("capture_transaction", Some("x".into()))));
        assert_eq!(found("POST", "/v1/accounts/T1/auth/token"), Some(("token", Some("T1".into()))));
    }

    #[test]
    fn the_newer_form_serves_all_but_the_list_of_sessions() {
        let base = "/v1/accounts/T00000000/payments";
        let route = route("GET", &format!("{base}/transactions/a")).unwrap();
        assert_eq!((route.account.as_deref(), route.parameter.as_deref()), (Some("T00000000"), Some("a")));
        assert_eq!(found("GET", &format!("{base}/sessions")), None);
        assert_eq!(found("POST", &format!("{base}/sessions")), Some(("create_session", None)));
        assert_eq!(found("POST", &format!("{base}/accounts/x/auth/token")), None);
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        assert_eq!(route("DELETE", "/v1/sessions"), Err(Unrouted::Method(vec!["POST", "GET"])));
        for path in ["/v1/transactions/", "/transactions", "/v1/accounts//payments/transactions"] {
            assert_eq!(route("GET", path), Err(Unrouted::Path), "{path}");
        }
    }
}
