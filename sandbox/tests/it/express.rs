//! Express checkout over real sockets: the sandbox asks a merchant's server, and the customer pays what came of it.

use super::support::{Api, profile_session, signature};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dintero_sandbox::{CustomerError, CustomerPayment, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

fn option(id: &str, amount: i64) -> Value {
    json!({ "id": id, "line_id": id, "amount": amount, "operator": "Bring", "title": "Home" })
}

/// Express requests are signed like callbacks.
fn is_signed(headers: &HeaderMap, path: &str) -> bool {
    let given = headers.get("dintero-signature").and_then(|given| given.to_str().ok());
    given.is_some_and(|given| given == signature(given, "POST", path, ""))
}

/// Ships to Norway only, at a new price in Bergen.
async fn address(headers: HeaderMap, Json(session): Json<Value>) -> Response {
    if !is_signed(&headers, "/address") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let address = &session["order"]["shipping_address"];
    match (address["country"].as_str(), address["postal_place"].as_str()) {
        (Some("NO"), Some("Bergen")) => {
            Json(json!({ "shipping_options": [option("boat", 20_000)], "order": { "amount": 31_000 } })).into_response()
        }
        (Some("NO"), _) => {
            Json(json!({ "shipping_options": [option("home", 9_900), option("pick-up", 3_900)] })).into_response()
        }
        (Some("SE"), _) => StatusCode::BAD_GATEWAY.into_response(),
        (Some("DK"), _) => Json(json!({ "shipping_options": [{ "id": "no more than this" }] })).into_response(),
        _ => Json(json!({ "shipping_options": [] })).into_response(),
    }
}

/// One code is worth 100.00.
async fn discount(headers: HeaderMap, Json(session): Json<Value>) -> Response {
    if !is_signed(&headers, "/discount") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let codes = session["order"]["discount_codes"].as_array().unwrap();
    let accepted: Vec<_> = codes.iter().filter(|code| *code == "SUMMER").collect();
    let worth = if accepted.is_empty() { 0 } else { 10_000 };
    let amount = session["order"]["amount"].as_i64().unwrap() - worth;
    let order = json!({ "amount": amount, "discount_codes": accepted });
    Json(json!({ "shipping_options": [option("home", 9_900)], "order": order })).into_response()
}

async fn shop() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/address", post(address)).route("/discount", post(discount));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn session(api: &Api, shop: &str) -> String {
    let mut body = profile_session();
    body["order"].as_object_mut().unwrap().remove("shipping_option");
    body["order"]["amount"] = json!(29_990);
    body["express"] = json!({
        "shipping_options": [],
        "shipping_address_callback_url": format!("{shop}/address"),
        "discount_codes": { "max_count": 2, "callback_url": format!("{shop}/discount") },
    });
    let created = api.ok(Method::POST, "/sessions-profile", body).await;
    created["id"].as_str().unwrap().to_owned()
}

fn offered(session: &Value) -> Vec<&str> {
    let options = session["express"]["shipping_options"].as_array().unwrap();
    options.iter().map(|option| option["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_address_brings_options_to_choose_from() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = session(&api, &shop().await).await;
    sandbox.customer_sets_address(&id, json!({ "country": "NO", "postal_place": "Oslo" })).await.unwrap();
    assert_eq!(offered(&sandbox.session(&id).unwrap()), ["home", "pick-up"]);
    let unknown = CustomerPayment::new().choosing("boat");
    assert!(matches!(sandbox.customer_pays_with(&id, unknown), Err(CustomerError::NoShippingOption(_))));

    sandbox.customer_sets_address(&id, json!({ "postal_place": "Bergen" })).await.unwrap();
    let changed = sandbox.session(&id).unwrap();
    assert_eq!((offered(&changed), &changed["order"]["amount"]), (vec!["boat"], &json!(31_000)));
    let paid = sandbox.customer_pays_with(&id, CustomerPayment::new().choosing("boat")).unwrap();
    let transaction = sandbox.transaction(&paid).unwrap();
    assert_eq!(
        (&transaction["amount"], &transaction["shipping_address"]["postal_place"]),
        (&json!(51_000), &json!("Bergen"))
    );
}

#[tokio::test]
async fn a_choice_that_is_no_longer_offered_is_taken_back_with_its_price() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = session(&api, &shop().await).await;
    let path = format!("/sessions/{id}?update_without_lock=true");
    let mut chosen = option("gone", 5_000);
    chosen["title"] = json!("Gone");
    let body = json!({ "order": { "amount": 34_990, "items": profile_session()["order"]["items"], "shipping_option": chosen },
                       "express": { "shipping_options": [chosen] } });
    api.ok(Method::PUT, &path, body).await;
    sandbox.customer_sets_address(&id, json!({ "country": "NO" })).await.unwrap();
    let changed = sandbox.session(&id).unwrap();
    assert_eq!(changed["order"]["amount"], 29_990);
    assert!(changed["order"].get("shipping_option").is_none());
}

#[tokio::test]
async fn an_update_asks_for_another_address_and_for_the_same_one_when_forced() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = session(&api, &shop().await).await;
    let update = async |query: &str, place: &str| {
        let address = json!({ "country": "NO", "postal_place": place });
        let order =
            json!({ "amount": 29_990, "items": profile_session()["order"]["items"], "shipping_address": address });
        let path = format!("/sessions/{id}?update_without_lock=true{query}");
        let express = json!({ "shipping_options": [] });
        api.ok(Method::PUT, &path, json!({ "order": order, "express": express })).await
    };
    assert_eq!(offered(&update("", "Oslo").await), ["home", "pick-up"]);
    assert_eq!(offered(&update("", "Oslo").await), [""; 0], "the same address is not asked about again");
    assert_eq!(offered(&update("&force_shipping_address_callback=true", "Oslo").await), ["home", "pick-up"]);
    assert_eq!(offered(&update("", "Bergen").await), ["boat"]);
}

#[tokio::test]
async fn codes_change_the_order() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = session(&api, &shop().await).await;
    sandbox.customer_enters_discount_codes(&id, &["SUMMER", "WINTER"]).await.unwrap();
    let changed = sandbox.session(&id).unwrap();
    assert_eq!(
        (&changed["order"]["amount"], &changed["order"]["discount_codes"]),
        (&json!(19_990), &json!(["SUMMER"]))
    );
    let newest = changed["events"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["name"], "SET_DISCOUNT_CODES");
}

#[tokio::test]
async fn a_merchant_that_does_not_respond_as_it_has_to_is_told_apart() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let id = session(&api, &shop().await).await;
    let ask = async |country: &str| {
        let asked = sandbox.customer_sets_address(&id, json!({ "country": country })).await;
        asked.map_err(|error| error.to_string()).err().unwrap_or_default()
    };
    assert!(ask("SE").await.contains("502"));
    assert!(ask("DK").await.contains("body/shipping_options/0"));
    assert_eq!(ask("JP").await, "");
    assert_eq!(offered(&sandbox.session(&id).unwrap()), [""; 0]);
    let elsewhere = session(&api, "http://127.0.0.1:1").await;
    assert!(matches!(sandbox.customer_sets_address(&id, json!({ "country": "NO" })).await, Ok(())));
    sandbox.set_signature_secret(Some("another"));
    assert!(ask("NO").await.contains("403"), "the merchant refuses what is signed with another secret");
    let refused = sandbox.customer_sets_address(&elsewhere, json!({ "country": "NO" })).await;
    assert!(matches!(refused, Err(CustomerError::Express(_))));
}
