//! The token call that fails: what is waited for, who is told, and what stays secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::tokens::{LONG, bearers, call, server};
use crate::support::{HandClock, Reply, SECRET, Server};
use dintero::{ErrorKind, Outcome, RetryPolicy};
use futures_util::future::join_all;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured() {
    let server = server(|n| match n {
        0 => Reply::Full(429, vec![("retry-after", "20".into())], Vec::new()),
        _ => Reply::token("t1", LONG),
    })
    .await;
    let client = server.builder().build().unwrap();
    let began = Instant::now();
    for ended in join_all((0..10).map(|_| call(&client))).await {
        ended.unwrap();
    }
    let waited = began.elapsed().as_secs();
    assert!((20..25).contains(&waited), "{waited} s");
    assert_eq!(server.tokens(), 2);
}

/// The service may ask for any wait. Calls fail at once meanwhile, but after a minute one asks again. The wall clock has
/// no say in it.
#[tokio::test(start_paused = true)]
async fn a_longer_retry_after_ends_the_call_and_stops_further_requests_for_a_minute() {
    for (status, asked) in [(429, 600), (503, 3_600), (503, u64::MAX)] {
        let clock = HandClock::new();
        let server = server(move |n| match n {
            0 => Reply::Full(status, vec![("retry-after", asked.to_string())], Vec::new()),
            _ => Reply::token("t1", LONG),
        })
        .await;
        let client = server.builder().clock(clock.clone()).build().unwrap();
        for (advance, set_back) in [(0, 0), (0, 0), (1, 86_400), (50, 0)] {
            clock.advance(-set_back);
            tokio::time::advance(Duration::from_secs(advance)).await;
            let error = call(&client).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Token);
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            assert_eq!(error.outcome(), Outcome::NotSent);
            assert!(error.is_retryable() && error.retry_after().unwrap() > Duration::from_secs(540));
        }
        assert_eq!(server.tokens(), 1);
        // To the moment: a minute since the refusal.
        tokio::time::advance(Duration::from_secs(9)).await;
        call(&client).await.unwrap();
        assert_eq!(server.tokens(), 2);
    }
}

/// The longest wait that is kept to is kept to the moment.
#[tokio::test(start_paused = true)]
async fn a_call_within_a_wait_that_is_not_too_long_waits_for_its_end() {
    let server = server(|n| match n {
        0 => Reply::Full(429, vec![("retry-after", "60".into())], Vec::new()),
        _ => Reply::token("t1", LONG),
    })
    .await;
    let client = server.builder().retry(RetryPolicy::never()).timeout(Duration::from_secs(90)).build().unwrap();
    let began = Instant::now();
    assert_eq!(call(&client).await.unwrap_err().retry_after(), Some(Duration::from_secs(60)));
    call(&client).await.unwrap();
    assert_eq!((began.elapsed().as_secs(), server.tokens()), (60, 2));
}

/// A token that replaced a refused one is not replaced at once, if it is refused as well: ten seconds by the monotonic
/// clock, whatever the wall clock says.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_keep_a_refused_token() {
    let clock = HandClock::new();
    let server = Server::start(|seen| match seen.is_token() {
        true => Reply::token("t", LONG),
        false => Reply::error(401),
    })
    .await;
    let client = server.builder().clock(clock.clone()).build().unwrap();
    call(&client).await.unwrap_err();
    assert_eq!(server.tokens(), 2);
    clock.advance(-86_400);
    for (advance, tokens) in [(9, 2), (1, 3)] {
        tokio::time::advance(Duration::from_secs(advance)).await;
        call(&client).await.unwrap_err();
        assert_eq!(server.tokens(), tokens);
    }
}

/// Panics every other time that it is read, which is in the renewal.
#[derive(Debug, Default)]
struct PanickingClock(AtomicUsize);

impl dintero::Clock for PanickingClock {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        assert!(self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2), "the clock panics");
        chrono::DateTime::UNIX_EPOCH
    }
}

#[tokio::test]
async fn a_renewal_that_panics_each_time_ends_the_call() {
    let server = server(|_| Reply::token("t0", LONG)).await;
    let client = server.builder().clock(PanickingClock::default()).build().unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Token, Outcome::NotSent));
    assert!(format!("{error:?}").contains("without a result"), "{error:?}");
    assert_eq!(server.tokens(), 0);
}

