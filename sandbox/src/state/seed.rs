//! Many rows at once, made only when they are read.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::State;
use crate::state::clock::written;
use crate::state::ledger::{Ledger, Rules, Step};
use crate::state::session::Session;
use crate::state::store::seed_id;
use crate::state::transaction::Transaction;

impl State {
    pub(crate) fn seed_transactions(&mut self, count: usize) -> String {
        let prefix = format!("{}.seededtransaction", self.config.account_id);
        let (start, made) = (self.clock.now(), prefix.clone());
        let oldest = count;
        self.transactions.seed(count, prefix.clone(), move |number| {
            let age = i64::try_from(oldest.saturating_sub(number)).unwrap_or(i64::MAX);
            let created = TimeDelta::try_minutes(age).and_then(|age| start.checked_sub_signed(age)).unwrap_or(start);
            transaction(seed_id(&made, number), number, &written(created))
        });
        prefix
    }

    pub(crate) fn seed_sessions(&mut self, count: usize) -> String {
        let prefix = format!("{}.seededsession", self.config.account_id);
        let (start, made) = (self.clock.now(), prefix.clone());
        self.sessions.seed(count, prefix.clone(), move |number| {
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
    let body = json!({
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
    });
    Session::new(id, fields(body))
}
