// Signs random callback URLs the way the service does, with Node's own URL and HMAC.
//
//   node signature_oracle.mjs SEED COUNT
//
// One JSON object per line: what was signed, the request target that a client sends for it, and the
// signature. The same seed gives the same lines.
import { createHmac } from "node:crypto";

const [seed, count] = process.argv.slice(-2).map(Number);

// mulberry32: small, seeded, and the same everywhere.
let state = seed >>> 0;
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];
const some = (most, make) => Array.from({ length: random(most + 1) }, make).join("");

const HOSTS = [
  "example.com", "EXAMPLE.com", "Shop.Example.COM", "localhost", "xn--blbr-roah.example", "bl\u00e5b\u00e6r.example",
  "BL\u00c5B\u00c6R.example", "\u65e5\u672c.example", "fa\u00df.example", "127.0.0.1", "127.1", "0x7f.1", "[::1]",
  "[2001:DB8::A]", "[::ffff:1.2.3.4]", "a-b.c--d.example", "example.com.", "%65xample.com", "ex\u00adample.com",
  "under_score.example", "\u24d4xample.com",
];
const PORTS = ["", "", "", ":80", ":443", ":8443", ":65535", ":0", ":"];
const CREDENTIALS = ["", "", "", "", "user@", "user:pass@", "u%40v:@"];
// What tends to go wrong: characters each side could escape differently, surrogate pairs and what sorts
// beside them, broken escapes, bytes that are no UTF-8, and what a URL parser drops.
const PIECES = [
  "a", "b", "A", "B", "z", "Z", "0", "9", "order", "transaction_id", "\u00e6", "\u00d8", "\u00df", "\u20ac", "\ufeff", "\ufffd",
  "\uff5e", "\ue000", "\ud7ff", "\u{1f600}", "\u{10ffff}", "e\u0301", "\u0000", "\u007f", "\u0080", " ", "+", "*", "-", ".", "_", "~", ":", ";",
  ",", "!", "'", "(", ")", "$", "@", "/", "?", "|", "^", "`", "\"", "<", ">", "[", "]", "{", "}", "\\", "\t", "\n", "\r",
  "%20", "%2B", "%2b", "%26", "%3D", "%3d", "%25", "%7E", "%7e", "%2A", "%41", "%00", "%0A", "%c3%a6", "%C3%A6", "%F0%9F%98%80",
  "%", "%2", "%zz", "%%", "%2%35", "%ff", "%FE", "%c3", "%c3(", "%e2%82", "%e2%82%ac%e2", "%ed%a0%80", "%f0%9f", "%f4%90%80%80",
  "%c0%80", "%EF%BB%BF", "%u0041",
];
const PATHS = [...PIECES, "/", "//", "/./", "/../", "/..", "/.", "/%2e/", "/%2E%2e/", "/%2F", "%5C"].filter((p) => p !== "?");
const NAMES = ["a", "a", "b", "", "B", "A", "\u{1f600}", "\uff5e", "\u00e6", "transaction", "time", "Event", "a b", "a+b", "a%20b"];

function pair() {
  const name = random(2) ? pick(NAMES) : some(3, () => pick(PIECES));
  switch (random(6)) {
    case 0: return name;
    case 1: return `${name}=`;
    case 2: return `${name}==${some(2, () => pick(PIECES))}`;
    default: return `${name}=${some(4, () => pick(PIECES))}`;
  }
}
function query() {
  switch (random(12)) {
    case 0: return "";
    case 1: return "?";
    case 2: return "?&&" + pair() + "&";
    case 3: return "?" + Array.from({ length: 20 + random(120) }, () => `${pick(NAMES)}=${random(10)}`).join("&");
    default: return "?" + Array.from({ length: 1 + random(8) }, pair).join("&");
  }
}
function address() {
  const path = random(8) ? "/" + some(6, () => pick(PATHS)) : "";
  const fragment = random(10) ? "" : "#" + some(2, () => pick(PIECES));
  const scheme = pick(["https", "https", "http", "HTTPS"]);
  return `${scheme}://${pick(CREDENTIALS)}${pick(HOSTS)}${pick(PORTS)}${path}${query()}${fragment}`;
}

const lines = [];
while (lines.length < count) {
  const url = address();
  if (!URL.canParse(url)) continue;
  const { hostname, pathname, search } = new URL(url);
  const parsed = new URL(url);
  parsed.searchParams.sort();
  const sorted = parsed.searchParams.toString();
  const account = `${pick(["P", "T"])}${String(random(100_000_000)).padStart(8, "0")}`;
  const time = pick([0, 1, 1_582_236_537, 1_778_140_800, 4_102_444_800]) + random(1000);
  const method = pick(["GET", "GET", "POST"]);
  const secret = pick(["123", "s", "k".repeat(64), "k".repeat(65), "h\u00e6mmelig \u{1f511}", " padded "]) + random(100);
  const text = [time, account, method, hostname, pathname, sorted].join("\n");
  const signature = createHmac("sha256", secret).update(text, "utf8").digest("hex");
  lines.push(JSON.stringify({ url, target: pathname + search, account, time, method, secret, host: hostname, query: sorted, signature }));
}
process.stdout.write(lines.join("\n") + "\n");