/// What a refusal of the token call says stands in its head.
#[tokio::test]
async fn a_refused_token_call_without_its_body_keeps_its_status() {
    let cut = b"HTTP/1.1 429 X\r\nretry-after: 300\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let server = server(move |_| Reply::Raw(cut.clone())).await;
    let error = call(&server.builder().build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    assert_eq!((error.retry_after(), server.tokens()), (Some(Duration::from_secs(300)), 1));
}

/// A grant whose end did not come is none, though what came of it can be read.
#[tokio::test]
async fn a_grant_that_is_cut_short_is_fetched_again() {
    let server = server(|n| match n {
        0 => Reply::Raw(
            b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{\"access_token\":\"t0\",\"expires_in\":60}".to_vec(),
        ),
        _ => Reply::token("t1", LONG),
    })
    .await;
    call(&server.builder().build().unwrap()).await.unwrap();
    assert_eq!(bearers(&server), ["Bearer t1"]);
}

#[tokio::test]
async fn a_grant_of_more_than_a_mebibyte_is_not_read() {
    for (length, is_read) in [(1 << 20, true), ((1 << 20) + 1, false), (3 << 20, false)] {
        // At the end, so that what is left of it is no grant.
        let mut grant = vec![b' '; length];
        let end = br#"{"access_token":"t0","expires_in":60}"#;
        grant[length - end.len()..].copy_from_slice(end);
        let server = server(move |_| Reply::Full(200, vec![], grant.clone())).await;
        let ended = call(&server.builder().build().unwrap()).await;
        assert_eq!((ended.is_ok(), server.tokens()), (is_read, 1), "{length}: {ended:?}");
    }
}

#[tokio::test]
async fn a_grant_that_cannot_be_used_is_not_kept() {
    let grant = serde_json::json!({"access_token": "hunter2", "token_type": "mac", "expires_in": 60});
    let server = server(move |_| Reply::Json(200, grant.clone())).await;
    let error = call(&server.builder().build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (ErrorKind::Token, Some(200)));
    assert!(error.body().is_empty() && !format!("{error:?}").contains("hunter"), "{error:?}");
}

#[tokio::test]
async fn wrong_credentials_are_told_to_all_who_wait_and_not_tried_again() {
    let server = server(|_| Reply::error(401).after(Duration::from_millis(100))).await;
    let client = server.builder().build().unwrap();
    for ended in join_all((0..50).map(|_| call(&client))).await {
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
        assert_eq!(error.message(), Some("no"));
        assert!(!error.is_retryable());
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains(SECRET), "{printed}");
    }
    assert_eq!(server.tokens(), 1);
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_token_call_without_a_response_may_be_made_again() {
    let server = server(|_| Reply::Reset).await;
    let mut quick = RetryPolicy::default();
    quick.base = Duration::from_millis(1);
    for (retry, attempts) in [(RetryPolicy::never(), 1), (quick, 3)] {
        let before = server.tokens();
        let error = call(&server.builder().retry(retry).build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome(), error.status()), (ErrorKind::Token, Outcome::NotSent, None));
        assert!(error.is_retryable() && server.calls().is_empty());
        let cause = std::error::Error::source(&error).unwrap().downcast_ref::<Arc<dintero::Error>>().unwrap();
        assert_eq!((cause.attempts(), server.tokens() - before), (attempts, attempts as usize));
    }
}

#[tokio::test]
async fn a_transient_error_of_the_token_call_is_retried() {
    let server = server(|n| match n {
        0 => Reply::Reset,
        1 => Reply::Full(502, vec![], b"<html>".to_vec()),
        _ => Reply::token("t2", LONG),
    })
    .await;
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(10);
    let client = server.builder().retry(retry).build().unwrap();
    call(&client).await.unwrap();
    assert_eq!(server.tokens(), 3);
}

#[tokio::test]
async fn no_credentials_follow_a_redirect() {
    let stranger = Server::start(|_| Reply::token("stolen", LONG)).await;
    let elsewhere = format!("http://{}/v1/steal", stranger.address);
    for status in [301, 302, 303, 307, 308] {
        for token_call in [true, false] {
            let elsewhere = elsewhere.clone();
            let server = Server::start(move |seen| {
                if seen.is_token() == token_call {
                    Reply::Full(status, vec![("location", elsewhere.clone())], Vec::new())
                } else {
                    Reply::token("t0", LONG)
                }
            })
            .await;
            let error = call(&server.builder().build().unwrap()).await.unwrap_err();
            assert_eq!(error.status().map(|s| s.as_u16()), Some(status));
        }
    }
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn credentials_are_checked_before_any_call_and_the_token_is_kept() {
    let server = server(|n| match n {
        0 => Reply::error(401),
        _ => Reply::token("t1", LONG),
    })
    .await;
    let client = server.builder().retry(RetryPolicy::never()).build().unwrap();
    let error = client.check_credentials().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Token, Outcome::NotSent));
    let client = server.builder().build().unwrap();
    client.check_credentials().await.unwrap();
    client.check_credentials().await.unwrap();
    call(&client).await.unwrap();
    assert_eq!((server.tokens(), server.calls().len()), (2, 1));
}
