//! What can go wrong between a client and the service, for tests to ask for.
//!
//! Here is the vocabulary and the list of what is still to happen; `wire` makes it happen.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::operation::Operation;
use crate::state::log::ReceivedRequest;

/// Something going wrong with one request. Unless said otherwise with
/// [`after_executing`](Self::after_executing), the request is **not** executed.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) executes: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Effect {
    ResetUnread,
    Reset,
    Silence,
    Delay(Duration),
    /// Bytes in place of the response.
    Respond {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The response's own bytes, badly framed.
    Framing(Framing),
    /// No accident on the way: the operation itself turns out otherwise.
    Course(Course),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The right length is announced, the connection ends halfway.
    Truncated,
    /// Half the length is announced and sent.
    TooShort,
}

/// How an operation turns out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum Course {
    #[default]
    Normal,
    /// Returns 202; settled after so many reads, or by hand.
    Accepted { reads: Option<u32>, success: bool },
    /// Returns 200 and an event that did not succeed.
    Failed,
    /// A payment that the issuer declines.
    Declined { retry_codes: Vec<String>, retry_after: Option<String> },
}

impl Fault {
    const fn new(effect: Effect) -> Self {
        Self { effect, executes: false }
    }

    fn json_error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "error": { "code": status.to_string(), "message": message } });
        Self::response(status, "application/json", body.to_string())
    }

    /// Resets the connection once the request line has arrived, before the server has read the request.
    #[must_use]
    pub const fn reset_unread() -> Self {
        Self::new(Effect::ResetUnread)
    }

    /// Resets the connection (TCP RST) after the whole request was read.
    #[must_use]
    pub const fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// Sends no response at all; the client's timeout has to end the call.
    #[must_use]
    pub const fn silence() -> Self {
        Self::new(Effect::Silence)
    }

    /// Executes the request and responds as usual, but only after this time by the sandbox's clock.
    #[must_use]
    pub const fn delay(by: Duration) -> Self {
        Self { effect: Effect::Delay(by), executes: true }
    }

    /// Responds with an error in the API's shape with this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::json_error(status, "injected by the test")
    }

    /// Responds with 502 and a page of HTML, as gateways send it.
    #[must_use]
    pub fn bad_gateway() -> Self {
        Self::response(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
    }

    /// Responds with 429 and `Retry-After` in whole seconds.
    #[must_use]
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::json_error(429, "too many requests").with_header("retry-after", retry_after.as_secs().to_string())
    }

    /// Responds with 401, as if the token had been revoked.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::json_error(401, "the token is not accepted")
    }

    /// Responds with any status and body.
    #[must_use]
    pub fn response(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Effect::Respond {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
        })
    }

    /// Responds with 200 and a body that is not JSON.
    #[must_use]
    pub fn garbage() -> Self {
        Self::response(200, "application/json", "\u{0}not json at all")
    }

    /// Announces the full length in the head of the response, and ends the connection after half of the body.
    #[must_use]
    pub const fn truncated_body() -> Self {
        Self::new(Effect::Framing(Framing::Truncated))
    }

    /// Announces half of the length in the head of the response, so that the body ends in the middle.
    #[must_use]
    pub const fn wrong_length() -> Self {
        Self::new(Effect::Framing(Framing::TooShort))
    }

    /// Responds with 202: accepts the operation and settles it as the transaction is read again, see
    /// [`settled_after_reads`](Self::settled_after_reads).
    #[must_use]
    pub const fn accepted() -> Self {
        Self { effect: Effect::Course(Course::Accepted { reads: Some(1), success: true }), executes: true }
    }

    /// Sets when an [`accepted`](Self::accepted) operation is settled: the first `reads` reads of the transaction still
    /// find it pending (1 by default); `None` leaves it pending until
    /// [`Sandbox::settle_accepted`](crate::Sandbox::settle_accepted).
    #[must_use]
    pub fn settled_after_reads(mut self, reads: Option<u32>) -> Self {
        if let Effect::Course(Course::Accepted { reads: set, .. }) = &mut self.effect {
            *set = reads;
        }
        self
    }

    /// Makes an [`accepted`](Self::accepted) operation fail when it is settled.
    #[must_use]
    pub fn failing(mut self) -> Self {
        if let Effect::Course(Course::Accepted { success, .. }) = &mut self.effect {
            *success = false;
        }
        self
    }

    /// Responds with 200 and the transaction, whose newest event has `success: false` and a `correction`. No money
    /// moves.
    #[must_use]
    pub const fn fails_with_correction() -> Self {
        Self { effect: Effect::Course(Course::Failed), executes: true }
    }

    /// Responds to `sessions/pay` with 200 and a payment that the issuer declined, with its retry codes
    /// (`DO_NOT_RETRY`, ...) and, where given, how long to wait.
    #[must_use]
    pub fn declined(retry_codes: &[&str], retry_after: Option<&str>) -> Self {
        Self {
            effect: Effect::Course(Course::Declined {
                retry_codes: retry_codes.iter().map(|code| (*code).to_owned()).collect(),
                retry_after: retry_after.map(str::to_owned),
            }),
            executes: true,
        }
    }

    /// Executes the request first: the money has moved when the fault strikes. Has no effect for
    /// [`reset_unread`](Self::reset_unread), where there is no request yet.
    #[must_use]
    pub fn after_executing(mut self) -> Self {
        self.executes = !matches!(self.effect, Effect::ResetUnread);
        self
    }

    /// Adds a header to a generated response.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Effect::Respond { headers, .. } = &mut self.effect {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

