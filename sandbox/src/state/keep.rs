//! What a sandbox that survives its process writes down after every change, before any response shows it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::State;
use super::delivery::{DeliveredCallback, Notice, Pending};
use super::session::Session;
use super::transaction::Transaction;

/// Where the state is written to.
pub(crate) trait Keeper: Send {
    /// Writes all of it, or nothing.
    fn keep(&mut self, change: &Change<'_>) -> Result<(), String>;
}

/// What has changed.
pub(crate) struct Change<'s> {
    pub(crate) sessions: Vec<(usize, Cow<'s, Session>)>,
    pub(crate) transactions: Vec<(usize, Cow<'s, Transaction>)>,
    pub(crate) tokens: Vec<(String, DateTime<Utc>)>,
    /// Callbacks that are not done with, those that are held back among them.
    pub(crate) pending: Vec<Pending>,
    /// Callbacks that are done with, by their number.
    pub(crate) done: Vec<(usize, DeliveredCallback, Notice)>,
    /// Where the generator of names stands.
    pub(crate) position: u64,
}

/// All that was written.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) sessions: Vec<Session>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) tokens: Vec<(String, DateTime<Utc>)>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) done: Vec<(DeliveredCallback, Notice)>,
    pub(crate) position: Option<u64>,
}

impl State {
    /// Takes up what was kept, and tells of changes from now on.
    pub(crate) fn restore(&mut self, kept: Kept) {
        kept.sessions.into_iter().for_each(|session| self.sessions.insert(session));
        kept.transactions.into_iter().for_each(|transaction| self.transactions.insert(transaction));
        self.sessions.track();
        self.transactions.track();
        self.tokens.extend(kept.tokens);
        for (callback, notice) in kept.done {
            self.delivery.sent.insert(notice.delivery.clone(), notice);
            self.delivery.delivered.push(callback);
        }
        self.delivery.kept = self.delivery.delivered.len();
        let pending = kept.pending.into_iter().map(|pending| (pending.notice.delivery.clone(), pending));
        self.delivery.pending.extend(pending);
        if let Some(position) = kept.position {
            self.ids = super::ids::Ids::new(position);
        }
    }

    /// What has changed since the last time.
    pub(crate) fn take_change(&mut self) -> Change<'_> {
        let unsent = self.outbox.iter().chain(self.delivery.held.iter().flatten());
        let unsent =
            unsent.map(|notice| Pending { notice: notice.clone(), attempts: Vec::new(), due: self.clock.now() });
        let pending = unsent.chain(self.delivery.pending.values().cloned()).collect();
        let done = self.delivery.delivered.iter().enumerate().skip(self.delivery.kept);
        let done = done.filter_map(|(number, callback)| {
            Some((number, callback.clone(), self.delivery.sent.get(&callback.delivery)?.clone()))
        });
        let done = done.collect();
        self.delivery.kept = self.delivery.delivered.len();
        Change {
            sessions: self.sessions.take_unkept(),
            transactions: self.transactions.take_unkept(),
            tokens: std::mem::take(&mut self.new_tokens),
            pending,
            done,
            position: self.ids.position(),
        }
    }
}
