//! How far an attempt got: whether there is a connection that a byte of it could have left on.
//!
//! When the time of a call is up, this tells "not sent" from "unknown". A layer around the connector marks in the
//! task of the call that connecting has begun, and that it has ended in a connection. It proves something only for
//! clients without a pool, whose connections are made for one request and in its own task; where the layer saw
//! nothing, nothing is claimed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

const CONNECTING: u8 = 1;
const CONNECTED: u8 = 2;

tokio::task_local! {
    static REACH: Reach;
}

/// The mark of one attempt; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach(Arc<AtomicU8>);

impl Reach {
    /// Runs an attempt and marks how far it gets.
    pub(crate) async fn of<T>(&self, attempt: impl Future<Output = T>) -> T {
        self.0.store(0, Ordering::SeqCst);
        REACH.scope(self.clone(), attempt).await
    }

    /// Whether a connection was begun and had not come about: TCP, proxy and TLS included.
    pub(crate) fn is_connecting(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CONNECTING
    }
}

/// The layer around the connector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch;

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched(inner)
    }
}

/// A connector that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watched<S>(S);

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // Kept from here on: the mark of the end must not depend on the task that it comes about in.
        let reach = REACH.try_with(Clone::clone).ok();
        if let Some(reach) = &reach {
            reach.0.store(CONNECTING, Ordering::SeqCst);
        }
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            if let Some(reach) = reach
                && connected.is_ok()
            {
                reach.0.store(CONNECTED, Ordering::SeqCst);
            }
            connected
        })
    }
}
