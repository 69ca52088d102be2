//! What `Debug` shows of the generated types: nothing that may be about a person.
//!
//! Walked is the model that the types were generated from, so that a type or a field more is tried without being named
//! here.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;

use dintero::{read, types};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Makes values of the types, with a text of its own in every place that takes one.
struct Maker {
    model: Value,
    /// Decides between the variants of a choice.
    round: usize,
    /// A word of each text that was given, and where.
    given: Vec<(String, String)>,
    seen: BTreeSet<String>,
}

impl Maker {
    fn number(&mut self, place: &str) -> usize {
        let number = 70_000_000 + self.given.len();
        self.given.push((number.to_string(), place.to_owned()));
        number
    }

    fn text(&mut self, place: &str) -> String {
        let word = (1_000_000 + self.given.len()).to_string();
        let text = format!("Kari {word} Nordmann");
        self.given.push((word, place.to_owned()));
        text
    }

    fn day(&mut self, place: &str) -> String {
        let first = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let day = (first + chrono::Days::new(self.given.len() as u64)).to_string();
        self.given.push((day.clone(), place.to_owned()));
        day
    }

    /// A value of a kind; none of a type that holds itself.
    fn make(&mut self, kind: &Value, place: &str, around: &[&str]) -> Option<Value> {
        if let Some(inner) = kind.get("list") {
            return Some(self.make(inner, place, around).into_iter().collect());
        }
        if let Some(inner) = kind.get("map") {
            let key = self.text(place);
            let entry = self.make(inner, place, around)?;
            return Some(json!({ key: entry }));
        }
        if let Some(name) = kind.get("type").and_then(Value::as_str) {
            return self.make_type(name, place, around);
        }
        Some(match kind.as_str().unwrap() {
            "text" | "json" => self.text(place).into(),
            "json_object" => {
                let key = self.text(place);
                json!({ key: self.text(place) })
            }
            "date" => self.day(place).into(),
            "time" => json!("2026-01-02T03:04:05Z"),
            "integer" => json!(1),
            "boolean" => json!(true),
            other => panic!("a kind of value that is not known here: {other}"),
        })
    }

    fn make_type(&mut self, name: &str, place: &str, around: &[&str]) -> Option<Value> {
        if around.contains(&name) {
            return None;
        }
        let types = self.model["types"].as_array().unwrap();
        let shape = types.iter().find(|known| known["name"] == name).unwrap()["shape"].clone();
        let around = [around, &[name]].concat();
        self.seen.insert(name.to_owned());
        if let Some(shape) = shape.get("struct") {
            let mut object = Map::new();
            for field in shape["fields"].as_array().unwrap() {
                let json = field["json"].as_str().unwrap();
                if let Some(value) = self.make(&field["kind"], &format!("{name}.{json}"), &around) {
                    object.insert(json.to_owned(), value);
                }
            }
            if shape["keeps_unknown"] == true {
                let place = format!("{name}, unknown");
                object.insert(self.text(&place), self.text(&place).into());
            }
            return Some(object.into());
        }
        if shape.get("enum").is_some() {
            return Some(self.text(place).into());
        }
        if let Some(shape) = shape.get("choice") {
            let variants = shape["variants"].as_array().unwrap();
            let property = shape["property"].as_str().unwrap();
            let Some(variant) = variants.get(self.round % (variants.len() + 1)) else {
                return Some(json!({ property: self.text(place), self.text(place): self.text(place) }));
            };
            let mut object = self.make_type(variant["target"].as_str().unwrap(), place, &around)?;
            object[property] = variant["tag"].clone();
            return Some(object);
        }
        Some(match name {
            "Currency" | "Sensitive" => self.text(place).into(),
            "Decimal" => self.number(place).into(),
            "StringOrNumber" if self.round % 2 == 1 => self.number(place).into(),
            "StringOrNumber" => self.text(place).into(),
            "SessionId" | "TransactionId" => json!("T12345678.abc"),
            other => panic!("a handwritten type that is not known here: {other}"),
        })
    }

    /// The places whose text is in what is printed of `json`. Every text has to be in the value itself.
    fn printed<T: DeserializeOwned + serde::Serialize + Debug>(&self, json: Value) -> BTreeSet<String> {
        let read = read::from_value::<T>(json).unwrap();
        assert!(read.skipped_fields.is_empty(), "{:?}", read.skipped_fields);
        let held = serde_json::to_string(&read.value).unwrap();
        let printed = format!("{:?}\n{:#?}", read.value, read.value);
        let (held, printed) = (words(&held), words(&printed));
        let mut found = BTreeSet::new();
        for (word, place) in &self.given {
            assert!(held.contains(word.as_str()), "{place} is not in the value");
            if printed.contains(word.as_str()) {
                found.insert(place.clone());
            }
        }
        found
    }
}

