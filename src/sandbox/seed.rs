//! Many rows at once, made only when they are read.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::Sandbox;
use super::clock::written;
use super::ledger::{Ledger, Rules, Step};
use super::session::Session;
use super::store::seed_id;
use super::transaction::Transaction;

impl Sandbox {
    /// Puts `count` authorized transactions, a minute apart and older than all others, into the
    /// sandbox; gives the ids' common start, to which nine digits are added. Row `n` has the
    /// amount `1000 + n`. Rows exist only while they are read, until they are changed.
    pub fn seed_transactions(&self, count: usize) -> String {
        let mut state = self.shared.state();
        let prefix = format!("{}.seededtransaction", state.config.account_id);
        let (start, made) = (state.clock.now(), prefix.clone());
        let oldest = count;
        state.transactions.seed(count, prefix.clone(), move |number| {
            let age = i64::try_from(oldest.saturating_sub(number)).unwrap_or(i64::MAX);
            let created = TimeDelta::try_minutes(age).and_then(|age| start.checked_sub_signed(age)).unwrap_or(start);
            transaction(seed_id(&made, number), number, &written(created))
        });
        prefix
    }

    /// Puts `count` unpaid sessions, a minute apart and older than all others, into the sandbox;
    /// gives the ids' common start, to which nine digits are added.
    pub fn seed_sessions(&self, count: usize) -> String {
        let mut state = self.shared.state();
        let prefix = format!("{}.seededsession", state.config.account_id);
        let (start, made) = (state.clock.now(), prefix.clone());
        state.sessions.seed(count, prefix.clone(), move |number| {
            let age = i64::try_from(count.saturating_sub(number)).unwrap_or(i64::MAX);
            let created = TimeDelta::try_minutes(age).and_then(|age| start.checked_sub_signed(age)).unwrap_or(start);
            session(seed_id(&made, number), number, &written(created))
        });
        prefix
    }
}

fn amount(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX).saturating_add(1000)
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn transaction(id: String, number: usize, created_at: &str) -> Transaction {
    let amount = amount(number);
    let ledger = Ledger::new();
    let authorize = Step::Authorize(amount);
    Transaction {
        body: fields(json!({
            "amount": amount,
            "currency": "NOK",
            "merchant_reference": format!("seeded-{number}"),
            "payment_product": "dintero_psp",
            "payment_product_type": "dintero_psp.creditcard",
            "created_at": created_at,
            "updated_at": created_at,
            "items": [{ "line_id": "1", "amount": amount, "description": "Seeded line" }],
        })),
        events: vec![json!({
            "id": format!("{id}-authorize"),
            "event": "AUTHORIZE",
            "transaction_status": "AUTHORIZED",
            "amount": amount,
            "success": true,
            "created_at": created_at,
        })],
        ledger: ledger.after(authorize, Rules::default()).unwrap_or(ledger),
        session_id: None,
        card_tokens: Map::new(),
        system_headers: json!({}),
        pending: Vec::new(),
        id,
    }
}

fn session(id: String, number: usize, created_at: &str) -> Session {
    let amount = amount(number);
    Session {
        body: fields(json!({
            "created_at": created_at,
            "updated_at": created_at,
            "url": { "return_url": "https://example.com/return" },
            "configuration": {},
            "order": {
                "amount": amount,
                "currency": "NOK",
                "merchant_reference": format!("seeded-{number}"),
                "items": [{ "line_id": "1", "amount": amount, "description": "Seeded line" }],
            },
        })),
        events: Vec::new(),
        transaction_id: None,
        locked: false,
        cancelled: false,
        for_token: false,
        system_headers: json!({}),
        id,
    }
}
