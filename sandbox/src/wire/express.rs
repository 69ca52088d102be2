//! Asking the merchant's server during an express checkout: once, with a signature, as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::Url;

use super::deliver::signature;
use super::outbound::{Outgoing, refusal};
use super::server::Shared;
use crate::rules::contract;
use crate::rules::customer::CustomerError;
use crate::rules::express::{Given, give, settle};

/// How long a merchant may take to respond; there is one attempt only.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The customer gives something, and the merchant is asked what comes of it.
pub(crate) async fn ask(shared: &Arc<Shared>, id: &str, given: Given) -> Result<(), CustomerError> {
    let (url, body) = shared.change(|state| give(state, id, &given))?;
    let response = match &url {
        Some(url) => Some(question(shared, url, &body).await.map_err(CustomerError::Express)?),
        None => None,
    };
    shared.change(|state| settle(state, id, &given, response.as_ref()))
}

/// Asks the merchant; gives the response, or what is wrong with it.
async fn question(shared: &Shared, url: &Url, body: &str) -> Result<Value, String> {
    if let Some(reason) = refusal(url, &shared.allowed) {
        return Err(format!("not asked: {reason}"));
    }
    let headers = signature(shared, &Method::POST, url).map(|value| ("dintero-signature", value)).into_iter().collect();
    let request = Outgoing { method: &Method::POST, url, headers, body: Some(body) };
    let (status, body) = tokio::time::timeout(TIMEOUT, request.send())
        .await
        .map_err(|_| format!("no response within {} s", TIMEOUT.as_secs()))?
        .map_err(|error| format!("no response: {error}"))?;
    if status != 200 {
        return Err(format!("it responded with {status}"));
    }
    let response: Value = serde_json::from_slice(&body).map_err(|error| format!("its response is no JSON: {error}"))?;
    match contract::express_problem(&response) {
        None => Ok(response),
        Some(problem) => Err(format!("its response is not what the interface has: {problem}")),
    }
}
