//! The responses to a callback, and what each one does.

use std::fmt;

use http::StatusCode;

/// The response to a callback, named by its effect on the delivery.
///
/// The service treats a 2xx as done. It retries up to 20 times after a 5xx, a lost connection or ten seconds without a
/// response, and **stops permanently at any 4xx**. So every error converts into [`RetryLater`](Self::RetryLater), and
/// only [`Refuse`](Self::Refuse) returns a 4xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum CallbackResponse {
    /// 200: handled, now or before. The service does not deliver it again.
    Acknowledge,
    /// 503: cannot be handled now. The service delivers it again.
    RetryLater,
    /// 400: must not be delivered again. The delivery ends permanently, handled or not.
    Refuse,
}

impl CallbackResponse {
    /// Returns the status that has this effect.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Acknowledge => StatusCode::OK,
            Self::RetryLater => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refuse => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error of a callback handler; responds with [`RetryLater`](CallbackResponse::RetryLater).
///
/// Every error converts into it, so a handler that returns `Result<CallbackResponse, HandlerError>` can use `?`
/// throughout and never ends a delivery by accident. Its texts are those of the error inside.
pub struct HandlerError(Box<dyn std::error::Error + Send + Sync>);

impl HandlerError {
    /// Creates a handler error from a message.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self(text.into())
    }

    /// Returns [`RetryLater`](CallbackResponse::RetryLater), always.
    pub fn response(&self) -> CallbackResponse {
        CallbackResponse::RetryLater
    }

    /// Returns the error inside.
    #[must_use]
    pub fn cause(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

// `HandlerError` is no `Error` itself: the conversion below would then clash with `From<T> for T`.
impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandlerError").field(&self.0).finish()
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_asked_for_refusal_is_a_4xx() {
        assert_eq!(CallbackResponse::Acknowledge.status(), 200);
        assert_eq!(CallbackResponse::RetryLater.status(), 503);
        assert_eq!(CallbackResponse::Refuse.status(), 400);
        let error = HandlerError::from(std::io::Error::other("database away"));
        assert_eq!(error.response().status(), 503);
        assert_eq!(error.to_string(), "database away");
    }
}
