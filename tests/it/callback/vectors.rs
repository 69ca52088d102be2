//! Our signatures are those of JavaScript: of random callback URLs, signed by Node.
//!
//! A few hundred are stored in `tests/it/vectors/signatures.jsonl`. `cargo xtask signature-oracle` has Node sign ten
//! thousand and runs the ignored test here over them.

use dintero::callback::{SIGNATURE_HEADER, SigningSecret, Verifier, sign};
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use url::Url;

#[derive(Debug, Deserialize)]
struct Vector {
    url: String,
    /// Path and query as a client sends them.
    target: String,
    account: String,
    time: u64,
    method: String,
    secret: String,
    host: String,
    query: String,
    signature: String,
}

/// What differs between Node and us for one vector; nothing if all is the same.
fn difference(vector: &Vector) -> Option<String> {
    let secret = SigningSecret::new(vector.secret.as_str()).expect("a secret");
    let account = vector.account.parse().expect("an account id");
    let method = Method::from_bytes(vector.method.as_bytes()).expect("a method");
    let header = format!("t={},v0-hmac-sha256={}", vector.time, vector.signature);

    let Ok(url) = Url::parse(&vector.url) else { return Some("the URL does not parse".into()) };
    let ours = sign(&secret, vector.time, &account, &method, &url);
    if ours != header {
        return Some(format!("signed as {ours}: host {:?}, path {:?}", url.host_str(), url.path()));
    }

    // The receiving side knows its public host and sees the target.
    let verifier = Verifier::builder(account, format!("https://{}", vector.host))
        .secret(secret)
        .clock(super::support::At(vector.time.cast_signed()))
        .build()
        .expect("a verifier");
    let mut headers = HeaderMap::new();
    headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&header).expect("a value"));
    let absolute = format!("http://10.0.0.1:8080{}", vector.target);
    for target in [&vector.target, &absolute] {
        let callback = match verifier.verify_target(&method, target, &headers) {
            Ok(callback) => callback,
            Err(error) => return Some(format!("{target} is refused: {error}")),
        };
        let read = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(callback.params().iter()).finish();
        if read != vector.query {
            return Some(format!("the query reads as {read}"));
        }
    }
    None
}

fn compare(lines: &str, at_least: usize) {
    let vectors: Vec<Vector> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a vector on each line")).collect();
    assert!(vectors.len() >= at_least, "only {} vectors", vectors.len());
    let differences: Vec<_> =
        vectors.iter().filter_map(|v| difference(v).map(|what| format!("{what}\n  {v:?}"))).collect();
    println!("{} URLs signed by Node, {} signed differently here", vectors.len(), differences.len());
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(10)].join("\n"));
}

#[test]
fn stored_signatures_of_node_are_ours() {
    compare(include_str!("../vectors/signatures.jsonl"), 300);
}

#[test]
#[ignore = "run by `cargo xtask signature-oracle`, which has Node write the file"]
fn fresh_signatures_of_node_are_ours() {
    let path = std::env::var("DINTERO_SIGNATURES").expect("the variable that names the file");
    compare(&std::fs::read_to_string(&path).expect("the file"), 1);
    std::fs::remove_file(path).expect("whoever wrote the file sees that it was read");
}
