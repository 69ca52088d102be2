//! A session as kept and as shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::json::{copy, elements, text};
use crate::state::Stamp;
use crate::state::store::{Named, Read, ReadAll, Row};
use crate::state::transaction::without_headers;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// All fields but those below, as returned.
    pub(crate) body: Map<String, Value>,
    pub(crate) events: Vec<Value>,
    pub(crate) transaction_id: Option<String>,
    pub(crate) locked: bool,
    pub(crate) cancelled: bool,
    /// Made to store a card, not to sell anything.
    pub(crate) for_token: bool,
    /// How the customer's payment ended, where it did not end well: what `return_url` tells.
    pub(crate) error: Option<String>,
}

impl Row for Session {
    fn id(&self) -> &str {
        &self.id
    }

    const TEXTS: &'static [Named<Read<Self>>] = &[
        ("id", |row| Some(&row.id)),
        ("transaction_id", |row| row.transaction_id.as_deref()),
        ("store_id", |row| text(row.order(), "/store/id")),
        // No filter of the list: a reference that was used before is looked up by it.
        (REFERENCE, |row| text(row.order(), "/merchant_reference")),
    ];

    const TIMES: &'static [Named<ReadAll<Self>>] =
        &[("created_at", |row| row.field("/created_at").and_then(Value::as_str).into_iter().collect())];

    const WORDS: &'static [Read<Self>] = &[
        |row| Some(&row.id),
        |row| row.transaction_id.as_deref(),
        |row| text(row.order(), "/merchant_reference"),
        |row| text(row.order(), "/merchant_reference_2"),
        |row| row.field("/customer/email").and_then(Value::as_str),
        |row| row.field("/customer/phone_number").and_then(Value::as_str),
    ];
}

/// The name under which sessions are found by their merchant reference.
pub(crate) const REFERENCE: &str = "/order/merchant_reference";

impl Session {
    /// A session in which nothing has happened yet.
    pub(crate) const fn new(id: String, body: Map<String, Value>) -> Self {
        Self {
            id,
            body,
            events: Vec::new(),
            transaction_id: None,
            locked: false,
            cancelled: false,
            for_token: false,
            error: None,
        }
    }

    pub(crate) fn push_event(&mut self, name: &str, stamp: &Stamp, headers: &Value, details: Value) {
        let mut event = json!({
            "id": stamp.id,
            "name": name,
            "created_at": stamp.created_at,
            "request_id": stamp.request_id,
        });
        if let Some(event) = event.as_object_mut() {
            if !details.is_null() {
                event.insert("details".into(), details);
            }
            if headers.is_object() {
                event.insert("request_headers".into(), headers.clone());
            }
        }
        self.body.insert("updated_at".into(), stamp.created_at.clone().into());
        self.events.push(event);
    }

    pub(crate) fn field(&self, pointer: &str) -> Option<&Value> {
        let mut parts = pointer.trim_start_matches('/').splitn(2, '/');
        let first = self.body.get(parts.next()?)?;
        match parts.next() {
            Some(rest) => first.pointer(&format!("/{rest}")),
            None => Some(first),
        }
    }

    pub(crate) fn order(&self) -> &Value {
        self.body.get("order").unwrap_or(&Value::Null)
    }

    /// The headers of the request that made the session: those of its first event, which are not kept twice.
    fn initiating_headers(&self) -> Value {
        let first = self.events.first().and_then(|event| event.get("request_headers"));
        first.cloned().unwrap_or_else(|| json!({}))
    }

    /// The session as the service shows it.
    pub(crate) fn view(&self, request_headers: bool, system_headers: bool) -> Value {
        let mut view = self.body.clone();
        view.insert("id".into(), self.id.clone().into());
        if let Some(id) = &self.transaction_id {
            view.insert("transaction_id".into(), id.clone().into());
        }
        if system_headers {
            view.insert("initiating_system_request_headers".into(), self.initiating_headers());
        }
        let events = self.events.iter().map(|event| without_headers(event, request_headers)).collect();
        view.insert("events".into(), Value::Array(events));
        view.into()
    }
}

/// The lines of the transaction: the order's items and, as one more line, its shipping option.
pub(crate) fn lines(order: &Value) -> Vec<Value> {
    let mut lines: Vec<Value> = elements(order, "/items").cloned().collect();
    if let Some(option) = order.get("shipping_option").filter(|option| option.is_object()) {
        let mut line = Map::new();
        copy(option, &mut line, &["id", "line_id", "amount", "vat", "vat_amount", "fee_split", "splits"]);
        line.insert("description".into(), option.get("title").cloned().unwrap_or_default());
        line.insert("quantity".into(), 1.into());
        line.insert("type".into(), "shipping".into());
        lines.push(line.into());
    }
    lines
}
