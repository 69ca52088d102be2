// A shop in Node, with nothing but its standard library: node shop.mjs http://127.0.0.1:4080
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import assert from "node:assert/strict";

const root = process.argv[2], account = "T12345678", api = `${root}/v1`;

async function call(method, url, body, headers) {
  const init = { method, headers: { "content-type": "application/json", ...headers }, body: body && JSON.stringify(body) };
  const response = await fetch(url, init);
  const told = await response.json();
  assert.ok(response.ok, `${method} ${url}: ${response.status} ${JSON.stringify(told)}`);
  return told;
}

const { signature_secret: secret } = await call("GET", `${root}/_sandbox`);
const basic = Buffer.from("sandbox-client:sandbox-secret").toString("base64");
const audience = `${api}/accounts/${account}`;
const { access_token } = await call("POST", `${audience}/auth/token`, { grant_type: "client_credentials", audience }, { authorization: `Basic ${basic}` });
const bearer = { authorization: `Bearer ${access_token}` };

const called = Promise.withResolvers ? Promise.withResolvers() : (() => { const made = {}; made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject })); return made; })();
const shop = createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`), own = new URL(url);
  const [, time, given] = /^t=(\d+),\s*v0-hmac-sha256=([0-9a-f]+)$/.exec(request.headers["dintero-signature"]);
  own.searchParams.sort();
  const signed = [time, account, request.method, url.hostname, url.pathname, own.searchParams.toString()].join("\n");
  const good = createHmac("sha256", secret).update(signed).digest("hex") === given;
  response.writeHead(good ? 200 : 403).end();
  if (good) called.resolve(url.searchParams); else called.reject(new Error("the signature does not verify"));
}).listen(0, "127.0.0.1");
await new Promise((ready) => shop.once("listening", ready));

const order = { amount: 29990, currency: "NOK", merchant_reference: "node-1", items: [{ id: "chair", line_id: "1", description: "Chair", quantity: 1, amount: 29990 }] };
const url = { return_url: "https://shop.example/thanks", callback_url: `http://localhost:${shop.address().port}/paid?own=1&a%20b=c+d` };
const session = await call("POST", `${api}/sessions-profile`, { profile_id: "default", order, url }, bearer);
await call("POST", `${root}/_sandbox/sessions/${session.id}/pay`, { payment_product_type: "vipps" });
const id = (await called.promise).get("transaction_id");
const captured = await call("POST", `${api}/accounts/${account}/payments/transactions/${id}/capture`, { amount: 29990, capture_reference: "c-1", items: order.items }, bearer);
assert.equal(captured.status, "CAPTURED");
shop.close();
console.log(`paid, called back and captured: ${id}`);
