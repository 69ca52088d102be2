//! Sharing one token between processes.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// A token as a [`TokenStore`] keeps it.
#[derive(Clone)]
pub struct StoredToken {
    access_token: SecretString,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl StoredToken {
    /// A token read back from a store.
    #[must_use]
    pub fn new(access_token: SecretString, obtained_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        Self { access_token, obtained_at, expires_at }
    }

    /// The token itself, to be written to the store. It is as good as the secret while it lasts: keep it
    /// as one.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.access_token.expose_secret()
    }

    /// When the token was fetched. Its lifetime decides how early it is renewed.
    #[must_use]
    pub fn obtained_at(&self) -> DateTime<Utc> {
        self.obtained_at
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken")
            .field("obtained_at", &self.obtained_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Under which name a token is kept: one per account, client id, audience and token host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenKey(String);

impl TokenKey {
    pub(crate) fn new(account: &str, client_id: &str, audience: &str, auth_url: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [account, client_id, audience, auth_url] {
            // Length first: no two lists of parts give the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hex::encode(hash.finalize());
        let short = digest.get(..32).unwrap_or(&digest);
        Self(format!("dintero-token-{account}-{short}"))
    }

    /// The name: letters, digits and `-` only, at most 64 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a store may fail with.
pub type StoreError = Box<dyn StdError + Send + Sync>;

/// What the methods of a [`TokenStore`] return: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A place outside of the process where a token is kept, so that a fleet of processes, or functions that
/// live for one request, share one: a Redis, a table, a file.
///
/// The store is asked before a token is fetched and told after. It never makes a call fail: an error, a panic, an
/// answer that takes longer than two seconds, and a text that is no token (a line end at its end, say) are logged, and
/// the token is fetched as if there were no store. A token that the service refused is not taken from the store again,
/// and the one that replaces it is always fetched.
pub trait TokenStore: Send + Sync + 'static {
    /// The token under this key, if there is one. An expired one may be returned; it is not used.
    fn load<'a>(&'a self, key: &'a TokenKey) -> StoreFuture<'a, Option<StoredToken>>;

    /// Keeps the token under this key, in place of any other, at most until it ends.
    fn save<'a>(&'a self, key: &'a TokenKey, token: &'a StoredToken) -> StoreFuture<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stable_and_differs_where_it_matters() {
        let key = |parts: [&str; 4]| {
            let [account, client, audience, url] = parts;
            TokenKey::new(account, client, audience, url)
        };
        let one = key(["T12345678", "a", "b", "c"]);
        assert_eq!(one, key(["T12345678", "a", "b", "c"]));
        assert_ne!(one, key(["T12345678", "ab", "", "c"]));
        assert_ne!(one, key(["T12345678", "a", "b", "d"]));
        assert!(one.as_str().len() <= 64, "{one}");
    }

    #[test]
    fn the_token_is_not_printed() {
        let token = StoredToken::new("hunter2".into(), DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
