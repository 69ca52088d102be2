//! One token for all processes that share a journal.
//!
//! The entry of a token is a record of the journal: done while it has a token, open while somebody fetches the next.
//! It holds the token, when it was fetched and when it ends. Whoever reads the store can use the token until then, and
//! can do nothing with the entry that the token does not allow: the client id and the client secret are not in it, and
//! its name has them as a hash with the host and the audience.
//!
//! Not here: when a token is renewed, and which one is good.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, timeout};

use crate::store::{Claim, Held, Journal, StoreError, Work, new_holder};

/// How long the store may take for one step.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the renewal of a dead process keeps the others waiting. A living one extends it.
const LEASE: Duration = Duration::from_secs(5);
/// How long the renewal of another process is waited for. Longer than a lease, so that one takes over from the dead.
const PATIENCE: Duration = Duration::from_secs(10);
/// The waits between two looks at what the other process is doing.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// A token as the store has it.
#[derive(Clone)]
pub(crate) struct StoredToken {
    access_token: SecretString,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// The JSON of an entry.
#[derive(Serialize, Deserialize)]
struct Entry {
    access_token: String,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl StoredToken {
    pub(crate) fn new(access_token: SecretString, obtained_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        Self { access_token, obtained_at, expires_at }
    }

    pub(crate) fn expose(&self) -> &str {
        self.access_token.expose_secret()
    }

    /// When the token was fetched. Its lifetime decides how early it is renewed.
    pub(crate) fn obtained_at(&self) -> DateTime<Utc> {
        self.obtained_at
    }

    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Reads an entry. One that is no token is none.
    fn read(entry: &Value) -> Option<Self> {
        let Entry { access_token, obtained_at, expires_at } = Entry::deserialize(entry).ok()?;
        let token = Self::new(access_token.into(), obtained_at, expires_at);
        token.is_well_formed().then_some(token)
    }

    fn entry(&self) -> Option<Value> {
        let Self { obtained_at, expires_at, .. } = *self;
        serde_json::to_value(Entry { access_token: self.expose().to_owned(), obtained_at, expires_at }).ok()
    }

    /// Whether it can be a bearer token: printable ASCII without spaces, which RFC 6750 asks for and more.
    fn is_well_formed(&self) -> bool {
        !self.expose().is_empty() && self.expose().bytes().all(|letter| letter.is_ascii_graphic())
    }

    fn left(&self, now: DateTime<Utc>) -> Duration {
        (self.expires_at - now).to_std().unwrap_or_default()
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

/// Names the token of an account, client id, audience and token host.
pub(crate) fn token_work(account: &str, client_id: &str, audience: &str, auth_url: &str) -> Work {
    let mut hash = Sha256::new();
    for part in [client_id, audience, auth_url] {
        // Length first: no two lists of parts give the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Work::named("token", &[("account", account), ("of", &hex::encode(hash.finalize()))])
}

/// The entry of one token.
pub(crate) struct SharedToken {
    journal: Journal,
    work: Work,
    /// The same for every turn: one that was lost with its runtime is not waited for.
    holder: String,
}

/// Whose turn it is to fetch a token.
pub(crate) enum Turn {
    /// Nobody's: there is a good one.
    Found(StoredToken),
    /// Ours.
    Ours(Renewal),
    /// Everybody's, without the store: it failed, or the process whose turn it is takes too long.
    Alone,
}

/// The turn to fetch a token, which nobody else has meanwhile.
pub(crate) struct Renewal(Held);

impl SharedToken {
    pub(crate) fn new(journal: &Journal, work: Work) -> Self {
        Self { journal: journal.clone().lease(LEASE), work, holder: new_holder() }
    }

    /// Takes a good token, or the turn to fetch one.
    pub(crate) async fn turn(&self, is_good: impl Fn(&StoredToken) -> bool + Send + Sync) -> Turn {
        let end = Instant::now() + PATIENCE;
        let mut pause = PAUSE.0;
        loop {
            let is_good = |entry: &Value| StoredToken::read(entry).is_some_and(|token| is_good(&token));
            match ask("claim", self.journal.claim_value(&self.work, &self.holder, &is_good)).await {
                Some(Claim::Granted(held)) => return Turn::Ours(Renewal(held)),
                Some(Claim::Done(entry)) => {
                    return entry.as_ref().and_then(StoredToken::read).map_or(Turn::Alone, Turn::Found);
                }
                Some(Claim::InProgress) if Instant::now() < end => {}
                Some(Claim::InProgress) | None => return Turn::Alone,
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

impl SharedToken {
    /// Passes on what was fetched without a turn, unless there is better or somebody's turn: of the processes that die in
    /// their turn, no claim is to stay.
    pub(crate) async fn offer(&self, fetched: StoredToken, now: DateTime<Utc>) {
        let is_good =
            |entry: &Value| StoredToken::read(entry).is_some_and(|token| token.expires_at >= fetched.expires_at);
        if let Some(Claim::Granted(held)) =
            ask("claim", self.journal.claim_value(&self.work, &self.holder, &is_good)).await
        {
            Renewal(held).end(Some(fetched.clone()), now).await;
        }
    }
}

impl Renewal {
    /// Fetches, keeping the turn meanwhile.
    pub(crate) async fn during<T>(&mut self, fetch: impl Future<Output = T>) -> T {
        self.0.during(fetch).await
    }

    /// Passes on what was fetched; after a failure, the token that was there before, while it lasts.
    pub(crate) async fn end(self, fetched: Option<StoredToken>, now: DateTime<Utc>) {
        match fetched {
            Some(token) => {
                let held = self.0.keep(token.left(now));
                ask("save", held.complete(token.entry())).await;
            }
            None => match self.0.previous().and_then(StoredToken::read).filter(|token| !token.left(now).is_zero()) {
                Some(previous) => {
                    ask("put back", self.0.keep(previous.left(now)).put_back()).await;
                }
                None => {
                    ask("release", self.0.release()).await;
                }
            },
        }
    }
}

/// Asks the store, which is the caller's code: it may fail, hang or panic, and no call comes to harm by it.
async fn ask<T>(what: &'static str, step: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match timeout(STORE_PATIENCE, AssertUnwindSafe(step).catch_unwind()).await {
        Ok(Ok(Ok(found))) => return Some(found),
        Ok(Ok(Err(_))) => tracing::warn!(what, "the store failed: the access token is not shared"),
        Ok(Err(_)) => tracing::warn!(what, "the store panicked: the access token is not shared"),
        Err(_) => tracing::warn!(what, "the store took too long: the access token is not shared"),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_stable_differs_where_it_matters_and_shows_the_account_only() {
        let one = token_work("T12345678", "a", "b", "c");
        assert_eq!(one, token_work("T12345678", "a", "b", "c"));
        assert_ne!(one, token_work("T12345678", "ab", "", "c"));
        assert_ne!(one, token_work("T12345678", "a", "b", "d"));
        assert_ne!(one, token_work("T12345679", "a", "b", "c"));
        let hash = one.name().strip_prefix("token/account=T12345678&of=").unwrap();
        assert!(hash.len() == 64 && hash.bytes().all(|letter| letter.is_ascii_hexdigit()), "{one}");
    }

    #[test]
    fn the_token_is_not_printed() {
        let token = StoredToken::new("hunter2".into(), DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        assert!(!format!("{token:?}").contains("hunter2"));
    }

    #[test]
    fn an_entry_is_read_back_and_what_is_no_token_is_none() {
        let token = StoredToken::new("abc".into(), DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        let mut entry = token.entry().unwrap();
        assert_eq!(StoredToken::read(&entry).unwrap().expose(), "abc");
        for text in ["t0\n", "", "t 0", "t\u{e9}", "\u{0}"] {
            entry["access_token"] = text.into();
            assert!(StoredToken::read(&entry).is_none(), "{text:?}");
        }
    }
}
