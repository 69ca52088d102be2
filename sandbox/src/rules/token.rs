//! The token call and the check of bearer tokens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::call::Call;
use super::reply::{ApiError, Reply};
use crate::json::text;
use crate::state::State;

/// `POST /accounts/{oid}/auth/token`.
pub(crate) fn issue(state: &mut State, call: &Call) -> Result<Reply, ApiError> {
    let given = call.header("authorization").and_then(basic);
    let known = (state.config.client_id.as_str(), state.config.client_secret.as_str());
    if given.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str())) != Some(known) {
        return Err(ApiError::unauthorized("the client id and secret are not those of this account"));
    }
    if call.parameter.as_deref() != Some(state.config.account_id.as_str()) {
        return Err(ApiError::new(403, "Forbidden", "the client has no access to this account"));
    }
    let body = call.body()?;
    let audience = text(body, "/audience").unwrap_or_default();
    if !takes(state, audience) {
        let account = &state.config.account_id;
        return Err(ApiError::bad_request(format!("body/audience: {{any base}}/v1/accounts/{account} is expected")));
    }
    let now = state.clock.now();
    let lifetime = i64::try_from(state.token_lifetime).unwrap_or(i64::MAX);
    let end =
        chrono::TimeDelta::try_seconds(lifetime).and_then(|lifetime| now.checked_add_signed(lifetime)).unwrap_or(now);
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // Looks like a JWT and is none: nobody but the sandbox checks it, by knowing it.
    let token = format!(
        "{}.{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(json!({ "aud": audience, "iat": now.timestamp(), "exp": end.timestamp() })),
        state.ids.hex(),
    );
    state.tokens.insert(token.clone(), end);
    state.new_tokens.push((token.clone(), end));
    Ok(Reply::ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": state.token_lifetime,
    })))
}

/// The audience names the account, at whatever base the client knows; a test may insist on one.
fn takes(state: &State, audience: &str) -> bool {
    match &state.config.audience {
        Some(expected) => audience == expected,
        None => {
            let ending = format!("/v1/accounts/{}", state.config.account_id);
            let base = audience.strip_suffix(&ending).and_then(|base| url::Url::parse(base).ok());
            base.is_some_and(|base| base.has_host() && matches!(base.scheme(), "http" | "https"))
        }
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Lets a call pass whose bearer token was issued here and has not ended.
pub(crate) fn check(state: &State, call: &Call) -> Result<(), ApiError> {
    let token = call
        .header("authorization")
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return Err(ApiError::unauthorized("a bearer token is required"));
    };
    match state.tokens.get(token) {
        Some(end) if state.clock.now() < *end => Ok(()),
        Some(_) => Err(ApiError::unauthorized("the token has expired")),
        None => Err(ApiError::unauthorized("the token is not known")),
    }
}
