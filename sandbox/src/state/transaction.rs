//! A transaction as kept and as shown: its fields, its events, its ledger, and operations
//! that were accepted but not settled yet.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::json::text;
use crate::operation::Operation;
use crate::state::Stamp;
use crate::state::ledger::{Ledger, Refusal, Rules, Step};
use crate::state::log::Execution;
use crate::state::store::{Named, Read, ReadAll, ReadAmount, Row};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    /// All fields but those below, as returned.
    pub(crate) body: Map<String, Value>,
    pub(crate) events: Vec<Value>,
    pub(crate) ledger: Ledger,
    pub(crate) session_id: Option<String>,
    /// `payment_token` and `recurrence_token`, returned only on demand.
    pub(crate) card_tokens: Map<String, Value>,
    pub(crate) system_headers: Value,
    pub(crate) pending: Vec<Pending>,
}

impl Row for Transaction {
    fn id(&self) -> &str {
        &self.id
    }

    const TEXTS: &'static [Named<Read<Self>>] = &[
        ("id", |row| Some(&row.id)),
        ("status", |row| Some(row.ledger.status.as_str())),
        ("session_id", |row| row.session_id.as_deref()),
        ("payment_product", |row| row.field("payment_product", "")),
        ("payment_product_type", |row| row.field("payment_product_type", "")),
        ("card_brand", |row| row.field("card", "/brand")),
        ("merchant_reference", |row| row.field("merchant_reference", "")),
        ("merchant_reference_2", |row| row.field("merchant_reference_2", "")),
        ("store_id", |row| row.field("store", "/id")),
        ("currency", |row| row.field("currency", "")),
        ("payment_operation", |row| row.field("payment_operation", "")),
        ("customer_id", |row| row.field("customer", "/customer_id")),
        ("payout_destination_id", |row| row.field("payout_destination_id", "")),
        ("payout_correlation_id", |row| row.field("metadata", "/payout_correlation_id")),
        ("token_id", |row| row.field("card", "/payment_token_id")),
        ("token_id", |row| row.field("card", "/recurrence_token_id")),
    ];

    const TIMES: &'static [Named<ReadAll<Self>>] = &[
        ("created_at", |row| row.field("created_at", "").into_iter().collect()),
        ("captured_at", |row| row.times("CAPTURE").collect()),
        ("refunded_at", |row| row.times("REFUND").collect()),
    ];

    const AMOUNTS: &'static [Named<ReadAmount<Self>>] =
        &[("amount", |row| row.body.get("amount").and_then(Value::as_i64))];

    const WORDS: &'static [Read<Self>] = &[
        |row| Some(&row.id),
        |row| row.session_id.as_deref(),
        |row| row.field("merchant_reference", ""),
        |row| row.field("merchant_reference_2", ""),
        |row| row.field("customer", "/email"),
        |row| row.field("customer", "/phone_number"),
        |row| row.field("shipping_address", "/first_name"),
        |row| row.field("shipping_address", "/last_name"),
        |row| row.field("billing_address", "/first_name"),
        |row| row.field("billing_address", "/last_name"),
    ];
}

/// An operation that got a 202.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) action: Action,
    /// The id that the response gave in `event-request-id`.
    pub(crate) request_id: String,
    /// Reads that still find it pending; `None` waits to be settled by hand.
    pub(crate) reads: Option<u32>,
    pub(crate) success: bool,
}

/// A change to a transaction, with what its event tells about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(crate) operation: Operation,
    pub(crate) event: Cow<'static, str>,
    pub(crate) step: Step,
    pub(crate) amount: Option<i64>,
    pub(crate) items: Option<Value>,
    pub(crate) reference: Option<String>,
    pub(crate) metadata: Option<Value>,
    pub(crate) request_headers: Value,
}

impl Action {
    /// An action about which there is nothing more to tell.
    pub(crate) const fn new(operation: Operation, event: &'static str, step: Step) -> Self {
        Self {
            operation,
            event: Cow::Borrowed(event),
            step,
            amount: None,
            items: None,
            reference: None,
            metadata: None,
            request_headers: Value::Null,
        }
    }

