//! What the client identifies itself with, and the hosts that may see it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::error::{Error, Result};
use crate::ids::{AccountId, Environment};
use crate::loopback::is_loopback;

/// The classic host, which serves every call of this crate.
const BASE_URL: &str = "https://checkout.dintero.com/v1";
/// The host of the token call; also the one that every audience names.
const AUTH_URL: &str = "https://api.dintero.com/v1";

/// A client id and secret of one account, made in the Dintero Backoffice.
///
/// The secret is kept in memory that is wiped when dropped and is never printed.
///
/// ```
/// use dintero::{AccountId, Credentials};
///
/// let account = AccountId::new("T12345678")?;
/// let credentials = Credentials::new(account, "client-id", "client-secret");
/// assert!(!format!("{credentials:?}").contains("client-secret"));
/// # Ok::<(), dintero::IdError>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    account: AccountId,
    client_id: String,
    client_secret: SecretString,
    base_url: Option<String>,
    auth_url: Option<String>,
}

impl Credentials {
    /// Creates credentials of an account.
    #[must_use]
    pub fn new(account: AccountId, client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self {
            account,
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            base_url: None,
            auth_url: None,
        }
    }

    /// Reads the credentials from the environment.
    ///
    /// | variable | |
    /// |---|---|
    /// | `DINTERO_ACCOUNT_ID` | `T` or `P` and eight digits |
    /// | `DINTERO_CLIENT_ID` | |
    /// | `DINTERO_CLIENT_SECRET` | |
    /// | `DINTERO_BASE_URL` | optional: where calls go, `https://checkout.dintero.com/v1` unless set |
    /// | `DINTERO_AUTH_URL` | optional: where tokens come from, `https://api.dintero.com/v1` unless set |
    ///
    /// # Errors
    /// Names the variable that is missing, empty, not Unicode or not valid; never its value.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var_os(name).map(|value| value.into_string().ok()))
    }

    /// `lookup` gives `None` for a variable that is not set and `Some(None)` for one that is not Unicode.
    fn from_lookup(lookup: impl Fn(&str) -> Option<Option<String>>) -> Result<Self> {
        let optional = |name: &str| match lookup(name) {
            None => Ok(None),
            Some(None) => Err(Error::configuration(format!("the environment variable {name} is not Unicode"))),
            Some(Some(value)) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        };
        let required = |name: &str| {
            optional(name)?.ok_or_else(|| Error::configuration(format!("the environment variable {name} is not set")))
        };
        let account = required("DINTERO_ACCOUNT_ID")?;
        let account = AccountId::new(account)
            .map_err(|cause| Error::configuration(format!("the environment variable DINTERO_ACCOUNT_ID is {cause}")))?;
        let client_id = required("DINTERO_CLIENT_ID")?;
        checked_client_id("the environment variable DINTERO_CLIENT_ID", &client_id)?;
        let client_secret = required("DINTERO_CLIENT_SECRET")?;
        let hosts = [optional("DINTERO_BASE_URL")?, optional("DINTERO_AUTH_URL")?];
        let [base_url, auth_url] = hosts;
        if let Some(url) = &base_url {
            checked_url("the environment variable DINTERO_BASE_URL", url)?;
        }
        if let Some(url) = &auth_url {
            checked_url("the environment variable DINTERO_AUTH_URL", url)?;
        }
        Ok(Self { base_url, auth_url, ..Self::new(account, client_id, client_secret) })
    }

    /// Returns the account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the environment, sandbox or live, by the account.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.account.environment()
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// # Errors
    /// When they cannot be sent.
    pub(crate) fn check(&self) -> Result<()> {
        checked_client_id("client_id", &self.client_id)
    }

    /// The header that identifies the client to the token call: HTTP Basic.
    pub(crate) fn basic(&self) -> Result<HeaderValue> {
        let pair = format!("{}:{}", self.client_id, self.client_secret.expose_secret());
        let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
            .map_err(|_| Error::configuration("client_id or client_secret cannot be sent"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Where calls go, unless the client is told otherwise.
    pub(crate) fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(BASE_URL)
    }

    /// Where tokens come from, unless the client is told otherwise.
    pub(crate) fn auth_url(&self) -> &str {
        self.auth_url.as_deref().unwrap_or(AUTH_URL)
    }

    /// The audience asked for unless the client is told otherwise: on the token host of the service,
    /// whichever host is called.
    pub(crate) fn audience(&self) -> String {
        format!("{AUTH_URL}/accounts/{}", self.account)
    }
}

impl fmt::Debug for Credentials {
    // The secret is left out on purpose; the client id is a name, but not ours to spread either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("account", &self.account).finish_non_exhaustive()
    }
}

/// HTTP Basic ends the client id at its first colon: with one in it, a part of the id would be sent as secret.
fn checked_client_id(what: &str, client_id: &str) -> Result<()> {
    if client_id.contains(':') {
        return Err(Error::configuration(format!("{what} must not contain a colon")));
    }
    Ok(())
}