impl Fault {
    /// What it does, in words.
    pub(crate) fn words(&self) -> String {
        let effect = match &self.effect {
            Effect::ResetUnread => "the connection is reset before the request is read".to_owned(),
            Effect::Reset => "the connection is reset".to_owned(),
            Effect::Silence => "no response".to_owned(),
            Effect::Delay(by) => return format!("the response comes {by:?} late"),
            Effect::Respond { status, .. } => format!("{status} in place of the response"),
            Effect::Framing(Framing::Truncated) => "the connection ends in the middle of the response".to_owned(),
            Effect::Framing(Framing::TooShort) => "the response announces half of its length".to_owned(),
            Effect::Course(Course::Normal) => return "none".to_owned(),
            Effect::Course(Course::Accepted { success, .. }) => {
                return format!("202, and {} later", if *success { "done" } else { "failed" });
            }
            Effect::Course(Course::Failed) => return "200 with an event that failed".to_owned(),
            Effect::Course(Course::Declined { .. }) => return "the issuer declines".to_owned(),
        };
        format!("{effect}, {}", if self.executes { "after executing" } else { "without executing" })
    }
}

/// A test's own choice. Shared, so that it is asked while nothing else is locked: it may look at
/// the sandbox.
pub(crate) type Chooser = Arc<Mutex<dyn FnMut(&ReceivedRequest) -> Option<Fault> + Send>>;

struct Rule {
    operation: Operation,
    /// How often still; `None` for ever.
    left: Option<u32>,
    fault: Fault,
}

/// A fault that strikes now and then.
struct Rate {
    operation: Option<Operation>,
    rate: f64,
    fault: Fault,
}

/// A fault still to come.
#[derive(Debug)]
pub(crate) struct Planned<'p> {
    /// Any call where none is named.
    pub(crate) operation: Option<Operation>,
    pub(crate) left: Option<u32>,
    pub(crate) rate: Option<f64>,
    pub(crate) fault: &'p Fault,
}

/// The faults still to come, in the order in which they were asked for.
pub(crate) struct Plan {
    rules: Vec<Rule>,
    rates: Vec<Rate>,
    choosers: Vec<Chooser>,
    /// Apart from the ids, so that faults do not change them.
    random: fastrand::Rng,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("rules", &self.rules.len()).finish()
    }
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { rules: Vec::new(), rates: Vec::new(), choosers: Vec::new(), random }
    }

    pub(crate) fn add_rate(&mut self, operation: Option<Operation>, rate: f64, fault: Fault) {
        self.rates.push(Rate { operation, rate, fault });
    }

    pub(crate) fn add(&mut self, operation: Operation, times: Option<u32>, fault: Fault) {
        if times == Some(0) {
            return;
        }
        self.rules.push(Rule { operation, left: times, fault });
    }

    pub(crate) fn add_chooser(&mut self, chooser: Chooser) {
        self.choosers.push(chooser);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.rates.clear();
        self.choosers.clear();
    }

    /// All that is still to come, but for what a test's own choosers have in mind.
    pub(crate) fn planned(&self) -> impl Iterator<Item = Planned<'_>> {
        let rules = self.rules.iter().map(|rule| Planned {
            operation: Some(rule.operation),
            left: rule.left,
            rate: None,
            fault: &rule.fault,
        });
        let rates = self.rates.iter().map(|rate| Planned {
            operation: rate.operation,
            left: None,
            rate: Some(rate.rate),
            fault: &rate.fault,
        });
        rules.chain(rates)
    }

    /// Whether the request whose first line just came in is to be reset unread.
    pub(crate) fn resets_unread(&mut self, operation: Operation) -> bool {
        self.take_planned(operation, |fault| matches!(fault.effect, Effect::ResetUnread)).is_some()
            || self.strike(operation, |fault| matches!(fault.effect, Effect::ResetUnread)).is_some()
    }

    /// The fault planned for a request that was read.
    pub(crate) fn take(&mut self, operation: Operation) -> Option<Fault> {
        let read = |fault: &Fault| !matches!(fault.effect, Effect::ResetUnread);
        self.take_planned(operation, read).or_else(|| self.strike(operation, read))
    }

    /// Who is to be asked where nothing is planned.
    pub(crate) fn choosers(&self) -> Vec<Chooser> {
        self.choosers.clone()
    }

    /// The first fault with a rate that strikes this time.
    fn strike(&mut self, asked: Operation, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let random = &mut self.random;
        let concerns = |rate: &&Rate| rate.operation.is_none_or(|operation| operation == asked) && fits(&rate.fault);
        self.rates.iter().filter(concerns).find(|rate| random.f64() < rate.rate).map(|rate| rate.fault.clone())
    }

    fn take_planned(&mut self, asked: Operation, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let place = self.rules.iter().position(|rule| rule.operation == asked && fits(&rule.fault))?;
        let rule = self.rules.get_mut(place)?;
        let fault = rule.fault.clone();
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        if rule.left == Some(0) {
            self.rules.remove(place);
        }
        Some(fault)
    }
}

/// The first fault that one of the choosers wants for a request.
pub(crate) fn choose(choosers: &[Chooser], request: &ReceivedRequest) -> Option<Fault> {
    choosers.iter().find_map(|chooser| {
        let mut chooser = chooser.lock().unwrap_or_else(PoisonError::into_inner);
        (*chooser)(request)
    })
}
