//! The part of an error's text that the service wrote, without what may be a customer's.
//!
//! The service's message says what is wrong with a request, and may quote it. Shown are words, field names and short
//! numbers; hidden is every text that the request itself carried, and whatever looks like an address, a name, a token,
//! a phone or card number. Accessors give the message as it came.

use std::collections::HashSet;

use serde_json::Value;

use super::ApiBody;

/// What stands for a hidden word.
const HIDDEN: &str = "***";
/// How many characters of a message are shown.
const LONGEST: usize = 300;
/// How many nested errors are shown.
const MOST: usize = 20;
/// The members by which a nested error names its field.
const PLACES: [&str; 9] =
    ["path", "dataPath", "data_path", "instancePath", "field", "pointer", "property", "param", "name"];
/// The members in which a nested error says what is wrong.
const MESSAGES: [&str; 6] = ["message", "msg", "description", "detail", "reason", "error"];

/// Words that stand in messages with a capital letter and are no names.
const WORDS: [&str; 20] = [
    "Request",
    "Error",
    "Found",
    "Failed",
    "Invalid",
    "Unauthorized",
    "Forbidden",
    "Allowed",
    "Validation",
    "Server",
    "Gateway",
    "Timeout",
    "Unavailable",
    "Transaction",
    "Session",
    "Order",
    "Amount",
    "Payment",
    "Checkout",
    "Dintero",
];

/// The words of a request's texts, in lower case.
#[derive(Debug, Default)]
pub(crate) struct Sent(HashSet<String>);

impl Sent {
    /// The texts of a JSON body and of the values of a query.
    pub(crate) fn new<'a>(body: Option<&[u8]>, query: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Self {
        let mut sent = Self::default();
        query.for_each(|text| sent.add(&text));
        if let Some(Ok(body)) = body.map(serde_json::from_slice::<Value>) {
            sent.add_all(&body);
        }
        sent
    }

    fn add_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(entries) => entries.iter().for_each(|entry| self.add_all(entry)),
            Value::Object(map) => map.values().for_each(|entry| self.add_all(entry)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.0.extend(text.split_whitespace().map(|word| core(word).1.to_lowercase()).filter(|word| word.len() > 1));
    }
}

/// The message and the nested errors as they are shown; none where nothing is said.
pub(super) fn shown(body: &ApiBody, sent: &Sent) -> Option<Box<str>> {
    let message = body.message.as_deref().map(|message| masked(message, sent)).filter(|text| !text.is_empty());
    let parts = message.into_iter().chain(body.errors.iter().take(MOST).filter_map(|error| nested(error, sent)));
    let mut lines: Vec<String> = parts.collect();
    lines.dedup();
    if body.errors.len() > MOST {
        lines.push(format!("and {} more", body.errors.len() - MOST));
    }
    (!lines.is_empty()).then(|| lines.join("; ").into())
}

/// A nested error: `order.amount: must be an integer`.
fn nested(error: &Value, sent: &Sent) -> Option<String> {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| error.get(name)?.as_str());
        found.map(|text| masked(text, sent)).filter(|text| !text.is_empty())
    };
    match (error.as_str(), text(&PLACES), text(&MESSAGES)) {
        (Some(message), ..) => Some(masked(message, sent)),
        (None, Some(place), Some(message)) => Some(format!("{place}: {message}")),
        (None, place, message) => place.or(message),
    }
}

fn masked(text: &str, sent: &Sent) -> String {
    let mut out = String::new();
    let (mut begins, mut after_number) = (true, false);
    for word in text.split_whitespace() {
        let (before, inner, after) = core(word);
        let number = is_number(inner);
        let shown = if number {
            !after_number
        } else {
            inner.is_empty() || is_plain(inner, begins) && !sent.0.contains(&inner.to_lowercase())
        };
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend([before, if shown { inner } else { HIDDEN }, after]);
        (begins, after_number) = (after.ends_with(['.', ':', ';', '!', '?']), number);
        if out.chars().count() > LONGEST {
            return out.chars().take(LONGEST).chain("...".chars()).collect();
        }
    }
    out
}

/// A word without the punctuation around it.
fn core(word: &str) -> (&str, &str, &str) {
    let is_around = |c: char| c.is_ascii_punctuation() && !"@_$*[]/".contains(c);
    let start = word.trim_start_matches(is_around);
    let inner = start.trim_end_matches(is_around);
    let (before, rest) = word.split_at(word.len() - start.len());
    (before, inner, rest.strip_prefix(inner).unwrap_or_default())
}

