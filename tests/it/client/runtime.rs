//! What is awaited where no tokio runtime is.

use std::future::IntoFuture;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dintero::types::CaptureRequest;
use dintero::{Client, ErrorKind, Outcome, TransactionId};

use crate::support::credentials;

/// What a future is after its first poll, by an executor that is no runtime of tokio.
fn polled<T>(future: impl IntoFuture<Output = T>) -> T {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for what never comes"),
    }
}

#[test]
fn without_a_runtime_a_call_is_an_error_and_not_a_panic() {
    let client = Client::new(credentials()).unwrap();
    let id = TransactionId::new("T12345678.abc").unwrap();
    let capture = || client.transactions().capture(&id, CaptureRequest::new(1).capture_reference("order-1"));
    let attempt = capture().attempt();
    for (error, outcome) in [
        (polled(client.transactions().get(&id)).unwrap_err(), Outcome::NotSent),
        (polled(capture()).unwrap_err(), Outcome::NotSent),
        (polled(capture().once()).unwrap_err(), Outcome::NotSent),
        (polled(client.resolve(&attempt)).unwrap_err(), Outcome::Unknown),
    ] {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Configuration, outcome), "{error}");
        assert!(error.to_string().contains("no tokio runtime"), "{error}");
    }
    assert_eq!(polled(Box::pin(client.recover())).unwrap_err().kind(), ErrorKind::Configuration);
}
