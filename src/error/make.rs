//! The constructors of the crate's errors.
//!
//! One constructor per point of failure, so that the [`Outcome`] of each is decided in one place. Every
//! `detail` is written by us and fit to print; causes are stripped of what is not.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::cause::{Tls, is_timeout, tls};
use super::shown::{Sent, shown};
use super::{ApiBody, CallId, Error, ErrorKind, Inner, KEPT_BODY, KEPT_HEADERS, Outcome};
use crate::check::InvalidRequest;
use crate::ids::{AccountId, IdError};
use crate::money::OrderError;
use crate::raw_response::RawResponse;
use crate::read::{JsonPath, Unreadable, UnreadableRow};
use crate::transport::{BoxError, SendError};
use crate::verdict::{Attempt, Verdict};

/// What is said of an HTML page in place of JSON.
const PAGE: &str = "a proxy or gateway, not the service, responded with an HTML page";

/// What a call has used up when it fails.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}

impl Error {
    fn bare(kind: ErrorKind, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                detail: detail.into(),
                call: None,
                status: None,
                headers: HeaderMap::new(),
                body: Bytes::new(),
                body_cut: false,
                api: ApiBody::default(),
                shown: None,
                path: None,
                outcome,
                timed_out: false,
                cut: false,
                is_lasting: false,
                retry_after: None,
                attempts: 0,
                elapsed: Duration::ZERO,
                source: None,
                attempt: None,
                verdict: None,
            }),
        }
    }

    pub(crate) fn configuration(detail: impl Into<String>) -> Self {
        Self::bare(ErrorKind::Configuration, Outcome::NotSent, detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::bare(ErrorKind::InvalidRequest, Outcome::NotSent, detail)
    }

    pub(crate) fn invalid_field(path: JsonPath, detail: impl Into<String>) -> Self {
        let mut error = Self::invalid(detail);
        error.inner.path = Some(path);
        error
    }

    /// No token: what the caller gets of an error that all waiting callers share.
    pub(crate) fn token(shared: Arc<Error>, retry_after: Option<Duration>) -> Self {
        let of = &shared.inner;
        let mut error = Self::bare(ErrorKind::Token, Outcome::NotSent, format!("no access token: {}", of.detail));
        error.inner.status = of.status;
        error.inner.headers = of.headers.clone();
        error.inner.body = of.body.clone();
        error.inner.body_cut = of.body_cut;
        error.inner.api = of.api.clone();
        error.inner.shown = of.shown.clone();
        error.inner.timed_out = of.timed_out;
        error.inner.is_lasting = of.is_lasting;
        error.inner.retry_after = retry_after;
        error.inner.source = Some(Box::new(shared));
        error
    }

    /// No response began.
    pub(crate) fn not_responded(cause: SendError) -> Self {
        match cause {
            SendError::NotSent(cause) => Self::connect(cause),
            SendError::Lost(cause) => Self::transport(cause),
        }
    }

    /// No connection was made, or none that took the request: nothing was sent.
    fn connect(cause: BoxError) -> Self {
        let (kind, detail) = match tls(&*cause) {
            Some(Tls::Certificate) => (ErrorKind::Certificate, "the certificate of the server is not trusted"),
            Some(Tls::Other) => (ErrorKind::Connect, "no connection, TLS failed"),
            None => (ErrorKind::Connect, "no connection"),
        };
        let detail = with_root(detail, &*cause);
        let mut error = Self::bare(kind, Outcome::NotSent, detail);
        error.inner.is_lasting = tls(&*cause).is_some();
        error.inner.timed_out = is_timeout(&*cause);
        error.inner.source = Some(cause);
        error
    }

    /// The connection was lost after it was made.
    pub(crate) fn transport(cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        let timed_out = is_timeout(&*cause);
        let kind = if timed_out { ErrorKind::Timeout } else { ErrorKind::Transport };
        let mut error = Self::bare(kind, Outcome::Unknown, with_root("the connection was lost", &*cause));
        error.inner.timed_out = timed_out;
        error.inner.source = Some(cause);
        error
    }

    /// The deadline passed. What is known of the effect by then the caller says.
    pub(crate) fn timeout(outcome: Outcome) -> Self {
        let mut error = Self::bare(ErrorKind::Timeout, outcome, "timed out");
        error.inner.timed_out = true;
        error
    }

    /// The turn of the next request would come after the deadline.
    pub(crate) fn held_back(wait: Duration) -> Self {
        let mut error = Self::timeout(Outcome::NotSent);
        error.inner.detail = "held back: its turn would come after its time".to_owned();
        error.inner.retry_after = Some(wait);
        error
    }

    /// The deadline passed after the response had begun: its status and headers are known.
    pub(crate) fn timeout_after(response: RawResponse) -> Self {
        let mut error = match response.status.is_success() {
            true => Self::timeout(Outcome::Unknown).with_response(response),
            false => Self::api(response),
        };
        error.inner.timed_out = true;
        error.inner.cut = true;
        error
    }

    /// The service, or a gateway before it, responded with an error status.
    pub(crate) fn api(response: RawResponse) -> Self {
        let outcome = Outcome::of_status(response.status, &response.body);
        let detail = match is_html(&response) {
            true => PAGE,
            false => "the service responded with an error",
        };
        let mut error = Self::bare(ErrorKind::Api, outcome, detail);
        error.inner.api = ApiBody::read(&response.body);
        error.inner.shown = shown(&error.inner.api, &Sent::default());
        error.with_response(response)
    }

    /// The token call was refused. Says which of the credentials to check.
    pub(crate) fn token_refused(response: RawResponse, account: &AccountId) -> Self {
        let advice = match response.status.as_u16() {
            _ if is_html(&response) => None,
            400 | 401 => Some(format!(
                "the service refused the client id or the client secret: check that both are of one API client of \
                 account {account}, and of its {} environment",
                account.environment()
            )),
            403 => Some(format!(
                "the service refuses this API client the account {account}: check the account id, and that the client \
                 may use the Checkout API there"
            )),
            404 => Some(format!("the service does not know the account {account}: check the account id")),
            _ => None,
        };
        let mut error = Self::api(response);
        if let Some(advice) = advice {
            error.inner.detail = advice;
        }
        error
    }

    /// Hides what a request carried from the part of the service's message that is shown.
    pub(crate) fn hide(&mut self, sent: &Sent) {
        self.inner.shown = shown(&self.inner.api, sent);
    }

    /// A success that cannot be read: what it says has probably happened, what exactly is not known.
    pub(crate) fn unreadable(response: RawResponse, detail: impl Into<String>) -> Self {
        Self::bare(ErrorKind::Unreadable, Outcome::Unknown, detail).with_response(response)
    }

    /// A success whose content says that the operation failed, or does not prove that it did not.
    pub(crate) fn judged(response: RawResponse, verdict: Box<Verdict>) -> Self {
        let (kind, detail) = match verdict.outcome() {
            Outcome::Rejected => (ErrorKind::Failed, "the service reports that the operation failed".to_owned()),
            _ => (ErrorKind::Unproven, format!("the response does not prove what became of it: {}", verdict.why())),
        };
        let failed = verdict.failed_event();
        let wait = failed.and_then(super::failure::retry_after);
        let mut error = Self::bare(kind, verdict.outcome(), detail).with_response(response);
        let event = failed.and_then(|event| event.error.as_ref());
        let (code, message) = event.map(|error| (error.code.clone(), error.message.clone())).unwrap_or_default();
        error.inner.api = ApiBody::new(code, message, Vec::new());
        error.inner.shown = shown(&error.inner.api, &Sent::default());
        error.inner.retry_after = error.inner.retry_after.or(wait);
        error.inner.verdict = Some(verdict);
        error
    }

    /// The body of a success ended early because the connection did.
    pub(crate) fn cut_by(mut self, cause: hyper::Error) -> Self {
        self.inner.timed_out = is_timeout(&cause);
        self.inner.cut = true;
        self.with_source(cause)
    }

    /// A success in which a required field is missing or cannot be read.
    pub(crate) fn unreadable_at(response: RawResponse, cause: &Unreadable) -> Self {
        if is_html(&response) {
            return Self::unreadable(response, PAGE);
        }
        let detail = format!("the response cannot be read: {}", cause.problem);
        let mut error = Self::unreadable(response, detail);
        error.inner.path = Some(cause.path.clone());
        error
    }

    /// A row of a list that cannot be read.
    pub(crate) fn unreadable_row(row: &UnreadableRow) -> Self {
        let detail = format!("a row cannot be read: {}", row.error.problem);
        let mut error = Self::bare(ErrorKind::Unreadable, Outcome::Unknown, detail);
        error.inner.path = Some(row.error.path.clone());
        error.with_body(serde_json::to_vec(&row.value).unwrap_or_default().into())
    }

    /// A request that breaks a rule of the interface.
    pub(crate) fn invalid_request(cause: &InvalidRequest) -> Self {
        let mut error = Self::invalid(format!("the request is not valid: {}", cause.rule));
        error.inner.path = Some(cause.path.clone());
        error
    }

    /// An order that does not add up, or whose lines cannot be told apart.
    pub(crate) fn order(cause: OrderError) -> Self {
        let path = JsonPath::root().field("order");
        let (path, detail) = match &cause {
            OrderError::LineId { .. } => (path.field("items"), cause.to_string()),
            _ => (path.field("amount"), cause.to_string()),
        };
        Self::invalid_field(path, detail).with_source(cause)
    }

    /// A list whose pages do not lead on.
    pub(crate) fn stuck(detail: &'static str) -> Self {
        Self::bare(ErrorKind::Unreadable, Outcome::Unknown, detail)
    }

    fn with_response(mut self, response: RawResponse) -> Self {
        let inner = &mut self.inner;
        inner.status = Some(response.status);
        inner.retry_after = crate::retry::retry_after(&response.headers);
        inner.headers = kept(&response.headers);
        self.with_body(response.body)
    }

    fn with_body(mut self, body: Bytes) -> Self {
        self.inner.body_cut = body.len() > KEPT_BODY;
        // Copied: a slice would keep all that it is one of alive.
        self.inner.body = Bytes::copy_from_slice(body.get(..KEPT_BODY).unwrap_or(&body));
        self
    }

    pub(crate) fn with_source(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Box::new(cause));
        self
    }

    /// The journal failed, so that nothing was sent, or it is not known whether it was.
    pub(crate) fn journal(cause: Box<dyn StdError + Send + Sync>, outcome: Outcome) -> Self {
        let mut error = Self::bare(ErrorKind::Journal, outcome, "the journal of what was begun failed");
        error.inner.source = Some(cause);
        error
    }

    pub(crate) fn with_attempt(mut self, attempt: Attempt) -> Self {
        self.inner.attempt = Some(Box::new(attempt));
        self
    }

    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.inner.outcome = outcome;
    }

    /// Names the call.
    pub(crate) fn in_call(mut self, call: impl Into<CallId>, spent: Spent) -> Self {
        let call = call.into();
        let inner = &mut self.inner;
        // Nothing that only reads has an effect to find out about.
        if call.only_reads() && inner.outcome == Outcome::Unknown {
            inner.outcome = Outcome::ReadOnly;
        }
        inner.call = Some(call);
        inner.attempts = spent.attempts;
        inner.elapsed = spent.elapsed;
        self
    }
}

