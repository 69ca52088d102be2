//! One token for all callers.
//!
//! A renewal runs in a task of its own, never in the call that found it due, so dropping a call strands
//! nobody. Callers only ever read the state under a lock that is not held across a wait. What decides
//! between them is the age of the token, told by the wall clock, since a token ends by it. How long something is waited
//! for is told by the monotonic clock: a wall clock that is set back prolongs no wait.
//!
//! | age | callers | renewal |
//! |---|---|---|
//! | fresh | use it | none |
//! | advisory (last 5 minutes) | use it | one, in the background; after a failure not again for a while |
//! | mandatory (last 30 seconds) | wait for the next, use it if none comes | one |
//! | expired, or refused by the service | wait for the next | one |

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::fetch::Source;
use super::store::{self, SharedToken, StoredToken, Turn};
use super::token::{Age, Token};
use crate::clock::deadline;
use crate::error::{Error, Result};
use crate::store::Journal;

/// A renewal older than this is given up by those who wait: its runtime has stopped without ending.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(120);
/// A token that replaced a refused one is not replaced again for this long: if it is refused as well, the
/// token is not what is wrong.
const REFUSAL_HOLD: Duration = Duration::from_secs(10);
/// The wait after a failed renewal: doubled from the first to the second.
const HOLD: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// No hold is longer, however long a wait the client is told to take.
const LONGEST_HOLD: Duration = Duration::from_secs(86_400);
/// More renewals than this that end without a result, and a call waits for no other.
const LOST_RENEWALS: u32 = 2;

type Ended = Option<Result<Arc<Token>, Arc<Error>>>;

/// The tokens of one client; clones share them.
#[derive(Clone)]
pub(crate) struct TokenCache {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    entry: SharedToken,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The last token that the service refused: only a later one is taken from the store.
    refused: Option<Arc<Token>>,
    renewal: Option<Renewal>,
    tokens: u64,
    hold: Option<Hold>,
    failures: u32,
}

struct Renewal {
    /// It makes one attempt only, for a token that is still good.
    early: bool,
    began: Instant,
    ended: watch::Receiver<Ended>,
}

/// No renewal before this time.
struct Hold {
    until: Instant,
    asked: Option<Asked>,
}

/// A wait that the service asked for, which may be longer than the hold.
#[derive(Clone)]
struct Asked {
    until: Instant,
    /// The error of the token call.
    error: Arc<Error>,
}

impl TokenCache {
    pub(crate) fn new(source: Source, journal: &Journal) -> Self {
        let entry = SharedToken::new(journal, source.work());
        Self { shared: Arc::new(Shared { source, entry, state: Mutex::default() }) }
    }

    /// A token that is good for a call made now.
    pub(crate) async fn token(&self) -> Result<Arc<Token>> {
        let mut lost = 0;
        loop {
            let (spare, early, mut ended) = {
                // Not under the lock: the clock can be the caller's code.
                let (wall, now) = (self.shared.source.clock.now(), Instant::now());
                let mut state = self.shared.lock();
                let current = state.token.clone().map(|token| (token.age(wall), token));
                let spare = match current {
                    Some((Age::Fresh, token)) => return Ok(token),
                    Some((Age::Advisory, token)) => {
                        if !state.is_held(now) && !state.is_renewing() {
                            // Without a runtime to run it on, the token serves until its end.
                            drop(self.shared.renew(&mut state, Patience::Early));
                        }
                        return Ok(token);
                    }
                    Some((Age::Mandatory, token)) if state.is_held(now) => return Ok(token),
                    Some((Age::Mandatory, token)) => Some(token),
                    Some((Age::Expired, _)) | None => None,
                };
                if spare.is_none()
                    && let Some((left, error)) = state.asked_to_wait(now)
                    && left > self.shared.source.retry.longest_wait
                {
                    return Err(Error::token(error, Some(left)));
                }
                if !state.is_renewing() {
                    let patience = match state.asked_to_wait(now) {
                        Some((left, _)) => Patience::After(left),
                        None => Patience::Full,
                    };
                    self.shared.renew(&mut state, patience)?;
                }
                match &state.renewal {
                    Some(renewal) => (spare, renewal.early, renewal.ended.clone()),
                    None => continue,
                }
            };
            // Where there is none, the task was dropped with its runtime, or stands still: the next round begins
            // another.
            let outcome = match timeout(RENEWAL_PATIENCE, ended.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => outcome.clone(),
                Ok(Err(_)) => {
                    lost += 1;
                    None
                }
                Err(_) => None,
            };
            match (outcome, spare) {
                (Some(Ok(token)), _) => return Ok(token),
                (Some(Err(_)), Some(spare)) => return Ok(spare),
                // Its one attempt was for callers with a good token; this one has none, and gets all attempts.
                (Some(Err(_)), None) if early => {}
                (Some(Err(error)), None) => {
                    let asked = error.retry_after();
                    return Err(Error::token(error, asked));
                }
                (None, _) if lost <= LOST_RENEWALS => {}
                (None, Some(spare)) => return Ok(spare),
                (None, None) => {
                    let error = Error::configuration("the renewal of the access token ended without a result");
                    return Err(Error::token(Arc::new(error), None));
                }
            }
        }
    }

    /// Notes that the service refused a token. `false` when fetching another is not usable.
    pub(crate) fn refused(&self, token: &Arc<Token>) -> bool {
        let mut state = self.shared.lock();
        let current = match &state.token {
            Some(current) if current.generation == token.generation => current,
            // Another has taken its place, or is being fetched.
            _ => return true,
        };
        if current.after_refusal && current.fetched && current.since.elapsed() < REFUSAL_HOLD {
            return false;
        }
        state.refused = state.token.take();
        true
    }
}