fn words(text: &str) -> HashSet<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').collect()
}

/// All types that a call sends or gives, by name. What they hold is reached through them.
fn printed(maker: &Maker, name: &str, json: Value) -> BTreeSet<String> {
    macro_rules! roots {
        ($($known:ident)*) => {
            match name {
                $(stringify!($known) => maker.printed::<types::$known>(json),)*
                "ErrorBody" => maker.printed::<types::ErrorBody>(json),
                other => panic!("no call has the type {other}"),
            }
        };
    }
    include!(concat!(env!("OUT_DIR"), "/roots.rs"))
}

#[test]
fn debug_shows_of_texts_only_what_is_listed_as_harmless() {
    let model: Value = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/surface.json"))).unwrap();
    let mut roots: BTreeSet<&str> = BTreeSet::from(["ErrorBody"]);
    for call in model["calls"].as_array().unwrap() {
        roots.extend([&call["request"], &call["response"]["target"]].into_iter().filter_map(Value::as_str));
    }
    let variants = |known: &Value| known["shape"]["choice"]["variants"].as_array().map_or(0, Vec::len);
    let rounds = model["types"].as_array().unwrap().iter().map(variants).max().unwrap() + 1;
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..rounds {
        for name in &roots {
            let mut maker = Maker { model: model.clone(), round, given: Vec::new(), seen: BTreeSet::new() };
            let json = maker.make_type(name, "the whole", &[]).unwrap();
            found.extend(printed(&maker, name, json));
            seen.extend(maker.seen);
        }
    }
    // The list is `printed` of `spec/overlay.yaml`, which the model carries.
    let mut listed = BTreeSet::new();
    for known in model["types"].as_array().unwrap() {
        let fields = known["shape"]["struct"]["fields"].as_array().into_iter().flatten();
        let name = known["name"].as_str().unwrap();
        assert!(known["shape"].get("struct").is_none() || seen.contains(name), "{name} was not tried");
        for field in fields.filter(|field| field["printed"] == true) {
            listed.insert(format!("{name}.{}", field["json"].as_str().unwrap()));
        }
    }
    let leaked: Vec<_> = found.difference(&listed).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    assert!(found.contains("Transaction.merchant_reference") && found.contains("OrderItem.quantity"), "{found:?}");
    for personal in [
        "Address.latitude",
        "Address.organization_number",
        "Address.postal_code",
        "Address.postal_place",
        "Card.masked_pan",
        "Customer.customer_id",
        "Order.discount_codes",
        "OrderItem.description",
        "PayRequestSession.metadata",
        "TransactionEventMetadata.payex:transaction:number",
        "VerifiedIdentity.name",
        "VerifiedIdentity.sub",
    ] {
        let (owner, field) = personal.split_once('.').unwrap();
        let types = model["types"].as_array().unwrap();
        let fields = &types.iter().find(|known| known["name"] == owner).unwrap()["shape"]["struct"]["fields"];
        assert!(fields.as_array().unwrap().iter().any(|known| known["json"] == field), "{personal} is gone");
        assert!(!found.contains(personal), "{personal}");
    }
}

#[test]
fn debug_tells_what_is_there() {
    let order = types::Order::new(100, types::Currency::Nok, "order-1")
        .shipping_address(types::Address::new().first_name("Kari").postal_code("0150").country("NO"))
        .items([types::OrderItem::new().description("Chair")])
        .discount_codes(["SPRING", "KARI"]);
    assert_eq!(
        format!("{order:?}"),
        "Order { amount: 100, currency: Nok, discount_codes: [2 redacted], items: [OrderItem { \
         description: Some([redacted]), .. }], merchant_reference: \"order-1\", shipping_address: Some(Address { \
         country: Some(\"NO\"), first_name: Some([redacted]), postal_code: Some([redacted]), .. }), .. }"
    );
    let unlisted = |text: &str| format!("{:?}", types::Currency::Unknown(text.to_owned()));
    assert_eq!(unlisted("A_NEW.one"), "Unknown(A_NEW.one)");
    for personal in ["Kari Nordmann", "kari@example.com", "4798765432", "a4798765432", "", &"x".repeat(65)] {
        assert_eq!(unlisted(personal), "Unknown([redacted])", "{personal}");
    }
    let option = types::ShippingOption::builder().title("Home to Kari");
    assert_eq!(format!("{option:?}"), "ShippingOptionBuilder { .. }");
}