/// At most six digits: an amount, a limit, a status.
fn is_number(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    (1..=6).contains(&digits) && word.bytes().all(|b| b.is_ascii_digit() || b"-+.,".contains(&b))
}

/// A word of a sentence, a constant such as `PARTIALLY_CAPTURED`, or the path of a field.
fn is_plain(word: &str, begins: bool) -> bool {
    let letters = || word.bytes().filter(u8::is_ascii_alphabetic);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.-/[]$*'".contains(&b);
    // Digits stand for places in a list only.
    let digits_are_places =
        word.split(['.', '/', '[', ']']).all(|part| !part.bytes().any(|b| b.is_ascii_digit()) || is_index(part));
    let is_name = letters().next().is_some_and(|first| first.is_ascii_uppercase())
        && letters().any(|letter| letter.is_ascii_lowercase())
        && !WORDS.contains(&word);
    word.bytes().all(fits) && digits_are_places && (begins || !is_name)
}

fn is_index(part: &str) -> bool {
    (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shows(message: &str, sent: &Value) -> String {
        let body = ApiBody::new(None, Some(message.to_owned()), Vec::new());
        let sent = Sent::new(Some(sent.to_string().as_bytes()), std::iter::once("kari".into()));
        shown(&body, &sent).map(String::from).unwrap_or_default()
    }

    #[test]
    fn what_a_service_says_about_fields_is_shown() {
        for message in [
            "Bad Request: order.amount 33890 is not the sum of its items 29990",
            "body/order/items/0/vat_amount must be >= 0",
            "should have required property 'merchant_reference'",
            "transaction is PARTIALLY_CAPTURED, expected AUTHORIZED",
            "$.order.items[12].line_id is required",
            "a line is missing",
        ] {
            // One letter gives nobody away.
            assert_eq!(shows(message, &json!({ "id": "a" })), message);
        }
    }

    #[test]
    fn what_may_be_a_customers_is_hidden() {
        let request = json!({ "customer": { "name": "jane van doe", "street": ["Storgata 1"] } });
        for (message, expected) in [
            ("email jane@example.com is not valid", "email *** is not valid"),
            ("phone_number '+4798765432' is not valid", "phone_number '+***' is not valid"),
            ("phone_number 47 98 76 54 is not valid", "phone_number 47 *** *** *** is not valid"),
            ("card 4111-1111-1111-1111 was refused", "card *** was refused"),
            ("no customer Ola Nordmann", "no customer *** ***"),
            ("no customer Øyvind or øyvind", "no customer *** or ***"),
            ("token card-token-7f3a91 has expired", "token *** has expired"),
            ("name \"jane van\" is too short at storgata", "name \"*** ***\" is too short at ***"),
            ("nothing found for kari", "nothing found for ***"),
        ] {
            assert_eq!(shows(message, &request), expected);
        }
    }

    #[test]
    fn each_nested_error_is_shown_with_its_field() {
        let errors = vec![
            json!({ "path": "body/order/amount", "message": "must be integer" }),
            json!({ "dataPath": ".order.currency", "keyword": "pattern" }),
            json!("url.return_url is required"),
            json!({ "message": "jane@example.com is taken", "value": "jane" }),
            json!([1]),
        ];
        let body = ApiBody::new(None, Some("Invalid request".to_owned()), errors);
        let expected = "Invalid request; body/order/amount: must be integer; .order.currency; url.return_url is required; \
                        *** is taken";
        assert_eq!(shown(&body, &Sent::default()).as_deref(), Some(expected));
        let many = ApiBody::new(None, None, (0..25).map(|n| json!(format!("items.{n} is wrong"))).collect());
        assert!(shown(&many, &Sent::default()).is_some_and(|text| text.ends_with("items.19 is wrong; and 5 more")));
        let most = ApiBody::new(None, None, (0..20).map(|n| json!(format!("items.{n} is wrong"))).collect());
        assert!(shown(&most, &Sent::default()).is_some_and(|text| text.ends_with("items.19 is wrong")));
        assert_eq!(shown(&ApiBody::default(), &Sent::default()), None);
        let longest = "word ".repeat(LONGEST / 5 - 1) + "words";
        assert_eq!((longest.len(), shows(&longest, &json!({}))), (LONGEST, longest));
        assert_eq!(shows(&"word ".repeat(200), &json!({})).chars().count(), LONGEST + 3);
    }
}
