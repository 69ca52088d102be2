//! One request as the operations see it: checked, authenticated, with its body read.

use serde_json::{Map, Value};

use super::contract::Query;
use super::reply::ApiError;
use crate::operation::Operation;
use crate::state::fault::Course;
use crate::state::transaction::Includes;
use crate::state::{State, is_account};

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// The parameter in the path, decoded.
    pub(crate) parameter: Option<String>,
    /// The account in the path, where the form of address has one.
    pub(crate) account: Option<String>,
    pub(crate) query: Query,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) request_id: String,
    /// How the operation is to turn out.
    pub(crate) course: Course,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn body(&self) -> Result<&Value, ApiError> {
        self.body.as_ref().ok_or_else(|| ApiError::bad_request("body: a JSON body is required"))
    }

    pub(crate) fn values(&self, parameter: &str) -> &[String] {
        self.query.get(parameter).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn value(&self, parameter: &str) -> Option<&str> {
        self.values(parameter).last().map(String::as_str)
    }

    pub(crate) fn flag(&self, parameter: &str) -> bool {
        self.value(parameter) == Some("true")
    }

    pub(crate) fn includes(&self, what: &str) -> bool {
        self.values("includes").iter().any(|value| value == what)
    }

    pub(crate) fn toggle(&self, name: &str) -> bool {
        self.header("dintero-feature-toggles").is_some_and(|value| value.split(',').any(|toggle| toggle.trim() == name))
    }

    /// The headers that are stored with what the request made or changed.
    pub(crate) fn system_headers(&self) -> Value {
        let mut stored = Map::new();
        for name in [
            "dintero-system-name",
            "dintero-system-version",
            "dintero-system-plugin-name",
            "dintero-system-plugin-version",
            "user-agent",
        ] {
            if let Some(value) = self.header(name) {
                stored.insert(name.into(), value.into());
            }
        }
        stored.into()
    }

    /// What the response is to carry beyond the ordinary.
    pub(crate) fn included(&self) -> Includes {
        Includes {
            request_headers: self.includes("events.request_headers"),
            successful_only: self.includes("events.success.true"),
            system_headers: self.includes("initiating_system_request_headers"),
            payment_token: self.includes("card.payment_token"),
            recurrence_token: self.includes("card.recurrence_token"),
            session: self.includes("session"),
            latest_session_event: self.includes("session.events.latest"),
        }
    }

    /// Refuses the newer form of address where it names another account.
    pub(crate) fn own_account(&self, state: &State) -> Result<(), ApiError> {
        match &self.account {
            Some(account) if *account != state.config.account_id => {
                Err(ApiError::new(403, "Forbidden", "the token gives no access to the account in the path"))
            }
            _ => Ok(()),
        }
    }

    /// The id in the path. One that is not of this account is refused before anything is looked up under it.
    pub(crate) fn own_id(&self, state: &State) -> Result<&str, ApiError> {
        let id = self.parameter.as_deref().unwrap_or_default();
        match id.split_once('.') {
            Some((account, short)) if account == state.config.account_id && !short.is_empty() => Ok(id),
            Some((account, short)) if is_account(account) && !short.is_empty() => {
                Err(ApiError::new(403, "Forbidden", format!("the id is of account {account}, the token is not")))
            }
            _ => Err(ApiError::bad_request("the id must be an account id, a dot and a short id")),
        }
    }
}
