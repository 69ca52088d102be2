//! A service whose tokens are counted, for the tests of the access token.

use std::sync::atomic::{AtomicUsize, Ordering};

use dintero::{Client, TransactionId};

use crate::support::{Reply, Seen, Server};

/// Four hours: what today's documentation says.
pub(crate) const LONG: u64 = 14_400;

/// Any call that only reads; `Err` is told apart by the caller.
pub(crate) async fn call(client: &Client) -> dintero::Result<()> {
    let id = TransactionId::new("T12345678.abc").unwrap();
    client.transactions().get(&id).await?;
    Ok(())
}

/// The response to any call.
pub(crate) fn transaction() -> Reply {
    let body = serde_json::json!({
        "id": "T12345678.abc", "amount": 100, "currency": "NOK", "payment_product": "payex",
        "payment_product_type": "payex.creditcard", "status": "AUTHORIZED", "events": [],
    });
    Reply::Json(200, body)
}

/// A service whose n-th token (from 0) is `token`, and which takes every token.
pub(crate) async fn server(token: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| if seen.is_token() { token(count.fetch_add(1, Ordering::SeqCst)) } else { transaction() })
        .await
}

/// The `Authorization` headers of the calls, in their order.
pub(crate) fn bearers(server: &Server) -> Vec<String> {
    let calls = server.calls();
    let header = |seen: &Seen| seen.header("authorization").unwrap_or_default().to_owned();
    calls.iter().map(header).collect()
}
