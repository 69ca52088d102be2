//! The access token: how often it is fetched, when, and by whom, counted at the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::support::tokens::{LONG, bearers, call, server, transaction};
use crate::support::{HandClock, Reply, Server};
use dintero::{ErrorKind, Outcome, TransactionId};
use futures_util::future::join_all;
use tokio::sync::Notify;

#[tokio::test]
async fn the_token_call_is_the_documented_one() {
    let server = server(|_| Reply::token("t0", LONG)).await;
    call(&server.builder().build().unwrap()).await.unwrap();
    let seen = server.seen();
    let token = seen.first().unwrap();
    assert_eq!(token.method, "POST");
    assert_eq!(token.target, "/v1/accounts/T12345678/auth/token");
    // `the-client:s3cr3t-hunter2`
    assert_eq!(token.header("authorization"), Some("Basic dGhlLWNsaWVudDpzM2NyM3QtaHVudGVyMg=="));
    let audience = "https://api.dintero.com/v1/accounts/T12345678";
    let wanted = serde_json::json!({ "grant_type": "client_credentials", "audience": audience });
    assert_eq!(token.json(), wanted);
    assert_eq!(bearers(&server), ["Bearer t0"]);

    let client = server.builder().audience("https://example.com/a").build().unwrap();
    call(&client).await.unwrap();
    let asked = server.seen().iter().rfind(|seen| seen.is_token()).unwrap().json();
    assert_eq!(asked["audience"], "https://example.com/a");
}

/// Side by side, all of which have to succeed.
async fn a_thousand_calls(client: &dintero::Client) {
    let calls = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    });
    for ended in join_all(calls).await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_thousand_first_calls_make_one_token_request() {
    let server = server(|_| Reply::token("t0", LONG).after(Duration::from_millis(50))).await;
    let client = server.builder().build().unwrap();
    a_thousand_calls(&client).await;
    assert_eq!(server.tokens(), 1);
    assert_eq!(server.calls().len(), 1000);
}

/// All thousand calls are at the service with the old token before the first is refused, so all are refused.
#[tokio::test]
async fn a_storm_of_a_thousand_refusals_makes_one_renewal() {
    let tokens = AtomicUsize::new(0);
    let arrived = Arc::new(AtomicUsize::new(0));
    let refused = arrived.clone();
    let server = Server::start(move |seen| {
        if seen.is_token() {
            return Reply::token(&format!("t{}", tokens.fetch_add(1, Ordering::SeqCst)), LONG);
        }
        if seen.header("authorization") == Some("Bearer t0") && seen.target.ends_with("abc") {
            refused.fetch_add(1, Ordering::SeqCst);
            return Reply::error(401).after(Duration::from_millis(200));
        }
        transaction()
    })
    .await;
    let client = server.builder().build().unwrap();
    a_thousand_calls(&client).await;
    assert_eq!(server.tokens(), 2, "the first token and one renewal");
    let refused = arrived.load(Ordering::SeqCst);
    assert!(refused > 500, "only {refused} calls were refused: no storm");
    assert_eq!(server.calls().len(), 1000 + refused, "each was retried once");
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_not_renewed_for_ever() {
    let server = Server::start(|seen| match seen.is_token() {
        true => Reply::token("t", LONG),
        false => Reply::error(401),
    })
    .await;
    let client = server.builder().build().unwrap();
    for _ in 0..20 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
        assert_eq!(error.outcome(), Outcome::Rejected);
    }
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn in_the_advisory_window_one_renews_while_the_others_go_on() {
    let clock = HandClock::new();
    let gate = Arc::new(Notify::new());
    let renewal = gate.clone();
    let server = server(move |n| match n {
        0 => Reply::token("t0", LONG),
        _ => Reply::When(renewal.clone(), Box::new(Reply::token("t1", LONG))),
    })
    .await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    clock.advance(LONG as i64 - 301);
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 1, "not due yet");
    clock.advance(1);
    // The renewal gets no response, and yet every call does.
    for ended in join_all((0..100).map(|_| call(&client))).await {
        ended.unwrap();
    }
    assert!(bearers(&server).iter().all(|bearer| bearer == "Bearer t0"));
    gate.notify_one();
    while bearers(&server).last().unwrap() != "Bearer t1" {
        call(&client).await.unwrap();
    }
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn in_the_last_thirty_seconds_callers_wait() {
    let clock = HandClock::new();
    let server = server(|n| Reply::token(&format!("t{n}"), LONG).after(Duration::from_millis(50))).await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    clock.advance(LONG as i64 - 30);
    for ended in join_all((0..100).map(|_| call(&client))).await {
        ended.unwrap();
    }
    assert_eq!(server.tokens(), 2);
    assert!(bearers(&server)[1..].iter().all(|bearer| bearer == "Bearer t1"));
}

#[tokio::test]
async fn short_lifetimes_are_read_and_used_for_most_of_their_time() {
    let clock = HandClock::new();
    let server = server(|n| Reply::token(&format!("t{n}"), 60)).await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    for _ in 0..10 {
        call(&client).await.unwrap();
        clock.advance(4);
    }
    assert_eq!(server.tokens(), 1, "40 of 60 seconds");
    clock.advance(15);
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 2);
    assert_eq!(bearers(&server).last().unwrap(), "Bearer t1");
}

