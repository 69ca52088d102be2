//! Everything the sandbox remembers, in one place, behind one lock; and the names and times it
//! gives out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::ApiError;
use super::call::Call;
use super::clock::{Clock, written};
use super::deliver::Delivery;
use super::fault::Plan;
use super::ledger::Rules;
use super::log::Log;
use super::notify::Notice;
use super::patch::Patches;
use super::session::Session;
use super::store::Store;
use super::transaction::Transaction;

/// What does not change while the sandbox runs.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) account_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) audience: String,
    pub(super) rules: Rules,
    /// The sandbox's own address, ending in `/v1`.
    pub(super) base_url: String,
}

pub(super) struct State {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) token_lifetime: u64,
    /// Tokens given out, with the time at which each ends.
    pub(super) tokens: HashMap<String, DateTime<Utc>>,
    pub(super) sessions: Store<Session>,
    pub(super) transactions: Store<Transaction>,
    pub(super) log: Log,
    pub(super) plan: Plan,
    pub(super) patches: Patches,
    /// Callbacks that were caused and not yet taken up.
    pub(super) outbox: Vec<Notice>,
    pub(super) delivery: Delivery,
}

/// What an event is marked with.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) request_id: String,
}

impl State {
    pub(super) fn new(config: Config, token_lifetime: u64) -> Self {
        Self {
            config,
            token_lifetime,
            clock: Clock::default(),
            tokens: HashMap::new(),
            sessions: Store::default(),
            transactions: Store::default(),
            log: Log::default(),
            plan: Plan::default(),
            patches: Patches::default(),
            outbox: Vec::new(),
            delivery: Delivery::default(),
        }
    }

    pub(super) fn now(&self) -> String {
        written(self.clock.now())
    }

    pub(super) fn stamp(&self, request_id: &str) -> Stamp {
        Stamp { id: Uuid::new_v4().to_string(), created_at: self.now(), request_id: request_id.to_owned() }
    }

    /// A fresh id of the account, `T00000000.` and 22 letters and digits.
    pub(super) fn fresh_id(&self) -> String {
        let short: String = (0..22).map(|_| fastrand::alphanumeric()).collect();
        format!("{}.{short}", self.config.account_id)
    }

    /// Refuses an id that is not of this account before anything is looked up under it.
    pub(super) fn own_id<'c>(&self, call: &'c Call) -> Result<&'c str, ApiError> {
        let id = call.id();
        match id.split_once('.') {
            Some((account, short)) if account == self.config.account_id && !short.is_empty() => Ok(id),
            Some((account, short)) if is_account(account) && !short.is_empty() => {
                Err(ApiError::new(403, "Forbidden", format!("the id is of account {account}, the token is not")))
            }
            _ => Err(ApiError::bad_request("the id must be an account id, a dot and a short id")),
        }
    }
}

/// `T` or `P` and eight digits.
pub(super) fn is_account(text: &str) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'T' | b'P')) && text.len() == 9 && bytes.all(|byte| byte.is_ascii_digit())
}
