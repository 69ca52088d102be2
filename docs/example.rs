// What the examples of the calls begin with: a client of a sandbox, a session of 299.90 NOK, a payment of it.

use dintero::types::{CreateSessionFromProfile, Currency, Order, OrderItem, SessionUrls};
use dintero::{Client, Credentials, SessionId, TransactionId};
use dintero_sandbox::Sandbox;

type BoxError = Box<dyn std::error::Error>;

async fn start() -> Result<(Sandbox, Client), BoxError> {
    let sandbox = Sandbox::start().await?;
    let credentials = Credentials::new(sandbox.account_id().parse()?, sandbox.client_id(), sandbox.client_secret());
    let client = Client::builder(credentials).base_url(sandbox.base_url()).auth_url(sandbox.auth_url()).build()?;
    Ok((sandbox, client))
}

async fn session(client: &Client) -> Result<SessionId, BoxError> {
    let chair = OrderItem::new().line_id("1").description("Chair").quantity(1).amount(29_990);
    let order = Order::new(29_990, Currency::Nok, "order-1017").items([chair]);
    let request = CreateSessionFromProfile::new("default", order, SessionUrls::new("https://shop.example/thanks"));
    Ok(client.sessions().create_from_profile(request).await?.id.clone())
}

async fn paid(sandbox: &Sandbox, client: &Client) -> Result<TransactionId, BoxError> {
    Ok(sandbox.customer_pays(session(client).await?)?.parse()?)
}