/// A host that credentials may be sent to: https, or plain http to this machine only.
///
/// Returns the address without a slash at the end of its path. `what` names the setting in an error; the address itself
/// is not quoted, as it may hold a password.
pub(crate) fn checked_url(what: &str, text: &str) -> Result<Url> {
    let refuse = |reason: &str| Err(Error::configuration(format!("{what} {reason}")));
    let Ok(mut url) = Url::parse(text.trim()) else {
        return refuse("is not an absolute address");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("must not have a query or a fragment");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return refuse("must use https: plain http is for this machine (loopback) only"),
        _ => return refuse("must use https"),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const FULL: [(&str, &str); 3] = [
        ("DINTERO_ACCOUNT_ID", "T12345678"),
        ("DINTERO_CLIENT_ID", "the-client"),
        ("DINTERO_CLIENT_SECRET", "the-secret"),
    ];

    fn read(extra: &[(&str, &str)]) -> Result<Credentials> {
        let vars: BTreeMap<_, _> = FULL.into_iter().chain(extra.iter().copied()).collect();
        Credentials::from_lookup(|name| vars.get(name).map(|value| Some((*value).to_owned())))
    }

    #[test]
    fn the_environment_gives_credentials_and_hosts() {
        let credentials = read(&[]).unwrap();
        assert_eq!((credentials.account().as_str(), credentials.client_id()), ("T12345678", "the-client"));
        assert_eq!(credentials.client_secret.expose_secret(), "the-secret");
        assert_eq!(credentials.base_url(), BASE_URL);
        assert_eq!(credentials.audience(), "https://api.dintero.com/v1/accounts/T12345678");
        let credentials =
            read(&[("DINTERO_BASE_URL", "http://127.0.0.1:1/v1"), ("DINTERO_AUTH_URL", "http://[::1]:2/v1/")]).unwrap();
        assert_eq!(credentials.base_url(), "http://127.0.0.1:1/v1");
        assert_eq!(credentials.auth_url(), "http://[::1]:2/v1/");
        assert_eq!(
            credentials.audience(),
            "https://api.dintero.com/v1/accounts/T12345678",
            "the audience does not follow the host"
        );
    }

    #[test]
    fn an_error_names_the_variable_and_never_its_value() {
        for (name, value) in FULL {
            for bad in ["", "  "] {
                let error = read(&[(name, bad)]).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("not set"), "{error}");
            }
            let vars: BTreeMap<_, _> = FULL.into_iter().filter(|(other, _)| *other != name).collect();
            let error = Credentials::from_lookup(|name| vars.get(name).map(|v| Some((*v).to_owned())));
            let error = format!("{0} {0:?}", error.unwrap_err());
            assert!(error.contains(name), "{error}");
            assert!(!error.contains(value), "{error}");
        }
        for (name, bad) in [
            ("DINTERO_ACCOUNT_ID", "hunter2"),
            ("DINTERO_BASE_URL", "http://hunter2.example.com"),
            ("DINTERO_AUTH_URL", "https://user:hunter2@example.com"),
            ("DINTERO_AUTH_URL", "hunter2"),
            ("DINTERO_CLIENT_ID", "hunter2:secret"),
        ] {
            let error = read(&[(name, bad)]).unwrap_err();
            let error = format!("{error} {error:?}");
            assert!(error.contains(name), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        if std::env::var_os("DINTERO_ACCOUNT_ID").is_none() {
            let error = Credentials::from_env().unwrap_err().to_string();
            assert!(error.contains("DINTERO_ACCOUNT_ID is not set"), "{error}");
        }
        let error = Credentials::from_lookup(|_| Some(None)).unwrap_err().to_string();
        assert!(error.contains("DINTERO_ACCOUNT_ID is not Unicode"), "{error}");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "https://checkout.dintero.com/v1",
            "https://example.com",
            "http://127.0.0.1:8080/v1",
            "http://127.8.9.1",
            "http://[::1]:80/",
            "http://localhost:9",
        ] {
            assert!(checked_url("it", good).is_ok(), "{good}");
        }
        for bad in [
            "http://checkout.dintero.com/v1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://a.localhost",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://[::ffff:8.8.8.8]",
            "http://user@127.0.0.1",
            "https://example.com/v1?x=1",
            "https://example.com/v1#x",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "//example.com",
            "",
        ] {
            assert!(checked_url("it", bad).is_err(), "{bad}");
        }
        let error = checked_url("it", "http://example.com").unwrap_err().to_string();
        assert!(error.contains("loopback"), "{error}");
        assert_eq!(checked_url("it", "https://example.com/v1//").unwrap().as_str(), "https://example.com/v1");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let text = format!("{:?}", read(&[]).unwrap());
        assert!(!text.contains("the-secret") && !text.contains("the-client"), "{text}");
    }
}
