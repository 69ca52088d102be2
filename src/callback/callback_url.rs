//! Builds the `callback_url` of a session, in whose query the options of its callbacks live.
//!
//! Reading the callbacks is not done here.

use std::time::Duration;

use url::Url;

use super::params::{ADDED, OPTIONS};
use crate::loopback::is_loopback;

/// The longest delay that can be asked for.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A callback URL and its options.
///
/// The merchant's own parameters come back with each callback; they can be put into the URL given.
///
/// ```
/// # fn main() -> Result<(), dintero::callback::CallbackUrlError> {
/// use dintero::callback::{CallbackUrl, ReportedEvent};
///
/// let url = CallbackUrl::new("https://shop.example/callback?order=7")
///     .report_error()
///     .report_event(ReportedEvent::Capture)
///     .report_event(ReportedEvent::Refund)
///     .build()?;
/// assert_eq!(
///     url.as_str(),
///     "https://shop.example/callback?order=7&report_error=true&report_event=CAPTURE&report_event=REFUND"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CallbackUrl {
    url: String,
    loopback: bool,
    post: bool,
    report_error: bool,
    delay: Duration,
    report_events: Vec<ReportedEvent>,
    include_session: bool,
    session_name: Option<String>,
}

/// An event that a callback can be asked for, besides the payment itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReportedEvent {
    /// The transaction was captured, in part or in full.
    Capture,
    /// The transaction was refunded, in part or in full.
    Refund,
    /// The authorization was voided.
    Void,
}

impl ReportedEvent {
    /// Returns the event as it stands in the URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "CAPTURE",
            Self::Refund => "REFUND",
            Self::Void => "VOID",
        }
    }
}

