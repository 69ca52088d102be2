//! Orders checked before they are sent, and lists read to their end.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Reply, Server};
use dintero::types::{CreateSessionFromProfile, SessionToggle};
use dintero::{AccountId, Client, Credentials, ErrorKind, Outcome};
use dintero_sandbox::{Operation, Sandbox};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    let account = AccountId::new(sandbox.account_id()).unwrap();
    let credentials = Credentials::new(account, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url());
    (sandbox, client.build().unwrap())
}

fn session(amount: i64, lines: &[(&str, i64)]) -> CreateSessionFromProfile {
    let line = |(line_id, amount): &(&str, i64)| json!({"id": "x", "line_id": line_id, "amount": amount, "quantity": 1, "vat": 25, "description": "A thing"});
    let items: Vec<_> = lines.iter().map(line).collect();
    serde_json::from_value(json!({
        "profile_id": "default", "url": {"return_url": "https://example.com/return"},
        "order": {"amount": amount, "currency": "NOK", "merchant_reference": "m", "items": items},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_strict_order_that_does_not_add_up_is_not_sent() {
    let (sandbox, client) = sandbox().await;
    let sessions = client.sessions();
    let strict = |request| sessions.create_from_profile(request).toggles([SessionToggle::StrictSessionAmounts]);
    let off = session(33_890, &[("1", 29_990)]);
    let error = strict(off.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
    assert_eq!(error.path().unwrap().to_string(), "$.order.amount");
    assert!(error.to_string().contains("a difference of 3900: items[0] 29990"), "{error}");
    // The service's own rule says the same of both, and minds neither without the toggle.
    strict(session(33_890, &[("1", 29_990), ("2", 3_900)])).await.unwrap();
    sessions.create_from_profile(off).await.unwrap();
    assert_eq!(sandbox.received(Operation::CreateSessionFromProfile), 2);

    let twice = session(20, &[("1", 10), ("1", 10)]);
    let error = sessions.create_from_profile(twice).await.unwrap_err();
    assert_eq!(error.path().unwrap().to_string(), "$.order.items");
    assert_eq!(sandbox.received(Operation::CreateSessionFromProfile), 2);
}

#[tokio::test]
async fn both_lists_are_read_to_their_end() {
    let (sandbox, client) = sandbox().await;
    sandbox.seed_transactions(1_050);
    sandbox.seed_sessions(300);
    let rows: Vec<_> = client.transactions().list().rows().try_collect().await.unwrap();
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!((rows.len(), ids.len()), (1_050, 1_050), "each row once");
    assert_eq!(sandbox.received(Operation::ListTransactions), 11);

    // A last page that is full is followed by an empty one.
    let pages: Vec<_> = client.sessions().list().limit(50).pages().try_collect().await.unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.len()).collect();
    assert_eq!(sizes, [50, 50, 50, 50, 50, 50, 0]);

    // Pages are fetched as they are asked for.
    let before = sandbox.received(Operation::ListTransactions);
    let first: Vec<_> = client.transactions().list().rows().take(150).collect().await;
    assert_eq!(first.len(), 150);
    assert_eq!(sandbox.received(Operation::ListTransactions) - before, 2);
}

fn row(id: usize) -> Value {
    json!({"id": format!("T12345678.{id}"), "amount": 1, "currency": "NOK"})
}

/// A list whose n-th page, from 0, is made by a function.
async fn server(page: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| match seen.is_token() {
        true => Reply::token("t0", 14_400),
        false => Reply::Json(200, Value::Array(page(count.fetch_add(1, Ordering::SeqCst)))),
    })
    .await
}

#[tokio::test]
async fn a_cursor_that_does_not_move_ends_the_list() {
    let same = |_| (0..2).map(row).collect();
    let server = server(same).await;
    let client = server.builder().build().unwrap();
    let rows: Vec<_> = client.transactions().list().limit(2).rows().collect().await;
    assert_eq!(rows.len(), 3, "the first page and an error");
    let error = rows.into_iter().last().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert_eq!(server.calls().len(), 2);
}

/// The cursor's own row is never part of the page after it, whether or not it can be read.
#[tokio::test]
async fn a_page_that_holds_its_cursor_ends_the_list() {
    let unreadable = || json!({"id": "T12345678.1", "amount": "much"});
    for second in [vec![row(1), row(2)], vec![row(2), row(1)], vec![row(2), unreadable()]] {
        let pages = [vec![row(0), row(1)], second, vec![]];
        let server = server(move |page| pages[page.min(2)].clone()).await;
        let client = server.builder().build().unwrap();
        let rows: Vec<_> = client.transactions().list().limit(2).rows().collect().await;
        assert!(rows.last().unwrap().is_err());
        assert_eq!(server.calls().len(), 2);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_error_in_its_place_in_a_page() {
    let damaged = |_| vec![row(0), json!({"id": "T12345678.1", "amount": "jane@example.com"}), row(2)];
    let server = server(damaged).await;
    let page = server.builder().build().unwrap().transactions().list().await.unwrap();
    assert_eq!(page.len(), 3);
    assert_eq!(page.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let error = page[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.path().unwrap().to_string().as_str()), (ErrorKind::Unreadable, "$[1].amount"));
    assert_eq!(error.operation(), Some(dintero::Operation::ListTransactions));
    assert!(page.into_inner().into_iter().collect::<Result<Vec<_>, _>>().is_err(), "no row is lost on the way");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_sink_its_page_or_end_the_list() {
    let damaged = |page: usize| match page {
        0 => vec![row(0), json!({"id": "T12345678.1", "amount": "jane@example.com"})],
        1 => vec![json!({"id": "T12345678.2"}), row(3)],
        _ => vec![row(4)],
    };
    let server = server(damaged).await;
    let client = server.builder().build().unwrap();
    let rows: Vec<_> = client.transactions().list().limit(2).rows().collect().await;
    let read: Vec<_> =
        rows.iter().map(|row| row.as_ref().ok().and_then(|row| row.id.as_ref().map(AsRef::as_ref))).collect();
    assert_eq!(read, [Some("T12345678.0"), None, None, Some("T12345678.3"), Some("T12345678.4")]);
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!(error.path().unwrap().to_string(), "$[1].amount");
    assert!(!format!("{error} {error:?}").contains("jane"));
    let cursors: Vec<_> =
        server.calls().iter().map(|seen| seen.target.split("starting_after=").nth(1).map(str::to_owned)).collect();
    assert_eq!(cursors, [None, Some("T12345678.1".into()), Some("T12345678.3".into())]);
}
