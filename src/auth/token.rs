//! An access token and when it is to be renewed.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use secrecy::SecretString;
use tokio::time::Instant;

use super::store::StoredToken;
use crate::error::{Error, Result};

/// In the advisory window a token is renewed while it is still used.
const ADVISORY: TimeDelta = TimeDelta::seconds(300);
/// In the mandatory window callers wait for a new one: a request may be on its way for that long.
const MANDATORY: TimeDelta = TimeDelta::seconds(30);

/// What a token is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Fresh,
    /// Still good; to be renewed by one while the others go on.
    Advisory,
    /// Still valid, but so close to its end that callers wait for the next.
    Mandatory,
    Expired,
}

pub(crate) struct Token {
    header: HeaderValue,
    stored: StoredToken,
    /// Tells tokens of one cache apart without comparing secrets.
    pub(crate) generation: u64,
    /// It took the place of one that was refused.
    pub(crate) after_refusal: bool,
    /// Fetched by this process, not by another that shares the journal.
    pub(crate) fetched: bool,
    /// Since when it is ours.
    pub(crate) since: Instant,
}

impl Token {
    /// # Errors
    /// When the token cannot stand in a header.
    pub(crate) fn new(stored: StoredToken, generation: u64, after_refusal: bool, fetched: bool) -> Result<Self> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", stored.expose()))
            .map_err(|_| Error::configuration("the access token cannot stand in a header"))?;
        header.set_sensitive(true);
        Ok(Self { header, stored, generation, after_refusal, fetched, since: Instant::now() })
    }

    /// The value of the `Authorization` header, marked sensitive.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(crate) fn stored(&self) -> &StoredToken {
        &self.stored
    }

    pub(crate) fn age(&self, now: DateTime<Utc>) -> Age {
        self.stored.age(now)
    }
}

impl StoredToken {
    /// The windows shrink with the lifetime, so that a token of a minute is not renewed at once.
    pub(crate) fn age(&self, now: DateTime<Utc>) -> Age {
        let life = self.expires_at() - self.obtained_at();
        let left = self.expires_at() - now;
        if left <= TimeDelta::zero() {
            Age::Expired
        } else if left <= MANDATORY.min(life / 10) {
            Age::Mandatory
        } else if left <= ADVISORY.min(life / 4) {
            Age::Advisory
        } else {
            Age::Fresh
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation)
            .field("expires_at", &self.stored.expires_at())
            .finish_non_exhaustive()
    }
}

/// The response of the token call.
pub(crate) struct Grant {
    pub(crate) access_token: SecretString,
    pub(crate) lifetime: TimeDelta,
}

impl Grant {
    /// Reads `access_token`, `token_type` and `expires_in`. The reason of a refusal names the field.
    ///
    /// A lifetime is never assumed: one that is missing or unreadable counts as zero, which makes the token
    /// good for the calls that wait for it and no more.
    pub(crate) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| "the response is not JSON")?;
        let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
        if let Some(kind) = text("token_type")
            && !kind.eq_ignore_ascii_case("bearer")
        {
            return Err("token_type is not Bearer");
        }
        let access_token = text("access_token").filter(|token| !token.is_empty()).ok_or("access_token is missing")?;
        let seconds = value.get("expires_in").and_then(seconds).unwrap_or(0);
        // A century, so that no sum of times can overflow.
        let seconds = seconds.clamp(0, 3_155_760_000);
        Ok(Self {
            access_token: SecretString::from(access_token),
            lifetime: TimeDelta::try_seconds(seconds).unwrap_or_default(),
        })
    }
}

fn seconds(value: &serde_json::Value) -> Option<i64> {
    match value {
        serde_json::Value::Number(number) => number
            .as_i64()
            // Written with a fraction, or too large for any use: both are cut by the conversion.
            .or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn ages(life: i64, left: &[i64]) -> Vec<Age> {
        let start = DateTime::UNIX_EPOCH;
        let end = start + TimeDelta::seconds(life);
        let token = StoredToken::new("x".into(), start, end);
        left.iter().map(|left| token.age(end - TimeDelta::seconds(*left))).collect()
    }

    #[test]
    fn the_windows_are_five_minutes_and_thirty_seconds() {
        use Age::{Advisory, Expired, Fresh, Mandatory};
        for life in [3600, 14400, 86400] {
            assert_eq!(
                ages(life, &[301, 300, 31, 30, 1, 0, -1]),
                [Fresh, Advisory, Advisory, Mandatory, Mandatory, Expired, Expired],
                "{life}"
            );
        }
    }

    #[test]
    fn the_windows_shrink_with_the_lifetime() {
        use Age::{Advisory, Expired, Fresh, Mandatory};
        assert_eq!(ages(60, &[60, 16, 15, 7, 6, 0]), [Fresh, Fresh, Advisory, Advisory, Mandatory, Expired]);
        assert_eq!(ages(4, &[4, 2, 1, 0]), [Fresh, Fresh, Advisory, Expired]);
        assert_eq!(ages(0, &[0]), [Expired]);
    }

    #[test]
    fn the_lifetime_is_read_and_never_assumed() {
        let life = |text: &str| {
            let body = format!(r#"{{"access_token":"abc","token_type":"bearer"{text}}}"#);
            Grant::read(body.as_bytes()).map(|grant| grant.lifetime.num_seconds())
        };
        assert_eq!(life(r#","expires_in":14400"#), Ok(14400));
        assert_eq!(life(r#","expires_in":"60""#), Ok(60));
        assert_eq!(life(r#","expires_in":60.5"#), Ok(60));
        assert_eq!(life(r#","expires_in":-5"#), Ok(0));
        assert_eq!(life(r#","expires_in":null"#), Ok(0));
        assert_eq!(life(r#","expires_in":1e300"#), Ok(3_155_760_000));
        assert_eq!(life(""), Ok(0));
    }

    #[test]
    fn an_unusable_grant_says_why() {
        let reason = |text: &str| Grant::read(text.as_bytes()).map(|_| ()).unwrap_err();
        assert_eq!(reason("<html>"), "the response is not JSON");
        assert_eq!(reason("{}"), "access_token is missing");
        assert_eq!(reason(r#"{"access_token":""}"#), "access_token is missing");
        assert_eq!(reason(r#"{"access_token":"a","token_type":"mac"}"#), "token_type is not Bearer");
    }

    #[test]
    fn a_token_that_cannot_stand_in_a_header_is_an_error_without_the_token() {
        let grant = Grant::read(br#"{"access_token":"a\nb"}"#).unwrap();
        assert_eq!(grant.access_token.expose_secret(), "a\nb");
        let now = DateTime::UNIX_EPOCH;
        let stored = StoredToken::new(grant.access_token, now, now);
        let error = Token::new(stored, 0, false, true).unwrap_err();
        assert!(!format!("{error:?}").contains("a\\nb"));
    }
}