/// Why a callback URL cannot be built. Names the option; quotes nothing of the URL but the name of a
/// parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackUrlError {
    /// It is not an absolute URL with a host.
    #[error("the callback URL is not an absolute URL")]
    NotAUrl,
    /// It is not https: what it says would travel in the clear.
    #[error("the callback URL is not https")]
    NotHttps,
    /// It has something that no request carries to its receiver as it is.
    #[error("the callback URL has {0}")]
    Part(&'static str),
    /// It has a parameter of its own with a name that the service uses.
    #[error("the callback URL has a parameter `{0}`, a name that the service uses")]
    Reserved(&'static str),
    /// `delay_callback` is not whole seconds, at most 60.
    #[error("`delay_callback` must be whole seconds, at most {}", LONGEST_DELAY.as_secs())]
    Delay,
    /// `sid_parameter_name` is empty, or is the name of another parameter.
    #[error("`sid_parameter_name` {0}")]
    SessionName(&'static str),
}

impl CallbackUrl {
    /// Starts with a URL without any of the options, own parameters included.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            loopback: false,
            post: false,
            report_error: false,
            delay: Duration::ZERO,
            report_events: Vec::new(),
            include_session: false,
            session_name: None,
        }
    }

    /// Allows plain http if the host is this machine, for the sandbox of this crate.
    pub fn allow_loopback_http(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Sets `method=POST`: callbacks bring the transaction as a body, which is not signed. Without it they are GETs.
    pub fn post(mut self) -> Self {
        self.post = true;
        self
    }

    /// Sets `report_error=true`: the service also reports failed payments. They may have no transaction.
    pub fn report_error(mut self) -> Self {
        self.report_error = true;
        self
    }

    /// Sets `delay_callback`: how long the service waits before the first callback, in whole seconds, at most 60. It
    /// leaves the redirect time to arrive first; it guarantees nothing.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a `report_event`: the service sends a callback for this later event as well. Naming an event twice changes
    /// nothing.
    pub fn report_event(mut self, event: ReportedEvent) -> Self {
        if !self.report_events.contains(&event) {
            self.report_events.push(event);
        }
        self
    }

    /// Sets `includes=session`: the body of a POST has the session too.
    pub fn include_session(mut self) -> Self {
        self.include_session = true;
        self
    }

    /// Sets `sid_parameter_name`: the name under which the session id comes, `session_id` without it.
    pub fn session_parameter(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// Makes the URL.
    ///
    /// # Errors
    /// [`CallbackUrlError`], naming what is wrong.
    pub fn build(self) -> Result<Url, CallbackUrlError> {
        let mut url = Url::parse(&self.url).map_err(|_| CallbackUrlError::NotAUrl)?;
        if url.host().is_none() {
            return Err(CallbackUrlError::NotAUrl);
        }
        let safe = match url.scheme() {
            "https" => true,
            "http" => self.loopback && is_loopback(&url),
            _ => false,
        };
        if !safe {
            return Err(CallbackUrlError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CallbackUrlError::Part("credentials"));
        }
        if url.fragment().is_some() {
            return Err(CallbackUrlError::Part("a fragment"));
        }
        for reserved in ADDED.into_iter().chain(OPTIONS) {
            if url.query_pairs().any(|(name, _)| name == reserved) {
                return Err(CallbackUrlError::Reserved(reserved));
            }
        }
        if let Some(name) = &self.session_name {
            let theirs = ADDED.into_iter().chain(OPTIONS).filter(|n| *n != "session_id");
            if name.is_empty() {
                return Err(CallbackUrlError::SessionName("is empty"));
            }
            if theirs.into_iter().any(|n| n == name) || url.query_pairs().any(|(n, _)| n == *name) {
                return Err(CallbackUrlError::SessionName("is the name of another parameter"));
            }
        }
        if self.delay > LONGEST_DELAY || self.delay.subsec_nanos() != 0 {
            return Err(CallbackUrlError::Delay);
        }
        let mut options: Vec<(&str, &str)> = Vec::new();
        let seconds = self.delay.as_secs().to_string();
        if self.post {
            options.push(("method", "POST"));
        }
        if self.report_error {
            options.push(("report_error", "true"));
        }
        if !self.delay.is_zero() {
            options.push(("delay_callback", &seconds));
        }
        options.extend(self.report_events.iter().map(|event| ("report_event", event.as_str())));
        if self.include_session {
            options.push(("includes", "session"));
        }
        if let Some(name) = &self.session_name {
            options.push(("sid_parameter_name", name));
        }
        if !options.is_empty() {
            // Appends: what the merchant wrote stays as it was written.
            url.query_pairs_mut().extend_pairs(options);
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://shop.example/callback";

    fn fails(url: CallbackUrl) -> CallbackUrlError {
        url.build().expect_err("an error")
    }

    #[test]
    fn every_option_has_its_parameter() {
        let url = CallbackUrl::new(format!("{URL}?b=%7E&a=1"))
            .post()
            .report_error()
            .delay(Duration::from_secs(60))
            .report_event(ReportedEvent::Void)
            .report_event(ReportedEvent::Capture)
            .report_event(ReportedEvent::Void)
            .include_session()
            .session_parameter("sid")
            .build();
        assert_eq!(
            url.map(String::from).as_deref(),
            Ok("https://shop.example/callback?b=%7E&a=1&method=POST&report_error=true&delay_callback=60\
                &report_event=VOID&report_event=CAPTURE&includes=session&sid_parameter_name=sid")
        );
        assert_eq!(CallbackUrl::new(URL).build().map(String::from).as_deref(), Ok(URL));
    }

    #[test]
    fn plain_http_is_for_this_machine_and_only_when_asked_for() {
        for url in ["http://127.0.0.1:8080/c", "http://[::1]/c", "http://localhost/c"] {
            assert_eq!(fails(CallbackUrl::new(url)), CallbackUrlError::NotHttps);
            assert!(CallbackUrl::new(url).allow_loopback_http().build().is_ok());
        }
        for url in [
            "http://shop.example/c",
            "http://localhost.example/c",
            "http://a.localhost/c",
            "http://10.0.0.1/c",
            "ftp://localhost/",
        ] {
            assert_eq!(fails(CallbackUrl::new(url).allow_loopback_http()), CallbackUrlError::NotHttps, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(fails(CallbackUrl::new("/callback")), CallbackUrlError::NotAUrl);
        for user in ["u:p", "u", ":p"] {
            let url = CallbackUrl::new(format!("https://{user}@shop.example/"));
            assert_eq!(fails(url), CallbackUrlError::Part("credentials"), "{user}");
        }
        assert_eq!(fails(CallbackUrl::new("https://shop.example/#a")), CallbackUrlError::Part("a fragment"));
        for name in ADDED.into_iter().chain(OPTIONS) {
            let error = fails(CallbackUrl::new(format!("{URL}?a=1&{name}=x")));
            assert_eq!(error, CallbackUrlError::Reserved(name));
        }
        for delay in [Duration::from_secs(61), Duration::from_millis(1), Duration::MAX] {
            assert_eq!(fails(CallbackUrl::new(URL).delay(delay)), CallbackUrlError::Delay);
        }
        for name in ["", "transaction_id", "method", "own"] {
            let error = fails(CallbackUrl::new(format!("{URL}?own=1")).session_parameter(name));
            assert!(matches!(error, CallbackUrlError::SessionName(_)), "{name}");
        }
    }
}