    pub(crate) const fn with_amount(mut self, amount: i64) -> Self {
        self.amount = Some(amount);
        self
    }

    fn event(&self, name: &str, stamp: &Stamp, success: bool) -> Map<String, Value> {
        let mut event = Map::new();
        event.insert("id".into(), stamp.id.clone().into());
        event.insert("event".into(), name.into());
        event.insert("success".into(), success.into());
        event.insert("created_at".into(), stamp.created_at.clone().into());
        event.insert("created_by".into(), "sandbox".into());
        event.insert("request_id".into(), stamp.request_id.clone().into());
        let details = [
            ("amount", self.amount.map(Value::from)),
            ("items", self.items.clone()),
            ("event_reference", self.reference.clone().map(Value::from)),
            ("metadata", self.metadata.clone()),
        ];
        for (name, value) in details {
            if let Some(value) = value {
                event.insert(name.into(), value);
            }
        }
        if self.request_headers.is_object() {
            event.insert("request_headers".into(), self.request_headers.clone());
        }
        event
    }
}

impl Transaction {
    /// Records that the payment began; the ledger is initiated from its start.
    pub(crate) fn initialize(&mut self, action: &Action, stamp: &Stamp) {
        let event = action.event(&action.event, stamp, true);
        self.push(event, stamp, None);
    }

    /// Takes the step and records its event, or changes nothing.
    pub(crate) fn execute(
        &mut self,
        action: &Action,
        stamp: &Stamp,
        correlation: Option<&str>,
        rules: Rules,
    ) -> Result<Execution, Refusal> {
        let next = self.ledger.after(action.step, rules)?;
        self.ledger = next;
        if let Step::Reauthorize { amount: Some(amount), .. } = action.step {
            self.body.insert("amount".into(), amount.into());
            if let Some(items) = &action.items {
                self.body.insert("items".into(), items.clone());
            }
        }
        let event = action.event(&action.event, stamp, true);
        self.push(event, stamp, correlation);
        Ok(Execution {
            operation: action.operation,
            id: self.id.clone(),
            amount: action.amount,
            reference: action.reference.clone(),
        })
    }

    /// Records that the operation was tried and failed, with the state put right after it.
    pub(crate) fn fail(&mut self, action: &Action, stamp: &Stamp, correlation: Option<&str>) {
        let mut event = action.event(&action.event, stamp, false);
        event.insert(
            "error".into(),
            json!({ "message": "the payment processor refused the operation",
                    "code": "PROCESSOR_ERROR", "type": ["ERROR"] }),
        );
        event.insert(
            "correction".into(),
            json!({
                "status": self.ledger.status.as_str(),
                "remaining_capture_amount": self.ledger.left_to_capture(),
                "remaining_refund_amount": self.ledger.left_to_refund(),
                "remaining_void_amount": self.ledger.left_to_void(),
                "event_ids": [stamp.id],
            }),
        );
        self.push(event, stamp, correlation);
    }

    /// Records a payment that ended without money, with the issuer's reasons.
    pub(crate) fn refuse(&mut self, action: &Action, stamp: &Stamp, rules: Rules, error: Value) -> Result<(), Refusal> {
        self.ledger = self.ledger.after(action.step, rules)?;
        let mut event = action.event(&action.event, stamp, false);
        event.insert("error".into(), error);
        self.push(event, stamp, None);
        Ok(())
    }

    /// Records that an operation was accepted and is under way.
    pub(crate) fn accept(&mut self, pending: Pending, stamp: &Stamp) {
        let initiated = match pending.action.event.as_ref() {
            "CAPTURE" => "INITIATE_CAPTURE",
            "REFUND" => "INITIATE_REFUND",
            _ => "INITIATE_VOID",
        };
        let event = pending.action.event(initiated, stamp, true);
        self.push(event, stamp, None);
        self.pending.push(pending);
    }

