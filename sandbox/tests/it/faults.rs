//! Faults as a client sees them, and what the sandbox did or did not do meanwhile.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::support::Api;
use dintero_sandbox::{Fault, Operation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CAPTURE: Operation = Operation::CaptureTransaction;

/// A capture as bytes on a socket of its own, and what comes back.
async fn raw_capture(api: &Api, id: &str) -> Result<String, ErrorKind> {
    let address = api.base.trim_start_matches("http://").trim_end_matches("/v1");
    let mut socket = TcpStream::connect(address).await.map_err(|error| error.kind())?;
    let body = r#"{"amount":100}"#;
    let request = format!(
        "POST /v1/transactions/{id}/capture HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        api.token,
        body.len()
    );
    socket.write_all(request.as_bytes()).await.map_err(|error| error.kind())?;
    let mut response = String::new();
    socket.read_to_string(&mut response).await.map_err(|error| error.kind())?;
    Ok(response)
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset_before_reading_after_reading_and_after_executing() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    for (fault, received, executed) in [
        (Fault::reset_unread(), 0, 0),
        (Fault::reset_unread().after_executing(), 0, 0),
        (Fault::reset(), 1, 0),
        (Fault::reset().after_executing(), 2, 1),
    ] {
        sandbox.inject(CAPTURE, fault);
        assert_eq!(raw_capture(&api, &id).await, Err(ErrorKind::ConnectionReset));
        assert_eq!((sandbox.received(CAPTURE), sandbox.executed(CAPTURE)), (received, executed));
    }
    assert_eq!(sandbox.reset_unread(), 2);
    assert_eq!(sandbox.sums(&id), Some((100, 0)));
    assert!(raw_capture(&api, &id).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_reset_before_reading_strikes_pooled_connections_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/capture");
    sandbox.inject(CAPTURE, Fault::reset_unread());
    let sent = api.request(Method::POST, &path, &json!({ "amount": 1 })).send().await;
    assert!(sent.is_err());
    assert_eq!((sandbox.received(CAPTURE), sandbox.reset_unread()), (0, 1));
    // Only that call, and only once.
    api.get(&format!("/transactions/{id}")).await;
    api.ok(Method::POST, &path, json!({ "amount": 1 })).await;
}

#[tokio::test]
async fn a_truncated_body_ends_before_its_length() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    for (fault, executed) in [(Fault::truncated_body(), 0), (Fault::truncated_body().after_executing(), 1)] {
        sandbox.inject(CAPTURE, fault);
        let response = raw_capture(&api, &id).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let announced = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
            .unwrap();
        assert!(head.starts_with("HTTP/1.1 200"));
        assert!(!body.is_empty() && body.len() < announced, "{} of {announced}", body.len());
        assert_eq!(sandbox.executed(CAPTURE), executed);
    }
}

#[tokio::test]
async fn a_wrong_length_cuts_the_json_in_a_well_framed_response() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    sandbox.inject(CAPTURE, Fault::wrong_length().after_executing());
    let path = format!("/transactions/{id}/capture");
    let response = api.request(Method::POST, &path, &json!({ "amount": 1 })).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(!text.is_empty() && serde_json::from_str::<Value>(&text).is_err());
    assert_eq!(sandbox.executed(CAPTURE), 1);
}

#[tokio::test]
async fn generated_responses_arrive_as_given_and_execute_only_when_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/capture");
    let mut executed = 0;
    for (fault, status, header, part) in [
        (Fault::status(500), 500, "", "\"error\""),
        (Fault::status(503).with_header("retry-after", "7"), 503, "7", "\"error\""),
        (Fault::bad_gateway(), 502, "", "<html>"),
        (Fault::too_many_requests(Duration::from_secs(3)), 429, "3", "\"error\""),
        (Fault::unauthorized(), 401, "", "\"error\""),
        (Fault::garbage(), 200, "", "not json"),
    ] {
        for fault in [fault.clone(), fault.after_executing()] {
            sandbox.inject(CAPTURE, fault);
            let response = api.request(Method::POST, &path, &json!({ "amount": 1 })).send().await.unwrap();
            assert_eq!(response.status(), status);
            let after = response.headers().get("retry-after").map_or("", |value| value.to_str().unwrap());
            assert_eq!(after, header);
            assert!(response.text().await.unwrap().contains(part));
        }
        executed += 1;
        assert_eq!(sandbox.executed(CAPTURE), executed);
    }
    assert_eq!(sandbox.received(CAPTURE), 12);
}

#[tokio::test]
async fn silence_lasts_until_the_client_gives_up() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/capture");
    for (fault, executed) in [(Fault::silence(), 0), (Fault::silence().after_executing(), 1)] {
        sandbox.inject(CAPTURE, fault);
        let request = api.request(Method::POST, &path, &json!({ "amount": 1 }));
        let error = request.timeout(Duration::from_millis(200)).send().await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(sandbox.executed(CAPTURE), executed);
    }
    assert_eq!(sandbox.received(CAPTURE), 2);
}

#[tokio::test]
async fn a_delay_comes_before_an_ordinary_response() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let delay = Duration::from_millis(150);
    sandbox.inject(Operation::ListTransactions, Fault::delay(delay));
    let start = Instant::now();
    assert_eq!(api.get("/transactions").await, json!([]));
    assert!(start.elapsed() >= delay);
}

#[tokio::test]
async fn a_shut_port_refuses_and_opens_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    api.get("/transactions").await;
    for _ in 0..3 {
        sandbox.refuse_connections().await;
        let refused = api.request(Method::GET, "/transactions", &Value::Null).send().await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
        assert_eq!(raw_capture(&api, "x").await, Err(ErrorKind::ConnectionRefused));
        sandbox.accept_connections().await;
        api.get("/transactions").await;
    }
}