/// A page for people where JSON was to come: gateways, proxies and log-in pages write them.
fn is_html(response: &RawResponse) -> bool {
    let kind = response.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
        || response.body.trim_ascii_start().starts_with(b"<")
}

/// A text with the first of all causes, such as "Connection refused".
fn with_root(detail: &str, cause: &(dyn StdError + 'static)) -> String {
    let mut root = cause;
    while let Some(next) = root.source() {
        root = next;
    }
    format!("{detail}: {root}")
}

/// As much of the headers as an error keeps, the shortest first: ids and times are short.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut all: Vec<_> = headers.iter().collect();
    all.sort_by_key(|(_, value)| value.len());
    let mut left = KEPT_HEADERS;
    let fits = all.into_iter().take_while(|(name, value)| {
        let size = name.as_str().len().saturating_add(value.len());
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    // Copied: a value is a slice of all that was received with it.
    fits.filter_map(|(name, value)| Some((name.clone(), HeaderValue::from_bytes(value.as_bytes()).ok()?))).collect()
}

impl From<IdError> for Error {
    fn from(cause: IdError) -> Self {
        Self::invalid("an id is not valid").with_source(cause)
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn a_page_is_known_by_its_type_or_by_its_first_letter() {
        for (kind, body, is_page) in [
            ("text/html", "Forbidden", true),
            (" Text/HTML; charset=utf-8", "{}", true),
            ("application/json", " <html>", true),
            ("application/json", "{}", false),
            ("text/plain", "text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())]);
            let response = RawResponse { status: http::StatusCode::OK, headers, body: Bytes::from(body) };
            assert_eq!(is_html(&response), is_page, "{kind}: {body}");
        }
    }

    #[test]
    fn a_body_is_cut_where_it_is_longer_than_what_is_kept() {
        for (length, kept, is_cut) in [(0, 0, false), (KEPT_BODY, KEPT_BODY, false), (KEPT_BODY + 1, KEPT_BODY, true)] {
            let error = Error::configuration("").with_body(vec![b'a'; length].into());
            assert_eq!((error.body().len(), error.is_body_truncated()), (kept, is_cut));
        }
    }
}
