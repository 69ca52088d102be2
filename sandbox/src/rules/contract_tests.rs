//! The published document, as the sandbox understands it.

use super::*;

fn found(method: &str, target: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Vec<Problem> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parsed = Query::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parsed.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let fits = |operation: &Operation| {
        let template: Vec<_> = operation.path().split('/').collect();
        let given: Vec<_> = path.trim_start_matches("/v1").split('/').collect();
        let same = |(template, given): (&&str, &&str)| template == given || template.starts_with('{') && *given == "x";
        operation.method() == method && template.len() == given.len() && template.iter().zip(&given).all(same)
    };
    let operation = Operation::ALL.into_iter().find(fits).unwrap();
    check(operation, &Carried { parameter: Some("x"), query: &parsed, headers: &headers, body })
        .err()
        .unwrap_or_default()
}

fn problems(method: &str, target: &str, headers: &[(&str, &str)], body: Option<Value>) -> Vec<String> {
    // One place can be wrong in more ways than one.
    let mut paths: Vec<_> =
        found(method, target, headers, body.as_ref()).into_iter().map(|problem| problem.path).collect();
    paths.dedup();
    paths
}

fn post(target: &str, body: Value) -> Vec<String> {
    problems("POST", target, &[], Some(body))
}

#[test]
fn every_call_compiles_and_knows_its_body() {
    for operation in Operation::ALL {
        let contract = contract(operation).unwrap_or_else(|error| panic!("{operation}: {error}"));
        let has_body =
            operation.method() != "GET" && !matches!(operation, Operation::VoidTransaction | Operation::CancelSession);
        assert_eq!(contract.has_body, has_body, "{operation}");
    }
}

#[test]
fn amounts_are_whole_and_fit_32_bits() {
    let capture = |amount: Value| post("/v1/transactions/x/capture", json!({ "amount": amount }));
    assert_eq!(capture(json!(29990)), [""; 0]);
    for amount in [json!(1.5), json!(100.0), json!("1"), json!(3_000_000_000_i64), json!(null)] {
        assert_eq!(capture(amount.clone()), ["body/amount"], "{amount}");
    }
    assert_eq!(post("/v1/transactions/x/capture", json!({})), ["body"]);
}

#[test]
fn metadata_takes_text_on_captures_and_numbers_too_on_sessions() {
    let body = |value: Value| json!({ "amount": 1, "metadata": { "a": value } });
    assert_eq!(post("/v1/transactions/x/capture", body(json!("b"))), [""; 0]);
    assert_eq!(post("/v1/transactions/x/refund", body(json!(1))), ["body/metadata/a"]);
    let session = |value: Value| {
        json!({
            "profile_id": "default", "url": { "return_url": "https://example.com" },
            "order": { "amount": 1, "currency": "NOK", "merchant_reference": "1" },
            "metadata": { "a": value },
        })
    };
    assert_eq!(post("/v1/sessions-profile", session(json!(1))), [""; 0]);
    assert_eq!(post("/v1/sessions-profile", session(json!([]))), ["body/metadata/a"]);
}

#[test]
fn a_body_with_variants_is_checked_by_its_variant() {
    let body = |token_provider: Value| {
        json!({ "session": { "url": { "return_url": "https://example.com" },
                             "order": { "currency": "NOK", "merchant_reference": "1" } },
                "token_provider": token_provider })
    };
    let problems = |provider: Value| post("/v1/sessions/payment-token", body(provider));
    let product = "payment_product_type";
    assert_eq!(problems(json!({ product: "payex.creditcard", "token_types": ["recurrence_token"] })), [""; 0]);
    assert_eq!(
        problems(json!({ product: "bambora.creditcard", "token_types": ["recurrence_token"] })),
        ["body/token_provider/token_types/0"]
    );
    assert_eq!(problems(json!({ product: "payex.creditcard" })), ["body/token_provider"]);
    assert_eq!(problems(json!({ product: "vipps", "token_types": [] })), ["body/token_provider/payment_product_type"]);
}

#[test]
fn query_and_header_parameters_are_checked_by_name_and_type() {
    let list = |query: &str| problems("GET", &format!("/v1/transactions?{query}"), &[], None);
    assert_eq!(list("limit=100&status=CAPTURED&status=REFUNDED&amount.gte=1&id=a&id=b"), [""; 0]);
    assert_eq!(list("limit=101"), ["query.limit"]);
    assert_eq!(list("limit=ten"), ["query.limit"]);
    assert_eq!(list("status=captured"), ["query.status"]);
    assert_eq!(list("amount_gte=1"), ["query.amount_gte"]);
    assert_eq!(list("search=a&search=b"), ["query.search"]);

    let headers = |name: &str, value: &str| problems("POST", "/v1/sessions/x/cancel", &[(name, value)], None);
    let long = "x".repeat(121);
    assert_eq!(headers("dintero-system-name", &long[1..]), [""; 0]);
    assert_eq!(headers("dintero-system-name", &long), ["header.Dintero-System-Name"]);
    assert_eq!(
        problems(
            "PUT",
            "/v1/sessions/x",
            &[("dintero-feature-toggles", "strict-merchant-reference")],
            Some(json!({ "order": {} })),
        ),
        ["header.Dintero-Feature-Toggles"]
    );
}

#[test]
fn the_calls_published_elsewhere_are_checked_too() {
    assert_eq!(post("/v1/sessions", json!({})), ["body"]);
    assert_eq!(problems("GET", "/v1/sessions?limit=0&nothing=1", &[], None), ["query.nothing", "query.limit"]);
}

#[test]
fn a_problem_does_not_quote_what_the_request_carried() {
    let session = json!({
        "profile_id": "default", "url": { "return_url": "https://example.com" },
        "order": { "amount": 1, "currency": "NOK", "merchant_reference": "1",
                   "shipping_address": { "phone_number": "my secret number" } },
    });
    let problems = found("POST", "/v1/sessions-profile", &[], Some(&session));
    assert_eq!(problems.len(), 1);
    assert!(!format!("{problems:?}").contains("secret"));
}
