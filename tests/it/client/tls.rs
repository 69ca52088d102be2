//! TLS from end to end: certificates of one's own, proxies, and what a proxy sees.

use std::sync::{Arc, Mutex};

use dintero::{ErrorKind, Outcome, TransactionId};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::tls::{HOST, TlsServer};
use crate::support::{Reply, Server};

/// A proxy that connects every host to this machine. It remembers what it was asked, up to the empty line.
async fn proxy(status: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(vec![]));
    let seen = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut head = vec![];
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let port: u16 = head.split([':', ' ']).nth(2).unwrap().parse().unwrap();
                seen.lock().unwrap().push(head);
                client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
                if status.starts_with("200") {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (address.to_string(), asked)
}

async fn service() -> Server {
    Server::start(|seen| match seen.is_token() {
        true => Reply::token("t0", 3_600),
        false => Reply::Json(200, json!({ "id": "T12345678.abc", "amount": 100, "currency": "NOK" })),
    })
    .await
}

fn id() -> TransactionId {
    TransactionId::new("T12345678.abc").unwrap()
}

#[tokio::test]
async fn a_root_certificate_of_ones_own_is_trusted_for_reads_writes_and_tokens() {
    let plain = service().await;
    let secured = TlsServer::before(plain.address).await;
    let url = secured.url();
    // Built separately: a builder's copies share a journal, and with it the token.
    let builder = || plain.builder().base_url(&url).auth_url(&url);
    let client = builder().root_certificates(secured.pem.as_str()).build().unwrap();
    client.transactions().get(&id()).await.unwrap();
    let error = client.transactions().void(&id()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200), "it arrived: {error:?}");
    let error = builder().build().unwrap().transactions().get(&id()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Token, Outcome::NotSent));
}

/// Calls and tokens share connections only where both hosts are reached in the same way.
#[tokio::test]
async fn only_one_of_the_two_hosts_may_speak_tls() {
    let plain = service().await;
    let secured = TlsServer::before(plain.address).await;
    for (base, auth) in [(plain.url(), secured.url()), (secured.url(), plain.url())] {
        let builder = plain.builder().base_url(base).auth_url(auth).root_certificates(secured.pem.as_str());
        builder.build().unwrap().transactions().get(&id()).await.unwrap();
        assert!(secured.take_connections() > 0);
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_read_is_not_the_same_as_none() {
    let server = service().await;
    for address in ["", "http://", "not an address"] {
        let error =
            server.builder().base_url("https://localhost.example/v1").proxy(address).build().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{address}");
        assert!(error.to_string().contains("proxy"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_by_name() {
    let server = service().await;
    for pem in ["", "not a certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let builder = server.builder().base_url("https://localhost:1/v1").root_certificates(pem);
        let error = builder.build().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{pem}");
        assert!(error.to_string().contains("root certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_sees_the_host_and_nothing_of_the_call() {
    let plain = service().await;
    let TlsServer { port, pem, .. } = TlsServer::before(plain.address).await;
    let (address, asked) = proxy("200 OK").await;
    let url = format!("https://{HOST}:{port}/v1");
    // A token host on this machine is reached without the proxy.
    for auth in [url.clone(), format!("https://localhost:{port}/v1")] {
        let builder = plain.builder().base_url(&url).auth_url(auth).root_certificates(pem.as_str());
        let client = builder.proxy(format!("http://user:word@{address}")).build().unwrap();
        client.transactions().get(&id()).await.unwrap();
        let _ = client.transactions().void(&id()).await;
    }
    let targets: Vec<_> = plain.calls().iter().map(|seen| seen.target.clone()).collect();
    assert!(targets.iter().any(|target| target.ends_with("/void")), "{targets:?}");
    assert_eq!(plain.calls()[0].header("host"), Some(format!("{HOST}:{port}").as_str()));
    let asked = asked.lock().unwrap();
    assert!(asked.len() >= 2, "for calls that read, and for the one that writes");
    for head in asked.iter() {
        assert!(head.starts_with(&format!("CONNECT {HOST}:{port} HTTP/1.1\r\n")), "{head}");
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjp3b3jk"), "{head}");
        assert!(!head.contains("Bearer") && !head.contains("T12345678"), "{head}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_leaves_a_call_unsent() {
    let plain = service().await;
    let (address, asked) = proxy("403 Forbidden").await;
    let url = format!("https://{HOST}/v1");
    let client = plain.builder().base_url(&url).proxy(format!("http://{address}")).build().unwrap();
    let error = client.transactions().void(&id()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent), "{error:?}");
    assert!(!asked.lock().unwrap().is_empty());
    // What the proxy cannot carry does not go round it.
    let client = plain.builder().base_url(&url).proxy(format!("socks5://{address}")).build().unwrap();
    let error = client.transactions().void(&id()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
    assert!(format!("{:?}", std::error::Error::source(&error)).contains("http or https"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_may_itself_be_reached_by_tls() {
    let plain = service().await;
    let service = TlsServer::before(plain.address).await;
    let (address, asked) = proxy("200 OK").await;
    let secured = TlsServer::before(address.parse().unwrap()).await;
    let url = format!("https://{HOST}:{}/v1", service.port);
    let builder = plain.builder().base_url(&url).proxy(format!("https://localhost:{}", secured.port));
    let client = builder.root_certificates(format!("{}{}", service.pem, secured.pem)).build().unwrap();
    client.transactions().get(&id()).await.unwrap();
    assert_eq!((secured.take_connections(), asked.lock().unwrap().len()), (1, 1));
}
