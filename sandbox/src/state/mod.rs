//! What the sandbox remembers, in one place, behind one lock; and the names and times it gives out.
//!
//! Not here: what a request may do (`rules`) and how it arrives (`wire`).

pub(crate) mod clock;
pub(crate) mod delivery;
pub(crate) mod fault;
pub(crate) mod ids;
pub(crate) mod index;
#[cfg_attr(not(feature = "program"), allow(dead_code, reason = "only a state file reads what is kept"))]
pub(crate) mod keep;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod patch;
mod rows;
pub(crate) mod seed;
pub(crate) mod session;
#[cfg(feature = "program")]
pub(crate) mod sqlite;
pub(crate) mod store;
pub(crate) mod transaction;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use self::clock::{Clock, written};
use self::delivery::{Delivery, Notice};
use self::fault::Plan;
use self::ids::Ids;
use self::keep::Keeper;
use self::ledger::Rules;
use self::log::Log;
use self::patch::Patches;
use self::session::Session;
use self::store::Store;
use self::transaction::Transaction;

/// What does not change while the sandbox runs.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) account_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) audience: Option<String>,
    pub(crate) rules: Rules,
    /// The sandbox's own address as clients see it, ending in `/v1`.
    pub(crate) base_url: String,
}

pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) token_lifetime: u64,
    /// Tokens issued, with the time at which each ends.
    pub(crate) tokens: HashMap<String, DateTime<Utc>>,
    /// Those of them that have not been written down.
    pub(crate) new_tokens: Vec<(String, DateTime<Utc>)>,
    pub(crate) sessions: Store<Session>,
    pub(crate) transactions: Store<Transaction>,
    pub(crate) log: Log,
    pub(crate) plan: Plan,
    pub(crate) patches: Patches,
    /// Callbacks that were caused and not yet taken up.
    pub(crate) outbox: Vec<Notice>,
    pub(crate) delivery: Delivery,
    /// Where changes are written down, if anywhere.
    pub(crate) keeper: Option<Box<dyn Keeper>>,
    /// Why the last change could not be written down.
    pub(crate) unwritable: Option<String>,
    pub(crate) seed: u64,
}

/// What an event is marked with.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) id: String,
    pub(crate) created_at: String,
    pub(crate) request_id: String,
}

impl State {
    pub(crate) fn new(config: Config, token_lifetime: u64, seed: u64) -> Self {
        Self {
            config,
            token_lifetime,
            ids: Ids::new(seed),
            clock: Clock::default(),
            tokens: HashMap::new(),
            new_tokens: Vec::new(),
            keeper: None,
            unwritable: None,
            seed,
            sessions: Store::default(),
            transactions: Store::default(),
            log: Log::default(),
            plan: Plan::new(!seed),
            patches: Patches::default(),
            outbox: Vec::new(),
            delivery: Delivery::default(),
        }
    }

    /// Writes down what has changed, where the sandbox is to survive its process.
    pub(crate) fn keep(&mut self) {
        let Some(mut keeper) = self.keeper.take() else {
            self.new_tokens.clear();
            return;
        };
        let kept = keeper.keep(&self.take_change());
        // Once something is lost, the file no longer holds what was told.
        self.unwritable = self.unwritable.take().or(kept.err());
        self.keeper = Some(keeper);
    }

    /// Tokens issued so far are as if they had ended.
    pub(crate) fn revoke_tokens(&mut self) {
        let ended = DateTime::<Utc>::MIN_UTC;
        self.new_tokens.extend(self.tokens.keys().map(|token| (token.clone(), ended)));
        self.tokens.values_mut().for_each(|ends| *ends = ended);
    }

    /// Forgets everything but the settings and the tokens issued; the names begin from the start.
    pub(crate) fn reset(&mut self) -> Result<(), String> {
        if self.keeper.is_some() {
            return Err("a sandbox with a state file is not reset: start it with another file".into());
        }
        let fresh = Self::new(self.config.clone(), self.token_lifetime, self.seed);
        let old = std::mem::replace(self, fresh);
        self.tokens = old.tokens;
        self.log.limit = old.log.limit;
        self.log.checks_responses = old.log.checks_responses;
        let Delivery { secret, signs_sandbox_time, retry_pause, .. } = old.delivery;
        self.delivery = Delivery { secret, signs_sandbox_time, retry_pause, ..Delivery::default() };
        Ok(())
    }

    pub(crate) fn now(&self) -> String {
        written(self.clock.now())
    }

    pub(crate) fn stamp(&self, request_id: &str) -> Stamp {
        Stamp { id: self.ids.uuid(), created_at: self.now(), request_id: request_id.to_owned() }
    }

    /// The stamp of something that no request of the merchant caused.
    pub(crate) fn own_stamp(&self) -> Stamp {
        let request_id = self.ids.uuid();
        self.stamp(&request_id)
    }

    /// A fresh id of the account, `T00000000.` and 22 letters and digits.
    pub(crate) fn fresh_id(&self) -> String {
        format!("{}.{}", self.config.account_id, self.ids.short())
    }
}

/// `T` or `P` and eight digits.
pub(crate) fn is_account(text: &str) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'T' | b'P')) && text.len() == 9 && bytes.all(|byte| byte.is_ascii_digit())
}