    fn push(&mut self, mut event: Map<String, Value>, stamp: &Stamp, correlation: Option<&str>) {
        event.insert("transaction_status".into(), self.ledger.status.as_str().into());
        if let Some(correlation) = correlation {
            event.insert("correlation_request_id".into(), correlation.into());
        }
        self.body.insert("updated_at".into(), stamp.created_at.clone().into());
        self.events.push(event.into());
    }

    /// Counts one read and settles what has waited long enough, or, with `all`, everything.
    /// There is one stamp for each pending operation.
    pub(crate) fn settle(&mut self, all: bool, rules: Rules, stamps: Vec<Stamp>) -> Vec<Execution> {
        let mut executed = Vec::new();
        for (mut pending, stamp) in std::mem::take(&mut self.pending).into_iter().zip(stamps) {
            if !all && pending.reads != Some(0) {
                pending.reads = pending.reads.map(|reads| reads.saturating_sub(1));
                self.pending.push(pending);
                continue;
            }
            let correlation = Some(pending.request_id.as_str());
            let outcome =
                if pending.success { self.execute(&pending.action, &stamp, correlation, rules).ok() } else { None };
            match outcome {
                Some(execution) => executed.push(execution),
                None => self.fail(&pending.action, &stamp, correlation),
            }
        }
        executed
    }

    /// The transaction as the service shows it.
    pub(crate) fn view(&self, includes: &Includes, session: Option<Value>) -> Value {
        let mut view = self.body.clone();
        view.insert("id".into(), self.id.clone().into());
        view.insert("status".into(), self.ledger.status.as_str().into());
        if let Some(session_id) = &self.session_id {
            view.insert("session_id".into(), session_id.clone().into());
        }
        if includes.system_headers {
            view.insert("initiating_system_request_headers".into(), self.system_headers.clone());
        }
        if let Some(session) = session {
            view.insert("session".into(), session);
        }
        if let Some(card) = view.get_mut("card").and_then(Value::as_object_mut) {
            for (name, wanted) in
                [("payment_token", includes.payment_token), ("recurrence_token", includes.recurrence_token)]
            {
                if let (true, Some(token)) = (wanted, self.card_tokens.get(name)) {
                    card.insert(name.into(), token.clone());
                }
            }
        }
        let events = self
            .events
            .iter()
            .filter(|event| !includes.successful_only || event.get("success") == Some(&Value::Bool(true)))
            .map(|event| without_headers(event, includes.request_headers))
            .collect();
        view.insert("events".into(), Value::Array(events));
        view.into()
    }

    /// The text at a pointer within a field.
    fn field(&self, name: &str, pointer: &str) -> Option<&str> {
        text(self.body.get(name)?, pointer)
    }

    /// The times at which successful events of a kind happened.
    pub(crate) fn times<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = &'t str> {
        self.events.iter().filter_map(move |event| {
            let happened = event.get("event")?.as_str()? == kind && event.get("success")? == &Value::Bool(true);
            happened.then_some(event.get("created_at")?.as_str()?)
        })
    }
}

/// The event, with the headers of its request only where they are wanted.
pub(crate) fn without_headers(event: &Value, keep: bool) -> Value {
    let mut event = event.clone();
    if let (false, Some(event)) = (keep, event.as_object_mut()) {
        event.remove("request_headers");
    }
    event
}

/// What a response is to carry beyond the ordinary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Includes {
    pub(crate) request_headers: bool,
    pub(crate) successful_only: bool,
    pub(crate) system_headers: bool,
    pub(crate) payment_token: bool,
    pub(crate) recurrence_token: bool,
    pub(crate) session: bool,
    pub(crate) latest_session_event: bool,
}

impl Includes {
    /// The whole transaction, tokens and all.
    pub(crate) const EVERYTHING: Self = Self {
        request_headers: true,
        successful_only: false,
        system_headers: true,
        payment_token: true,
        recurrence_token: true,
        session: false,
        latest_session_event: false,
    };
}