#[tokio::test]
async fn shutting_the_port_ends_a_request_under_way() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    sandbox.inject(Operation::ListTransactions, Fault::silence());
    let request = api.request(Method::GET, "/transactions", &Value::Null).send();
    let waiting = tokio::spawn(request);
    while sandbox.received(Operation::ListTransactions) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let start = Instant::now();
    sandbox.refuse_connections().await;
    assert!(waiting.await.unwrap().is_err());
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn an_accepted_operation_is_settled_later_and_tells_which_it_was() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}");
    for (failing, status, sums) in [(true, "AUTHORIZED", (0, 0)), (false, "PARTIALLY_CAPTURED", (100, 0))] {
        let fault = Fault::accepted().settled_after_reads(Some(2));
        sandbox.inject(CAPTURE, if failing { fault.failing() } else { fault });
        let before = api.get(&path).await;
        let body = json!({ "amount": 100, "capture_reference": "mine" });
        let response = api.request(Method::POST, &format!("{path}/capture"), &body).send().await.unwrap();
        assert_eq!(response.status(), 202);
        let request_id = response.headers()["event-request-id"].to_str().unwrap().to_owned();
        assert_eq!(response.json::<Value>().await.unwrap(), before);

        for _ in 0..2 {
            let pending = api.get(&path).await;
            assert_eq!(pending["status"], "AUTHORIZED");
            let newest = pending["events"].as_array().unwrap().last().unwrap();
            assert_eq!(newest["event"], "INITIATE_CAPTURE");
            assert_eq!(newest["request_id"], request_id.as_str());
        }
        let settled = api.get(&path).await;
        assert_eq!(settled["status"], status);
        let newest = settled["events"].as_array().unwrap().last().unwrap();
        assert_eq!(newest["event"], "CAPTURE");
        assert_eq!(newest["success"], !failing);
        assert_eq!(newest["event_reference"], "mine");
        assert_eq!(newest["correlation_request_id"], request_id.as_str());
        assert_eq!(sandbox.sums(&id), Some(sums));
    }
    assert_eq!(sandbox.executed(CAPTURE), 1);
}

#[tokio::test]
async fn what_is_accepted_can_wait_to_be_settled_by_hand() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}");
    sandbox.inject(Operation::VoidTransaction, Fault::accepted().settled_after_reads(None));
    let response = api.send_with(Method::POST, &format!("{path}/void"), &Value::Null, &[]).await;
    assert_eq!(response.0, 202);
    for _ in 0..5 {
        assert_eq!(api.get(&path).await["status"], "AUTHORIZED");
    }
    sandbox.settle_accepted();
    assert_eq!(api.get(&path).await["status"], "AUTHORIZATION_VOIDED");
}

#[tokio::test]
async fn a_failed_operation_returns_200_with_what_is_left() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/capture");
    api.ok(Method::POST, &path, json!({ "amount": 890 })).await;
    sandbox.inject(CAPTURE, Fault::fails_with_correction());
    let failed = api.ok(Method::POST, &path, json!({ "amount": 1000 })).await;
    let newest = failed["events"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["success"], false);
    assert!(newest["error"]["message"].is_string());
    let correction = &newest["correction"];
    assert_eq!(correction["status"], "PARTIALLY_CAPTURED");
    assert_eq!(correction["remaining_capture_amount"], 33000);
    assert_eq!(correction["remaining_refund_amount"], 890);
    assert_eq!(correction["remaining_void_amount"], 0);
    assert_eq!(sandbox.sums(&id), Some((890, 0)));
}

#[tokio::test]
async fn faults_can_be_chosen_by_what_the_request_carries() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}/capture");
    sandbox.inject_with(|request| {
        let reference = request.json()?.get("capture_reference")?.as_str()?.to_owned();
        (reference == "bad").then(|| Fault::status(500))
    });
    let capture = |reference: &str| json!({ "amount": 1, "capture_reference": reference });
    api.ok(Method::POST, &path, capture("good")).await;
    assert_eq!(api.refused(Method::POST, &path, capture("bad")).await.0, 500);
    sandbox.clear_faults();
    api.ok(Method::POST, &path, capture("bad")).await;
}

#[tokio::test]
async fn responses_can_be_changed_on_their_way_out() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let path = format!("/transactions/{id}");
    sandbox.merge_into_response(Operation::GetTransaction, json!({ "status": "NEWER", "currency": null }));
    sandbox.patch_response(Operation::GetTransaction, |body| body["extra"] = json!([1]));
    let changed = api.get(&path).await;
    assert_eq!((&changed["status"], &changed["extra"]), (&json!("NEWER"), &json!([1])));
    assert!(changed.get("currency").is_none());
    sandbox.clear_patches();
    assert_eq!(api.get(&path).await["status"], "AUTHORIZED");
}

#[tokio::test]
async fn the_log_keeps_what_was_sent_and_prints_none_of_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = api.paid(&sandbox).await;
    let body = json!({ "amount": 1, "capture_reference": "a customer's name" });
    api.ok(Method::POST, &format!("/transactions/{id}/capture?includes=events.request_headers"), body.clone()).await;
    let request = sandbox.last_request(CAPTURE).unwrap();
    assert_eq!(request.json(), Some(body));
    assert_eq!(request.query(), "includes=events.request_headers");
    assert!(request.header("Authorization").unwrap().starts_with("Bearer "));
    let printed = format!("{:?} {sandbox:?}", sandbox.requests());
    assert!(!printed.contains(&api.token) && !printed.contains("customer"));
    assert!(!printed.contains(&sandbox.client_secret()));
}
