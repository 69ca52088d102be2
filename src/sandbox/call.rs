//! One request as the operations see it: checked, authenticated, with its body read.

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::contract::Query;
use super::fault::Course;
use super::operation::Route;

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) route: Route,
    pub(super) query: Query,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    pub(super) request_id: String,
    /// How the operation is to turn out.
    pub(super) course: Course,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The id in the path.
    pub(super) fn id(&self) -> &str {
        self.route.path_parameter.as_ref().map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn body(&self) -> Result<&Value, ApiError> {
        self.body.as_ref().ok_or_else(|| ApiError::bad_request("body: a JSON body is required"))
    }

    pub(super) fn values(&self, parameter: &str) -> &[String] {
        self.query.get(parameter).map_or(&[], Vec::as_slice)
    }

    pub(super) fn value(&self, parameter: &str) -> Option<&str> {
        self.values(parameter).last().map(String::as_str)
    }

    pub(super) fn flag(&self, parameter: &str) -> bool {
        self.value(parameter) == Some("true")
    }

    pub(super) fn includes(&self, what: &str) -> bool {
        self.values("includes").iter().any(|value| value == what)
    }

    pub(super) fn toggle(&self, name: &str) -> bool {
        self.header("dintero-feature-toggles").is_some_and(|value| value.split(',').any(|toggle| toggle.trim() == name))
    }

    /// The headers that are stored with what the request made or changed.
    pub(super) fn system_headers(&self) -> Value {
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
}
