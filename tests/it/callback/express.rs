//! Express checkout over real sockets: the sandbox asks a merchant's server, which reads and responds with the crate's own
//! types. What the sandbox then does to the session and the payment is proven by its own tests.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dintero::callback::{
    AddressOrder, AddressResponse, DiscountOrder, DiscountResponse, ExpressRequest, SignedExpressError, SigningSecret,
    Verifier, VerifyError,
};
use dintero::types::ShippingOption;
use dintero::{Client, Credentials};
use dintero_sandbox::Sandbox;
use serde_json::{Value, json};

fn option(id: &str, amount: i64) -> ShippingOption {
    ShippingOption::builder().id(id).line_id(id).amount(amount).title("Home").operator("Bring").build()
}

/// Ships to Norway only, at a new price in Bergen; one code is worth 100.00.
async fn address(
    State(verifier): State<Verifier>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let forged = ExpressRequest::read_signed(&verifier, &method, "/elsewhere", &headers, body.clone());
    assert!(matches!(forged, Err(SignedExpressError::Signature(VerifyError::Mismatch))));
    let request = ExpressRequest::read_signed(&verifier, &method, &uri.to_string(), &headers, body).unwrap();
    let session = request.unverified_session();
    let address = session.order.shipping_address.as_ref().unwrap();
    let response = match (address.country.as_deref(), address.postal_place.as_deref()) {
        (Some("NO"), Some("Bergen")) => {
            AddressResponse::ships([option("boat", 20_000)]).unwrap().with_order(AddressOrder::new(31_000)).unwrap()
        }
        (Some("NO"), _) => AddressResponse::ships([option("home", 9_900), option("pick-up", 3_900)]).unwrap(),
        _ => AddressResponse::nothing_ships(),
    };
    Json(response).into_response()
}

async fn discount(body: Bytes) -> Response {
    let request = ExpressRequest::read(body).unwrap();
    let order = &request.unverified_session().order;
    let accepted: Vec<_> = order.discount_codes.iter().filter(|code| *code == "SUMMER").cloned().collect();
    let worth = if accepted.is_empty() { 0 } else { 10_000 };
    let response = DiscountResponse::ships([option("home", 9_900)]).unwrap();
    Json(response.with_order(DiscountOrder::new(order.amount - worth, accepted)).unwrap()).into_response()
}

async fn shop(sandbox: &Sandbox) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let secret = SigningSecret::new(sandbox.signature_secret().unwrap()).unwrap();
    let verifier = Verifier::builder(sandbox.account_id().parse().unwrap(), &url).secret(secret).build().unwrap();
    let router = axum::Router::new().route("/address", post(address)).route("/discount", post(discount));
    let router = router.with_state(verifier);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A sandbox with a session that asks the shop.
async fn world() -> (Sandbox, String) {
    let sandbox = Sandbox::start().await.unwrap();
    let credentials =
        Credentials::new(sandbox.account_id().parse().unwrap(), sandbox.client_id(), sandbox.client_secret());
    let client =
        Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build().unwrap();
    let shop = shop(&sandbox).await;
    let request = serde_json::from_value(json!({
        "profile_id": "default",
        "url": { "return_url": "https://shop.example/return" },
        "order": { "amount": 29_990, "currency": "NOK", "merchant_reference": "r" },
        "express": {
            "shipping_options": [],
            "shipping_address_callback_url": format!("{shop}/address"),
            "discount_codes": { "max_count": 2, "callback_url": format!("{shop}/discount") },
        },
    }));
    let created = client.sessions().create_from_profile(request.unwrap()).await.unwrap();
    (sandbox, created.id.to_string())
}

fn offered(session: &Value) -> Vec<&str> {
    let options = session["express"]["shipping_options"].as_array().unwrap();
    options.iter().map(|option| option["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_service_reads_what_the_types_write() {
    let (sandbox, id) = world().await;
    for (country, place, options, amount) in [
        ("NO", "Oslo", &["home", "pick-up"][..], 29_990),
        ("NO", "Bergen", &["boat"], 31_000),
        ("JP", "Kyoto", &[], 31_000),
    ] {
        let address = json!({ "country": country, "postal_place": place });
        sandbox.customer_sets_address(&id, address).await.unwrap();
        let session = sandbox.session(&id).unwrap();
        assert_eq!((offered(&session), &session["order"]["amount"]), (options.to_vec(), &json!(amount)), "{place}");
    }
    sandbox.customer_enters_discount_codes(&id, &["SUMMER", "WINTER"]).await.unwrap();
    let order = &sandbox.session(&id).unwrap()["order"];
    assert_eq!((&order["amount"], &order["discount_codes"]), (&json!(21_000), &json!(["SUMMER"])));
}