/// How much a renewal is to endure.
#[derive(Clone, Copy)]
enum Patience {
    /// One attempt: the token in hand is still good.
    Early,
    /// All attempts.
    Full,
    /// All attempts, the first after a wait that the service asked for.
    After(Duration),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a renewal in a task of its own.
    fn renew(self: &Arc<Self>, state: &mut State, patience: Patience) -> Result<()> {
        let runtime =
            Handle::try_current().map_err(|cause| Error::configuration("no Tokio runtime").with_source(cause))?;
        let (sender, ended) = watch::channel(None);
        state.renewal = Some(Renewal { early: matches!(patience, Patience::Early), began: Instant::now(), ended });
        let shared = self.clone();
        drop(runtime.spawn(async move {
            let (outcome, renewal) = shared.obtain(patience).await;
            let (ended, fetched) = shared.settle(outcome);
            // The store is told after those who wait: it may be slow.
            sender.send_replace(Some(ended));
            let now = shared.source.clock.now();
            match (renewal, fetched) {
                (Some(renewal), fetched) => renewal.end(fetched, now).await,
                (None, Some(fetched)) => shared.entry.offer(fetched, now).await,
                (None, None) => {}
            }
        }));
        Ok(())
    }

    /// A token from the store or, failing that, from the service; whether it was fetched; and the turn to fetch, to be
    /// ended with what came of it.
    async fn obtain(&self, patience: Patience) -> (Result<(StoredToken, bool)>, Option<store::Renewal>) {
        match self.entry.turn(|token| self.is_good(token)).await {
            Turn::Found(token) => (Ok((token, false)), None),
            Turn::Ours(mut renewal) => {
                let fetched = renewal.during(self.fetch(patience)).await;
                (fetched.map(|token| (token, true)), Some(renewal))
            }
            Turn::Alone => (self.fetch(patience).await.map(|token| (token, true)), None),
        }
    }

    async fn fetch(&self, patience: Patience) -> Result<StoredToken> {
        let retries = match patience {
            Patience::Early => 0,
            Patience::Full => self.source.retry.retries,
            Patience::After(wait) => {
                sleep(wait).await;
                self.source.retry.retries
            }
        };
        self.source.fetch(retries).await
    }

    /// Whether a token of the store is better than what we have. After a refusal, one that was fetched later than the
    /// refused one is; not so when the refused one had itself taken the place of a refused one: then it is fetched.
    fn is_good(&self, found: &StoredToken) -> bool {
        let now = self.source.clock.now();
        let state = self.lock();
        let is_newer = match (&state.token, &state.refused) {
            (Some(token), _) => token.stored().expires_at() < found.expires_at(),
            (None, Some(refused)) => !refused.after_refusal && refused.stored().obtained_at() < found.obtained_at(),
            (None, None) => true,
        };
        let is_refused = state.refused.as_ref().is_some_and(|refused| refused.stored().expose() == found.expose());
        is_newer && !is_refused && matches!(found.age(now), Age::Fresh | Age::Advisory)
    }

    /// Ends a renewal: what those who wait get, and the token to be saved if it was fetched.
    fn settle(&self, outcome: Result<(StoredToken, bool)>) -> (Result<Arc<Token>, Arc<Error>>, Option<StoredToken>) {
        let mut state = self.lock();
        state.tokens += 1;
        let generation = state.tokens;
        let after_refusal = state.is_after_refusal();
        let token = outcome.and_then(|(stored, fetched)| {
            let token = Arc::new(Token::new(stored.clone(), generation, after_refusal, fetched)?);
            Ok((token, fetched.then_some(stored)))
        });
        match token {
            Ok((token, fetched)) => {
                state.token = Some(token.clone());
                state.hold = None;
                state.failures = 0;
                (Ok(token), fetched)
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let error = Arc::new(error);
                state.hold = Some(self.hold(state.failures, &error));
                (Err(error), None)
            }
        }
    }

    /// How long no renewal is begun after a failed one: as long as the service asks, but not for ever.
    fn hold(&self, failures: u32, error: &Arc<Error>) -> Hold {
        let now = Instant::now();
        let doubled = 1u32.checked_shl(failures.saturating_sub(1).min(8)).unwrap_or(1);
        let own = HOLD.0.saturating_mul(doubled).min(HOLD.1);
        let longest = self.source.retry.longest_wait.clamp(HOLD.1, LONGEST_HOLD);
        let asked = error.retry_after();
        let until = now + asked.unwrap_or(own).clamp(own, longest);
        let asked = asked.map(|asked| Asked { until: deadline(now, asked), error: error.clone() });
        Hold { until, asked }
    }
}

impl State {
    /// Whether there is a renewal that can still be waited for: it has said nothing yet, and its task is alive.
    fn is_renewing(&self) -> bool {
        self.renewal.as_ref().is_some_and(|renewal| {
            renewal.began.elapsed() < RENEWAL_PATIENCE && matches!(renewal.ended.has_changed(), Ok(false))
        })
    }

    fn is_after_refusal(&self) -> bool {
        self.refused.is_some() && self.token.is_none()
    }

    fn is_held(&self, now: Instant) -> bool {
        self.hold.as_ref().is_some_and(|hold| now < hold.until)
    }

    /// What is left of a wait that the service asked for, while it is kept to.
    fn asked_to_wait(&self, now: Instant) -> Option<(Duration, Arc<Error>)> {
        let asked = self.hold.as_ref().filter(|hold| now < hold.until)?.asked.clone()?;
        Some((asked.until.saturating_duration_since(now), asked.error))
    }
}