/// A lifetime of nothing cannot be cached, but whoever waited for the token may use it.
#[tokio::test]
async fn a_token_without_a_lifetime_serves_the_calls_that_waited_for_it() {
    let server = server(|_| Reply::Json(200, serde_json::json!({"access_token": "t"}))).await;
    let client = server.builder().build().unwrap();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_early_renewal_backs_off_and_keeps_the_valid_token() {
    let clock = HandClock::new();
    let server = server(|n| match n {
        0 => Reply::token("t0", LONG),
        1 | 2 => Reply::error(500),
        _ => Reply::token("t3", LONG),
    })
    .await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    clock.advance(LONG as i64 - 200);
    // Turns of the runtime, in which the renewal ends while no time passes.
    let settle = async || {
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
    };
    for (advance, tokens) in [(0, 2), (4, 2), (1, 3), (9, 3), (1, 4)] {
        tokio::time::advance(Duration::from_secs(advance)).await;
        for ended in join_all((0..20).map(|_| call(&client))).await {
            ended.unwrap();
        }
        settle().await;
        call(&client).await.unwrap();
        assert_eq!(server.tokens(), tokens, "after {advance} more seconds");
    }
    assert_eq!(bearers(&server).last().unwrap(), "Bearer t3");
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_outlives_failed_renewals_to_its_end() {
    let clock = HandClock::new();
    let server = server(|n| match n {
        0 => Reply::token("t0", LONG),
        _ => Reply::error(403),
    })
    .await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    clock.advance(LONG as i64 - 1);
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 2, "not asked again at once");
    clock.advance(1);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(server.calls().len(), 3);
}

/// The early renewal makes one attempt, because nobody needs it. When the token is refused meanwhile, somebody does.
#[tokio::test]
async fn whoever_joins_an_early_renewal_without_a_token_gets_all_attempts() {
    let clock = HandClock::new();
    let gate = Arc::new(Notify::new());
    let opened = gate.clone();
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if !seen.is_token() {
            return match seen.header("authorization") {
                Some("Bearer t0") if seen.target.ends_with("refused") => Reply::error(401),
                _ => transaction(),
            };
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::token("t0", LONG),
            1 => Reply::When(opened.clone(), Box::new(Reply::error(503))),
            _ => Reply::token("t2", LONG),
        }
    })
    .await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap();
    clock.advance(LONG as i64 - 200);
    call(&client).await.unwrap();
    while server.tokens() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = tokio::spawn(async move {
        let id = TransactionId::new("T12345678.refused").unwrap();
        client.transactions().get(&id).await
    });
    while server.calls().len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.notify_one();
    refused.await.unwrap().unwrap();
    assert_eq!(server.tokens(), 3);
}

#[tokio::test]
async fn a_call_whose_time_ends_while_it_waits_for_a_token_was_not_sent() {
    let server = server(|_| Reply::Hang).await;
    let client = server.builder().timeout(Duration::from_millis(100)).build().unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent));
    assert!(error.is_timeout() && error.is_retryable());
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_cancelled_leader_strands_nobody() {
    let gate = Arc::new(Notify::new());
    let held = gate.clone();
    let server = server(move |_| Reply::When(held.clone(), Box::new(Reply::token("t0", LONG)))).await;
    let client = server.builder().build().unwrap();
    let begin = || {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    };
    let leader = begin();
    while server.tokens() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let followers: Vec<_> = (0..10).map(|_| begin()).collect();
    // On the one thread that there is, all of them wait for the token before this goes on.
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.notify_one();
    for ended in join_all(followers).await {
        ended.unwrap().unwrap();
    }
    assert_eq!(server.tokens(), 1);
}

/// The renewal's task dies with the runtime it was begun on.
#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_ends_strands_nobody() {
    let server = server(|n| match n {
        0 => Reply::Hang,
        _ => Reply::token("t1", LONG),
    })
    .await;
    let client = server.builder().build().unwrap();
    let other = client.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wait = Duration::from_millis(200);
        assert!(runtime.block_on(async { tokio::time::timeout(wait, call(&other)).await }).is_err());
        // Dropped here, with the renewal under way.
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(5), call(&client)).await.unwrap().unwrap();
    thread.join().unwrap();
    assert_eq!(server.tokens(), 2);
}

/// A renewal whose runtime is there and does nothing, as one that is blocked, is given up after two minutes.
#[test]
fn a_runtime_that_stands_still_strands_nobody() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (still, running) = (runtime(), runtime());
    let server = running.block_on(server(|_| Reply::token("t0", LONG)));
    let client = server.builder().timeout(Duration::from_secs(300)).build().unwrap();
    // Ends before the task of the renewal has a turn.
    let mut first = Box::pin(call(&client));
    let polled = std::future::poll_fn(|context| Poll::Ready(first.as_mut().poll(context)));
    assert!(still.block_on(polled).is_pending());
    running.block_on(async {
        let began = tokio::time::Instant::now();
        call(&client).await.unwrap();
        assert_eq!((began.elapsed().as_secs(), server.tokens()), (120, 1));
        call(&client).await.unwrap();
        assert_eq!(server.tokens(), 1);
    });
}
